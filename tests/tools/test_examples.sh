#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# debian/examples: each file is read by the program that it is for.

# shellcheck disable=SC1091,SC2317  # the cases are called by run_cases

set -eu

. "$SRC/tests/configure/lib.sh"
. "$SRC/tests/tools/xl.sh"

examples=$SRC/debian/examples
program=$BUILD/tests/qemu-dm-fake

# --- the domains ---

# each_domain COMMAND: runs it with each configuration, in ./NAME.cfg; and with each of its other
# choices, lines that begin with a # and no blank, in ./NAME-LINE.cfg, and the choice's key.
each_domain()
{
    cp "$examples"/*.cfg .
    for file in "$examples"/*.cfg; do
        name=$(basename "$file" .cfg)
        "$1" "$name.cfg"
        sed -n 's/^#\([a-z0-9_]*\) = .*/\1/p' "$file" | uniq | while read -r key; do
            grep -n "^#$key = " "$file" | while IFS=: read -r line _; do
                sed -e "/^$key = /d" -e "${line}s/^#//" "$file" >"$name-$line.cfg"
                "$1" "$name-$line.cfg" "$key"
            done
        done
    done
}

# xl makes up what is not given.
xl_reads_same()
{
    if grep -q '^uuid = ' "$1"; then
        xl_reads "$1"
    else
        xl_reads "$1" 'uuid = "01234567-89ab-cdef-0123-456789abcdef"'
    fi
}

is_read_without_complaint()
{
    xl_reads "$1"
    [ ! -s complaints ] || {
        echo "$1:"
        cat complaints
        return 1
    }
}

xl_reads_all_without_complaint()
{
    each_domain is_read_without_complaint
}

# settings_count FILE [KEY]: each of its settings, or that one, does. xl passes over keys that it
# does not know: a setting is spelt right if it makes a difference.
settings_count()
{
    xl_reads_same "$1"
    mv json as_written
    xl_reads_same "$1"
    cmp json as_written
    grep -E "^${2-[^]# ]}" "$1" >settings
    while IFS= read -r setting; do
        key=${setting%% = *}
        [ "$key" != "$setting" ] || {
            echo "$1: not KEY = VALUE: $setting"
            return 1
        }
        sed "s/^$key = /no_$key = /" "$1" >without
        if xl_reads_same without >/dev/null && cmp -s json as_written; then
            echo "$1: without effect, misspelt or what xl does anyway: $setting"
            return 1
        fi
    done <settings
}

every_setting_counts()
{
    each_domain settings_count
}

# So that the case above means something.
a_misspelt_setting_is_found()
{
    sed 's/^boot = /bot = /' "$examples/gaming.cfg" >misspelt.cfg
    xl_reads misspelt.cfg
    [ ! -s complaints ]
    fails settings_count misspelt.cfg >found
    expect found 'misspelt.cfg: without effect, misspelt or what xl does anyway: bot = "c"'
}

installed_and_played_on_the_same_machine()
{
    for name in install gaming; do
        sort "$examples/$name.cfg" | grep -e '^\(name\|uuid\|type\|memory\|vcpus\|hdtype\) = ' \
            -e '^\(vif\|viridian\|localtime\|soundhw\|device_model[a-z_]*\) = ' >"$name"
    done
    [ "$(wc -l <install)" = 12 ]
    diff -u install gaming
    # The card with its sound function; for games, no pointer that tells where it is.
    xl_reads "$examples/gaming.cfg"
    [ "$(grep -c '"bus": 1' json)" = 2 ]
    expect_not json tablet
    xl_reads "$examples/install.cfg"
    expect_not json '"bus"'
    expect json tablet
}

# --- qemu-dm ---

# runs CONF ARGUMENT...: the program with the host's CONF, until its engine ends, which does so at
# once. What it says is in ./said.
runs()
{
    conf=$1
    shift
    printf '#!/bin/sh\n' >engine
    chmod +x engine
    mkdir -p run
    QEMU_DM_ENGINE=$PWD/engine QEMU_DM_RUNDIR=$PWD/run QEMU_DM_CONF=$conf \
        timeout 60 "$program" -xen-domid 7 -name games "$@" >said 2>&1
}

# with_an_account FILE: anna is whoever runs this.
with_an_account()
{
    sed "s/\<anna\>/$(id -un)/" "$1"
}

# The sound card and the other arguments that xl would give, one a line.
sound_arguments()
{
    with_an_account json | python3 -c '
import json, sys

domain = json.load(sys.stdin)["b_info"]
print("-soundhw", domain["type.hvm"]["soundhw"], *domain.get("extra_hvm", []), sep="\n")'
}

is_played()
{
    xl_reads "$1"
    sound_arguments >arguments
    # shellcheck disable=SC2046  # no argument has a blank
    runs /dev/null $(cat arguments) || {
        cat arguments said
        return 1
    }
    expect_not said 'error:'
    expect_not said 'left out'
    expect said "$(sed -n 2p arguments)"
}

qemu_dm_plays_them()
{
    each_domain is_played
    # The choice of another user and delay is among them.
    grep -l 'out.latency=' ./*-*.cfg
    # So that this means something.
    sed -e 's/^#\(device_model_args_hvm\)/\1/' -e s/out.latency/out.latncy/ \
        "$examples/gaming.cfg" >misspelt.cfg
    fails is_played misspelt.cfg >found
    expect found "did you mean 'out.latency'"
}

qemu_dm_reads_its_configuration()
{
    with_an_account "$examples/qemu-dm.conf" >conf
    runs "$PWD/conf" -device es1370
    expect_not said 'error:'
    expect said 'used of the configuration file: out.latency, user, in.name, out.stream-name'
    sed s/out.latency/out.latncy/ conf >misspelt
    runs "$PWD/misspelt" -device es1370
    expect said "did you mean 'out.latency'"
}

# --- the others ---

# Both programs that share a keyboard read the file before they ask for a display.
keyboard_sharing_is_read()
{
    shared_by "$examples/deskflow.conf"
    expect_not said 'cannot read configuration'
    expect said 'primary screen unavailable'
    sed s/relativeMouseMoves/relativeMouseMove/ "$examples/deskflow.conf" >misspelt
    shared_by misspelt
    expect said 'cannot read configuration'
    expect said 'unknown argument "relativeMouseMove"'
}

# shared_by FILE: what the server says of it is in ./said. There is no display 4242.
shared_by()
{
    case $sharing in
    *barriers) set -- "$1" --no-tray --profile-dir "$PWD" ;;
    esac
    HOME=$PWD timeout 60 "$sharing" --no-daemon --no-restart --name desk --display :4242 \
        --config "$@" >said 2>&1 || true
}

# Sets sharing to this machine's program, or to the one that make has fetched, if it starts.
find_sharing()
{
    for sharing in deskflow-server barriers "$BUILD/tests/tools/barrier/usr/bin/barriers"; do
        "$sharing" --version 2>&1 | grep -q Copyright && return
    done
    return 1
}

unit_is_right()
{
    # The page is not installed here.
    sed -e "s,/usr/sbin/qemu-dm-pci-stub,$SRC/scripts/pci-stub," -e /^Documentation=/d \
        "$examples/qemu-dm-pci-stub@.service" >stub@.service
    systemd-analyze verify "$PWD/stub@.service" >said 2>&1 || true
    expect_not said stub@
    sed -i s/RemainAfterExit/RemainAfterExi/ stub@.service
    systemd-analyze verify "$PWD/stub@.service" >said 2>&1 || true
    expect said "stub@.service:"
    expect said "'RemainAfterExi'"

    # Its command is understood: what it lacks here is the device.
    command=$(sed -n 's,^ExecStart=/usr/sbin/qemu-dm-pci-stub ,,p' \
        "$examples/qemu-dm-pci-stub@.service" | sed s/%i/03:00/)
    status=0
    # shellcheck disable=SC2086  # as systemd splits it
    PCI_STUB_SYSFS=$PWD "$SRC/scripts/pci-stub" $command 2>said || status=$?
    [ "$status" = 1 ]
    expect said 'there is no function 03:00'
}

modprobe_reads_its_configuration()
{
    modprobe --config "$examples/modprobe-gpu.conf" --showconfig >config 2>said
    expect_not said libkmod
    # It shows a module's name with an underscore.
    sed -e '/^#/d' -e '/^$/d' -e 's/^options xen-pciback/options xen_pciback/' \
        "$examples/modprobe-gpu.conf" >lines
    while IFS= read -r line; do
        expect config "$line"
    done <lines
}

# --- all of them ---

what_they_name_is_there()
{
    cd "$examples"
    for file in *.*; do
        expect README "$file"
    done
    # dh_compress would make another name of them.
    [ -z "$(find . -size +4k)" ]
    grep -ohE '[a-z@-]+\.(cfg|conf|service)\>' ./* | sort -u | grep -vE '^xen(domains)?\.service$' |
        while read -r file; do
            [ -e "$file" ] || { echo "there is no example $file"; exit 1; }
        done
    grep -ohE '\<qemu-dm[a-z0-9.-]*\([58]\)' ./* | sort -u | tr '()' '. ' | while read -r page; do
        [ -e "$SRC/qemu/$page" ] || { echo "there is no page $page"; exit 1; }
    done
    grep -ohE '(/usr/sbin|/usr/lib/qemu-dm)/[a-z0-9-]+|`qemu-dm[a-z0-9-]*' ./* | sed 's,.*[/`],,' |
        sort -u | while read -r name; do
        grep -qE "DESTDIR.*/$name\$" "$SRC/Makefile" || { echo "$name is not installed"; exit 1; }
    done
}

set -- qemu_dm_reads_its_configuration what_they_name_is_there
if find_xl; then
    set -- "$@" xl_reads_all_without_complaint every_setting_counts a_misspelt_setting_is_found \
        installed_and_played_on_the_same_machine qemu_dm_plays_them
else
    echo "ok 0 # SKIP no xl here (Debian: xen-utils-4.17): the domains were not read"
fi
if find_sharing; then
    set -- "$@" keyboard_sharing_is_read
else
    echo "ok 0 # SKIP no barriers here (Debian: barrier, deskflow): deskflow.conf was not read"
fi
if command -v systemd-analyze >/dev/null; then
    set -- "$@" unit_is_right
else
    echo "ok 0 # SKIP no systemd-analyze here (Debian: systemd): the unit was not read"
fi
if command -v modprobe >/dev/null; then
    set -- "$@" modprobe_reads_its_configuration
else
    echo "ok 0 # SKIP no modprobe here (Debian: kmod): modprobe-gpu.conf was not read"
fi
run_cases "$@"
