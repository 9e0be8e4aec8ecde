# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
#
# The conformance suite: all faults that a host can have, each with a server and a folder of its own. To be sourced by hosts/NAME.sh, which says, before:
#
#   driver=NAME          the driver of -audiodev
#   options=TEXT         its further options, beginning with a comma
#   record_options=TEXT  those that make it record what the sink 'out' plays
#   server=NAME          servers/NAME.sh
#   wrapper=(COMMAND...) the program is started with this
#   buffers=yes          what is played cannot be heard at once, so the delay is not judged
#   faults=(NAME...)     those that make sense for it, of faults.sh; all, if it does not say
#   requires()           skips the row if something that it needs is missing
#   prepare()            called in the fault's folder, for files that the host needs
#
# Says what it found as TAP, a line a fault, and leaves build/tests/drivers/table/HOST for
# tests/drivers/table.

set -eu

. "$SRC/tests/drivers/lib.sh"
. "$SRC/tests/drivers/faults.sh"

host=$(basename "$0" .sh)
row=$BUILD/tests/drivers/table/$host
mkdir -p "$(dirname "$row")"
rm -f "$row"

# skip WHY: the whole row.
skip()
{
    echo "skipped: $*" | tee "$row"
    exit 77
}

case " $(sed -n 's/^AUDIO_DRIVERS := //p' "$BUILD/config.mak") wav none " in
*" $driver "*) ;;
*) skip "this build has no driver $driver" ;;
esac

need()
{
    command -v "$1" >/dev/null || skip "no $1: apt install ${*:2}"
}
. "$SRC/tests/drivers/servers/$server.sh"

# try FAULT: leaves what it says in FAULT.out, its cell in FAULT.cell, and FAULT.ok if all is well.
try()
{
    local fault=$1
    mkdir "$work/$fault"
    cd "$work/$fault"
    export HOME=$PWD XDG_RUNTIME_DIR=$PWD XDG_CONFIG_HOME=$PWD/config XDG_STATE_HOME=$PWD/state
    trap 'clean_up "$work/$fault"' EXIT
    server_enter
    prepare
    ! "fault_$fault" || : >"$work/$fault.ok"
    for file in log figures heard; do
        [ ! -f $file ] || sed "s/^/# $file: /" $file
    done
    [ ! -f cell ] || cp cell "$work/$fault.cell"
}

report()
{
    local fault=$1 result=ok cell
    tests=$((tests + 1))
    cell=$(cat "$work/$fault.cell" 2>/dev/null || true)
    if [ ! -f "$work/$fault.ok" ]; then
        result='not ok' failed=$((failed + 1)) cell="FAIL $cell"
    fi
    cat "$work/$fault.out"
    echo "$result $tests - ${fault//_/ }: $cell"
    echo "$fault $cell" >>"$row"
}

[ "$(type -t prepare)" = function ] || prepare() { :; }
[ -n "${wrapper+there}" ] || wrapper=(env)
[ -n "${faults+there}" ] || faults=("${all_faults[@]}")

for fault in ${cannot[@]+"${cannot[@]}"}; do
    faults=("${faults[@]/#$fault/}")
done

[ "$(type -t requires)" != function ] || requires

# Two at a time: they wait more than they work.
for fault in ${faults[*]}; do
    while [ "$(jobs -rp | wc -l)" -ge 2 ]; do
        wait -n || true
    done
    (try "$fault") >"$work/$fault.out" 2>&1 &
done
wait
for fault in "${all_faults[@]}"; do
    case " ${faults[*]} " in
    *" $fault "*) report "$fault" ;;
    *) echo "$fault -" >>"$row" ;;
    esac
done
echo "1..$tests"
[ $failed = 0 ]
