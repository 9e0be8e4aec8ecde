/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The loop in virtual time: a card whose clock it corrects, a sink that is off
 * by some ppm, and the delay between them.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "audio/clock_recovery.h"
#include "base/clock.h"

enum { TARGET_MS = 10, STEP_MS = 50 };

struct loop {
    struct clock_recovery recovery;
    uint64_t now;
    double target_ms;
    double delay_ms; /* the true one */
    double sink_ppm;
    double noise_ms; /* of its measurement, either way */
    uint32_t random;
    double ppm;
    /* Since extremes were last cleared. */
    double least_ms, most_ms, least_ppm, most_ppm;
};

static void clear_extremes(struct loop *l)
{
    l->least_ms = l->most_ms = l->delay_ms;
    l->least_ppm = l->most_ppm = l->ppm;
}

static void start(struct loop *l)
{
    *l = (struct loop){.now = NS_PER_S, .target_ms = TARGET_MS, .delay_ms = TARGET_MS, .random = 1};
    clock_recovery_reset(&l->recovery);
    clear_extremes(l);
}

static void run(struct loop *l, double seconds)
{
    for (int i = 0; i < seconds * 1000 / STEP_MS; i++) {
        double measured;

        l->now += STEP_MS * NS_PER_MS;
        l->delay_ms += (l->ppm - l->sink_ppm) * 1e-6 * STEP_MS;
        l->random = l->random * 1664525 + 1013904223;
        measured = l->delay_ms + l->noise_ms * ((double)(l->random >> 8) / (1 << 23) - 1);
        l->ppm = clock_recovery_update(&l->recovery, l->now, (uint64_t)(fmax(measured, 0) * 1e6),
                                       (uint64_t)(l->target_ms * 1e6));
        l->least_ms = fmin(l->least_ms, l->delay_ms);
        l->most_ms = fmax(l->most_ms, l->delay_ms);
        l->least_ppm = fmin(l->least_ppm, l->ppm);
        l->most_ppm = fmax(l->most_ppm, l->ppm);
    }
}

static void assert_near(double value, double expected, double tolerance)
{
    if (!(fabs(value - expected) <= tolerance)) {
        fail_msg("%g is not within %g of %g", value, tolerance, expected);
    }
}

static void test_on_target_nothing_moves(void **state)
{
    struct loop l;

    (void)state;
    start(&l);
    run(&l, 60);
    assert_near(l.most_ppm, 0, 0.001);
    assert_near(l.least_ppm, 0, 0.001);
}

/* The delay leaves its target by a millisecond or two at most, comes back, and the clock ends up
 * where the sink's is. */
static void follows(double ppm, double bound_ms)
{
    struct loop l;

    start(&l);
    l.sink_ppm = ppm;
    run(&l, 120);
    assert_near(l.least_ms, TARGET_MS, bound_ms);
    assert_near(l.most_ms, TARGET_MS, bound_ms);
    clear_extremes(&l);
    run(&l, 3600);
    assert_near(l.least_ms, TARGET_MS, 0.1);
    assert_near(l.most_ms, TARGET_MS, 0.1);
    assert_near(l.least_ppm, ppm, 5);
    assert_near(l.most_ppm, ppm, 5);
}

static void test_follows_a_crystal(void **state)
{
    (void)state;
    follows(300, 0.5);
    follows(-300, 0.5);
    follows(50, 0.1);
}

/* As PulseAudio's null sink. */
static void test_follows_a_sink_far_off(void **state)
{
    (void)state;
    follows(1700, 2.5);
    follows(-1700, 2.5);
}

/* Once the delay is back it stays: it does not swing to the other side by more than a little. */
static void test_works_off_an_excess(void **state)
{
    struct loop l;

    (void)state;
    start(&l);
    l.sink_ppm = 100;
    run(&l, 60);
    l.delay_ms += 300;
    clear_extremes(&l);
    run(&l, 1);
    assert_near(l.ppm, -CLOCK_RECOVERY_MAX_PPM, 1);
    run(&l, 59); /* 300 ms at 10.1 ms a second take 30 s, and the last few longer */
    assert_near(l.delay_ms, TARGET_MS, 1);
    run(&l, 200);
    assert_near(l.least_ms, TARGET_MS, 0.7);
    assert_near(l.delay_ms, TARGET_MS, 0.1);
    assert_near(l.ppm, 100, 5);
    assert_near(l.least_ppm, -CLOCK_RECOVERY_MAX_PPM, 0.001);
    assert_true(l.most_ppm < 500);
}

static void test_makes_up_for_a_lack(void **state)
{
    struct loop l;

    (void)state;
    start(&l);
    l.delay_ms = 1;
    run(&l, 120);
    assert_near(l.most_ms, TARGET_MS, 0.7);
    assert_near(l.delay_ms, TARGET_MS, 0.1);
}

/* Another device, another clock, in the middle of a run. */
static void test_relearns(void **state)
{
    struct loop l;

    (void)state;
    start(&l);
    l.sink_ppm = 1000;
    run(&l, 600);
    l.sink_ppm = -1000;
    clear_extremes(&l);
    run(&l, 300);
    assert_near(l.delay_ms, TARGET_MS, 0.1);
    assert_near(l.ppm, -1000, 5);
    assert_true(l.most_ms < TARGET_MS + 10);
}

/* What is reported is off by a millisecond either way, at random. */
static void test_noise_hardly_moves_the_clock(void **state)
{
    struct loop l;

    (void)state;
    start(&l);
    l.sink_ppm = -80;
    l.noise_ms = 1;
    run(&l, 180);
    clear_extremes(&l);
    run(&l, 3600);
    assert_near(l.least_ppm, -80, 60);
    assert_near(l.most_ppm, -80, 60);
    assert_near(l.least_ms, TARGET_MS, 0.6);
    assert_near(l.most_ms, TARGET_MS, 0.6);
}

static void test_reset_forgets(void **state)
{
    struct loop l;

    (void)state;
    start(&l);
    l.sink_ppm = 500;
    run(&l, 60);
    clock_recovery_reset(&l.recovery);
    assert_near(
        clock_recovery_update(&l.recovery, l.now, TARGET_MS * NS_PER_MS, TARGET_MS * NS_PER_MS), 0,
        0.001);
}

/* A target that comes down by a fifth of a millisecond a second takes the delay with it, and what
 * has been learned of the sink stays. */
static void test_follows_a_target_that_comes_down(void **state)
{
    struct loop l;
    double farthest = 0;

    (void)state;
    start(&l);
    l.sink_ppm = 150;
    run(&l, 300);
    l.target_ms = l.delay_ms = 20;
    run(&l, 1);
    for (int i = 0; i < 10 * 1000 / STEP_MS * 5; i++) {
        l.target_ms -= 0.2 * STEP_MS / 1000;
        run(&l, STEP_MS / 1000.0);
        farthest = fmax(farthest, fabs(l.delay_ms - l.target_ms));
    }
    assert_near(l.target_ms, 10, 0.01);
    assert_near(farthest, 0, 0.1);
    run(&l, 10);
    assert_near(l.delay_ms, TARGET_MS, 0.1);
    assert_near(l.ppm, 150, 20);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_on_target_nothing_moves),
        cmocka_unit_test(test_follows_a_crystal),
        cmocka_unit_test(test_follows_a_sink_far_off),
        cmocka_unit_test(test_works_off_an_excess),
        cmocka_unit_test(test_makes_up_for_a_lack),
        cmocka_unit_test(test_relearns),
        cmocka_unit_test(test_noise_hardly_moves_the_clock),
        cmocka_unit_test(test_reset_forgets),
        cmocka_unit_test(test_follows_a_target_that_comes_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
