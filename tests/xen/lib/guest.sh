# SPDX-License-Identifier: GPL-2.0-or-later
#
# What a case's guest script can call. It runs under busybox sh -eu; what it prints goes to the
# serial line, byte by byte through the device model, at 2 ms each: be brief while sound plays. dom0
# waits for lines that begin with "lab: ". What only a person may want to read goes to /dev/hvc0,
# Xen's console, a page at a time: dom0 has it in xen/console.

PATH=/lab/tools:$PATH

say() {
    echo "lab: $*"
}

uptime_s() {
    cut -d' ' -f1 /proc/uptime
}

# As `lspci -n`, which would bring libraries of some megabytes into each guest.
list_pci() {
    local device class vendor id revision
    for device in /sys/bus/pci/devices/*; do
        read -r class <"$device/class"
        read -r vendor <"$device/vendor"
        read -r id <"$device/device"
        read -r revision <"$device/revision"
        echo "${device##*/0000:} ${class#0x}: ${vendor#0x}:${id#0x} (rev ${revision#0x})"
    done
}

# What a person would look at first.
show_machine() {
    { list_pci; aplay -l; } >/dev/hvc0
}

# Every control on and at 0 dB, where samples pass unchanged.
unmute() {
    amixer -q set Master 100% unmute
    amixer -q set PCM,0 0dB unmute # DAC2
    amixer -q set PCM,1 0dB unmute # DAC1
    { amixer sget Master; amixer sget PCM,0; } >/dev/hvc0
}

# Interrupts that the card's driver has had, since it was loaded.
interrupts() {
    awk '/snd_ens1370/ { n = $2 } END { print n + 0 }' /proc/interrupts
}

# Of what tests/tools/stalls has written, the milliseconds.
total() { # FILE
    awk '{ ms += $2 } END { print ms + 0 }' "$1"
}

# Plays raw S16LE stereo at 44100 Hz, or what aplay's options say instead, and says how long it
# took, how often ALSA ran dry, how many interrupts there were and for how long the guest stood
# still meanwhile. With the largest buffer that the driver gives, 64 KiB or 372 ms, filled by
# quarters: an emulated processor stands still for a while at times, and of less than 250 ms stalls
# does not tell.
play() { # DEVICE FILE NAME [APLAY-OPTION...]
    local device=$1 file=$2 name=$3 status=0 begin before
    shift 3
    before=$(interrupts)
    begin=$(uptime_s)
    say "playing $name $begin"
    stalls "/tmp/$name.stalls" aplay -q -D "$device" --buffer-size=16384 --period-size=4096 \
        -t raw -f S16_LE -r 44100 -c 2 "$@" "$file" 2>"/tmp/$name.err" || status=$?
    say "played $name $(uptime_s) from=$begin status=$status" \
        "xruns=$(grep -c underrun "/tmp/$name.err") interrupts=$(($(interrupts) - before))" \
        "stalled_ms=$(total "/tmp/$name.stalls")"
    cat "/tmp/$name.err"
}

# Says where the card is in a play, by its driver: frames, and seconds since it was started.
position() { # SUBSTREAM NAME
    say "position $2 $(awk '
        $1 == "trigger_time:" { started = $2 }
        $1 == "hw_ptr" { frames = $3 }
        END { printf "frames=%d seconds=%.2f", frames, $1 - started }' \
        "/proc/asound/card0/$1/sub0/status" /proc/uptime)"
}

# Asks dom0 for something, and waits until it has answered.
ask() { # WORD
    modprobe sd_mod
    say "asks $1"
    until dd if=/dev/sda bs=512 skip=98303 count=1 iflag=direct 2>/dev/null | grep -q "^$1 "; do
        sleep 1
    done
}

# Lines of the kernel's log that tell of trouble.
show_trouble() {
    dmesg | grep -iE 'snd|ens137|error|fail|timeout|irq' | tail -n 40 >/dev/hvc0
}
