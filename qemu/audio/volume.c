/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "audio/volume.h"

static int64_t in_fine_steps(uint32_t gain)
{
    return (int64_t)gain << 16;
}

void rt_volume_set(struct volume *v, uint32_t left, uint32_t right)
{
    uint32_t to[2] = {left, right};

    for (unsigned i = 0; i < 2; i++) {
        to[i] = to[i] < VOLUME_MAX ? to[i] : VOLUME_MAX;
        v->changed |= to[i] != v->side[i].target;
        v->side[i].target = to[i];
    }
}

void rt_volume_start(struct volume *v)
{
    v->changed = false;
    v->ramp_left = 0;
    for (unsigned i = 0; i < 2; i++) {
        v->side[i].gain = in_fine_steps(v->side[i].target);
    }
}

static void begin_ramp(struct volume *v, uint32_t frames)
{
    v->changed = false;
    v->ramp_left = frames;
    for (unsigned i = 0; i < 2; i++) {
        v->side[i].step = (in_fine_steps(v->side[i].target) - v->side[i].gain) / frames;
    }
}

static void step_ramp(struct volume *v)
{
    v->ramp_left--;
    for (unsigned i = 0; i < 2; i++) {
        v->side[i].gain =
            v->ramp_left > 0 ? v->side[i].gain + v->side[i].step : in_fine_steps(v->side[i].target);
    }
}

/* One sample at p, as 16 bits. */
static int32_t sample(const struct pcm_format *format, const uint8_t *p)
{
    return format->bits == 8 ? (p[0] - 0x80) * 0x100 : (int16_t)(p[0] | p[1] << 8);
}

static int16_t amplify(int32_t sample, int64_t gain)
{
    int64_t louder = (sample * (gain >> 16) + VOLUME_0DB / 2) >> 16;

    return (int16_t)(louder > INT16_MAX ? INT16_MAX : louder < INT16_MIN ? INT16_MIN : louder);
}

void rt_volume_apply(struct volume *v, const struct pcm_format *from, const void *in,
                     uint32_t frames, int16_t *out)
{
    const uint8_t *left = in;
    uint32_t right = from->channels == 2 ? from->bits / 8u : 0; /* bytes after the left */
    uint32_t frame_bytes = pcm_frame_bytes(from);

    if (v->changed) {
        begin_ramp(v, from->rate / VOLUME_RAMPS_A_SECOND + 1);
    }
    for (uint32_t i = 0; i < frames; i++, left += frame_bytes) {
        if (v->ramp_left > 0) {
            step_ramp(v);
        }
        *out++ = amplify(sample(from, left), v->side[0].gain);
        *out++ = amplify(sample(from, left + right), v->side[1].gain);
    }
}
