#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# scripts/xm2xl. What it makes of tests/tools/xm2xl/NAME.xm must be NAME.xl, and what it says NAME.err;
# without NAME.xl it must refuse the file. The domain of 2012 is the lab's. Then xl itself reads the
# results, without Xen (without_xen.c).

# shellcheck disable=SC1091,SC2154,SC2317  # the cases are called by run_cases, lib.sh sets work

set -eu

. "$SRC/tests/configure/lib.sh"
. "$SRC/tests/tools/xl.sh"

goldens=$SRC/tests/tools/xm2xl
gamer=$SRC/tests/xen/old-command-line/2012.xm
unset PYTHONWARNINGS || true

# convert FILE [ARGUMENT...]: into ./out and ./err; its status is in $status.
convert()
{
    status=0
    "$SRC/scripts/xm2xl" "$@" >out 2>err || status=$?
}

# The status that NAME.xl and NAME.err go with.
status_of()
{
    if [ ! -e "$goldens/$1.xl" ]; then
        echo 2
    elif [ -e "$goldens/$1.err" ]; then
        echo 1
    else
        echo 0
    fi
}

copy_inputs()
{
    cp "$goldens"/*.xm "$gamer" .
}

results_are_the_golden_ones()
{
    copy_inputs
    for input in *.xm; do
        name=${input%.xm}
        convert "$input"
        [ "$status" = "$(status_of "$name")" ] || {
            echo "$name: status $status"
            cat err
            return 1
        }
        if [ -e "$goldens/$name.xl" ]; then
            diff -u "$goldens/$name.xl" out
        else
            [ ! -s out ]
        fi
        [ -e "$goldens/$name.err" ] || : >nothing
        diff -u "$(ls "$goldens/$name.err" 2>/dev/null || echo nothing)" err
    done
    [ -e python.xm ]
}

results_stay_as_they_are()
{
    for result in "$goldens"/*.xl; do
        convert "$result"
        [ "$status" != 2 ]
        diff -u "$result" out
    done
}

standard_input()
{
    "$SRC/scripts/xm2xl" - <"$goldens/example-hvm.xm" >out
    cmp out "$goldens/example-hvm.xl"
}

# What is put in comes back, in comments or not: nothing that was written gets lost.
comments_stay()
{
    convert "$gamer" || true
    for text in "the graphics card and its sound function" '# the wiki says 8' '# the library' \
        '# 01:00.0 graphics, 01:00.1 its sound' '-*- mode: python; -*-'; do
        expect out "$text"
    done
}

another_device_model()
{
    convert --device-model /opt/dm "$goldens/example-hvm.xm"
    expect out 'device_model_override = "/opt/dm"'
    expect_not out /usr/local
    for path in dm '/opt/d m' ''; do
        convert --device-model "$path" "$gamer"
        [ "$status" = 2 ]
        expect err '--device-model takes a whole path'
    done
}

its_own_options()
{
    convert --help
    [ "$status" = 0 ]
    expect out 'Exit status: 0'
    convert --version
    expect out ' 0.1'
    for arguments in "" "--frobnicate x" "a b"; do
        # shellcheck disable=SC2086
        convert $arguments
        [ "$status" = 2 ]
        [ ! -s out ]
        expect err usage:
    done
}

files_that_cannot_be_read()
{
    mkdir folder
    for file in missing folder; do
        convert "$file"
        [ "$status" = 2 ]
        expect err "$file: error: cannot be read"
    done
    "$SRC/scripts/xm2xl" "$gamer" >/dev/full 2>err && return 1
    expect err 'the result cannot be written'
}

# hostile TEXT: ./h is refused with TEXT, soon and without a traceback.
hostile()
{
    status=0
    timeout 20 "$SRC/scripts/xm2xl" h >out 2>err || status=$?
    [ "$status" = 2 ] || { echo "status $status for:"; head -c 200 h; cat err; return 1; }
    [ ! -s out ]
    expect err "$1"
    expect_not err Traceback
}

repeat() # TEXT TIMES
{
    awk -v text="$1" -v times="$2" 'BEGIN { while (times--) printf "%s", text }'
}

hostile_files()
{
    printf 'name = "x"\nfull-screen = 1\n' >h
    hostile "h:2: error: not in Python's syntax"
    { printf 'disk = '; repeat '[' 5000; repeat ']' 5000; } >h
    hostile 'error: '
    { printf 'memory = '; repeat - 50000; printf '1\n'; } >h
    hostile 'nested too deeply'
    { printf 'memory = 1'; repeat +1 50000; } >h
    hostile 'nested too deeply'
    { printf 'if 0: pass\n'; repeat 'elif 0: pass
' 3000; } >h
    hostile 'nested too deeply'
    { printf 'a = "x"\n'; repeat 'a = a + a
' 60; printf 'name = a\n'; } >h
    hostile 'its value is too long'
    { printf 'a = ["x"]\n'; repeat 'a += a
' 60; printf 'cpus = a\n'; } >h
    hostile 'its value is too long'
    printf 'name = "%%999999999d" %% 1\n' >h
    hostile 'only %s and %d are evaluated'
    printf 'name = ["x"] * 999999999\n' >h
    hostile 'not evaluated'
    printf 'memory = 9 * 9223372036854775807\n' >h
    hostile 'too large'
    printf 'memory = 1e999\n' >h
    hostile 'whole numbers only'
    printf 'import re\nif re.search("(a+)+b", "%s"): memory = 1\n' "$(repeat a 60)" >h
    hostile "is not evaluated"
    head -c 300000 /dev/zero | tr '\0' '#' >h
    hostile 'more than 256 KiB'
    printf 'name = "x"\n\0\n' >h
    hostile 'not a text'
    printf 'name = "x\\x1b[31m"\n' >h
    hostile 'control character'
    expect_not err "$(printf '\033')"
    printf '\377\376\001\n' >h
    hostile "Python's syntax"
}

# Each would leave a file behind.
no_code_is_executed()
{
    for code in '__import__("os").mkdir("made")' 'import os\nname = os.mkdir("made")' \
        'import os\nos.mkdir("made")' 'name = [os.mkdir("made") for x in [1]]' \
        'name = (lambda: open("made", "w"))()' 'name = f"{open(chr(109), chr(119))}"' \
        'class A:\n  open("made", "w")' 'with open("made", "w"): pass' \
        'def f(x=open("made", "w")): pass\nname = f()' '@open("made", "w")\ndef f(): pass\nname = f'; do
        # shellcheck disable=SC2059
        printf "$code\n" >h
        hostile 'error: '
        [ "$(echo *)" = "err h out" ]
    done
}

# Files that end anywhere.
cut_off_files()
{
    for input in "$gamer" "$goldens/python.xm" "$goldens/deprecated.xm"; do
        size=$(wc -c <"$input")
        cut=7
        while [ "$cut" -lt "$size" ]; do
            head -c "$cut" "$input" >cut.xm
            convert cut.xm
            [ "$status" -le 2 ]
            expect_not err Traceback
            [ "$status" = 2 ] || [ -s out ]
            cut=$((cut + size / 9))
        done
    done
}

# --- xl ---

xl_reads_all_without_complaint()
{
    for result in "$goldens"/*.xl; do
        xl_reads "$result"
        [ ! -s complaints ] || {
            echo "$result:"
            cat complaints
            return 1
        }
    done
}

xl_makes_the_domain_of_2012()
{
    xl_reads "$goldens/2012.xl"
    for text in '"type": "hvm"' '"target_memkb": 4194304' '"soundhw": "es1370"' \
        '"device_model_version": "qemu_xen"' '"device_model": "/usr/local/lib/qemu-dm/qemu-dm"' \
        '"pdev_path": "/dev/vg0/games"' '"pdev_path": "/dev/vg0/steam"' \
        '"pdev_path": "/srv/iso/win7.iso"' '"is_cdrom": 1' '"model": "e1000"' \
        '"mac": "00:16:3e:12:34:56"' '"timer_mode": "no_missed_ticks_pending"' '"tablet"' \
        '"localtime": "True"' '"bus": 1' '"power_mgmt": true' '"display": 1'; do
        expect json "$text"
    done
}

# So that the two cases above mean something.
xl_complains_of_what_was()
{
    fails xl_reads "$gamer"
    xl_reads "$goldens/stubdom.xm"
    expect complaints 'firmware_override'
    expect complaints 'device_model_override'
}

set -- results_are_the_golden_ones results_stay_as_they_are standard_input comments_stay \
    another_device_model its_own_options files_that_cannot_be_read hostile_files \
    no_code_is_executed cut_off_files
if find_xl; then
    set -- "$@" xl_reads_all_without_complaint xl_makes_the_domain_of_2012 xl_complains_of_what_was
else
    echo "ok 0 # SKIP no xl here (Debian: xen-utils-4.17): what it says of the results was not seen"
fi
run_cases "$@"
