/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The card's crystal: device ticks out of CLOCK_MONOTONIC, made faster or
 * slower by a few parts per million so that the card keeps pace with the
 * host's sink.
 *
 * One thread at a time; realtime.
 */
#ifndef CARD_SAMPLE_CLOCK_H
#define CARD_SAMPLE_CLOCK_H

#include <stdbool.h>
#include <stdint.h>

struct sample_clock {
    uint64_t hz;        /* nominal ticks a second */
    uint64_t anchor_ns; /* the time at which the present rate began */
    uint64_t ticks;     /* ticks passed by then */
    uint64_t fraction;  /* and the part of a tick beyond them, in 1/10^18 */
    int32_t ppb;        /* how much faster than nominal, parts per billion */
};

/* Starts at tick 0 at now_ns, at the nominal rate. hz: 1 .. 2^32. */
void sample_clock_start(struct sample_clock *c, uint64_t hz, uint64_t now_ns);

/* Ticks passed at now_ns, never less than at an earlier time. */
uint64_t sample_clock_ticks(const struct sample_clock *c, uint64_t now_ns);

/* The first nanosecond at which sample_clock_ticks is at least ticks, if the rate stays; at
 * most UINT64_MAX. */
uint64_t sample_clock_when(const struct sample_clock *c, uint64_t ticks);

/* From now_ns on the clock runs ppm faster than nominal (slower if negative), within
 * +-10000; what has passed stays as it was. */
void sample_clock_set_ppm(struct sample_clock *c, uint64_t now_ns, double ppm);

/* The clock has stood still for ns nanoseconds: it is at now_ns + ns where it was at now_ns. */
void sample_clock_delay(struct sample_clock *c, uint64_t ns);

/* The part of a tick that has passed at now_ns, in 1/10^18: with ppb all that a clock needs to go
 * on as another that starts counting anew. */
uint64_t sample_clock_fraction(const struct sample_clock *c, uint64_t now_ns);

/* Goes on so, from tick 0 at now_ns. False where these are no clock's, and c as it was. */
bool sample_clock_resume(struct sample_clock *c, uint64_t hz, uint64_t now_ns, int32_t ppb,
                         uint64_t fraction);

#endif
