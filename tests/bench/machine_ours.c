/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Our card as in its own process, but that the guest's driver runs on the
 * card's thread: what the driver does counts as the card's processor time.
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/clock.h"
#include "base/realtime.h"
#include "bench/machine.h"
#include "card/card.h"
#include "card/status_page.h"
#include "fakes/fake_guest.h"

enum { PORT = 0xc200 };

struct ours {
    struct machine machine;
    struct audio_settings settings;
    struct card *card;
};

static struct ours *ours_of(struct machine *m)
{
    return (struct ours *)m;
}

static void ours_write(struct machine *m, unsigned reg, unsigned bytes, uint32_t value)
{
    const struct guest_device *d = &fake_guest()->device;

    (void)m;
    d->port_write(d->opaque, (uint16_t)(PORT + reg), bytes, value);
}

static uint32_t ours_read(struct machine *m, unsigned reg, unsigned bytes)
{
    const struct guest_device *d = &fake_guest()->device;

    (void)m;
    return d->port_read(d->opaque, (uint16_t)(PORT + reg), bytes);
}

static bool ours_wait(struct machine *m, uint64_t until_ns)
{
    for (;;) {
        uint64_t now = clock_now_ns();
        uint64_t wake = rt_card_advance(ours_of(m)->card, now);
        struct timespec t;

        if (fake_guest()->intx) {
            return true;
        }
        if (now >= until_ns) {
            return false;
        }
        wake = wake < until_ns ? wake : until_ns;
        t = (struct timespec){(time_t)(wake / NS_PER_S), (long)(wake % NS_PER_S)};
        clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, NULL);
    }
}

static uint64_t ours_cpu(struct machine *m)
{
    struct timespec t;

    (void)m;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (uint64_t)t.tv_sec * NS_PER_S + (uint64_t)t.tv_nsec;
}

static void ours_close(struct machine *m)
{
    struct ours *o = ours_of(m);

    card_destroy(o->card);
    audio_settings_free(&o->settings);
    free(o);
}

struct machine *machine_ours(const char *audiodev, unsigned latency_factor)
{
    struct ours *o = calloc(1, sizeof(*o));
    static struct status_page page; /* nobody looks */
    const struct guest_device *d;
    struct err err = {"no memory"};

    if (!o || !audio_settings_parse(&o->settings, audiodev, &err)) {
        fprintf(stderr, "measure: %s\n", err.text);
        exit(1);
    }
    o->settings.out_latency_us *= latency_factor;
    if (!realtime_enter(&err)) {
        fprintf(stderr, "measure: %s\n", err.text);
    }
    o->card = card_create(&o->settings, &page, clock_now_ns(), &err);
    if (!o->card || !card_plug(o->card, 1, 4, &err)) {
        fprintf(stderr, "measure: %s\n", err.text);
        exit(1);
    }
    d = &fake_guest()->device;
    d->config_write(d->opaque, 0x10, 4, PORT);
    d->config_write(d->opaque, 0x04, 2, 0x0005); /* ports, bus master */
    o->machine = (struct machine){
        .ram = fake_guest()->ram,
        .smooth = true,
        .write = ours_write,
        .read = ours_read,
        .wait = ours_wait,
        .cpu = ours_cpu,
        .close = ours_close,
    };
    return &o->machine;
}
