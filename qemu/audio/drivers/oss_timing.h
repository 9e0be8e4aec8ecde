/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * When what is written to an OSS device will be heard, from what the device
 * says of itself. Reads no clock and asks for nothing, so that tests can lie to
 * it as emulations do.
 *
 * One thread. Sizes are bytes, times nanoseconds of CLOCK_MONOTONIC.
 */
#ifndef AUDIO_DRIVERS_OSS_TIMING_H
#define AUDIO_DRIVERS_OSS_TIMING_H

#include <stdbool.h>
#include <stdint.h>

#include "audio/driver.h"
#include "base/pcm.h"

struct oss_timing {
    uint64_t byte_rate;
    uint32_t fragment_bytes, buffer_bytes;
    struct audio_sink_state state;
    bool believed; /* the device's delay */
    bool sounding; /* frames of a sound were written, and it has not run dry since */
};

void oss_timing_init(struct oss_timing *t, const struct pcm_format *format, uint32_t fragment_bytes,
                     uint32_t buffer_bytes);

/* What the device has answered: its free room (GETOSPACE), and its delay (GETODELAY; 0 where it
 * has no such answer). */
void oss_timing_answer(struct oss_timing *t, uint64_t at_ns, int free_bytes, int delay_bytes);

/* Frames were written; of a sound, or to keep the device going. */
void oss_timing_wrote(struct oss_timing *t, uint64_t at_ns, uint64_t bytes, bool sound);

/* There is nothing left, or about to be. */
void oss_timing_ran_dry(struct oss_timing *t);

#endif
