/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A card saved and loaded in the midst of playing and recording: what comes after is what would
 * have come. And saved cards that are damaged, or forged. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "audio/capture.h"
#include "audio/stream.h"
#include "base/clock.h"
#include "card/card.h"
#include "card/snapshot.h"
#include "card/status_page.h"
#include "fakes/fake_guest.h"

/* Instead of CLOCK_MONOTONIC. */
static uint64_t now;

uint64_t clock_now_ns(void)
{
    return now;
}

/* Instead of the streams: a host that is always some frames behind; they count what it heard, and
 * keep a checksum of it. */
enum { BEHIND = 37, FRAME_BYTES = 4 };

struct stream {
    struct pcm_format format;
    bool running;
    uint8_t waiting[BEHIND * FRAME_BYTES];
    unsigned waiting_bytes;
    uint64_t frames, sum;
    double ppm;
};

static struct stream streams[2];
static unsigned streams_open;

struct stream *stream_open(const struct audio_settings *settings, const char *name,
                           struct stream_status *status, struct err *err)
{
    (void)settings;
    (void)name;
    (void)status;
    (void)err;
    return &streams[streams_open++];
}

/* What waited is lost. */
void stream_close(struct stream *s)
{
    s->running = false;
    s->waiting_bytes = 0;
    streams_open--;
}

void rt_stream_prepare(struct stream *s, const struct pcm_format *format)
{
    (void)s;
    (void)format;
}

static void hear(struct stream *s, unsigned bytes)
{
    for (unsigned i = 0; i < bytes; i++) {
        s->sum = s->sum * 31 + s->waiting[i];
    }
    s->waiting_bytes -= bytes;
    memmove(s->waiting, s->waiting + bytes, s->waiting_bytes);
    s->frames += bytes / FRAME_BYTES;
}

void rt_stream_start(struct stream *s, const struct pcm_format *format)
{
    assert_int_equal(pcm_frame_bytes(format), FRAME_BYTES);
    s->format = *format;
    s->running = true;
}

void rt_stream_write(struct stream *s, const void *data, uint32_t frames)
{
    const uint8_t *bytes = data;

    assert_true(s->running);
    for (uint32_t i = 0; i < frames; i++) {
        if (s->waiting_bytes == sizeof(s->waiting)) {
            hear(s, FRAME_BYTES);
        }
        memcpy(s->waiting + s->waiting_bytes, bytes + i * FRAME_BYTES, FRAME_BYTES);
        s->waiting_bytes += FRAME_BYTES;
    }
}

void rt_stream_stop(struct stream *s)
{
    assert_true(s->running);
    s->running = false;
    hear(s, s->waiting_bytes);
}

uint32_t rt_stream_unplayed(const struct stream *s, void *to, uint32_t frames)
{
    uint32_t waiting = s->running ? s->waiting_bytes / FRAME_BYTES : 0;

    frames = frames < waiting ? frames : waiting;
    if (to) {
        memcpy(to, s->waiting, frames * FRAME_BYTES);
    }
    return frames;
}

double rt_stream_clock_ppm(struct stream *s)
{
    s->ppm = s->ppm > 400 ? -400 : s->ppm + 33.3;
    return s->ppm;
}

/* Instead of the capture: silence. */
static struct capture {
    bool running;
} source;

struct capture *capture_open(const struct audio_settings *settings, const char *name,
                             struct stream_status *status, struct err *err)
{
    (void)settings;
    (void)name;
    (void)status;
    (void)err;
    return &source;
}

void capture_close(struct capture *c)
{
    c->running = false;
}

void rt_capture_prepare(struct capture *c, uint32_t rate)
{
    assert_false(c->running);
    assert_true(rate > 0);
}

void rt_capture_start(struct capture *c, uint32_t rate)
{
    assert_true(rate > 0);
    c->running = true;
}

void rt_capture_read(struct capture *c, int16_t *stereo, uint32_t frames)
{
    assert_true(c->running);
    memset(stereo, 0, frames * 2 * sizeof(*stereo));
}

void rt_capture_stop(struct capture *c)
{
    assert_true(c->running);
    c->running = false;
}

double rt_capture_clock_ppm(struct capture *c)
{
    (void)c;
    return 0;
}

void rt_capture_follow(struct capture *c, bool followed)
{
    (void)c;
    (void)followed;
}

enum {
    PORT = 0xc200,
    CONTROL = 0x00,
    STATUS = 0x04,
    MEM_PAGE = 0x0c,
    CODEC = 0x10,
    SCTL = 0x20,
    DAC1_COUNT = 0x24,
    DAC2_COUNT = 0x28,
    ADC_COUNT = 0x2c,
    WINDOW = 0x30,
    ALL_INTERRUPTS = 0x700,
    FORMATS = 2 << 4 | 3 << 2 | 0, /* S16 mono, S16 stereo, U8 mono */
    ALL_CHANNELS = 0x72,
    RATES = 37 << 16 | 1 << 12,
};

static struct card *card;
static struct status_page page;
static struct audio_settings settings = {.out_latency_us = 10000};
static uint8_t saved[4096];
static size_t saved_size;

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

static void config(unsigned offset, unsigned bytes, uint32_t value)
{
    const struct guest_device *d = &fake_guest()->device;

    d->config_write(d->opaque, offset, bytes, value);
}

static void plug(void)
{
    struct err err;

    card = card_create(&settings, &page, now, &err);
    assert_non_null(card);
    assert_true(card_plug(card, 5, 4, &err));
}

/* A card of its own, at the same time in each test. */
static int set_up(void **state)
{
    (void)state;
    now = 77 * NS_PER_S;
    memset(streams, 0, sizeof(streams));
    plug();
    config(0x10, 4, PORT);
    config(0x04, 2, 0x0005);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    card_destroy(card);
    return 0;
}

static void start_all(void)
{
    static const uint16_t mixer[] = {0x0000, 0x0103, 0x0206, 0x0309,
                                     0x0402, 0x0506, 0x1060, 0x110c};

    for (unsigned i = 0; i < FAKE_GUEST_RAM; i++) {
        fake_guest()->ram[i] = (uint8_t)(i * 2654435761u >> 24);
    }
    for (unsigned i = 0; i < sizeof(mixer) / sizeof(mixer[0]); i++) {
        out(CODEC, mixer[i]);
    }
    out(CONTROL, RATES);
    out(MEM_PAGE, 0xc);
    out(WINDOW, 0x10000);
    out(WINDOW + 4, 999);
    out(WINDOW + 8, 0x20000);
    out(WINDOW + 12, 2999);
    out(MEM_PAGE, 0xd);
    out(WINDOW, 0x30000);
    out(WINDOW + 4, 1999);
    out(SCTL, ALL_INTERRUPTS | FORMATS);
    out(DAC1_COUNT, 76);
    out(DAC2_COUNT, 128);
    out(ADC_COUNT, 199);
    out(CONTROL, RATES | ALL_CHANNELS);
}

/* A guest that listens to its interrupts, and to whom it occurs now and then to turn the volume. */
static void guest(unsigned step)
{
    uint32_t status = in(STATUS);

    if (status & 7 && step % 5 != 0) {
        uint32_t off =
            (status & 1 ? 0x400u : 0) | (status & 2 ? 0x200u : 0) | (status & 4 ? 0x100u : 0);

        out(SCTL, (ALL_INTERRUPTS | FORMATS) & ~off);
        out(SCTL, ALL_INTERRUPTS | FORMATS);
    }
    if (step % 97 == 0) {
        out(CODEC, 0x0200 | step % 32);
    }
    if (step % 500 == 499) {
        out(CONTROL, RATES | (ALL_CHANNELS & ~0x20u));
        out(CONTROL, RATES | ALL_CHANNELS);
    }
}

static void change_card(void)
{
    static uint8_t ram[FAKE_GUEST_RAM];
    struct err err = {.text = ""};
    unsigned edges = fake_guest()->intx_edges;

    saved_size = card_save(card, now, saved, sizeof(saved));
    assert_in_range(saved_size, 1, sizeof(saved));
    memcpy(ram, fake_guest()->ram, sizeof(ram));
    card_destroy(card);
    now += 1234567 * NS_PER_MS; /* an hour in a file */
    plug();
    memcpy(fake_guest()->ram, ram, sizeof(ram));
    if (!card_load(card, now, saved, saved_size, &err)) {
        fail_msg("%s", err.text);
    }
    fake_guest()->intx_edges = edges;
}

struct moment {
    uint64_t frames[2], sums[2];
    uint32_t status, counts[3], positions[3];
    uint64_t wake; /* from now on, as the card asked */
    uint32_t ram_sum;
    bool intx;
};

enum { STEPS = 3000 };

static void run(struct moment *moments, bool changing_cards)
{
    uint32_t random = 1;

    start_all();
    for (unsigned step = 0; step < STEPS; step++) {
        struct moment *m = &moments[step];

        random = random * 1664525 + 1013904223;
        now += random >> 12; /* up to a millisecond */
        if (changing_cards) {
            change_card();
        }
        *m = (struct moment){.wake = rt_card_advance(card, now) - now};
        guest(step);
        for (unsigned i = 0; i < 2; i++) {
            m->frames[i] = streams[i].frames;
            m->sums[i] = streams[i].sum;
        }
        m->status = in(STATUS);
        out(MEM_PAGE, 0xc);
        m->positions[0] = in(WINDOW + 4);
        m->positions[1] = in(WINDOW + 12);
        out(MEM_PAGE, 0xd);
        m->positions[2] = in(WINDOW + 4);
        for (unsigned i = 0; i < 3; i++) {
            m->counts[i] = in(DAC1_COUNT + 4 * i);
        }
        m->intx = fake_guest()->intx;
        for (unsigned i = 0x30000; i < 0x32000; i++) {
            m->ram_sum = m->ram_sum * 31 + fake_guest()->ram[i];
        }
    }
}

static void the_run_goes_on_as_if_nothing_had_been(void **state)
{
    static struct moment with[STEPS], without[STEPS];

    run(without, false);
    tear_down(state);
    set_up(state);
    run(with, true);
    for (unsigned step = 0; step < STEPS; step++) {
        assert_memory_equal(&with[step], &without[step], sizeof(with[step]));
    }
    assert_true(without[STEPS - 1].frames[1] > 40000);
}

static void save_in_the_midst(void)
{
    start_all();
    now += 123456789;
    out(CODEC, 0x0203);
    saved_size = card_save(card, now, saved, sizeof(saved));
}

static void assert_refused(const void *bytes, size_t size, const char *because)
{
    struct err err = {.text = ""};

    assert_false(card_load(card, now, bytes, size, &err));
    if (!strstr(err.text, because)) {
        fail_msg("\"%s\" does not say \"%s\"", err.text, because);
    }
    assert_true(strstr(err.text, "restore") || strstr(err.text, "boot the guest anew"));
}

static void any_flipped_bit_is_refused(void **state)
{
    struct err err;

    (void)state;
    save_in_the_midst();
    for (size_t bit = 0; bit < 8 * saved_size; bit++) {
        saved[bit / 8] ^= (uint8_t)(1u << bit % 8);
        assert_refused(saved, saved_size, "sound card");
        saved[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    assert_true(card_load(card, now, saved, saved_size, &err));
}

static void any_other_length_is_refused(void **state)
{
    (void)state;
    save_in_the_midst();
    memset(saved + saved_size, 0, sizeof(saved) - saved_size);
    for (size_t size = 0; size < sizeof(saved); size++) {
        if (size != saved_size) {
            assert_refused(saved, size, "sound card");
        }
    }
}

/* Puts the size and the checksum right. */
static void seal(uint8_t *bytes, size_t size)
{
    uint32_t crc = 0xffffffff;

    for (unsigned i = 0; i < 4; i++) {
        bytes[12 + i] = (uint8_t)(size >> (8 * i));
    }
    for (size_t i = 0; i < size - 4; i++) { /* CRC-32 of IEEE 802.3, written out */
        crc ^= bytes[i];
        for (unsigned bit = 0; bit < 8; bit++) {
            crc = crc >> 1 ^ (crc & 1 ? 0xedb88320 : 0);
        }
    }
    for (unsigned i = 0; i < 4; i++) {
        bytes[size - 4 + i] = (uint8_t)(~crc >> (8 * i));
    }
}

static void another_version_says_so(void **state)
{
    (void)state;
    save_in_the_midst();
    seal(saved, saved_size); /* which changes nothing */
    saved[8] = 2;
    seal(saved, saved_size);
    assert_refused(saved, saved_size, "version 2");
}

static void a_missing_section_says_so(void **state)
{
    static const char *const names[] = {"chip", "time", "volu"};
    struct err err;

    (void)state;
    for (unsigned i = 0; i < 3; i++) {
        save_in_the_midst();
        for (size_t at = 16; at < saved_size - 4; at++) {
            if (memcmp(saved + at, names[i], 4) == 0) {
                saved[at] = 'x';
                break;
            }
        }
        seal(saved, saved_size);
        assert_refused(saved, saved_size, "incomplete");
    }
    /* One too many does no harm. */
    save_in_the_midst();
    memcpy(saved + saved_size - 4, "more\3\0\0\0abc", 11);
    saved_size += 11;
    seal(saved, saved_size);
    assert_true(card_load(card, now, saved, saved_size, &err));
    saved[saved_size - 4 - 3 - 4] = 4; /* beyond the end */
    seal(saved, saved_size);
    assert_refused(saved, saved_size, "do not fit");
}

/* Forged: the checksum is right and some of the rest is not. Refused, or a card like any other. */
static void forged_states_do_no_harm(void **state)
{
    static uint8_t forged[sizeof(saved)];
    uint32_t random = 7;
    unsigned taken = 0;
    struct err err;

    (void)state;
    save_in_the_midst();
    for (unsigned i = 0; i < 5000; i++) {
        memcpy(forged, saved, saved_size);
        for (unsigned n = 0; n <= i % 8; n++) {
            random = random * 1664525 + 1013904223;
            forged[16 + (random >> 8) % (saved_size - 20)] = (uint8_t)(random >> 24);
        }
        seal(forged, saved_size);
        if (card_load(card, now, forged, saved_size, &err)) {
            taken++;
            for (unsigned ms = 0; ms < 4; ms++) {
                now += NS_PER_MS;
                assert_true(rt_card_advance(card, now) > now);
            }
        } else {
            assert_true(strlen(err.text) > 20);
        }
    }
    assert_in_range(taken, 100, 4900);
    assert_true(card_load(card, now, saved, saved_size, &err)); /* still whole */
}

/* Noise in the place of every section. */
static void noise_does_no_harm(void **state)
{
    uint32_t random = 11;
    struct err err;

    (void)state;
    save_in_the_midst();
    for (unsigned i = 0; i < 3000; i++) {
        static uint8_t noise[sizeof(saved)];
        size_t size = 20 + i % 1000;

        memcpy(noise, saved, 16);
        for (size_t at = 16; at < size; at++) {
            random = random * 1664525 + 1013904223;
            noise[at] = (uint8_t)(random >> 24);
        }
        if (size > 40 && i % 2) {
            memcpy(noise + 16, "chip\x08\0\0\0", 8);
        }
        seal(noise, size);
        assert_false(card_load(card, now, noise, size, &err));
    }
}

static void too_small_a_buffer(void **state)
{
    static uint8_t small[sizeof(saved)];

    (void)state;
    save_in_the_midst();
    for (size_t size = 0; size < saved_size; size++) {
        memset(small, 0xa5, sizeof(small));
        assert_int_equal(card_save(card, now, small, size), saved_size);
        assert_int_equal(small[size], 0xa5);
    }
    assert_int_equal(card_save(card, now, small, saved_size), saved_size);
    assert_memory_equal(small, saved, saved_size);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(the_run_goes_on_as_if_nothing_had_been, set_up, tear_down),
        cmocka_unit_test_setup_teardown(any_flipped_bit_is_refused, set_up, tear_down),
        cmocka_unit_test_setup_teardown(any_other_length_is_refused, set_up, tear_down),
        cmocka_unit_test_setup_teardown(another_version_says_so, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_missing_section_says_so, set_up, tear_down),
        cmocka_unit_test_setup_teardown(forged_states_do_no_harm, set_up, tear_down),
        cmocka_unit_test_setup_teardown(noise_does_no_harm, set_up, tear_down),
        cmocka_unit_test_setup_teardown(too_small_a_buffer, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
