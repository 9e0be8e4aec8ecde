/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What there is to see of a stream, to the host (dac1, dac2) or from it (adc),
 * while it runs: counted by those who know, each in words of their own, for
 * anyone to read. It lies in memory that another process may look at: no locks,
 * no pointers, and nothing here is ever read back to decide by, but for the
 * clock's correction.
 *
 * Each value is whole; together they may be a moment apart. Counts are since the
 * stream was made. All zeros is the status of a stream to which nothing has
 * happened yet.
 */
#ifndef AUDIO_STREAM_STATUS_H
#define AUDIO_STREAM_STATUS_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/recent.h"

/* A line of text, ended by 0. One thread writes, and never waits for a reader. */
enum { STATUS_TEXT_WORDS = 64, STATUS_TEXT_BYTES = 8 * STATUS_TEXT_WORDS };
struct status_text {
    _Atomic uint32_t changes; /* odd: one is going on */
    _Atomic uint64_t words[STATUS_TEXT_WORDS];
};

struct stream_status {
    /* Written by the card's thread. */
    _Atomic uint32_t running;              /* 1: between start and stop */
    _Atomic uint32_t rate, channels, bits; /* the guest's, of the last start */
    _Atomic uint32_t gain[2];              /* left, right; linear, in 1/65536; 0: muted */
    _Atomic uint32_t level[2];             /* see meter.h; after the gain */
    _Atomic uint32_t ring_frames;          /* on their way, when the card last gave or took some */
    _Atomic uint64_t interrupts_late;      /* that found the guest with the one before them */
    _Atomic uint64_t interrupts_merged;    /* of those, never signalled: there were too many */
    _Atomic uint64_t frames;               /* taken from the guest, or given to it */
    _Atomic uint64_t silent;               /* of those given, silence for what had not come */
    _Atomic uint64_t repeated;             /* given twice */
    _Atomic uint64_t dropped_by_card;      /* no room in the ring; from the host: of no use */

    /* Written by one of the two threads: to the host underruns by the stream's, overruns by the
     * card's; from the host the other way round. */
    _Atomic uint64_t underruns; /* times that frames were not there in time */
    _Atomic uint64_t overruns;  /* times that there was no room for them */

    /* Written by the stream's thread. */
    _Atomic uint64_t dropped_by_host; /* no sink, or too late; from the host: no room in the ring */
    _Atomic uint64_t reopened;        /* times that a sink (a source) was lost, and found */
    _Atomic uint64_t delay_ns;        /* the last measured: from the card to the sink's output, or
                                       * from a frame's arrival to the guest */
    _Atomic uint64_t target_ns;       /* what it should be */
    _Atomic int32_t clock_ppb;        /* what the card's clock should be off by, in 1/10^9 */
    _Atomic int32_t drift_ppb;        /* how far off the host's clock seems to be */
    _Atomic uint32_t host_open;       /* 1: there is a sink (a source) */
    _Atomic uint64_t lost_ns;         /* when it was lost, CLOCK_MONOTONIC; 0: it is not */
    struct status_text error;         /* why one was last lost, or not to be had */
    struct recent delays_us;          /* of the run */
};

/* Cut to STATUS_TEXT_BYTES - 1. */
void status_text_set(struct status_text *t, const char *text);

/* False: it is being changed all the time; text is then empty. Never waits. */
bool status_text_get(const struct status_text *t, char text[STATUS_TEXT_BYTES]);

/* For a counter, or a value, that the calling thread alone writes. */
#define status_set(to, value) atomic_store_explicit(to, value, memory_order_relaxed)
#define status_get(from)      atomic_load_explicit(from, memory_order_relaxed)

#endif
