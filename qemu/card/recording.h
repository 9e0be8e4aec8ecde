/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the card's ADC hears: the host's source, which is at the line input and
 * at the microphone's alike, and the card's own two voices, each as loud as the
 * mixer lets it through. A guest that has selected none of them records silence.
 *
 * A saved card that is loaded records on from what comes then: the sound that was
 * on its way is not saved.
 *
 * Functions named rt_ are the card's thread's; they neither allocate, wait nor
 * log.
 */
#ifndef CARD_RECORDING_H
#define CARD_RECORDING_H

#include <stdbool.h>
#include <stdint.h>

#include "audio/capture.h"
#include "audio/meter.h"
#include "audio/volume.h"
#include "base/pcm.h"
#include "card/loopback.h"
#include "hw/es1370.h"

enum { RECORDING_VOICES = 2 }; /* ES1370_DAC1, ES1370_DAC2 */

struct recording {
    struct capture *capture;
    struct volume volume; /* of the host's source */
    struct meter meter;   /* of what the guest gets */
    struct stream_status *status;
    struct pcm_format format;
    struct loopback voices[RECORDING_VOICES];
};

/* settings must outlive the recording, status the process. False with err set. */
bool recording_open(struct recording *r, const struct audio_settings *settings,
                    struct stream_status *status, struct err *err);
/* One that was not opened, and is all zeros, may be closed too. */
void recording_close(struct recording *r);

/* The ADC, in the guest's format. A start while it runs is one in another format. */
void rt_recording_prepare(struct recording *r, const struct pcm_format *format);
void rt_recording_start(struct recording *r, const struct pcm_format *format);
void rt_recording_stop(struct recording *r);

/* The host's source, which is needed between start and stop, but for the time that the card stands
 * still: what has been heard of the voices stays. */
void rt_recording_open_source(struct recording *r);
void rt_recording_close_source(struct recording *r);

/* The mixer has been written. */
void rt_recording_mix(struct recording *r, const struct ak4531 *codec);

/* The next frames, at most 256 bytes of them, in the guest's format. */
void rt_recording_read(struct recording *r, const struct es1370 *chip, void *data, uint32_t frames);

#endif
