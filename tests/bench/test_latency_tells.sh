#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# `make check-latency-tells`: test_latency.sh fails for a ring four times deeper, and for its delay,
# with each driver.
#
# BUILD: the build folder. SRC: the tree. Says what it found as TAP.

set -eu

[ "$(id -u)" = 0 ] || {
    echo "needs root, for realtime priorities"
    exit 77
}
found=$(LATENCY_FACTOR=4 LATENCY_RUNS=2 LATENCY_PERIODS=1024 "$SRC/tests/bench/test_latency.sh" ||
    true)
printf '%s\n' "$found" | sed 's/^/# /'
tests=0
measured=$(printf '%s\n' "$found" | sed -n 's/.* - \([a-z]*\), period .*: delay median.*/\1/p')
for driver in $measured; do
    tests=$((tests + 1))
    if printf '%s\n' "$found" | grep -q "^not ok .* - $driver, period .*: delay median"; then
        echo "ok $tests - a ring four times deeper is told by the delay: $driver"
    else
        echo "not ok $tests - a ring four times deeper is told by the delay: $driver"
    fi
done
echo "1..$tests"
[ $tests -gt 0 ]
