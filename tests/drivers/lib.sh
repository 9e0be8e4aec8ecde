# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
#
# What all tests here share: a folder of its own with nothing of the user's settings, children that do
# not outlive the test, and a judge. To be sourced; leaves the shell in that folder.
#
# BUILD: the build folder. SRC: the tree.

pattern=$BUILD/tests/tools/pattern

work=$(mktemp -d)
cd "$work"
unset PULSE_SINK PULSE_SOURCE PULSE_LATENCY_MSEC PULSE_SERVER PIPEWIRE_REMOTE PIPEWIRE_LATENCY \
    DBUS_SESSION_BUS_ADDRESS DISPLAY
export HOME=$work XDG_RUNTIME_DIR=$work XDG_CONFIG_HOME=$work/config XDG_STATE_HOME=$work/state

recorder='' player='' # children, for end_of; servers/*.sh have their own

# The children we started, and no others.
end_of()
{
    [ -z "$1" ] || { kill -"${2-TERM}" "$1" && wait "$1"; } 2>/dev/null || true
}

# A server's verbs replace these.
server_enter() { :; }
server_start() { :; }
server_kill() { :; }
server_signal() { :; }

# clean_up FOLDER: whatever the test left.
clean_up()
{
    server_signal CONT
    end_of "$player"
    server_kill
    end_of "$recorder"
    rm -rf "$1"
}
trap 'clean_up "$work"' EXIT

# need PROGRAM PACKAGE...: the test is skipped without the program.
need()
{
    command -v "$1" >/dev/null || {
        echo "no $1: apt install ${*:2}"
        exit 77
    }
}

now()
{
    date +%s%N
}

# wait_until COMMAND...: for ten seconds at most.
wait_until()
{
    local i
    for ((i = 0; i < 500; i++)); do
        if "$@" >/dev/null 2>&1; then
            return
        fi
        sleep 0.02
    done
    echo "# in ten seconds this has not come true: $*"
    return 1
}

# The value of a key in the last line "key=value ..." of a file.
value()
{
    sed -n "s/.*\\b$1=\\([0-9]*\\).*/\\1/p" "$2" | tail -n 1
}

# Each frame of the pattern, once and in order.
whole()
{
    local key
    for key in missing repeated misplaced differing; do
        [ "$(value $key "$1")" = 0 ] || return 1
    done
}

# holds CONDITION...: each is a command that must succeed.
holds()
{
    local condition status=0
    for condition; do
        if ! eval "$condition"; then
            status=1
            echo "# does not hold: $condition"
        fi
    done
    return $status
}

tests=0 failed=0

# judge EVIDENCE NAME CONDITION...: the files named in EVIDENCE are shown.
judge()
{
    local evidence=$1 name=$2 ok=ok
    shift 2
    holds "$@" || ok='not ok'
    tests=$((tests + 1))
    if [ "$ok" != ok ]; then
        failed=$((failed + 1))
    fi
    # shellcheck disable=SC2086  # they are several
    cat $evidence | sed 's/^/# /'
    echo "$ok $tests - $name"
}
