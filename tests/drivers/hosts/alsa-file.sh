#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# -audiodev alsa into a file, with ALSA's null behind it. There is no server to kill, no sink to lose, and
# a file takes any format; where it cannot be written ALSA says so with the first full buffer, for it
# writes no sooner. It records nothing but silence.

# shellcheck disable=SC2034  # conformance.sh reads them
driver=alsa server=file options=,out.dev=file faults=(exact) buffers=yes

prepare()
{
    echo "pcm.file { type file slave.pcm null file $PWD/sink/out format raw }" >.asoundrc
}

. "$SRC/tests/drivers/conformance.sh"
