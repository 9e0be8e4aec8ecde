#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# A desktop user's sound server, reached from a card that root starts, without a cookie: a real
# PulseAudio that runs as another user, whom no account belongs to, and lets in nobody else.
#
# BUILD: the build folder. SRC: the tree. Says what it found as TAP.

set -eu

[ "$(id -u)" = 0 ] || {
    echo "only root can become another user"
    exit 77
}
. "$SRC/tests/drivers/pulse.sh"

uid=12345
chmod 755 "$work"
export QEMU_DM_RUN_USER=$work/user
place=$QEMU_DM_RUN_USER/$uid
unset PULSE_SERVER PULSE_RUNTIME_PATH QEMU_DM_USER QEMU_DM_CONF PIPEWIRE_RUNTIME_DIR
export XDG_RUNTIME_DIR=$work/root HOME=$work/root
mkdir -p "$HOME" "$QEMU_DM_RUN_USER"
as_user=(setpriv --reuid="$uid" --regid="$uid" --clear-groups env HOME="$place" XDG_RUNTIME_DIR="$place")

# pulse.sh's are for a server that lets everybody in.
pactl()
{
    "${as_user[@]}" pactl "$@"
}
parec()
{
    exec "${as_user[@]}" parec "$@"
}
start_server()
{
    install -d -m 700 -o $uid -g $uid "$work/new" "$work/new/pulse"
    [ -d "$place" ] || mv "$work/new" "$place" # at once, for the card looks at it all the time
    "${as_user[@]}" pulseaudio -n --daemonize=no --use-pid-file=no --exit-idle-time=-1 \
        --disallow-exit --log-target=file:"$place/pulseaudio.log" \
        -L "module-null-sink sink_name=out rate=44100 format=s16le channels=2 norewinds=1" \
        -L "module-native-protocol-unix socket=$place/pulse/native" >/dev/null 2>&1 &
    server=$!
    for _ in $(seq 200); do
        if pactl info >/dev/null 2>&1; then
            return
        fi
        sleep 0.05
    done
    echo "# pulseaudio does not start:"
    sed 's/^/# /' "$place/pulseaudio.log"
    exit 1
}

# A computer on which this user has never been.
forget_server()
{
    kill_server
    rm -rf "$place"
}

# play OPTIONS: three seconds, with the options of -audiodev pa; what was heard is compared.
play()
{
    start_recorder recording
    wait_for_recorder recording
    "$BUILD/tests/drivers/play_card" "pa,id=test,out.latency=200000$1" pattern >played 2>log
    stop_recorder
    "$pattern" check recording 3 >checked || true
}

"$pattern" make 3 >pattern
start_server
play ,user=none,server=unix:"$place/pulse/native"
judge "checked log" "without it root is refused, and the guest plays on" \
    'grep -q "Access denied" log' 'grep -q "user=NAME" log' '[ "$(value found checked)" = 0 ]' \
    '[ "$(value frames log)" -ge 132300 ]'

play ",user=$uid"
judge "checked log" "the user that is named is heard, frame by frame" 'whole checked' \
    'grep -q "as user 12345: as configured" log'

play ,user=auto
judge "checked log" "the user whose server runs is found" 'whole checked' \
    'grep -q "as user 12345: the only one whose server runs" log'

play ",server=unix:$place/pulse/native"
judge "checked log" "the user in whose folder the server is, is found" 'whole checked' \
    'grep -q "as user 12345: it goes to unix:" log'

# Connections, memory and threads anew, as the user.
"$pattern" make 6 >pattern
"$BUILD/tests/drivers/play_card" "pa,id=test,out.latency=200000,user=$uid" pattern >played 2>log &
player=$!
sleep 1.5
kill_server
sleep 0.5
start_server
start_recorder recording
wait "$player"
player=
stop_recorder
judge "log" "a server that was killed and started again is heard again" \
    '[ "$(grep -c "dac2: sound is back" log)" = 1 ]' \
    '[ "$(stat -c %s recording)" -gt 100000 ]' \
    '[ -n "$(tr -d "\0" <recording | head -c 1000)" ]'

# Before the user has logged in there is not even the folder.
forget_server
"$pattern" make 6 >pattern
"$BUILD/tests/drivers/play_card" "pa,id=test,out.latency=200000,user=$uid" pattern >played 2>log &
player=$!
sleep 1
start_server
wait "$player"
player=
judge "log" "a user who logs in later is heard then, and is not asked for before" \
    '[ "$(grep -c "dac2: sound is back" log)" = 1 ]' 'grep -q "is not logged in" log' \
    '! grep -q "secure directory" log'

# The whole program, as root: what the card's process has become, and what it keeps.
cat >conf <<END
user = $uid
END
export FAKE_ENGINE_LOG=$work/seen FAKE_GUEST_LOG=$work/seen FAKE_ENGINE=wait
export QEMU_DM_ENGINE=$SRC/tests/process/fake-engine
QEMU_DM_CONF=$work/conf "$BUILD/tests/qemu-dm-fake" -xen-domid 7 -name dom -device es1370 \
    -audiodev pa,id=s >program 2>&1 &
player=$!
for _ in $(seq 200); do
    ! grep -q "in slot" program || break
    sleep 0.05
done
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

echo "1..$tests"
[ $failed = 0 ]
