# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
#
# The sinks of a server that answers pactl. They are null sinks, whose monitors are recorded.

# sink_add NAME [FORMAT RATE CHANNELS]: of the pattern's format, unless told otherwise.
sink_add()
{
    # norewinds: PulseAudio's null sink otherwise takes back what its monitor has already handed out.
    pactl load-module module-null-sink sink_name="$1" format="${2-s16le}" rate="${3-44100}" \
        channels="${4-2}" norewinds=1 >"module.$1"
}

sink_remove()
{
    pactl unload-module "$(cat "module.$1")"
}

sink_default()
{
    pactl set-default-sink "$1"
}

# sink_suspend NAME 1|0
sink_suspend()
{
    pactl suspend-sink "$1" "$2"
}

# The default source is what this sink plays.
source_default()
{
    pactl set-default-source "$1.monitor"
}

# recorder_start FILE SINK [RATE]: what the sink plays, in the pattern's format, and when, in
# FILE.times.
recorder_start()
{
    mkfifo "$1.fifo"
    "$BUILD/tests/drivers/listen" "$1" <"$1.fifo" &
    listener=$!
    parec -d "$2.monitor" --latency-msec=10 --raw --rate="${3-44100}" --format=s16le --channels=2 \
        >"$1.fifo" 2>/dev/null &
    recorder=$!
}

recorder_stop()
{
    end_of "$recorder"
    recorder=
    wait "$listener"
}

# Returns when the recorder has begun: it has written something.
recorder_wait()
{
    wait_until test -s "$1"
}
