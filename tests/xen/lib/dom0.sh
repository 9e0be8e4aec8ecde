# SPDX-License-Identifier: GPL-2.0-or-later
#
# What a case's dom0 script can call. The script runs under bash -eu in /run/lab, whose files
# become the case's results. "say" and "fail" speak to the host, which watches the console.

say() {
    echo "lab: $*" >/dev/console
}

# Ends the case; the logs named (of /run/lab) are where the host looks for more.
fail() { # REASON [LOG...]
    echo "$1" >/run/lab/failure
    say "failed: $1"
    shift
    echo "${*:-dom0.log}" >/run/lab/failure-logs
    exit 1
}

power_off() {
    sync
    busybox poweroff -f
    sleep 60
}

# Seconds since power-on, to the hundredth.
uptime_s() {
    cut -d' ' -f1 /proc/uptime
}

# Writes a line "TIME WORD..." into the results: what happened when, in dom0's time.
mark() {
    echo "$(uptime_s) $*" >>/run/lab/marks
}

# One of the packages under test. What it depends on is in the image already, or dpkg says so. For
# this disk there is no tomorrow.
install_package() { # NAME
    DEBIAN_FRONTEND=noninteractive dpkg --force-unsafe-io --install "/lab/in/packages/$1"_*.deb
}

# --- sound -----------------------------------------------------------------

# PulseAudio with nothing but a null sink, which takes frames at the rate of dom0's clock; without
# rewinds, since what is rewound has already been recorded; and without shared memory, since
# PulseAudio 16 now and then aborts (memblock_replace_import) when one who plays leaves while another
# records. From the mark on, programs can connect.
start_pulse() { # [PULSEAUDIO-OPTION...]
    mkdir -p /run/lab/pulse
    rm -f /run/lab/pulse/native
    pulseaudio -n --daemonize=no --use-pid-file=no --exit-idle-time=-1 --disallow-exit \
        --disable-shm --log-level=info --log-time=1 \
        -L "module-null-sink sink_name=lab rate=44100 channels=2 format=s16le norewinds=1" \
        -L "module-native-protocol-unix socket=/run/lab/pulse/native auth-anonymous=1" "$@" \
        >>/run/lab/pulse.log 2>&1 &
    pulse_pid=$!
    wait_until 30 test -S /run/lab/pulse/native || fail "PulseAudio does not start" pulse.log
    mark pulse started
}

# Another null sink, with module-null-sink's options.
add_sink() { # NAME OPTION...
    local name=$1
    shift
    pactl --server=unix:/run/lab/pulse/native load-module module-null-sink sink_name="$name" \
        norewinds=1 "$@" >/dev/null || fail "PulseAudio makes no sink '$name'" dom0.log pulse.log
}

# Streams opened from now on play to it, and those that are open move there: only to a sink that
# is recorded, since an idle one takes their rate.
use_sink() { # NAME
    pactl --server=unix:/run/lab/pulse/native set-default-sink "$1" ||
        fail "PulseAudio does not use the sink '$1'" dom0.log pulse.log
}

# Records a sink's monitor from now on, as raw S16LE stereo at 44100 Hz or as parec's options say
# instead. The mark says how many bytes have been recorded by then.
start_recording() { # FILE [PAREC-OPTION...]
    local file=$1
    shift
    parec --server=unix:/run/lab/pulse/native --device=lab.monitor --raw --format=s16le \
        --rate=44100 --channels=2 --latency-msec=500 "$@" \
        >"/run/lab/$file" 2>>/run/lab/parec.log &
    recorder_pid=$!
    wait_until 30 test -s "/run/lab/$file" || fail "parec does not record" parec.log pulse.log
    mark recording "$file" bytes="$(stat -c %s "/run/lab/$file")"
}

stop_recording() {
    kill "$recorder_pid" 2>/dev/null || true # it may have gone with the server
    wait "$recorder_pid" 2>/dev/null || true
}

stop_pulse() { # [SIGNAL]
    kill "-${1-TERM}" "$pulse_pid"
    wait "$pulse_pid" 2>/dev/null || true
    mark pulse stopped
}

# PipeWire and its session manager, with nothing but a null sink as above; of the hardware and D-Bus
# they would look for there is nothing here. Programs find it by PIPEWIRE_RUNTIME_DIR, which the case
# sets to /run/lab/pipewire before it creates the domain.
start_pipewire() {
    local config=/run/lab/pipewire/config
    mkdir -p $config/pipewire/pipewire.conf.d \
        $config/wireplumber/{wireplumber.conf.d,main.lua.d,bluetooth.lua.d}
    rm -f $PIPEWIRE_RUNTIME_DIR/pipewire-0
    cat >$config/pipewire/pipewire.conf.d/lab.conf <<END
context.properties = { default.clock.rate = 44100 support.dbus = false }
context.objects = [ { factory = adapter args = {
    factory.name = support.null-audio-sink node.name = lab media.class = Audio/Sink
    audio.position = [ FL FR ] audio.rate = 44100 object.linger = true
} } ]
END
    # WirePlumber 0.5; then, for Debian 12, 0.4.
    cat >$config/wireplumber/wireplumber.conf.d/lab.conf <<END
wireplumber.profiles = { main = {
    hardware.audio = disabled hardware.bluetooth = disabled hardware.video-capture = disabled
} }
END
    cat >$config/wireplumber/main.lua.d/60-lab.lua <<END
alsa_monitor.enabled = false
v4l2_monitor.enabled = false
libcamera_monitor.enabled = false
default_access.properties["enable-flatpak-portal"] = false
END
    echo "bluez_monitor.enabled = false" >$config/wireplumber/bluetooth.lua.d/60-lab.lua
    XDG_CONFIG_HOME=$config pipewire >>/run/lab/pipewire.log 2>&1 &
    pipewire_pids=$!
    wait_until 30 test -S $PIPEWIRE_RUNTIME_DIR/pipewire-0 ||
        fail "PipeWire does not start" pipewire.log
    XDG_CONFIG_HOME=$config wireplumber >>/run/lab/pipewire.log 2>&1 &
    pipewire_pids+=" $!"
}

# Records the sink, from when the session manager gives out its sound: the mark "pipewire started".
record_pipewire() { # FILE
    pw-record -P '{ stream.capture.sink = true }' --target lab --rate 44100 --channels 2 \
        --format s16 - >"/run/lab/$1" 2>>/run/lab/parec.log &
    recorder_pid=$!
    wait_until 60 test -s "/run/lab/$1" || fail "pw-record does not record" parec.log pipewire.log
    mark pipewire started
    mark recording "$1" bytes="$(stat -c %s "/run/lab/$1")"
}

stop_pipewire() { # [SIGNAL]
    kill "-${1-TERM}" $pipewire_pids
    wait $pipewire_pids 2>/dev/null || true
    mark pipewire stopped
}

# --- domain ----------------------------------------------------------------

# What the guest boots from: a copy of the lab's disk, or, where the configuration names a kernel,
# that and an initramfs; either with the case's guest script. A firmware finds that in the case's
# folder. Without pci=noearly the kernel looks for the AGP bridge that processors of the emulated
# kind had: in all of 256 buses, by way of the device model, and twice, which takes it ten seconds.
prepare_guest() {
    local options="console=ttyS0 quiet mitigations=off pci=noearly"
    : >/run/lab/serial
    ! grep -q '^firmware_override' "$case_dir/domu.cfg" || return 0
    if grep -q '^kernel' "$case_dir/domu.cfg"; then
        cat /boot/lab/initramfs "$case_dir/guest.cpio" >/run/lab/initramfs
        return
    fi
    cp /boot/lab/guest.img /run/lab/
    printf '%s\n' "default linux" "prompt 0" "label linux" "kernel /vmlinuz" \
        "append initrd=/initramfs,/guest.cpio $options" |
        mcopy -i /run/lab/guest.img - ::syslinux.cfg
    mcopy -i /run/lab/guest.img "$case_dir/guest.cpio" ::guest.cpio
}

# Creates the case's domain; arguments are lines that replace those of its configuration.
create_domain() {
    prepare_guest
    mark create
    xl -vvv create "$case_dir/domu.cfg" "$@" >>/run/lab/xl.log 2>&1 ||
        fail "xl create: $(grep -m1 -E 'error|ERROR' /run/lab/xl.log)" \
            xl.log xen/qemu-dm-guest.log
    domid=$(xl domid guest)
    say "domain created"
}

# The process of domain $domid's card, by its own status.
card_pid() {
    /usr/lib/qemu-dm/qemu-dm --status --json "$domid" | grep -oE '"card_pid": *[0-9]+' |
        grep -oE '[0-9]+$'
}

domain_exists() {
    xenstore-exists "/local/domain/$domid"
}

# What the guest's "ask" waits for. By way of the last sector of the disk it has booted from, which
# its file system does not reach.
answer() { # WORD
    printf '%-511s\n' "$1" |
        dd of=/run/lab/guest.img bs=512 seek=98303 conv=notrunc status=none
    mark answered "$1"
}

# Waits until the guest has said "lab: ..." as the (extended) pattern tells, on the serial line that
# is in the given file.
wait_guest() { # PATTERN SECONDS [FILE]
    local end=$((SECONDS + $2)) ended= serial=${3-serial}
    until grep -qE "^lab: $1" "$serial"; do
        [ -z "$ended" ] || fail "the domain ended before the guest said '$1'" \
            "$serial" xen/qemu-dm-guest.log xl.log
        grep -qE 'Kernel panic|BUG:|Oops:' "$serial" && fail "the guest's kernel died" "$serial"
        [ $SECONDS -lt $end ] || fail "the guest did not say '$1' within $2 s" \
            "$serial" xen/qemu-dm-guest.log
        sleep 1 # a look costs dom0 as much as a moment's playing
        domain_exists || ended=yes # and one more look at what it said last
    done
    mark guest "$1"
    say "guest: $(grep -oE "^lab: $1.*" "$serial" | tail -n 1 | tr -d '\r' | cut -c6-)"
}

# After something was done to a domain while it played: that was not too late.
still_plays() {
    ! grep -q '^lab: played' /run/lab/serial || fail "the guest's play was over too soon" serial
}

wait_domain_gone() { # SECONDS
    wait_until "$1" domain_gone || fail "the domain is still there after $1 s"
    mark domain gone
}

domain_gone() {
    ! domain_exists && ! xl list | grep -qE "^guest |^\(null\) "
}

# --- the rest --------------------------------------------------------------

wait_until() { # SECONDS COMMAND...
    local end=$((SECONDS + $1))
    shift
    until "$@" >/dev/null 2>&1; do
        [ $SECONDS -lt $end ] || return 1
        sleep 0.1
    done
}

# Device models of any kind that run: "PID COMMAND LINE" each.
device_models() {
    pgrep -af '^[^ ]*(qemu-dm|qemu-system)' | grep -v -e ' --status ' || true
}

# What should not be there when no domain is.
leftovers() {
    xl list | awk 'NR > 1 && $2 != 0 { print "domain: " $0 }'
    device_models | sed 's/^/process: /'
    xenstore-list /local/domain | grep -vx 0 | sed 's/^/xenstore: domain /'
    xenstore-list /local/domain/0/device-model 2>/dev/null | grep -vx 0 |
        sed 's/^/xenstore: device model of /'
    ls /run/xen | grep -E '^qmp-' | sed 's/^/socket: /'
}

nothing_left() {
    leftovers >/run/lab/leftovers
    [ ! -s /run/lab/leftovers ]
}

# Runs a case from a clean state and leaves its results in /lab/out/NAME. Status 1: this machine
# is of no use for another case.
run_case() { # NAME
    local status=0
    case_dir=/lab/in/cases/$1
    export case_dir
    rm -rf /run/lab /var/log/xen/*
    mkdir -p /run/lab /var/log/xen/console
    xl dmesg -c >/dev/null
    dmesg -C
    say "case $1"
    (cd /run/lab && timeout 900 bash -eu -c ". /lab/in/lib/dom0.sh; . $case_dir/dom0") \
        >/run/lab/dom0.log 2>&1 || status=1
    [ $status = 0 ] || [ -e /run/lab/failure ] ||
        echo "the dom0 script ended with an error: $(tail -n 1 /run/lab/dom0.log)" >/run/lab/failure

    pkill -f -- ' --status '
    [ $status = 0 ] || xl destroy guest >>/run/lab/dom0.log 2>&1
    pkill -x 'parec|pulseaudio'
    wait_until 10 nothing_left || status=1

    rm -rf /run/lab/*.img /run/lab/*.iso /run/lab/initramfs /run/lab/pulse
    mkdir -p "/lab/out/$1"
    cp -r /run/lab/. "/lab/out/$1/"
    mkdir -p "/lab/out/$1/xen"
    cp -r /var/log/xen/. "/lab/out/$1/xen/"
    xl dmesg >"/lab/out/$1/xen/dmesg"
    dmesg >"/lab/out/$1/dom0-dmesg"
    sync
    say "case $1 over"
    return $status
}
