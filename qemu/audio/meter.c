/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "audio/meter.h"

static uint32_t larger(uint32_t a, uint32_t b)
{
    return a > b ? a : b;
}

static uint32_t magnitude(int16_t sample)
{
    return (uint32_t)(sample < 0 ? -sample : sample);
}

void rt_meter_show(struct meter *m, const int16_t *stereo, uint32_t frames, uint32_t rate,
                   _Atomic uint32_t level[2])
{
    uint32_t left = m->now[0], right = m->now[1];

    for (uint32_t i = 0; i < frames; i++, stereo += 2) {
        left = larger(left, magnitude(stereo[0]));
        right = larger(right, magnitude(stereo[1]));
    }
    m->now[0] = left;
    m->now[1] = right;
    for (unsigned side = 0; side < 2; side++) {
        atomic_store_explicit(&level[side], larger(m->before[side], m->now[side]),
                              memory_order_relaxed);
    }
    m->frames += frames;
    if (m->frames >= rate / METERS_A_SECOND) {
        m->before[0] = left;
        m->before[1] = right;
        m->frames = m->now[0] = m->now[1] = 0;
    }
}
