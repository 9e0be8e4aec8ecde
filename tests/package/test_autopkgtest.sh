#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The packages' own tests, debian/tests/, as Debian's machines run them: by autopkgtest, in a Debian of
# this machine's release that has nothing in it but what they ask for. It is kept in the build folder
# for the next time, as an archive.

# shellcheck disable=SC2154  # lib.sh sets work

set -eu

# A Debian is too much for a /tmp in memory.
mkdir -p "$BUILD/packages/autopkgtest"
TMPDIR=$BUILD/packages/autopkgtest
# shellcheck source=tests/configure/lib.sh
. "$SRC/tests/configure/lib.sh"
# shellcheck source=scripts/debian-mirror.sh
. "$SRC/scripts/debian-mirror.sh"

# What autopkgtest and debian/tests/control ask for, so that it is not fetched again each time.
packages="adduser apt-utils bash-completion man-db python3 qemu-system-x86 qemu-system-xen"

# shellcheck disable=SC1091
release=$(. /etc/os-release && echo "$VERSION_CODENAME")

# Sets $root, an archive of that Debian's files.
need_root()
{
    key=$({ cat "$SRC/debian/control" && echo "$packages"; } | sha256sum | cut -c 1-12)
    root=$BUILD/packages/autopkgtest/$release-$key.tar
    [ ! -f "$root" ] || return 0
    rm -f "${root%/*}/$release"-*.tar
    debian_sources "$release" >"$work/sources.list"
    apt_options >"$work/apt.conf"
    # shellcheck disable=SC2016  # the hooks' own $1
    mmdebstrap --quiet --format=tar --skip=output/dev --variant=buildd \
        --aptopt='Apt::Install-Recommends "false"' --aptopt="$work/apt.conf" \
        --customize-hook='mkdir -p "$1/tmp/source/debian"' \
        --customize-hook="copy-in '$SRC/debian/control' '$SRC/debian/changelog' /tmp/source/debian" \
        --customize-hook='chroot "$1" apt-get -q -y build-dep /tmp/source' \
        --customize-hook="chroot \"\$1\" apt-get -q -y install $packages" \
        --customize-hook='rm -r "$1/tmp/source"' \
        "$release" "$root.new" "$work/sources.list"
    mv "$root.new" "$root"
}

# The tree's files, without what has been built.
copy_source()
{
    mkdir "$work/source"
    tar -c -C "$SRC" --exclude=./build --exclude=./.git . | tar -x -C "$work/source"
}

# run ARGUMENT...: autopkgtest, in $work/root. What is mounted there, or runs there, ends with it.
run()
{
    mkdir -p "$work/root/dev"
    tar -x -f "$root" -C "$work/root"
    # All is there already, and nothing is to be asked of the network.
    rm -f "$work/root/etc/apt/sources.list" "$work/root/etc/apt/sources.list.d"/*
    # shellcheck disable=SC2016  # for the inner shell
    unshare --mount --pid --fork --kill-child sh -euc '
        root=$1
        shift
        mount --bind "$root" "$root"
        mount --rbind /dev "$root/dev"
        mount -t proc proc "$root/proc"
        autopkgtest "$@" -- chroot "$root"' sh "$work/root" "$@"
}

# Each test's cases, as it says them, and autopkgtest's own word for it.
verdicts()
{
    sed -n 's/^\(\(not \)\?ok\) [0-9]* - /\1 - /p' "$work/log"
    for test in smoke process; do
        if grep -q "^$test  *PASS" "$work/log"; then
            echo "ok - $test"
        else
            echo "not ok - $test"
            status=1
        fi
    done
    [ "$status" -eq 0 ] || sed 's/^/# /' "$work/log"
}

if [ "$(id -u)" -ne 0 ]; then
    echo "only root can give a Debian of its own what the tests mount there"
    exit 77
fi
"$SRC/scripts/package" --build-dir "$BUILD"
need_root
copy_source
status=0
run --no-built-binaries "$BUILD/packages/$release"/*.deb "$work/source/" >"$work/log" 2>&1 ||
    status=$?
verdicts
exit "$status"
