# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh
# shellcheck disable=SC1091,SC2154  # work is lib.sh's
#
# A host to try xen-qemu-dm-default on, for the tests that source this: a folder with this machine's
# release of dpkg and what that needs, entered by chroot, and in its /packages
#   qemu-system-xen 1, 2        made up: the program says "QEMU 1", "QEMU 2"
#   xen-qemu-dm 1, 2            made up, with the real one's prerm: says "qemu-dm with QEMU 1", if
#                               that is at .distrib
#   xen-qemu-dm-default 1, 2    the real one, of scripts/package, with these versions
# It is in memory and mounted for this process alone, so that nothing is left of it.

SRC=$(readlink -f "${SRC-$(dirname "$0")/../..}")
BUILD=$(readlink -f "${BUILD-$SRC/build}")
release=$(. /etc/os-release && echo "$VERSION_CODENAME")
folder=$BUILD/tests/package
host_tar=$folder/host-$release.tar

# Unpacked only, not configured: no package's script needs more.
make_host_tar()
{
    [ ! -e "$host_tar" ] || return 0
    . "$SRC/scripts/debian-mirror.sh"
    debian_sources "$release" >"$folder/sources.list"
    apt_options >"$folder/apt.conf"
    mmdebstrap --quiet --format=tar --variant=extract --aptopt="$folder/apt.conf" \
        --include=base-files,coreutils,dash,diffutils,dpkg,findutils,grep,libc-bin,sed \
        --hook-dir=/usr/share/mmdebstrap/hooks/merged-usr \
        "$release" "$host_tar.new" "$folder/sources.list" >"$folder/host.log" 2>&1 ||
        { cat "$folder/host.log"; return 1; }
    mv "$host_tar.new" "$host_tar"
}

if [ -z "${OWN_MOUNTS-}" ]; then
    "$SRC/scripts/package" --build-dir "$BUILD"
    mkdir -p "$folder"
    (
        flock 9
        make_host_tar
    ) 9>"$folder/lock"
    OWN_MOUNTS=yes
    export OWN_MOUNTS SRC BUILD
    [ "$(id -u)" = 0 ] || exec unshare --map-root-user --mount "$0" "$@"
    exec unshare --mount "$0" "$@"
fi

. "$SRC/tests/configure/lib.sh"

path=/usr/libexec/xen-qemu-system-i386
stock=$path.distrib
qemu_dm=/usr/lib/qemu-dm/qemu-dm
host=$work/host

# package NAME VERSION: makes it from the folder NAME of the files, NAME/DEBIAN of the scripts.
package()
{
    mkdir -p "$1/DEBIAN" "$host/packages"
    cat >"$1/DEBIAN/control"
    dpkg-deb --root-owner-group -b "$1" "$host/packages/$1-$2.deb" >/dev/null
}

make_packages()
{
    real=$BUILD/packages/$release
    dpkg-deb -R "$real"/xen-qemu-dm-default_*.deb xen-qemu-dm-default
    dpkg-deb -e "$real"/xen-qemu-dm_*.deb xen-qemu-dm.control
    mkdir -p qemu-system-xen/usr/libexec xen-qemu-dm/usr/lib/qemu-dm xen-qemu-dm/DEBIAN
    cp xen-qemu-dm.control/prerm xen-qemu-dm/DEBIAN/
    cat >"xen-qemu-dm$qemu_dm" <<END
#!/bin/sh
[ "\$(readlink -f $stock)" = $stock ] || exit 1
printf 'qemu-dm with '
exec $stock
END
    chmod +x "xen-qemu-dm$qemu_dm"
    cp xen-qemu-dm-default/DEBIAN/control default.control
    for version in 1 2; do
        printf '#!/bin/sh\necho QEMU %s\n' "$version" >"qemu-system-xen$path"
        chmod +x "qemu-system-xen$path"
        sed "s/VERSION/$version/" <<END | package qemu-system-xen "$version"
Package: qemu-system-xen
Version: VERSION
Architecture: all
Maintainer: nobody <nobody@localhost>
Description: made up
END
        sed "s/VERSION/$version/" <<END | package xen-qemu-dm "$version"
Package: xen-qemu-dm
Version: VERSION
Architecture: all
Maintainer: nobody <nobody@localhost>
Depends: qemu-system-xen
Description: made up
END
        sed "s/^Version:.*/Version: $version/; s/(>= [^)]*)/(>= 1)/" default.control |
            package xen-qemu-dm-default "$version"
    done
}

make_host()
{
    mkdir "$host"
    mount -t tmpfs -o mode=755 host "$host"
    tar -x --no-same-owner --exclude='./dev/*' --exclude='./usr/share/*/*' -f "$host_tar" -C "$host"
    : >"$host/dev/null"
    mount --bind /dev/null "$host/dev/null"
}

# in_host COMMAND...: in a process group of its own.
in_host()
{
    setsid chroot "$host" env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C "$@" </dev/null
}

# dpkg_i PACKAGE-VERSION..., dpkg OPTION...: in this host.
dpkg_i()
{
    # shellcheck disable=SC2046
    in_host dpkg -i $(printf '/packages/%s.deb\n' "$@")
}

dpkg()
{
    in_host dpkg "$@"
}

# save NAME, load NAME: the host, as far as the packages change it.
save()
{
    rm -rf "$host/saved/$1"
    mkdir -p "$host/saved/$1"
    for changed in var/lib/dpkg usr/libexec usr/lib/qemu-dm usr/share/doc; do
        [ ! -d "$host/$changed" ] || (cd "$host" && cp -a --parents "$changed" "saved/$1")
    done
}

load()
{
    (cd "$host" && rm -rf var/lib/dpkg usr/libexec usr/lib/qemu-dm usr/share/doc)
    cp -a "$host/saved/$1/." "$host"
}

# starts TEXT...: what is started for a domain says one of these.
starts()
{
    said=$(in_host "$path") || true
    for text; do
        [ "$said" != "$text" ] || return 0
    done
    echo "$path: '$said', not '$*'"
    return 1
}

# A host's states. Nothing else lies around, and dpkg tells the truth about it and is content.

lies_there() # NAME...
{
    (cd "$host/usr/libexec" && find . -name 'xen-qemu*' | sort) >there
    printf './%s\n' "$@" | grep xen | diff - there
}

dpkg_is_content()
{
    dpkg --audit >audit
    dpkg -V >>audit
    diff /dev/null audit
    dpkg -S "$path" | sed '/diversion/d' >owner
}

# qemu_dm_is_default VERSION-OF-QEMU
qemu_dm_is_default()
{
    starts "qemu-dm with QEMU $1"
    lies_there "${path##*/}" "${stock##*/}"
    readlink "$host$path" >target
    echo "$qemu_dm" | diff - target
    in_host dpkg-divert --list >diversions
    echo "diversion of $path to $stock by xen-qemu-dm-default" | diff - diversions
    dpkg_is_content
    echo "qemu-system-xen: $path" | diff - owner
}

# qemu_is_default VERSION
qemu_is_default()
{
    starts "QEMU $1"
    lies_there "${path##*/}"
    in_host dpkg-divert --list | diff /dev/null -
    dpkg_is_content
    echo "qemu-system-xen: $path" | diff - owner
}

nothing_is_left()
{
    lies_there
    in_host dpkg-divert --list | diff /dev/null -
    dpkg --audit | diff /dev/null -
}

trap 'umount -R -l "$host" || :; rm -rf "$work"' EXIT
make_host
mkdir "$work/packages"
(cd "$work/packages" && make_packages)
{
    save empty
    dpkg_i qemu-system-xen-1 xen-qemu-dm-1
    save without
    dpkg_i xen-qemu-dm-default-1
    save with
} >"$work/log" 2>&1 || { cat "$work/log"; exit 1; }
