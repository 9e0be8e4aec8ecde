/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "audio/guest_format.h"

static uint8_t *put(uint8_t *to, int32_t sample, uint8_t bits)
{
    if (bits == 8) {
        int32_t nearest = (sample + 0x8000 + 0x80) >> 8;

        *to++ = (uint8_t)(nearest > 0xff ? 0xff : nearest);
    } else {
        *to++ = (uint8_t)sample;
        *to++ = (uint8_t)((uint32_t)sample >> 8);
    }
    return to;
}

void rt_guest_format(const int16_t *stereo, uint32_t frames, const struct pcm_format *to, void *out)
{
    uint8_t *p = out;

    for (uint32_t i = 0; i < frames; i++, stereo += 2) {
        if (to->channels == 1) {
            p = put(p, (stereo[0] + stereo[1] + 1) >> 1, to->bits);
        } else {
            p = put(p, stereo[0], to->bits);
            p = put(p, stereo[1], to->bits);
        }
    }
}
