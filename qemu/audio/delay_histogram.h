/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Measured delays, kept by how often each came: the median of any number of
 * them in a fixed amount of memory, to within 2 %.
 */
#ifndef AUDIO_DELAY_HISTOGRAM_H
#define AUDIO_DELAY_HISTOGRAM_H

#include <stdint.h>

/* 32 steps for each doubling of the microseconds, up to 2^26 (a minute). */
enum { DELAY_STEPS = 32, DELAY_BINS = 22 * DELAY_STEPS };

struct delay_histogram {
    uint64_t bins[DELAY_BINS];
    uint64_t count;
    uint64_t max_us;
};

void delay_histogram_reset(struct delay_histogram *h);
void delay_histogram_add(struct delay_histogram *h, uint64_t us);

/* 0 when there is none. */
uint64_t delay_histogram_median(const struct delay_histogram *h);

#endif
