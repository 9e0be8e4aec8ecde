/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "audio/capture.h"

#include <stdlib.h>
#include <string.h>

#include "audio/intake.h"
#include "audio/recorder.h"
#include "audio/worker.h"
#include "base/clock.h"
#include "base/fds.h"
#include "base/log.h"

struct capture {
    struct intake intake;     /* between the two threads */
    struct recorder recorder; /* the thread's own, but for its status */
    struct worker worker;
};

enum { CLOSE_MS = 1000 };

static void run(void *opaque)
{
    struct capture *c = opaque;

    while (!atomic_load(&c->worker.quit)) {
        uint64_t at = recorder_step(&c->recorder, clock_now_ns());
        uint64_t now = clock_now_ns();

        if (at > now && intake_sleep(&c->intake, c->recorder.wish.number)) {
            if (!atomic_load(&c->worker.quit) && !recorder_wait(&c->recorder, at)) {
                /* There is no source. */
                wait_for_fd(c->intake.event_fd, at == UINT64_MAX ? at : at - now);
            }
            intake_wake_up(&c->intake);
        }
    }
    recorder_end(&c->recorder);
}

struct capture *capture_open(const struct audio_settings *settings, const char *name,
                             struct stream_status *status, struct err *err)
{
    struct capture *c = aligned_alloc(alignof(struct capture), sizeof(*c));

    if (!c) {
        err_set(err, "no memory for the capture %s", name);
        return NULL;
    }
    memset(c, 0, sizeof(*c));
    if (!intake_init(&c->intake, err)) {
        free(c);
        return NULL;
    }
    recorder_init(&c->recorder, settings, name, &c->intake, status);
    if (!worker_start(&c->worker, "capture", name, run, c, c->intake.event_fd, err)) {
        intake_free(&c->intake);
        free(c);
        return NULL;
    }
    return c;
}

void capture_close(struct capture *c)
{
    if (!worker_stop(&c->worker, CLOSE_MS)) {
        /* It may come back any time, and then needs all of this. */
        log_warn("%s: the sound server does not let go of the capture: leaving it behind",
                 c->recorder.name);
        return;
    }
    intake_free(&c->intake);
    free(c);
}

void capture_get_stats(const struct capture *c, struct capture_stats *stats)
{
    const struct stream_status *status = c->recorder.status;
    struct intake_counts counts = intake_get_counts(&c->intake);

    *stats = (struct capture_stats){
        .frames = counts.frames,
        .silent = counts.silent,
        .dropped = counts.dropped + status_get(&status->dropped_by_host),
        .repeated = counts.repeated,
        .underruns = counts.underruns,
        .overruns = status_get(&status->overruns),
        .reopened = status_get(&status->reopened),
        .delay_ns = status_get(&status->delay_ns),
        .source_open = status_get(&status->host_open),
    };
}

void rt_capture_prepare(struct capture *c, uint32_t rate)
{
    rt_intake_prepare(&c->intake, rate);
}

void rt_capture_start(struct capture *c, uint32_t rate)
{
    rt_intake_start(&c->intake, rate);
}

void rt_capture_read(struct capture *c, int16_t *stereo, uint32_t frames)
{
    struct stream_status *status = c->recorder.status;
    struct intake_counts counts;

    rt_intake_read(&c->intake, stereo, frames);
    counts = intake_get_counts(&c->intake);
    status_set(&status->frames, counts.frames);
    status_set(&status->silent, counts.silent);
    status_set(&status->repeated, counts.repeated);
    status_set(&status->dropped_by_card, counts.dropped);
    status_set(&status->underruns, counts.underruns);
    status_set(&status->ring_frames, rt_intake_level(&c->intake));
}

void rt_capture_stop(struct capture *c)
{
    rt_intake_stop(&c->intake);
}

double rt_capture_clock_ppm(struct capture *c)
{
    return status_get(&c->recorder.status->clock_ppb) / 1000.0;
}

void rt_capture_follow(struct capture *c, bool followed)
{
    rt_intake_follow(&c->intake, followed);
}
