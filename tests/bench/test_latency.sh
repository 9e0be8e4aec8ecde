#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# `make check-latency`: this card with its defaults against a real PulseAudio's null sink. Several
# short runs, judged by judge.awk, which has the limits.
#
# BUILD: the build folder. SRC: the tree. LATENCY_FACTOR: makes the latency that the card asks for so
# many times longer, to see it fail. LATENCY_RUNS: for each period (5). Says what it found as TAP.

set -eu

[ "$(id -u)" = 0 ] || {
    echo "needs root, for realtime priorities"
    exit 77
}
# shellcheck disable=SC2034  # routes.sh's
route=pa
. "$SRC/tests/bench/routes.sh"

for ((run = 0; run < ${LATENCY_RUNS:-5}; run++)); do
    for period in 64 1024; do
        route_start
        "$BUILD/tests/bench/measure" ours --audiodev pa,id=check --period $period --seconds 3 \
            --latency-factor "${LATENCY_FACTOR:-1}" --json raw.jsonl >figures 2>log || {
            sed 's/^/# /' log
            echo "not ok 1 - the card is measured"
            exit 1
        }
        sed 's/^/# /' figures
        route_end
    done
done
awk -f "$SRC/tests/bench/figures.awk" -f "$SRC/tests/bench/judge.awk" raw.jsonl
