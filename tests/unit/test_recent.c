/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The last measurements of something: exact whatever they are, and for as many as are kept. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/recent.h"

static struct recent r;

static int forget(void **state)
{
    (void)state;
    memset(&r, 0, sizeof(r));
    return 0;
}

static void add_all(uint32_t from, uint32_t to)
{
    for (uint32_t i = from; i <= to; i++) {
        rt_recent_add(&r, i);
    }
}

static void assert_summary(uint64_t count, uint32_t last, uint32_t median, uint32_t p99,
                           uint32_t max)
{
    struct recent_summary s = recent_summary(&r);

    assert_int_equal(s.count, count);
    assert_int_equal(s.last, last);
    assert_int_equal(s.median, median);
    assert_int_equal(s.p99, p99);
    assert_int_equal(s.max, max);
}

static void nothing_was_measured(void **state)
{
    (void)state;
    assert_summary(0, 0, 0, 0, 0);
}

static void one(void **state)
{
    (void)state;
    rt_recent_add(&r, 7);
    assert_summary(1, 7, 7, 7, 7);
}

static void a_hundred_in_any_order(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < 100; i++) {
        rt_recent_add(&r, 1 + i * 37 % 100);
    }
    assert_summary(100, 1 + 99 * 37 % 100, 50, 99, 100);
}

/* The largest of all stays, though it is not among those kept any more. */
static void the_last_are_kept(void **state)
{
    (void)state;
    rt_recent_add(&r, 1000000);
    add_all(1, 3 * RECENT_VALUES);
    assert_summary(3 * RECENT_VALUES + 1, 3 * RECENT_VALUES, 2 * RECENT_VALUES + RECENT_VALUES / 2,
                   3 * RECENT_VALUES - RECENT_VALUES / 100, 1000000);
}

static void a_new_start(void **state)
{
    (void)state;
    add_all(1, 10);
    rt_recent_start(&r);
    assert_summary(0, 0, 0, 0, 0);
    add_all(3, 5);
    assert_summary(3, 5, 4, 5, 5);
}

static void more_than_fits(void **state)
{
    (void)state;
    rt_recent_add(&r, UINT64_MAX);
    rt_recent_add(&r, UINT64_C(1) << 32);
    assert_summary(2, UINT32_MAX, UINT32_MAX, UINT32_MAX, UINT32_MAX);
}

/* Whatever somebody has written there: a reader stays within it. */
static void nonsense(void **state)
{
    (void)state;
    memset(&r, 0xff, sizeof(r));
    assert_summary(UINT64_MAX, UINT32_MAX, UINT32_MAX, UINT32_MAX, UINT32_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(nothing_was_measured, forget),
        cmocka_unit_test_setup(one, forget),
        cmocka_unit_test_setup(a_hundred_in_any_order, forget),
        cmocka_unit_test_setup(the_last_are_kept, forget),
        cmocka_unit_test_setup(a_new_start, forget),
        cmocka_unit_test_setup(more_than_fits, forget),
        cmocka_unit_test_setup(nonsense, forget),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
