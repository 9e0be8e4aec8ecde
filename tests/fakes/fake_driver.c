/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "fakes/fake_driver.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"

#define TICK (NS_PER_MS / 4)

struct fake_driver fake;

void fake_driver_reset(void)
{
    free(fake.bytes);
    fake = (struct fake_driver){.now = NS_PER_S};
}

static void play(uint64_t ns)
{
    if (!fake.is_open || !fake.playing || fake.stuck) {
        return;
    }
    fake.level -= fake.format.rate * (1 + fake.ppm / 1e6) * (double)ns / (double)NS_PER_S;
    if (fake.level < 0) {
        fake.level = 0;
        fake.playing = false;
        fake.dry++;
    }
}

void fake_driver_pass(uint64_t ns)
{
    while (ns > 0) {
        uint64_t tick = ns < TICK ? ns : TICK;

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
    fake.capacity = settings->out_latency_us * 1e-6 * format->rate;
    fake.opened_at = fake.now;
    fake.first_played = 0;
    return &fake;
}

static void keep(const uint8_t *data, size_t length)
{
    if (fake.length + length > fake.size) {
        fake.size = 2 * (fake.length + length);
        fake.bytes = realloc(fake.bytes, fake.size);
        if (!fake.bytes) {
            abort();
        }
    }
    memcpy(fake.bytes + fake.length, data, length);
    fake.length += length;
}

static bool fake_write(void *sink, const void *data, size_t frames, struct err *err)
{
    size_t frame_bytes = pcm_frame_bytes(&fake.format);
    const uint8_t *from = data;

    (void)sink;
    if (fake.die_after && ++fake.writes > fake.die_after) {
        fake.dead = true;
        fake.writes = 0;
    }
    while (frames > 0) {
        size_t room = (size_t)(fake.capacity - fake.level);
        size_t n = frames < room ? frames : room;

        if (fake.dead) {
            return err_set(err, "it has gone away");
        }
        if (n > 0) {
            keep(from, n * frame_bytes);
            fake.level += (double)n;
            from += n * frame_bytes;
            frames -= n;
        } else {
            fake_driver_pass(TICK);
        }
        if (!fake.playing && fake.level > fake.capacity - 8) {
            fake.playing = true;
            fake.first_played = fake.first_played ? fake.first_played : fake.now;
        }
    }
    return true;
}

static bool fake_delay(void *sink, uint64_t *ns)
{
    static uint32_t random = 1;
    double delay = fake.level / fake.format.rate * 1e9;

    (void)sink;
    random = random * 1664525 + 1013904223;
    delay += fake.noise_ns * ((double)(random >> 8) / (1 << 23) - 1);
    *ns = delay > 0 ? (uint64_t)delay : 0;
    return true;
}

static void fake_close(void *sink)
{
    size_t unplayed = (size_t)fake.level * pcm_frame_bytes(&fake.format);

    (void)sink;
    fake.closes++;
    for (size_t i = fake.length - unplayed; i < fake.length; i++) {
        fake.cut += fake.bytes[i] != 0 && fake.bytes[i] != 0x80;
    }
    fake.is_open = false;
}

const struct audio_driver fake_audio_driver = {
    .name = "fake",
    .default_latency_us = 10000,
    .open = fake_open,
    .write = fake_write,
    .delay = fake_delay,
    .close = fake_close,
};
