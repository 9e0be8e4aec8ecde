#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# A desktop user's sound server, reached from a card that root starts, without a cookie: a real
# PulseAudio, and a real PipeWire, that run as another user, whom no account belongs to, and let in
# nobody else.
#
# BUILD: the build folder. SRC: the tree. Says what it found as TAP.

set -eu

[ "$(id -u)" = 0 ] || {
    echo "only root can become another user"
    exit 77
}
. "$SRC/tests/drivers/lib.sh"
. "$SRC/tests/drivers/servers/pulse.sh"

uid=12345
chmod 755 "$work"
export QEMU_DM_RUN_USER=$work/user
place=$QEMU_DM_RUN_USER/$uid
unset PULSE_SERVER PULSE_RUNTIME_PATH QEMU_DM_USER QEMU_DM_CONF PIPEWIRE_RUNTIME_DIR
export XDG_RUNTIME_DIR=$work/root HOME=$work/root
mkdir -p "$HOME" "$QEMU_DM_RUN_USER"
as_user=(setpriv "--reuid=$uid" "--regid=$uid" --clear-groups env HOME="$place"
    XDG_RUNTIME_DIR="$place" XDG_CONFIG_HOME="$place/config" XDG_STATE_HOME="$place/state")

# The servers, and who talks to them beside the card, are that user's. In the background they take the
# place of the shell, so that its number is theirs.
pactl() { "${as_user[@]}" pactl "$@"; }
parec() { exec "${as_user[@]}" parec "$@"; }
pulseaudio() { exec "${as_user[@]}" pulseaudio "$@"; }
pipewire() { exec "${as_user[@]}" pipewire; }
wireplumber() { exec "${as_user[@]}" wireplumber; }
pipewire-pulse() { exec "${as_user[@]}" pipewire-pulse; }

# The user logs in: the folder is there, all at once, for the card looks at it all the time.
log_in()
{
    install -d -m 700 -o $uid -g $uid "$work/new" "$work/new/pulse"
    mv "$work/new" "$place"
}
log_out()
{
    server_kill
    rm -rf "$place"
}

# pulse.sh's lets everybody in.
server_start()
{
    pulseaudio -n --daemonize=no --use-pid-file=no --exit-idle-time=-1 --disallow-exit \
        -L "module-native-protocol-unix socket=$place/pulse/native" >>pulseaudio.log 2>&1 &
    pulseaudio=$!
    wait_until pactl info || {
        sed 's/^/# /' pulseaudio.log
        exit 1
    }
    sink_add out
}

# play DRIVER OPTIONS: three seconds, with these options; what was heard is compared.
play()
{
    recorder_start recording out
    recorder_wait recording
    "$BUILD/tests/drivers/play_card" "$1,id=test,out.latency=200000$2" pattern >played 2>log
    recorder_stop
    rm recording.fifo
    "$pattern" check recording 3 >checked || true
}

"$pattern" make 3 >pattern
"$pattern" make 6 >longer
log_in
server_start
play pa ",user=none,server=unix:$place/pulse/native"
judge "checked log" "without it root is refused, and the guest plays on" \
    'grep -q "Connection refused" log' 'grep -q "user=NAME" log' '[ "$(value found checked)" = 0 ]' \
    '[ "$(value frames log)" -ge 132300 ]'

play pa ",user=$uid"
judge "checked log" "the user that is named is heard, frame by frame" 'whole checked' \
    'grep -q "as user 12345: as configured" log'

play pa ,user=auto
judge "checked log" "the user whose server runs is found" 'whole checked' \
    'grep -q "as user 12345: the only one whose server runs" log'

play pa ",server=unix:$place/pulse/native"
judge "checked log" "the user in whose folder the server is, is found" 'whole checked' \
    'grep -q "as user 12345: it goes to unix:" log'

# Connections, memory and threads anew, as the user.
"$BUILD/tests/drivers/play_card" "pa,id=test,out.latency=200000,user=$uid" longer >played 2>log &
player=$!
sleep 1.5
server_kill
sleep 0.5
server_start
wait "$player"
player=
judge "log" "a server that was killed and started again is heard again" \
    '[ "$(grep -c "dac2: sound is back" log)" = 1 ]'

# Before the user has logged in there is not even the folder.
log_out
"$BUILD/tests/drivers/play_card" "pa,id=test,out.latency=200000,user=$uid" longer >played 2>log &
player=$!
sleep 1
log_in
server_start
wait "$player"
player=
judge "log" "a user who logs in later is heard then, and is not asked for before" \
    '[ "$(grep -c "dac2: sound is back" log)" = 1 ]' 'grep -q "is not logged in" log' \
    '! grep -q "secure directory" log'

# The whole program, as root: what the card's process has become, and what it keeps.
echo "user = $uid" >conf
export FAKE_ENGINE_LOG=$work/seen FAKE_GUEST_LOG=$work/seen FAKE_ENGINE=wait
export QEMU_DM_ENGINE=$SRC/tests/process/fake-engine
QEMU_DM_CONF=$work/conf "$BUILD/tests/qemu-dm-fake" -xen-domid 7 -name dom -device es1370 \
    -audiodev pa,id=s >program 2>&1 &
player=$!
wait_until grep -q "in slot" program
card=$(sed -n 's/^open .* pid=//p' seen)
cp "/proc/$card/status" status
stat -c 'environment of %u' "/proc/$card/environ" >>status
for thread in "/proc/$card/task"/*; do
    grep '^Uid' "$thread/status"
done | sort -u >threads
end_of "$player"
player=
judge "program" "the card's process is that user for good, and shut to that user's others" \
    '[ "$(cat threads)" = "$(printf "Uid:\t%s\t%s\t%s\t%s" $uid $uid $uid $uid)" ]' \
    'grep -q "^CapEff:.0000000000000000$" status' 'grep -q "^NoNewPrivs:.1$" status' \
    '! grep -q "^Gid:.*\b0\b" status' '! grep -q "^Groups:.*\b0\b" status' \
    '! grep -q "^VmLck:.* 0 kB" status || grep -q "not locked" program' \
    'grep -q "^environment of 0$" status'

"$BUILD/tests/qemu-dm-fake" -xen-domid 7 -name dom -device es1370 -audiodev pa,id=s,user=rot \
    >program 2>&1 || echo "exit status $?" >>program
judge "program" "a user who is not there is refused" 'grep -q "exit status 1" program' \
    'grep -q "user=rot: this host has no such user" program'

log_out
if [ -x /usr/bin/wireplumber ] && [ -x /usr/bin/pipewire-pulse ] &&
    grep -q CONFIG_AUDIO_PIPEWIRE "$BUILD/config.h"; then
    log_in
    cd "$place"
    . "$SRC/tests/drivers/servers/pipewire.sh"
    first=() # the programs are functions here
    server_enter
    unset PULSE_SERVER PULSE_RUNTIME_PATH PIPEWIRE_RUNTIME_DIR
    chown -R $uid:$uid "$place"
    server_start
    cd "$work"
    sink_add out
    play pipewire ""
    # On a machine under load PipeWire leaves out blocks, whoever plays.
    judge "checked log" "PipeWire's user is found and heard" '[ "$(value found checked)" -gt 88200 ]' \
        '[ "$(value differing checked)" = 0 ]' \
        'grep -q "as user 12345: the only one whose server runs" log'
    cd "$place" && server_kill && cd "$work"
fi

echo "1..$tests"
[ $failed = 0 ]
