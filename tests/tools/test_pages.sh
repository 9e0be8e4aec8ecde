#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The manual pages: man has nothing against them, and what they tell of the programs' options, keys
# and variables is what the programs themselves say.

# shellcheck disable=SC1091,SC2317  # the cases are called by run_cases

set -eu

. "$SRC/tests/configure/lib.sh"

program=$BUILD/tests/qemu-dm-fake
pages=$SRC/qemu
# Nothing of this machine's counts.
export COLUMNS=200 QEMU_DM_CONF=/dev/null QEMU_DM_ENGINE=/nonexistent
# The program leaves what it has read to the system when it ends.
export ASAN_OPTIONS="${ASAN_OPTIONS:+$ASAN_OPTIONS:}detect_leaks=0"

command -v man >/dev/null || {
    echo "man is not installed: scripts/install-deps check"
    exit 77
}

# same_words FILE FILE: both have the same lines, in whatever order, and some.
same_words()
{
    [ -s "$1" ]
    sort -u "$1" >"$1.sorted"
    sort -u "$2" | diff "$1.sorted" -
}

# all_in FILE FILE: every line of the first, which has some, is in the second.
all_in()
{
    [ -s "$1" ]
    ! grep -vxFf "$2" "$1"
}

rendered_without_a_warning()
{
    for page in "$pages"/*.[1-9]; do
        for width in 60 80 120; do
            MANWIDTH=$width man -l --warnings "$page" 2>complaints >rendered
            sed "s,^,${page##*/} at $width: ," complaints
            [ ! -s complaints ]
            expect rendered 'SEE ALSO'
        done
    done
}

# Where it is installed: mandoc knows mdoc better than groff does.
nothing_for_lint()
{
    ! command -v mandoc >/dev/null || mandoc -Tlint -W warning "$pages"/*.[1-9]
}

# same_options PAGE COMMAND...: the options of the page's synopsis and lists are those of --help.
same_options()
{
    awk '/^\.Sh/ { synopsis = / SYNOPSIS/ }
        synopsis || /^\.It / { for (i = 1; i < NF; i++) if ($i == "Fl") print "-" $(i + 1) }' \
        "$pages/$1" >in_page
    shift
    "$@" --help >help
    grep -oE '(^|[^[:alnum:]/_-])--?[a-z][a-z-]+' help | grep -oE -e '--?[a-z-]+$' >in_help
    same_words in_page in_help
}

options_of_qemu_dm()
{
    same_options qemu-dm.8 "$program"
}

options_of_xm2xl()
{
    same_options qemu-dm-xm2xl.8 "$SRC/scripts/xm2xl"
}

options_of_pci_stub()
{
    same_options qemu-dm-pci-stub.8 "$SRC/scripts/pci-stub"
}

variables()
{
    grep -ohE 'QEMU_[A-Z_]*[A-Z]' "$@"
}

environment()
{
    "$program" --help >help
    variables help >in_help
    variables "$pages/qemu-dm.8" >in_page
    all_in in_help in_page
    variables "$pages"/*.[1-9] | grep '^QEMU_DM_' >ours
    all_in ours in_help
    # QEMU's own, of which --help names two.
    while read -r variable; do
        grep -qaP "$variable\\x00" "$program"
    done <in_page
}

# "DRIVER KEY", for each key of -audiodev's list in the page and each driver that is said to have it.
keys_in_page()
{
    "$program" --help | sed -n 's/^Drivers in this build: //p' | tr ' ' '\n' >drivers
    awk 'NR == FNR { built[$1]; next }
        function flush(    i, d) {
            for (i = 1; i <= n; i++)
                for (d in built)
                    if (of == "" || index(of, " " d " ")) print d, keys[i]
            n = 0
        }
        /^\.Fl audiodev :/ { inside = 1 }
        !inside { next }
        /^\.(It|El)/ { flush(); of = "" }
        /^\.El/ { inside = 0 }
        /^\.It/ { for (i = 1; i <= NF; i++) if (sub(/=.*/, "", $i)) keys[++n] = $i }
        /^\.Pq Cm/ && of == "" { of = " " substr($0, 8) " " }' drivers "$pages/qemu-dm.8"
}

# asked OPTION: what the program has against it in -audiodev, in ./said.
asked()
{
    fails "$program" -xen-domid 1 -device es1370 -audiodev "$1" >said 2>&1
}

keys_of_audiodev()
{
    keys_in_page >in_page
    [ "$(wc -l <in_page)" -ge 20 ]
    while read -r driver key; do
        asked "$driver,id=a,$key="
        expect said "$key="
        expect_not said 'there is no option'
    done <in_page
    while read -r driver; do
        asked "$driver,id=a,no-such-thing=1"
        sed -n 's/.*; there are id, //p' said | sed 's/, /\n/g' | sed "s/^/$driver /"
    done <drivers >in_program
    all_in in_program in_page
}

keys_of_the_configuration_file()
{
    awk '/^\.Sh/ { keys = 0 }
        /^\.Ss Keys/ { keys = 1 }
        keys && (/^\.It Cm/ || more) {
            more = /\\$/
            gsub(/^\.It Cm|[,\\]/, " ")
            for (i = 1; i <= NF; i++) print $i
        }' "$pages/qemu-dm.conf.5" >in_page
    sed -n 's/^#\([a-z.-]*\) = .*/\1/p' "$SRC/qemu/qemu-dm.conf" >in_file
    same_words in_page in_file
}

# Pages that are not ours: of which package of Debian's they are, which is asked where it is installed.
elsewhere()
{
    cat <<'END'
aconnect 1 alsa-utils
aoss 1 alsa-oss
dmesg 1 util-linux
lspci 8 pciutils
modprobe 8 kmod
padsp 1 pulseaudio-utils
pulseaudio 1 pulseaudio
xl 1 xen-utils-common
xl.cfg 5 xen-utils-common
END
}

pages_that_are_named()
{
    elsewhere >not_ours
    sed -n 's/^\.Xr \([^ ]*\) \([1-9]\).*/\1 \2/p' "$pages"/*.[1-9] | sort -u >named
    [ -s named ]
    while read -r name section; do
        [ ! -e "$pages/$name.$section" ] || continue
        grep "^$name $section " not_ours >found || {
            echo "which package has $name($section)?"
            return 1
        }
        package=$(cut -d' ' -f3 found)
        ! dpkg-query -L "$package" >files 2>/dev/null ||
            expect files "/man$section/$name.$section.gz"
    done <named
}

run_cases rendered_without_a_warning nothing_for_lint options_of_qemu_dm options_of_xm2xl \
    options_of_pci_stub environment keys_of_audiodev keys_of_the_configuration_file \
    pages_that_are_named
