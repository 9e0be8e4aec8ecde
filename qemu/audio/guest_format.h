/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Sound on its way to the guest: from 16-bit stereo to the form that it asked
 * for. One thread, realtime.
 */
#ifndef AUDIO_GUEST_FORMAT_H
#define AUDIO_GUEST_FORMAT_H

#include <stdint.h>

#include "base/pcm.h"

/* Converts frames of two samples each to out, in format to: a mono frame is the mean of the two,
 * and 8 bits are the nearest there are. 16-bit stereo passes as it is. */
void rt_guest_format(const int16_t *stereo, uint32_t frames, const struct pcm_format *to,
                     void *out);

#endif
