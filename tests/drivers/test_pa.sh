#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# A stream and the real PulseAudio: a server of our own with a null sink, whose monitor is recorded
# and compared with what was played, frame by frame. A machine under load makes breaks (silence in
# between) that no driver can avoid, so they are shown and not judged; frames that are lost, come
# twice or are changed are.
#
# BUILD: the build folder. SRC: the tree. Says what it found as TAP.

set -eu

. "$SRC/tests/drivers/pulse.sh"
play=$BUILD/tests/drivers/stream_play

# Begins to play in the background: start_playing SECONDS OPTIONS
start_playing()
{
    "$pattern" make "$1" >pattern.raw
    "$play" "pa,id=test,$2" <pattern.raw >played 2>log &
    player=$!
}

finish_playing()
{
    wait "$player"
    player=
}

# result NAME CONDITION...: the evidence is shown, once.
result()
{
    judge "log played checked" "$@"
    : >log >played >checked
}

# Compares rec with what of the LENGTH seconds played must be in it: from a second after the server's
# return, at $back, to the last whole second. Sets $seconds to how many those are.
check_since_return()
{
    local start first
    start=$(value start_ns played)
    first=$(((back + 1000000000 - start) / 1000 * 441 / 10000))
    seconds=$((($1 * 44100 - first) / 44100))
    "$pattern" check rec $seconds $first >checked || true
}

: >log >played >checked

# ---
start_server
start_recorder rec
sleep 0.5
start_playing 5 out.latency=200000
finish_playing
stop_recorder
"$pattern" check rec 5 >checked || true
result "every frame is heard" 'whole checked' \
    '[ "$(value frames log)" = 220500 ]' '[ "$(value dropped log)" = 0 ]' \
    '[ "$(value overruns log)" = 0 ]' '[ "$(value delay_us_median log)" -gt 0 ]'

# --- 50 ms: shorter than the buffer
start_recorder rec
sleep 0.5
"$pattern" make 1 | head -c 8820 >pattern.raw
"$play" pa,id=test,out.latency=200000 <pattern.raw >played 2>log
stop_recorder
"$pattern" check rec 1 >checked || true
result "a sound shorter than the buffer is heard" '[ "$(value found checked)" = 2205 ]' \
    '[ "$(value repeated checked)$(value differing checked)" = 00 ]'

# ---
"$play" pa,id=test,out.name=nowhere <pattern.raw >played 2>log
result "a sink that is not there is named" "grep -q \"no sink 'nowhere'\" log" \
    "grep -q 'pactl list short sinks' log" '[ "$(value dropped log)" = 2205 ]'

# --- killed in the middle, back 1.5 s later
start_recorder rec
sleep 0.5
start_playing 9 out.latency=200000
sleep 3
kill_server
stop_recorder
mv rec rec.before
sleep 1.5
start_server
back=$(now)
start_recorder rec
finish_playing
stop_recorder
check_since_return 9
result "within a second of the server's return all is heard" '[ $seconds -ge 2 ]' 'whole checked' \
    '[ "$(grep -c "dac2: no sound" log)" = 1 ]' '[ "$(grep -c "dac2: sound is back" log)" = 1 ]' \
    '[ "$(value reopened played)" = 1 ]' '[ "$(value frames log)" = 396900 ]'
"$pattern" check rec.before 2 >checked || true
result "until the server died all was heard" 'whole checked'

# --- absent at the start
kill_server
start_playing 7 out.latency=200000
sleep 2
start_server
back=$(now)
start_recorder rec
finish_playing
stop_recorder
check_since_return 7
result "a server that comes later is found within a second" '[ $seconds -ge 2 ]' 'whole checked' \
    '[ "$(grep -c "dac2: no sound" log)" = 1 ]' '[ "$(grep -c "dac2: sound is back" log)" = 1 ]' \
    'grep -q "PulseAudio does not answer at unix:" log' '[ "$(value overruns log)" = 0 ]'

# --- stopped, not dead
start_playing 2 out.latency=200000
sleep 1
kill -STOP "$server"
began=$(now)
finish_playing
took=$((($(now) - began) / 1000000))
kill -CONT "$server"
echo "the player ended $took ms after the server was stopped" >checked
result "a server that hangs does not keep the program" '[ $took -lt 4500 ]' \
    '[ "$(value frames played)" = 88200 ]'

echo "1..$tests"
[ $failed = 0 ]
