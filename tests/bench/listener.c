/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "bench/listener.h"

#include <stdio.h>
#include <sys/mman.h>
#include <time.h>

#include "base/clock.h"

/* Room for pieces as small as PulseAudio makes them, and for breaks. */
enum { RUNS_PER_SECOND = 20000 };

bool listener_init(struct listener *l, unsigned seconds)
{
    l->room = (size_t)(seconds + LISTENER_START_TIMEOUT_S) * RUNS_PER_SECOND;
    /* Takes memory only as it is used. */
    l->runs = mmap(NULL, l->room * sizeof(*l->runs), PROT_READ | PROT_WRITE,
                   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (l->runs == MAP_FAILED) {
        fprintf(stderr, "measure: no memory for the listener\n");
        return false;
    }
    return true;
}

void listener_take(struct listener *l, const void *frames, size_t count, uint64_t now)
{
    l->count += heard_split(frames, count, now, l->runs + l->count, l->room - l->count);
    atomic_store(&l->heard, true);
}

bool listener_wait(struct listener *l, const char *sink)
{
    const struct timespec t = {0, 10 * (long)NS_PER_MS};

    for (int i = 0; i < LISTENER_START_TIMEOUT_S * 100 && !atomic_load(&l->heard); i++) {
        if (atomic_load(&l->failed)) {
            return false;
        }
        nanosleep(&t, NULL);
    }
    if (!atomic_load(&l->heard)) {
        fprintf(stderr, "measure: nothing comes from the monitor of the sink %s\n", sink);
    }
    return atomic_load(&l->heard);
}

bool listener_end(struct listener *l, const struct heard **runs, size_t *count)
{
    l->stop(l);
    *runs = l->runs;
    *count = l->count;
    return !atomic_load(&l->failed);
}

void listener_free(struct listener *l)
{
    munmap(l->runs, l->room * sizeof(*l->runs));
    l->free(l);
}
