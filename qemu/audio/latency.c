/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "audio/latency.h"

#include <string.h>

#include "base/clock.h"

/* The correction of the card's clock is worked out this often. */
#define WINDOW_NS (50 * NS_PER_MS)
/* How long a delay that underruns have made is kept, for a machine that stalls does so again; then
 * it comes down by this much a second, or a thirtieth of what it is too long, if that is more. */
#define HOLD_NS      (10 * NS_PER_S)
#define COMEBACK_NS  (NS_PER_MS / 5)
#define COMEBACK_DIV 30
/* What one stall may add to the delay, or half of what is asked if that is more. */
#define STEP_NS (10 * NS_PER_MS)
/* The beginning of a sound waits this long for a sink that is slow to open, and is heard late. */
#define LATE_START_NS (250 * NS_PER_MS)

static uint64_t most(uint64_t a, uint64_t b)
{
    return a > b ? a : b;
}

static uint64_t least(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

void latency_init(struct latency *l, uint64_t asked_ns, uint64_t chunk_ns, uint64_t longest_ns)
{
    memset(l, 0, sizeof(*l));
    l->asked_ns = l->target_ns = asked_ns;
    l->chunk_ns = chunk_ns;
    l->longest_ns = longest_ns;
    latency_restart(l);
}

void latency_restart(struct latency *l)
{
    l->least_ns = UINT64_MAX;
    l->ran_dry = false;
    l->window_count = 0;
    clock_recovery_reset(&l->recovery);
}

void latency_ran_dry(struct latency *l)
{
    l->ran_dry = true;
}

uint64_t latency_bound_ns(const struct latency *l)
{
    return l->least_ns == UINT64_MAX
               ? l->target_ns + LATE_START_NS
               : most(l->target_ns, l->least_ns) + most(STEP_NS, l->asked_ns / 2);
}

/* What the target comes back to: a sink that cannot work in blocks as small as it was asked to
 * needs one of them, and the time to fill it. */
static uint64_t base_ns(const struct latency *l, uint64_t block_ns)
{
    return block_ns > 2 * l->chunk_ns ? most(l->asked_ns, block_ns + 2 * l->chunk_ns + NS_PER_MS)
                                      : l->asked_ns;
}

void latency_begin(struct latency *l, uint64_t delay_ns, uint64_t block_ns)
{
    l->target_ns = most(l->target_ns, base_ns(l, block_ns));
    l->least_ns = most(l->target_ns, delay_ns);
}

static void move_target(struct latency *l, uint64_t now, uint64_t delay_ns, uint64_t block_ns)
{
    uint64_t base = base_ns(l, block_ns);
    uint64_t longest = most(l->longest_ns, 2 * base);

    if (l->ran_dry) {
        l->ran_dry = false;
        l->target_ns = most(l->target_ns, least(delay_ns, longest));
        l->hold_until = now + HOLD_NS;
    } else if (now > l->hold_until) {
        uint64_t rate =
            most(COMEBACK_NS, (l->target_ns - least(base, l->target_ns)) / COMEBACK_DIV);
        uint64_t down = (now - most(l->moved_at, l->hold_until)) * rate / NS_PER_S;

        l->target_ns -= least(down, l->target_ns);
    }
    l->target_ns = most(l->target_ns, base);
    l->moved_at = now;
}

double latency_add(struct latency *l, uint64_t now, uint64_t delay_ns, uint64_t block_ns)
{
    move_target(l, now, delay_ns, block_ns);
    l->least_ns = least(l->least_ns, delay_ns);
    if (l->window_count == 0) {
        l->window_end = now + WINDOW_NS;
        l->window_sum = 0;
    }
    l->window_sum += delay_ns;
    l->window_count++;
    if (now >= l->window_end) {
        clock_recovery_update(&l->recovery, now, l->window_sum / l->window_count, l->target_ns);
        l->window_count = 0;
    }
    return l->recovery.ppm;
}
