#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# What bash offers behind the commands, asked as bash itself asks.

# shellcheck disable=SC1090,SC1091,SC2154,SC2317  # the cases are called by run_cases, lib.sh sets work

set -eu

. "$SRC/tests/configure/lib.sh"
. "$SRC/qemu/qemu-dm.bash-completion"

export COLUMNS=200 PCI_STUB_SYSFS=$work/sys QEMU_DM_RUNDIR=$work/run QEMU_DM_CONF=/dev/null
# The program leaves what it has read to the system when it ends.
export ASAN_OPTIONS="${ASAN_OPTIONS:+$ASAN_OPTIONS:}detect_leaks=0"
PATH=$work/bin:$PATH
mkdir "$work/bin" "$work/run"
ln -s "$BUILD/tests/qemu-dm-fake" "$work/bin/qemu-dm"
ln -s "$SRC/scripts/xm2xl" "$work/bin/qemu-dm-xm2xl"
ln -s "$SRC/scripts/pci-stub" "$work/bin/qemu-dm-pci-stub"

# offered COMMAND WORD...: the replies, a line each and sorted, with the cursor behind the last
# word; a colon is a word of its own, as readline has it.
offered()
{
    local -a COMP_WORDS=("$1") COMPREPLY=()
    local COMP_CWORD COMP_LINE="$*" COMP_POINT COMP_WORDBREAKS=$' \t\n"\'><=;|&(:' word
    local function

    function=$(complete -p "$1" | sed 's/.* -F \([^ ]*\) .*/\1/')
    for word in "${@:2}"; do
        while [[ $word == *:* ]]; do
            COMP_WORDS+=("${word%%:*}" :)
            word=${word#*:}
        done
        COMP_WORDS+=("$word")
    done
    COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
    COMP_POINT=${#COMP_LINE}
    "$function" "$1" "${COMP_WORDS[COMP_CWORD]}" "${COMP_WORDS[COMP_CWORD - 1]}"
    printf '%s\n' "${COMPREPLY[@]}" | sort
}

# offers REPLIES COMMAND WORD...: these and no others.
offers()
{
    diff <(printf '%s\n' "$1" | tr ' ' '\n' | sed '/^$/d' | sort) <(offered "${@:2}" | sed '/^$/d')
}

# Each option of --help is offered, behind whatever has to come before it.
all_options_of()
{
    local program=$1 before

    "$program" --help >help
    grep -oE '(^|[^[:alnum:]/_-])--[a-z][a-z-]+' help | grep -oE -e '--[a-z-]+$' | sort -u >options
    [ "$(wc -l <options)" -ge 3 ]
    for before in '' --status; do
        # shellcheck disable=SC2086  # nothing, or a word
        offered "$program" $before --
    done | sort -u | diff options -
}

options_of_qemu_dm()
{
    all_options_of qemu-dm
    offers --status qemu-dm --s
    offers '--status --help --version' qemu-dm ''
    offers '--watch --json' qemu-dm --status -
    offers --json qemu-dm --status --watch --j
    offers '' qemu-dm -xen
}

options_of_xm2xl()
{
    all_options_of qemu-dm-xm2xl
}

options_of_pci_stub()
{
    all_options_of qemu-dm-pci-stub
    offers --dry-run qemu-dm-pci-stub pci-stub 01:00.0 --d
}

# A card that runs, and shows what it does.
domains()
{
    local pid tries=0

    offers '' qemu-dm --status ''
    FAKE_ENGINE=wait FAKE_ENGINE_LOG=$PWD/engine QEMU_DM_ENGINE=$SRC/tests/process/fake-engine \
        qemu-dm -xen-domid 7 -name web01 -device es1370 -audiodev none,id=a >log 2>&1 &
    pid=$!
    # shellcheck disable=SC2064  # this process
    trap "kill $pid 2>/dev/null || :" EXIT
    until qemu-dm --status >status 2>&1; do
        ((tries++ < 500)) || {
            cat log status
            return 1
        }
        sleep 0.02
    done
    offers web01 qemu-dm --status ''
    offers web01 qemu-dm --status --watch we
    offers '' qemu-dm --status x
    kill -s TERM "$pid"
    wait "$pid"
}

files()
{
    mkdir games
    touch 'games of old' other
    offered qemu-dm-xm2xl ga >said
    printf '%s\n' games 'games of old' | diff - said
    offers other qemu-dm-xm2xl --device-model ot
}

functions()
{
    mkdir -p sys/bus/pci/devices/0000:0{1:00.0,1:00.1,2:00.0} sys/bus/pci/devices/0001:05:1f.3
    PCI_STUB_SYSFS=$PWD/sys

    offers 'pci-stub xen-pciback none host' qemu-dm-pci-stub ''
    offers 'pci-stub' qemu-dm-pci-stub --dry-run p
    offers '0000:01:00.0 0000:01:00.1 0000:02:00.0 0001:05:1f.3' qemu-dm-pci-stub host ''
    offers '0000:01:00.0 0000:01:00.1 0000:02:00.0 0001:05:1f.3' qemu-dm-pci-stub --list 0
    offers '01:00.0 01:00.1' qemu-dm-pci-stub none 0000:01 # behind 0000:
    offers '00.0 00.1' qemu-dm-pci-stub none 01:
    offers 02:00.0 qemu-dm-pci-stub none 01:00.0 02
    offers 1f.3 qemu-dm-pci-stub none 0001:05:1
    offers '' qemu-dm-pci-stub none 03:
    rm -r sys/bus/pci/devices
    offers '' qemu-dm-pci-stub none ''
}

run_cases options_of_qemu_dm options_of_xm2xl options_of_pci_stub domains files functions
