/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "audio/stream.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "audio/driver.h"
#include "audio/feed.h"
#include "audio/player.h"
#include "base/clock.h"
#include "base/log.h"

struct stream {
    struct feed feed;     /* between the two threads */
    struct player player; /* the thread's own, but for its status */
    atomic_bool quit;
    pthread_t thread;
    int ended_fd; /* readable once the thread needs nothing of this any more */
};

enum { CLOSE_MS = 1000 };

/* Event descriptors take so much that these writes cannot fail. */
static void signal_fd(int fd)
{
    uint64_t one = 1;

    if (write(fd, &one, sizeof(one)) < 0) {
        log_error("cannot signal a thread: %s", strerror(errno));
    }
}

/* Until the time, or the feed's event; the sink's connection works meanwhile. */
static void sleep_until(struct stream *s, uint64_t at, uint64_t now)
{
    const struct audio_driver *driver = s->player.settings->driver;
    struct pollfd fd = {.fd = s->feed.event_fd, .events = POLLIN};
    struct timespec left = {
        .tv_sec = (time_t)((at - now) / NS_PER_S),
        .tv_nsec = (long)((at - now) % NS_PER_S),
    };
    struct err err = {""};

    if (!s->player.sink || !driver->wait) {
        /* Interrupted or not: the loop looks at what there is to do. */
        ppoll(&fd, 1, at == UINT64_MAX ? NULL : &left, NULL);
    } else if (!driver->wait(s->player.sink, fd.fd, at, &err)) {
        player_sink_gone(&s->player, clock_now_ns(), &err);
    }
}

static void *run(void *opaque)
{
    struct stream *s = opaque;

    while (!atomic_load(&s->quit)) {
        unsigned seen = feed_events(&s->feed);
        struct player_wake wake = player_step(&s->player, clock_now_ns());
        uint64_t now = clock_now_ns();

        if (wake.at > now && feed_sleep(&s->feed, wake.bytes, seen)) {
            if (!atomic_load(&s->quit)) {
                sleep_until(s, wake.at, now);
            }
            feed_wake_up(&s->feed);
        }
    }
    player_end(&s->player);
    signal_fd(s->ended_fd);
    return NULL;
}

/* Signals are for the thread that has a loop for them. */
static int start_thread(struct stream *s)
{
    sigset_t all, before;
    int error;

    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    error = pthread_create(&s->thread, NULL, run, s);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return error;
}

struct stream *stream_open(const struct audio_settings *settings, const char *name, struct err *err)
{
    struct stream *s = aligned_alloc(alignof(struct stream), sizeof(*s));
    int error;

    if (!s) {
        err_set(err, "no memory for the stream %s", name);
        return NULL;
    }
    memset(s, 0, sizeof(*s));
    if (!feed_init(&s->feed, err)) {
        goto no_feed;
    }
    player_init(&s->player, settings, name, &s->feed);
    s->ended_fd = eventfd(0, EFD_CLOEXEC);
    if (s->ended_fd < 0) {
        err_set(err, "cannot make an event descriptor for sound: %s", strerror(errno));
        goto no_fd;
    }
    error = start_thread(s);
    if (error) {
        err_set(err, "cannot start the thread of the stream %s: %s", name, strerror(error));
        goto no_thread;
    }
    pthread_setname_np(s->thread, name);
    return s;

no_thread:
    close(s->ended_fd);
no_fd:
    feed_free(&s->feed);
no_feed:
    free(s);
    return NULL;
}

void stream_close(struct stream *s)
{
    struct pollfd ended = {.fd = s->ended_fd, .events = POLLIN};
    int n;

    atomic_store(&s->quit, true);
    signal_fd(s->feed.event_fd);
    do {
        n = poll(&ended, 1, CLOSE_MS);
    } while (n < 0 && errno == EINTR);
    if (n == 0) {
        /* It may come back any time, and then needs all of this. */
        log_warn("%s: the sound server does not let go of the stream: leaving it behind",
                 s->player.name);
        pthread_detach(s->thread);
        return;
    }
    pthread_join(s->thread, NULL);
    close(s->ended_fd);
    feed_free(&s->feed);
    free(s);
}

void stream_get_stats(const struct stream *s, struct stream_stats *stats)
{
    const struct player_status *status = &s->player.status;
    struct feed_counts counts = feed_get_counts(&s->feed);

    *stats = (struct stream_stats){
        .frames = counts.frames,
        .dropped = counts.dropped + atomic_load(&status->dropped),
        .underruns = atomic_load(&status->underruns),
        .overruns = counts.overruns,
        .reopened = atomic_load(&status->reopened),
        .delay_ns = atomic_load(&status->delay_ns),
        .sink_open = atomic_load(&status->sink_open),
    };
}

void rt_stream_prepare(struct stream *s, const struct pcm_format *format)
{
    rt_feed_prepare(&s->feed, format);
}

void rt_stream_start(struct stream *s, const struct pcm_format *format)
{
    rt_feed_start(&s->feed, format);
}

void rt_stream_write(struct stream *s, const void *data, uint32_t frames)
{
    rt_feed_write(&s->feed, data, frames);
}

void rt_stream_stop(struct stream *s)
{
    rt_feed_stop(&s->feed);
}

uint32_t rt_stream_unplayed(const struct stream *s, void *to, uint32_t frames)
{
    uint32_t frame_bytes = pcm_frame_bytes(&s->feed.rt.format);

    if (frame_bytes == 0) {
        return 0; /* nothing has ever been played */
    }
    return (uint32_t)(rt_feed_unplayed(&s->feed, to, (size_t)frames * frame_bytes) / frame_bytes);
}

double rt_stream_clock_ppm(struct stream *s)
{
    return atomic_load_explicit(&s->player.status.clock_ppb, memory_order_relaxed) / 1000.0;
}
