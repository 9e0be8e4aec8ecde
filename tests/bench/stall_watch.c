/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "bench/stall_watch.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"

enum { PRIORITY = 50, ROOM = 65536 };

struct watcher {
    struct stall_watch *watch;
    pthread_t thread;
    int cpu;
    size_t count;
    struct stall *stalls;
};

struct stall_watch {
    atomic_bool end;
    int watcher_count;
    struct watcher *watchers;
};

static void *watch(void *opaque)
{
    struct watcher *w = opaque;
    uint64_t due = clock_now_ns();

    while (!atomic_load(&w->watch->end)) {
        struct timespec t;
        uint64_t now;

        due += NS_PER_MS;
        t = (struct timespec){(time_t)(due / NS_PER_S), (long)(due % NS_PER_S)};
        clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, NULL);
        now = clock_now_ns();
        if (now > due + NS_PER_MS) {
            if (w->count < ROOM) {
                w->stalls[w->count++] = (struct stall){due, now};
            }
            due = now;
        }
    }
    return NULL;
}

static bool start_one(struct watcher *w)
{
    const struct sched_param param = {.sched_priority = PRIORITY};
    pthread_attr_t attr;
    cpu_set_t cpus;
    int error;

    w->stalls = calloc(ROOM, sizeof(*w->stalls));
    if (!w->stalls) {
        fprintf(stderr, "measure: no memory for the stall watch\n");
        return false;
    }
    CPU_ZERO(&cpus);
    CPU_SET(w->cpu, &cpus);
    pthread_attr_init(&attr);
    pthread_attr_setinheritsched(&attr, PTHREAD_EXPLICIT_SCHED);
    pthread_attr_setschedpolicy(&attr, SCHED_FIFO);
    pthread_attr_setschedparam(&attr, &param);
    pthread_attr_setaffinity_np(&attr, sizeof(cpus), &cpus);
    error = pthread_create(&w->thread, &attr, watch, w);
    pthread_attr_destroy(&attr);
    if (error) {
        fprintf(stderr,
                "measure: cannot watch processor %d for stalls: %s (it takes root, or "
                "'ulimit -r %d')\n",
                w->cpu, strerror(error), PRIORITY);
        return false;
    }
    return true;
}

struct stall_watch *stall_watch_start(void)
{
    struct stall_watch *w = calloc(1, sizeof(*w));
    cpu_set_t allowed;

    if (!w || sched_getaffinity(0, sizeof(allowed), &allowed) < 0 ||
        !(w->watchers = calloc((size_t)CPU_COUNT(&allowed), sizeof(*w->watchers)))) {
        fprintf(stderr, "measure: no memory for the stall watch\n");
        return NULL;
    }
    for (int cpu = 0; cpu < CPU_SETSIZE; cpu++) {
        if (CPU_ISSET(cpu, &allowed)) {
            struct watcher *one = &w->watchers[w->watcher_count];

            *one = (struct watcher){.watch = w, .cpu = cpu};
            if (!start_one(one)) {
                return NULL;
            }
            w->watcher_count++;
        }
    }
    return w;
}

size_t stall_watch_end(struct stall_watch *w, struct stall **stalls)
{
    size_t count = 0;

    atomic_store(&w->end, true);
    for (int i = 0; i < w->watcher_count; i++) {
        pthread_join(w->watchers[i].thread, NULL);
        count += w->watchers[i].count;
    }
    *stalls = malloc(count ? count * sizeof(**stalls) : 1);
    if (!*stalls) {
        abort();
    }
    count = 0;
    for (int i = 0; i < w->watcher_count; i++) {
        memcpy(*stalls + count, w->watchers[i].stalls, w->watchers[i].count * sizeof(**stalls));
        count += w->watchers[i].count;
        free(w->watchers[i].stalls);
    }
    free(w->watchers);
    free(w);
    return count;
}
