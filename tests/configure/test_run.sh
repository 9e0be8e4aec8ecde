#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# tests/run never takes a failure for a success.

# shellcheck disable=SC1091,SC2016,SC2317  # the cases are called by run_cases

set -eu

. "$SRC/tests/configure/lib.sh"

# test_program LINE...: a test, run, with its one line in ./said and its figures in ./t.result.
test_program()
{
    {
        echo '#!/bin/sh'
        printf '%s\n' "$@"
    } >t
    chmod +x t
    SANITIZERS='' TEST_TIMEOUT=${TEST_TIMEOUT-10} "$SRC/tests/run" one t t.result >said
}

total()
{
    "$SRC/tests/run" total "$@" >said
}

cmocka_cases_are_counted()
{
    test_program 'echo 1..3; echo "ok 1 - a"; echo "ok 2 - b"; echo "not ok 3 # SKIP c"'
    [ "$(cat t.result)" = '2 0 1' ]
    expect said '2 passed, 1 skipped'
    total t.result
    expect said '2 passed, 0 failed'
}

failed_case()
{
    test_program 'echo 1..2; echo "ok 1 - a"; echo "not ok 2 - b"; echo "# why"; exit 1'
    [ "$(cat t.result)" = '1 1 0' ]
    expect said 'FAIL  t'
    expect said '| # why'
    fails total t.result
    expect said '1 passed, 1 failed'
}

cases_that_were_promised_and_did_not_come()
{
    test_program 'echo 1..3; echo "ok 1 - a"; exit 0'
    [ "$(cat t.result)" = '1 2 0' ]
}

failure_of_the_program_alone()
{
    test_program 'echo 1..1; echo "ok 1 - a"; exit 3'
    [ "$(cat t.result)" = '1 1 0' ]
    test_program 'exit 1'
    [ "$(cat t.result)" = '0 1 0' ]
    test_program 'exit 0'
    [ "$(cat t.result)" = '1 0 0' ]
}

death_by_a_signal()
{
    test_program 'kill -SEGV $$'
    [ "$(cat t.result)" = '0 1 0' ]
    expect said 'killed by signal 11'
}

time_runs_out()
{
    TEST_TIMEOUT=0.1 test_program 'exec sleep 100'
    [ "$(cat t.result)" = '0 1 0' ]
    expect said 'still running after 0.1 s'
}

skip_says_why()
{
    test_program 'echo no such thing here; exit 77'
    [ "$(cat t.result)" = '0 0 1' ]
    expect said 'no such thing here'
    fails total t.result # nothing passed: that is no success
    expect said '0 passed, 0 failed'
}

program_that_cannot_be_run()
{
    : >t
    SANITIZERS='' TEST_TIMEOUT=10 "$SRC/tests/run" one ./t t.result >said
    [ "$(cat t.result)" = '0 1 0' ]
}

nothing_outlives_a_test()
{
    test_program 'mkfifo pipe' 'sh -c "exec 3<>pipe; echo ready >&3; exec sleep 1000" &' \
        'echo $! >pid' 'read -r ready <pipe' 'exit 1'
    # It is gone, or waits to be reaped, as soon as the kernel comes to it.
    timeout 20 sh -c 'while grep -q "^State:[[:space:]]*[^ZX[:space:]]" "$1"; do sleep 0.01; done' \
        sh "/proc/$(cat pid)/status"
}

totals_are_sums()
{
    echo '3 0 1' >a
    echo '4 2 0' >b
    fails total a b
    expect said '1 skipped'
    [ "$(tail -n 1 said)" = '7 passed, 2 failed' ]
}

run_cases cmocka_cases_are_counted failed_case cases_that_were_promised_and_did_not_come \
    failure_of_the_program_alone death_by_a_signal time_runs_out skip_says_why \
    program_that_cannot_be_run nothing_outlives_a_test totals_are_sums
