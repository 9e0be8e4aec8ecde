/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "card/sample_clock.h"

#include "base/clock.h"

#define MAX_PPM 10000.0

/* Parts of a tick: ticks a nanosecond are hz * (10^9 + ppb) / 10^18, an exact fraction. */
typedef unsigned __int128 uint128;
static const uint64_t unit = UINT64_C(1000000000000000000);

static uint64_t rate(const struct sample_clock *c)
{
    return c->hz * (uint64_t)((int64_t)NS_PER_S + c->ppb);
}

static uint128 parts_since_anchor(const struct sample_clock *c, uint64_t now_ns)
{
    uint64_t elapsed = now_ns > c->anchor_ns ? now_ns - c->anchor_ns : 0;

    return (uint128)elapsed * rate(c) + c->fraction;
}

void sample_clock_start(struct sample_clock *c, uint64_t hz, uint64_t now_ns)
{
    *c = (struct sample_clock){.hz = hz, .anchor_ns = now_ns};
}

uint64_t sample_clock_ticks(const struct sample_clock *c, uint64_t now_ns)
{
    return c->ticks + (uint64_t)(parts_since_anchor(c, now_ns) / unit);
}

uint64_t sample_clock_when(const struct sample_clock *c, uint64_t ticks)
{
    uint128 parts, ns;

    if (ticks <= c->ticks) {
        return c->anchor_ns;
    }
    parts = (uint128)(ticks - c->ticks) * unit - c->fraction;
    ns = (parts + rate(c) - 1) / rate(c);
    return ns < UINT64_MAX - c->anchor_ns ? c->anchor_ns + (uint64_t)ns : UINT64_MAX;
}

void sample_clock_set_ppm(struct sample_clock *c, uint64_t now_ns, double ppm)
{
    uint128 parts = parts_since_anchor(c, now_ns);
    double bounded = ppm > MAX_PPM ? MAX_PPM : ppm < -MAX_PPM ? -MAX_PPM : ppm;

    c->ticks += (uint64_t)(parts / unit);
    c->fraction = (uint64_t)(parts % unit);
    if (now_ns > c->anchor_ns) {
        c->anchor_ns = now_ns;
    }
    c->ppb = (int32_t)(bounded * 1000.0);
}

void sample_clock_delay(struct sample_clock *c, uint64_t ns)
{
    c->anchor_ns += ns;
}

uint64_t sample_clock_fraction(const struct sample_clock *c, uint64_t now_ns)
{
    return (uint64_t)(parts_since_anchor(c, now_ns) % unit);
}

bool sample_clock_resume(struct sample_clock *c, uint64_t hz, uint64_t now_ns, int32_t ppb,
                         uint64_t fraction)
{
    if (ppb > MAX_PPM * 1000 || ppb < -MAX_PPM * 1000 || fraction >= unit) {
        return false;
    }
    *c = (struct sample_clock){.hz = hz, .anchor_ns = now_ns, .fraction = fraction, .ppb = ppb};
    return true;
}
