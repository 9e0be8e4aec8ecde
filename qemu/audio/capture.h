/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The card's ADC, from the host's source: a thread that owns the source, a
 * ring, and a realtime side that never waits (rt_).
 *
 *   driver --> capture's thread --> ring --> rt_capture_read -- card's thread
 *
 * The guest never waits for the host's sound: what has not come in time is
 * silence, and counted.
 */
#ifndef AUDIO_CAPTURE_H
#define AUDIO_CAPTURE_H

#include <stdbool.h>
#include <stdint.h>

#include "audio/settings.h"
#include "audio/stream_status.h"
#include "base/err.h"

struct capture;

/* Counters since the capture was made. Read from any thread; each is whole, together they may be
 * a moment apart. */
struct capture_stats {
    uint64_t frames;    /* given to the card */
    uint64_t silent;    /* of those, silence in place of what had not come: at the start of each
                         * run, in underruns, and while there was no source */
    uint64_t dropped;   /* frames of the source that the card did not get */
    uint64_t repeated;  /* that it got twice */
    uint64_t underruns; /* times that frames came too late */
    uint64_t overruns;  /* times that the ring was full */
    uint64_t reopened;  /* times sound came back: a source was lost, or not to be had, and found */
    uint64_t delay_ns;  /* the last measured: from a frame's arrival here to the card */
    bool source_open;
};

/* Makes the capture and starts its thread, which opens no source yet. name is "adc" (kept by the
 * caller). settings and status, which is all zeros, must outlive the capture (for good, where
 * capture_close leaves its thread behind). NULL with err set. Not realtime. */
struct capture *capture_open(const struct audio_settings *settings, const char *name,
                             struct stream_status *status, struct err *err);

/* Ends the thread (waiting for a driver that hangs at most a second), logs the counters of a run
 * still going on. Not realtime. */
void capture_close(struct capture *c);

void capture_get_stats(const struct capture *c, struct capture_stats *stats);

/* The realtime side: one thread, which never waits, allocates or logs here. */

/* The card will soon start at this rate, in frames a second (below 2^30): the thread may open a
 * source for it now. Not between start and stop. */
void rt_capture_prepare(struct capture *c, uint32_t rate);

/* What had come before this call is not read. */
void rt_capture_start(struct capture *c, uint32_t rate);

/* The next frames: 16 bits, stereo, at the rate of the last start. */
void rt_capture_read(struct capture *c, int16_t *stereo, uint32_t frames);

void rt_capture_stop(struct capture *c);

/* By how much the card's clock should run faster (positive) or slower than CLOCK_MONOTONIC so that
 * it reads as many frames as the source gives, in parts per million; 0 while nothing is known. */
double rt_capture_clock_ppm(struct capture *c);

/* Whether the card does as rt_capture_clock_ppm says. Then every frame is read once; else single
 * frames are dropped or repeated to stay in time with the source. Not to begin with. */
void rt_capture_follow(struct capture *c, bool followed);

#endif
