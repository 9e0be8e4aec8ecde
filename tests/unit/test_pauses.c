/* SPDX-License-Identifier: GPL-2.0-or-later */
/* When a card asks whether its domain stands still, and what comes of the answer. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/clock.h"
#include "card/doubt.h"
#include "card/pauses.h"

#define MS(n) ((n)*NS_PER_MS)

/* --- the card's doubt --- */

static void asks_when_patience_ends(void **state)
{
    struct doubt d = {.asked = false};

    (void)state;
    assert_true(rt_doubt_due(&d, UINT64_MAX, 0) == UINT64_MAX);
    assert_int_equal(rt_doubt_due(&d, MS(1000), MS(5)), MS(1005));
    assert_int_equal(rt_doubt_due(&d, MS(1003), MS(5)), MS(1008)); /* it has been heard */
    assert_true(rt_doubt_due(&d, UINT64_MAX, 0) == UINT64_MAX);    /* and acknowledges */
    assert_int_equal(rt_doubt_due(&d, MS(1010), MS(2)), MS(1012));
}

static void asks_less_and_less_often(void **state)
{
    static const unsigned waits[] = {10, 20, 40, 80, 160, 200, 200, 200};
    struct doubt d = {.asked = false};
    uint64_t now = MS(1000);

    (void)state;
    for (unsigned i = 0; i < sizeof(waits) / sizeof(waits[0]); i++) {
        assert_int_equal(rt_doubt_due(&d, MS(1000), MS(10)), now + MS(waits[i]));
        now += MS(waits[i]);
        rt_doubt_ask(&d, now, true);
        assert_true(rt_doubt_due(&d, MS(1000), MS(10)) == UINT64_MAX);
        rt_doubt_heard(&d);
    }
    /* Another interrupt is another matter. */
    assert_int_equal(rt_doubt_due(&d, now, MS(10)), now + MS(10));
}

static void asks_once_until_it_is_heard(void **state)
{
    struct doubt d = {.asked = false};

    (void)state;
    rt_doubt_due(&d, MS(1000), MS(10));
    rt_doubt_ask(&d, MS(1011), true);
    assert_true(rt_doubt_due(&d, MS(2000), MS(10)) == UINT64_MAX);
    rt_doubt_heard(&d);
    assert_int_equal(rt_doubt_due(&d, MS(2000), MS(10)), MS(2010));
    rt_doubt_ask(&d, MS(2010), false); /* it could not be sent */
    assert_int_equal(rt_doubt_due(&d, MS(2000), MS(10)), MS(2030));
}

/* --- the supervisor's reasons --- */

static void a_guest_that_is_only_busy(void **state)
{
    struct pauses p;

    (void)state;
    pauses_begin(&p, false);
    assert_true(pauses_wake(&p) == UINT64_MAX);
    assert_false(pauses_look(&p, DOMAIN_RUNS, MS(1000)));
    assert_false(pauses_look(&p, DOMAIN_UNKNOWN, MS(1010)));
    assert_true(pauses_wake(&p) == UINT64_MAX);
}

static void xl_pause_and_unpause(void **state)
{
    struct pauses p;
    uint64_t now = MS(1000);

    (void)state;
    pauses_begin(&p, false);
    assert_true(pauses_look(&p, DOMAIN_STOPPED, now));
    for (unsigned i = 0; i < 100; i++) {
        assert_int_equal(pauses_wake(&p), now + MS(2));
        now += MS(2);
        assert_true(pauses_look(&p, DOMAIN_STOPPED, now));
    }
    /* `cont` comes first. */
    assert_true(pauses_on_cont(&p, DOMAIN_STOPPED, now));
    assert_int_equal(pauses_wake(&p), now + MS(2));
    assert_false(pauses_look(&p, DOMAIN_RUNS, now + MS(2)));
    assert_true(pauses_wake(&p) == UINT64_MAX);
}

static void a_long_pause_costs_little(void **state)
{
    struct pauses p;
    uint64_t now = MS(1000);
    unsigned looks = 0;

    (void)state;
    pauses_begin(&p, false);
    pauses_look(&p, DOMAIN_STOPPED, now);
    while (now < MS(1000) + 3600 * NS_PER_S) {
        uint64_t next = pauses_wake(&p);

        assert_in_range(next - now, MS(2), MS(50));
        now = next;
        assert_true(pauses_look(&p, DOMAIN_STOPPED, now));
        looks++;
    }
    assert_in_range(looks, 72000, 72500); /* 20 a second, but for the first few */
    pauses_look(&p, DOMAIN_RUNS, now);
    pauses_look(&p, DOMAIN_STOPPED, now);
    assert_int_equal(pauses_wake(&p), now + MS(2)); /* another pause */
}

static void saved_and_gone_on_with(void **state)
{
    struct pauses p;

    (void)state;
    pauses_begin(&p, false);
    /* Suspended, which the card notices first, and stopped. */
    assert_true(pauses_look(&p, DOMAIN_STOPPED, MS(1000)));
    pauses_on_stop(&p);
    assert_true(pauses_wake(&p) == UINT64_MAX); /* `cont` need not be looked for */
    assert_true(pauses_look(&p, DOMAIN_RUNS, MS(1002)));
    assert_true(pauses_look(&p, DOMAIN_STOPPED, MS(1003)));
    assert_true(pauses_wake(&p) == UINT64_MAX);
    /* The migration has failed: `cont`, and then the domain. */
    assert_true(pauses_on_cont(&p, DOMAIN_STOPPED, MS(1100)));
    assert_false(pauses_look(&p, DOMAIN_RUNS, MS(1102)));

    /* Without a sound all the while. */
    pauses_on_stop(&p);
    assert_true(pauses_wake(&p) == UINT64_MAX);
    assert_false(pauses_on_cont(&p, DOMAIN_RUNS, MS(1200)));
    assert_true(pauses_wake(&p) == UINT64_MAX);
}

static void restored(void **state)
{
    struct pauses p;

    (void)state;
    pauses_begin(&p, true);
    assert_true(pauses_wake(&p) == UINT64_MAX);
    assert_true(pauses_on_cont(&p, DOMAIN_STOPPED, MS(1000)));
    assert_true(pauses_look(&p, DOMAIN_STOPPED, MS(1002)));
    assert_false(pauses_look(&p, DOMAIN_RUNS, MS(1004)));
}

/* Of a domain that Xen no longer speaks of nothing is kept waiting. */
static void what_is_not_known_is_no_reason(void **state)
{
    struct pauses p;

    (void)state;
    pauses_begin(&p, false);
    assert_true(pauses_look(&p, DOMAIN_STOPPED, MS(1000)));
    assert_false(pauses_look(&p, DOMAIN_UNKNOWN, MS(1002)));
    assert_true(pauses_wake(&p) == UINT64_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(asks_when_patience_ends),
        cmocka_unit_test(asks_less_and_less_often),
        cmocka_unit_test(asks_once_until_it_is_heard),
        cmocka_unit_test(a_guest_that_is_only_busy),
        cmocka_unit_test(xl_pause_and_unpause),
        cmocka_unit_test(a_long_pause_costs_little),
        cmocka_unit_test(saved_and_gone_on_with),
        cmocka_unit_test(restored),
        cmocka_unit_test(what_is_not_known_is_no_reason),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
