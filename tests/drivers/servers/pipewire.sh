# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
#
# A PipeWire of our own, in the current folder: the server, the session manager that links streams to
# sinks, and the server for PulseAudio's clients, which we are too, for the sinks and the recorder.

need pipewire pipewire-bin
need wireplumber wireplumber
need pipewire-pulse pipewire-pulse
need pactl pulseaudio-utils
. "$SRC/tests/drivers/servers/sinks.sh"

servers=()

# What its own pactl suspends while it plays, PipeWire 0.3.65 does not bring back whole, whoever plays:
# the monitor is silent from then on, and for those who record it anew one channel is.
# shellcheck disable=SC2034  # conformance.sh reads it
cannot=(suspended)

# Nothing of this machine is looked for: no hardware, and no D-Bus, which only that needs. The graph
# runs at the pattern's rate, and in blocks that a machine under load can keep up with: PipeWire itself
# leaves out the blocks that come too late.
server_enter()
{
    export PIPEWIRE_RUNTIME_DIR=$PWD PULSE_RUNTIME_PATH=$PWD/pulse PULSE_SERVER=unix:$PWD/pulse/native
    mkdir -p config/pipewire/pipewire.conf.d config/wireplumber/main.lua.d \
        config/wireplumber/bluetooth.lua.d
    cat >config/pipewire/pipewire.conf.d/test.conf <<'EOT'
context.properties = {
    default.clock.rate = 44100
    default.clock.min-quantum = 1024
    support.dbus = false
}
EOT
    cat >config/wireplumber/main.lua.d/60-test.lua <<'EOT'
alsa_monitor.enabled = false
v4l2_monitor.enabled = false
libcamera_monitor.enabled = false
default_access.properties["enable-flatpak-portal"] = false
EOT
    cat >config/wireplumber/bluetooth.lua.d/60-test.lua <<'EOT'
bluez_monitor.enabled = false
EOT
}

# It leaves out blocks that come too late, so it comes before other work where that is allowed.
first=()
! chrt -f 5 true 2>/dev/null || first=(chrt -f 5)

# Returns when the server answers, and links. It has no sink yet.
server_start()
{
    local program
    for program in pipewire wireplumber pipewire-pulse; do
        ${first[@]+"${first[@]}"} $program >>$program.log 2>&1 &
        servers+=($!)
        [ $program != pipewire ] || wait_until test -S pipewire-0
    done
    wait_until pactl info || {
        sed 's/^/# /' ./*.log
        exit 1
    }
}

server_kill()
{
    local one
    for one in ${servers[@]+"${servers[@]}"}; do
        end_of "$one" KILL
    done
    servers=()
    rm -f pipewire-0 pipewire-0.lock pulse/native
}

# server_signal STOP|CONT
server_signal()
{
    [ ${#servers[@]} = 0 ] || kill -"$1" "${servers[@]}"
}
