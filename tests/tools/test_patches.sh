#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# patches/: each applies to the lines of qemu-xen-traditional that it changes, what was wrong before
# it is seen to be wrong, and right after it. Around those lines is as little as makes them run.

# shellcheck disable=SC1091,SC2317  # the cases are called by run_cases
# shellcheck disable=SC2016  # the scripts written here expand their own variables

set -eu

. "$SRC/tests/configure/lib.sh"

cc=${CC:-cc}

command -v patch >/dev/null || {
    echo "no patch: install patch"
    exit 77
}
echo '#include <pulse/simple.h>' | "$cc" -E - >/dev/null 2>&1 || {
    echo "no PulseAudio to ask for: install libpulse-dev"
    exit 77
}

# ./qemu, with a probe that asks as configure does and says why it was told no.
original()
{
    rm -rf qemu
    mkdir qemu
    cat >qemu/configure <<'END'
drv=pa
audio_drv_probe() {
    printf '#include <%s>\nint main(void) { %s }\n' "$2" "$4" >probe.c
    $CC $ARCH_CFLAGS -o probe probe.c $3
}
    case $drv in
    pa)
    audio_drv_probe $drv pulse/simple.h -lpulse-simple \
        "pa_simple *s = NULL; pa_simple_free(s); return 0;"
    ;;
    esac
END
    cat >qemu/xen-setup <<'END'
PREFIX=/usr

${QEMU_ROOT:-.}/configure --disable-gfx-check --disable-curses --disable-slirp "$@" --prefix=${PREFIX}

END
    cat >qemu/Makefile.target <<'END'
ifdef CONFIG_PA
LIBS += -lpulse-simple
endif
qemu-dm: qemu-dm.c
	$(CC) -o $@ qemu-dm.c $(LIBS)
END
}

# apply PATCH [OPTION...]: to ./qemu, every line of it as it is.
apply()
{
    file=$1
    shift
    patch -d qemu -p1 --batch --fuzz=0 --no-backup-if-mismatch "$@" <"$file"
}

each_applies_alone_and_is_one_change()
{
    original
    cp -r qemu before
    for patch in "$SRC"/patches/*.patch; do
        apply "$patch"
        diff -r before qemu >changes && return 1
        [ "$(grep -c '^diff ' changes)" = 1 ]
        [ "$(grep -c '^>' changes)" = 1 ]
        apply "$patch" --reverse
        diff -r before qemu
    done
}

all_apply_together()
{
    original
    for patch in "$SRC"/patches/*.patch; do
        apply "$patch"
    done
}

each_says_what_it_is()
{
    for patch in "$SRC"/patches/*.patch; do
        sed '/^---/q' "$patch" >header
        for field in 'Description: ..*' 'Origin: ..*' 'Author: ..* <..*@..*>' \
            'Forwarded: not-needed' 'Last-Update: 20[0-9][0-9]-[01][0-9]-[0-3][0-9]' \
            'SPDX-License-Identifier: GPL-2.0-or-later'; do
            grep -qx "$field" header || {
                echo "$patch has no line $field"
                return 1
            }
        done
        expect "$SRC/patches/README" "$(basename "$patch") "
    done
}

probe()
{
    (cd qemu && CC=$cc ARCH_CFLAGS=${1-} sh -u ./configure) >said 2>&1
}

# This machine's PulseAudio, with a C library whose <sys/param.h> leaves NULL to <stddef.h>.
probe_without_null()
{
    mkdir -p strict/sys
    printf '#include <%s>\n' endian.h limits.h >strict/sys/param.h
    probe "-I$PWD/strict"
}

probe_finds_pulseaudio()
{
    original
    fails probe_without_null
    expect said NULL
    apply "$SRC/patches/configure-pulseaudio-probe.patch"
    probe_without_null
    probe
}

# It must not say yes to everything.
probe_misses_what_is_not_there()
{
    original
    apply "$SRC/patches/configure-pulseaudio-probe.patch"
    mkdir -p other/pulse
    echo 'int nothing_of_pulseaudio;' >other/pulse/simple.h
    fails probe "-I$PWD/other -Werror=implicit-function-declaration"
    expect said pa_simple_free
    probe
}

build()
{
    MAKEFLAGS='' LC_ALL=C make -C qemu -f Makefile.target CC="$cc" "$@" >said 2>&1
}

driver_is_linked()
{
    original
    printf '%s\n' '#include <pulse/simple.h>' '#include <pulse/error.h>' \
        'int main(void) { pa_simple_free(0); return pa_strerror(0) == 0; }' >qemu/qemu-dm.c
    fails build CONFIG_PA=yes
    expect said pa_strerror
    apply "$SRC/patches/link-libpulse.patch"
    build CONFIG_PA=yes
    [ -x qemu/qemu-dm ]
}

# The list that configure would take: of several it is the last.
audio_drivers()
{
    (cd qemu && sh -eu ./xen-setup "$@") >arguments
    sed -n 's/^--audio-drv-list=//p' arguments | tail -n 1
}

drivers_are_named()
{
    original
    printf '%s\n' '#!/bin/sh' 'printf "%s\n" "$@"' >qemu/configure
    chmod 755 qemu/configure
    [ -z "$(audio_drivers --cpu=x86_64)" ]
    apply "$SRC/patches/xen-setup-audio-drivers.patch"
    [ "$(audio_drivers --cpu=x86_64)" = pa,oss ]
    for argument in --disable-gfx-check --disable-curses --disable-slirp --cpu=x86_64 --prefix=/usr; do
        grep -qxF -e "$argument" arguments
    done
    [ "$(audio_drivers --audio-drv-list=alsa)" = alsa ]
}

run_cases each_applies_alone_and_is_one_change all_apply_together each_says_what_it_is \
    probe_finds_pulseaudio probe_misses_what_is_not_there driver_is_linked drivers_are_named
