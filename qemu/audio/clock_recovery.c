/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "audio/clock_recovery.h"

#include <math.h>

#include "base/clock.h"

/* The loop's angular frequency, 1/s: wide until it has been locked for a while, so that a sink that
 * is off by 1000 ppm costs a millisecond of delay and not ten; then narrow, so that a millisecond
 * of noise in what the host reports moves the clock by some 10 ppm. */
static const double WIDE = 1.5, NARROW = 0.05, LOCKED_TIME = 5;

/* An error beyond this is not the clocks' doing (a late start, a stall): it is worked off at the
 * loop's widest, and not learned as drift. */
static double large_error(const struct clock_recovery *c)
{
    return fmax(0.001, c->target / 4);
}

void clock_recovery_reset(struct clock_recovery *c)
{
    *c = (struct clock_recovery){0};
}

static double within(double x, double limit)
{
    return fmax(-limit, fmin(x, limit));
}

double clock_recovery_update(struct clock_recovery *c, uint64_t now_ns, uint64_t delay_ns,
                             uint64_t target_ns)
{
    double target = (double)target_ns / (double)NS_PER_S;
    double error = (double)delay_ns / (double)NS_PER_S - target;
    /* At most a second, should there have been nothing to measure for longer. */
    double dt = fmin((double)(now_ns - c->last_ns) / (double)NS_PER_S, 1);
    double slope = 0, omega;

    c->last_ns = now_ns;
    if (!c->measured) {
        c->measured = true;
        c->error = error;
        dt = 0;
    } else if (target < c->target && dt > 0) {
        /* A target that comes down slowly takes the delay with it; one that jumps up is where the
         * delay is already. */
        slope = (target - c->target) / dt;
    } else if (target > c->target) {
        c->error = error;
    }
    c->target = target;

    omega = fmax(NARROW, fmin(WIDE, LOCKED_TIME / fmax(c->locked, 1e-3)));
    /* Smoothed over a twentieth of the loop's own time, which leaves it well damped. */
    c->error += (error - c->error) * fmin(1, dt * omega * 20);
    if (fabs(c->error) > large_error(c)) {
        c->locked = 0;
        omega = WIDE;
    } else {
        c->locked += dt;
        c->drift_ppm = within(c->drift_ppm - omega * omega * c->error * dt * 1e6,
                              CLOCK_RECOVERY_MAX_DRIFT_PPM);
    }
    c->ppm = within(c->drift_ppm + (slope - 2 * omega * c->error) * 1e6, CLOCK_RECOVERY_MAX_PPM);
    return c->ppm;
}
