#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# -audiodev oss with aoss's library: OSS in the program, ALSA behind it, and PulseAudio behind that. Not
# with aoss itself: that does nothing on a machine without sound hardware.

# shellcheck disable=SC2034  # conformance.sh reads them
driver=oss server=pulse record_options=
wrapper=(env LD_PRELOAD=libaoss.so)

requires()
{
    "${wrapper[@]}" true 2>&1 | grep -q . && skip "no libaoss.so: apt install alsa-oss" || true
}

prepare()
{
    cat >.asoundrc <<'EOT'
pcm.!default { type asym playback.pcm play capture.pcm record }
pcm.play { type pulse }
pcm.record { type pulse device out.monitor }
pcm.dsp0 { type plug slave.pcm default }
EOT
}

. "$SRC/tests/drivers/conformance.sh"
