# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
#
# A file as the server: what is written to sink/out is heard, its header too if it has one. The server
# is the folder.

server_start()
{
    mkdir sink
}

sink_add() { :; }

# It is watched, from before it is there.
recorder_start()
{
    recording=$1
    mkfifo "$1.fifo"
    "$BUILD/tests/drivers/listen" "$1" <"$1.fifo" &
    listener=$!
    {
        until [ -e sink/out ]; do
            sleep 0.01
        done
        exec tail -f -s 0.01 -c +1 sink/out
    } >"$1.fifo" 2>/dev/null &
    recorder=$!
}

recorder_wait() { :; }

recorder_stop()
{
    wait_until recorder_has_all
    end_of "$recorder"
    recorder=
    wait "$listener"
}

recorder_has_all()
{
    [ "$(stat -c %s "$recording")" = "$(stat -c %s sink/out)" ]
}
