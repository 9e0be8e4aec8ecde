/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "bench/guest_driver.h"

#include <stdbool.h>

#include "base/clock.h"

enum {
    CONTROL = 0x00,
    STATUS = 0x04,
    MEM_PAGE = 0x0c,
    CODEC = 0x10,
    SCTL = 0x20,
    DAC2_COUNT = 0x28,
    DAC2_ADDRESS = 0x38, /* in page Ch */
    DAC2_SIZE = 0x3c,

    CONTROL_44100 = 30 << 16 | 0x02, /* and the codec's interface enabled */
    DAC2_EN = 0x20,
    STATUS_DAC2 = 0x02,
    SCTL_S16_STEREO = 2 << 19 | 0x0c,
    DAC2_INT = 0x200,

    BUFFER = 0x10000,
    BUFFER_FRAMES = 16384,

    /* The dense looks come in spells, between which the machine gets its turn. */
    SPELL_MS = 5,
};

struct driver {
    struct machine *m;
    struct record *r;
    unsigned period;
    unsigned offset; /* of the position in the buffer, when last read */
    uint64_t frames; /* played by then, since the start */
    uint64_t cpu_at_begin;
    uint64_t cpu_time_at_begin;
};

static void fill(struct driver *d, uint64_t first, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        uint32_t value = signal_of_frame(first + i);
        uint8_t *p = d->m->ram + BUFFER + (first + i) % BUFFER_FRAMES * 4;

        p[0] = (uint8_t)value;
        p[1] = (uint8_t)(value >> 8);
        p[2] = (uint8_t)(value >> 16);
        p[3] = (uint8_t)(value >> 24);
    }
}

/* Reads the position and fills what has been played since. */
static struct passing look(struct driver *d)
{
    unsigned offset = d->m->read(d->m, DAC2_SIZE, 4) >> 16;
    uint64_t now = clock_now_ns();
    unsigned moved = (offset + BUFFER_FRAMES - d->offset) % BUFFER_FRAMES;

    fill(d, d->frames + BUFFER_FRAMES, moved);
    d->offset = offset;
    d->frames += moved;
    record_passing(d->r, now, d->frames);
    return (struct passing){now, d->frames};
}

/* As Linux's handler: which channel, two writes that acknowledge, the position. */
static void interrupt(struct driver *d)
{
    struct machine *m = d->m;
    struct record *r = d->r;
    uint64_t now = clock_now_ns();

    if (!(m->read(m, STATUS, 4) & STATUS_DAC2)) {
        return;
    }
    if (r->interrupt_count < r->interrupt_room) {
        r->interrupts[r->interrupt_count++] = now;
    }
    m->write(m, SCTL, 4, SCTL_S16_STEREO);
    m->write(m, SCTL, 4, SCTL_S16_STEREO | DAC2_INT);
    m->read(m, CONTROL, 4);
    m->write(m, MEM_PAGE, 4, 0xc);
    look(d);
}

static void codec(struct machine *m, unsigned reg, unsigned value)
{
    m->write(m, CODEC, 2, reg << 8 | value);
}

static void set_up(struct machine *m)
{
    m->write(m, CONTROL, 4, CONTROL_44100);
    m->write(m, SCTL, 4, 0);
    codec(m, 0x16, 0x02); /* reset, then run */
    codec(m, 0x16, 0x03);
    codec(m, 0x17, 0x00); /* clocks */
    codec(m, 0x00, 0x00); /* master: 0 dB */
    codec(m, 0x01, 0x00);
    for (unsigned reg = 0x02; reg <= 0x05; reg++) {
        codec(m, reg, 0x06); /* voice and FM: 0 dB */
    }
    codec(m, 0x10, 0x7f); /* everything to the output */
    codec(m, 0x11, 0x3f);
}

static void start(struct driver *d)
{
    struct machine *m = d->m;

    m->write(m, MEM_PAGE, 4, 0xc);
    m->write(m, DAC2_ADDRESS, 4, BUFFER);
    m->write(m, DAC2_SIZE, 4, BUFFER_FRAMES - 1);
    m->write(m, SCTL, 4, SCTL_S16_STEREO | DAC2_INT);
    m->write(m, DAC2_COUNT, 4, d->period - 1);
    fill(d, 0, BUFFER_FRAMES);
    m->write(m, CONTROL, 4, CONTROL_44100 | DAC2_EN);
}

/* Processor time, at the first look after begin and the first after end. */
static void account(struct driver *d, uint64_t now)
{
    struct record *r = d->r;

    if (!d->cpu_time_at_begin && now >= r->begin) {
        d->cpu_at_begin = d->m->cpu(d->m);
        d->cpu_time_at_begin = now;
    }
    if (!r->cpu_time && now >= r->end) {
        r->cpu = d->m->cpu(d->m) - d->cpu_at_begin;
        r->cpu_time = now - d->cpu_time_at_begin;
    }
}

static void play(struct driver *d, uint64_t poll_ns)
{
    uint64_t now = clock_now_ns(), next_look = poll_ns ? now : UINT64_MAX;

    while (now < d->r->end || !d->r->cpu_time) {
        uint64_t until = now < d->r->begin ? d->r->begin : d->r->end;

        if (d->m->wait(d->m, next_look < until ? next_look : until)) {
            interrupt(d);
        }
        now = clock_now_ns();
        if (now >= next_look) {
            look(d);
            next_look += ((now - next_look) / poll_ns + 1) * poll_ns;
        }
        account(d, now);
    }
}

/* The step between two looks: what the position moved beyond the longest time that can have been
 * between them, from before the first to after the second. */
static void look_densely(struct driver *d)
{
    uint64_t spell_end = clock_now_ns(), began, ended = spell_end;

    while (ended < d->r->dense_end) {
        struct passing before;

        while (d->m->wait(d->m, spell_end + SPELL_MS * NS_PER_MS)) {
            interrupt(d);
        }
        spell_end += 2 * SPELL_MS * NS_PER_MS;
        began = clock_now_ns();
        before = look(d);
        do {
            uint64_t next_began = clock_now_ns();
            struct passing after = look(d);

            if (after.frames > before.frames) {
                uint32_t step = step_of((struct passing){began, before.frames}, after);

                d->r->steps[step < RECORD_STEPS ? step : RECORD_STEPS - 1]++;
            }
            began = next_began;
            before = after;
            ended = after.time;
        } while (ended < spell_end);
    }
}

void guest_driver_run(struct machine *m, unsigned period, uint64_t poll_ns, struct record *r)
{
    struct driver d = {.m = m, .r = r, .period = period};

    r->smooth = m->smooth;
    set_up(m);
    start(&d);
    play(&d, poll_ns);
    look_densely(&d);
    m->write(m, CONTROL, 4, CONTROL_44100);
}
