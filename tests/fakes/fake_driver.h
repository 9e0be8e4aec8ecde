/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A host's sound server that lives in virtual time: a driver whose one sink
 * plays by the fake's clock, takes no more than it has room for, can be slow,
 * deaf, away or dead, and keeps all it was given.
 *
 * One thread.
 */
#ifndef FAKES_FAKE_DRIVER_H
#define FAKES_FAKE_DRIVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "audio/driver.h"

struct fake_driver {
    uint64_t now;  /* nanoseconds; moves only by fake_driver_pass */
    uint64_t tick; /* by so much at a time; a quarter of a millisecond if not changed */
    /* Called each time that has moved: what else happens. */
    void (*passing)(void);

    /* How the server is. */
    bool away;              /* opening fails */
    bool dead;              /* writing fails, until a sink is opened */
    bool stuck;             /* it plays nothing, and answers nothing */
    uint64_t opening_takes; /* nanoseconds */
    double ppm;             /* how fast its clock is */
    double noise_ns;        /* what it says of the delay is off by up to that, either way */
    uint64_t block_ns;      /* what it says of its blocks; it plays frame by frame all the same */
    unsigned die_after;     /* writes until it is dead; 0: never */

    /* What it has seen. */
    unsigned attempts, opens, closes, writes;
    unsigned dry;          /* times that it ran out of frames, at sounds' ends too */
    uint64_t opened_at;    /* the last sink */
    uint64_t first_played; /* when the last sink began to play */
    uint64_t cut;          /* frames that sinks had not played when they were closed */
    uint64_t silence;      /* frames that were nothing but (0, or 0x80 of 8 bits) */
    uint8_t *bytes;        /* the other frames written, to all sinks, end to end */
    size_t length, size;

    /* The sink. */
    bool is_open, playing;
    struct pcm_format format;
    double level, capacity; /* frames */
    uint64_t heard_ns, answered_at;
    unsigned answers;
};

/* The one there is, and its driver, for a struct audio_settings. */
extern struct fake_driver fake;
extern const struct audio_driver fake_audio_driver;

/* As new, at a time of one second. */
void fake_driver_reset(void);
void fake_driver_pass(uint64_t ns);

#endif
