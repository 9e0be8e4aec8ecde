#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# -audiodev oss under aoss: OSS in the library, ALSA behind it, and PulseAudio behind that.

# shellcheck disable=SC2034  # conformance.sh reads them
driver=oss server=pulse record_options= wrapper=(aoss alsa-oss)

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
