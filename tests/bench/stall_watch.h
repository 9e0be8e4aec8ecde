/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Watches whether the machine itself runs: on each processor a thread of a
 * realtime priority above every sound thread wakes each millisecond and writes
 * down when that came late. Nothing else on the machine could have been on time
 * there then.
 */
#ifndef BENCH_STALL_WATCH_H
#define BENCH_STALL_WATCH_H

#include <stddef.h>

#include "bench/analysis.h"

struct stall_watch;

/* NULL, with the reason on standard error. */
struct stall_watch *stall_watch_start(void);

/* Ends the threads. The stalls longer than a millisecond, of all processors, are *stalls, which
 * the caller frees. Returns how many there are. */
size_t stall_watch_end(struct stall_watch *w, struct stall **stalls);

#endif
