#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# dpkg and its scripts are killed after each of their steps (interrupt.c), as they install, upgrade
# and remove xen-qemu-dm-default and QEMU: a domain can be started at once, and the same command
# or the opposite one comes to a good end. Likewise, each step of the scripts is made to fail.

# shellcheck disable=SC1091,SC2154,SC2317  # the cases are called by run_cases

set -eu

. "$(dirname "$0")/host.sh"

# preloaded HOW AT COMMAND...
preloaded()
{
    how=$1
    at=$2
    shift 2
    : >"$host/calls"
    in_host LD_PRELOAD=/interrupt.so INTERRUPT="$how" INTERRUPT_AT="$at" INTERRUPT_LOG=/calls \
        INTERRUPT_PATH="${only-}" "$@"
}

# The numbers of the calls after which a host is in another state than before.
steps()
{
    awk '!/^unlink (control |.*\/tmp\.ci|.*\/updates\/)/ { print NR }' "$host/calls"
}

# A domain starts; or, where QEMU may be removed, nothing is in its place.
works()
{
    if [ "$may_be_gone" = yes ] && [ ! -L "$host$path" ] && [ ! -e "$host$path" ]; then
        return 0
    fi
    starts 'QEMU 1' 'QEMU 2' 'qemu-dm with QEMU 1' 'qemu-dm with QEMU 2'
}

# interrupted BEFORE AFTER VERSION COMMAND...: from the saved state BEFORE, the command leads to
# what the function AFTER checks, with this version of QEMU. The function that $opposite names leads to
# a good state too, and with qemu_follows=yes an upgrade of QEMU may come before the command is
# repeated.
interrupted()
{
    before=$1
    after=$2
    version=$3
    shift 3
    load "$before"
    preloaded kill 0 "$@"
    $after "$version"
    cp "$host/calls" all_calls
    all=$(steps)
    for step in $all; do
        echo "--- killed after step $step: $(sed "$step!d; s/ *$//" all_calls)"
        load "$before"
        status=0
        preloaded kill "$step" "$@" || status=$?
        [ "$status" -eq 137 ]
        works
        save killed

        echo "- again"
        dpkg --configure -a || echo "dpkg does not go on without the package's file"
        in_host "$@"
        $after "$version"

        echo "- the opposite"
        load killed
        "$opposite"

        if [ "$qemu_follows" = yes ]; then
            echo "- after an upgrade of QEMU"
            load killed
            dpkg_i qemu-system-xen-2
            works
            in_host "$@"
            $after 2
        fi
    done
    echo "# $*: killed after $(echo "$all" | wc -l) steps of $(wc -l <all_calls)" >&3
}

# hindered BEFORE AFTER COMMAND...: likewise for each step in the scripts that fails.
hindered()
{
    before=$1
    after=$2
    shift 2
    steps=0
    for only in xen-qemu-system-i386 dpkg/diversions; do
        load "$before"
        preloaded fail 0 "$@"
        cp "$host/calls" all_calls
        count=$(wc -l <all_calls)
        step=1
        while [ "$step" -le "$count" ]; do
            echo "--- step $step fails: $(sed "$step!d; s/ *$//" all_calls)"
            load "$before"
            preloaded fail "$step" "$@" || echo "it fails"
            works
            dpkg --configure -a
            works
            in_host "$@"
            $after 1
            step=$((step + 1))
        done
        steps=$((steps + count))
    done
    only=
    echo "# $*: failed at $steps steps" >&3
}

may_be_gone=no
qemu_follows=no

# The package may be in a state that dpkg removes only by force; apt would install it again first.
removed_by_force()
{
    dpkg -P --force-remove-reinstreq xen-qemu-dm-default
}

# The opposites.

goes()
{
    removed_by_force
    qemu_is_default 1
}

comes()
{
    dpkg_i xen-qemu-dm-default-1
    qemu_dm_is_default 1
}

goes_and_qemu_comes()
{
    dpkg -r xen-qemu-dm-default
    dpkg_i qemu-system-xen-2
    qemu_is_default 2
}

goes_and_the_others_come()
{
    removed_by_force
    dpkg_i qemu-system-xen-2 xen-qemu-dm-2
    qemu_is_default 2
}

all_come()
{
    dpkg_i qemu-system-xen-1 xen-qemu-dm-1 xen-qemu-dm-default-1
    qemu_dm_is_default 1
}

# The cases.

installation()
{
    opposite=goes
    qemu_follows=yes
    interrupted without qemu_dm_is_default 1 dpkg -i /packages/xen-qemu-dm-default-1.deb
    hindered without qemu_dm_is_default dpkg -i /packages/xen-qemu-dm-default-1.deb
}

upgrade()
{
    opposite=goes
    qemu_follows=yes
    interrupted with qemu_dm_is_default 1 dpkg -i /packages/xen-qemu-dm-default-2.deb
}

removal()
{
    opposite=comes
    qemu_follows=yes
    interrupted with qemu_is_default 1 dpkg -r xen-qemu-dm-default
    hindered with qemu_is_default dpkg -r xen-qemu-dm-default
}

purge()
{
    opposite=comes
    qemu_follows=yes
    interrupted with qemu_is_default 1 dpkg -P xen-qemu-dm-default
}

qemu_upgrade()
{
    opposite=goes_and_qemu_comes
    interrupted with qemu_dm_is_default 2 dpkg -i /packages/qemu-system-xen-2.deb
}

all_upgraded()
{
    opposite=goes_and_the_others_come
    interrupted without qemu_dm_is_default 2 dpkg -i /packages/xen-qemu-dm-default-2.deb \
        /packages/qemu-system-xen-2.deb /packages/xen-qemu-dm-2.deb
}

all_removed()
{
    opposite=all_come
    may_be_gone=yes
    interrupted with nothing_is_left 1 dpkg -r qemu-system-xen xen-qemu-dm xen-qemu-dm-default
}

"${CC-cc}" -std=gnu11 -O2 -Wall -Wextra -Werror -shared -fPIC -o "$host/interrupt.so" \
    "$SRC/tests/package/interrupt.c"
exec 3>&1
run_cases installation upgrade removal purge qemu_upgrade all_upgraded all_removed
