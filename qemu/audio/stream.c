/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "audio/stream.h"

#include <stdlib.h>
#include <string.h>

#include "audio/driver.h"
#include "audio/feed.h"
#include "audio/player.h"
#include "audio/worker.h"
#include "base/clock.h"
#include "base/fds.h"
#include "base/log.h"

struct stream {
    struct feed feed;     /* between the two threads */
    struct player player; /* the thread's own, but for its status */
    struct worker worker;
};

enum { CLOSE_MS = 1000 };

/* Until the time, or the feed's event; the sink's connection works meanwhile. */
static void sleep_until(struct stream *s, uint64_t at, uint64_t now)
{
    const struct audio_driver *driver = s->player.settings->driver;
    struct err err = {""};

    if (!s->player.sink || !driver->wait) {
        wait_for_fd(s->feed.event_fd, at == UINT64_MAX ? at : at - now);
    } else if (!driver->wait(s->player.sink, s->feed.event_fd, at, &err)) {
        player_sink_gone(&s->player, clock_now_ns(), &err);
    }
}

static void run(void *opaque)
{
    struct stream *s = opaque;

    while (!atomic_load(&s->worker.quit)) {
        unsigned seen = feed_events(&s->feed);
        struct player_wake wake = player_step(&s->player, clock_now_ns());
        uint64_t now = clock_now_ns();

        if (wake.at > now && feed_sleep(&s->feed, wake.bytes, seen)) {
            if (!atomic_load(&s->worker.quit)) {
                sleep_until(s, wake.at, now);
            }
            feed_wake_up(&s->feed);
        }
    }
    player_end(&s->player);
}

struct stream *stream_open(const struct audio_settings *settings, const char *name,
                           struct stream_status *status, struct err *err)
{
    struct stream *s = aligned_alloc(alignof(struct stream), sizeof(*s));

    if (!s) {
        err_set(err, "no memory for the stream %s", name);
        return NULL;
    }
    memset(s, 0, sizeof(*s));
    if (!feed_init(&s->feed, err)) {
        free(s);
        return NULL;
    }
    player_init(&s->player, settings, name, &s->feed, status);
    if (!worker_start(&s->worker, "stream", name, run, s, s->feed.event_fd, err)) {
        feed_free(&s->feed);
        free(s);
        return NULL;
    }
    return s;
}

void stream_close(struct stream *s)
{
    if (!worker_stop(&s->worker, CLOSE_MS)) {
        /* It may come back any time, and then needs all of this. */
        log_warn("%s: the sound server does not let go of the stream: leaving it behind",
                 s->player.name);
        return;
    }
    feed_free(&s->feed);
    free(s);
}

void stream_get_stats(const struct stream *s, struct stream_stats *stats)
{
    const struct stream_status *status = s->player.status;
    struct feed_counts counts = feed_get_counts(&s->feed);

    *stats = (struct stream_stats){
        .frames = counts.frames,
        .dropped = counts.dropped + status_get(&status->dropped_by_host),
        .underruns = status_get(&status->underruns),
        .overruns = counts.overruns,
        .reopened = status_get(&status->reopened),
        .delay_ns = status_get(&status->delay_ns),
        .sink_open = status_get(&status->host_open),
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
    struct stream_status *status = s->player.status;
    struct feed_counts counts;

    rt_feed_write(&s->feed, data, frames);
    counts = feed_get_counts(&s->feed);
    status_set(&status->frames, counts.frames);
    status_set(&status->dropped_by_card, counts.dropped);
    status_set(&status->overruns, counts.overruns);
    status_set(&status->ring_frames, rt_feed_level(&s->feed));
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
    return status_get(&s->player.status->clock_ppb) / 1000.0;
}
