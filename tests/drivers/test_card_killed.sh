#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The card's process is killed while a guest plays to a real PulseAudio: another takes its place, the
# guest is answered, and what it plays is heard, after a silence. The whole program, with a fake
# domain.
#
# BUILD: the build folder. SRC: the tree. Says what it found as TAP.

set -eu

. "$SRC/tests/drivers/lib.sh"
. "$SRC/tests/drivers/servers/pulse.sh"

seconds=4
export QEMU_DM_RUNDIR=$work/run QEMU_DM_ENGINE=$SRC/tests/process/fake-engine
export FAKE_ENGINE=wait FAKE_ENGINE_LOG=$work/engine.log
export FAKE_GUEST_SOCKET=$work/domain FAKE_GUEST_MEMORY=$work/memory
program=$BUILD/tests/qemu-dm-fake
"$pattern" make $seconds >pattern.raw

card_pid()
{
    "$program" --status --json | grep -oE '"card_pid": *[0-9]+' | grep -oE '[0-9]+$'
}

server_start
sink_add out

for signal in KILL SEGV ABRT; do
    truncate -s 0 memory log played checked
    truncate -s 1M memory
    "$program" -xen-domid 7 -machine xenfv -name dom -device es1370 -audiodev pa,id=s 2>log &
    program_pid=$!
    wait_until test -S domain
    recorder_start "rec-$signal" out
    recorder_wait "rec-$signal"
    "$BUILD/tests/drivers/play_domain" domain memory pattern.raw >played 2>>log &
    player=$!
    sleep 1.5
    kill -$signal "$(card_pid)"
    wait $player || true
    player=''
    sleep 0.5
    recorder_stop
    end_of $program_pid
    "$pattern" check "rec-$signal" $seconds >checked || true
    judge "log played checked" "killed by $signal: sound is back within a second" \
        'grep -q "has taken its place" log' '[ "$(value longest checked)" -lt 44100 ]' \
        '[ "$(value found checked)" -gt $((seconds * 44100 - 44100 / 2)) ]' \
        '[ "$(value differing checked)" = 0 ]' '[ "$(value back played)" = 0 ]' \
        '[ "$(value waited_ms played)" -lt 1000 ]'
    echo "# silent for $(($(value longest checked) * 10 / 441)) ms at most"
done

echo "1..$tests"
[ $failed = 0 ]
