/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One voice of the card on its way to the host: a realtime side that never
 * waits (rt_), a ring, and a thread that owns the host's sink.
 *
 *   card's thread -- rt_stream_write --> ring --> stream's thread --> driver
 *
 * The guest never waits for the host's sound: without a sink the frames are
 * counted and dropped, and the thread goes on trying to open one.
 */
#ifndef AUDIO_STREAM_H
#define AUDIO_STREAM_H

#include <stdbool.h>
#include <stdint.h>

#include "audio/settings.h"
#include "audio/stream_status.h"
#include "base/err.h"
#include "base/pcm.h"

struct stream;

/* Counters since the stream was made. Read from any thread; each is whole, together they may be
 * a moment apart. */
struct stream_stats {
    uint64_t frames;    /* taken from the card */
    uint64_t dropped;   /* of those, lost: no sink, or no room in the ring */
    uint64_t underruns; /* times the sink ran dry while the card was playing */
    uint64_t overruns;  /* times the ring was full */
    uint64_t reopened;  /* times sound came back: a sink was lost, or not to be had, and found */
    uint64_t delay_ns;  /* the last measured: from the card's clock to the sink's output */
    bool sink_open;
};

/* Makes the stream and starts its thread. name is "dac1" or "dac2" (kept by the caller).
 * settings and status, which is all zeros, must outlive the stream (for good, where stream_close
 * leaves its thread behind). NULL with err set. Not realtime. */
struct stream *stream_open(const struct audio_settings *settings, const char *name,
                           struct stream_status *status, struct err *err);

/* Ends the thread (waiting for a driver that hangs at most a second), logs the stream's counters.
 * Not realtime. */
void stream_close(struct stream *s);

void stream_get_stats(const struct stream *s, struct stream_stats *stats);

/* The realtime side: one thread, which never waits, allocates or logs here. */

/* The card will soon start in this format: the thread may open a sink for it now. */
void rt_stream_prepare(struct stream *s, const struct pcm_format *format);

/* What is written from here on has this format. */
void rt_stream_start(struct stream *s, const struct pcm_format *format);

void rt_stream_write(struct stream *s, const void *data, uint32_t frames);

/* No more frames until the next start: what is in the ring is played to its end. */
void rt_stream_stop(struct stream *s);

/* What of the run still waits for the host's turn, at most frames of it, in the run's format: for
 * another stream to go on with. Here it is played all the same. Returns the frames. to may be
 * NULL: it only counts. */
uint32_t rt_stream_unplayed(const struct stream *s, void *to, uint32_t frames);

/* By how much the card's clock should run faster (positive) or slower than CLOCK_MONOTONIC so
 * that the delay stays at its target, in parts per million; 0 while nothing is known. */
double rt_stream_clock_ppm(struct stream *s);

#endif
