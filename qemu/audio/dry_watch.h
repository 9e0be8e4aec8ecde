/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Notices that a sink ran dry from how far it has fallen behind.
 *
 * Hosts do not always say so (pa_simple has no word for it), but all can be
 * asked for the delay. A sink that plays without a break stays a constant lag
 * behind the clock, give or take its drift; each pause adds its length to the
 * lag for good. What a host reports is noisy upwards, hardly downwards, so the
 * lowest lag of one fifth of a second is compared with that of the next. And a
 * sink that ran dry was nearly empty shortly before: a lag that grows without
 * that is the host's measurement, or another device of longer delay.
 *
 * It cannot see a pause below 2.5 ms, or count two within a window as two.
 */
#ifndef AUDIO_DRY_WATCH_H
#define AUDIO_DRY_WATCH_H

#include <stdbool.h>
#include <stdint.h>

/* What was seen in one window, nanoseconds. */
struct dry_window {
    int64_t lowest_lag;
    uint64_t least_delay;
};

struct dry_watch {
    uint64_t nearly_empty; /* a delay below this, nanoseconds */
    uint64_t window_end;   /* 0: nothing seen yet */
    struct dry_window now, before;
    bool compare; /* there is one before */
};

/* Starts anew. target_ns: the delay of a sink that is as full as it should be. */
void dry_watch_reset(struct dry_watch *w, uint64_t target_ns);

/* written_ns: the length of all that was written to the sink; delay_ns: until the next frame
 * written would be heard; both at now_ns, at least ten times a second while the sink plays.
 * Returns whether the sink has paused. */
bool dry_watch_add(struct dry_watch *w, uint64_t now_ns, uint64_t written_ns, uint64_t delay_ns);

#endif
