/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "audio/capture.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "audio/intake.h"
#include "audio/recorder.h"
#include "base/clock.h"
#include "base/log.h"

struct capture {
    struct intake intake;     /* between the two threads */
    struct recorder recorder; /* the thread's own, but for its status */
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

/* Without a source: until the time, or the intake's event. */
static void sleep_until(struct capture *c, uint64_t at, uint64_t now)
{
    struct pollfd fd = {.fd = c->intake.event_fd, .events = POLLIN};
    struct timespec left = {
        .tv_sec = (time_t)((at - now) / NS_PER_S),
        .tv_nsec = (long)((at - now) % NS_PER_S),
    };

    /* Interrupted or not: the loop looks at what there is to do. */
    ppoll(&fd, 1, at == UINT64_MAX ? NULL : &left, NULL);
}

static void *run(void *opaque)
{
    struct capture *c = opaque;

    while (!atomic_load(&c->quit)) {
        uint64_t at = recorder_step(&c->recorder, clock_now_ns());
        uint64_t now = clock_now_ns();

        if (at > now && intake_sleep(&c->intake, c->recorder.wish.number)) {
            if (!atomic_load(&c->quit) && !recorder_wait(&c->recorder, at)) {
                sleep_until(c, at, now);
            }
            intake_wake_up(&c->intake);
        }
    }
    recorder_end(&c->recorder);
    signal_fd(c->ended_fd);
    return NULL;
}

/* Signals are for the thread that has a loop for them. */
static int start_thread(struct capture *c)
{
    sigset_t all, before;
    int error;

    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    error = pthread_create(&c->thread, NULL, run, c);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return error;
}

struct capture *capture_open(const struct audio_settings *settings, const char *name,
                             struct err *err)
{
    struct capture *c = aligned_alloc(alignof(struct capture), sizeof(*c));
    int error;

    if (!c) {
        err_set(err, "no memory for the capture %s", name);
        return NULL;
    }
    memset(c, 0, sizeof(*c));
    if (!intake_init(&c->intake, err)) {
        goto no_intake;
    }
    recorder_init(&c->recorder, settings, name, &c->intake);
    c->ended_fd = eventfd(0, EFD_CLOEXEC);
    if (c->ended_fd < 0) {
        err_set(err, "cannot make an event descriptor for sound: %s", strerror(errno));
        goto no_fd;
    }
    error = start_thread(c);
    if (error) {
        err_set(err, "cannot start the thread of the capture %s: %s", name, strerror(error));
        goto no_thread;
    }
    pthread_setname_np(c->thread, name);
    return c;

no_thread:
    close(c->ended_fd);
no_fd:
    intake_free(&c->intake);
no_intake:
    free(c);
    return NULL;
}

void capture_close(struct capture *c)
{
    struct pollfd ended = {.fd = c->ended_fd, .events = POLLIN};
    int n;

    atomic_store(&c->quit, true);
    signal_fd(c->intake.event_fd);
    do {
        n = poll(&ended, 1, CLOSE_MS);
    } while (n < 0 && errno == EINTR);
    if (n == 0) {
        /* It may come back any time, and then needs all of this. */
        log_warn("%s: the sound server does not let go of the capture: leaving it behind",
                 c->recorder.name);
        pthread_detach(c->thread);
        return;
    }
    pthread_join(c->thread, NULL);
    close(c->ended_fd);
    intake_free(&c->intake);
    free(c);
}

void capture_get_stats(const struct capture *c, struct capture_stats *stats)
{
    const struct recorder_status *status = &c->recorder.status;
    struct intake_counts counts = intake_get_counts(&c->intake);

    *stats = (struct capture_stats){
        .frames = counts.frames,
        .silent = counts.silent,
        .dropped = counts.dropped + atomic_load(&status->dropped),
        .repeated = counts.repeated,
        .underruns = counts.underruns,
        .overruns = atomic_load(&status->overruns),
        .reopened = atomic_load(&status->reopened),
        .delay_ns = atomic_load(&status->delay_ns),
        .source_open = atomic_load(&status->source_open),
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
    rt_intake_read(&c->intake, stereo, frames);
}

void rt_capture_stop(struct capture *c)
{
    rt_intake_stop(&c->intake);
}

double rt_capture_clock_ppm(struct capture *c)
{
    return atomic_load_explicit(&c->recorder.status.clock_ppb, memory_order_relaxed) / 1000.0;
}

void rt_capture_follow(struct capture *c, bool followed)
{
    rt_intake_follow(&c->intake, followed);
}
