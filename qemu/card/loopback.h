/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One of the card's voices on its way through the mixer to the ADC.
 *
 * Both run on the card's clock, and each holds a sample until its next: at each
 * frame of the ADC the voice's latest is recorded. A voice at the ADC's own rate
 * is recorded frame by frame, a frame or two later.
 *
 * One thread, realtime.
 */
#ifndef CARD_LOOPBACK_H
#define CARD_LOOPBACK_H

#include <stdbool.h>
#include <stdint.h>

#include "audio/volume.h"
#include "base/pcm.h"

/* The card moves the voice first, then the ADC, through the same time: the queue holds what that
 * may be, 85 ms at 48 kHz. After a longer pause of the whole card the oldest are lost. */
enum { LOOPBACK_FRAMES = 4096 };

struct loopback {
    struct volume volume;     /* from the voice's input to the ADC */
    struct pcm_format format; /* of the voice; rate 0: it does not play */
    bool recording;
    bool begun;             /* frames have been taken since the voice or the ADC started */
    uint64_t time;          /* since the frame held began, in the card's ticks */
    uint32_t first, queued; /* frames of the queue */
    int16_t held[2];
    int16_t queue[LOOPBACK_FRAMES][2];
};

/* The voice starts, in this format; stops: is silence from the end of the queue on. */
void rt_loopback_play(struct loopback *l, const struct pcm_format *format);
void rt_loopback_pause(struct loopback *l);

/* The ADC starts or stops; frames of the voice are kept between the two only. */
void rt_loopback_record(struct loopback *l, bool recording);

/* The voice's next frames, as the guest laid them down. */
void rt_loopback_put(struct loopback *l, const void *data, uint32_t frames);

/* Adds what the voice is at the ADC's next frames to stereo. voice_time, adc_time: of one frame, in
 * the card's ticks, above 0. */
void rt_loopback_add(struct loopback *l, uint32_t voice_time, uint32_t adc_time, int16_t *stereo,
                     uint32_t frames);

#endif
