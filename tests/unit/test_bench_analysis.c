/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/clock.h"
#include "bench/analysis.h"

#define MS       NS_PER_MS
#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static void test_arrivals_are_split_into_runs(void **state)
{
    static const uint32_t frames[] = {0, 0, 5, 6, 7, 0, 9, 8, 9};
    struct heard runs[8];

    (void)state;
    assert_int_equal(heard_split(frames, COUNT(frames), 42, runs, COUNT(runs)), 5);
    assert_int_equal(runs[0].first, 0);
    assert_int_equal(runs[0].frames, 2);
    assert_int_equal(runs[1].first, 5);
    assert_int_equal(runs[1].frames, 3);
    assert_int_equal(runs[2].first, 0);
    assert_int_equal(runs[3].first, 9);
    assert_int_equal(runs[3].frames, 1);
    assert_int_equal(runs[4].first, 8);
    assert_int_equal(runs[4].frames, 2);
    assert_int_equal(runs[4].time, 42);

    assert_int_equal(heard_split(frames, COUNT(frames), 42, runs, 2), 2);
    assert_int_equal(heard_split(frames, COUNT(frames), 42, runs, 0), 0);
}

static void test_breaks(void **state)
{
    static const struct heard runs[] = {
        {1 * MS, 0, 44},   {2 * MS, 1, 44},  {3 * MS, 45, 44},  /* silence before, sound */
        {4 * MS, 0, 30},   {4 * MS, 89, 14},                    /* a pause, nothing lost */
        {5 * MS, 0, 44},   {6 * MS, 0, 10},  {6 * MS, 203, 34}, /* a pause and 100 lost */
        {7 * MS, 257, 44},                                      /* 20 lost */
        {8 * MS, 251, 44},                                      /* 50 again */
        {9 * MS, 0, 44},                                        /* and no more */
    };
    struct break_heard b[8];

    (void)state;
    assert_int_equal(breaks_find(runs, COUNT(runs), 0, 100 * MS, b, COUNT(b)), 5);
    assert_int_equal(b[0].time, 4 * MS);
    assert_int_equal(b[0].lost, 0);
    assert_int_equal(b[0].silence, 30);
    assert_int_equal(b[1].time, 5 * MS);
    assert_int_equal(b[1].lost, 100);
    assert_int_equal(b[1].silence, 54);
    assert_int_equal(b[2].lost, 20);
    assert_int_equal(b[2].silence, 0);
    assert_int_equal(b[3].lost, -50);
    assert_int_equal(b[4].time, 9 * MS);
    assert_int_equal(b[4].silence, 44);

    /* Counted where they begin, though there is no room to tell of them. */
    assert_int_equal(breaks_find(runs, COUNT(runs), 5 * MS, 9 * MS, b, 1), 3);
    assert_int_equal(b[0].lost, 100);
    assert_int_equal(breaks_find(runs, 3, 0, 100 * MS, b, COUNT(b)), 0);
}

static void test_stalls_explain_breaks_after_them(void **state)
{
    struct stall list[] = {{100 * MS, 103 * MS}, {500 * MS, 502 * MS}}, other = {98 * MS, 101 * MS};
    const struct stalls stalls = {list, COUNT(list)}, others = {&other, 1}, none = {NULL, 0};
    struct break_heard b[] = {
        {.time = 99 * MS}, {.time = 101 * MS}, {.time = 123 * MS}, {.time = 124 * MS}};

    (void)state;
    assert_int_equal(breaks_explain(b, COUNT(b), &none, 20 * MS, BY_STALL), 4);
    assert_int_equal(breaks_explain(b, COUNT(b), &stalls, 20 * MS, BY_STALL), 2);
    assert_int_equal(breaks_explain(b, COUNT(b), &others, 20 * MS, BY_SERVER), 1);
    assert_int_equal(b[0].reason, BY_SERVER);
    assert_int_equal(b[1].reason, BY_STALL);
    assert_int_equal(b[2].reason, BY_STALL);
    assert_int_equal(b[3].reason, UNEXPLAINED);
}

static void test_quantiles(void **state)
{
    struct histogram h;

    (void)state;
    assert_true(histogram_init(&h));
    assert_float_equal(histogram_quantile(&h, 0.5), 0, 0);
    for (uint64_t us = 1; us <= 100; us++) {
        histogram_add(&h, us * NS_PER_US);
    }
    histogram_add(&h, 5 * NS_PER_S); /* beyond the bins: the last */
    assert_int_equal(h.count, 101);
    assert_float_equal(histogram_quantile(&h, 0), 1, 0);
    assert_float_equal(histogram_quantile(&h, 0.5), 51, 0);
    assert_float_equal(histogram_quantile(&h, 0.99), 100, 0);
    assert_float_equal(histogram_quantile(&h, 1), HISTOGRAM_BINS - 1, 0);
    assert_int_equal(h.max, 5 * NS_PER_S);
    histogram_free(&h);
}

/* The delays of these runs, as median and longest in microseconds, and how many. */
struct delays {
    double median, longest;
    uint64_t count;
};

static struct delays delays_of(const struct heard *runs, size_t count, bool smooth,
                               const struct stalls *stalls)
{
    static const struct passing passings[] = {
        {100 * MS, 0}, {110 * MS, 441}, {120 * MS, 441}, {130 * MS, 1323}};
    struct delays d;
    struct histogram h;

    assert_true(histogram_init(&h));
    delays_measure(runs, count, 90 * MS, 150 * MS, passings, COUNT(passings), smooth, stalls,
                   10 * MS, &h);
    d = (struct delays){histogram_quantile(&h, 0.5), (double)(h.max / NS_PER_US), h.count};
    histogram_free(&h);
    return d;
}

static void test_delays(void **state)
{
    /* Of 441 frames in 10 ms, the last of each. */
    static const struct heard last = {115 * MS, 441, 1}, half = {115 * MS, 221, 1},
                              next = {140 * MS, 442, 1}, all = {115 * MS, 1, 441};
    static const struct heard outside[] = {
        {115 * MS, 0, 44}, {89 * MS, 441, 1}, {150 * MS, 441, 1}, {140 * MS, 1324, 5}};
    struct stall stall = {104 * MS, 105 * MS};
    const struct stalls stalls = {&stall, 1};
    struct delays d;

    (void)state;
    d = delays_of(&last, 1, true, NULL);
    assert_int_equal(d.count, 1);
    assert_float_equal(d.median, 5000, 1);
    /* Halfway between two looks if the position moves evenly; else when it was seen. */
    assert_float_equal(delays_of(&half, 1, true, NULL).median, 9989, 2);
    assert_float_equal(delays_of(&half, 1, false, NULL).median, 5000, 1);
    /* The position stood still for a while. */
    assert_float_equal(delays_of(&next, 1, true, NULL).median, 19989, 2);
    assert_float_equal(delays_of(&next, 1, false, NULL).median, 10000, 1);
    d = delays_of(&all, 1, true, NULL);
    assert_int_equal(d.count, 441);
    assert_float_equal(d.median, 10000, 30);
    assert_float_equal(d.longest, 14977, 2);

    /* Silence, outside the time, never passed. */
    assert_int_equal(delays_of(outside, COUNT(outside), true, NULL).count, 0);
    /* Soon after a stall. */
    assert_int_equal(delays_of(&last, 1, true, &stalls).count, 0);
    assert_int_equal(delays_of(&next, 1, true, &stalls).count, 1);
}

static void test_rates(void **state)
{
    static const struct passing passings[] = {
        {1 * MS, 5}, {2 * MS, 10}, {4 * MS, 30}, {9 * MS, 80}};
    static const struct heard runs[] = {
        {1 * MS, 1, 44}, {2 * MS, 45, 20}, {2 * MS, 0, 24}, {3 * MS, 0, 44}, {4 * MS, 65, 45}};
    struct rate r;

    (void)state;
    r = passings_rate(passings, COUNT(passings), 2 * MS, 9 * MS);
    assert_int_equal(r.frames, 20);
    assert_int_equal(r.ns, 2 * MS);
    r = heard_rate(runs, COUNT(runs), 2 * MS, 9 * MS);
    assert_int_equal(r.frames, 89);
    assert_int_equal(r.ns, 2 * MS);
    assert_int_equal(passings_rate(passings, COUNT(passings), 10 * MS, 20 * MS).ns, 0);
    assert_int_equal(heard_rate(runs, COUNT(runs), 10 * MS, 20 * MS).ns, 0);
}

static void test_lateness(void **state)
{
    uint64_t times[300];
    struct stall stall = {1400 * MS, 1500 * MS};
    const struct stalls stalls = {&stall, 1};
    struct histogram late;

    (void)state;
    /* One each 10 ms; some late, which those after them are not; one 40 ms, as three after it. */
    for (unsigned i = 0; i < COUNT(times); i++) {
        times[i] = 500 * MS + i * 10 * MS;
        if (i % 10 == 5) {
            times[i] += 2 * MS;
        }
    }
    times[95] = times[96] = times[97] = times[98] = 1490 * MS;

    assert_true(histogram_init(&late));
    lateness_measure(times, COUNT(times), 1000 * MS, 3000 * MS, NULL, &late);
    assert_int_equal(late.count, 200);
    assert_float_equal(histogram_quantile(&late, 0.5), 0, 1);
    assert_float_equal(histogram_quantile(&late, 0.95), 2000, 1);
    assert_int_equal((late.max + 500) / NS_PER_US, 40000);
    histogram_free(&late);

    assert_true(histogram_init(&late));
    lateness_measure(times, COUNT(times), 1000 * MS, 3000 * MS, &stalls, &late);
    assert_true(late.count < 200);
    assert_int_equal((late.max + 500) / NS_PER_US, 2000);
    histogram_free(&late);

    /* One alone has no pace. */
    assert_true(histogram_init(&late));
    lateness_measure(times, 1, 0, 3000 * MS, NULL, &late);
    assert_int_equal(late.count, 0);
    histogram_free(&late);
}

static void test_steps(void **state)
{
    const struct passing at = {1000 * MS, 1000};

    (void)state;
    assert_int_equal(step_of(at, (struct passing){1000 * MS, 1008}), 8);
    assert_int_equal(step_of(at, (struct passing){1010 * MS, 1441}), 0);
    assert_int_equal(step_of(at, (struct passing){1010 * MS, 1541}), 100);
    assert_int_equal(step_of(at, (struct passing){1010 * MS, 1001}), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_arrivals_are_split_into_runs),
        cmocka_unit_test(test_breaks),
        cmocka_unit_test(test_stalls_explain_breaks_after_them),
        cmocka_unit_test(test_quantiles),
        cmocka_unit_test(test_delays),
        cmocka_unit_test(test_rates),
        cmocka_unit_test(test_lateness),
        cmocka_unit_test(test_steps),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
