#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# -audiodev alsa: ALSA's 'default' is PipeWire. The plugin's package and pulseaudio exclude each other, so
# `make check-drivers` has unpacked it in the build folder.

# shellcheck disable=SC2034  # conformance.sh reads them
driver=alsa server=pipewire record_options=,in.dev=record
plugin=$(find "$BUILD/tests/drivers/pipewire-alsa" -name libasound_module_pcm_pipewire.so -print -quit)

requires()
{
    [ -n "$plugin" ] || skip "no ALSA plugin for PipeWire: apt-get download pipewire-alsa did not work"
}

prepare()
{
    cat >.asoundrc <<EOT
pcm_type.pipewire { lib "$plugin" }
pcm.!default { type pipewire }
pcm.record { type pipewire capture_node "out" }
EOT
}

. "$SRC/tests/drivers/conformance.sh"
