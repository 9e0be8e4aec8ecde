/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/recent.h"

#include <stdlib.h>

#include "base/realtime.h"

void rt_recent_start(struct recent *r)
{
    RT_PATH();

    atomic_store_explicit(&r->count, 0, memory_order_relaxed);
    atomic_store_explicit(&r->max, 0, memory_order_relaxed);
}

void rt_recent_add(struct recent *r, uint64_t value)
{
    uint64_t count = atomic_load_explicit(&r->count, memory_order_relaxed);
    uint32_t kept = value < UINT32_MAX ? (uint32_t)value : UINT32_MAX;
    RT_PATH();

    atomic_store_explicit(&r->values[count % RECENT_VALUES], kept, memory_order_relaxed);
    if (kept > atomic_load_explicit(&r->max, memory_order_relaxed)) {
        atomic_store_explicit(&r->max, kept, memory_order_relaxed);
    }
    /* Who sees the count sees the value. */
    atomic_store_explicit(&r->count, count + 1, memory_order_release);
}

static int compare(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

    return (x > y) - (x < y);
}

struct recent_summary recent_summary(const struct recent *r)
{
    struct recent_summary summary = {
        .count = atomic_load_explicit(&r->count, memory_order_acquire),
        .max = atomic_load_explicit(&r->max, memory_order_relaxed),
    };
    uint32_t n = summary.count < RECENT_VALUES ? (uint32_t)summary.count : RECENT_VALUES;
    uint32_t sorted[RECENT_VALUES];

    if (n == 0) {
        return (struct recent_summary){.count = 0};
    }
    for (uint32_t i = 0; i < n; i++) {
        sorted[i] = atomic_load_explicit(&r->values[i], memory_order_relaxed);
    }
    summary.last = sorted[(summary.count - 1) % RECENT_VALUES];
    qsort(sorted, n, sizeof(sorted[0]), compare);
    summary.median = sorted[(n - 1) / 2];
    summary.p99 = sorted[(n * 99 + 99) / 100 - 1];
    return summary;
}
