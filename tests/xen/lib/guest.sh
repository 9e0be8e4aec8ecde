# SPDX-License-Identifier: GPL-2.0-or-later
#
# What a case's guest script can call. It runs under busybox sh -eu; what it prints goes to the
# serial line, byte by byte through the device model: be brief while sound plays. dom0 waits for
# lines that begin with "lab: ".

PATH=/lab/tools:$PATH

say() {
    echo "lab: $*"
}

uptime_s() {
    cut -d' ' -f1 /proc/uptime
}

# What a person would look at first.
show_machine() {
    lspci -nn
    aplay -l
}

# Every control on and at 0 dB, where samples pass unchanged.
unmute() {
    amixer -q set Master 100% unmute
    amixer -q set PCM,0 0dB unmute # DAC2
    amixer -q set PCM,1 0dB unmute # DAC1
    amixer sget Master
    amixer sget PCM,0
}

# Plays raw S16LE stereo at 44100 Hz, and says how long it took and how often ALSA ran dry. With the
# largest buffer that the card has, 743 ms: an emulated processor stands still for a while at times.
play() { # DEVICE FILE NAME
    local begin status=0
    begin=$(uptime_s)
    say "playing $3 $begin"
    aplay -q -D "$1" --buffer-size=32768 --period-size=8192 -t raw -f S16_LE -r 44100 -c 2 "$2" \
        2>/tmp/aplay.err || status=$?
    say "played $3 $(uptime_s) from=$begin status=$status xruns=$(grep -c underrun /tmp/aplay.err)"
    cat /tmp/aplay.err
}

# Lines of the kernel's log that tell of trouble.
show_trouble() {
    dmesg | grep -iE 'snd|ens137|error|fail|timeout|irq' | tail -n 40
}
