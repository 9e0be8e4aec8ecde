/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "audio/dry_watch.h"

#include "base/clock.h"

enum { WINDOW_MS = 200 };

/* PulseAudio's latency, of which most is interpolated, shifts by up to 2.1 ms between windows
 * without a pause (null sink, a loaded machine); a clock that is off by 3000 ppm makes 0.6 ms. */
#define THRESHOLD_NS ((int64_t)(5 * NS_PER_MS / 2))

void dry_watch_reset(struct dry_watch *w, uint64_t target_ns)
{
    *w = (struct dry_watch){.nearly_empty = target_ns / 2};
}

static bool paused(const struct dry_watch *w)
{
    uint64_t least = w->now.least_delay < w->before.least_delay ? w->now.least_delay
                                                                : w->before.least_delay;

    return w->compare && least < w->nearly_empty &&
           w->now.lowest_lag - w->before.lowest_lag > THRESHOLD_NS;
}

bool dry_watch_add(struct dry_watch *w, uint64_t now_ns, uint64_t written_ns, uint64_t delay_ns)
{
    /* The frame heard now is at written_ns - delay_ns. */
    int64_t lag = (int64_t)(now_ns + delay_ns - written_ns);
    bool dry = false;

    if (w->window_end && now_ns >= w->window_end) {
        dry = paused(w);
        w->before = w->now;
        w->compare = true;
        w->window_end = 0;
    }
    if (!w->window_end) {
        w->window_end = now_ns + WINDOW_MS * NS_PER_MS;
        w->now = (struct dry_window){lag, delay_ns};
    }
    if (lag < w->now.lowest_lag) {
        w->now.lowest_lag = lag;
    }
    if (delay_ns < w->now.least_delay) {
        w->now.least_delay = delay_ns;
    }
    return dry;
}
