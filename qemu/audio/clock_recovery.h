/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * By how much the card's clock has to run fast or slow so that the delay from
 * the card to the host's output stays what it should be: a delay-locked loop.
 *
 * The delay is what the card has produced less what the sink has played, so it
 * integrates the difference of the two clocks; the loop closes it with a
 * correction proportional to the error and one to its integral, which ends up
 * being the sink's own deviation. (F. Adriaensen, "Using a DLL to filter time",
 * 2005: the same loop, and its bandwidth made narrower as it settles.)
 *
 * Nobody hears the correction: samples are not changed, and leave at the
 * sink's own rate. It only sets the pace at which the guest is asked for them.
 *
 * One thread.
 */
#ifndef AUDIO_CLOCK_RECOVERY_H
#define AUDIO_CLOCK_RECOVERY_H

#include <stdbool.h>
#include <stdint.h>

/*
 * While an excess is worked off: 30 ms of it a second, by a guest that is asked
 * for its sound three hundredths more slowly; so the time that a sound server
 * takes to open a sink is made up for in a second or two. In the steady state what counts is what
 * sinks do: sound cards are within 100 ppm, but PulseAudio's null sink rounds
 * each block's time down to a microsecond and runs fast by up to 1700 ppm at
 * 44.1 kHz and its shortest blocks (820 measured with a recorder that asks for
 * 1 ms).
 */
#define CLOCK_RECOVERY_MAX_PPM       30000.0
#define CLOCK_RECOVERY_MAX_DRIFT_PPM 2000.0

struct clock_recovery {
    double target;    /* the last, seconds, as all times here */
    double error;     /* measured delay less target, smoothed */
    double drift_ppm; /* the loop's integral: how far off the sink's clock seems to be */
    double locked;    /* how long the error has been small; the bandwidth follows it */
    double ppm;
    uint64_t last_ns; /* of the last measurement */
    bool measured;
};

/* Forgets everything: the correction is 0 until something has been measured. */
void clock_recovery_reset(struct clock_recovery *c);

/* Takes a measured delay, some 5 to 50 a second, and what it should be (which may move), and
 * returns the correction in parts per million, within CLOCK_RECOVERY_MAX_PPM: positive where the
 * card should run faster than it would. */
double clock_recovery_update(struct clock_recovery *c, uint64_t now_ns, uint64_t delay_ns,
                             uint64_t target_ns);

#endif
