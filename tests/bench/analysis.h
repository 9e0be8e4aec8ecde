/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the bench makes of its records, without clocks, threads or sound.
 *
 * The signal that is played is a counter: frame n, from 0, is the 32-bit number
 * n + 1 (left its low half, right its high half), so that each frame that is
 * heard tells which one it is, and silence, 0, is none. All times are in
 * nanoseconds of CLOCK_MONOTONIC.
 */
#ifndef BENCH_ANALYSIS_H
#define BENCH_ANALYSIS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { BENCH_RATE = 44100 };

static inline uint32_t signal_of_frame(uint64_t frame)
{
    return (uint32_t)frame + 1;
}

/* Frames that arrived together and follow each other: first, first + 1, ...; first == 0: silence.
 */
struct heard {
    uint64_t time;
    uint32_t first;
    uint32_t frames;
};

/* Splits what arrived at one time into such runs, at most room of them; what does not fit is lost.
 * Returns how many. */
size_t heard_split(const uint32_t *frames, size_t count, uint64_t time, struct heard *runs,
                   size_t room);

/* The guest was told at this time that so many frames had been played since the start. */
struct passing {
    uint64_t time;
    uint64_t frames;
};

/* Something that should have run did not, from one time to the other. */
struct stall {
    uint64_t from, to;
};
struct stalls {
    struct stall *list;
    size_t count;
};

struct break_heard {
    uint64_t time;    /* when its first frame arrived: silence, or one that should not follow */
    int64_t lost;     /* frames skipped; negative: that many came again */
    uint32_t silence; /* frames of it */
    enum { UNEXPLAINED, BY_STALL, BY_SERVER } reason;
};

/* Finds the breaks that begin in [from, to), at most room of them (later ones only counted).
 * Silence before the first frame of the signal is none. Returns how many there are. */
size_t breaks_find(const struct heard *runs, size_t count, uint64_t from, uint64_t to,
                   struct break_heard *breaks, size_t room);

/* Gives the breaks that have no reason yet this one, where a stall overlaps the window before the
 * break. Returns how many remain without. */
size_t breaks_explain(struct break_heard *breaks, size_t count, const struct stalls *stalls,
                      uint64_t window, int reason);

/* Frames in a time, from the first event in [from, to) to the last. */
struct rate {
    uint64_t frames, ns;
};
struct rate passings_rate(const struct passing *passings, size_t count, uint64_t from, uint64_t to);
/* Silence is sound here. */
struct rate heard_rate(const struct heard *runs, size_t count, uint64_t from, uint64_t to);

/* How often each length of time came, to the microsecond below a second. */
enum { HISTOGRAM_BINS = 1000000 };
struct histogram {
    uint32_t *bins;
    uint64_t count;
    uint64_t max; /* nanoseconds */
};

bool histogram_init(struct histogram *h);
void histogram_free(struct histogram *h);
void histogram_add(struct histogram *h, uint64_t ns);
/* The least length, in microseconds, which a share (0..1) of all does not exceed; 0: there are
 * none. */
double histogram_quantile(const struct histogram *h, double share);

/*
 * From the guest's position passing a frame to the frame's arrival, of each frame that arrived in
 * [from, to). passings are in order. smooth: between two of them the position moved evenly (true
 * of a card whose position follows its clock); otherwise it jumped, and a frame counts as passed
 * when the guest first saw it, which is late by up to the interval of the looks.
 *
 * Frames with a stall in the window before their arrival are left out (stalls may be NULL).
 */
void delays_measure(const struct heard *runs, size_t count, uint64_t from, uint64_t to,
                    const struct passing *passings, size_t passing_count, bool smooth,
                    const struct stalls *stalls, uint64_t window, struct histogram *delays);

/*
 * How late each interrupt in [from, to) reached the driver. When it was due is not on record; but
 * interrupts come at a steady pace, and never early: the earliest of those around one (100 ms, or
 * four periods) sets the time for it. Farther around, a card's clock that follows its sink would be
 * taken for lateness. times are all that came, in order, one for each period.
 *
 * Interrupts that a stall held up are left out (stalls may be NULL).
 */
void lateness_measure(const uint64_t *times, size_t count, uint64_t from, uint64_t to,
                      const struct stalls *stalls, struct histogram *late);

/* Frames by which the position moved at once between two looks: without those that the time
 * between them accounts for. */
uint32_t step_of(struct passing before, struct passing after);

#endif
