#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# test_level.sh [LEVEL]: the tone, made louder and softer by sample arithmetic,
# is measured right, and its changes are told apart.

set -eu
level=$(readlink -f "${1-${BUILD-build}/tests/tools/level}")
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir" || exit 1

failed=0
expect() { # NAME LINE...  (the recording: rec)
    local name=$1 status=0
    shift
    "$level" check rec >got || status=$?
    { [ $# = 0 ] || printf '%s\n' "$@"; } >expected
    if [ $status = 0 ] && diff expected got >differences; then
        echo "ok - $name"
    else
        echo "not ok - $name: status $status"
        cat differences
        failed=1
    fi
}
# The tone from a file of frames, with left and right multiplied and rounded.
scaled() { # LEFT RIGHT < frames
    od -An -v -t d2 -w4 | LC_ALL=C awk -v l="$1" -v r="$2" '
        function put(x) { x = int(x + 65536.5) % 65536; printf "%c%c", x % 256, int(x / 256) }
        { put($1 * l); put($2 * r) }'
}
silence() { head -c $(($1 * 4)) /dev/zero; } # FRAMES
tone() { tail -c +$((4 * $1 + 1)) tone | head -c $(($2 * 4)); } # FROM FRAMES

"$level" make 3 >tone
[ "$(stat -c %s tone)" = 529200 ] || { echo "not ok - three seconds are 132300 frames of 4 bytes"; failed=1; }

cp tone rec
expect "the tone as it is made" "begin=0.0 end=3.0 left=0.00 right=0.00"
tone 0 88200 | scaled 0.5 3.98107 >rec
expect "softer and louder" "begin=0.0 end=2.0 left=-6.02 right=12.00"
# 50 dB less are 23 steps of 16 bits.
tone 0 88200 | scaled 0.00316228 -0.1 >rec
expect "soft, and upside down" "begin=0.0 end=2.0 left=-50.00 right=-20.00"
tone 0 88200 | scaled 1 0 >rec
expect "one channel" "begin=0.0 end=2.0 left=0.00 right=off"
silence 44100 >rec
expect "silence" "begin=0.0 end=1.0 left=off right=off"
: >rec
expect "nothing"
tone 0 44099 >rec
expect "too short to tell"
# Changes within a block, and a passing one: the blocks they are in belong to no stretch.
{ silence 46000; tone 0 60000; tone 60000 9000 | scaled 0.1 0.1; tone 69000 60000 | scaled 1 0.5; } >rec
expect "changes" "begin=0.0 end=1.0 left=off right=off" "begin=1.1 end=2.4 left=0.00 right=0.00" \
    "begin=2.7 end=3.9 left=0.00 right=-6.02"
tone 0 132300 | od -An -v -t d2 -w4 | LC_ALL=C awk '
    { x = int($1 * exp(-NR / 44100) + 65536.5) % 65536; y = x % 256
      printf "%c%c%c%c", y, int(x / 256), y, int(x / 256) }' >rec
expect "a tone that dies away is never steady"

status=0
"$level" check missing >out 2>err || status=$?
[ $status = 2 ] && grep -q missing err || { echo "not ok - a recording that is not there"; failed=1; }
for bad in "" "make" "make x" "make 1 2" "check" "play 1"; do
    status=0
    # shellcheck disable=SC2086
    "$level" $bad >out 2>err || status=$?
    [ $status = 2 ] && [ ! -s out ] && grep -q Usage err ||
        { echo "not ok - 'level $bad' is not refused"; failed=1; }
done
exit $failed
