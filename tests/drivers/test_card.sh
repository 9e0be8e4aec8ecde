#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# What hosts/pa.sh does not try of the card: another period, and the default latency. A guest's driver
# plays through the card, on its real clock, into a real PulseAudio, whose null sink's monitor is
# recorded and compared with what was played. Breaks that a loaded machine makes are shown and not
# judged; frames that come twice or are changed are, and those that are lost without the card's
# knowing, which at a latency of 200 ms are none.
#
# BUILD: the build folder. SRC: the tree. Says what it found as TAP.

set -eu

. "$SRC/tests/drivers/lib.sh"
. "$SRC/tests/drivers/servers/pulse.sh"

seconds=6 total=$((6 * 44100))
number=0

# try PERIOD LATENCY_US WHAT: the frames that the card says it dropped may be missing, no more.
try()
{
    local period=$1 compared found dropped
    "$pattern" make $seconds >pattern
    server_start
    sink_add out
    recorder_start recording out
    recorder_wait recording
    "$BUILD/tests/drivers/play_card" "pa,id=test,out.latency=$2" pattern "$period" >figures 2>log
    recorder_stop
    server_kill
    rm recording.fifo
    compared=$("$pattern" check recording $seconds || true)
    number=$((number + 1))
    echo "# period $period, latency $2 us: $(cat figures)"
    echo "# $(grep -o 'stream dac2.*' log)"
    echo "# $compared"
    found=$(sed 's/.* found=\([0-9]*\).*/\1/' <<<"$compared")
    dropped=$(sed -n 's/.*stream dac2.* dropped=\([0-9]*\).*/\1/p' log)
    case $compared in
    *" repeated=0 misplaced=0 differing=0 "*) ;;
    *) found=none ;;
    esac
    if [ "$found" != none ] && [ $((found + dropped)) -ge $total ] &&
        { [ "$2" -lt 200000 ] || [ "$found" = $total ]; }; then
        echo "ok $number - $3"
    else
        echo "not ok $number - $3"
    fi
}

try 64 200000 "a guest with 64 frames a period is heard, frame by frame"
try 128 5000 "with the default latency too, but for what is dropped and counted"
echo "1..$number"
