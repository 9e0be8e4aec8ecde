/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What passes between the card's thread and a stream's: a ring with the frames
 * and, in step with them, marks that say where a run begins and ends.
 *
 * A run is what the card plays from one start to the next stop or start, all
 * in one format. The ring holds the frames of all runs end to end; each mark
 * holds its place in the ring, so that a change of format cannot overtake the
 * frames before it. The marks are a second single-producer single-consumer
 * queue. The guest can fill it (by starting and stopping without end); then a
 * start is not admitted, and its frames are dropped until there is room.
 *
 * Functions named rt_ are the card's thread's, and neither wait, allocate nor
 * log; the others are the stream's thread's.
 */
#ifndef AUDIO_FEED_H
#define AUDIO_FEED_H

#include <stdalign.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "audio/ring.h"
#include "base/err.h"
#include "base/pcm.h"

/* Two seconds at 48 kHz S16 stereo, and some: what a slow opening of the sink may take without a
 * frame lost. */
enum { FEED_RING_BYTES = 1 << 19, FEED_MARKS = 64 };

/* What the card's side has counted. */
struct feed_counts {
    uint64_t frames;   /* taken from the card */
    uint64_t dropped;  /* of those, lost for want of room */
    uint64_t overruns; /* times that the room ran out */
};

struct feed_mark {
    uint64_t position;         /* bytes written to the ring before it */
    uint32_t skip;             /* bytes of padding that follow it */
    struct pcm_format format;  /* of what follows; rate 0: nothing, the run has ended */
    struct feed_counts counts; /* when the card started or stopped */
};

/* Levels for feed_sleep that the ring's fill does not reach. */
enum { FEED_NO_LEVEL = UINT32_MAX - 1, FEED_AWAKE = UINT32_MAX };

struct feed {
    struct ring ring;
    int event_fd; /* becomes readable when the stream's thread is to wake */

    struct feed_mark marks[FEED_MARKS];
    alignas(64) atomic_uint marks_written;
    alignas(64) atomic_uint marks_read;

    atomic_uint_fast64_t hint; /* the format of rt_feed_prepare, packed; 0: none */
    atomic_uint events;        /* marks and hints so far */
    atomic_uint wake_level;    /* bytes in the ring at which to wake; FEED_AWAKE: not asleep */

    /* Written by the card's thread alone, for anyone to read. */
    atomic_uint_fast64_t frames;
    atomic_uint_fast64_t dropped;
    atomic_uint_fast64_t overruns;

    struct {
        bool running;   /* between start and stop */
        bool admitted;  /* the run's start is among the marks */
        bool full;      /* the last write did not fit */
        uint64_t begin; /* the run's, in the ring */
        struct pcm_format format;
        struct feed_counts at_start;
    } rt; /* the card's thread's own */
};

bool feed_init(struct feed *f, struct err *err);
void feed_free(struct feed *f);

void rt_feed_prepare(struct feed *f, const struct pcm_format *format);
void rt_feed_start(struct feed *f, const struct pcm_format *format);
void rt_feed_write(struct feed *f, const void *data, uint32_t frames);
void rt_feed_stop(struct feed *f);
/* Frames in the ring, of the format of the last start. */
uint32_t rt_feed_level(const struct feed *f);
/* What of the run has not been taken from the ring, at most size bytes of it: to go on elsewhere.
 * It stays in the ring. Returns the bytes. to may be NULL: it only counts. */
size_t rt_feed_unplayed(const struct feed *f, void *to, size_t size);

/* Bytes in the ring that belong to the run now playing. *mark is what comes after them, or NULL:
 * more of the same. */
size_t feed_readable(const struct feed *f, const struct feed_mark **mark);

/* Whether another run has begun behind that mark. */
bool feed_has_another(const struct feed *f, const struct feed_mark *mark);

/* Goes past the mark; only when nothing is readable before it. */
void feed_take_mark(struct feed *f);

/* The format of the latest prepare, once. False: there was none since. */
bool feed_take_hint(struct feed *f, struct pcm_format *format);

/* Of the card's side, now; any thread. */
struct feed_counts feed_get_counts(const struct feed *f);

/* How many marks and hints there have been. */
unsigned feed_events(const struct feed *f);

/* From here until feed_wake_up, event_fd is signalled once the ring holds level bytes or a mark
 * or hint comes. False: that is so already (seen: feed_events before the thread looked at what
 * there is to do), so do not sleep. */
bool feed_sleep(struct feed *f, uint32_t level, unsigned seen);
void feed_wake_up(struct feed *f);

#endif
