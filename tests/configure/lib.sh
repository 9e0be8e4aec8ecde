# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh
#
# For shell tests that report several cases: source it, define functions, then
#   run_cases FUNCTION...
# Each runs in an empty folder of its own and has passed if no command in it failed.

work=$(mktemp -d "${TMPDIR:-/tmp}/qemu-dm-test.XXXXXX")
trap 'rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM

run_cases()
{
    number=0
    failed=0
    echo "1..$#"
    for case; do
        number=$((number + 1))
        mkdir "$work/$case"
        set +e
        (
            set -e
            cd "$work/$case"
            "$case"
        ) >"$work/$case.out" 2>&1
        status=$?
        set -e
        if [ "$status" -eq 0 ]; then
            echo "ok $number - $case"
        else
            echo "not ok $number - $case"
            sed 's/^/# /' "$work/$case.out"
            failed=1
        fi
    done
    exit "$failed"
}

# expect FILE TEXT: FILE has a line with TEXT.
expect()
{
    grep -qF -- "$2" "$1" || {
        printf 'expected in %s: %s\nbut it holds:\n' "$1" "$2"
        cat "$1"
        return 1
    }
}

# expect_not FILE TEXT: FILE has no line with TEXT.
expect_not()
{
    ! grep -F -- "$2" "$1" || {
        printf 'not expected in %s: %s\n' "$1" "$2"
        return 1
    }
}

# fails COMMAND...: it exits with a status other than 0.
fails()
{
    if "$@"; then
        printf 'did not fail: %s\n' "$*"
        return 1
    fi
}
