# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
#
# The conformance suite: all faults that a host can have, one after the other, each with a server and
# a folder of its own. To be sourced by hosts/NAME.sh, which says, before:
#
#   driver=NAME          the driver of -audiodev
#   options=TEXT         its further options, beginning with a comma
#   record_options=TEXT  those that make it record what the sink 'out' plays
#   server=NAME          servers/NAME.sh; none: there is no server
#   wrapper=(COMMAND)    what the program is started with
#   faults=(NAME...)     those that make sense for it, of faults.sh; all, if it does not say
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
[ -z "${wrapper+there}" ] || need "${wrapper[0]}" "${wrapper_package-}"
[ "${server-none}" = none ] || . "$SRC/tests/drivers/servers/$server.sh"

# The fault's conditions are judged at its end; its cell is what the table shows.
try()
{
    local fault=$1 result
    mkdir "$work/$fault"
    (
        cd "$work/$fault"
        export HOME=$PWD XDG_RUNTIME_DIR=$PWD XDG_CONFIG_HOME=$PWD/config XDG_STATE_HOME=$PWD/state
        [ "${server-none}" = none ] || server_enter
        trap 'clean_up "$work/$fault"' EXIT
        prepare
        "fault_$fault" && status=0 || status=1
        for file in log figures heard; do
            [ ! -f $file ] || sed "s/^/# $file: /" $file
        done
        cp cell "$work/cell"
        exit $status
    ) && result=ok || result='not ok'
    tests=$((tests + 1))
    cell=$(cat "$work/cell" 2>/dev/null || true)
    rm -f "$work/cell"
    if [ "$result" != ok ]; then
        failed=$((failed + 1))
        cell="FAIL ${cell:-}"
    fi
    echo "$result $tests - ${fault//_/ }: $cell"
    echo "$fault $cell" >>"$row"
}

[ "$(type -t prepare)" = function ] || prepare() { :; }
[ -n "${wrapper+there}" ] || wrapper=(env)
[ -n "${faults+there}" ] || faults=("${all_faults[@]}")
for fault in "${all_faults[@]}"; do
    case " ${faults[*]} " in
    *" $fault "*) try "$fault" ;;
    *) echo "$fault -" >>"$row" ;;
    esac
done
echo "1..$tests"
[ $failed = 0 ]
