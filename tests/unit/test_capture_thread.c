/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A capture's two threads for real: that what comes from the source the card
 * gets, and that the thread sees each wish of the guest. Nothing here waits for
 * a clock: the source gives a block when the card's side has asked for it.
 */
#include <poll.h>
#include <pthread.h>
#include <semaphore.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <cmocka.h>

#include "audio/capture.h"
#include "audio/driver.h"
#include "base/log.h"

void log_at(enum log_level level, const char *fmt, ...)
{
    (void)level;
    (void)fmt;
}

/* A block is less than the latency: none of the first is left out. */
enum { BLOCK = 64, BLOCKS = 500, RATE = 44100 };

/* The driver's, on the capture's thread, but for what the test asks of it. */
static struct {
    int asked_fd;  /* blocks that the test wants, as a semaphore */
    uint32_t next; /* number of the next frame */
    sem_t opened, closed;
    sem_t nothing_left; /* posted when the thread waits with all taken */
    atomic_uint rate;
} source;

static void *source_open(const struct audio_settings *settings, const char *name,
                         const struct pcm_format *f, struct err *err)
{
    (void)settings;
    (void)name;
    (void)err;
    atomic_store(&source.rate, f->rate);
    sem_post(&source.opened);
    return &source;
}

static long source_read(void *opaque, void *data, size_t frames, struct err *err)
{
    uint32_t *to = data;
    uint64_t one;

    (void)opaque;
    (void)err;
    if (frames < BLOCK || read(source.asked_fd, &one, sizeof(one)) < 0) {
        return 0;
    }
    for (unsigned i = 0; i < BLOCK; i++) {
        to[i] = ++source.next;
    }
    return BLOCK;
}

static bool source_wait(void *opaque, int fd, uint64_t until_ns, struct err *err)
{
    struct pollfd fds[2] = {{.fd = fd, .events = POLLIN},
                            {.fd = source.asked_fd, .events = POLLIN}};

    (void)opaque;
    (void)err;
    sem_post(&source.nothing_left);
    return poll(fds, 2, until_ns == UINT64_MAX ? -1 : 1) >= 0;
}

static void source_close(void *opaque)
{
    (void)opaque;
    sem_post(&source.closed);
}

static const struct audio_recorder test_recorder = {
    .open = source_open,
    .read = source_read,
    .wait = source_wait,
    .close = source_close,
};

static const struct audio_driver driver = {.name = "test", .recorder = &test_recorder};

static const struct audio_settings settings = {
    .driver = &driver, .id = (char *)"snd0", .in_latency_us = 2000};

static struct stream_status status;

static struct capture *begin(void)
{
    struct capture *c;

    memset(&source, 0, sizeof(source));
    memset(&status, 0, sizeof(status));
    source.asked_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK | EFD_SEMAPHORE);
    sem_init(&source.opened, 0, 0);
    sem_init(&source.closed, 0, 0);
    sem_init(&source.nothing_left, 0, 0);
    c = capture_open(&settings, "adc", &status, NULL);
    assert_non_null(c);
    rt_capture_follow(c, true);
    return c;
}

static void end(struct capture *c)
{
    capture_close(c);
    close(source.asked_fd);
}

static void ask(uint64_t blocks)
{
    assert_int_equal(write(source.asked_fd, &blocks, sizeof(blocks)), sizeof(blocks));
}

/* Reads frames one by one until the one of this number has come; each must follow the last. */
static void read_up_to(struct capture *c, uint32_t *last, uint32_t number)
{
    while (*last < number) {
        uint32_t frame;

        rt_capture_read(c, (int16_t *)&frame, 1);
        if (frame != 0) {
            assert_true(frame == *last + 1 || *last == 0);
            *last = frame;
        }
    }
}

/* The time of a block passes, or what is in it would be older than the start. */
static void read_silence(struct capture *c)
{
    uint32_t frames[BLOCK];

    rt_capture_read(c, (int16_t *)frames, BLOCK);
    for (unsigned i = 0; i < BLOCK; i++) {
        assert_int_equal(frames[i], 0);
    }
}

/* Block after block, each of which the thread is woken for by its source. */
static void test_each_block(void **state)
{
    struct capture *c = begin();
    struct capture_stats stats;
    uint32_t last = 0;

    (void)state;
    rt_capture_start(c, RATE);
    read_silence(c);
    sem_wait(&source.nothing_left); /* it has seen the start */
    for (uint32_t i = 1; i <= BLOCKS; i++) {
        ask(1);
        read_up_to(c, &last, i * BLOCK);
        rt_capture_clock_ppm(c);
        capture_get_stats(c, &stats);
    }
    assert_int_equal(stats.frames, stats.silent + BLOCKS * BLOCK);
    assert_int_equal(stats.dropped + stats.repeated + stats.overruns, 0);
    assert_true(stats.source_open);
    rt_capture_stop(c);
    end(c);
    assert_int_equal(sem_trywait(&source.closed), 0);
}

/* The guest starts, stops and starts while blocks come: the thread is woken, or has seen it anyway,
 * and what is of another run is not read. */
static void test_each_start(void **state)
{
    struct capture *c = begin();

    (void)state;
    for (unsigned i = 0; i < 200; i++) {
        uint32_t frame = 0, last = 0;

        rt_capture_start(c, RATE);
        read_silence(c);
        while (frame == 0) {
            if (sem_trywait(&source.nothing_left) == 0) {
                ask(1);
            }
            rt_capture_read(c, (int16_t *)&frame, 1);
        }
        last = frame;
        read_up_to(c, &last, frame + 10);
        rt_capture_stop(c);
        rt_capture_read(c, (int16_t *)&frame, 1);
        assert_int_equal(frame, 0);
    }
    end(c);
}

static void test_each_rate(void **state)
{
    struct capture *c = begin();

    (void)state;
    for (uint32_t rate = 8000; rate < 8003; rate++) {
        rt_capture_start(c, rate);
        sem_wait(&source.opened);
        assert_int_equal(atomic_load(&source.rate), rate);
    }
    end(c);
}

static void test_opened_and_closed(void **state)
{
    (void)state;
    for (int i = 0; i < 100; i++) {
        end(begin());
    }
    assert_int_equal(sem_trywait(&source.opened), -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each_block),
        cmocka_unit_test(test_each_start),
        cmocka_unit_test(test_each_rate),
        cmocka_unit_test(test_opened_and_closed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
