/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "audio/volume.h"

/* In frames; nothing plays faster than 48000 Hz. */
enum { LONGEST_RAMP = 48000 / VOLUME_RAMPS_A_SECOND + 1 };

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

void rt_volume_show(const struct volume *v, _Atomic uint32_t gain[2])
{
    for (unsigned i = 0; i < 2; i++) {
        atomic_store_explicit(&gain[i], v->side[i].target, memory_order_relaxed);
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

static void step_ramp(struct volume *v)
{
    for (unsigned i = 0; i < 2; i++) {
        v->side[i].gain += (in_fine_steps(v->side[i].target) - v->side[i].gain) / v->ramp_left;
    }
    v->ramp_left--;
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
        v->changed = false;
        v->ramp_left = from->rate / VOLUME_RAMPS_A_SECOND + 1;
    }
    for (uint32_t i = 0; i < frames; i++, left += frame_bytes) {
        if (v->ramp_left > 0) {
            step_ramp(v);
        }
        *out++ = amplify(sample(from, left), v->side[0].gain);
        *out++ = amplify(sample(from, left + right), v->side[1].gain);
    }
}

bool volume_resume(struct volume *v, bool changed, uint32_t ramp_left, uint64_t left,
                   uint64_t right)
{
    uint64_t most = (uint64_t)in_fine_steps(VOLUME_MAX);

    if (ramp_left > LONGEST_RAMP || left > most || right > most) {
        return false;
    }
    v->changed = changed;
    v->ramp_left = ramp_left;
    v->side[0].gain = (int64_t)left;
    v->side[1].gain = (int64_t)right;
    return true;
}
