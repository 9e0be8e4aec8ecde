/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "audio/drivers/oss_timing.h"

#include "base/clock.h"

/* Loudspeakers far away (by radio, by network) are some hundred milliseconds off. */
#define LONGEST_S 2
/* A server may be too busy for so long. */
#define BUSY_MS 100

static uint64_t bytes_to_ns(const struct oss_timing *t, uint64_t bytes)
{
    return bytes * NS_PER_S / t->byte_rate;
}

void oss_timing_init(struct oss_timing *t, const struct pcm_format *format, uint32_t fragment_bytes,
                     uint32_t buffer_bytes)
{
    *t = (struct oss_timing){
        .byte_rate = (uint64_t)format->rate * pcm_frame_bytes(format),
        .fragment_bytes = fragment_bytes,
        .buffer_bytes = buffer_bytes,
    };
    t->state.block_ns = bytes_to_ns(t, fragment_bytes);
}

/*
 * The delay counts what is behind the queue too. padsp and aoss work it out from
 * the clock of a stream, and until that has run steadily for a while they say
 * that nothing is to be heard where much is; so it is believed only once the
 * queue has borne it out. From then on it is the better of the two: it goes on
 * while a server is too busy to say that it has taken something from the queue.
 * But it does so as well when the server hangs and takes nothing.
 */
static uint64_t choose_delay(struct oss_timing *t, int64_t queued, int64_t delay)
{
    int64_t busy = (int64_t)(t->byte_rate * BUSY_MS / 1000);
    int64_t less = 2 * (int64_t)t->fragment_bytes;

    less = t->believed && busy > less ? busy : less;
    t->believed = delay > 0 && delay + less >= queued &&
                  delay <= queued + (int64_t)(LONGEST_S * t->byte_rate);
    return (uint64_t)(t->believed ? delay : queued);
}

void oss_timing_answer(struct oss_timing *t, uint64_t at_ns, int free_bytes, int delay_bytes)
{
    int64_t queued = (int64_t)t->buffer_bytes - free_bytes;

    queued = queued < 0 ? 0 : queued;
    if (queued == 0) {
        oss_timing_ran_dry(t);
    }
    t->state.heard_ns = at_ns + bytes_to_ns(t, choose_delay(t, queued, delay_bytes));
    t->state.answers++;
}

void oss_timing_wrote(struct oss_timing *t, uint64_t at_ns, uint64_t bytes, bool sound)
{
    if (t->state.heard_ns < at_ns) {
        t->state.heard_ns = at_ns;
    }
    t->state.heard_ns += bytes_to_ns(t, bytes);
    t->sounding |= sound;
}

void oss_timing_ran_dry(struct oss_timing *t)
{
    t->state.underruns += t->sounding;
    t->sounding = false;
}
