/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "bench/analysis.h"

#include <stdlib.h>

#include "base/clock.h"

size_t heard_split(const uint32_t *frames, size_t count, uint64_t time, struct heard *runs,
                   size_t room)
{
    size_t n = 0;

    for (size_t i = 0; i < count; i++) {
        struct heard *last = n > 0 ? &runs[n - 1] : NULL;

        if (last && frames[i] == (last->first == 0 ? 0 : last->first + last->frames)) {
            last->frames++;
        } else if (n < room) {
            runs[n++] = (struct heard){.time = time, .first = frames[i], .frames = 1};
        } else {
            break;
        }
    }
    return n;
}

size_t breaks_find(const struct heard *runs, size_t count, uint64_t from, uint64_t to,
                   struct break_heard *breaks, size_t room)
{
    struct break_heard now = {0};
    bool playing = false, silent = false;
    uint32_t expected = 0;
    size_t n = 0;

    for (size_t i = 0; i < count; i++) {
        const struct heard *run = &runs[i];
        bool ends;

        if (run->first == 0) {
            if (playing && !silent) {
                now = (struct break_heard){.time = run->time};
                silent = true;
            }
            now.silence += run->frames;
            continue;
        }
        ends = playing && (silent || run->first != expected);
        if (ends && !silent) {
            now = (struct break_heard){.time = run->time};
        }
        if (ends && now.time >= from && now.time < to) {
            now.lost = (int32_t)(run->first - expected);
            if (n < room) {
                breaks[n] = now;
            }
            n++;
        }
        playing = true;
        silent = false;
        expected = run->first + run->frames;
    }
    /* Sound that never came back. */
    if (silent && now.time >= from && now.time < to) {
        if (n < room) {
            breaks[n] = now;
        }
        n++;
    }
    return n;
}

static bool stall_overlaps(const struct stalls *stalls, uint64_t from, uint64_t to)
{
    for (size_t i = 0; stalls && i < stalls->count; i++) {
        if (stalls->list[i].to >= from && stalls->list[i].from <= to) {
            return true;
        }
    }
    return false;
}

size_t breaks_explain(struct break_heard *breaks, size_t count, const struct stalls *stalls,
                      uint64_t window, int reason)
{
    size_t unexplained = 0;

    for (size_t i = 0; i < count; i++) {
        uint64_t time = breaks[i].time;

        if (breaks[i].reason == UNEXPLAINED &&
            stall_overlaps(stalls, time > window ? time - window : 0, time)) {
            breaks[i].reason = reason;
        }
        unexplained += breaks[i].reason == UNEXPLAINED;
    }
    return unexplained;
}

struct rate passings_rate(const struct passing *passings, size_t count, uint64_t from, uint64_t to)
{
    const struct passing *first = NULL, *last = NULL;

    for (size_t i = 0; i < count; i++) {
        if (passings[i].time >= from && passings[i].time < to) {
            first = first ? first : &passings[i];
            last = &passings[i];
        }
    }
    return first ? (struct rate){last->frames - first->frames, last->time - first->time}
                 : (struct rate){0};
}

struct rate heard_rate(const struct heard *runs, size_t count, uint64_t from, uint64_t to)
{
    uint64_t first = 0, last = 0, frames = 0;

    for (size_t i = 0; i < count; i++) {
        if (runs[i].time < from || runs[i].time >= to) {
            continue;
        }
        first = first ? first : runs[i].time;
        last = runs[i].time;
        /* What came with the first was there before. */
        frames += runs[i].time > first ? runs[i].frames : 0;
    }
    return (struct rate){frames, last - first};
}

bool histogram_init(struct histogram *h)
{
    *h = (struct histogram){.bins = calloc(HISTOGRAM_BINS, sizeof(*h->bins))};
    return h->bins != NULL;
}

void histogram_free(struct histogram *h)
{
    free(h->bins);
    h->bins = NULL;
}

void histogram_add(struct histogram *h, uint64_t ns)
{
    uint64_t us = ns / NS_PER_US;

    h->bins[us < HISTOGRAM_BINS ? us : HISTOGRAM_BINS - 1]++;
    h->count++;
    h->max = ns > h->max ? ns : h->max;
}

double histogram_quantile(const struct histogram *h, double share)
{
    uint64_t seen = 0;

    for (size_t us = 0; us < HISTOGRAM_BINS; us++) {
        seen += h->bins[us];
        if (seen > 0 && (double)seen >= share * (double)h->count) {
            return (double)us;
        }
    }
    return 0;
}

/* When the position had passed frame, from passings[*i] on; false: not on record. */
static bool passed_at(const struct passing *passings, size_t count, bool smooth, uint64_t frame,
                      size_t *i, uint64_t *time)
{
    const struct passing *p;

    while (*i < count && passings[*i].frames <= frame) {
        ++*i;
    }
    if (*i == count || *i == 0) {
        return false;
    }
    p = &passings[*i];
    *time = p->time;
    if (smooth) {
        /* The frame's end lies at least a frame after p[-1], and not after p. */
        *time -= (p->time - p[-1].time) * (p->frames - frame - 1) / (p->frames - p[-1].frames);
    }
    return true;
}

/* The first of passings with more frames than frame. */
static size_t find_passing(const struct passing *passings, size_t count, uint64_t frame)
{
    size_t low = 0, high = count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (passings[middle].frames > frame) {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    return low;
}

void delays_measure(const struct heard *runs, size_t count, uint64_t from, uint64_t to,
                    const struct passing *passings, size_t passing_count, bool smooth,
                    const struct stalls *stalls, uint64_t window, struct histogram *delays)
{
    for (size_t r = 0; r < count; r++) {
        const struct heard *run = &runs[r];
        uint64_t frame = (uint64_t)run->first - 1;
        size_t i;

        if (run->first == 0 || run->time < from || run->time >= to ||
            stall_overlaps(stalls, run->time - window, run->time)) {
            continue;
        }
        i = find_passing(passings, passing_count, frame);
        for (uint32_t n = 0; n < run->frames; n++) {
            uint64_t passed;

            if (passed_at(passings, passing_count, smooth, frame + n, &i, &passed)) {
                histogram_add(delays, run->time > passed ? run->time - passed : 0);
            }
        }
    }
}

void lateness_measure(const uint64_t *times, size_t count, uint64_t from, uint64_t to,
                      const struct stalls *stalls, struct histogram *late)
{
    size_t first = 0, end, low;
    uint64_t around;
    double pace;

    while (first < count && times[first] < from) {
        first++;
    }
    for (end = first; end < count && times[end] < to; end++) {
    }
    if (end - first < 2) {
        return;
    }
    pace = (double)(times[end - 1] - times[first]) / (double)(end - 1 - first);
    around = (uint64_t)(4 * pace);
    around = around > 100 * NS_PER_MS ? around : 100 * NS_PER_MS;

    low = first;
    for (size_t i = first; i < end; i++) {
        double most = 0;

        while (times[low] + around < times[i]) {
            low++;
        }
        for (size_t n = low; n < end && times[n] <= times[i] + around; n++) {
            double after = (double)(int64_t)(times[i] - times[n]) - pace * ((double)i - (double)n);

            most = after > most ? after : most;
        }
        if (!stall_overlaps(stalls, times[i] - (uint64_t)most, times[i])) {
            histogram_add(late, (uint64_t)most);
        }
    }
}

uint32_t step_of(struct passing before, struct passing after)
{
    uint64_t moved = after.frames - before.frames;
    uint64_t due = (after.time - before.time) * BENCH_RATE / NS_PER_S;

    return moved > due ? (uint32_t)(moved - due) : 0;
}
