/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A host's microphone that lives in virtual time: a driver whose one source
 * gives frames by the fake's clock, block by block, and can be fast or slow,
 * late, away or dead.
 *
 * Each frame is its number (from 1: none is silence) among all that the
 * microphone has heard since the reset, whether there was a source then or not.
 *
 * One thread.
 */
#ifndef FAKES_FAKE_SOURCE_H
#define FAKES_FAKE_SOURCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "audio/driver.h"

struct fake_source {
    uint64_t now;  /* nanoseconds; moves only by fake_source_pass */
    uint64_t tick; /* by so much at a time: a quarter of a millisecond */
    /* Called each time that has moved: what else happens. */
    void (*passing)(void);

    /* How the server is. */
    bool away;              /* opening fails */
    bool dead;              /* reading and waiting fail, until a source is opened */
    bool held;              /* it gives nothing; what it has heard meanwhile comes afterwards */
    uint64_t opening_takes; /* nanoseconds */
    double ppm;             /* how fast its clock is */
    uint64_t block_ns;      /* of the sound that comes at a time; 0: half of in.latency */
    uint64_t jitter_ns;     /* a block is late by up to that */
    unsigned die_after;     /* reads with something in them until it is dead; 0: never */

    /* What it has seen. */
    unsigned attempts, opens, closes, reads;
    uint64_t opened_at; /* the last source */

    /* The source. */
    bool is_open;
    struct pcm_format format;
    double heard;       /* frames, since the reset */
    uint64_t given;     /* of them, the last that the reader has, or will never have */
    uint64_t ready;     /* the last that it can have */
    uint64_t block_end; /* when the next block is whole */
    uint64_t block_due; /* when it comes: that, and the jitter */
};

/* The one there is, and its driver, for a struct audio_settings. */
extern struct fake_source mic;
extern const struct audio_driver fake_source_driver;

/* As new, at a time of one second. */
void fake_source_reset(void);
void fake_source_pass(uint64_t ns);

#endif
