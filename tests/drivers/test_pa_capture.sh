#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The whole path but Xen, the other way: what another program plays to a null sink of a real
# PulseAudio, whose monitor is the card's source, a guest's driver records. As in test_pa.sh, breaks
# that a loaded machine makes are shown and not judged; frames that are lost, come twice or are
# changed are.
#
# BUILD: the build folder. SRC: the tree. Says what it found as TAP.

set -eu

. "$SRC/tests/drivers/lib.sh"
. "$SRC/tests/drivers/servers/pulse.sh"
record=$BUILD/tests/drivers/record_card
source=in.name=out.monitor
mkfifo reference

# Begins to record in the background: start_recording SECONDS OPTIONS [PERIOD [PLAY]]. Beside it, as
# the measure of the delay, records one who takes what comes at the pace that the card has asked for.
start_recording()
{
    parec -d out.monitor --raw --rate=44100 --format=s16le --channels=2 >reference 2>/dev/null &
    recorder=$!
    "$record" "pa,id=test,$2" recorded "$1" "${@:3}" <reference >figures 2>log &
    player=$!
}

finish_recording()
{
    wait "$player"
    player=
    end_of "$recorder" KILL
    recorder=
}

# Plays frames to the sink, and returns when they have been heard: play SECONDS FIRST
play()
{
    "$pattern" make "$1" "$2" >played.raw
    pacat -p -d out --raw --rate=44100 --format=s16le --channels=2 --latency-msec=200 played.raw
}

# result NAME CONDITION...: the evidence is shown.
result()
{
    judge "log figures checked" "$@"
}

# --- alone: the card's clock is the source's
server_start
sink_add out
for period in 64 1024; do
    for latency in 5000 20000; do
        start_recording 6 $source,in.latency=$latency $period
        sleep 1
        play 4 0
        finish_recording
        "$pattern" check recorded 4 >checked || true
        result "$latency us, $period frames a period: every frame is recorded" 'whole checked' \
            '[ "$(value dropped log)$(value repeated log)$(value overruns log)" = 000 ]' \
            '[ "$(value delay_us_median figures)" -gt 0 ]'
    done
done

# --- with the card playing what it records, once that has settled: one clock for both
"$pattern" make 13 >played.raw
start_recording 7 $source,in.latency=20000,out.latency=20000 1024 played.raw
finish_recording
"$pattern" check recorded 4 352800 >checked || true
result "what the card plays, and the server loops, it records" 'whole checked' \
    '[ "$(grep -c "capture adc" log)" = 1 ]'

# --- a source that is not there
start_recording 2 in.name=nowhere
finish_recording
: >checked
result "a source that is not there is named" "grep -q \"no source 'nowhere'\" log" \
    '[ "$(value frames log)" = "$(value silent log)" ]'

# --- killed in the middle, back 1.5 s later
start_recording 10 $source,in.latency=20000
sleep 1
play 2 0
server_kill
sleep 1.5
server_start
sink_add out
sleep 0.5
play 3 100000
finish_recording
"$pattern" check recorded 3 100000 >checked || true
"$pattern" check recorded 2 >>checked || true
result "a server that comes back is recorded again" 'whole checked' \
    '[ "$(grep -c "missing=0 repeated=0 misplaced=0 differing=0" checked)" = 2 ]' \
    '[ "$(grep -c "adc: nothing to record" log)" = 1 ]' \
    '[ "$(grep -c "adc: there is sound to record again" log)" = 1 ]'

# --- stopped, not dead
start_recording 3 $source
sleep 1
server_signal STOP
began=$(now)
finish_recording
took=$((($(now) - began) / 1000000))
server_signal CONT
echo "the recorder ended $took ms after the server was stopped" >checked
result "a server that hangs does not keep the guest" '[ $took -lt 4500 ]' \
    '[ "$(value frames log)" -ge 132300 ]'

echo "1..$tests"
[ $failed = 0 ]
