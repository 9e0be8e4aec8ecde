#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# A stream and the real PulseAudio, apart from what every host must do (hosts/pa.sh): a sound shorter
# than its buffer, a sink that is not there, and the end of a program while the server hangs.
#
# BUILD: the build folder. SRC: the tree. Says what it found as TAP.

set -eu

. "$SRC/tests/drivers/lib.sh"
. "$SRC/tests/drivers/servers/pulse.sh"
play=$BUILD/tests/drivers/stream_play

# result NAME CONDITION...: the evidence is shown, once.
result()
{
    judge "log played checked" "$@"
    : >log >played >checked
}

: >log >played >checked

# --- 50 ms: shorter than the buffer
server_start
sink_add out
recorder_start rec out
recorder_wait rec
"$pattern" make 1 | head -c 8820 >pattern.raw
"$play" pa,id=test,out.latency=200000 <pattern.raw >played 2>log
recorder_stop
"$pattern" check rec 1 >checked || true
result "a sound shorter than the buffer is heard" '[ "$(value found checked)" = 2205 ]' \
    '[ "$(value repeated checked)$(value differing checked)" = 00 ]'

# ---
"$play" pa,id=test,out.name=nowhere <pattern.raw >played 2>log
result "a sink that is not there is named" "grep -q \"no sink 'nowhere'\" log" \
    "grep -q 'pactl list short sinks' log" '[ "$(value dropped log)" = 2205 ]'

# --- stopped, not dead
"$pattern" make 2 >pattern.raw
"$play" pa,id=test,out.latency=200000 <pattern.raw >played 2>log &
player=$!
sleep 1
server_signal STOP
began=$(now)
wait "$player"
player=
took=$((($(now) - began) / 1000000))
server_signal CONT
echo "the player ended $took ms after the server was stopped" >checked
result "a server that hangs does not keep the program" '[ $took -lt 4500 ]' \
    '[ "$(value frames played)" = 88200 ]'

echo "1..$tests"
[ $failed = 0 ]
