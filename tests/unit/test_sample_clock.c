/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The card's crystal: exact at its nominal rate, continuous when nudged. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/clock.h"
#include "card/sample_clock.h"

enum { HZ = 112896000 };

static void counts_exactly_for_a_day(void **state)
{
    struct sample_clock c;
    uint64_t day = 86400;

    (void)state;
    sample_clock_start(&c, HZ, 5);
    assert_int_equal(sample_clock_ticks(&c, 5), 0);
    assert_int_equal(sample_clock_ticks(&c, 5 + NS_PER_S), HZ);
    assert_int_equal(sample_clock_ticks(&c, 5 + day * NS_PER_S), day * HZ);
    assert_int_equal(sample_clock_ticks(&c, 5 + day * NS_PER_S - 1), day * HZ - 1);
}

static void time_before_the_start_is_tick_zero(void **state)
{
    struct sample_clock c;

    (void)state;
    sample_clock_start(&c, HZ, 1000);
    assert_int_equal(sample_clock_ticks(&c, 0), 0);
}

static void when_is_the_first_nanosecond_of_a_tick(void **state)
{
    struct sample_clock c;
    uint64_t ticks = 0;

    (void)state;
    sample_clock_start(&c, HZ, 12345);
    sample_clock_set_ppm(&c, 12345, -137.5);
    for (int i = 0; i < 10000; i++) {
        uint64_t at;

        ticks += (uint64_t)i % 5000 + 1;
        at = sample_clock_when(&c, ticks);
        assert_true(sample_clock_ticks(&c, at) >= ticks);
        assert_true(sample_clock_ticks(&c, at - 1) < ticks);
    }
    assert_int_equal(sample_clock_when(&c, UINT64_MAX), UINT64_MAX);
}

static void a_nudged_clock_runs_at_the_nudged_rate(void **state)
{
    struct sample_clock c;

    (void)state;
    sample_clock_start(&c, HZ, 0);
    sample_clock_set_ppm(&c, 0, 500);
    assert_int_equal(sample_clock_ticks(&c, 100 * NS_PER_S), UINT64_C(100) * HZ * 10005 / 10000);
    sample_clock_set_ppm(&c, 100 * NS_PER_S, -1e9);
    assert_int_equal(sample_clock_ticks(&c, 101 * NS_PER_S) -
                         sample_clock_ticks(&c, 100 * NS_PER_S),
                     HZ / 100 * 99);
}

static void nudging_often_loses_nothing(void **state)
{
    struct sample_clock c;
    uint64_t now = 0, last = 0;

    (void)state;
    sample_clock_start(&c, HZ, 0);
    for (int i = 0; i < 200000; i++) {
        uint64_t before, after;

        now += 49999 + (uint64_t)i % 7;
        before = sample_clock_ticks(&c, now);
        sample_clock_set_ppm(&c, now, i % 2 ? 100 : -100);
        after = sample_clock_ticks(&c, now);
        assert_int_equal(before, after);
        assert_true(after >= last);
        last = after;
    }
    /* As many nanoseconds at +100 ppm as at -100 (to within one step): nominal. */
    assert_true(llabs((long long)last - (long long)((double)now * HZ / 1e9)) <= 2);
}

/* Counting anew, at another time of another machine, but from the same part of a tick. */
static void goes_on_as_another(void **state)
{
    struct sample_clock c, other;
    uint64_t now = 123456789, elsewhere = 7 * NS_PER_S, base;

    (void)state;
    sample_clock_start(&c, HZ, 0);
    for (int i = 0; i < 1000; i++) {
        now += 1000003;
        sample_clock_set_ppm(&c, now, i - 500);
        now += 77;
        base = sample_clock_ticks(&c, now);
        assert_true(
            sample_clock_resume(&other, HZ, elsewhere, c.ppb, sample_clock_fraction(&c, now)));
        for (uint64_t ns = 0; ns < 100; ns++) {
            assert_int_equal(sample_clock_ticks(&other, elsewhere + ns),
                             sample_clock_ticks(&c, now + ns) - base);
        }
    }
    assert_false(sample_clock_resume(&c, HZ, 0, 10000001, 0));
    assert_false(sample_clock_resume(&c, HZ, 0, -10000001, 0));
    assert_false(sample_clock_resume(&c, HZ, 0, 0, UINT64_C(1000000000000000000)));
    assert_int_equal(c.ppb, 499000); /* as it was */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(counts_exactly_for_a_day),
        cmocka_unit_test(time_before_the_start_is_tick_zero),
        cmocka_unit_test(when_is_the_first_nanosecond_of_a_tick),
        cmocka_unit_test(a_nudged_clock_runs_at_the_nudged_rate),
        cmocka_unit_test(nudging_often_loses_nothing),
        cmocka_unit_test(goes_on_as_another),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
