/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "card/recording.h"

#include <string.h>

#include "audio/guest_format.h"

/* Where the voices enter the mixer. */
static const enum ak4531_input voice_input[RECORDING_VOICES] = {AK4531_FM, AK4531_VOICE};

/* The ADC wants at most so many frames at a time: 256 bytes. */
enum { MAX_PIECE_FRAMES = 256 };

bool recording_open(struct recording *r, const struct audio_settings *settings,
                    struct stream_status *status, struct err *err)
{
    memset(r, 0, sizeof(*r));
    r->status = status;
    r->capture = capture_open(settings, "adc", status, err);
    return r->capture != NULL;
}

void recording_close(struct recording *r)
{
    if (r->capture) {
        capture_close(r->capture);
    }
}

void rt_recording_prepare(struct recording *r, const struct pcm_format *format)
{
    rt_capture_prepare(r->capture, format->rate);
}

void rt_recording_start(struct recording *r, const struct pcm_format *format)
{
    r->format = *format;
    rt_volume_start(&r->volume);
    for (unsigned i = 0; i < RECORDING_VOICES; i++) {
        rt_loopback_record(&r->voices[i], true);
    }
}

void rt_recording_stop(struct recording *r)
{
    for (unsigned i = 0; i < RECORDING_VOICES; i++) {
        rt_loopback_record(&r->voices[i], false);
    }
}

void rt_recording_open_source(struct recording *r)
{
    rt_capture_start(r->capture, r->format.rate);
}

void rt_recording_close_source(struct recording *r)
{
    rt_capture_stop(r->capture);
}

/* Of an input to one side of the ADC, for rt_volume_set. */
static uint32_t host_gain(const struct ak4531 *codec, unsigned side)
{
    return ak4531_record_gain(codec, AK4531_LINE, side) +
           ak4531_record_gain(codec, AK4531_MIC, side);
}

void rt_recording_mix(struct recording *r, const struct ak4531 *codec)
{
    rt_volume_set(&r->volume, host_gain(codec, 0), host_gain(codec, 1));
    rt_volume_show(&r->volume, r->status->gain);
    for (unsigned i = 0; i < RECORDING_VOICES; i++) {
        rt_volume_set(&r->voices[i].volume, ak4531_record_gain(codec, voice_input[i], 0),
                      ak4531_record_gain(codec, voice_input[i], 1));
    }
}

void rt_recording_read(struct recording *r, const struct es1370 *chip, void *data, uint32_t frames)
{
    const struct pcm_format source = {r->format.rate, 2, 16};
    int16_t heard[2 * MAX_PIECE_FRAMES], louder[2 * MAX_PIECE_FRAMES];

    rt_capture_read(r->capture, heard, frames);
    rt_volume_apply(&r->volume, &source, heard, frames, louder);
    for (unsigned i = 0; i < RECORDING_VOICES; i++) {
        rt_loopback_add(&r->voices[i], es1370_frame_time(chip, (enum es1370_channel)i),
                        es1370_frame_time(chip, ES1370_ADC), louder, frames);
    }
    rt_meter_show(&r->meter, louder, frames, source.rate, r->status->level);
    rt_guest_format(louder, frames, &r->format, data);
}
