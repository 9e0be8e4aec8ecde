#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# What CONTRIBUTING.md tells people to do can be done: its commands are carried out on a copy of the
# tree.

# shellcheck disable=SC1091,SC2317  # the cases are called by run_cases

set -eu

# The make and the configuration that this test runs under are not those under test.
unset MAKEFLAGS MFLAGS MAKELEVEL MAKEOVERRIDES CC CFLAGS CPPFLAGS LDFLAGS 2>/dev/null || true
. "$SRC/tests/configure/lib.sh"

copy_tree()
{
    mkdir -p tree/scripts tree/tests/device
    cp -r "$SRC/configure" "$SRC/Makefile" "$SRC/.clang-format" "$SRC/qemu" tree
    cp "$SRC/scripts/lab" tree/scripts
    cp -r "$SRC/tests/xen" tree/tests
    cp -r "$SRC/tests/fakes" tree/tests
    cp "$SRC/tests/device/test_es1370_registers.c" tree/tests/device
}

# block SECTION N: the Nth block of indented lines in a section, without the indentation.
block()
{
    awk -v section="## $1" -v wanted="$2" '
        /^## / { inside = $0 == section }
        !inside { next }
        /^    / { if (!in_block) { in_block = 1; n++ } }
        /^[^ ]/ { in_block = 0 }
        in_block && n == wanted { sub(/^    /, ""); print }' "$SRC/CONTRIBUTING.md"
}

a_sound_driver()
{
    copy_tree
    block 'A sound driver' 1 >commands
    block 'A sound driver' 2 >branch
    # Without the make behind it, which would take a minute.
    block 'A sound driver' 3 | sed 's/ && .*//' >asked
    expect commands 'qemu/audio/drivers/nowhere.c'
    expect branch 'nowhere) library'
    expect asked ./configure
    cd tree
    if command -v clang-format; then
        sh -eu ../commands
    else
        grep -v clang-format ../commands | sh -eu
    fi
    awk '{ print }
        /^driver\(\)/ { found = 1 }
        found && /case \$1 in/ { while ((getline line <"../branch") > 0) print line; found = 0 }' \
        configure >configure.new
    cat configure.new >configure

    sh -eu ../asked
    expect build/config.h '#define CONFIG_AUDIO_DRIVERS(X) X(nowhere)'
    cd build
    make CFLAGS=-Werror qemu/audio/drivers/nowhere.o qemu/audio/driver.o
    nm -u qemu/audio/driver.o >wants
    nm --defined-only qemu/audio/drivers/nowhere.o >has
    expect wants audio_driver_nowhere
    expect has audio_driver_nowhere
}

# The names that the recipe for a register goes by.
a_register()
{
    grep -q '^enum io_register {' "$SRC/qemu/hw/es1370.c"
    for function in read_longword write_longword power_on; do
        expect "$SRC/CONTRIBUTING.md" "\`$function\`"
        grep -qE "^static .* \*?$function\(" "$SRC/qemu/hw/es1370.c"
    done
    for name in power_on_values stored_bits; do
        expect "$SRC/CONTRIBUTING.md" "\`$name\`"
        expect "$SRC/tests/device/test_es1370_registers.c" "static void $name("
    done
    expect_not "$SRC/qemu/hw/es1370.c" 0x1c
}

a_lab_case()
{
    copy_tree
    cd tree
    block 'A lab case' 1 | grep -v 'lab run' >../commands
    sh -eu ../commands >../said
    grep -x quiet ../said
}

files_that_are_named()
{
    grep -oE '(qemu|tests|scripts|patches)/[A-Za-z0-9_./-]*[a-z0-9]' "$SRC/CONTRIBUTING.md" |
        grep -vE 'NAME|nowhere|quiet' | sort -u >named
    [ "$(wc -l <named)" -ge 20 ]
    while read -r name; do
        [ -e "$SRC/$name" ] || [ -e "$SRC/$name.c" ] || {
            echo "there is no $name"
            return 1
        }
    done <named
}

run_cases a_sound_driver a_register a_lab_case files_that_are_named
