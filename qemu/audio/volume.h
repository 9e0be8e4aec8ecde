/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The volume of one voice: the guest's frames in, whatever their form, and
 * 16-bit stereo at the volume of its mixer out.
 *
 * A change of volume takes 8 ms, in a straight line from frame to frame, so
 * that it does not click. At 0 dB (65536) on both sides the samples pass as
 * they are.
 *
 * One thread, realtime.
 */
#ifndef AUDIO_VOLUME_H
#define AUDIO_VOLUME_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/pcm.h"

enum {
    VOLUME_0DB = 0x10000,       /* gains are linear, in 1/65536 */
    VOLUME_MAX = 0x0fffffff,    /* 72 dB */
    VOLUME_RAMPS_A_SECOND = 125 /* a change takes 8 ms */
};

struct volume {
    bool changed;       /* a ramp towards the targets is to begin with the next frame */
    uint32_t ramp_left; /* frames until the targets are reached */
    struct {
        uint32_t target;
        int64_t gain; /* now, in 1/2^32 */
    } side[2];        /* left, right */
};

/* Where the volume is to go. All zeros is a struct volume that is silent and stays so. */
void rt_volume_set(struct volume *v, uint32_t left, uint32_t right);

/* Where it goes now, for others to see. */
void rt_volume_show(const struct volume *v, _Atomic uint32_t gain[2]);

/* A run begins: there is nothing to click yet, so it begins at the target. */
void rt_volume_start(struct volume *v);

/* Converts frames frames of format from at in, in the guest's byte order, to out: two samples
 * each, that many times louder, cut to 16 bits. */
void rt_volume_apply(struct volume *v, const struct pcm_format *from, const void *in,
                     uint32_t frames, int16_t *out);

/* Goes on where another was: its ramp, and the gains of its sides; the targets stay. False where
 * these are no volume's, and v as it was. */
bool volume_resume(struct volume *v, bool changed, uint32_t ramp_left, uint64_t left,
                   uint64_t right);

#endif
