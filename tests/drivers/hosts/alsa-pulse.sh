#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# -audiodev alsa: ALSA's 'default' is PulseAudio.

# shellcheck disable=SC2034  # conformance.sh reads them
driver=alsa server=pulse record_options=,in.dev=record

prepare()
{
    cat >.asoundrc <<'EOT'
pcm.!default { type pulse }
pcm.record { type pulse device out.monitor }
EOT
}

. "$SRC/tests/drivers/conformance.sh"
