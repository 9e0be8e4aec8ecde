/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What passes between a capture's thread and the card's: frames one way, in a
 * ring, and what the guest wants the other way, in one word.
 *
 * Only the guest's latest wish counts, so it can start and stop without end
 * and nothing fills up. A run is what the guest records from one start to the
 * next stop or start; the thread says from which place in the ring on the
 * frames are of the latest run, and what lies before is nobody's.
 *
 * Frames come in blocks, and the guest's are due one by one. So the first of a
 * run are held back until the newest of them is as old as the target says (the
 * guest gets silence so far, and never what is older than that, or than the
 * start); from then on each has the target to arrive in.
 * Where that was too short, an underrun, the guest gets silence in place of
 * what has not come, and what comes is held back in the same way. No frame is
 * lost by it.
 *
 * Frames are 16 bits, stereo, at the rate of the run. Functions named rt_ are
 * the card's thread's, and neither wait, allocate nor log; the others are the
 * capture's thread's.
 */
#ifndef AUDIO_INTAKE_H
#define AUDIO_INTAKE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "audio/ring.h"
#include "base/err.h"

/* 2.7 seconds at 48 kHz: more than the deepest target and what may be in excess of it. */
enum { INTAKE_RING_BYTES = 1 << 19, INTAKE_FRAME_BYTES = 4 };

enum intake_mode {
    INTAKE_IDLE,     /* the guest does not record */
    INTAKE_PREPARED, /* it may soon */
    INTAKE_RUNNING,
};

struct intake_wish {
    uint32_t number; /* of this wish; the run's, if it is one */
    enum intake_mode mode;
    uint32_t rate; /* frames a second; 0 while idle */
};

/* What the card's side has counted. */
struct intake_counts {
    uint64_t frames;    /* given to the guest */
    uint64_t silent;    /* of those, silence for what had not come */
    uint64_t underruns; /* times that frames had come, and then did not in time */
    uint64_t dropped;   /* that the guest did not get: too many, or too old */
    uint64_t repeated;  /* that it got twice */
};

struct intake {
    struct ring ring;
    int event_fd; /* becomes readable when the capture's thread is to wake */

    atomic_uint_fast64_t wish; /* packed */
    atomic_bool asleep;

    /* Written by the capture's thread. */
    atomic_uint run;                 /* the frames in the ring are of this one, */
    atomic_uint_fast64_t run_begins; /* from this place on, in bytes */
    atomic_uint target;              /* frames: from a frame's arrival to the guest */
    atomic_int slip_ppb;             /* see rt_intake_follow */
    /* Written by the card's thread, for anyone to read. */
    atomic_uint_fast64_t frames;
    atomic_uint_fast64_t silent;
    atomic_uint_fast64_t underruns;
    atomic_uint_fast64_t dropped;
    atomic_uint_fast64_t repeated;
    atomic_bool flowing;  /* the guest gets what is in the ring */
    atomic_bool followed; /* see rt_intake_follow */

    struct {
        struct intake_wish wish;
        bool begun;       /* the ring's frames are of this run */
        uint64_t elapsed; /* frames read since its start */
        bool heard;       /* some of the run's have come */
        uint32_t first;   /* frames that were there when the first were seen; 0: none yet */
        uint32_t waited;  /* frames of silence since */
        int64_t slip;     /* parts of a frame to be dropped (or, negative, repeated), in 1/10^9 */
        uint8_t last[INTAKE_FRAME_BYTES];
    } rt; /* the card's thread's own */
};

bool intake_init(struct intake *in, struct err *err);
void intake_free(struct intake *in);

/* The guest may soon start at this rate; starts; stops. */
void rt_intake_prepare(struct intake *in, uint32_t rate);
void rt_intake_start(struct intake *in, uint32_t rate);
void rt_intake_stop(struct intake *in);

/* The next frames of the run, whatever has come of it. */
void rt_intake_read(struct intake *in, int16_t *stereo, uint32_t frames);

/* Whether the card's clock follows the source's, so that as many frames are read as come. If not,
 * what is too much or too little in the long run is made up for by dropping single frames
 * (slip_ppb of each 10^9) or repeating them (where that is negative). */
void rt_intake_follow(struct intake *in, bool followed);

/* Frames in the ring, of the run or of the one before. */
uint32_t rt_intake_level(const struct intake *in);

struct intake_wish intake_get_wish(const struct intake *in);

/* What is written to the ring from here on is of this run. */
void intake_begin_run(struct intake *in, uint32_t number);

/* Frames in the ring. */
uint32_t intake_level(const struct intake *in);

/* Of the card's side, now; any thread. */
struct intake_counts intake_get_counts(const struct intake *in);

/* From here until intake_wake_up, event_fd is signalled when there is another wish. False: there is
 * one already (number is that of the last seen), so do not sleep. */
bool intake_sleep(struct intake *in, uint32_t number);
void intake_wake_up(struct intake *in);

#endif
