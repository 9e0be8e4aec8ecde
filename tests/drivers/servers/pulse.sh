# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
#
# A PulseAudio of our own, in the current folder.

need pulseaudio pulseaudio
need pactl pulseaudio-utils
. "$SRC/tests/drivers/servers/sinks.sh"

pulseaudio=''

# Sinks keep their rate: with an alternate one they would take that of the first stream that asks for
# it while they are idle, and aoss tries 48000 Hz.
server_enter()
{
    export PULSE_RUNTIME_PATH=$PWD/run PULSE_SERVER=unix:$PWD/socket PULSE_CONFIG=$PWD/daemon.conf
    printf '%s\n' 'default-sample-rate = 44100' 'alternate-sample-rate = 44100' >daemon.conf
}
server_enter

# Returns when the server answers. It has no sink yet.
server_start()
{
    pulseaudio -n --daemonize=no --use-pid-file=no --exit-idle-time=-1 --disallow-exit \
        --log-target=file:"$PWD/pulseaudio.log" \
        -L "module-native-protocol-unix socket=$PWD/socket auth-anonymous=1" >/dev/null 2>&1 &
    pulseaudio=$!
    wait_until pactl info || {
        sed 's/^/# /' pulseaudio.log
        exit 1
    }
}

server_kill()
{
    end_of "$pulseaudio" KILL
    pulseaudio=
    rm -f socket
}

# server_signal STOP|CONT
server_signal()
{
    [ -z "$pulseaudio" ] || kill -"$1" "$pulseaudio"
}
