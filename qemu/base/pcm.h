/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The form of PCM sound: what a guest's card produces and a host's driver takes.
 *
 * A frame is one sample of every channel, interleaved. 8-bit samples are
 * unsigned, 16-bit samples signed little endian: the two that PC sound
 * hardware of the 1990s knows.
 */
#ifndef BASE_PCM_H
#define BASE_PCM_H

#include <stdbool.h>
#include <stdint.h>

struct pcm_format {
    uint32_t rate;    /* frames a second; 0: no format, the stream is idle */
    uint8_t channels; /* 1 or 2 */
    uint8_t bits;     /* 8 or 16 */
};

static inline uint32_t pcm_frame_bytes(const struct pcm_format *f)
{
    return (uint32_t)f->channels * (f->bits / 8u);
}

static inline bool pcm_format_equal(const struct pcm_format *a, const struct pcm_format *b)
{
    return a->rate == b->rate && a->channels == b->channels && a->bits == b->bits;
}

#endif
