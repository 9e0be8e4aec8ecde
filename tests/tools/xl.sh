# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh disable=SC2154
#
# For tests of what xl makes of a configuration, on a machine without Xen (xm2xl/without_xen.c).
# Source it after lib.sh.

# Sets xl, and its library path, to this machine's or to those that make has fetched; fails if there
# is none, or no compiler.
find_xl()
{
    xl_libraries=
    for xl in "$(command -v xl || true)" /usr/lib/xen-*/bin/xl \
        "$BUILD"/tests/tools/xl/usr/lib/xen-*/bin/xl; do
        case $xl in
        "$BUILD"/*) xl_libraries=$(echo "$BUILD"/tests/tools/xl/usr/lib/*-linux-gnu) ;;
        esac
        # Debian's /usr/sbin/xl is a script that asks for a running Xen.
        if [ -x "$xl" ] && ! head -c 2 "$xl" | grep -q '#!'; then
            cc -shared -fPIC -o "$work/without_xen.so" "$SRC/tests/tools/xm2xl/without_xen.c"
            return
        fi
    done
    return 1
}

# xl_reads FILE [SETTING...]: its result is in ./json, and its complaints in ./complaints. The
# documented tsc_mode makes xl 4.17 say that it got one.
xl_reads()
{
    LD_LIBRARY_PATH=$xl_libraries LD_PRELOAD=$work/without_xen.so \
        "$xl" -N create "$@" >json 2>said || {
        cat said
        return 1
    }
    [ -s json ]
    grep -v -e '^Parsing config' -e '/etc/xen/xl.conf' -e '^got a tsc mode string' said \
        >complaints || true
}
