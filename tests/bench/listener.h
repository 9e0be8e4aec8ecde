/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Hears what a PulseAudio sink plays: records its monitor in pieces of a
 * millisecond (as `parec --latency-msec=1` does) and writes down when each
 * frame of the counter signal arrived.
 */
#ifndef BENCH_LISTENER_H
#define BENCH_LISTENER_H

#include <stdbool.h>
#include <stddef.h>

#include "bench/analysis.h"

struct listener;

/* Connects to the server that the environment names and returns when sound of the sink's arrives,
 * silence too. seconds: how long it will listen at most. NULL, with the reason on standard
 * error. */
struct listener *listener_start(const char *source, unsigned seconds);

/* Stops listening. What was heard, in order, is *runs until listener_free, and how many *count.
 * False if it could not be listened until now. */
bool listener_end(struct listener *l, const struct heard **runs, size_t *count);

void listener_free(struct listener *l);

#endif
