#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# scripts/check-source finds what it is there to find, and nothing else.

# shellcheck disable=SC1091,SC2317  # the cases are called by run_cases

set -eu

. "$SRC/tests/configure/lib.sh"

# source FILE LINE...: a file of the tree under test, with a licence.
source_file()
{
    mkdir -p "tree/$(dirname "$1")"
    {
        echo '/* SPDX-License-Identifier: GPL-2.0-or-later */'
        shift
        printf '%s\n' "$@"
    } >"tree/$1"
}

check()
{
    "$SRC/scripts/check-source" --root tree >said 2>&1
}

# refused FILE LINE WHAT: a tree with this line only is refused for it, at line 2.
refused()
{
    rm -rf tree
    source_file "$1" "$2"
    fails check
    expect said "$1:2: "
    expect said "$3"
    expect said 'check-source: 1 faults'
}

# accepted FILE LINE: and a tree with this one is not.
accepted()
{
    rm -rf tree
    source_file "$1" "$2"
    check || {
        cat said
        return 1
    }
}

parts_know_nothing_of_each_other()
{
    pairs=0
    for part in toolstack engine hw xen audio sandbox base; do
        for other in toolstack engine hw xen audio sandbox card; do
            source_file "qemu/$part/$other.c" "#include \"$other/b.h\""
            [ "$part" = "$other" ] || pairs=$((pairs + 1))
        done
    done
    fails check
    for part in toolstack engine hw xen audio sandbox base; do
        for other in toolstack engine hw xen audio sandbox card; do
            if [ "$part" = "$other" ]; then
                expect_not said "qemu/$part/$other.c"
            else
                expect said "qemu/$part/$other.c:2: $part/ may include"
            fi
        done
    done
    expect said "check-source: $pairs faults"
    refused qemu/audio/drivers/pa.c '#include "hw/es1370.h"' 'audio/ may include'
    refused qemu/audio/stream.h '#  include "xen/guest.h"' 'audio/ may include'
}

card_main_and_tests_know_all()
{
    for part in toolstack engine hw xen audio sandbox base; do
        source_file "qemu/card/$part.c" "#include \"$part/b.h\""
        source_file "tests/unit/test_$part.c" "#include \"$part/b.h\""
    done
    source_file qemu/main.c '#include "card/card.h"' '#include "hw/pci.h"' '#include "xen/guest.h"'
    check
}

base_and_config_are_for_all()
{
    for part in toolstack engine card xen audio sandbox; do
        source_file "qemu/$part/a.c" '#include "base/err.h"' '#include "config.h"'
    done
    check
}

includes_are_relative_to_qemu()
{
    refused qemu/audio/a.c '#include "stream.h"' 'relative to qemu/'
    refused qemu/audio/a.c '#include "base/../hw/es1370.h"' 'relative to qemu/'
    refused qemu/audio/a.c '#include HEADER' 'cannot be told'
}

xen_headers_only_in_xen()
{
    for header in xenctrl.h xendevicemodel.h xenstore.h xentoolcore.h xen/hvm/ioreq.h; do
        accepted qemu/xen/guest.c "#include <$header>"
        accepted tests/fakes/xen_libraries.c "#include <$header>"
        refused qemu/card/a.c "#include <$header>" 'outside qemu/xen/'
        refused tests/fakes/xen_libraries.h "#include <$header>" 'outside qemu/xen/'
    done
    refused qemu/main.c '#include "xenctrl.h"' 'outside qemu/xen/'
}

sound_headers_only_in_drivers()
{
    for header in pulse/simple.h alsa/asoundlib.h pipewire/pipewire.h spa/param/audio/format.h \
        sys/soundcard.h linux/soundcard.h; do
        accepted qemu/audio/drivers/a.c "#include <$header>"
        accepted tests/bench/a.c "#include <$header>"
        refused tests/unit/a.c "#include <$header>" 'outside qemu/audio/drivers/'
        refused qemu/audio/a.c "#include <$header>" 'outside qemu/audio/drivers/'
        refused qemu/main.c "#include <$header>" 'outside qemu/audio/drivers/'
    done
}

devices_are_pure()
{
    for header in '"base/pcm.h"' '"hw/pci.h"' '<stdbool.h>' '<stddef.h>' '<stdint.h>' '<string.h>'; do
        accepted qemu/hw/a.c "#include $header"
    done
    for header in '"base/log.h"' '"config.h"' '<stdio.h>' '<stdlib.h>' '<time.h>' '<unistd.h>'; do
        refused qemu/hw/a.c "#include $header" 'hw/ may include'
    done
}

every_source_names_its_licence()
{
    mkdir -p tree/scripts tree/qemu
    for file in qemu/a.c qemu/a.h scripts/a.sh qemu/qemu-dm.8 configure Makefile; do
        echo 'something' >"tree/$file"
    done
    printf '#!/bin/sh\ntrue\n' >tree/scripts/tool
    echo 'not a source' >tree/README.md
    fails check
    for file in qemu/a.c qemu/a.h scripts/a.sh qemu/qemu-dm.8 configure Makefile scripts/tool; do
        expect said "$file:1: no line SPDX-License-Identifier"
    done
    expect said 'check-source: 7 faults'
}

no_path_of_a_machine()
{
    # Put together here, so that this file holds none.
    slash=/
    refused qemu/a.c "char *p = \"${slash}work${slash}main\";" "somebody's machine"
    refused qemu/a.c "char *p = \"${slash}home${slash}me${slash}src\";" "somebody's machine"
    refused qemu/a.c "char *p = \"$PWD/tree/qemu\";" 'the path of this checkout'
    accepted qemu/a.c "char *p = \"tests${slash}work${slash}x\";"
}

what_git_ignores_does_not_count()
{
    git init -q tree
    echo /build/ >tree/.gitignore
    source_file qemu/a.c 'int a;'
    source_file build/a.c '#include <xenctrl.h>'
    check
    expect said 'check-source: 2 files, no fault'
    source_file qemu/b.c '#include <xenctrl.h>' # not added yet, and counts all the same
    fails check
    expect said 'qemu/b.c:2: '
}

run_cases parts_know_nothing_of_each_other card_main_and_tests_know_all \
    base_and_config_are_for_all includes_are_relative_to_qemu xen_headers_only_in_xen \
    sound_headers_only_in_drivers devices_are_pure every_source_names_its_licence \
    no_path_of_a_machine what_git_ignores_does_not_count
