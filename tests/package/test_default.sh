#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# xen-qemu-dm-default with the real dpkg, as people and apt call it. With each of these calls cut
# short: test_default_interrupted.sh.

# shellcheck disable=SC1091,SC2154,SC2317  # the cases are called by run_cases

set -eu

. "$(dirname "$0")/host.sh"

installed()
{
    load with
    qemu_dm_is_default 1
}

installed_again()
{
    load with
    dpkg_i xen-qemu-dm-default-1
    qemu_dm_is_default 1
}

removed()
{
    load with
    dpkg -r xen-qemu-dm-default
    qemu_is_default 1
    dpkg_i xen-qemu-dm-default-1
    qemu_dm_is_default 1
}

purged()
{
    load with
    dpkg -P xen-qemu-dm-default
    qemu_is_default 1
}

# Between its removal and its purge somebody has put something in QEMU's place by hand.
removed_and_later_purged()
{
    load with
    dpkg -r xen-qemu-dm-default
    mv "$host$path" "$host$stock"
    ln -s "$qemu_dm" "$host$path"
    dpkg -P xen-qemu-dm-default
    starts 'qemu-dm with QEMU 1'
}

upgraded()
{
    load with
    dpkg_i xen-qemu-dm-default-2
    qemu_dm_is_default 1
    dpkg_i xen-qemu-dm-default-1
    qemu_dm_is_default 1
}

qemu_upgraded()
{
    load with
    dpkg_i qemu-system-xen-2
    qemu_dm_is_default 2
    dpkg -r xen-qemu-dm-default
    qemu_is_default 2
}

removed_and_qemu_upgraded()
{
    load with
    dpkg -r xen-qemu-dm-default
    dpkg_i qemu-system-xen-2
    qemu_is_default 2
}

qemu_dm_upgraded()
{
    load with
    dpkg_i xen-qemu-dm-2
    qemu_dm_is_default 1
}

# dpkg configures a package after what it depends on, whatever the order of the names.
in_one_run()
{
    for order in \
        'qemu-system-xen-2 xen-qemu-dm-default-2' \
        'xen-qemu-dm-default-2 qemu-system-xen-2' \
        'xen-qemu-dm-default-2 xen-qemu-dm-2 qemu-system-xen-2'; do
        for before in without with; do
            load $before
            # shellcheck disable=SC2086
            dpkg_i $order
            qemu_dm_is_default 2
        done
    done
    load empty
    dpkg_i xen-qemu-dm-default-1 xen-qemu-dm-1 qemu-system-xen-1
    qemu_dm_is_default 1
}

all_removed()
{
    for how in -r -P; do
        load with
        dpkg $how qemu-system-xen xen-qemu-dm xen-qemu-dm-default
        nothing_is_left
        dpkg_i qemu-system-xen-2
        qemu_is_default 2
    done
}

needed_packages_stay()
{
    load with
    fails dpkg -r qemu-system-xen
    fails dpkg -r xen-qemu-dm
    qemu_dm_is_default 1
}

# There is no program then, and nothing that is in the way of the next.
qemu_forced_out()
{
    load with
    dpkg -r --force-depends qemu-system-xen
    save forced
    dpkg -P xen-qemu-dm-default
    nothing_is_left
    dpkg -r xen-qemu-dm
    dpkg_i qemu-system-xen-2 xen-qemu-dm-1 xen-qemu-dm-default-1
    qemu_dm_is_default 2

    load forced
    dpkg_i qemu-system-xen-2
    qemu_dm_is_default 2
}

qemu_dm_forced_out()
{
    load with
    dpkg -r --force-depends xen-qemu-dm
    starts 'QEMU 1'
    save forced
    dpkg_i xen-qemu-dm-1 xen-qemu-dm-default-1
    qemu_dm_is_default 1

    load forced
    dpkg -r xen-qemu-dm-default
    qemu_is_default 1
}

# Another QEMU takes the place of Debian's, and what depends on that is deconfigured.
qemu_replaced()
{
    mkdir -p my-qemu/usr/libexec
    printf '#!/bin/sh\necho QEMU mine\n' >"my-qemu$path"
    chmod +x "my-qemu$path"
    package my-qemu 1 <<END
Package: my-qemu
Version: 1
Architecture: all
Maintainer: nobody <nobody@localhost>
Conflicts: qemu-system-xen
Replaces: qemu-system-xen
Provides: qemu-system-xen
Description: made up
END
    load with
    in_host dpkg -i --auto-deconfigure --force-remove-essential /packages/my-qemu-1.deb
    starts 'qemu-dm with QEMU mine'
    dpkg -r xen-qemu-dm-default
    starts 'QEMU mine'
    lies_there "${path##*/}"
}

# What somebody else has put there stays, and works, until it is taken away as the message says.

somebodys() # PROGRAM TEXT
{
    printf '#!/bin/sh\necho %s\n' "$2" >"$host$1"
    chmod +x "$host$1"
}

diverted_by_a_package()
{
    load without
    in_host dpkg-divert --package other --divert "$path.other" --rename --add "$path"
    somebodys "$path" other
    fails dpkg_i xen-qemu-dm-default-1 2>said
    expect said 'diverted by the package other already: remove that package'
    starts other
    dpkg --audit | diff /dev/null -

    rm "$host$path"
    in_host dpkg-divert --package other --rename --remove "$path"
    dpkg_i xen-qemu-dm-default-1
    qemu_dm_is_default 1
}

diverted_by_the_administrator()
{
    load without
    in_host dpkg-divert --local --rename --add "$path"
    somebodys "$path" mine
    fails dpkg_i xen-qemu-dm-default-1 2>said
    expect said "undo the diversion (dpkg-divert --rename --remove $path)"
    starts mine
    dpkg --audit | diff /dev/null -

    rm "$host$path"
    in_host dpkg-divert --rename --remove "$path"
    dpkg_i xen-qemu-dm-default-1
    qemu_dm_is_default 1
}

diverted_while_unpacked()
{
    load without
    in_host dpkg --unpack /packages/xen-qemu-dm-default-1.deb
    in_host dpkg-divert --local --rename --add "$path"
    somebodys "$path" mine
    fails dpkg --configure -a 2>said
    expect said "undo the diversion (dpkg-divert --rename --remove $path)"
    starts mine

    rm "$host$path"
    in_host dpkg-divert --rename --remove "$path"
    dpkg --configure -a
    qemu_dm_is_default 1
}

moved_by_hand()
{
    load without
    mv "$host$path" "$host$stock"
    somebodys "$path" mine
    fails dpkg_i xen-qemu-dm-default-1 2>said
    expect said "$stock is in the way"
    starts mine
    mv "$host$stock" "$host$path"
    dpkg_i xen-qemu-dm-default-1
    qemu_dm_is_default 1
}

# What people did before there was this package is taken over.
linked_by_hand()
{
    load without
    mv "$host$path" "$host$stock"
    ln -s "$qemu_dm" "$host$path"
    dpkg_i xen-qemu-dm-default-1
    qemu_dm_is_default 1
}

# Their own program in QEMU's place is their engine, until the next update of QEMU.
overwritten_by_hand()
{
    load without
    somebodys "$path" mine
    dpkg_i xen-qemu-dm-default-1
    starts 'qemu-dm with mine'
    dpkg -r xen-qemu-dm-default
    starts mine
}

overwritten_by_qemu_dm()
{
    load without
    ln -sf "$qemu_dm" "$host$path"
    fails dpkg_i xen-qemu-dm-default-1 2>said
    expect said 'apt-get install --reinstall qemu-system-xen'
    dpkg_i qemu-system-xen-1
    dpkg --configure -a
    qemu_dm_is_default 1
}

run_cases installed installed_again removed purged removed_and_later_purged upgraded \
    qemu_upgraded removed_and_qemu_upgraded qemu_dm_upgraded in_one_run all_removed \
    needed_packages_stay qemu_forced_out qemu_dm_forced_out qemu_replaced \
    diverted_by_a_package diverted_by_the_administrator diverted_while_unpacked moved_by_hand \
    linked_by_hand overwritten_by_hand overwritten_by_qemu_dm
