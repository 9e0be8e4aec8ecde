/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a contender's process writes down of a run, in memory that it shares
 * with the process that measures, and the times that both keep to.
 */
#ifndef BENCH_RECORD_H
#define BENCH_RECORD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bench/analysis.h"

enum { RECORD_STEPS = 4096 };

struct record {
    /* Set before the contender starts. Between begin and end is what is measured; from there to
     * dense_end the position is read as fast as can be, for its steps. */
    uint64_t begin, end, dense_end;

    bool smooth; /* the position moved evenly between the passings */

    uint64_t cpu, cpu_time;       /* nanoseconds of the device model's, and in which */
    uint64_t steps[RECORD_STEPS]; /* how often the position moved so many frames at once; the last:
                                     so many or more */
    size_t passing_count, passing_room;
    size_t interrupt_count, interrupt_room;
    struct passing *passings;
    uint64_t *interrupts; /* when each reached the driver */
};

/* Until the first that is not before end. */
static inline void record_passing(struct record *r, uint64_t time, uint64_t frames)
{
    size_t n = r->passing_count;

    if (n < r->passing_room && (n == 0 || r->passings[n - 1].time < r->end)) {
        r->passings[r->passing_count++] = (struct passing){time, frames};
    }
}

#endif
