#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# -audiodev oss with padsp's library: OSS in the program, PulseAudio behind it. Not with padsp itself: that
# of Debian 12 names its library with its own process number in the path.

# shellcheck disable=SC2034  # conformance.sh reads them
driver=oss server=pulse record_options=
# shellcheck disable=SC2016  # the dynamic linker's own $LIB
wrapper=(env 'LD_PRELOAD=/usr/$LIB/pulseaudio/libpulsedsp.so')

requires()
{
    "${wrapper[@]}" true 2>&1 | grep -q . && skip "no libpulsedsp.so: apt install libpulsedsp" || true
}

. "$SRC/tests/drivers/conformance.sh"
