/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A capture from the frames of a microphone to the card's realtime calls, in
 * virtual time: clocks that differ, servers that are slow, late, away or dying,
 * guests that misbehave.
 */
#include <inttypes.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "audio/intake.h"
#include "audio/recorder.h"
#include "base/clock.h"
#include "base/log.h"
#include "fakes/fake_source.h"

/* --- the log, kept instead of written --- */

enum { KEPT = 64 };

static char lines[KEPT][256]; /* the last ones */
static unsigned line_count;

void log_at(enum log_level level, const char *fmt, ...)
{
    va_list ap;

    (void)level;
    va_start(ap, fmt);
    vsnprintf(lines[line_count++ % KEPT], sizeof(lines[0]), fmt, ap);
    va_end(ap);
}

static unsigned lines_with(const char *text)
{
    unsigned n = 0;

    for (unsigned i = 0; i < line_count && i < KEPT; i++) {
        n += strstr(lines[i], text) != NULL;
    }
    return n;
}

/* What the log says of the last run. */
struct run_line {
    uint64_t frames, silent, dropped, repeated, underruns, overruns, median, max;
};

static struct run_line last_run(void)
{
    struct run_line l = {0};
    unsigned i = line_count;

    while (i > 0 && strncmp(lines[(i - 1) % KEPT], "capture adc: ", 13) != 0) {
        i--;
    }
    assert_true(i > 0);
    assert_int_equal(sscanf(lines[(i - 1) % KEPT],
                            "capture adc: frames=%" SCNu64 " silent=%" SCNu64 " dropped=%" SCNu64
                            " repeated=%" SCNu64 " underruns=%" SCNu64 " overruns=%" SCNu64
                            " delay_us_median=%" SCNu64 " delay_us_max=%" SCNu64,
                            &l.frames, &l.silent, &l.dropped, &l.repeated, &l.underruns,
                            &l.overruns, &l.median, &l.max),
                     8);
    return l;
}

/* --- the world: a microphone, a capture, a card --- */

enum { CD = 44100, TELEPHONE = 8000, SLOWEST = 172, LATENCY_MS = 10, MOST_AT_ONCE = 512 };

static struct audio_settings settings;
static struct intake intake;
static struct recorder recorder;
static struct stream_status status;

/* The card: reads by the clock, and looks at each frame. */
static struct {
    bool running, follows;
    uint32_t rate;
    double ppm; /* of its clock, where that does not follow the microphone's */
    double due; /* frames, of which the next whole ones are read */

    /* What it got: since the start of the world, */
    uint64_t frames, silent, repeated, skipped, disordered;
    uint32_t last; /* frame's number; 0: none yet */
    /* and since watch_delay: from the microphone to here, in milliseconds. */
    double least, most;
} card;

static void watch_delay(void)
{
    card.least = INFINITY;
    card.most = 0;
}

static void card_read(uint32_t frames)
{
    int16_t stereo[2 * MOST_AT_ONCE];

    assert_true(frames <= MOST_AT_ONCE);
    rt_intake_read(&intake, stereo, frames);
    card.frames += frames;
    for (uint32_t i = 0; i < frames; i++) {
        uint32_t number;

        memcpy(&number, stereo + 2 * i, sizeof(number));
        if (number == 0) {
            card.silent++;
            continue;
        }
        if (card.last && number == card.last) {
            card.repeated++;
        } else if (card.last && number < card.last) {
            card.disordered++;
        } else {
            card.skipped += card.last ? number - card.last - 1 : 0;
        }
        card.last = number;
    }
    if (card.last && mic.is_open && mic.format.rate == card.rate) {
        double age = (mic.heard - card.last) * 1000 / card.rate;

        card.least = fmin(card.least, age);
        card.most = fmax(card.most, age);
    }
}

static void card_start(uint32_t rate)
{
    card.running = true;
    card.rate = rate;
    card.due = 0;
    rt_intake_start(&intake, rate);
}

static void card_stop(void)
{
    card.running = false;
    rt_intake_stop(&intake);
}

/* A tick has passed. */
static void card_runs(void)
{
    if (card.running) {
        double ppm = card.follows ? atomic_load(&recorder.status->clock_ppb) / 1000.0 : card.ppm;

        card.due += card.rate * (1 + ppm / 1e6) * (double)mic.tick / (double)NS_PER_S;
        card_read((uint32_t)card.due);
        card.due -= (uint32_t)card.due;
    }
}

/* The capture's thread: steps, and sleeps as capture.c does. */
static void run_ms(double ms)
{
    uint64_t end = mic.now + (uint64_t)(ms * 1e6);
    unsigned idle_steps = 0;

    while (mic.now < end) {
        uint64_t began = mic.now;
        uint64_t at = recorder_step(&recorder, began);

        idle_steps = mic.now == began ? idle_steps + 1 : 0;
        assert_true(idle_steps < 1000); /* or it would never sleep */
        at = at < end ? at : end;
        if (at > mic.now && intake_sleep(&intake, recorder.wish.number)) {
            if (!recorder_wait(&recorder, at)) {
                while (mic.now < at && atomic_load(&intake.asleep)) {
                    fake_source_pass(mic.tick);
                }
            }
            intake_wake_up(&intake);
            idle_steps = 0;
        }
    }
}

static int setup(void **state)
{
    (void)state;
    fake_source_reset();
    mic.passing = card_runs;
    settings = (struct audio_settings){
        .driver = &fake_source_driver, .id = (char *)"snd0", .in_latency_us = LATENCY_MS * 1000};
    memset(&card, 0, sizeof(card));
    card.follows = true;
    watch_delay();
    line_count = 0;
    memset(&status, 0, sizeof(status));
    if (!intake_init(&intake, NULL)) {
        return -1;
    }
    rt_intake_follow(&intake, true);
    recorder_init(&recorder, &settings, "adc", &intake, &status);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    recorder_end(&recorder);
    intake_free(&intake);
    return 0;
}

/* Every frame since the first that the card got, once and in order; and the log agrees. */
static void assert_exact(void)
{
    struct run_line l = last_run();

    assert_true(card.last > 0);
    assert_int_equal(card.skipped + card.repeated + card.disordered, 0);
    assert_int_equal(l.dropped + l.repeated + l.overruns, 0);
    assert_int_equal(l.frames, card.frames);
    assert_int_equal(l.silent, card.silent);
}

/* --- recording --- */

static void test_every_frame_in_order(void **state)
{
    (void)state;
    card_start(CD);
    run_ms(2000);
    card_stop();
    run_ms(100);
    assert_in_range(card.frames, 88100, 88300);
    assert_exact();
    assert_int_equal(last_run().underruns, 0);
    assert_in_range(last_run().median, 9000, 11000);
    assert_in_range(last_run().max, 9500, 12000);
    /* Silence until the first is old enough, and no longer. */
    assert_in_range(card.silent, LATENCY_MS * CD / 1000 - 30, LATENCY_MS * CD / 1000 + 30);
    assert_true(card.least > LATENCY_MS - 1 && card.most < LATENCY_MS + 1);
    assert_int_equal(line_count, 1);
}

static void test_a_start_leaves_what_is_older(void **state)
{
    double began;

    (void)state;
    mic.block_ns = 6 * NS_PER_MS;
    card_start(CD);
    run_ms(500);
    card_stop();
    run_ms(300); /* the source is still open, and hears on */
    card.last = 0;
    card.frames = card.silent = 0;
    began = mic.heard;
    card_start(CD);
    run_ms(12);
    assert_int_equal(mic.opens, 1);
    /* The first frame, of the block that was being filled, is of the start itself. */
    assert_in_range(card.last - (card.frames - card.silent), began - 12, began + 12);
    card_stop();
    run_ms(10);
}

/* --- when the microphone is on --- */

static void test_closed_until_the_guest_records(void **state)
{
    (void)state;
    run_ms(60000);
    assert_int_equal(mic.attempts, 0);
    card_start(CD);
    run_ms(60000);
    card_stop();
    assert_true(mic.is_open);
    run_ms(1010);
    assert_false(mic.is_open);
    run_ms(60000);
    assert_int_equal(mic.opens, 1);
    assert_int_equal(line_count, 1);
}

static void test_prepared_in_vain(void **state)
{
    (void)state;
    rt_intake_prepare(&intake, CD);
    run_ms(1000);
    assert_true(mic.is_open);
    run_ms(60000);
    assert_int_equal(mic.opens, 1);
    assert_int_equal(mic.closes, 1);
    assert_int_equal(line_count, 0);
}

static void test_prepare_opens_ahead(void **state)
{
    (void)state;
    mic.opening_takes = 300 * NS_PER_MS;
    rt_intake_prepare(&intake, TELEPHONE); /* the rate comes with the next write */
    rt_intake_prepare(&intake, CD);
    run_ms(400);
    assert_int_equal(mic.opens, 1);
    card_start(CD);
    run_ms(30);
    card_stop();
    run_ms(10);
    assert_int_equal(mic.opens, 1);
    assert_int_equal(mic.format.rate, CD);
    assert_in_range(card.silent, 411, 471);
    assert_exact();
}

/* --- rates --- */

static void test_rates_follow_each_other(void **state)
{
    uint64_t silent;

    (void)state;
    card_start(CD);
    run_ms(300);
    card.last = 0;
    silent = card.silent;
    card_start(TELEPHONE); /* without a stop between */
    run_ms(1000);
    assert_int_equal(mic.opens, 2);
    assert_int_equal(mic.format.rate, TELEPHONE);
    assert_in_range(card.silent - silent, 75, 85);
    card.last = 0;
    card_stop();
    card_start(CD);
    run_ms(300);
    card_stop();
    run_ms(10);
    assert_int_equal(mic.opens, 3);
    assert_int_equal(card.skipped + card.repeated + card.disordered, 0);
    assert_int_equal(last_run().underruns, 0);
}

static void test_the_slowest_rate(void **state)
{
    (void)state;
    settings.in_latency_us = 1000; /* less than a frame */
    mic.block_ns = 10 * NS_PER_MS;
    card_start(SLOWEST);
    run_ms(60000);
    card_stop();
    run_ms(100);
    assert_exact();
    assert_in_range(card.frames - card.silent, 172 * 60 - 20, 172 * 60);
}

/* --- servers --- */

static void test_a_slow_start(void **state)
{
    (void)state;
    mic.opening_takes = 700 * NS_PER_MS;
    card_start(CD);
    run_ms(2000);
    card_stop();
    run_ms(100);
    assert_exact();
    assert_in_range(card.silent, 705 * 44, 715 * 44.2);
    assert_int_equal(last_run().underruns, 0);
    assert_true(card.most < LATENCY_MS + 1);
}

static void test_absent_at_the_start(void **state)
{
    (void)state;
    mic.away = true;
    card_start(CD);
    run_ms(3100);
    assert_int_equal(mic.attempts, 13); /* at once, and each 250 ms */
    assert_int_equal(line_count, 1);
    assert_int_equal(lines_with("nobody answers"), 1);
    mic.away = false;
    run_ms(2000);
    assert_int_equal(lines_with("adc: there is sound to record again after 3."), 1);
    card_stop();
    run_ms(100);
    assert_exact();
    assert_in_range(card.silent, 3100 * 44, 3380 * 44.2);
    assert_int_equal(last_run().underruns, 0);
    assert_int_equal(atomic_load(&recorder.status->reopened), 1);
}

static void test_not_asked_for_when_nobody_records(void **state)
{
    unsigned attempts;

    (void)state;
    mic.away = true;
    card_start(CD);
    run_ms(1000);
    card_stop();
    run_ms(10);
    attempts = mic.attempts;
    run_ms(60000);
    assert_int_equal(mic.attempts, attempts);
}

static void test_killed_and_back(void **state)
{
    uint32_t killed;

    (void)state;
    card_start(CD);
    run_ms(1000);
    mic.dead = mic.away = true;
    killed = mic.given;
    run_ms(700);
    assert_int_equal(card.last, killed); /* all that had come */
    assert_int_equal(card.skipped, 0);
    mic.away = false;
    run_ms(1000);
    card_stop();
    run_ms(100);
    assert_int_equal(mic.opens, 2);
    assert_int_equal(line_count, 3); /* lost, back, and the run */
    assert_int_equal(lines_with("it has gone away"), 1);
    assert_int_equal(lines_with("again after 0.8 s") + lines_with("again after 0.7 s"), 1);
    /* What the microphone heard meanwhile is missing, and nothing else. */
    assert_in_range(card.skipped, 700 * 44, 1000 * 44.2);
    assert_int_equal(card.repeated + card.disordered, 0);
    assert_int_equal(last_run().dropped, 0);
    assert_int_equal(last_run().underruns, 1);
    /* That was no reason to keep more than before. */
    assert_in_range(atomic_load(&recorder.status->delay_ns), 9 * NS_PER_MS, 11 * NS_PER_MS);
}

/* It dies at the third read, over and over: no faster than the retries, and the log does not grow
 * with it. */
static void test_dying_again_and_again(void **state)
{
    (void)state;
    mic.die_after = 2;
    card_start(CD);
    run_ms(60000);
    assert_in_range(mic.opens, 100, 250);
    assert_true(line_count < 2 * (20 + 60 + 1));
    mic.die_after = 0;
    card_stop();
    run_ms(4000);
    assert_int_equal(last_run().frames, card.frames);
}

/* Some blocks come late, all at once: no frame is lost by that, and what it takes to bridge such a
 * pause the next time is kept, and given up again in some minutes. */
static void test_a_pause(void **state)
{
    (void)state;
    card_start(CD);
    for (int i = 1; i <= 6; i++) {
        run_ms(3000);
        mic.held = true;
        run_ms(25);
        mic.held = false;
    }
    run_ms(3000);
    watch_delay();
    run_ms(1000);
    assert_true(card.least > LATENCY_MS + 5 && card.most < LATENCY_MS + 25);
    run_ms(140000);
    watch_delay();
    run_ms(1000);
    assert_true(card.least > LATENCY_MS - 1 && card.most < LATENCY_MS + 1);
    card_stop();
    run_ms(100);
    assert_exact();
    assert_in_range(last_run().underruns, 1, 3); /* the others were bridged */
}

static void test_a_noisy_server(void **state)
{
    (void)state;
    mic.jitter_ns = 4 * NS_PER_MS;
    mic.ppm = 200;
    card_start(CD);
    run_ms(120000);
    card_stop();
    run_ms(100);
    assert_exact();
    assert_int_equal(last_run().underruns, 0);
    assert_true(card.most < LATENCY_MS + 6);
}

/* A host that gives more at a time than is asked for. */
static void test_large_blocks(void **state)
{
    (void)state;
    mic.block_ns = 40 * NS_PER_MS;
    card_start(CD);
    run_ms(60000);
    watch_delay();
    run_ms(60000);
    card_stop();
    run_ms(100);
    assert_exact();
    assert_in_range(last_run().underruns, 1, 2);
    assert_true(card.most < 60);
}

/* --- clocks --- */

/* In coarse steps, and at a low rate, so that it takes no more than seconds. */
static void records_for_an_hour(double ppm)
{
    const double frames = 3600.0 * TELEPHONE * (1 + ppm / 1e6);

    mic.ppm = ppm;
    mic.tick = 4 * NS_PER_MS;
    settings.in_latency_us = 40000;
    recorder_init(&recorder, &settings, "adc", &intake, &status);
    card_start(TELEPHONE);
    run_ms(60000);
    watch_delay();
    run_ms(3540000);
    card_stop();
    run_ms(10);
    assert_exact();
    assert_int_equal(last_run().underruns, 0);
    /* Two ticks more or less. */
    assert_true(card.least > 40 - 8 && card.most < 40 + 8);
    assert_true(fabs(atomic_load(&recorder.status->clock_ppb) / 1000.0 - ppm) < 100);
    assert_in_range(card.frames, frames - 200, frames + 200);
}

static void test_an_hour_of_a_fast_microphone(void **state)
{
    (void)state;
    records_for_an_hour(500);
}

static void test_an_hour_of_a_slow_microphone(void **state)
{
    (void)state;
    records_for_an_hour(-500);
}

/* The card plays too, and its clock is the sink's. */
enum { BESIDE_MS = 120000 };

static struct run_line records_beside_a_sink(double sink_ppm, double mic_ppm)
{
    mic.ppm = mic_ppm;
    card.ppm = sink_ppm;
    card.follows = false;
    rt_intake_follow(&intake, false);
    card_start(CD);
    run_ms(BESIDE_MS);
    card_stop();
    run_ms(100);
    assert_int_equal(card.disordered, 0);
    assert_int_equal(last_run().underruns + last_run().overruns, 0);
    assert_int_equal(last_run().dropped, card.skipped);
    assert_int_equal(last_run().repeated, card.repeated);
    /* A quarter of the latency, and what a second makes. */
    assert_true(card.least > LATENCY_MS - 4 && card.most < LATENCY_MS + 4);
    return last_run();
}

static void test_a_slower_sink(void **state)
{
    struct run_line l = records_beside_a_sink(-300, 300);

    (void)state;
    assert_in_range(l.dropped, BESIDE_MS * 1e-3 * CD * 600e-6 - 150,
                    BESIDE_MS * 1e-3 * CD * 600e-6 + 50);
    assert_int_equal(l.repeated, 0);
}

static void test_a_faster_sink(void **state)
{
    struct run_line l = records_beside_a_sink(200, -100);

    (void)state;
    assert_in_range(l.repeated, BESIDE_MS * 1e-3 * CD * 300e-6 - 150,
                    BESIDE_MS * 1e-3 * CD * 300e-6 + 50);
    assert_int_equal(l.dropped, 0);
}

static void test_a_sink_of_the_same_clock(void **state)
{
    mic.jitter_ns = 2 * NS_PER_MS;
    (void)state;
    records_beside_a_sink(120, 120);
    assert_exact();
}

/* The guest begins to play while it records, and ends: exact before and after. */
static void test_playing_meanwhile(void **state)
{
    uint64_t skipped;

    (void)state;
    mic.ppm = 400;
    card_start(CD);
    run_ms(30000);
    assert_int_equal(card.skipped, 0);
    card.follows = false;
    rt_intake_follow(&intake, false);
    run_ms(60000);
    assert_in_range(card.skipped, 60 * CD * 400e-6 - 200, 60 * CD * 400e-6 + 50);
    card.follows = true;
    rt_intake_follow(&intake, true);
    run_ms(100);
    skipped = card.skipped;
    run_ms(60000);
    assert_int_equal(card.skipped, skipped);
    assert_int_equal(card.repeated, 0);
    assert_in_range(atomic_load(&recorder.status->delay_ns), 9 * NS_PER_MS, 11 * NS_PER_MS);
    card_stop();
    run_ms(10);
    assert_int_equal(last_run().dropped, skipped);
    assert_int_equal(last_run().underruns, 0);
}

/* --- guests that misbehave, and hosts that stop them --- */

static void test_a_guest_that_was_stopped(void **state)
{
    struct run_line l;

    (void)state;
    card_start(CD);
    run_ms(1000);
    mic.passing = NULL;
    run_ms(5000);
    mic.passing = card_runs;
    watch_delay();
    run_ms(1000);
    assert_true(card.most < 5100); /* what was in the ring has gone */
    watch_delay();
    run_ms(1000);
    card_stop();
    run_ms(10);
    l = last_run();
    assert_int_equal(l.overruns, 1);
    assert_int_equal(l.dropped, card.skipped);
    assert_in_range(l.dropped, 4900 * 44, 5100 * 44.2);
    assert_true(card.most < LATENCY_MS + 5);
}

static void test_starts_without_end(void **state)
{
    (void)state;
    for (int i = 0; i < 4000; i++) {
        card_start(i % 2 ? CD : TELEPHONE);
        run_ms(0.25);
        card_stop();
        run_ms(i % 3 ? 0.25 : 0);
    }
    /* A second and a half. */
    assert_in_range(mic.opens, 2, 90);
    assert_in_range(line_count, 20, 24);
    run_ms(10);
    card.last = 0;
    card_start(CD);
    run_ms(200);
    assert_true(card.last > 0);
    run_ms(20000);
    card_stop();
    run_ms(10);
    assert_int_equal(last_run().overruns, 0);
    assert_int_equal(card.disordered, 0);
}

/* In the same instant: the last one counts. */
static void test_starts_in_one_instant(void **state)
{
    (void)state;
    for (int i = 0; i < 100000; i++) {
        card_start(CD);
        card_read(1);
        card_stop();
    }
    card_start(CD);
    run_ms(100);
    card_stop();
    run_ms(10);
    assert_int_equal(mic.opens, 1);
    assert_int_equal(line_count, 1);
    assert_exact();
}

static void test_prepares_without_end(void **state)
{
    (void)state;
    for (int i = 0; i < 4000; i++) {
        rt_intake_prepare(&intake, i % 2 ? CD : TELEPHONE);
        run_ms(0.75);
    }
    assert_in_range(mic.opens, 0, 150);
    assert_int_equal(line_count, 0);
}

static void test_reads_without_a_start(void **state)
{
    (void)state;
    card_read(100);
    assert_int_equal(card.silent, 100);
    run_ms(10);
    card_stop();
    card_read(100);
    run_ms(10);
    assert_int_equal(card.silent, 200);
    assert_int_equal(mic.attempts, 0);
}

static void test_a_driver_that_cannot_record(void **state)
{
    static const struct audio_driver deaf = {.name = "deaf"};

    (void)state;
    settings.driver = &deaf;
    rt_intake_prepare(&intake, CD);
    run_ms(10);
    for (int i = 0; i < 3; i++) {
        card_start(CD);
        run_ms(1000);
        card_stop();
        run_ms(10);
    }
    assert_int_equal(card.silent, card.frames);
    assert_int_equal(lines_with("-audiodev deaf cannot record"), 1);
}

/* The domain ends while the guest records: what there is to say is said. */
static void test_the_end_in_the_middle(void **state)
{
    (void)state;
    card_start(CD);
    run_ms(500);
    recorder_end(&recorder);
    assert_int_equal(line_count, 1);
    assert_int_equal(last_run().frames, card.frames);
    assert_false(mic.is_open);
    card_stop();
    recorder_step(&recorder, mic.now);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_every_frame_in_order),
        TEST(test_a_start_leaves_what_is_older),
        TEST(test_closed_until_the_guest_records),
        TEST(test_prepared_in_vain),
        TEST(test_prepare_opens_ahead),
        TEST(test_rates_follow_each_other),
        TEST(test_the_slowest_rate),
        TEST(test_a_slow_start),
        TEST(test_absent_at_the_start),
        TEST(test_not_asked_for_when_nobody_records),
        TEST(test_killed_and_back),
        TEST(test_dying_again_and_again),
        TEST(test_a_pause),
        TEST(test_a_noisy_server),
        TEST(test_large_blocks),
        TEST(test_an_hour_of_a_fast_microphone),
        TEST(test_an_hour_of_a_slow_microphone),
        TEST(test_a_slower_sink),
        TEST(test_a_faster_sink),
        TEST(test_a_sink_of_the_same_clock),
        TEST(test_playing_meanwhile),
        TEST(test_a_guest_that_was_stopped),
        TEST(test_starts_without_end),
        TEST(test_starts_in_one_instant),
        TEST(test_prepares_without_end),
        TEST(test_reads_without_a_start),
        TEST(test_a_driver_that_cannot_record),
        TEST(test_the_end_in_the_middle),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
