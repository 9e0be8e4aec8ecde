#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# What the bench's awk programs make of figures: the verdict of `make check-latency`, the tables and
# the drawing of scripts/bench.

# shellcheck disable=SC1091,SC2317  # the cases are called by run_cases

set -eu

. "$SRC/tests/configure/lib.sh"

# figures LABEL CONTENDER PERIOD HOGS TARGET MEDIAN P99 BREAKS: a line as `measure --json` writes it,
# of half a minute.
figures()
{
    printf '{"label":"%s","contender":"%s","audiodev":"%s,id=x,out.latency=1","target_us":%d,' \
        "$1" "$2" "${driver-pa}" "$5"
    printf '"period":%d,"seconds":30,"hogs":%d,"step_median":1,"step_max":%d,' "$3" "$4" "${step-2}"
    printf '"delay_median_us":%d,"delay_p99_us":%d,"delay_max_us":9999,' "$6" "$7"
    printf '"delay_quiet_p99_us":%d,"heard_share":%s,"breaks":%d,"unexplained":1,' "$7" \
        "${share-1.0001}" "$8"
    printf '"inexplicable":%d,"late_quiet_p99_us":%d,"cpu_s_min":2.5,' "${inexplicable-0}" \
        "${late-100}"
    printf '"delays_us":[%s]}\n' "$(seq -s, 0 40 4000)"
}

with()
{
    awk -f "$SRC/tests/bench/figures.awk" -f "$SRC/tests/bench/$1.awk" raw >said
}

# Runs of a median delay each, in ms.
runs()
{
    for delay; do
        figures - ours 64 0 0 "${delay}000" 8000 0
    done
}

refused()
{
    with judge
    [ "$(grep -c '^not ok' said)" = 1 ]
    expect said "$1"
}

good_runs_pass()
{
    runs 5 5 5 5 5 >raw
    figures - ours 1024 0 0 6000 10000 9 >>raw
    figures - ours 1024 0 0 6000 10000 9 >>raw
    with judge
    expect said "ok 1 - pa, period 64: delay median, ms: 5.00, at most 6"
    expect said "ok 7 - pa, period 1024: delay median"
    expect said 1..12
    expect_not said "not ok"
}

some_noise_passes()
{
    runs 5 20 20 5 20 >raw
    with judge
    expect_not said "not ok"
}

each_driver_is_judged()
{
    {
        runs 5 5 5
        driver=alsa runs 7 7 7
        driver=pipewire runs 20 20 20
    } >raw
    refused "pipewire, period 64: delay median, ms: 20.00, at most 7"
    expect said 1..18
}

one_lucky_run_is_not_enough()
{
    runs 20 20 5 20 20 >raw
    refused "period 64: delay median, ms: 20.00"
}

each_limit_holds()
{
    for case in late=501 step=9 inexplicable=1 share=0.97; do
        export "${case?}"
        runs 5 5 5 >raw
        unset "${case%=*}"
        refused "period 64"
    done
    for _ in 1 2; do
        figures - ours 64 0 0 5000 10001 0
    done >raw
    refused "delay p99"
}

tables()
{
    {
        figures "grid:this card" ours 64 0 0 4200 6100 2
        figures "grid:this card" ours 64 2 0 4200 6100 20
        figures "curve:writer" floor 1024 0 5000 3300 4400 0
        figures "curve:writer" floor 1024 2 5000 5500 6600 7
    } >raw
    with report
    grep -qE '^this card +64 +1 +2 +4\.2 +6\.1 +10\.0 +4 / 2 / 0 +40 / 2 / 0 .* 2\.5 ' said
    grep -qE '^ +5\.0 ms writer +3\.3 +4\.4 +10\.0 +0 / 2 / 0 +5\.5 +6\.6 +10\.0 +14 / 2 / 0$' said
}

# It is not taken for a row of zeros.
silent_contender_has_no_figures()
{
    {
        figures "grid:this card" ours 64 0 0 4200 6100 2
        figures "grid:this card" ours 64 2 0 4200 6100 20
        for hogs in 0 2; do
            printf '{"label":"grid:QEMU","contender":"qemu","target_us":0,"period":64,"hogs":%d,' "$hogs"
            printf '"seconds":30,"failed":"not heard"}\n'
        done
        printf '{"label":"cpu:QEMU","contender":"qemu","target_us":0,"period":64,"failed":"failed"}\n'
        printf '{"label":"curve:QEMU","contender":"qemu","target_us":5000,"failed":"failed","hogs":0}\n'
    } >raw
    with report
    grep -qE '^QEMU +64 +- +not heard +- +- +- +-$' said
    grep -qE '^ +5\.0 ms QEMU +failed +-' said
    with draw
    expect_not said QEMU,
    expect_not said '<circle'
}

drawing()
{
    {
        figures "grid:this card" ours 64 0 0 4200 6100 2
        figures "curve:ours" ours 1024 0 5000 3300 4400 0
        figures "curve:ours" ours 1024 0 8000 6300 7400 0
    } >raw
    with draw
    expect said 'this card, period 64'
    [ "$(grep -c '<circle' said)" = 2 ]
    expect said '</svg>'
}

run_cases good_runs_pass some_noise_passes each_driver_is_judged one_lucky_run_is_not_enough \
    each_limit_holds tables silent_contender_has_no_figures drawing
