/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A stream from the card's realtime calls to the bytes that a sound server
 * gets, in virtual time: servers that are slow, away or dying, formats that
 * change, guests that misbehave.
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

#include "audio/feed.h"
#include "audio/player.h"
#include "base/clock.h"
#include "base/log.h"
#include "fakes/fake_driver.h"

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
    uint64_t frames, dropped, underruns, overruns, median, max;
};

static struct run_line last_run(void)
{
    struct run_line l = {0};
    unsigned i = line_count;

    while (i > 0 && strncmp(lines[(i - 1) % KEPT], "stream dac2: ", 13) != 0) {
        i--;
    }
    assert_true(i > 0);
    assert_int_equal(sscanf(lines[(i - 1) % KEPT],
                            "stream dac2: frames=%" SCNu64 " dropped=%" SCNu64 " underruns=%" SCNu64
                            " overruns=%" SCNu64 " delay_us_median=%" SCNu64
                            " delay_us_max=%" SCNu64,
                            &l.frames, &l.dropped, &l.underruns, &l.overruns, &l.median, &l.max),
                     6);
    return l;
}

/* --- the world: a card, a stream, a server --- */

static const struct pcm_format cd = {44100, 2, 16}, telephone = {8000, 1, 8},
                               radio = {22050, 1, 16};

static struct audio_settings settings;
static struct feed feed;
static struct player player;
static struct stream_status status;

/* The card: runs by the clock, as fast as the stream tells it. */
static struct {
    bool running;
    struct pcm_format format;
    double due;      /* frames, of which the next whole ones are written */
    uint32_t number; /* of the next frame, over all runs */
} card;

/* Frame n, never silence: 7 bits a byte and a bit that is always set. */
static void put_frame(uint8_t *to, uint32_t n, const struct pcm_format *format)
{
    for (uint32_t i = 0; i < pcm_frame_bytes(format); i++, n >>= 7) {
        to[i] = (uint8_t)(1 | n << 1);
    }
}

static void card_write(uint32_t frames)
{
    uint8_t buffer[4 * 512];

    assert_true(frames <= 512);
    for (uint32_t i = 0; i < frames; i++) {
        put_frame(buffer + i * pcm_frame_bytes(&card.format), card.number++, &card.format);
    }
    rt_feed_write(&feed, buffer, frames);
}

static void card_start(const struct pcm_format *format)
{
    card.running = true;
    card.format = *format;
    card.due = 0;
    rt_feed_start(&feed, format);
}

static void card_stop(void)
{
    card.running = false;
    rt_feed_stop(&feed);
}

/* A tick has passed. */
static void card_runs(void)
{
    if (card.running) {
        double ppm = atomic_load(&player.status->clock_ppb) / 1000.0;

        card.due += card.format.rate * 1e-9 * (double)fake.tick * (1 + ppm / 1e6);
        card_write((uint32_t)card.due);
        card.due -= (uint32_t)card.due;
    }
}

/* The stream's thread: steps, and sleeps as stream.c does. */
static void run_ms(double ms)
{
    uint64_t end = fake.now + (uint64_t)(ms * 1e6);
    unsigned idle_steps = 0;

    while (fake.now < end) {
        unsigned seen = feed_events(&feed);
        uint64_t began = fake.now;
        struct player_wake wake = player_step(&player, began);

        idle_steps = fake.now == began ? idle_steps + 1 : 0;
        assert_true(idle_steps < 2000); /* or it would never sleep */
        if (wake.at > fake.now && feed_sleep(&feed, wake.bytes, seen)) {
            idle_steps = 0;
            while (fake.now < wake.at && fake.now < end && feed_events(&feed) == seen &&
                   atomic_load(&feed.wake_level) != FEED_AWAKE) {
                fake_driver_pass(fake.tick);
            }
            feed_wake_up(&feed);
        }
    }
}

static int setup(void **state)
{
    (void)state;
    fake_driver_reset();
    fake.passing = card_runs;
    settings = (struct audio_settings){
        .driver = &fake_audio_driver, .id = (char *)"snd0", .out_latency_us = 10000};
    memset(&card, 0, sizeof(card));
    memset(&status, 0, sizeof(status));
    line_count = 0;
    if (!feed_init(&feed, NULL)) {
        return -1;
    }
    player_init(&player, &settings, "dac2", &feed, &status);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    player_end(&player);
    feed_free(&feed);
    fake_driver_reset();
    return 0;
}

/* The server got the frames [first, end), in this format, from byte *at on: each once and in order.
 * *at moves behind them. */
static void assert_heard(size_t *at, uint32_t first, uint32_t end, const struct pcm_format *format)
{
    uint32_t frame_bytes = pcm_frame_bytes(format);
    uint8_t expected[4];

    assert_true(*at + (size_t)(end - first) * frame_bytes <= fake.length);
    for (uint32_t n = first; n < end; n++, *at += frame_bytes) {
        put_frame(expected, n, format);
        assert_memory_equal(fake.bytes + *at, expected, frame_bytes);
    }
}

/* The silence before so many runs is what the latency asks for, less the pieces of sound that the
 * card had made by then. */
static void assert_lead(unsigned runs, const struct pcm_format *format)
{
    uint32_t latency = runs * audio_latency_frames(&settings, format);

    assert_in_range(fake.silence, latency * 3 / 4 - 1, latency);
}

/* --- playing --- */

static void test_every_frame_in_order(void **state)
{
    size_t at = 0;
    struct run_line l;

    (void)state;
    card_start(&cd);
    run_ms(2000);
    card_stop();
    run_ms(100);
    assert_in_range(card.number, 88000, 88300);
    assert_heard(&at, 0, card.number, &cd);
    assert_int_equal(at, fake.length);
    assert_lead(1, &cd);
    l = last_run();
    assert_int_equal(l.frames, card.number);
    assert_int_equal(l.dropped, 0);
    assert_int_equal(l.underruns, 0);
    assert_int_equal(l.overruns, 0);
    assert_in_range(l.median, 9000, 11000);
    assert_in_range(l.max, 9500, 10500);
    assert_int_equal(line_count, 1);
}

static void test_a_short_sound_is_heard(void **state)
{
    size_t at = 0;

    (void)state;
    card_start(&cd);
    card_write(100);
    card_stop();
    run_ms(50);
    assert_heard(&at, 0, 100, &cd);
    assert_true(fake.first_played > 0 && fake.dry == 1);
    assert_int_equal(fake.closes, 0);
}

/* There are servers that play whole blocks only. */
static void test_the_last_block_is_filled_up(void **state)
{
    uint64_t silence;

    (void)state;
    fake.block_ns = 2 * NS_PER_MS;
    card_start(&cd);
    run_ms(300);
    silence = fake.silence; /* before the first frame */
    card_stop();
    run_ms(300);
    assert_int_equal(fake.silence, silence + 88);
    assert_int_equal(fake.dry, 1); /* it came in time */

    /* What follows at once fills it up itself. */
    card_start(&cd);
    run_ms(300);
    silence = fake.silence;
    card_stop();
    card_start(&cd);
    run_ms(300);
    assert_int_equal(fake.silence, silence);
    assert_int_equal(fake.dry, 1);
}

static void test_the_sink_waits_for_the_next_sound(void **state)
{
    (void)state;
    for (int i = 0; i < 3; i++) {
        card_start(&cd);
        run_ms(100);
        card_stop();
        run_ms(4900);
    }
    assert_int_equal(fake.opens, 1);
    run_ms(200);
    assert_int_equal(fake.closes, 1);
    card_start(&cd);
    run_ms(100);
    assert_int_equal(fake.opens, 2);
    assert_int_equal(line_count, 3); /* a run each, and nothing of the sink */
}

/* As a card does that is paused, at any point and for any time: what it had fetched is heard, and
 * neither end counts against the host. */
static void test_stopped_and_started_again(void **state)
{
    uint32_t random = 1;
    size_t at = 0;

    (void)state;
    for (unsigned i = 0; i < 100; i++) {
        random = random * 1664525 + 1013904223;
        card_start(&cd);
        run_ms(1 + (random >> 8) % 100);
        card_stop();
        run_ms((random >> 16) % (i % 10 ? 40 : 8000));
    }
    card_start(&cd);
    run_ms(500);
    assert_in_range(status.delay_ns, 9.5 * NS_PER_MS, 10.5 * NS_PER_MS);
    card_stop();
    run_ms(100);
    assert_heard(&at, 0, card.number, &cd);
    assert_int_equal(at, fake.length);
    assert_int_equal(status.underruns, 0);
    assert_int_equal(status.dropped_by_host, 0);
    assert_int_equal(status.target_ns, 10 * NS_PER_MS);
    assert_int_equal(feed_get_counts(&feed).dropped, 0);
}

static void test_prepare_opens_ahead(void **state)
{
    (void)state;
    fake.opening_takes = 300 * NS_PER_MS;
    rt_feed_prepare(&feed, &cd);
    run_ms(400);
    assert_int_equal(fake.opens, 1);
    card_start(&cd);
    run_ms(30);
    assert_int_equal(fake.opens, 1);
    assert_true(fake.first_played > 0);
    card_stop();
    run_ms(6000);
    assert_int_equal(fake.closes, 1);
}

static void test_prepared_in_vain(void **state)
{
    (void)state;
    rt_feed_prepare(&feed, &cd);
    run_ms(6000);
    assert_int_equal(fake.opens, 1);
    assert_int_equal(fake.closes, 1);
    assert_int_equal(line_count, 0);
}

/* Saved at any moment, what has not come to the host yet goes on in another stream: between them
 * each frame is heard once, in order. */
static void test_goes_on_elsewhere(void **state)
{
    static uint8_t waiting[FEED_RING_BYTES];
    size_t size = 0;

    (void)state;
    for (unsigned i = 0; i < 300; i++) {
        size_t at = 0;
        uint32_t first = card.number;

        card_start(&cd);
        run_ms(0.25 * (i % 60));
        size = rt_feed_unplayed(&feed, waiting, sizeof(waiting));
        assert_int_equal(size % 4, 0);
        assert_int_equal(rt_feed_unplayed(&feed, waiting, 4), size < 4 ? size : 4);
        rt_feed_unplayed(&feed, waiting, sizeof(waiting));

        /* The host goes down; another has the rest. */
        player_end(&player);
        feed_free(&feed);
        assert_true(feed_init(&feed, NULL));
        player_init(&player, &settings, "dac2", &feed, &status);
        rt_feed_start(&feed, &cd);
        rt_feed_write(&feed, waiting, (uint32_t)size / 4);
        run_ms(5);
        card_stop();
        run_ms(30);
        assert_int_equal(rt_feed_unplayed(&feed, waiting, sizeof(waiting)), 0);
        assert_heard(&at, first, card.number, &cd);
        assert_int_equal(at, fake.length);
        fake.length = 0;
    }
}

/* --- formats --- */

/* Frames of one byte, an odd number of them, then of two, then of four. */
static void test_formats_follow_each_other(void **state)
{
    size_t at = 0;
    uint32_t first, second;

    (void)state;
    card_start(&telephone);
    run_ms(300);
    card_write(card.number % 2 ? 2 : 1);
    first = card.number;
    card_start(&radio); /* without a stop between */
    run_ms(300);
    assert_int_equal(fake.cut, 0); /* the old sink has played all it had */
    second = card.number;
    card_stop();
    card_start(&cd);
    run_ms(300);
    assert_int_equal(fake.cut, 0);
    card_stop();
    run_ms(100);

    assert_heard(&at, 0, first, &telephone);
    assert_heard(&at, first, second, &radio);
    assert_heard(&at, second, card.number, &cd);
    assert_int_equal(fake.opens, 3);
    assert_int_equal(lines_with("dropped=0 underruns=0 overruns=0"), 3);
    assert_int_equal(line_count, 3);
}

/* The slowest that the chip can be: a frame each 6 ms, and the latency is one of them. */
static void test_the_slowest_format(void **state)
{
    const struct pcm_format slowest = {172, 1, 8};
    size_t at = 0;

    (void)state;
    card_start(&slowest);
    run_ms(3000);
    card_stop();
    run_ms(100);
    assert_in_range(card.number, 510, 520);
    assert_heard(&at, 0, card.number, &slowest);
    assert_int_equal(last_run().dropped, 0);
}

/* --- the server --- */

static void test_a_slow_start_loses_nothing(void **state)
{
    size_t at = 0;

    (void)state;
    fake.opening_takes = 240 * NS_PER_MS;
    card_start(&cd);
    run_ms(1000);
    assert_true(atomic_load(&player.status->delay_ns) > 200 * NS_PER_MS);
    run_ms(14000); /* 240 ms at 30 ms a second take 8 s, and the last few longer */
    assert_in_range(atomic_load(&player.status->delay_ns), 8 * NS_PER_MS, 13 * NS_PER_MS);
    card_stop();
    run_ms(100);
    assert_heard(&at, 0, card.number, &cd);
    assert_int_equal(last_run().dropped, 0);
    assert_int_equal(last_run().underruns, 0);
    assert_int_equal(line_count, 1);
}

/* What would be heard much too late is not heard, and the rest is on time. */
static void test_a_very_slow_start_is_cut(void **state)
{
    size_t at = 0;

    (void)state;
    fake.opening_takes = 800 * NS_PER_MS;
    card_start(&cd);
    run_ms(3000);
    assert_in_range(atomic_load(&player.status->delay_ns), 8 * NS_PER_MS, 22 * NS_PER_MS);
    card_stop();
    run_ms(100);
    assert_in_range(last_run().dropped, 770 * 44, 800 * 44.2);
    assert_heard(&at, (uint32_t)last_run().dropped, card.number, &cd);
    assert_int_equal(last_run().overruns, 0);
}

static void test_absent_at_the_start(void **state)
{
    size_t at = 0;
    uint64_t back;

    (void)state;
    fake.away = true;
    card_start(&cd);
    run_ms(3100);
    assert_int_equal(fake.attempts, 13); /* at once, and each 250 ms */
    assert_int_equal(line_count, 1);
    assert_int_equal(lines_with("nobody answers"), 1);
    fake.away = false;
    back = fake.now;
    run_ms(2000);
    assert_true(fake.first_played - back < 300 * NS_PER_MS);
    assert_int_equal(line_count, 2);
    assert_int_equal(lines_with("dac2: sound is back after 3."), 1);
    card_stop();
    run_ms(100);
    /* From the return on, all of it. */
    assert_heard(&at, (uint32_t)last_run().dropped, card.number, &cd);
    assert_in_range(last_run().dropped, 3100 * 44, 3400 * 44.2);
    assert_int_equal(last_run().frames, card.number);
    assert_int_equal(last_run().overruns, 0);
    assert_int_equal(atomic_load(&player.status->reopened), 1);
}

/* The attempts themselves take long, and what comes while the good one lasts is heard. */
static void test_absent_and_slow(void **state)
{
    size_t at = 0;
    uint64_t played;

    (void)state;
    fake.away = true;
    fake.opening_takes = 240 * NS_PER_MS;
    card_start(&cd);
    run_ms(540);
    fake.away = false; /* that is, at the end of the third attempt */
    run_ms(2000);
    card_stop();
    run_ms(1000);
    assert_int_equal(fake.attempts, 4);
    assert_heard(&at, (uint32_t)last_run().dropped, card.number, &cd);
    /* Three attempts have failed, each begun 250 ms after the one before. */
    assert_in_range(last_run().dropped, 730 * 44, 750 * 44.2);
    played = last_run().frames - last_run().dropped;
    assert_int_equal(at, played * 4);
}

static void test_killed_and_back(void **state)
{
    size_t at = 0;
    char why[STATUS_TEXT_BYTES];
    uint32_t killed, n = 0;
    uint8_t expected[4];
    uint64_t died;

    (void)state;
    card_start(&cd);
    run_ms(1000);
    assert_true(status.host_open);
    assert_in_range(recent_summary(&status.delays_us).median, 8000, 13000);
    fake.dead = fake.away = true;
    killed = card.number;
    died = fake.now;
    run_ms(700);
    assert_false(status.host_open);
    assert_in_range(status.lost_ns, died, died + 20 * NS_PER_MS);
    assert_true(status_text_get(&status.error, why));
    assert_string_equal(why, "nobody answers"); /* the latest, no longer that it has gone away */
    fake.away = false;
    run_ms(1000);
    assert_true(status.host_open);
    assert_int_equal(status.lost_ns, 0);
    card_stop();
    run_ms(100);
    assert_int_equal(fake.opens, 2);
    assert_int_equal(line_count, 3); /* lost, back, and the run */
    assert_int_equal(lines_with("it has gone away"), 1);
    assert_int_equal(
        lines_with("sound is back after 0.8 s") + lines_with("sound is back after 0.7 s"), 1);
    assert_in_range(last_run().dropped, 700 * 44.0, 1000 * 44.2);

    /* In order up to the death, and again from the return to the end. */
    while (put_frame(expected, n, &cd), memcmp(fake.bytes + at, expected, 4) == 0) {
        n++;
        at += 4;
    }
    assert_in_range(n, killed - 800, killed + 100);
    assert_heard(&at, n + (uint32_t)last_run().dropped, card.number, &cd);
    assert_int_equal(at, fake.length);
}

/* The server was restarted between two sounds: the second finds it out, and is heard whole. */
static void test_restarted_between_sounds(void **state)
{
    size_t at = 0;
    uint32_t first;

    (void)state;
    card_start(&cd);
    run_ms(500);
    card_stop();
    run_ms(500);
    first = card.number;
    fake.dead = true;
    card_start(&cd);
    run_ms(500);
    card_stop();
    run_ms(100);
    assert_int_equal(fake.opens, 2);
    assert_int_equal(last_run().dropped, 0);
    assert_heard(&at, 0, first, &cd);
    assert_heard(&at, first, card.number, &cd);
}

/* It lets a sink be opened, and dies at the third write, over and over: no faster than the retries,
 * and the log does not grow with it. */
static void test_dying_again_and_again(void **state)
{
    (void)state;
    fake.die_after = 2;
    card_start(&cd);
    run_ms(60000);
    assert_in_range(fake.opens, 100, 250);
    assert_true(line_count < 2 * (20 + 60 + 1));
    fake.die_after = 0;
    card_stop();
    run_ms(4000);
    assert_int_equal(last_run().frames, card.number);
}

/* A server that hangs: the ring runs over, and when it goes on, sound is on time again. */
static void test_stuck(void **state)
{
    struct run_line l;

    (void)state;
    card_start(&cd);
    run_ms(1000);
    fake.stuck = true;
    fake_driver_pass(5000 * NS_PER_MS); /* the thread waits in a write meanwhile */
    fake.stuck = false;
    run_ms(1000);
    assert_in_range(atomic_load(&player.status->delay_ns), 8 * NS_PER_MS, 25 * NS_PER_MS);
    card_stop();
    run_ms(100);
    l = last_run();
    assert_int_equal(l.overruns, 1);
    assert_in_range(l.dropped, 4900 * 44, 5100 * 44.2);
    assert_int_equal(l.frames, card.number);
    /* Each frame is either heard or counted as lost. */
    assert_int_equal(fake.length, (l.frames - l.dropped) * 4);
}

/* --- clocks --- */

static void plays_against(double ppm, double noise_ms)
{
    struct run_line l;

    fake.ppm = ppm;
    fake.noise_ns = noise_ms * 1e6;
    card_start(&cd);
    run_ms(60000);
    assert_in_range(atomic_load(&player.status->delay_ns), 7 * NS_PER_MS, 14 * NS_PER_MS);
    assert_true(fabs(atomic_load(&player.status->clock_ppb) / 1000.0 - ppm) < 60);
    card_stop();
    run_ms(100);
    l = last_run();
    assert_int_equal(l.dropped + l.underruns + l.overruns, 0);
    assert_int_equal(fake.dry, 1); /* at its end */
    assert_in_range(l.median, 9000, 11000);
}

static void test_a_fast_sink(void **state)
{
    (void)state;
    plays_against(300, 0);
}

static void test_a_slow_sink(void **state)
{
    (void)state;
    plays_against(-300, 0);
}

static void test_a_noisy_sink(void **state)
{
    (void)state;
    plays_against(800, 1);
}

static uint64_t delay_ns(void)
{
    return atomic_load(&player.status->delay_ns);
}

/* The card is not scheduled for so long, and comes up with all it missed. */
static void stall(double ms)
{
    fake.passing = NULL;
    fake_driver_pass((uint64_t)(ms * 1e6));
    fake.passing = card_runs;
    for (double due = ms * 44.1; due >= 1; due -= 441) {
        card_write((uint32_t)(due < 441 ? due : 441));
    }
}

static void test_underruns_are_seen(void **state)
{
    (void)state;
    card_start(&cd);
    for (int i = 0; i < 3; i++) {
        run_ms(1000);
        stall(14 + 4 * i);
    }
    run_ms(1000);
    card_stop();
    run_ms(100);
    assert_int_equal(fake.dry, 4);
    assert_int_equal(last_run().underruns, 3);
    assert_int_equal(last_run().dropped, 0);
    assert_int_equal(fake.length, card.number * 4);
}

/* After a stall the delay is what it would have taken, is kept for a while, and comes back. */
static void test_the_delay_grows_and_comes_back(void **state)
{
    size_t at = 0;

    (void)state;
    card_start(&cd);
    run_ms(1000);
    stall(16);
    run_ms(500);
    assert_in_range(delay_ns(), 15.5 * NS_PER_MS, 17.5 * NS_PER_MS);
    stall(14); /* now it is deep enough */
    run_ms(9000);
    assert_in_range(delay_ns(), 15.5 * NS_PER_MS, 17.5 * NS_PER_MS);
    run_ms(15000);
    assert_in_range(delay_ns(), 12 * NS_PER_MS, 15 * NS_PER_MS);
    run_ms(20000);
    assert_in_range(delay_ns(), 9.9 * NS_PER_MS, 10.1 * NS_PER_MS);
    card_stop();
    run_ms(100);
    assert_int_equal(last_run().underruns, 1);
    assert_int_equal(last_run().dropped, 0);
    assert_heard(&at, 0, card.number, &cd);
}

/* One long stall does not make sound that much later. */
static void test_the_delay_grows_by_steps(void **state)
{
    (void)state;
    card_start(&cd);
    run_ms(1000);
    stall(100);
    run_ms(500);
    assert_in_range(delay_ns(), 18 * NS_PER_MS, 21 * NS_PER_MS);
    card_stop();
    run_ms(100);
    assert_in_range(last_run().dropped, 79 * 44, 82 * 44.2);
    assert_int_equal(last_run().underruns, 1);
}

/* However often and long it stalls, the delay has a bound; what is beyond it is dropped. */
static void test_the_delay_has_a_bound(void **state)
{
    (void)state;
    card_start(&cd);
    for (int i = 0; i < 50; i++) {
        run_ms(500);
        stall(20 + 2 * i);
        run_ms(100);
        assert_true(delay_ns() < 66 * NS_PER_MS);
    }
    run_ms(130000);
    assert_in_range(delay_ns(), 9.7 * NS_PER_MS, 10.5 * NS_PER_MS);
    card_stop();
    run_ms(100);
    assert_true(last_run().dropped > 0);
    assert_int_equal(last_run().frames, card.number);
    assert_int_equal(fake.length, (card.number - last_run().dropped) * 4);
}

/* A sink that takes 25 ms at a time cannot be served with 10, from the first frame on. */
static void test_a_sink_of_large_blocks(void **state)
{
    (void)state;
    fake.block_ns = 25 * NS_PER_MS;
    card_start(&cd);
    run_ms(200);
    assert_in_range(delay_ns(), 29 * NS_PER_MS, 32 * NS_PER_MS);
    run_ms(20000);
    assert_in_range(delay_ns(), 29 * NS_PER_MS, 32 * NS_PER_MS);
}

/* An hour against a sink whose clock is off: nothing is lost, and the delay stays where it is. */
static void plays_an_hour(double ppm)
{
    uint64_t least = UINT64_MAX, most = 0;

    settings.out_latency_us = 20000;
    player_init(&player, &settings, "dac2", &feed, &status);
    fake.ppm = ppm;
    fake.noise_ns = 0.1e6;
    fake.tick = 4 * NS_PER_MS; /* or this would take long */
    card_start(&telephone);
    run_ms(5000);
    for (int i = 0; i < 3600; i++) {
        run_ms(1000);
        least = delay_ns() < least ? delay_ns() : least;
        most = delay_ns() > most ? delay_ns() : most;
    }
    card_stop();
    run_ms(100);
    assert_in_range(least, 19 * NS_PER_MS, 20 * NS_PER_MS);
    assert_in_range(most, 20 * NS_PER_MS, 22 * NS_PER_MS);
    assert_int_equal(last_run().underruns, 0);
    assert_int_equal(last_run().dropped, 0);
    assert_int_equal(fake.length, card.number);
}

static void test_an_hour_of_a_fast_sink(void **state)
{
    (void)state;
    plays_an_hour(500);
}

static void test_an_hour_of_a_slow_sink(void **state)
{
    (void)state;
    plays_an_hour(-500);
}

/* --- guests that misbehave --- */

/* Starts and stops in the same instant, more than there are marks: every frame is heard or counted,
 * the log keeps its measure, and the next sound plays. */
static void test_starts_without_end(void **state)
{
    struct feed_counts counts;
    uint64_t heard = 0, dropped;
    uint32_t first;
    size_t at;

    (void)state;
    for (int i = 0; i < 1000; i++) {
        card_start(i % 2 ? &cd : &radio);
        card_write(1);
        card_stop();
    }
    run_ms(5000);
    assert_in_range(line_count, 20, 26);
    counts = feed_get_counts(&feed);
    assert_int_equal(counts.frames, 1000);
    for (size_t i = 0; i < fake.length; i++) {
        heard += fake.bytes[i] == 1 || (fake.bytes[i] & 1);
    }
    dropped = counts.dropped + status.dropped_by_host;
    /* Those in the sink's format, and the last that was let in. */
    assert_int_equal(heard, (1000 - dropped - 1) * 2 + 4);
    assert_true(counts.dropped < 1000);

    run_ms(10000);
    at = fake.length;
    first = card.number;
    card_start(&cd);
    run_ms(100);
    assert_heard(&at, first, first + 4000, &cd);
}

/* Each in another format than the one before, and over before that has been heard: they do not line
 * up, and the sound after them is in time. */
static void test_formats_too_fast_to_be_heard(void **state)
{
    const struct pcm_format *const formats[] = {&radio, &telephone};
    uint32_t first;
    size_t at;

    (void)state;
    card_start(&cd);
    run_ms(300);
    card_stop();
    for (unsigned i = 0; i < 20; i++) {
        card_start(formats[i % 2]);
        run_ms(0.25);
        card_write(10);
        card_stop();
    }
    at = fake.length;
    first = card.number;
    card_start(&radio);
    run_ms(100);
    assert_true(fake.opens <= 3);
    assert_int_equal(fake.cut, 0);
    assert_in_range(status.delay_ns, 0, 15 * NS_PER_MS);
    assert_heard(&at, first, first + 1800, &radio);
    assert_int_equal(feed_get_counts(&feed).dropped, 0);
}

/* While the marks are full a run is kept out, and let in as soon as there is room. */
static void test_a_run_kept_out_comes_in(void **state)
{
    struct feed_counts counts;

    (void)state;
    for (int i = 0; i < FEED_MARKS; i++) {
        card_start(&cd);
        card_stop();
    }
    card_start(&cd);
    card_write(100);
    assert_int_equal(feed_get_counts(&feed).dropped, 100);
    assert_int_equal(feed_get_counts(&feed).overruns, 1);
    run_ms(500);
    card_stop();
    run_ms(100);
    counts = feed_get_counts(&feed);
    assert_in_range(counts.dropped, 100, 200);
    assert_int_equal(fake.length, (counts.frames - counts.dropped) * 4);
}

static void test_prepares_without_end(void **state)
{
    (void)state;
    for (int i = 0; i < 4000; i++) {
        rt_feed_prepare(&feed, i % 2 ? &cd : &radio);
        run_ms(0.75);
    }
    assert_in_range(fake.opens, 2, 13); /* 3 s: four a second */
    assert_int_equal(line_count, 0);
}

static void test_writes_without_a_start(void **state)
{
    (void)state;
    card.format = cd;
    card_write(100);
    card_stop();
    run_ms(100);
    assert_int_equal(feed_get_counts(&feed).frames, 0);
    assert_int_equal(fake.attempts, 0);
}

/* The domain ends while the guest plays: what there is to say is said. */
static void test_the_end_in_the_middle(void **state)
{
    (void)state;
    card_start(&cd);
    run_ms(500);
    player_end(&player);
    assert_int_equal(line_count, 1);
    assert_int_equal(last_run().frames, card.number);
    assert_false(fake.is_open);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_every_frame_in_order),
        TEST(test_a_short_sound_is_heard),
        TEST(test_the_last_block_is_filled_up),
        TEST(test_the_sink_waits_for_the_next_sound),
        TEST(test_stopped_and_started_again),
        TEST(test_prepare_opens_ahead),
        TEST(test_prepared_in_vain),
        TEST(test_goes_on_elsewhere),
        TEST(test_formats_follow_each_other),
        TEST(test_the_slowest_format),
        TEST(test_a_slow_start_loses_nothing),
        TEST(test_a_very_slow_start_is_cut),
        TEST(test_absent_at_the_start),
        TEST(test_absent_and_slow),
        TEST(test_killed_and_back),
        TEST(test_restarted_between_sounds),
        TEST(test_dying_again_and_again),
        TEST(test_stuck),
        TEST(test_a_fast_sink),
        TEST(test_a_slow_sink),
        TEST(test_a_noisy_sink),
        TEST(test_underruns_are_seen),
        TEST(test_the_delay_grows_and_comes_back),
        TEST(test_the_delay_grows_by_steps),
        TEST(test_the_delay_has_a_bound),
        TEST(test_a_sink_of_large_blocks),
        TEST(test_an_hour_of_a_fast_sink),
        TEST(test_an_hour_of_a_slow_sink),
        TEST(test_starts_without_end),
        TEST(test_formats_too_fast_to_be_heard),
        TEST(test_a_run_kept_out_comes_in),
        TEST(test_prepares_without_end),
        TEST(test_writes_without_a_start),
        TEST(test_the_end_in_the_middle),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
