#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# test_pattern.sh [PATTERN]: known faults are cut into a pattern with head and
# tail, and must be counted exactly.

set -eu
pattern=$(readlink -f "${1-${BUILD-build}/tests/tools/pattern}")
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir" || exit 1

failed=0
expect() { # NAME EXPECTED-PART-OF-LINE EXPECTED-STATUS  (the recording: rec; two seconds)
    local line status=0
    line=$("$pattern" check rec 2 "${first-0}" "${format-stereo}") || status=$?
    if [[ $line == *"$2"* ]] && [ $status = "$3" ]; then
        echo "ok - $1"
    else
        echo "not ok - $1: expected '$2' and status $3, got '$line' and $status"
        failed=1
    fi
}
frames() { tail -c +$(($1 * 4 + 1)) p | head -c $((($2 - $1) * 4)); } # FROM UP-TO
silence() { head -c $(($1 * 4)) /dev/zero; }
noise() { for ((i = 0; i < $1; i++)); do printf '\x5a\x12\x34\x7f'; done; }

"$pattern" make 2 >p
[ "$(stat -c %s p)" = 352800 ] || { echo "not ok - two seconds are 88200 frames of 4 bytes"; failed=1; }
od -An -v -t x4 -w4 p | sort | uniq -d >twice
[ ! -s twice ] || { echo "not ok - a frame occurs twice"; failed=1; }
! od -An -v -t x4 -w4 p | grep -q 00000000 || { echo "not ok - a frame is silence"; failed=1; }

# The lab's firmware makes it too, from the same header.
[ "$(od -An -v -t x4 -N 12 p)" = " cef28ff2 9208c965 c4535989" ] ||
    { echo "not ok - the first frames are others than they were"; failed=1; }

cp p rec
expect "the pattern alone" "found=88200 missing=0 repeated=0 misplaced=0 differing=0 gaps=0 gap_frames=0 longest=0 begin=0 end=88200" 0
{ silence 1000; frames 0 88200; silence 500; noise 3; } >rec
expect "silence and noise around it" "missing=0 repeated=0 misplaced=0 differing=0 gaps=0 gap_frames=0 longest=0 begin=1000 end=89200" 0
{ frames 0 88200; silence 8; frames 86000 86400; } >rec
expect "what is left in the buffer after the end" "missing=0 repeated=0 misplaced=0 differing=0 gaps=0 gap_frames=0 longest=0 begin=0 end=88200" 0
{ frames 0 500; frames 507 88200; } >rec
expect "lost frames" "found=88193 missing=7 repeated=0 misplaced=0 differing=0 gaps=0" 1
frames 10 88190 >rec
expect "lost head and tail" "found=88180 missing=20 repeated=0 misplaced=0 differing=0 gaps=0" 1
{ frames 0 500; frames 400 88200; } >rec
expect "repeated frames" "found=88200 missing=0 repeated=100 misplaced=0 differing=0 gaps=0" 1
{ frames 0 500; frames 600 700; frames 500 600; frames 700 88200; } >rec
expect "frames in another order" "found=88200 missing=0 repeated=0 misplaced=100 differing=0 gaps=0" 1
{ frames 0 500; silence 64; frames 500 600; silence 1; frames 600 88200; } >rec
expect "gaps" "missing=0 repeated=0 misplaced=0 differing=0 gaps=2 gap_frames=65 longest=64" 1
{ frames 0 500; silence 64; frames 564 88200; } >rec
expect "silence in the place of frames" "missing=64 repeated=0 misplaced=0 differing=0 gaps=1 gap_frames=64 longest=64" 1
{ frames 0 500; noise 5; frames 505 88200; } >rec
expect "damaged frames" "found=88195 missing=0 repeated=0 misplaced=0 differing=5 gaps=0" 1
{ frames 0 500; noise 5; frames 500 88200; } >rec
expect "foreign frames put in" "found=88200 missing=0 repeated=0 misplaced=0 differing=5 gaps=0" 1
{ frames 0 500; noise 5; frames 520 88200; } >rec
expect "damaged and lost frames" "found=88180 missing=15 repeated=0 misplaced=0 differing=5 gaps=0" 1
{ frames 0 500; frames 800 801; frames 501 88200; } >rec
expect "a lone frame of the pattern in the wrong place" "found=88199 missing=0 repeated=0 misplaced=0 differing=1" 1
expect_since() { # NAME EXPECTED-LINE EXPECTED-STATUS
    local line status=0
    line=$("$pattern" since rec 2 "${first-0}") || status=$?
    if [ "$line" = "$2" ] && [ $status = "$3" ]; then
        echo "ok - $1"
    else
        echo "not ok - $1: expected '$2' and status $3, got '$line' and $status"
        failed=1
    fi
}
{ silence 100; frames 0 88200; noise 3; } >rec
expect_since "good from the beginning" "since=0 begin=100 gaps=0 gap_frames=0" 0
{ frames 0 500; frames 507 88200; } >rec
expect_since "good after lost frames" "since=507 begin=500 gaps=0 gap_frames=0" 0
{ frames 0 500; silence 20; frames 400 600; silence 7; frames 600 88200; } >rec
expect_since "good after repeated frames, but for a silence" "since=400 begin=520 gaps=1 gap_frames=7" 0
{ frames 0 500; noise 2; frames 500 88200; } >rec
expect_since "good after foreign frames" "since=500 begin=502 gaps=0 gap_frames=0" 0
{ frames 0 88200; frames 80000 88200; } >rec
expect_since "good when the end is heard again" "since=80000 begin=88200 gaps=0 gap_frames=0" 0
frames 0 88199 >rec
expect_since "never good without the end" "since=88200 begin=0 gaps=0 gap_frames=0" 1
silence 5000 >rec
expect "silence" "found=0 missing=88200 repeated=0 misplaced=0 differing=0 gaps=0 gap_frames=0 longest=0 begin=0 end=0" 1
: >rec
expect "nothing" "found=0 missing=88200" 1
"$pattern" make 2 5000000 >rec
first=5000000 expect "a pattern that begins elsewhere" "found=88200 missing=0 repeated=0 misplaced=0 differing=0 gaps=0" 0
expect "the wrong pattern" "found=0 missing=88200" 1

# The formats: two or four of their frames make one of those counted.
all="missing=0 repeated=0 misplaced=0 differing=0 gaps=0 gap_frames=0 longest=0"
"$pattern" make 2 0 left >l.raw
"$pattern" make 2 5000000 right >r.raw
cut() { tail -c +$(($2 * 4 + 1)) "$1" | head -c $((($3 - $2) * 4)); } # FILE FROM UP-TO
[ "$(stat -c %s l.raw)" = 352800 ] || { echo "not ok - two seconds left are 88200 frames of 4 bytes"; failed=1; }
od -An -v -t x2 -w4 l.raw | grep -qv ' 0000$' && { echo "not ok - left is heard on the right"; failed=1; }
od -An -v -t x2 -w4 r.raw | grep -qv '^ 0000' && { echo "not ok - right is heard on the left"; failed=1; }
cp l.raw rec
format=left expect "the left channel" "frames=44100 found=44100 $all begin=0 end=88200" 0
format=right expect "the left channel is not the right one" "found=0 missing=44100" 1
first=1 format=left expect "the left channel of another pattern" "found=44099 missing=1" 1
# Both, the right one 101 frames later, as a host that mixes would play them.
{ silence 7; cut l.raw 0 88200; silence 200; } | od -An -v -t u1 -w4 >l
{ silence 108; cut r.raw 0 88200; silence 99; } | od -An -v -t u1 -w4 >r
paste -d' ' l r | LC_ALL=C awk '{ printf "%c%c%c%c", $1, $2, $7, $8 }' >rec
format=left expect "left, where right is heard too" "found=44100 $all begin=7 end=88207" 0
first=5000000 format=right expect "right, where left is heard too" "found=44100 $all begin=108 end=88308" 0
{ cut l.raw 0 500; cut l.raw 502 88200; } >rec
format=left expect "two lost frames of a channel" "found=44099 missing=1 repeated=0" 1
{ cut l.raw 0 500; cut l.raw 501 88200; } >rec
format=left expect "one lost frame of a channel" "found=43849 missing=251 " 1
{ cut l.raw 0 500; silence 64; cut l.raw 500 88200; } >rec
format=left expect "a gap in a channel" "missing=0 repeated=0 misplaced=0 differing=0 gaps=1 gap_frames=32" 1

"$pattern" make 2 7 u8 >u8.raw
[ "$(stat -c %s u8.raw)" = 88200 ] || { echo "not ok - two seconds of u8 are 88200 bytes"; failed=1; }
u8_silence() { silence "$1" | tr '\0' '\200' | head -c "$1"; }
{ u8_silence 3; cat u8.raw; u8_silence 4; } >rec
first=7 format=u8 expect "unsigned bytes" "frames=22050 found=22050 $all begin=3 end=88203" 0
{ u8_silence 2; head -c 4000 u8.raw; u8_silence 8; tail -c +4001 u8.raw; } >rec
first=7 format=u8 expect "a gap in unsigned bytes" "found=22050 missing=0 repeated=0 misplaced=0 differing=0 gaps=1 gap_frames=2 longest=2 begin=2" 1
{ head -c 4000 u8.raw; tail -c +4009 u8.raw; } >rec
first=7 format=u8 expect "lost unsigned bytes" "found=22048 missing=2" 1
tr '\200-\377\0-\177' '\0-\377' <u8.raw >rec
first=7 format=u8 expect "signed bytes" "found=0 missing=22050" 1

for bad in "" "make" "make x" "make 381" "check" "check rec" "check rec 2 99999999" "make 1 2 3" \
    "make 1 2 left 3" "check rec 2 0 mono"; do
    status=0
    # shellcheck disable=SC2086
    "$pattern" $bad >out 2>err || status=$?
    [ $status = 2 ] && [ ! -s out ] && grep -q Usage err ||
        { echo "not ok - 'pattern $bad' is not refused"; failed=1; }
done
exit $failed
