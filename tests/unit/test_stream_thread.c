/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A stream's two threads for real: that what one writes the other gets, and
 * that it is woken each time. Nothing here waits for a clock: the driver takes
 * all at once, and tells the card's side when it has.
 */
#include <pthread.h>
#include <semaphore.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "audio/driver.h"
#include "audio/stream.h"
#include "base/log.h"

void log_at(enum log_level level, const char *fmt, ...)
{
    (void)level;
    (void)fmt;
}

/* AT_ONCE bursts are 218 ms: more than 250 are not kept. */
enum { BURST = 64, BURSTS = 500, AT_ONCE = 150 };

static const struct pcm_format format = {44100, 2, 16};

/* The driver's, on the stream's thread; the test looks at it when that has ended, but for the
 * semaphore. */
static struct {
    uint32_t next;  /* number of the frame expected */
    uint32_t wrong; /* frames that were another */
    sem_t taken;    /* once for each burst */
} sink;

static void *sink_open(const struct audio_settings *settings, const char *name,
                       const struct pcm_format *f, struct err *err)
{
    (void)settings;
    (void)name;
    (void)err;
    return pcm_format_equal(f, &format) ? &sink : NULL;
}

static long sink_write(void *opaque, const void *data, size_t frames, struct err *err)
{
    const uint8_t *from = data;

    (void)opaque;
    (void)err;
    for (size_t i = 0; i < frames; i++) {
        uint32_t frame;

        memcpy(&frame, from + 4 * i, 4);
        sink.wrong += frame != ++sink.next;
        if (sink.next % BURST == 0) {
            sem_post(&sink.taken);
        }
    }
    return (long)frames;
}

static bool sink_state(void *opaque, struct audio_sink_state *state)
{
    (void)opaque;
    (void)state;
    return false;
}

static void sink_close(void *opaque)
{
    (void)opaque;
}

static const struct audio_driver driver = {
    .name = "test",
    .open = sink_open,
    .write = sink_write,
    .state = sink_state,
    .close = sink_close,
};

static const struct audio_settings settings = {
    .driver = &driver, .id = (char *)"snd0", .out_latency_us = 10000};

static uint32_t write_burst(struct stream *s, uint32_t number)
{
    uint32_t frames[BURST];

    for (int i = 0; i < BURST; i++) {
        frames[i] = ++number;
    }
    rt_stream_write(s, frames, BURST);
    return number;
}

static struct stream_status status;

static struct stream *begin(void)
{
    struct stream *s;

    memset(&sink, 0, sizeof(sink));
    memset(&status, 0, sizeof(status));
    sem_init(&sink.taken, 0, 0);
    s = stream_open(&settings, "dac2", &status, NULL);
    assert_non_null(s);
    return s;
}

/* Each burst is worth a write, for which the thread wakes; and it does so whether it was about to
 * sleep or long asleep. */
static void test_woken_for_each_burst(void **state)
{
    struct stream *s = begin();
    uint32_t number = 0;

    (void)state;
    rt_stream_start(s, &format);
    for (int i = 0; i < BURSTS; i++) {
        number = write_burst(s, number);
        sem_wait(&sink.taken);
    }
    rt_stream_stop(s);
    stream_close(s);
    assert_int_equal(sink.next, number);
    assert_int_equal(sink.wrong, 0);
}

/* All at once, while the thread opens, plays and counts. */
static void test_without_waiting(void **state)
{
    struct stream *s = begin();
    struct stream_stats stats;
    uint32_t number = 0;

    (void)state;
    rt_stream_prepare(s, &format);
    rt_stream_start(s, &format);
    for (int i = 0; i < AT_ONCE; i++) {
        number = write_burst(s, number);
        rt_stream_clock_ppm(s);
        stream_get_stats(s, &stats);
    }
    rt_stream_stop(s);
    for (int i = 0; i < AT_ONCE; i++) {
        sem_wait(&sink.taken);
    }
    stream_get_stats(s, &stats);
    assert_int_equal(stats.frames, number);
    assert_int_equal(stats.dropped, 0);
    assert_int_equal(stats.overruns, 0);
    assert_true(stats.sink_open);
    stream_close(s);
    assert_int_equal(sink.next, number);
    assert_int_equal(sink.wrong, 0);
}

static void test_opened_and_closed(void **state)
{
    (void)state;
    for (int i = 0; i < 100; i++) {
        stream_close(begin());
    }
    assert_int_equal(sink.next, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_woken_for_each_burst),
        cmocka_unit_test(test_without_waiting),
        cmocka_unit_test(test_opened_and_closed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
