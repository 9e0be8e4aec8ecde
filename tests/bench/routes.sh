# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
#
# How each driver reaches a null sink 'out' whose monitor is listened to, and whom it meets there.
# To be sourced, with BUILD, SRC and route set to one of:
#
#   pa        PulseAudio
#   alsa      ALSA's default, by its plugin for PulseAudio
#   oss       /dev/dsp as PulseAudio's padsp imitates it
#   aoss      /dev/dsp as alsa-oss's aoss does, into ALSA's default
#   pipewire  PipeWire; QEMU 7.2 has no driver for it, but those for PulseAudio and JACK
#
# Leaves the shell in a folder of its own, as tests/drivers/lib.sh says, and gives:
#
#   ours=DRIVER         this card's driver
#   through=(COMMAND)   what `measure` is started with
#   warm_up=SECONDS     before it measures
#   route_start, route_end   a server; the environment tells `measure` of it
#   peers COMMAND       for each way to set QEMU up: COMMAND NAME AUDIODEV, with through set
#   curve_peer US       -audiodev for QEMU at that latency

# shellcheck disable=SC2154  # route, and what lib.sh and the servers' scripts set
# shellcheck disable=SC2034  # who sources this reads through
# shellcheck disable=SC2016  # $LIB is the linker's

. "$SRC/tests/drivers/lib.sh"

export SERVER_KIND=pa
ours=$route through=(env) warm_up=2
case $route in
pa | alsa) ;;
# The libraries, for their scripts do not work: Debian's padsp names a file that there is not, and
# aoss refuses where the kernel has no ALSA.
oss)
    need padsp pulseaudio-utils
    through=(env 'LD_PRELOAD=/usr/$LIB/pulseaudio/libpulsedsp.so')
    ;;
aoss)
    need aoss alsa-oss
    ours=oss through=(env 'LD_PRELOAD=/usr/$LIB/libaoss.so')
    ;;
pipewire)
    SERVER_KIND=pipewire
    # It links a stream some 50 ms after it was asked to. What the guest plays meanwhile is heard
    # late, not lost, and the card's clock works that off by 30 ms a second.
    warm_up=5
    ;;
*)
    echo "no route '$route'; there are: pa alsa oss aoss pipewire"
    exit 2
    ;;
esac

case $SERVER_KIND in
pa) . "$SRC/tests/drivers/servers/pulse.sh" ;;
pipewire) . "$SRC/tests/drivers/servers/pipewire.sh" ;;
esac
server_enter
if [ "$SERVER_KIND" = pipewire ]; then
    # Rounds as short as a stream asks for; PipeWire's defaults, but in a virtual machine.
    cat >config/pipewire/pipewire.conf.d/zz-bench.conf <<'EOT'
context.properties = {
    default.clock.min-quantum = 32
    vm.overrides = { default.clock.min-quantum = 32 }
}
EOT
fi

cat >.asoundrc <<'EOT'
pcm.!default { type pulse }
ctl.!default { type pulse }
EOT

route_start()
{
    server_start
    sink_add out
    if [ "$SERVER_KIND" = pa ]; then
        export SERVER_PIDS=$pulseaudio SERVER_MAIN=$pulseaudio
    else
        # PipeWire's sound goes through threads with realtime priority.
        export SERVER_PIDS="${servers[*]}"
    fi
}

route_end()
{
    server_kill
}

peers()
{
    case $route in
    pa)
        "$1" "QEMU" pa,id=bench
        "$1" "QEMU, 5 ms" "$(curve_peer 5000)"
        "$1" "QEMU, 2 ms" "$(curve_peer 2000),out.buffer-length=2000"
        ;;
    alsa | oss | aoss)
        "$1" "QEMU" "$ours,id=bench"
        "$1" "QEMU, 5 ms" "$(curve_peer 5000)"
        "$1" "QEMU, 2 ms" "$(curve_peer 2000)"
        ;;
    pipewire)
        need pw-jack pipewire-jack
        "$1" "QEMU, pa" pa,id=bench
        "$1" "QEMU, pa, 5 ms" "$(curve_peer 5000)"
        through=(pw-jack)
        "$1" "QEMU, jack" jack,id=bench,out.connect-ports=out
        through=(pw-jack -p 256 -s 44100)
        "$1" "QEMU, jack, 256 frames" jack,id=bench,timer-period=1000,out.connect-ports=out
        through=(env)
        ;;
    esac
}

curve_peer()
{
    case $route in
    pa | pipewire) echo "pa,id=bench,timer-period=1000,out.latency=$1" ;;
    alsa)
        echo "alsa,id=bench,timer-period=1000,out.period-length=$(($1 / 4)),out.buffer-length=$1"
        ;;
    oss | aoss)
        # buffer-length is a fragment's.
        echo "oss,id=bench,timer-period=1000,out.buffer-count=4,out.buffer-length=$(($1 / 4))"
        ;;
    esac
}
