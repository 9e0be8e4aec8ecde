/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The whole path without Xen: a guest's driver records S16LE
 * stereo sound at 44100 Hz through the real card, on its real clock, from a
 * real sound server, and may play some at the same time, from six seconds
 * before on.
 *
 *     record_card AUDIODEV OUTPUT SECONDS [PERIOD [PLAY]] < reference
 *
 * OUTPUT and PLAY are raw frames. An interrupt comes each PERIOD frames (1024).
 * Prints what the guest noticed: see es1370_driver_print.
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
#include <unistd.h>

#include "base/clock.h"
#include "fakes/es1370_driver.h"

enum { MAX_SECONDS = 600 };

#define PLAY_AHEAD_NS (6 * NS_PER_S)

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

/* Until the delays of what is played have settled. */
static void play_ahead(struct es1370_driver *d)
{
    uint64_t end = clock_now_ns() + PLAY_AHEAD_NS;

    es1370_driver_start_playing(d);
    while (clock_now_ns() < end) {
        es1370_driver_step(d);
    }
}

static void record(struct es1370_driver *d, uint64_t length)
{
    es1370_driver_start_recording(d);
    while (d->record.frames < length) {
        uint64_t before = d->record.frames;

        es1370_driver_step(d);
        if (d->record.frames > before && d->record.frames <= d->room) {
            arrive(&guests, clock_now_ns(), d->record.frames, d->recorded[d->record.frames - 1]);
        }
    }
    es1370_driver_stop(d);
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
    uint64_t length = argc > 3 ? strtoul(argv[3], NULL, 10) * ES1370_DRIVER_RATE : 0;
    FILE *output = argc > 2 ? fopen(argv[2], "wb") : NULL;
    struct es1370_driver d = {
        .period = argc > 4 ? (unsigned)atoi(argv[4]) : 1024,
        .to_play = argc > 5 ? fopen(argv[5], "rb") : NULL,
        .room = length + ES1370_DRIVER_BUFFER_FRAMES,
    };
    pthread_t reader;

    if (!output || length == 0 || length > (uint64_t)MAX_SECONDS * ES1370_DRIVER_RATE ||
        d.period == 0 || d.period > ES1370_DRIVER_BUFFER_FRAMES / 2 || (argc > 5 && !d.to_play)) {
        fprintf(stderr, "usage: record_card AUDIODEV OUTPUT SECONDS [PERIOD [PLAY]] < reference\n");
        return 2;
    }
    d.recorded = recorded = calloc(d.room, 4);
    if (!recorded || !allocate(&guests) || !allocate(&others) ||
        pthread_create(&reader, NULL, read_reference, NULL) != 0) {
        fprintf(stderr, "record_card: no memory\n");
        return 1;
    }
    if (!es1370_driver_open(&d, argv[1])) {
        return 1;
    }
    if (d.to_play) {
        play_ahead(&d);
    }
    record(&d, length);
    es1370_driver_print(&d);
    fwrite(recorded, 4, length, output);
    fclose(output);
    /* The end of the run is logged by the threads; what was played is heard to its end. */
    es1370_driver_sleep_until(clock_now_ns() + NS_PER_S / 10 +
                              (d.to_play ? 2 * d.settings.out_latency_us * NS_PER_US : 0));
    es1370_driver_close(&d);
    pthread_cancel(reader);
    pthread_join(reader, NULL);
    print_delays(length);
    return 0;
}
