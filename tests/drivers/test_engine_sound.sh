#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# A sound card that the engine emulates (soundhw="ac97"): QEMU's own, from its registers to the
# monitor of a real PulseAudio's null sink, by way of the pipe. And what becomes of the engine when
# the process that plays dies. Breaks that a loaded machine makes are shown and not judged; frames
# that are changed, or lost or repeated without being counted, are.
#
# BUILD: the build folder. SRC: the tree. Says what it found as TAP.

set -eu

. "$SRC/tests/drivers/lib.sh"
. "$SRC/tests/drivers/servers/pulse.sh"
need qemu-system-x86_64 qemu-system-x86

play=$BUILD/tests/drivers/engine_play
seconds=4 frames=$((4 * 44100))

# result NAME CONDITION...: the evidence is shown, once.
result()
{
    judge "log played checked" "$@"
    : >log >played >checked
}

: >log >played >checked
"$pattern" make $seconds >pattern.raw
printf '%s\n' 'default-sample-rate = 48000' 'alternate-sample-rate = 48000' >daemon.conf
server_start
sink_add out s16le 48000

# ---
recorder_start rec out 48000
recorder_wait rec
"$play" pa,id=test,out.latency=50000 <pattern.raw >played 2>log
recorder_stop
"$pattern" check rec $seconds >checked || true
known=$(($(value lost log) + $(value dropped log)))
result "the engine's AC97 is heard" '[ "$(value differing checked)" = 0 ]' \
    "[ \$(value found checked) -ge $((frames - known)) ]" \
    '[ "$(value repeated checked)" -le "$(value repeated log)" ]'

# ---
"$play" pa,id=test die <pattern.raw >played 2>log
result "a player that dies does not hold up the engine" '[ "$(value took_ms played)" -lt 5000 ]'

# ---
server_kill
"$play" pa,id=test <pattern.raw >played 2>log
result "a host without a server does not hold up the engine" \
    '[ "$(value took_ms played)" -lt 5000 ]' "grep -q 'no sound' log"

echo "1..$tests"
[ $failed = 0 ]
