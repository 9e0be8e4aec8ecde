/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "fakes/fake_source.h"

#include <poll.h>
#include <string.h>

#include "base/clock.h"

struct fake_source mic;

void fake_source_reset(void)
{
    mic = (struct fake_source){.now = NS_PER_S, .tick = NS_PER_MS / 4};
}

static uint64_t jitter(void)
{
    static uint32_t random = 1;

    random = random * 1664525 + 1013904223;
    return (uint64_t)(mic.jitter_ns * (random >> 8) / 16777216.0);
}

static void begin_block(void)
{
    mic.block_end += mic.block_ns;
    mic.block_due = mic.block_end + jitter();
}

static void hear(uint64_t ns)
{
    if (!mic.format.rate) {
        return; /* never opened: there is no rate to count by */
    }
    mic.heard += mic.format.rate * (1 + mic.ppm / 1e6) * (double)ns / (double)NS_PER_S;
    while (mic.is_open && !mic.held && mic.now >= mic.block_due) {
        double since = (double)(mic.now - mic.block_end) / (double)NS_PER_S;

        mic.ready = (uint64_t)(mic.heard - mic.format.rate * (1 + mic.ppm / 1e6) * since);
        begin_block();
    }
}

void fake_source_pass(uint64_t ns)
{
    while (ns > 0) {
        uint64_t tick = ns < mic.tick ? ns : mic.tick;

        ns -= tick;
        mic.now += tick;
        hear(tick);
        if (mic.passing) {
            mic.passing();
        }
    }
}

static void *fake_open(const struct audio_settings *settings, const char *name,
                       const struct pcm_format *format, struct err *err)
{
    (void)name;
    mic.attempts++;
    fake_source_pass(mic.opening_takes);
    if (mic.away || mic.is_open || format->channels != 2 || format->bits != 16) {
        err_set(err, mic.away ? "nobody answers" : "it is not to be had like that");
        return NULL;
    }
    mic.opens++;
    mic.is_open = true;
    mic.dead = false;
    mic.reads = 0;
    mic.format = *format;
    mic.opened_at = mic.block_end = mic.now;
    mic.given = mic.ready = (uint64_t)mic.heard;
    if (!mic.block_ns) {
        mic.block_ns = settings->in_latency_us * NS_PER_US / 2;
    }
    begin_block();
    return &mic;
}

static bool alive(struct err *err)
{
    return !mic.dead || err_set(err, "it has gone away");
}

static long fake_read(void *source, void *data, size_t frames, struct err *err)
{
    uint64_t left = mic.ready - mic.given;
    uint8_t *to = data;

    (void)source;
    if (mic.die_after && mic.reads >= mic.die_after) {
        mic.dead = true;
    }
    if (!alive(err)) {
        return -1;
    }
    frames = left < frames ? (size_t)left : frames;
    mic.reads += frames > 0;
    for (size_t i = 0; i < frames; i++) {
        uint32_t number = (uint32_t)++mic.given;

        memcpy(to + i * sizeof(number), &number, sizeof(number));
    }
    return (long)frames;
}

static bool fake_wait(void *source, int fd, uint64_t until_ns, struct err *err)
{
    struct pollfd event = {.fd = fd, .events = POLLIN};
    /* Nobody signals it while time passes here. */
    bool signalled = poll(&event, 1, 0) > 0;

    (void)source;
    while (alive(err)) {
        if (mic.ready > mic.given || mic.now >= until_ns || signalled) {
            return true;
        }
        fake_source_pass(mic.tick);
    }
    return false;
}

static void fake_close(void *source)
{
    (void)source;
    mic.closes++;
    mic.is_open = false;
}

static const struct audio_recorder fake_recorder = {
    .open = fake_open,
    .read = fake_read,
    .wait = fake_wait,
    .close = fake_close,
};

const struct audio_driver fake_source_driver = {
    .name = "fake",
    .default_latency_us = 10000,
    .recorder = &fake_recorder,
};
