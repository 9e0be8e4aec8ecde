/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * When PipeWire will have played a frame, from what its graph says at each of
 * its rounds. A round takes a block of frames from every stream at once; the
 * next one comes when that has been played.
 *
 * The round is posted by PipeWire's data thread and read by the stream's, with
 * no lock between. Knows nothing of the library, and reads no clock.
 */
#ifndef AUDIO_DRIVERS_PIPEWIRE_CLOCK_H
#define AUDIO_DRIVERS_PIPEWIRE_CLOCK_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

struct pipewire_round {
    uint64_t begin_ns;  /* when it began, CLOCK_MONOTONIC */
    uint64_t block_ns;  /* how long what it has taken lasts */
    uint64_t behind_ns; /* from the end of the stream's queue to the sink's output: what the
                         * resampler, the graph and the sink hold */
    uint64_t taken;     /* frames taken since the stream began, this round's too */
    uint64_t underruns; /* since then: rounds that found too little, and the one before did not */
};

/* The last round, between two threads. To begin with all zero: none yet. */
struct pipewire_board {
    atomic_uint posts; /* odd while one is being written */
    atomic_uint_fast64_t begin_ns, block_ns, behind_ns, taken, underruns;
};

/* Of one thread. */
void rt_pipewire_post(struct pipewire_board *board, const struct pipewire_round *round);

/* Of one thread. False: there has been none yet, or it is being written; *round is as it was. */
bool pipewire_read(const struct pipewire_board *board, struct pipewire_round *round);

/* When a round began, seen at now: the graph's own time for it, which does not shake as now does,
 * unless it is not of this clock or too far from now to be of this round. */
uint64_t pipewire_begin_ns(int64_t graph_ns, uint64_t now, uint64_t block_ns);

/* The delay of num/denom seconds each, in nanoseconds; 0 where it makes no sense. */
uint64_t pipewire_delay_ns(int64_t delay, uint32_t num, uint32_t denom);

/* When frame number written, counted as taken is and not below it, will be heard; now: for a round
 * that is long overdue. rate: the stream's. */
uint64_t pipewire_heard_ns(const struct pipewire_round *round, uint64_t written, uint32_t rate,
                           uint64_t now);

#endif
