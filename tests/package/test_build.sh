#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The Debian packages, built from a clean copy of the tree: with nothing for lintian to say, the same
# bytes wherever and whenever they are built, hardened, and with the files that they are to have.

# shellcheck disable=SC1091,SC2154,SC2317  # the cases are called by run_cases, with $work

set -eu

unset MAKEFLAGS MFLAGS MAKELEVEL MAKEOVERRIDES CC CFLAGS CPPFLAGS LDFLAGS PKG_CONFIG 2>/dev/null || true
. "$SRC/tests/configure/lib.sh"

# build FOLDER: the source and binary packages of the tree, in FOLDER, without the tests.
build()
{
    mkdir -p "$1"
    (cd "$SRC" && git ls-files -z --cached --others --exclude-standard | tar -c --null -T -) |
        tar -x -C "$1" --one-top-level=qemu-dm
    (cd "$1/qemu-dm" && DEB_BUILD_OPTIONS="nocheck parallel=2" dpkg-buildpackage -us -uc)
}

it_is_built()
{
    build "$work/built"
    mkdir "$work/program" "$work/default"
    dpkg-deb -R "$work"/built/xen-qemu-dm_*_amd64.deb "$work/program"
    dpkg-deb -R "$work"/built/xen-qemu-dm-default_*_all.deb "$work/default"
}

lintian_has_nothing_to_say()
{
    lintian --allow-root --info --display-info --pedantic "$work"/built/*.changes >said 2>&1
    cat said
    [ ! -s said ]
}

it_is_the_same_elsewhere()
(
    umask 077
    TZ=Pacific/Kiritimati LC_ALL=C.UTF-8 HOME=/nonexistent USER=nobody
    export TZ LC_ALL HOME USER
    build "$PWD/a/folder/with-a-longer-name/and-others-below"
    ls "$work"/built/*.deb
    for package in "$work"/built/*.deb; do
        cmp "$package" "a/folder/with-a-longer-name/and-others-below/${package##*/}"
    done
)

it_is_hardened()
{
    program=$work/program/usr/lib/qemu-dm/qemu-dm
    readelf -hdlW "$program" >headers
    readelf --dyn-syms -W "$program" >symbols
    expect headers 'DYN (Position-Independent Executable file)'
    expect headers 'GNU_RELRO'
    expect headers 'NOW PIE'
    expect symbols '__stack_chk_fail'
    expect symbols '__snprintf_chk'
}

it_has_these_files()
{
    cat >expected <<'END'
/etc/xen/qemu-dm.conf
/usr/lib/qemu-dm/qemu-dm
/usr/lib/qemu-dm/xm2xl/converter.py
/usr/lib/qemu-dm/xm2xl/devices.py
/usr/lib/qemu-dm/xm2xl/evaluator.py
/usr/lib/qemu-dm/xm2xl/messages.py
/usr/lib/qemu-dm/xm2xl/program.py
/usr/lib/qemu-dm/xm2xl/rules.py
/usr/lib/qemu-dm/xm2xl/xl_syntax.py
/usr/lib/xen-VERSION/bin/qemu-dm -> ../../qemu-dm/qemu-dm
/usr/sbin/qemu-dm -> ../lib/qemu-dm/qemu-dm
/usr/sbin/qemu-dm-pci-stub
/usr/sbin/qemu-dm-xm2xl
/usr/share/bash-completion/completions/qemu-dm
/usr/share/bash-completion/completions/qemu-dm-pci-stub -> qemu-dm
/usr/share/bash-completion/completions/qemu-dm-xm2xl -> qemu-dm
/usr/share/doc/xen-qemu-dm/README.md.gz
/usr/share/doc/xen-qemu-dm/changelog.gz
/usr/share/doc/xen-qemu-dm/copyright
/usr/share/man/man5/qemu-dm.conf.5.gz
/usr/share/man/man8/qemu-dm-pci-stub.8.gz
/usr/share/man/man8/qemu-dm-xm2xl.8.gz
/usr/share/man/man8/qemu-dm.8.gz
END
    (cd "$work/program" && find etc usr -type l -printf '/%p -> %l\n' -o ! -type d -printf '/%p\n') |
        sed 's,/usr/lib/xen-[0-9.]*/,/usr/lib/xen-VERSION/,' | LC_ALL=C sort >found
    grep -v '/examples/' found | diff expected -
    (cd "$work/program/usr/share/doc/xen-qemu-dm/examples" && find . -type f) | sort >examples
    (cd "$SRC/debian/examples" && find . -type f) | sort | diff - examples
    [ "$(cat "$work/program/DEBIAN/conffiles")" = /etc/xen/qemu-dm.conf ]
}

# What it puts in QEMU's place is made by its scripts.
the_default_has_none_but_its_documentation()
{
    (cd "$work/default" && find . -path ./DEBIAN -prune -o ! -type d -print) >files
    cat files
    [ -s files ]
    ! grep -v '^\./usr/share/doc/xen-qemu-dm-default/' files
}

# Xen's libraries bind the package to the Xen that it is built for.
it_depends_on_what_it_uses()
{
    for package in adduser libasound2 libc6 libpipewire-0.3-0 libpulse0 libxenmisc4 python3 \
        qemu-system-xen; do
        sed -n 's/^Depends: //p' "$work/program/DEBIAN/control" | tr ',' '\n' | sed 's/^ *//' |
            grep "^$package" || {
            echo "it does not depend on $package"
            return 1
        }
    done
}

# What is needed for the tests has <!nocheck>; gcc and its like are on every build machine.
the_build_depends_on_what_scripts_install()
{
    sed -n '/^Build-Depends:/,/^[^ ]*:.*[^ ]$/s/^ \([a-z0-9.+-]*\)\(.*\),$/\1\2/p' \
        "$SRC/debian/control" | grep -v -e nocheck -e debhelper | sort >package
    sed 's/ *#.*//; /^$/d' "$SRC/scripts/deps/build.txt" | grep -vxE 'gcc|libc6-dev|make' |
        sort >scripts
    [ -s package ]
    diff package scripts
}

run_cases it_is_built lintian_has_nothing_to_say it_is_the_same_elsewhere it_is_hardened \
    it_has_these_files the_default_has_none_but_its_documentation it_depends_on_what_it_uses \
    the_build_depends_on_what_scripts_install
