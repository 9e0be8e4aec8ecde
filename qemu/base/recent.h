/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The last measurements of something, as they are: the median, or what 99 of a
 * hundred stay below, is exact, and is that of now.
 *
 * In memory that another process may look at: no locks, no pointers. One thread
 * measures (rt_, realtime); any thread or process may read meanwhile, and takes
 * nothing it finds for more than a number.
 */
#ifndef BASE_RECENT_H
#define BASE_RECENT_H

#include <stdatomic.h>
#include <stdint.h>

enum { RECENT_VALUES = 512 };

struct recent {
    _Atomic uint64_t count; /* measured since the start; the last RECENT_VALUES are kept */
    _Atomic uint32_t max;   /* of all since the start */
    _Atomic uint32_t values[RECENT_VALUES];
};

/* All zeros if nothing was measured. */
struct recent_summary {
    uint64_t count;
    uint32_t last, median, p99; /* of those kept */
    uint32_t max;
};

/* Forgets what was measured. A struct recent that is all zeros has been started. */
void rt_recent_start(struct recent *r);

/* Measured: value, in any unit; above 2^32 - 1 it counts as that. */
void rt_recent_add(struct recent *r, uint64_t value);

struct recent_summary recent_summary(const struct recent *r);

#endif
