#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# `make check-latency-tells`: test_latency.sh fails for a ring four times deeper, and for its delay.
#
# BUILD: the build folder. SRC: the tree. Says what it found as TAP.

set -eu

[ "$(id -u)" = 0 ] || {
    echo "needs root, for realtime priorities"
    exit 77
}
found=$(LATENCY_FACTOR=4 LATENCY_RUNS=3 "$SRC/tests/bench/test_latency.sh")
printf '%s\n' "$found" | sed 's/^/# /'
tests=0
for period in 64 1024; do
    tests=$((tests + 1))
    if printf '%s\n' "$found" | grep -q "^not ok .* period $period: delay median"; then
        echo "ok $tests - a ring four times deeper is told by the delay, period $period"
    else
        echo "not ok $tests - a ring four times deeper is told by the delay, period $period"
    fi
done
echo "1..$tests"
