/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "fakes/es1370_driver.h"

#include <inttypes.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "card/sound_process.h"
#include "card/sound_user.h"
#include "card/status_page.h"
#include "fakes/fake_guest.h"
#include "sandbox/confine.h"

enum {
    PORT = 0xc200,
    CONTROL = 0x00,
    STATUS = 0x04,
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
    STATUS_DAC2 = 0x02,
    STATUS_ADC = 0x01,
    FORMATS = 0x3c, /* 16 bits, stereo */
    DAC2_INT = 0x200,
    ADC_INT = 0x400,
    DAC2_BUFFER = 0x10000,
    ADC_BUFFER = 0x40000,
    BUFFER_FRAMES = ES1370_DRIVER_BUFFER_FRAMES,
    RATE = ES1370_DRIVER_RATE,
    FRAME_BYTES = 4,
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

static void config(unsigned offset, unsigned bytes, uint32_t value)
{
    const struct guest_device *d = &fake_guest()->device;

    d->config_write(d->opaque, offset, bytes, value);
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

bool es1370_driver_open(struct es1370_driver *d, const char *audiodev)
{
    static struct status_page page; /* nobody looks */
    struct user user;
    struct err err;

    if (!audio_settings_parse(&d->settings, audiodev, &err) ||
        !sound_user_find(&user, &d->settings, &err) ||
        !sound_process_confine(&d->settings, &user, &err)) {
        fprintf(stderr, "%s\n", err.text);
        return false;
    }
    d->card = card_create(&d->settings, &page, clock_now_ns(), &err);
    if (!d->card || !card_plug(d->card, 1, 4, &err) || !user_become(&user, &err)) {
        fprintf(stderr, "%s\n", err.text);
        es1370_driver_close(d);
        return false;
    }
    confine_calls();
    config(0x10, 4, PORT);
    config(0x04, 2, 0x0005);
    open_mixer();
    out(CONTROL, CONTROL_44100);
    out(MEM_PAGE, 0xc);
    out(DAC2_ADDRESS, DAC2_BUFFER);
    out(DAC2_SIZE, BUFFER_FRAMES - 1);
    out(DAC2_COUNT, d->period - 1);
    out(MEM_PAGE, 0xd);
    out(ADC_ADDRESS, ADC_BUFFER);
    out(ADC_SIZE, BUFFER_FRAMES - 1);
    out(ADC_COUNT, d->period - 1);
    return true;
}

/* The next frames of the file into the buffer, then silence. */
static void fill(struct es1370_driver *d, unsigned from, unsigned frames)
{
    for (; frames > 0; frames--, from = (from + 1) % BUFFER_FRAMES) {
        uint8_t *frame = fake_guest()->ram + DAC2_BUFFER + from * FRAME_BYTES;

        if (fread(frame, FRAME_BYTES, 1, d->to_play) != 1) {
            memset(frame, 0, FRAME_BYTES);
        }
    }
}

static void take(struct es1370_driver *d, unsigned from, unsigned frames)
{
    uint64_t to = d->record.frames;

    for (; frames > 0 && to < d->room; frames--, from = (from + 1) % BUFFER_FRAMES) {
        memcpy(&d->recorded[to++], fake_guest()->ram + ADC_BUFFER + from * FRAME_BYTES,
               FRAME_BYTES);
    }
}

static uint32_t interrupts_of(const struct es1370_driver *d)
{
    return (d->play.running ? DAC2_INT : 0) | (d->record.running ? ADC_INT : 0);
}

static void start(struct es1370_driver *d, struct es1370_voice *v)
{
    v->running = true;
    v->start_ns = v->moved_ns = clock_now_ns();
    out(SCTL, FORMATS | interrupts_of(d));
    out(CONTROL,
        CONTROL_44100 | (d->play.running ? DAC2_EN : 0) | (d->record.running ? ADC_EN : 0));
}

void es1370_driver_start_playing(struct es1370_driver *d)
{
    struct timespec now;

    fill(d, 0, BUFFER_FRAMES);
    clock_gettime(CLOCK_REALTIME, &now);
    d->play_start = (uint64_t)now.tv_sec * NS_PER_S + (uint64_t)now.tv_nsec;
    start(d, &d->play);
}

void es1370_driver_start_recording(struct es1370_driver *d)
{
    start(d, &d->record);
}

/* Reads the position; returns by how many frames it has moved. */
static unsigned look(struct es1370_voice *v, unsigned page, unsigned size_register)
{
    unsigned at, moved;
    uint64_t now;

    out(MEM_PAGE, page);
    at = in(size_register) >> 16;
    now = clock_now_ns();
    moved = (at + BUFFER_FRAMES - v->position) % BUFFER_FRAMES;
    v->position = at;
    if (now - v->moved_ns > v->still_ns && moved == 0) {
        v->still_ns = now - v->moved_ns;
    }
    if (moved > 0) {
        v->moved_ns = now;
    }
    return moved;
}

static void count_interrupt(const struct es1370_driver *d, struct es1370_voice *v, uint64_t now)
{
    uint64_t due = v->start_ns + ++v->interrupts * d->period * NS_PER_S / RATE;
    uint64_t late = now > due ? now - due : 0;

    v->late_sum_ns += late;
    v->late_ns = late > v->late_ns ? late : v->late_ns;
}

static void handle_interrupt(struct es1370_driver *d)
{
    uint64_t now = clock_now_ns();
    uint32_t status = in(STATUS), all = interrupts_of(d), handled = 0;

    if (status & STATUS_DAC2) {
        count_interrupt(d, &d->play, now);
        handled |= DAC2_INT;
    }
    if (status & STATUS_ADC) {
        count_interrupt(d, &d->record, now);
        handled |= ADC_INT;
    }
    out(SCTL, FORMATS | (all & ~handled));
    out(SCTL, FORMATS | all);
}

void es1370_driver_step(struct es1370_driver *d)
{
    if (!fake_guest()->intx) {
        es1370_driver_sleep_until(rt_card_advance(d->card, clock_now_ns()));
        rt_card_advance(d->card, clock_now_ns());
    }
    if (fake_guest()->intx) {
        handle_interrupt(d);
    }
    if (d->play.running) {
        unsigned from = d->play.position, moved = look(&d->play, 0xc, DAC2_SIZE);

        fill(d, from, moved);
        d->play.frames += moved;
    }
    if (d->record.running) {
        unsigned from = d->record.position, moved = look(&d->record, 0xd, ADC_SIZE);

        take(d, from, moved);
        d->record.frames += moved;
    }
}

void es1370_driver_stop(struct es1370_driver *d)
{
    /* What has come since the last look. */
    while (fake_guest()->intx) {
        handle_interrupt(d);
    }
    out(CONTROL, CONTROL_44100);
}

void es1370_driver_print(const struct es1370_driver *d)
{
    const struct es1370_voice *p = &d->play, *r = &d->record;
    uint64_t interrupts = p->interrupts + r->interrupts;
    uint64_t due = p->frames / d->period + r->frames / d->period;

    printf("start_ns=%" PRIu64 " frames=%" PRIu64 " interrupts=%" PRIu64 " missed=%" PRIu64
           " late_us_mean=%" PRIu64 " late_us_max=%" PRIu64 " still_us_max=%" PRIu64 "\n",
           d->play_start, p->frames, interrupts, due > interrupts ? due - interrupts : 0,
           interrupts ? (p->late_sum_ns + r->late_sum_ns) / interrupts / NS_PER_US : 0,
           (p->late_ns > r->late_ns ? p->late_ns : r->late_ns) / NS_PER_US,
           (p->still_ns > r->still_ns ? p->still_ns : r->still_ns) / NS_PER_US);
}

void es1370_driver_close(struct es1370_driver *d)
{
    card_destroy(d->card);
    audio_settings_free(&d->settings);
}

void es1370_driver_sleep_until(uint64_t at)
{
    struct timespec t = {.tv_sec = (time_t)(at / NS_PER_S), .tv_nsec = (long)(at % NS_PER_S)};

    while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, NULL) != 0) {
    }
}
