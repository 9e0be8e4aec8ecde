#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# debian/examples/apt-preferences keeps a package that was built on this host, with this machine's
# apt on folders and repositories made here.

# shellcheck disable=SC1091,SC2154,SC2317  # the cases are called by run_cases, lib.sh sets work

set -eu

SRC=$(readlink -f "${SRC-$(dirname "$0")/../..}")
. "$SRC/tests/configure/lib.sh"

ours='1:7.2+dfsg-7+deb12u18+local1'
debians='1:7.2+dfsg-7+deb12u19'

# control NAME VERSION
control()
{
    printf 'Package: %s\nVersion: %s\nArchitecture: all\n' "$1" "$2"
    printf 'Maintainer: nobody <nobody@localhost>\nDescription: made up\n'
}

# repository FOLDER NAME VERSION...
repository()
{
    folder=$1
    shift
    mkdir -p "$folder"
    while [ $# -gt 0 ]; do
        mkdir -p "$1.made/DEBIAN"
        control "$1" "$2" >"$1.made/DEBIAN/control"
        dpkg-deb --root-owner-group -b "$1.made" "$folder/$1.deb" >/dev/null
        shift 2
    done
    (cd "$folder" && dpkg-scanpackages --multiversion . >Packages 2>/dev/null)
    echo "deb [trusted=yes] file:$PWD/$folder ./" >>etc/sources.list
}

# make_host INSTALLED-VERSION: with apt's folders in this one.
make_host()
{
    mkdir -p etc/preferences.d state/lists/partial cache/archives/partial
    : >etc/sources.list
    {
        control qemu-system-xen "$1"
        echo 'Status: install ok installed'
    } >status
    repository debian qemu-system-xen "$debians" qemu-utils "$debians"
}

this_apt() # COMMAND...
{
    program=$1
    shift
    "$program" -q -o Dir::Etc="$PWD/etc" -o Dir::State="$PWD/state" \
        -o Dir::State::status="$PWD/status" -o Dir::Cache="$PWD/cache" -o Debug::NoLocking=true \
        -o APT::Sandbox::User="$(id -un)" "$@"
}

use_the_example()
{
    cp "$SRC/debian/examples/apt-preferences" etc/preferences.d/local-builds
}

candidate_is() # PACKAGE VERSION
{
    LC_ALL=C this_apt apt-cache policy "$1" >about
    expect about "  Candidate: $2"
}

replaced_without_it()
{
    make_host "$ours"
    repository own qemu-system-xen "$ours"
    this_apt apt-get update
    candidate_is qemu-system-xen "$debians"
    this_apt apt-get -s upgrade >said
    expect said "Inst qemu-system-xen [$ours] ($debians "
}

kept()
{
    make_host "$ours"
    repository own qemu-system-xen "$ours"
    use_the_example
    this_apt apt-get update
    candidate_is qemu-system-xen "$ours"
    this_apt apt-get -s dist-upgrade >said
    expect_not said 'Inst qemu-system-xen'
}

# As `dpkg -i' installed it.
kept_without_a_repository()
{
    make_host "$ours"
    use_the_example
    this_apt apt-get update
    candidate_is qemu-system-xen "$ours"
    this_apt apt-get -s dist-upgrade >said
    expect_not said 'Inst qemu-system-xen'
}

comes_back()
{
    make_host "$debians"
    repository own qemu-system-xen "$ours"
    use_the_example
    this_apt apt-get update
    this_apt apt-get -s dist-upgrade >said
    expect said "Inst qemu-system-xen [$debians] ($ours "
}

other_packages_are_debians()
{
    make_host "$ours"
    repository own qemu-utils "$ours"
    use_the_example
    this_apt apt-get update
    candidate_is qemu-utils "$debians"
}

run_cases replaced_without_it kept kept_without_a_repository comes_back other_packages_are_debians
