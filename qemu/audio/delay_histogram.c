/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "audio/delay_histogram.h"

void delay_histogram_reset(struct delay_histogram *h)
{
    *h = (struct delay_histogram){.count = 0};
}

/* Below 64 a bin is one microsecond; above, the five bits after the leading one choose it. */
static unsigned bin_of(uint64_t us)
{
    unsigned doublings = 0;
    unsigned bin;

    while (us >> doublings >= 2 * DELAY_STEPS) {
        doublings++;
    }
    bin = doublings * DELAY_STEPS + (unsigned)(us >> doublings);
    return bin < DELAY_BINS ? bin : DELAY_BINS - 1;
}

/* The middle of a bin. */
static uint64_t bin_us(unsigned bin)
{
    unsigned doublings = bin < 2 * DELAY_STEPS ? 0 : bin / DELAY_STEPS - 1;
    uint64_t low = (uint64_t)(bin - doublings * DELAY_STEPS) << doublings;

    return low + ((UINT64_C(1) << doublings) >> 1);
}

void delay_histogram_add(struct delay_histogram *h, uint64_t us)
{
    h->bins[bin_of(us)]++;
    h->count++;
    if (us > h->max_us) {
        h->max_us = us;
    }
}

uint64_t delay_histogram_median(const struct delay_histogram *h)
{
    uint64_t below = 0;

    for (unsigned i = 0; i < DELAY_BINS; i++) {
        below += h->bins[i];
        if (2 * below >= h->count && below > 0) {
            return bin_us(i);
        }
    }
    return 0;
}
