#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The whole path but Xen: a guest's driver plays through the card, on its real clock, into a real
# PulseAudio, whose null sink's monitor is recorded and compared with what was played. As in
# test_pa.sh, breaks that a loaded machine makes are shown and not judged; frames that are lost, come
# twice or are changed are.
#
# BUILD: the build folder. SRC: the tree. Says what it found as TAP.

set -eu

. "$SRC/tests/drivers/pulse.sh"

seconds=6
number=0
for period in 64 1024; do
    "$pattern" make $seconds >"pattern-$period"
    start_server
    start_recorder "recording-$period"
    wait_for_recorder "recording-$period"
    "$BUILD/tests/drivers/play_card" pa,id=test,out.latency=20000 "pattern-$period" $period \
        >figures 2>log
    stop_recorder
    kill_server
    compared=$("$pattern" check "recording-$period" $seconds || true)
    number=$((number + 1))
    echo "# period $period: $(cat figures)"
    echo "# $(grep -o 'stream dac2.*' log)"
    echo "# $compared"
    case $compared in
    *" found=$((seconds * 44100)) missing=0 repeated=0 misplaced=0 differing=0 "*)
        echo "ok $number - a guest with $period frames a period is heard, frame by frame" ;;
    *)
        echo "not ok $number - a guest with $period frames a period is heard, frame by frame" ;;
    esac
done
echo "1..$number"
