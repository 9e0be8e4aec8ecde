/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "bench/stall_watch.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
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
    struct stalls stalls; /* room for ROOM */
};

struct stall_watch {
    atomic_bool end;
    int server_schedstat; /* -1: none */
    int cpus;
    struct watcher *watchers; /* one for each processor, then the server's */
};

static void add(struct watcher *w, uint64_t from, uint64_t to)
{
    if (w->stalls.count < ROOM) {
        w->stalls.list[w->stalls.count++] = (struct stall){from, to};
    }
}

/* Returns when the time has come that *due is then, a millisecond after what it was. */
static uint64_t next_millisecond(uint64_t *due)
{
    struct timespec t;

    *due += NS_PER_MS;
    t = (struct timespec){(time_t)(*due / NS_PER_S), (long)(*due % NS_PER_S)};
    clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, NULL);
    return clock_now_ns();
}

static void *watch_processor(void *opaque)
{
    struct watcher *w = opaque;
    uint64_t due = clock_now_ns();

    while (!atomic_load(&w->watch->end)) {
        uint64_t now = next_millisecond(&due);

        if (now > due + NS_PER_MS) {
            add(w, due, now);
            due = now;
        }
    }
    return NULL;
}

/* Nanoseconds that the server's main thread has waited for a processor. */
static uint64_t server_waited(const struct watcher *w)
{
    char text[128] = "";
    uint64_t waited = 0;

    if (pread(w->watch->server_schedstat, text, sizeof(text) - 1, 0) > 0) {
        sscanf(text, "%*u %" SCNu64, &waited);
    }
    return waited;
}

static void *watch_server(void *opaque)
{
    struct watcher *w = opaque;
    uint64_t due = clock_now_ns(), before = server_waited(w);

    while (!atomic_load(&w->watch->end)) {
        uint64_t now = next_millisecond(&due);
        uint64_t waited = server_waited(w);

        /* Counted when it got its processor, at some time since the last look. */
        if (waited - before > NS_PER_MS) {
            add(w, now - NS_PER_MS - (waited - before), now);
        }
        before = waited;
        due = now > due + NS_PER_MS ? now : due;
    }
    return NULL;
}

/* cpu: to stay on, or -1. */
static bool start_one(struct watcher *w, void *(*run)(void *), int cpu)
{
    const struct sched_param param = {.sched_priority = PRIORITY};
    pthread_attr_t attr;
    cpu_set_t cpus;
    int error;

    w->stalls.list = calloc(ROOM, sizeof(*w->stalls.list));
    if (!w->stalls.list) {
        fprintf(stderr, "measure: no memory for the stall watch\n");
        return false;
    }
    pthread_attr_init(&attr);
    pthread_attr_setinheritsched(&attr, PTHREAD_EXPLICIT_SCHED);
    pthread_attr_setschedpolicy(&attr, SCHED_FIFO);
    pthread_attr_setschedparam(&attr, &param);
    if (cpu >= 0) {
        CPU_ZERO(&cpus);
        CPU_SET(cpu, &cpus);
        pthread_attr_setaffinity_np(&attr, sizeof(cpus), &cpus);
    }
    error = pthread_create(&w->thread, &attr, run, w);
    pthread_attr_destroy(&attr);
    if (error) {
        fprintf(stderr, "measure: cannot watch for stalls: %s (it takes root, or 'ulimit -r %d')\n",
                strerror(error), PRIORITY);
    }
    return error == 0;
}

static bool open_server(struct stall_watch *w, pid_t server)
{
    char path[64];

    snprintf(path, sizeof(path), "/proc/%d/schedstat", (int)server);
    w->server_schedstat = server ? open(path, O_RDONLY | O_CLOEXEC) : -1;
    if (server && w->server_schedstat < 0) {
        fprintf(stderr, "measure: cannot watch the sound server: %s: %s\n", path, strerror(errno));
        return false;
    }
    return true;
}

struct stall_watch *stall_watch_start(pid_t server)
{
    struct stall_watch *w = calloc(1, sizeof(*w));
    cpu_set_t allowed;

    if (!w || sched_getaffinity(0, sizeof(allowed), &allowed) < 0 ||
        !(w->watchers = calloc((size_t)CPU_COUNT(&allowed) + 1, sizeof(*w->watchers)))) {
        fprintf(stderr, "measure: no memory for the stall watch\n");
        return NULL;
    }
    if (!open_server(w, server)) {
        return NULL;
    }
    for (int i = 0; i <= CPU_COUNT(&allowed); i++) {
        w->watchers[i].watch = w;
    }
    for (int cpu = 0; cpu < CPU_SETSIZE; cpu++) {
        if (CPU_ISSET(cpu, &allowed) && !start_one(&w->watchers[w->cpus++], watch_processor, cpu)) {
            return NULL;
        }
    }
    if (server && !start_one(&w->watchers[w->cpus], watch_server, -1)) {
        return NULL;
    }
    return w;
}

/* Adds what a watcher has seen, and ends it. */
static void take(struct watcher *w, struct stalls *stalls)
{
    pthread_join(w->thread, NULL);
    stalls->list =
        reallocarray(stalls->list, stalls->count + w->stalls.count + 1, sizeof(*stalls->list));
    if (!stalls->list) {
        abort();
    }
    memcpy(stalls->list + stalls->count, w->stalls.list, w->stalls.count * sizeof(*stalls->list));
    stalls->count += w->stalls.count;
    free(w->stalls.list);
}

void stall_watch_end(struct stall_watch *w, struct stalls *machine, struct stalls *server)
{
    *machine = *server = (struct stalls){0};
    atomic_store(&w->end, true);
    for (int i = 0; i < w->cpus; i++) {
        take(&w->watchers[i], machine);
    }
    if (w->server_schedstat >= 0) {
        take(&w->watchers[w->cpus], server);
        close(w->server_schedstat);
    }
    free(w->watchers);
    free(w);
}
