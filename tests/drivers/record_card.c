/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The whole path without Xen: a guest's driver in a few lines records S16LE
 * stereo sound at 44100 Hz through the real card, on its real clock, from a
 * real sound server, and may play some at the same time, from three seconds
 * before on.
 *
 *     record_card AUDIODEV OUTPUT SECONDS [PERIOD [PLAY]] < reference
 *
 * OUTPUT and PLAY are raw frames. The driver does what Linux's does: buffers of
 * 64 KiB, an interrupt each PERIOD frames (1024). At each interrupt, and each
 * time the card wants to be called, it takes what has come.
 *
 * Standard input is the same source, as another recorder has it. Where every
 * frame is distinct, the difference in time is that between the two: prints
 * the median of it, the 99th of 100, and the longest.
 */
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

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
    ADC_COUNT = 0x2c,
    DAC2_ADDRESS = 0x38, /* in page Ch */
    DAC2_SIZE = 0x3c,
    ADC_ADDRESS = 0x30, /* in page Dh */
    ADC_SIZE = 0x34,
    CONTROL_44100 = 30 << 16 | 0x02,
    DAC2_EN = 0x20,
    ADC_EN = 0x10,
    FORMATS = 0x3c, /* 16 bits, stereo */
    ADC_INT = 0x400,
    DAC2_BUFFER = 0x10000,
    ADC_BUFFER = 0x40000,
    BUFFER_FRAMES = 16384,
    RATE = 44100,
    MAX_SECONDS = 600,
};

#define PLAY_AHEAD_NS (3 * NS_PER_S)

/* Frames that came at one time. */
struct arrival {
    uint64_t at;
    uint64_t end;   /* how many had come then, in all */
    uint32_t frame; /* the last of them */
};

struct arrivals {
    struct arrival *list;
    size_t count, size;
};

static struct arrivals guests, others;
static uint32_t *recorded;

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

static void arrive(struct arrivals *a, uint64_t at, uint64_t end, uint32_t frame)
{
    if (a->count < a->size) {
        a->list[a->count++] = (struct arrival){at, end, frame};
    }
}

/* The other recorder's frames, as they come. */
static void *read_reference(void *opaque)
{
    static uint8_t data[1 << 16];
    size_t kept = 0; /* bytes of a frame that is not whole */
    uint64_t frames = 0;
    ssize_t n;

    (void)opaque;
    while ((n = read(STDIN_FILENO, data + kept, sizeof(data) - kept)) > 0) {
        size_t whole = (kept + (size_t)n) / 4;
        uint32_t frame;

        kept = (kept + (size_t)n) % 4;
        if (whole > 0) {
            memcpy(&frame, data + 4 * (whole - 1), 4);
            frames += whole;
            arrive(&others, clock_now_ns(), frames, frame);
            memmove(data, data + 4 * whole, kept);
        }
    }
    return NULL;
}

/* The line to the ADC and DAC2 to the speakers, at 0 dB. */
static void open_mixer(void)
{
    static const uint16_t writes[] = {0x1603, 0x0000, 0x0100, 0x0206, 0x0306,
                                      0x110c, 0x0806, 0x0906, 0x1210, 0x1308};

    for (unsigned i = 0; i < sizeof(writes) / sizeof(writes[0]); i++) {
        out(CODEC, writes[i]);
    }
}

static void set_up(unsigned period)
{
    config(0x10, 4, PORT);
    config(0x04, 2, 0x0005);
    open_mixer();
    out(CONTROL, CONTROL_44100);
    out(MEM_PAGE, 0xc);
    out(DAC2_ADDRESS, DAC2_BUFFER);
    out(DAC2_SIZE, BUFFER_FRAMES - 1);
    out(DAC2_COUNT, BUFFER_FRAMES / 2 - 1);
    out(MEM_PAGE, 0xd);
    out(ADC_ADDRESS, ADC_BUFFER);
    out(ADC_SIZE, BUFFER_FRAMES - 1);
    out(SCTL, FORMATS | ADC_INT);
    out(ADC_COUNT, period - 1);
}

/* Fills what the card has played. */
static void play(FILE *file, unsigned from, unsigned frames)
{
    for (; frames > 0; frames--, from = (from + 1) % BUFFER_FRAMES) {
        uint8_t *frame = fake_guest()->ram + DAC2_BUFFER + from * 4;

        if (fread(frame, 4, 1, file) != 1) {
            memset(frame, 0, 4);
        }
    }
}

static unsigned position_of(unsigned page, unsigned size_register)
{
    out(MEM_PAGE, page);
    return in(size_register) >> 16;
}

/* Plays on, from *position, where the card is. */
static void keep_playing(FILE *file, unsigned *position)
{
    unsigned at = position_of(0xc, DAC2_SIZE);

    play(file, *position, (at + BUFFER_FRAMES - *position) % BUFFER_FRAMES);
    *position = at;
}

/* Until the delays of what is played have settled. */
static void play_ahead(struct card *card, FILE *file, unsigned *position)
{
    uint64_t end = clock_now_ns() + PLAY_AHEAD_NS;

    play(file, 0, BUFFER_FRAMES);
    out(CONTROL, CONTROL_44100 | DAC2_EN);
    while (clock_now_ns() < end) {
        sleep_until(rt_card_advance(card, clock_now_ns()));
        keep_playing(file, position);
    }
}

static void record(struct card *card, uint64_t length, FILE *to_play)
{
    uint64_t frames = 0;
    unsigned position = 0, playing = 0;

    if (to_play) {
        play_ahead(card, to_play, &playing);
    }
    out(CONTROL, CONTROL_44100 | ADC_EN | (to_play ? DAC2_EN : 0));
    while (frames < length) {
        uint64_t wake = rt_card_advance(card, clock_now_ns());
        unsigned at = position_of(0xd, ADC_SIZE);

        if (at != position) {
            for (; position != at; position = (position + 1) % BUFFER_FRAMES) {
                memcpy(&recorded[frames++], fake_guest()->ram + ADC_BUFFER + position * 4, 4);
            }
            arrive(&guests, clock_now_ns(), frames, recorded[frames - 1]);
        }
        if (to_play) {
            keep_playing(to_play, &playing);
        }
        if (fake_guest()->intx) {
            out(SCTL, FORMATS);
            out(SCTL, FORMATS | ADC_INT);
        } else {
            sleep_until(wake);
        }
    }
    out(CONTROL, CONTROL_44100);
}

static int compare(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

    return (x > y) - (x < y);
}

/* For each of the other's arrivals, in nanoseconds: how much later the guest had its last frame. */
static void print_delays(uint64_t length)
{
    int64_t *delays = calloc(others.count + 1, sizeof(*delays));
    size_t n = 0, g = 0;
    uint64_t next = 0; /* frame of the guest's, after the last that was found */

    for (size_t i = 0; delays && i < others.count; i++) {
        uint64_t f = next;

        while (f < length && (recorded[f] != others.list[i].frame || recorded[f] == 0)) {
            f++;
        }
        if (f == length) {
            continue;
        }
        next = f + 1;
        while (guests.list[g].end <= f) {
            g++;
        }
        delays[n++] = (int64_t)(guests.list[g].at - others.list[i].at);
    }
    if (n > 0) {
        qsort(delays, n, sizeof(*delays), compare);
        printf("measured=%zu delay_us_median=%" PRId64 " delay_us_p99=%" PRId64
               " delay_us_max=%" PRId64 "\n",
               n, delays[n / 2] / 1000, delays[n * 99 / 100] / 1000, delays[n - 1] / 1000);
    }
    free(delays);
}

static bool allocate(struct arrivals *a)
{
    a->size = MAX_SECONDS * 10000;
    a->list = calloc(a->size, sizeof(*a->list));
    return a->list != NULL;
}

int main(int argc, char *argv[])
{
    uint64_t length = argc > 3 ? strtoul(argv[3], NULL, 10) * RATE : 0;
    unsigned period = argc > 4 ? (unsigned)atoi(argv[4]) : 1024;
    FILE *to_play = argc > 5 ? fopen(argv[5], "rb") : NULL;
    FILE *output = argc > 2 ? fopen(argv[2], "wb") : NULL;
    struct audio_settings settings;
    struct card *card;
    struct err err;
    pthread_t reader;

    if (!output || length == 0 || length > (uint64_t)MAX_SECONDS * RATE || period == 0 ||
        period > BUFFER_FRAMES / 2 || (argc > 5 && !to_play)) {
        fprintf(stderr, "usage: record_card AUDIODEV OUTPUT SECONDS [PERIOD [PLAY]] < reference\n");
        return 2;
    }
    recorded = calloc(length + BUFFER_FRAMES, 4);
    if (!recorded || !allocate(&guests) || !allocate(&others) ||
        pthread_create(&reader, NULL, read_reference, NULL) != 0) {
        fprintf(stderr, "record_card: no memory\n");
        return 1;
    }
    if (!realtime_enter(&err)) {
        fprintf(stderr, "record_card: %s\n", err.text);
    }
    if (!audio_settings_parse(&settings, argv[1], &err) ||
        !(card = card_create(&settings, clock_now_ns(), &err)) || !card_plug(card, 1, 4, &err)) {
        fprintf(stderr, "record_card: %s\n", err.text);
        return 1;
    }
    set_up(period);
    record(card, length, to_play);
    fwrite(recorded, 4, length, output);
    fclose(output);
    /* The end of the run is logged by the capture's thread. */
    sleep_until(clock_now_ns() + NS_PER_S / 10);
    card_destroy(card);
    pthread_cancel(reader);
    pthread_join(reader, NULL);
    print_delays(length);
    return 0;
}
