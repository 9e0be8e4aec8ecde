/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A guest's driver in a few lines, for the whole path without Xen: the real
 * card, on its real clock, plugged into the fake guest. It does what Linux's
 * does: buffers of 64 KiB, S16LE stereo at 44100 Hz, an interrupt each period.
 * At each, and each time the card wants to be called, it fills what has been
 * played and takes what has been recorded; and it keeps watch over what a guest
 * would notice.
 */
#ifndef FAKES_ES1370_DRIVER_H
#define FAKES_ES1370_DRIVER_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "audio/settings.h"
#include "card/card.h"

enum { ES1370_DRIVER_BUFFER_FRAMES = 16384, ES1370_DRIVER_RATE = 44100 };

/* A channel in operation. */
struct es1370_voice {
    bool running;
    unsigned position;                         /* in the buffer, when last looked at */
    uint64_t frames;                           /* since the start */
    uint64_t start_ns, moved_ns;               /* the position last moved then */
    uint64_t interrupts, late_ns, late_sum_ns; /* and how late they were: the worst, the sum */
    uint64_t still_ns;                         /* the longest that the position stood still */
};

struct es1370_driver {
    struct audio_settings settings;
    struct card *card;
    unsigned period;    /* frames, to half a buffer */
    FILE *to_play;      /* raw frames, then silence */
    uint32_t *recorded; /* what has been recorded goes here, */
    uint64_t room;      /* so many frames of it */
    struct es1370_voice play, record;
    uint64_t play_start; /* since 1970, in nanoseconds */
};

/* Makes a card for this value of -audiodev and plugs it in; the thread becomes realtime where it
 * may. period and what follows it have been set. False, with nothing to close and the reason told
 * on standard error. */
bool es1370_driver_open(struct es1370_driver *d, const char *audiodev);

/* Each is called once. */
void es1370_driver_start_playing(struct es1370_driver *d);
void es1370_driver_start_recording(struct es1370_driver *d);

/* Goes to the next moment at which there is something to do, and does it. */
void es1370_driver_step(struct es1370_driver *d);

/* Stops both. */
void es1370_driver_stop(struct es1370_driver *d);

/* One line "key=value ...", of both voices together:
 *   start_ns      when the first frame was played, since 1970
 *   frames        that were played
 *   interrupts    that came, and missed: that should have come too
 *   late_us_mean, late_us_max   by how much they came after their time
 *   still_us_max  the longest that a position stood still, as far as was looked
 */
void es1370_driver_print(const struct es1370_driver *d);

/* Unplugs the card and frees what open made. */
void es1370_driver_close(struct es1370_driver *d);

/* CLOCK_MONOTONIC, nanoseconds. */
void es1370_driver_sleep_until(uint64_t at);

#endif
