/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The whole path without Xen: a guest's driver in a few lines plays raw S16LE
 * stereo sound at 44100 Hz through the real card, on its real clock, into a
 * real sound server.
 *
 *     play_card AUDIODEV FILE [PERIOD]
 *
 * The driver does what Linux's does: a buffer of 64 KiB, an interrupt each
 * PERIOD frames (1024), and at each interrupt it fills what the card has
 * played since the last. Prints how late the interrupts were.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/realtime.h"
#include "card/card.h"
#include "fakes/fake_guest.h"

enum {
    PORT = 0xc200,
    CONTROL = 0x00,
    MEM_PAGE = 0x0c,
    CODEC = 0x10,
    SCTL = 0x20,
    DAC2_COUNT = 0x28,
    DAC2_ADDRESS = 0x38, /* in page Ch */
    DAC2_SIZE = 0x3c,
    CONTROL_44100 = 30 << 16 | 0x02,
    DAC2_EN = 0x20,
    S16_STEREO = 0x0c,
    DAC2_INT = 0x200,
    BUFFER = 0x10000,
    BUFFER_FRAMES = 16384,
    FRAME_BYTES = 4,
    RATE = 44100,
};

static void out(unsigned reg, uint32_t value)
{
    const struct guest_device *d = &fake_guest()->device;

    d->port_write(d->opaque, (uint16_t)(PORT + reg), 4, value);
}

static uint32_t in(unsigned reg)
{
    const struct guest_device *d = &fake_guest()->device;

    return d->port_read(d->opaque, (uint16_t)(PORT + reg), 4);
}

/* The mixer as a driver leaves it for a user who wants to hear what is played: at 0 dB. */
static void unmute(void)
{
    static const uint16_t writes[] = {0x1603, 0x0000, 0x0100, 0x0206, 0x0306, 0x110c};

    for (unsigned i = 0; i < sizeof(writes) / sizeof(writes[0]); i++) {
        out(CODEC, writes[i]);
    }
}

static void config(unsigned offset, unsigned bytes, uint32_t value)
{
    const struct guest_device *d = &fake_guest()->device;

    d->config_write(d->opaque, offset, bytes, value);
}

static void sleep_until(uint64_t at)
{
    struct timespec t = {.tv_sec = (time_t)(at / NS_PER_S), .tv_nsec = (long)(at % NS_PER_S)};

    while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, NULL) != 0) {
    }
}

/* The next frames of the file, then silence. */
static void fill(FILE *file, unsigned from, unsigned frames)
{
    for (; frames > 0; frames--, from = (from + 1) % BUFFER_FRAMES) {
        uint8_t *frame = fake_guest()->ram + BUFFER + from * FRAME_BYTES;

        if (fread(frame, FRAME_BYTES, 1, file) != 1) {
            memset(frame, 0, FRAME_BYTES);
        }
    }
}

static void play(struct card *card, FILE *file, uint64_t length, unsigned period)
{
    uint64_t played = 0, latest = 0, late_sum = 0, interrupts = 0, start;
    unsigned position = 0;

    config(0x10, 4, PORT);
    config(0x04, 2, 0x0005);
    unmute();
    fill(file, 0, BUFFER_FRAMES);
    out(CONTROL, CONTROL_44100);
    out(MEM_PAGE, 0xc);
    out(DAC2_ADDRESS, BUFFER);
    out(DAC2_SIZE, BUFFER_FRAMES - 1);
    out(SCTL, S16_STEREO | DAC2_INT);
    out(DAC2_COUNT, period - 1);
    start = clock_now_ns();
    out(CONTROL, CONTROL_44100 | DAC2_EN);

    while (played < length) {
        unsigned now_at;
        uint64_t now, due, late;

        if (!fake_guest()->intx) {
            sleep_until(rt_card_advance(card, clock_now_ns()));
            rt_card_advance(card, clock_now_ns());
            continue;
        }
        now = clock_now_ns();
        out(SCTL, S16_STEREO);
        out(SCTL, S16_STEREO | DAC2_INT);
        out(MEM_PAGE, 0xc);
        now_at = in(DAC2_SIZE) >> 16;
        fill(file, position, (now_at + BUFFER_FRAMES - position) % BUFFER_FRAMES);
        played += (now_at + BUFFER_FRAMES - position) % BUFFER_FRAMES;
        position = now_at;

        interrupts++;
        due = start + interrupts * period * NS_PER_S / RATE;
        late = now > due ? now - due : 0;
        late_sum += late;
        latest = late > latest ? late : latest;
    }
    out(CONTROL, CONTROL_44100);
    printf("frames=%" PRIu64 " interrupts=%" PRIu64 " late_us_mean=%" PRIu64 " late_us_max=%" PRIu64
           "\n",
           played, interrupts, late_sum / interrupts / NS_PER_US, latest / NS_PER_US);
}

int main(int argc, char *argv[])
{
    unsigned period = argc > 3 ? (unsigned)atoi(argv[3]) : 1024;
    FILE *file = argc > 2 ? fopen(argv[2], "rb") : NULL;
    struct audio_settings settings;
    struct card *card;
    struct err err;
    long length;

    if (!file || period == 0 || period > BUFFER_FRAMES / 2 || fseek(file, 0, SEEK_END) < 0) {
        fprintf(stderr, "usage: play_card AUDIODEV FILE [PERIOD]\n");
        return 2;
    }
    if (!realtime_enter(&err)) {
        fprintf(stderr, "play_card: %s\n", err.text);
    }
    length = ftell(file) / FRAME_BYTES;
    rewind(file);
    if (!audio_settings_parse(&settings, argv[1], &err) ||
        !(card = card_create(&settings, clock_now_ns(), &err)) || !card_plug(card, 1, 4, &err)) {
        fprintf(stderr, "play_card: %s\n", err.text);
        return 1;
    }
    play(card, file, (uint64_t)length, period);
    sleep_until(clock_now_ns() + 2 * settings.out_latency_us * NS_PER_US + NS_PER_S / 2);
    card_destroy(card);
    audio_settings_free(&settings);
    fclose(file);
    return 0;
}
