#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# test_stalls.sh [STALLS]: it tells when it could not run, and nothing else.

set -eu
stalls=$(readlink -f "${1-${BUILD-build}/tests/tools/stalls}")
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir" || exit 1

failed=0
expect() { # NAME CONDITION...
    local name=$1
    shift
    if "$@"; then echo "ok - $name"; else echo "not ok - $name: $(cat found)"; failed=1; fi
}
between() { # FROM TO NUMBER
    [ "$1" -le "$3" ] && [ "$3" -le "$2" ]
}

status=0
"$stalls" found sh -c 'sleep 0.3; exit 7' 2>err || status=$?
if grep -q 'realtime thread' err; then
    echo "# $(cat err)"
    exit 77
fi
expect "the command's status is its own" [ $status = 7 ]

# shellcheck disable=SC2016  # for the command to expand
"$stalls" found sh -c 'kill -STOP $PPID; sleep 0.8; kill -CONT $PPID; sleep 0.2'
expect "each processor tells of having been stopped" \
    [ "$(awk '$2 >= 600' found | wc -l)" = "$(nproc)" ]
expect "for how long" between 600 1500 "$(awk '{ print $2 }' found | sort -n | tail -n 1)"
[ $failed = 0 ]
