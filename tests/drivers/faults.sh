# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
#
# What can befall a host's sound, and what must come of it: the guest notices nothing, and sound is
# back within a second. For each fault a function fault_NAME, called in an empty folder of its own,
# which writes to the file 'cell' what the table shows, and fails if something is not as it must be.
#
# A play is of the pattern, at a latency of 200 ms: a loaded machine makes breaks in the sound, which
# are shown and not judged; frames that are lost, come twice or are changed are.

all_faults=(exact no_server killed sink_gone default_changed suspended odd_format capture hangs)

LIMIT_MS=1000
# What the guest may be late for: the machine, which stalls now and then, not the driver.
LATE_US=100000
# The latency asked for, and more than that again for the recorder and the machine.
DELAY_US=500000

audiodev()
{
    echo "$driver,id=test,out.latency=200000${options-}$1"
}

# play_begin SECONDS: of the pattern, in the background, and some silence: how a sound ends is judged where
# there is no fault.
play_begin()
{
    played=$1
    longest_ms=0
    echo "0.00 s" >cell # what the server has kept may be heard before its time
    "$pattern" make "$1" >played.raw
    head -c 88200 /dev/zero >>played.raw
    "${wrapper[@]}" "$BUILD/tests/drivers/play_card" "$(audiodev "")" played.raw >figures 2>log &
    player=$!
}

play_end()
{
    wait "$player" || true
    player=
}

# The guest has had all its interrupts, in time, and its position never stood still.
guest_noticed_nothing()
{
    holds '[ -s figures ]' '[ "$(value missed figures)" = 0 ]' \
        '[ "$(value late_us_max figures)" -lt $LATE_US ]' \
        '[ "$(value still_us_max figures)" -lt $LATE_US ]'
}

# heard_before RECORDING: the second second of the play, whole. The first may have waited too long for
# the host to open.
heard_before()
{
    "$pattern" check "$1" 1 44100 >>heard || true
    holds "whole heard"
}

# heard_at RECORDING INDEX: when this frame of the recording was heard, in nanoseconds since 1970.
# Nothing, if that is not known.
heard_at()
{
    awk -v at="$2" '$2 > at { exit } { time = $1 } END { print time }' "$1.times"
}

# back_since NS RECORDING [SECONDS]: sound is back, for good: from then on, to the end of these seconds,
# the play is heard frame by frame. The cell is the time from NS, when the host could play again, until
# the first of these frames was heard; the longest of several.
back_since()
{
    local seconds=${3-$played} at ms
    if ! "$pattern" since "$2" "$seconds" >>heard; then
        echo "no sound" >cell
        holds "false # $2: the end is not heard"
        return
    fi
    at=$(heard_at "$2" "$(value begin heard)")
    [ -n "$at" ] || {
        holds "false # $2: it is not known when that was heard"
        return
    }
    ms=$(((at - $1) / 1000000))
    if [ $ms -gt $longest_ms ]; then
        longest_ms=$ms
        printf '%d.%02d s\n' $((ms / 1000)) $((ms / 10 % 100)) >cell
    fi
    echo "# $2: sound is back after $ms ms"
    holds "[ $ms -lt $LIMIT_MS ]"
}

# --- without a fault

# Each frame once, in order, unchanged. The cell is the delay of the last, from the card's clock to the
# recorder; the driver's own measurement is shown.
fault_exact()
{
    local end delay_us
    [ "$server" != nowhere ] || {
        fault_unheard
        return
    }
    server_start
    sink_add out
    recorder_start rec out
    recorder_wait rec
    "$pattern" make 3 >played.raw
    "${wrapper[@]}" "$BUILD/tests/drivers/play_card" "$(audiodev "")" played.raw >figures 2>log || true
    recorder_stop
    "$pattern" check rec 3 >heard || true
    end=$(heard_at rec $(($(value end heard) - 1)))
    delay_us=$((end ? (end - $(value start_ns figures)) / 1000 - 3000000 : 0))
    if [ "${buffers-no}" = yes ]; then
        echo "whole" >cell
    else
        echo "$((delay_us / 1000)) ms" >cell
        holds "[ $delay_us -gt 0 ]" "[ $delay_us -lt $DELAY_US ]" || return
    fi
    guest_noticed_nothing && holds 'whole heard' '[ "$(value dropped log)" = 0 ]' \
        '[ "$(value frames log)" -ge 132300 ]'
}

# Where nobody hears it all frames are taken, and the guest goes on as ever.
fault_unheard()
{
    play_begin 3
    play_end
    echo "unheard" >cell
    guest_noticed_nothing && holds '[ "$(value dropped log)" = 0 ]' \
        '[ "$(value frames log)" -ge 132300 ]'
}

# --- the server

fault_no_server()
{
    local back
    play_begin 5
    sleep 1.2
    server_start
    sink_add out
    back=$(now)
    recorder_start rec out
    play_end
    recorder_stop
    back_since "$back" rec && guest_noticed_nothing && holds '[ "$(grep -c "dac2: no sound" log)" = 1 ]'
}

fault_killed()
{
    local back
    server_start
    sink_add out
    recorder_start rec.before out
    recorder_wait rec.before
    play_begin 7
    sleep 2.7
    server_kill
    recorder_stop
    sleep 1
    server_start
    sink_add out
    back=$(now)
    recorder_start rec out
    play_end
    recorder_stop
    heard_before rec.before && back_since "$back" rec && guest_noticed_nothing
}

# It has a backlog of its own to work off: PipeWire, in PulseAudio's place, takes up to a second for it.
fault_hangs()
{
    local back LIMIT_MS=2000
    server_start
    sink_add out
    recorder_start rec out
    recorder_wait rec
    play_begin 7
    sleep 2.7
    server_signal STOP
    sleep 1.5
    server_signal CONT
    back=$(now)
    play_end
    recorder_stop
    heard_before rec && back_since "$back" rec && guest_noticed_nothing
}

# --- the sink

# It goes while there is another; that goes too; a third comes. The cell is the longer of two times.
fault_sink_gone()
{
    local gone back
    server_start
    sink_add out
    sink_default out
    sink_add other
    recorder_start rec.other other
    recorder_wait rec.other
    play_begin 8
    sleep 1.5
    sink_remove out
    gone=$(now)
    sleep 2.2
    sink_remove other
    recorder_stop
    sleep 1
    sink_add third
    back=$(now)
    recorder_start rec third
    play_end
    recorder_stop
    # Of the play the other sink has had something like the seconds from 1.5 to 3.5.
    back_since "$gone" rec.other 3 && back_since "$back" rec && guest_noticed_nothing
}

fault_default_changed()
{
    local changed
    server_start
    sink_add out
    sink_default out
    sink_add other
    recorder_start rec other
    recorder_wait rec
    play_begin 4
    sleep 1.5
    sink_default other
    changed=$(now)
    play_end
    recorder_stop
    back_since "$changed" rec && guest_noticed_nothing
}

fault_suspended()
{
    local back
    server_start
    sink_add out
    recorder_start rec out
    recorder_wait rec
    play_begin 6
    sleep 2.7
    sink_suspend out 1
    sleep 1
    sink_suspend out 0
    back=$(now)
    play_end
    recorder_stop
    heard_before rec && back_since "$back" rec && guest_noticed_nothing
}

# --- formats, recording

# A sink that takes less than the sound has, and one that takes other than it has: a tone is heard, in
# both ears the same, and as loud as it is, but for PipeWire's way of making one channel of two, which
# adds 3 dB.
fault_odd_format()
{
    local format
    "$BUILD/tests/tools/level" make 3 >played.raw
    server_start
    for format in "u8 22050 1" "float32le 96000 2"; do
        # shellcheck disable=SC2086  # it is three words
        sink_add out $format
        recorder_start rec out
        recorder_wait rec
        "${wrapper[@]}" "$BUILD/tests/drivers/play_card" "$(audiodev "")" played.raw >figures 2>log ||
            true
        recorder_stop
        rm rec.fifo
        sink_remove out
        "$BUILD/tests/tools/level" check rec >heard
        guest_noticed_nothing && is_loud || return
    done
    echo "heard" >cell
}

# For two seconds, which a break may divide.
is_loud()
{
    holds "awk -F '[= ]' '
        function far(a, b) { return a - b > 0.1 || b - a > 0.1 }
        \$6 != \"off\" && !far(\$6, \$8) && !(far(\$6, 0) && far(\$6, 3)) { s += \$4 - \$2 }
        END { exit !(s >= 2) }' heard"
}

# What the guest plays the server lets it record: both are whole. Playing has settled for eight seconds
# when the second begins that is compared: until then the clock works off what the start was late by,
# which costs the recording frames.
fault_capture()
{
    "$pattern" make 13 >played.raw
    server_start
    sink_add out
    source_default out
    recorder_start rec out
    recorder_wait rec
    "${wrapper[@]}" "$BUILD/tests/drivers/record_card" "$(audiodev "$record_options,in.latency=150000")" \
        recorded 4 1024 played.raw </dev/null >figures 2>log || true
    recorder_stop
    "$pattern" check rec 6 >heard || true
    "$pattern" check recorded 1 352800 >recorded.heard || true
    sed 's/^/# recorded: /' recorded.heard
    guest_noticed_nothing && holds 'whole heard' 'whole recorded.heard' && echo "exact" >cell
}
