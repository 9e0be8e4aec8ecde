/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How late the sound is, and how late it should be.
 *
 * The delay, from the card's clock to the sink's output, is what was asked for
 * as long as the host is on time. Where it is not, the sink runs dry, and plays
 * on with the next frame: the delay has then grown by what was missing, which
 * is what would have been needed, up to a step at a time and a longest that is
 * allowed. It stays there for a while and comes back slowly, brought there by
 * the card's clock, so that no sample is lost or changed by it.
 *
 * One thread; reads no clock.
 */
#ifndef AUDIO_LATENCY_H
#define AUDIO_LATENCY_H

#include <stdbool.h>
#include <stdint.h>

#include "audio/clock_recovery.h"

struct latency {
    uint64_t asked_ns, chunk_ns, longest_ns; /* as set */
    uint64_t target_ns;                      /* from what is asked, or the sink needs, up */
    uint64_t hold_until;                     /* the target does not come down before */
    uint64_t moved_at;                       /* when it last did */
    uint64_t least_ns;                       /* the lowest delay since the sound began; UINT64_MAX:
                                                it has not */
    bool ran_dry;                            /* since the last delay was taken */
    uint64_t window_end;                     /* delays are averaged until then, for the clock */
    uint64_t window_sum;
    unsigned window_count;
    struct clock_recovery recovery;
};

/* asked_ns: out.latency. chunk_ns, longest_ns: audio_chunk_ns and audio_longest_ns. */
void latency_init(struct latency *l, uint64_t asked_ns, uint64_t chunk_ns, uint64_t longest_ns);

/* Another sink, or another sound: nothing is known of the delay. The target stays. */
void latency_restart(struct latency *l);

/* The sound begins, with this delay, or with the target if that is more; block_ns as below, as far
 * as it is known. */
void latency_begin(struct latency *l, uint64_t delay_ns, uint64_t block_ns);

/* The sink has run dry while it should play. */
void latency_ran_dry(struct latency *l);

/* A delay measured now, and what the sink takes at a time. Some 5 to 50 a second. Returns the
 * clock's correction in parts per million. */
double latency_add(struct latency *l, uint64_t now, uint64_t delay_ns, uint64_t block_ns);

/* The delay above which sound is so late that to drop some is better. It is a larger one before the
 * sound has begun: then a sink that is slow to open does not cost its beginning. */
uint64_t latency_bound_ns(const struct latency *l);

#endif
