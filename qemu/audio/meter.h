/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A level meter: the highest peak of the last eighth to quarter of a second.
 *
 * One thread, realtime.
 */
#ifndef AUDIO_METER_H
#define AUDIO_METER_H

#include <stdatomic.h>
#include <stdint.h>

enum { METER_FULL = 32768, METERS_A_SECOND = 8 };

struct meter {
    uint32_t frames;    /* since the peaks were last put aside */
    uint32_t before[2]; /* those put aside, */
    uint32_t now[2];    /* and those since; of left and right */
};

/* Takes the next frames, of two samples each, at rate frames a second (above 0), and shows the
 * level of left and right: 0 (silence) to METER_FULL. All zeros is a meter that has seen nothing.
 */
void rt_meter_show(struct meter *m, const int16_t *stereo, uint32_t frames, uint32_t rate,
                   _Atomic uint32_t level[2]);

#endif
