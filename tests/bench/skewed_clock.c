/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A clock that is off, for one process: with this library preloaded its
 * CLOCK_MONOTONIC runs SKEWED_CLOCK_PPM parts per million too fast, counted
 * from its start. A sound server's null sink has no other clock, so this makes
 * the sink's crystal a bad one.
 */
#include <stdint.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"

static double skew; /* seconds a second */
static uint64_t start;

static int system_time(clockid_t clock, struct timespec *t)
{
    return (int)syscall(SYS_clock_gettime, clock, t);
}

static uint64_t nanoseconds(const struct timespec *t)
{
    return (uint64_t)t->tv_sec * NS_PER_S + (uint64_t)t->tv_nsec;
}

__attribute__((constructor)) static void begin(void)
{
    const char *ppm = getenv("SKEWED_CLOCK_PPM");
    struct timespec t;

    system_time(CLOCK_MONOTONIC, &t);
    start = nanoseconds(&t);
    skew = ppm ? strtod(ppm, NULL) / 1e6 : 0;
}

int clock_gettime(clockid_t clock, struct timespec *t)
{
    int result = system_time(clock, t);

    if (result == 0 && clock == CLOCK_MONOTONIC) {
        uint64_t now = nanoseconds(t);

        now = (uint64_t)((int64_t)now + (int64_t)((double)(now - start) * skew));
        t->tv_sec = (time_t)(now / NS_PER_S);
        t->tv_nsec = (long)(now % NS_PER_S);
    }
    return result;
}
