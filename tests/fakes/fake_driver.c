/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "fakes/fake_driver.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"

/* The server says how far it is this often. */
#define ANSWER_NS (20 * NS_PER_MS)

struct fake_driver fake;

void fake_driver_reset(void)
{
    free(fake.bytes);
    fake = (struct fake_driver){.now = NS_PER_S, .tick = NS_PER_MS / 4};
}

static void answer(void)
{
    static uint32_t random = 1;
    double delay = fake.level / fake.format.rate * 1e9;

    random = random * 1664525 + 1013904223;
    delay += fake.noise_ns * ((double)(random >> 8) / (1 << 23) - 1);
    fake.heard_ns = fake.now + (delay > 0 ? (uint64_t)delay : 0);
    fake.answered_at = fake.now;
    fake.answers++;
}

static void play(uint64_t ns)
{
    if (!fake.is_open || fake.stuck) {
        return;
    }
    if (fake.playing) {
        fake.level -= fake.format.rate * (1 + fake.ppm / 1e6) * (double)ns / (double)NS_PER_S;
        if (fake.level < 0) {
            fake.level = 0;
            fake.playing = false;
            fake.dry++;
        }
    }
    if (fake.now >= fake.answered_at + ANSWER_NS) {
        answer();
    }
}

void fake_driver_pass(uint64_t ns)
{
    while (ns > 0) {
        uint64_t tick = ns < fake.tick ? ns : fake.tick;

        ns -= tick;
        fake.now += tick;
        play(tick);
        if (fake.passing) {
            fake.passing();
        }
    }
}

static void *fake_open(const struct audio_settings *settings, const char *name,
                       const struct pcm_format *format, struct err *err)
{
    (void)name;
    fake.attempts++;
    fake_driver_pass(fake.opening_takes);
    if (fake.away || fake.is_open) {
        err_set(err, fake.is_open ? "there is a sink already" : "nobody answers");
        return NULL;
    }
    fake.opens++;
    fake.is_open = true;
    fake.dead = fake.playing = false;
    fake.format = *format;
    fake.level = 0;
    fake.capacity = 2e-9 * (double)audio_longest_ns(settings) * format->rate + 1;
    fake.opened_at = fake.answered_at = fake.now;
    fake.heard_ns = 0;
    fake.first_played = 0;
    return &fake;
}

static bool is_silence(const uint8_t *frame, uint32_t frame_bytes)
{
    for (uint32_t i = 0; i < frame_bytes; i++) {
        if (frame[i] != (fake.format.bits == 8 ? 0x80 : 0)) {
            return false;
        }
    }
    return true;
}

static void keep(const uint8_t *data, size_t frames)
{
    uint32_t frame_bytes = pcm_frame_bytes(&fake.format);

    if (fake.length + frames * frame_bytes > fake.size) {
        fake.size = 2 * (fake.length + frames * frame_bytes);
        fake.bytes = realloc(fake.bytes, fake.size);
        if (!fake.bytes) {
            abort();
        }
    }
    for (; frames > 0; frames--, data += frame_bytes) {
        if (is_silence(data, frame_bytes)) {
            fake.silence++;
            continue;
        }
        memcpy(fake.bytes + fake.length, data, frame_bytes);
        fake.length += frame_bytes;
    }
}

static long fake_write(void *sink, const void *data, size_t frames, struct err *err)
{
    size_t room = (size_t)(fake.capacity - fake.level);

    (void)sink;
    if (fake.die_after && ++fake.writes > fake.die_after) {
        fake.dead = true;
        fake.writes = 0;
    }
    if (fake.dead) {
        err_set(err, "it has gone away");
        return -1;
    }
    frames = frames < room ? frames : room;
    if (frames > 0) {
        keep(data, frames);
        fake.level += (double)frames;
        fake.heard_ns = (fake.heard_ns > fake.now ? fake.heard_ns : fake.now) +
                        frames * NS_PER_S / fake.format.rate;
        fake.playing = true;
        fake.first_played = fake.first_played ? fake.first_played : fake.now;
    }
    return (long)frames;
}

static bool fake_state(void *sink, struct audio_sink_state *state)
{
    (void)sink;
    *state = (struct audio_sink_state){
        .heard_ns = fake.heard_ns,
        .answers = fake.answers,
        .block_ns = fake.block_ns,
        .underruns = fake.dry,
    };
    return true;
}

static void fake_close(void *sink)
{
    (void)sink;
    fake.closes++;
    fake.cut += (uint64_t)fake.level;
    fake.is_open = false;
}

const struct audio_driver fake_audio_driver = {
    .name = "fake",
    .default_latency_us = 10000,
    .open = fake_open,
    .write = fake_write,
    .state = fake_state,
    .close = fake_close,
};
