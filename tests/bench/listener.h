/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Hears what a sink plays: records its monitor and writes down when each frame
 * of the counter signal arrived. There is a listener for each kind of sound
 * server, named for the driver that speaks to it.
 */
#ifndef BENCH_LISTENER_H
#define BENCH_LISTENER_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

#include "bench/analysis.h"

enum { LISTENER_START_TIMEOUT_S = 5 };

struct listener {
    /* Stops listening, after which nothing is added to runs; and frees what is the kind's own. */
    void (*stop)(struct listener *l);
    void (*free)(struct listener *l);

    atomic_bool failed, heard; /* something, silence too */
    size_t count, room;
    struct heard *runs; /* what was heard, in order; of the thread that listens, until stop */
};

/* Connects to the server that the environment names and returns when sound of the sink's arrives,
 * silence too. seconds: how long it will listen at most. NULL, with the reason on standard
 * error. */
struct listener *listener_pa(const char *sink, unsigned seconds);
struct listener *listener_pipewire(const char *sink, unsigned seconds);

/* Stops listening. What was heard, in order, is *runs until listener_free, and how many *count.
 * False if it could not be listened until now. */
bool listener_end(struct listener *l, const struct heard **runs, size_t *count);

void listener_free(struct listener *l);

/* --- for the kinds --- */

/* Room for what can be heard in so many seconds. False, with the reason on standard error. */
bool listener_init(struct listener *l, unsigned seconds);

/* These frames have arrived now. Neither allocates nor waits. */
void listener_take(struct listener *l, const void *frames, size_t count, uint64_t now);

/* Until something was heard. False, with the reason on standard error. */
bool listener_wait(struct listener *l, const char *sink);

#endif
