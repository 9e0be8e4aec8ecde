/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The card between guest and host: a driver's register writes in, frames and
 * interrupts out, each at its nanosecond of a virtual clock.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "audio/capture.h"
#include "audio/midi.h"
#include "audio/stream.h"
#include "base/clock.h"
#include "card/card.h"
#include "card/status_page.h"
#include "fakes/fake_guest.h"

/* Instead of CLOCK_MONOTONIC. */
static uint64_t now;

uint64_t clock_now_ns(void)
{
    return now;
}

/* Instead of the streams: they remember what came. */
struct stream {
    const char *name;
    struct pcm_format format;
    unsigned starts, stops;
    uint64_t frames;
    uint16_t last[2];  /* the last frame */
    uint64_t disorder; /* frames that did not follow the one before (left counts up by one) */
    double ppm;
};

static struct stream streams[2];
static unsigned streams_open;

struct stream *stream_open(const struct audio_settings *settings, const char *name,
                           struct stream_status *status, struct err *err)
{
    struct stream *s = &streams[streams_open++];

    (void)settings;
    (void)status;
    (void)err;
    *s = (struct stream){.name = name};
    return s;
}

void stream_close(struct stream *s)
{
    (void)s;
    streams_open--;
}

void rt_stream_prepare(struct stream *s, const struct pcm_format *format)
{
    (void)s;
    (void)format;
}

void rt_stream_start(struct stream *s, const struct pcm_format *format)
{
    s->format = *format;
    s->starts++;
}

void rt_stream_write(struct stream *s, const void *data, uint32_t frames)
{
    const uint8_t *bytes = data;

    for (uint32_t i = 0; i < frames; i++) {
        uint16_t before = s->last[0];

        memcpy(s->last, bytes + i * sizeof(s->last), sizeof(s->last));
        s->disorder += s->frames > 0 && s->last[0] != (uint16_t)(before + 1);
        s->frames++;
    }
}

void rt_stream_stop(struct stream *s)
{
    s->stops++;
}

uint32_t rt_stream_unplayed(const struct stream *s, void *to, uint32_t frames)
{
    (void)s;
    (void)to;
    (void)frames;
    return 0;
}

double rt_stream_clock_ppm(struct stream *s)
{
    return s->ppm;
}

/* Instead of the capture: a source whose frames are numbered, from 1, on the left, and say so too,
 * in another way, on the right. */
static struct capture {
    bool open, followed;
    uint32_t prepared, rate; /* of the last prepare and start */
    unsigned starts, stops;
    uint64_t frames;
    double ppm;
} source;

struct capture *capture_open(const struct audio_settings *settings, const char *name,
                             struct stream_status *status, struct err *err)
{
    (void)settings;
    (void)name;
    (void)status;
    (void)err;
    source = (struct capture){.open = true};
    return &source;
}

void capture_close(struct capture *c)
{
    c->open = false;
}

void rt_capture_prepare(struct capture *c, uint32_t rate)
{
    c->prepared = rate;
}

void rt_capture_start(struct capture *c, uint32_t rate)
{
    c->rate = rate;
    c->starts++;
}

void rt_capture_read(struct capture *c, int16_t *stereo, uint32_t frames)
{
    for (uint32_t i = 0; i < frames; i++) {
        *stereo++ = (int16_t)++c->frames;
        *stereo++ = (int16_t)~c->frames;
    }
}

void rt_capture_stop(struct capture *c)
{
    c->stops++;
}

double rt_capture_clock_ppm(struct capture *c)
{
    return c->ppm;
}

void rt_capture_follow(struct capture *c, bool followed)
{
    c->followed = followed;
}

/* And instead of the host's MIDI. */
struct midi_port {
    char name[32];
    bool open, listening;
    uint8_t out[64], in[64];
    unsigned sent, waiting, taken;
};

static struct midi_port midi;
static bool host_has_midi = true;
static const struct midi_driver fake_midi_driver;
const struct midi_driver *const midi_driver = &fake_midi_driver;

struct midi_port *midi_port_open(const struct midi_driver *driver, const char *name,
                                 struct err *err)
{
    assert_ptr_equal(driver, midi_driver);
    if (!host_has_midi) {
        err_set(err, "this host has no MIDI");
        return NULL;
    }
    memset(&midi, 0, sizeof(midi));
    midi.open = true;
    strcpy(midi.name, name);
    return &midi;
}

void midi_port_close(struct midi_port *p)
{
    p->open = false;
}

int midi_port_fd(const struct midi_port *p)
{
    (void)p;
    return 77;
}

void rt_midi_listen(struct midi_port *p, bool on)
{
    p->listening = on;
}

void rt_midi_write(struct midi_port *p, uint8_t byte)
{
    p->out[p->sent++ % sizeof(p->out)] = byte;
}

bool rt_midi_read(struct midi_port *p, uint8_t *byte)
{
    if (p->taken == p->waiting) {
        return false;
    }
    *byte = p->in[p->taken++];
    return true;
}

/* The guest's side. */

enum {
    PORT = 0xc200,
    CONTROL = 0x00,
    STATUS = 0x04,
    UART_DATA = 0x08,
    UART_STATUS = 0x09,
    MEM_PAGE = 0x0c,
    CODEC = 0x10,
    SCTL = 0x20,
    DAC1_COUNT = 0x24,
    DAC2_COUNT = 0x28,
    ADC_COUNT = 0x2c,
    WINDOW = 0x30,
    CDC_EN = 0x02,
    ADC_EN = 0x10,
    UART_EN = 0x08,
    RXINTEN = 0x80,
    TXINTEN = 0x20,
    RXRDY = 0x01,
    DAC2_EN = 0x20,
    DAC1_EN = 0x40,
    DAC2_INT = 0x200,
    ADC_INT = 0x400,
    DAC1_S16_STEREO = 0x03,
    DAC2_S16_STEREO = 0x0c,
    ADC_STEREO = 0x10,
    ADC_S16 = 0x20,
    DAC1_22050 = 0x2000,
    DIV_44100 = 30 << 16,
    BUFFER = 0x10000,
    ADC_BUFFER = 0x40000,
    BUFFER_FRAMES = 16384, /* the frame's number, as 16 bits, runs through it four times */
};

static struct card *card;
static struct status_page page;
static struct audio_settings settings = {.out_latency_us = 10000, .in_latency_us = 10000};

static uint32_t in(unsigned reg)
{
    const struct guest_device *d = &fake_guest()->device;

    return d->port_read(d->opaque, (uint16_t)(PORT + reg), 4);
}

static void out(unsigned reg, uint32_t value)
{
    const struct guest_device *d = &fake_guest()->device;

    d->port_write(d->opaque, (uint16_t)(PORT + reg), 4, value);
}

static uint8_t in_byte(unsigned reg)
{
    const struct guest_device *d = &fake_guest()->device;

    return (uint8_t)d->port_read(d->opaque, (uint16_t)(PORT + reg), 1);
}

static void out_byte(unsigned reg, uint8_t value)
{
    const struct guest_device *d = &fake_guest()->device;

    d->port_write(d->opaque, (uint16_t)(PORT + reg), 1, value);
}

static void config(unsigned offset, unsigned bytes, uint32_t value)
{
    const struct guest_device *d = &fake_guest()->device;

    d->config_write(d->opaque, offset, bytes, value);
}

static int plug(void **state)
{
    struct err err;

    (void)state;
    now = 77 * NS_PER_S;
    memset(&page, 0, sizeof(page));
    card = card_create(&settings, &page, now, &err);
    assert_non_null(card);
    assert_true(card_plug(card, 5, 4, &err));
    config(0x10, 4, PORT);
    config(0x04, 2, 0x0005);
    return 0;
}

static int unplug(void **state)
{
    (void)state;
    card_destroy(card);
    assert_int_equal(streams_open, 0);
    assert_false(source.open);
    assert_null(fake_guest());
    assert_false(midi.open);
    return 0;
}

/* Registers and values, as words, to 0xffff. */
static void mix(const uint16_t *writes)
{
    for (; *writes != 0xffff; writes++) {
        out(CODEC, *writes);
    }
}

/* Both DACs at 0 dB. */
static void unmute(void)
{
    static const uint16_t writes[] = {0x1603, 0x0000, 0x0100, 0x0206, 0x0306,
                                      0x0406, 0x0506, 0x1060, 0x110c, 0xffff};

    mix(writes);
}

/* As Linux does it: 44.1 kHz, 16 bits, stereo, an interrupt each period frames. */
static void play_on_dac2(unsigned period)
{
    for (unsigned i = 0; i < BUFFER_FRAMES; i++) {
        uint16_t frame[2] = {(uint16_t)i, (uint16_t)~i};

        memcpy(fake_guest()->ram + BUFFER + i * sizeof(frame), frame, sizeof(frame));
    }
    unmute();
    out(CONTROL, CDC_EN);
    out(MEM_PAGE, 0xc);
    out(WINDOW + 8, BUFFER);
    out(WINDOW + 12, BUFFER_FRAMES - 1);
    out(SCTL, DAC2_S16_STEREO | DAC2_INT);
    out(DAC2_COUNT, period - 1);
    out(CONTROL, CDC_EN | DIV_44100);
    out(CONTROL, CDC_EN | DIV_44100 | DAC2_EN);
}

static void acknowledge(void)
{
    out(SCTL, DAC2_S16_STEREO);
    out(SCTL, DAC2_S16_STEREO | DAC2_INT);
}

static uint32_t position(void)
{
    out(MEM_PAGE, 0xc);
    return in(WINDOW + 12) >> 16;
}

static void the_guest_finds_the_card_where_it_was_put(void **state)
{
    const struct guest_device *d = &fake_guest()->device;

    (void)state;
    assert_int_equal(fake_guest()->domid, 5);
    assert_int_equal(fake_guest()->slot, 4);
    assert_int_equal(d->config_read(d->opaque, 0, 4), 0x50001274);
    assert_int_equal(fake_guest()->first_port, PORT);
    assert_int_equal(fake_guest()->port_count, 64);
}

static void ports_follow_the_bar(void **state)
{
    (void)state;
    config(0x04, 2, 0x0004); /* I/O decoding off */
    assert_int_equal(fake_guest()->port_count, 0);
    config(0x10, 4, 0xffffffff); /* sizing */
    assert_int_equal(fake_guest()->port_count, 0);
    config(0x10, 4, 0x1340);
    config(0x04, 2, 0x0005);
    assert_int_equal(fake_guest()->first_port, 0x1340);
    assert_int_equal(fake_guest()->port_count, 64);
    config(0x10, 4, 0x12340000); /* beyond I/O space: nobody's */
    assert_int_equal(fake_guest()->port_count, 0);
}

static void nothing_wakes_an_idle_card(void **state)
{
    (void)state;
    assert_true(rt_card_advance(card, now) == UINT64_MAX);
}

/* The loop of the card's process, with a driver that acknowledges at once: every frame once and
 * in order, every interrupt at the nanosecond its period ends. */
static void plays_every_frame_on_time(void **state)
{
    uint64_t start, interrupts = 0;

    (void)state;
    play_on_dac2(256);
    start = now;
    while (now < start + 2 * NS_PER_S) {
        uint64_t wake = rt_card_advance(card, now);
        unsigned edges = fake_guest()->intx_edges;

        assert_true(wake > now && wake <= now + 10 * NS_PER_MS);
        now = wake;
        rt_card_advance(card, now);
        if (fake_guest()->intx_edges != edges) {
            uint64_t due;

            interrupts++;
            due = start + (interrupts * 256 * NS_PER_S + 44099) / 44100;
            assert_in_range(now, due, due + 10);
            assert_int_equal(position(), interrupts * 256 % BUFFER_FRAMES);
            acknowledge();
            assert_false(fake_guest()->intx);
        }
    }
    assert_int_equal(interrupts, 2 * 44100 / 256);
    assert_in_range(streams[1].frames, 2 * 44100, 2 * 44100 + 441);
    /* The number jumps back where the buffer wraps, and nowhere else. */
    assert_int_equal(streams[1].disorder, (streams[1].frames - 1) / BUFFER_FRAMES);
    assert_int_equal(streams[1].starts, 1);
    assert_int_equal(streams[1].format.rate, 44100);
    assert_int_equal(streams[0].frames, 0);
}

static void the_position_is_that_of_the_moment_it_is_read(void **state)
{
    uint64_t start;

    (void)state;
    play_on_dac2(4096);
    start = now;
    for (unsigned i = 1; i < 5000; i++) {
        now += 33333;
        assert_int_equal(position(), (now - start) * 441 / (10 * NS_PER_MS));
    }
    assert_int_equal(streams[1].frames, position());
}

static void stopping_stops_the_stream_and_the_wakes(void **state)
{
    (void)state;
    play_on_dac2(256);
    now += NS_PER_MS;
    out(CONTROL, CDC_EN | DIV_44100);
    assert_int_equal(streams[1].stops, 1);
    assert_int_equal(streams[1].frames, 44);
    assert_true(rt_card_advance(card, now) == UINT64_MAX);
    now += NS_PER_S;
    rt_card_advance(card, now);
    assert_int_equal(streams[1].frames, 44);
}

/* The host was asleep: the guest's time stood still as well, so nothing is to be caught up. */
static void a_long_gap_is_not_caught_up(void **state)
{
    (void)state;
    play_on_dac2(1024);
    now += 3600 * NS_PER_S;
    rt_card_advance(card, now);
    assert_int_equal(streams[1].frames, 22050);
}

static void the_clock_follows_the_sink(void **state)
{
    uint64_t start, frames;

    (void)state;
    play_on_dac2(1024);
    streams[1].ppm = 1000;
    now += 60 * NS_PER_MS;
    rt_card_advance(card, now); /* from here on */
    frames = streams[1].frames;
    start = now;
    while (now < start + 10 * NS_PER_S) {
        now += NS_PER_MS;
        rt_card_advance(card, now);
    }
    assert_in_range(streams[1].frames - frames, 441440, 441442);
}

/* A guest that asks for an interrupt each frame costs it no more than one each 180 us. */
static void an_interrupt_each_frame_is_bounded(void **state)
{
    uint64_t start;
    unsigned wakes = 0;

    (void)state;
    play_on_dac2(1);
    start = now;
    while (now < start + NS_PER_S) {
        now = rt_card_advance(card, now);
        wakes++;
        if (fake_guest()->intx) {
            acknowledge();
        }
    }
    assert_in_range(wakes, 100, NS_PER_S / (180 * NS_PER_US) + 2);
}

/* 8-bit mono at 22050 Hz on DAC1: both of its sides are the one sample, at the volumes of FM. */
static void a_voice_plays_at_its_volume(void **state)
{
    static const uint16_t sides[] = {0x0409, 0x0500, 0xffff};  /* -6 dB, +12 dB */
    static const uint16_t master[] = {0x0003, 0x0180, 0xffff}; /* -6 dB, muted */

    (void)state;
    unmute();
    mix(sides);
    memset(fake_guest()->ram + BUFFER, 0x90, 4096);
    out(MEM_PAGE, 0xc);
    out(WINDOW, BUFFER);
    out(WINDOW + 4, 1023);
    out(SCTL, 0);
    out(DAC1_COUNT, 4095);
    out(CONTROL, CDC_EN | 2 << 12 | DAC1_EN);
    now += NS_PER_MS;
    rt_card_advance(card, now);
    assert_int_equal(streams[0].format.rate, 22050);
    assert_int_equal(streams[0].format.channels, 2);
    assert_int_equal(streams[0].format.bits, 16);
    assert_int_equal(streams[0].frames, 22);
    assert_int_equal((int16_t)streams[0].last[0], 2053); /* 4096 * 0.501 */
    assert_int_equal((int16_t)streams[0].last[1], 16307);

    mix(master);
    now += NS_PER_MS; /* an eighth of the way */
    rt_card_advance(card, now);
    assert_in_range((int16_t)streams[0].last[0], 1900, 1960);
    assert_in_range((int16_t)streams[0].last[1], 13800, 14700);
    now += 8 * NS_PER_MS;
    rt_card_advance(card, now);
    assert_int_equal((int16_t)streams[0].last[0], 1029);
    assert_int_equal((int16_t)streams[0].last[1], 0);
}

static void a_guest_that_has_not_unmuted_is_silent(void **state)
{
    static const uint16_t mute[] = {0x0080, 0x0180, 0xffff};

    (void)state;
    play_on_dac2(256);
    out(CONTROL, CDC_EN | DIV_44100);
    mix(mute);
    out(CONTROL, CDC_EN | DIV_44100 | DAC2_EN);
    now += NS_PER_MS;
    rt_card_advance(card, now);
    assert_int_equal(streams[1].frames, 44);
    assert_int_equal(streams[1].last[0], 0);
    assert_int_equal(streams[1].last[1], 0);
}

/* Line and voice to the ADC at 0 dB. */
static void open_line(void)
{
    static const uint16_t writes[] = {0x1603, 0x0806, 0x0906, 0x1210, 0x1308, 0xffff};

    mix(writes);
}

static void open_voice(void)
{
    static const uint16_t writes[] = {0x1603, 0x0206, 0x0306, 0x1404, 0x1504, 0xffff};

    mix(writes);
}

/* Sets the ADC up, at 44.1 kHz, without starting it. */
static void prepare_adc(uint32_t format, unsigned period)
{
    memset(fake_guest()->ram + ADC_BUFFER, 0xee, 4 * BUFFER_FRAMES);
    out(MEM_PAGE, 0xd);
    out(WINDOW, ADC_BUFFER);
    out(WINDOW + 4, BUFFER_FRAMES - 1);
    out(SCTL, in(SCTL) | format | ADC_INT);
    out(ADC_COUNT, period - 1);
    out(CONTROL, (in(CONTROL)&0xffff) | DIV_44100);
}

static void record(uint32_t format, unsigned period)
{
    prepare_adc(format, period);
    out(CONTROL, in(CONTROL) | ADC_EN);
}

/* Lets time pass in steps that divide nothing. */
static void run_for(uint64_t ns)
{
    uint64_t end = now + ns;

    while (now < end) {
        now = now + 333333 < end ? now + 333333 : end;
        rt_card_advance(card, now);
    }
}

static const uint8_t *recorded(unsigned byte)
{
    return fake_guest()->ram + ADC_BUFFER + byte;
}

static int16_t recorded_s16(unsigned sample)
{
    int16_t s;

    memcpy(&s, recorded(2 * sample), sizeof(s));
    return s;
}

static void records_every_frame_on_time(void **state)
{
    uint64_t start, interrupts = 0;

    (void)state;
    open_line();
    prepare_adc(ADC_S16 | ADC_STEREO, 64);
    assert_int_equal(source.prepared, 44100);
    assert_int_equal(source.starts, 0);
    record(ADC_S16 | ADC_STEREO, 64);
    assert_int_equal(source.rate, 44100);
    start = now;
    while (interrupts < 200) {
        unsigned edges = fake_guest()->intx_edges;

        now = rt_card_advance(card, now);
        rt_card_advance(card, now);
        if (fake_guest()->intx_edges != edges) {
            uint64_t due = start + (++interrupts * 64 * NS_PER_S + 44099) / 44100;

            assert_in_range(now, due, due + 10);
            /* The period's frames are in memory, and none after them. */
            for (unsigned n = (interrupts - 1) * 64; n < interrupts * 64; n++) {
                assert_int_equal(recorded_s16(2 * n), n + 1);
                assert_int_equal((uint16_t)recorded_s16(2 * n + 1), (uint16_t) ~(n + 1));
            }
            assert_int_equal(*recorded(interrupts * 64 * 4), 0xee);
            out(SCTL, in(SCTL) & ~ADC_INT);
            out(SCTL, in(SCTL) | ADC_INT);
        }
    }
    out(CONTROL, in(CONTROL) & ~ADC_EN);
    assert_int_equal(source.stops, 1);
    assert_true(rt_card_advance(card, now) == UINT64_MAX);
}

static void records_in_the_guests_format(void **state)
{
    (void)state;
    open_line();
    source.frames = 0x4000;
    record(ADC_S16, 1024); /* mono: the mean of n and -n - 1 */
    run_for(10 * NS_PER_MS);
    assert_int_equal(recorded_s16(0), 0);
    assert_int_equal(recorded_s16(100), 0);
    out(CONTROL, in(CONTROL) & ~ADC_EN);
    out(SCTL, 0);
    source.frames = 0x4000 - 1;
    record(ADC_STEREO, 1024); /* 8 bits */
    run_for(10 * NS_PER_MS);
    assert_int_equal(*recorded(0), 0xc0);
    assert_int_equal(*recorded(1), 0x40);
    assert_int_equal(*recorded(2 * 127), 0xc0); /* 407fh, */
    assert_int_equal(*recorded(2 * 128), 0xc1); /* 4080h, to the nearest */
    assert_int_equal(source.starts, 2);
}

static void records_as_loud_as_the_mixer_says(void **state)
{
    static const uint16_t quiet[] = {0x0810, 0xffff};                /* line, left: -20 dB */
    static const uint16_t both[] = {0x0806, 0x0e06, 0x1211, 0xffff}; /* and the microphone */
    static const uint16_t none[] = {0x1200, 0x1300, 0xffff};

    (void)state;
    open_line();
    mix(quiet);
    source.frames = 9999;
    record(ADC_S16 | ADC_STEREO, 1024);
    run_for(NS_PER_MS);
    assert_int_equal(recorded_s16(0), 1000);
    assert_int_equal(recorded_s16(1), ~10000);

    mix(both);
    run_for(20 * NS_PER_MS); /* the change takes 8 ms */
    source.frames = 1000;
    run_for(NS_PER_MS);
    assert_int_equal(recorded_s16(2 * (44 + 882)), 2 * recorded_s16(2 * (44 + 882) + 1) * -1 - 2);

    mix(none);
    run_for(20 * NS_PER_MS);
    assert_int_equal(recorded_s16(2 * (44 + 882 + 44 + 600)), 0);
    assert_int_equal(recorded_s16(2 * (44 + 882 + 44 + 600) + 1), 0);
    assert_true(source.frames > 1000 + 44 + 800); /* it is read all the same */
}

static void the_clock_follows_the_source_where_nothing_plays(void **state)
{
    uint64_t before;

    (void)state;
    source.ppm = -1000;
    record(ADC_S16 | ADC_STEREO, 1024);
    run_for(60 * NS_PER_MS);
    assert_true(source.followed);
    before = source.frames;
    run_for(1000 * NS_PER_MS);
    assert_in_range(source.frames - before, 44055, 44057);

    streams[1].ppm = 2000;
    out(SCTL, in(SCTL) | DAC2_S16_STEREO);
    out(CONTROL, in(CONTROL) | DAC2_EN);
    run_for(60 * NS_PER_MS);
    assert_false(source.followed);
    before = source.frames;
    run_for(1000 * NS_PER_MS);
    assert_in_range(source.frames - before, 44187, 44190);

    out(CONTROL, in(CONTROL) & ~DAC2_EN);
    run_for(60 * NS_PER_MS);
    assert_true(source.followed);
}

/* What DAC2 plays the ADC records: each frame once, in order, two frames later at most. */
static void a_voice_is_recorded_frame_by_frame(void **state)
{
    unsigned first = 0;

    (void)state;
    open_voice();
    play_on_dac2(1024);
    now += 12345; /* half a frame apart */
    record(ADC_S16 | ADC_STEREO, 1024);
    run_for(300 * NS_PER_MS);
    while (recorded_s16(2 * first) == 0) {
        first++;
    }
    assert_in_range(first, 1, 2);
    for (unsigned n = first; n < 13000; n++) {
        assert_int_equal(recorded_s16(2 * n), (int16_t)(recorded_s16(2 * first) + n - first));
        assert_int_equal(recorded_s16(2 * n + 1), (int16_t)~recorded_s16(2 * n));
    }
    /* And silence when it ends. */
    out(CONTROL, in(CONTROL) & ~DAC2_EN);
    run_for(20 * NS_PER_MS);
    assert_int_equal(recorded_s16(2 * 13600), 0);
}

/* DAC1 at half the rate: each of its frames twice. */
static void a_slower_voice_is_held(void **state)
{
    static const uint16_t fm[] = {0x0406, 0x0506, 0x1240, 0x1320, 0xffff};
    unsigned first = 0;

    (void)state;
    mix(fm);
    play_on_dac2(1024); /* for the frames in memory, and as a voice that is not selected */
    out(MEM_PAGE, 0xc);
    out(WINDOW, BUFFER);
    out(WINDOW + 4, BUFFER_FRAMES - 1);
    out(SCTL, in(SCTL) | DAC1_S16_STEREO);
    out(CONTROL, in(CONTROL) | DAC1_22050 | DAC1_EN);
    now += 54321;
    record(ADC_S16 | ADC_STEREO, 1024);
    run_for(300 * NS_PER_MS);
    while (recorded_s16(2 * first) == 0) {
        first++;
    }
    assert_in_range(first, 1, 4);
    first += recorded_s16(2 * first) != recorded_s16(2 * first + 2);
    for (unsigned n = first; n < 13000; n++) {
        assert_int_equal(recorded_s16(2 * n), recorded_s16(2 * first) + (n - first) / 2);
    }
}

/* Nothing plays: it is MIDI that wakes the card, each time that a byte is through. */
static void midi_goes_out_on_time(void **state)
{
    uint64_t start = now;

    (void)state;
    assert_string_equal(midi.name, "qemu-dm 5");
    assert_int_equal(card_event_fd(card), 77);
    assert_false(midi.listening);
    out(CONTROL, CDC_EN | UART_EN);
    assert_true(midi.listening);
    out_byte(UART_DATA, 0x90);
    out_byte(UART_DATA, 0x3c);
    for (unsigned i = 1; i <= 2; i++) {
        now = rt_card_advance(card, now);
        assert_in_range(now, start + i * 320 * NS_PER_US, start + i * 320005);
        assert_int_equal(midi.sent, i - 1);
        rt_card_advance(card, now);
        assert_int_equal(midi.sent, i);
    }
    assert_memory_equal(midi.out, "\x90\x3c", 2);
    assert_true(rt_card_advance(card, now) == UINT64_MAX);
    assert_false(fake_guest()->intx);
}

static void midi_comes_in_on_time(void **state)
{
    uint64_t start;

    (void)state;
    out(CONTROL, CDC_EN | UART_EN);
    out_byte(UART_STATUS, RXINTEN);
    assert_true(rt_card_advance(card, now) == UINT64_MAX);
    now += NS_PER_S;
    memcpy(midi.in, "\x80\x3c", 2);
    midi.waiting = 2;
    start = now;
    for (unsigned i = 1; i <= 2; i++) {
        now = rt_card_advance(card, now); /* at first because of card_event_fd */
        assert_in_range(now, start + i * 320 * NS_PER_US, start + i * 320005);
        assert_false(fake_guest()->intx);
        rt_card_advance(card, now);
        assert_true(fake_guest()->intx);
        assert_int_equal(in_byte(UART_DATA), midi.in[i - 1]);
        assert_false(fake_guest()->intx);
    }
    assert_true(rt_card_advance(card, now) == UINT64_MAX);
}

static void a_host_without_midi(void **state)
{
    (void)state;
    unplug(state);
    host_has_midi = false;
    plug(state);
    host_has_midi = true;
    assert_int_equal(card_event_fd(card), -1);
    out(CONTROL, CDC_EN | UART_EN);
    out_byte(UART_STATUS, RXINTEN | TXINTEN);
    assert_true(fake_guest()->intx);
    out_byte(UART_DATA, 0xfe);
    out_byte(UART_DATA, 0xfe);
    assert_false(fake_guest()->intx);
    now = rt_card_advance(card, now);
    rt_card_advance(card, now);
    assert_true(fake_guest()->intx);
    out(CONTROL, CDC_EN);
    assert_false(fake_guest()->intx);
}

/* --- standing still --- */

static uint32_t dice(void)
{
    static uint32_t random = 1;

    random = random * 1664525 + 1013904223;
    return random >> 8;
}

/* Returns how long: nanoseconds, up to 9 s. */
static uint64_t pause_for_a_while(void)
{
    uint64_t ns = (uint64_t)dice() << dice() % 10;

    rt_card_pause(card, now);
    now += ns;
    assert_true(rt_card_advance(card, now) == UINT64_MAX);
    rt_card_resume(card, now);
    return ns;
}

/* At any point: every frame once and in order, every interrupt at its nanosecond, later by what the
 * card has stood still. */
static void a_pause_moves_everything_and_changes_nothing(void **state)
{
    uint64_t start, interrupts = 0, still = 0;
    unsigned pauses = 0, edges;

    (void)state;
    play_on_dac2(256);
    start = now;
    edges = fake_guest()->intx_edges;
    while (interrupts < 2000) {
        uint64_t wake = rt_card_advance(card, now);

        if (dice() % 2) {
            now += dice() % (wake - now);
            still += pause_for_a_while();
            pauses++;
            assert_in_range(rt_card_advance(card, now), now, now + 10 * NS_PER_MS);
        } else {
            now = wake;
            rt_card_advance(card, now);
        }
        if (fake_guest()->intx_edges != edges) {
            uint64_t due = start + still + (++interrupts * 256 * NS_PER_S + 44099) / 44100;

            assert_in_range(now, due, due + 10);
            assert_int_equal(position(), interrupts * 256 % BUFFER_FRAMES);
            acknowledge();
            edges = fake_guest()->intx_edges;
        }
    }
    assert_in_range(pauses, 1000, 100000);
    assert_int_equal(streams[1].starts, 1 + pauses);
    assert_int_equal(streams[1].stops, pauses);
    assert_int_equal(streams[1].format.rate, 44100);
    assert_int_equal(streams[1].frames, 2000 * 256);
    assert_int_equal(streams[1].disorder, (streams[1].frames - 1) / BUFFER_FRAMES);
    assert_int_equal(streams[0].starts, 0);
    assert_int_equal(source.starts, 0);
}

/* The host's source, and what the card plays itself. */
static void recording_stands_still_too(void **state)
{
    static const uint16_t no_line[] = {0x1200, 0x1300, 0xffff};
    unsigned pauses = 0, first = 0;

    (void)state;
    open_line();
    record(ADC_S16 | ADC_STEREO, 1024);
    for (; pauses < 300; pauses++) {
        run_for(dice() % NS_PER_MS);
        pause_for_a_while();
        assert_int_equal(source.stops, pauses + 1);
        assert_int_equal(source.starts, pauses + 2);
    }
    assert_int_equal(source.rate, 44100);
    assert_in_range(source.frames, 3000, 14000);
    for (unsigned n = 0; n < source.frames; n++) {
        assert_int_equal(recorded_s16(2 * n), n + 1);
    }
    assert_int_equal(*recorded(4 * (unsigned)source.frames), 0xee);

    out(CONTROL, CDC_EN);
    mix(no_line);
    open_voice();
    play_on_dac2(1024);
    now += 12345;
    record(ADC_S16 | ADC_STEREO, 1024);
    for (pauses = 0; pauses < 300; pauses++) {
        run_for(dice() % NS_PER_MS);
        pause_for_a_while();
    }
    while (recorded_s16(2 * first) == 0) {
        first++;
    }
    assert_in_range(first, 1, 2);
    for (unsigned n = first; n < 3000; n++) {
        assert_int_equal(recorded_s16(2 * n), (int16_t)(recorded_s16(2 * first) + n - first));
    }
}

static void midi_stands_still_too(void **state)
{
    uint64_t start = now, still;

    (void)state;
    out(CONTROL, CDC_EN | UART_EN);
    out_byte(UART_DATA, 0x90);
    now += 100 * NS_PER_US;
    rt_card_pause(card, now);
    midi.in[0] = 0x3c;
    midi.waiting = 1;
    now += still = NS_PER_S;
    assert_true(rt_card_advance(card, now) == UINT64_MAX);
    assert_int_equal(midi.sent, 0);
    assert_int_equal(midi.taken, 0);
    rt_card_resume(card, now);
    now = rt_card_advance(card, now);
    assert_in_range(now, start + still + 320 * NS_PER_US, start + still + 320005);
    now = rt_card_advance(card, now);
    assert_int_equal(midi.sent, 1);
    assert_int_equal(in_byte(UART_STATUS) & RXRDY, RXRDY);
    assert_int_equal(in_byte(UART_DATA), 0x3c);
}

/* Whatever it asks, and at the time that it does. */
static void a_guest_that_asks_is_served(void **state)
{
    const struct guest_device *d = &fake_guest()->device;

    (void)state;
    play_on_dac2(4096);
    now += NS_PER_MS;
    for (unsigned i = 0; i < 4; i++) {
        rt_card_pause(card, now);
        assert_int_equal(page.paused, 1);
        now += NS_PER_S;
        switch (i) {
        case 0:
            d->config_read(d->opaque, 0, 4);
            break;
        case 1:
            config(0x3c, 1, 5);
            break;
        case 2:
            in(STATUS);
            break;
        default:
            out(MEM_PAGE, 0xc);
        }
        assert_int_equal(page.paused, 0);
        assert_int_equal(streams[1].starts, 2 + i);
        assert_int_equal(position(), 44);
    }
}

static void an_idle_card_is_paused_quietly(void **state)
{
    (void)state;
    pause_for_a_while();
    rt_card_resume(card, now); /* once more */
    assert_int_equal(streams[0].starts + streams[1].starts + source.starts, 0);
    assert_int_equal(streams[0].stops + streams[1].stops + source.stops, 0);
    assert_int_equal(page.paused, 0);
}

/* Half a period after its interrupt, and not while there is anything to be heard from it. */
static void a_guest_that_is_not_heard_is_doubted(void **state)
{
    static const struct {
        unsigned period;
        uint64_t patience;
    } cases[] = {{44, 2 * NS_PER_MS}, {882, 10 * NS_PER_MS}, {8820, 50 * NS_PER_MS}};

    for (unsigned i = 0; i < 3; i++) {
        uint64_t patience = 0, raised;

        if (i > 0) {
            unplug(state);
            plug(state);
        }
        play_on_dac2(cases[i].period);
        while (!fake_guest()->intx) {
            assert_true(rt_card_unheard(card, &patience) == UINT64_MAX);
            now = rt_card_advance(card, now);
            rt_card_advance(card, now);
        }
        raised = now;
        run_for(cases[i].patience);
        assert_int_equal(rt_card_unheard(card, &patience), raised);
        assert_int_equal(patience, cases[i].patience);
        in(STATUS); /* heard, though it has not acknowledged anything */
        assert_int_equal(rt_card_unheard(card, &patience), now);
        rt_card_pause(card, now);
        now += NS_PER_S;
        assert_true(rt_card_unheard(card, &patience) == UINT64_MAX);
        rt_card_resume(card, now);
        assert_int_equal(rt_card_unheard(card, &patience), now);
        run_for(NS_PER_MS);
        out(CONTROL, CDC_EN | DIV_44100); /* it waits, but nothing plays */
        assert_true(fake_guest()->intx);
        assert_true(rt_card_unheard(card, &patience) == UINT64_MAX);
    }
}

/* --- what others see --- */

static void shows_what_a_channel_plays(void **state)
{
    const struct stream_status *s = &page.streams[1];

    (void)state;
    assert_int_equal(page.card_pid, getpid());
    assert_int_equal(s->running, 0);
    play_on_dac2(256);
    assert_int_equal(s->running, 1);
    assert_int_equal(s->rate, 44100);
    assert_int_equal(s->channels, 2);
    assert_int_equal(s->bits, 16);
    assert_int_equal(s->gain[0], 0x10000);
    now += 100 * NS_PER_MS;
    rt_card_advance(card, now);
    /* Frame n is n and ~n, that is -n - 1. */
    assert_in_range(s->level[0], 4400, 4410);
    assert_int_equal(s->level[1], s->level[0] + 1);
    out(CODEC, 0x0080); /* the left of the master: muted */
    assert_int_equal(s->gain[0], 0);
    assert_int_equal(s->gain[1], 0x10000);
    out(CONTROL, CDC_EN | DIV_44100);
    assert_int_equal(s->running, 0);
    assert_int_equal(page.streams[0].rate, 0);
    assert_int_equal(page.streams[2].rate, 0);
}

static void shows_what_it_records(void **state)
{
    const struct stream_status *s = &page.streams[2];

    (void)state;
    open_line();
    record(ADC_STEREO | ADC_S16, 1024);
    assert_int_equal(s->running, 1);
    assert_int_equal(s->channels, 2);
    assert_int_equal(s->bits, 16);
    assert_int_equal(s->gain[0], 0x10000);
    now += 100 * NS_PER_MS;
    rt_card_advance(card, now);
    assert_int_equal(s->level[0], 4410); /* frame n is n and ~n */
    assert_int_equal(s->level[1], 4411);
    assert_int_equal(page.streams[1].running, 0);
}

/* The card is asked this much after each interrupt was due. */
static void shows_how_late_interrupts_are(void **state)
{
    static const uint64_t late_ns[] = {0, 999, 70000, 1000, 12345678};
    static const uint32_t late_us[] = {0, 0, 70, 1, 12345};
    uint64_t start;

    (void)state;
    play_on_dac2(4410);
    start = now;
    for (unsigned i = 0; i < 5; i++) {
        now = start + (i + 1) * 100 * NS_PER_MS + late_ns[i];
        rt_card_advance(card, now);
        assert_int_equal(page.interrupts_late_us.count, i + 1);
        assert_int_equal(recent_summary(&page.interrupts_late_us).last, late_us[i]);
        acknowledge();
    }
    assert_int_equal(recent_summary(&page.interrupts_late_us).max, 12345);
}

/* It acknowledges none: the first is signalled, 32 are owed, and the others lost. */
static void shows_that_the_guest_is_late(void **state)
{
    (void)state;
    play_on_dac2(441);
    for (unsigned i = 0; i < 45; i++) {
        now += 10 * NS_PER_MS;
        rt_card_advance(card, now);
    }
    assert_int_equal(page.streams[1].interrupts_late, 44);
    assert_int_equal(page.streams[1].interrupts_merged, 44 - 32);
    assert_int_equal(page.streams[0].interrupts_late, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(the_guest_finds_the_card_where_it_was_put, plug, unplug),
        cmocka_unit_test_setup_teardown(shows_what_a_channel_plays, plug, unplug),
        cmocka_unit_test_setup_teardown(shows_what_it_records, plug, unplug),
        cmocka_unit_test_setup_teardown(shows_how_late_interrupts_are, plug, unplug),
        cmocka_unit_test_setup_teardown(shows_that_the_guest_is_late, plug, unplug),
        cmocka_unit_test_setup_teardown(ports_follow_the_bar, plug, unplug),
        cmocka_unit_test_setup_teardown(nothing_wakes_an_idle_card, plug, unplug),
        cmocka_unit_test_setup_teardown(plays_every_frame_on_time, plug, unplug),
        cmocka_unit_test_setup_teardown(the_position_is_that_of_the_moment_it_is_read, plug,
                                        unplug),
        cmocka_unit_test_setup_teardown(stopping_stops_the_stream_and_the_wakes, plug, unplug),
        cmocka_unit_test_setup_teardown(a_long_gap_is_not_caught_up, plug, unplug),
        cmocka_unit_test_setup_teardown(the_clock_follows_the_sink, plug, unplug),
        cmocka_unit_test_setup_teardown(a_voice_plays_at_its_volume, plug, unplug),
        cmocka_unit_test_setup_teardown(a_guest_that_has_not_unmuted_is_silent, plug, unplug),
        cmocka_unit_test_setup_teardown(an_interrupt_each_frame_is_bounded, plug, unplug),
        cmocka_unit_test_setup_teardown(records_every_frame_on_time, plug, unplug),
        cmocka_unit_test_setup_teardown(records_in_the_guests_format, plug, unplug),
        cmocka_unit_test_setup_teardown(records_as_loud_as_the_mixer_says, plug, unplug),
        cmocka_unit_test_setup_teardown(the_clock_follows_the_source_where_nothing_plays, plug,
                                        unplug),
        cmocka_unit_test_setup_teardown(a_voice_is_recorded_frame_by_frame, plug, unplug),
        cmocka_unit_test_setup_teardown(a_slower_voice_is_held, plug, unplug),
        cmocka_unit_test_setup_teardown(midi_goes_out_on_time, plug, unplug),
        cmocka_unit_test_setup_teardown(midi_comes_in_on_time, plug, unplug),
        cmocka_unit_test_setup_teardown(a_host_without_midi, plug, unplug),
        cmocka_unit_test_setup_teardown(a_pause_moves_everything_and_changes_nothing, plug, unplug),
        cmocka_unit_test_setup_teardown(recording_stands_still_too, plug, unplug),
        cmocka_unit_test_setup_teardown(midi_stands_still_too, plug, unplug),
        cmocka_unit_test_setup_teardown(a_guest_that_asks_is_served, plug, unplug),
        cmocka_unit_test_setup_teardown(an_idle_card_is_paused_quietly, plug, unplug),
        cmocka_unit_test_setup_teardown(a_guest_that_is_not_heard_is_doubted, plug, unplug),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
