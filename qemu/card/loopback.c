/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "card/loopback.h"

#include <string.h>

/* Frames at most that a voice plays in one piece: 256 bytes. */
enum { MAX_PIECE_FRAMES = 256 };

static void empty(struct loopback *l)
{
    l->begun = false;
    l->queued = 0;
    l->time = 0;
    memset(l->held, 0, sizeof(l->held));
}

void rt_loopback_play(struct loopback *l, const struct pcm_format *format)
{
    l->format = *format;
    rt_volume_start(&l->volume);
    empty(l);
}

void rt_loopback_pause(struct loopback *l)
{
    l->format.rate = 0;
}

void rt_loopback_record(struct loopback *l, bool recording)
{
    l->recording = recording;
    empty(l);
}

void rt_loopback_put(struct loopback *l, const void *data, uint32_t frames)
{
    int16_t stereo[MAX_PIECE_FRAMES][2];

    if (!l->recording) {
        return;
    }
    rt_volume_apply(&l->volume, &l->format, data, frames, stereo[0]);
    for (uint32_t i = 0; i < frames; i++) {
        if (l->queued == LOOPBACK_FRAMES) {
            l->first = (l->first + 1) % LOOPBACK_FRAMES;
            l->queued--;
        }
        memcpy(l->queue[(l->first + l->queued++) % LOOPBACK_FRAMES], stereo[i], sizeof(stereo[i]));
    }
}

/* The next frame of the voice is the one held. One that has not come yet holds the last longer. */
static void next_frame(struct loopback *l)
{
    if (l->queued > 0) {
        memcpy(l->held, l->queue[l->first], sizeof(l->held));
        l->first = (l->first + 1) % LOOPBACK_FRAMES;
        l->queued--;
    } else if (l->format.rate == 0) {
        memset(l->held, 0, sizeof(l->held));
    }
}

static int16_t sum(int32_t a, int32_t b)
{
    return (int16_t)(a + b > INT16_MAX ? INT16_MAX : a + b < INT16_MIN ? INT16_MIN : a + b);
}

void rt_loopback_add(struct loopback *l, uint32_t voice_time, uint32_t adc_time, int16_t *stereo,
                     uint32_t frames)
{
    for (uint32_t i = 0; i < frames; i++, stereo += 2) {
        if (l->begun) {
            for (l->time += adc_time; l->time >= voice_time; l->time -= voice_time) {
                next_frame(l);
            }
        }
        /* The first time silence: the two channels' frames end at different times, so the ADC may
         * be one ahead later, and is not to run out of frames then. */
        l->begun |= l->queued > 0;
        stereo[0] = sum(stereo[0], l->held[0]);
        stereo[1] = sum(stereo[1], l->held[1]);
    }
}
