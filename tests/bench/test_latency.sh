#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# `make check-latency`: this card with its defaults against the null sinks of a real PulseAudio and
# a real PipeWire, by each of the drivers pa, alsa and pipewire that is built in. Several short runs
# are judged by judge.awk, which has the limits.
#
# BUILD: the build folder. SRC: the tree. LATENCY_FACTOR: makes the latency that the card asks for
# so many times longer, to see it fail. LATENCY_RUNS: for each driver and period (5 for pa, 3 for
# the others). LATENCY_PERIODS: of the guest's interrupts (64 1024). Says what it found as TAP.

set -eu

[ "$(id -u)" = 0 ] || {
    echo "needs root, for realtime priorities"
    exit 77
}

# measure_all RUNS: the route's figures, added to those of the others.
measure_all()
{
    local run period
    for ((run = 0; run < $1; run++)); do
        for period in ${LATENCY_PERIODS:-64 1024}; do
            route_start
            "${through[@]}" "$BUILD/tests/bench/measure" ours --audiodev "$ours,id=check" \
                --period "$period" --seconds 3 --warm-up "$warm_up" \
                --latency-factor "${LATENCY_FACTOR:-1}" --json "$raw" >figures 2>log || {
                sed 's/^/# /' log
                echo "not ok 1 - the card is measured: $route"
                exit 1
            }
            sed 's/^/# /' figures
            route_end
        done
    done
}

raw=$(mktemp)
trap 'rm -f "$raw"' EXIT
built=" $(sed -n 's/^AUDIO_DRIVERS := //p' "$BUILD/config.mak") "
runs=5
for route in pa alsa pipewire; do
    case $built in
    *" $route "*)
        set +e # a subshell in a condition would go on after errors
        (
            set -e
            . "$SRC/tests/bench/routes.sh"
            measure_all "${LATENCY_RUNS:-$runs}"
        )
        status=$?
        set -e
        # 77: what it takes is not installed; the reason has been said.
        [ $status = 0 ] || [ $status = 77 ] || exit $status
        ;;
    *) echo "# this build has no driver $route" ;;
    esac
    runs=3
done
[ -s "$raw" ] || exit 77
awk -f "$SRC/tests/bench/figures.awk" -f "$SRC/tests/bench/judge.awk" "$raw"
