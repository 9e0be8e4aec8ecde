/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Watches what no sound program can help.
 *
 * Whether the machine itself runs: on each processor a thread of a realtime
 * priority above every sound thread wakes each millisecond and writes down when
 * that came late. Nothing else could have been on time there then.
 *
 * Whether the sound server's main thread is let run, through which all that
 * clients write passes, and which is not realtime in PulseAudio: Linux adds up
 * how long it was ready and had no processor.
 */
#ifndef BENCH_STALL_WATCH_H
#define BENCH_STALL_WATCH_H

#include <sys/types.h>

#include "bench/analysis.h"

struct stall_watch;

/* server: the sound server's process; 0: unknown, not watched. NULL, with the reason on standard
 * error. */
struct stall_watch *stall_watch_start(pid_t server);

/* Ends the threads. What was longer than a millisecond, of all processors and of the server; the
 * caller frees the lists. */
void stall_watch_end(struct stall_watch *w, struct stalls *machine, struct stalls *server);

#endif
