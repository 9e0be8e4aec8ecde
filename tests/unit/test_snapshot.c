/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A card paused, or saved and loaded, in the midst of playing and recording: what comes after is
 * what would have come. And saved cards that are damaged, or forged. */
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
#include "base/log.h"
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

/* Instead of the capture: a source that numbers its frames. */
static struct capture {
    bool running;
    uint16_t frames;
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
    for (uint32_t i = 0; i < frames; i++) {
        *stereo++ = (int16_t)++c->frames;
        *stereo++ = (int16_t)(c->frames / 3);
    }
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
    RECORDED = 0x30000, /* where the ADC's buffer is; all others are before it */
    RAM_USED = 0x32000,
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
    source.frames = 0;
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
    static const uint16_t mixer[] = {0x0000, 0x0103, 0x0206, 0x0309, 0x0402, 0x0506,
                                     0x1060, 0x110c, 0x0806, 0x0906, 0x1210, 0x1308};

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
    out(WINDOW, RECORDED);
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

static void load(void)
{
    struct err err = {.text = ""};

    if (!card_load(card, now, saved, saved_size, &err)) {
        fail_msg("%s", err.text);
    }
}

/* From the saved card's guest into one that is the same, with a new card. */
static void change_guest(void)
{
    static uint8_t ram[RAM_USED];

    assert_in_range(saved_size, 1, sizeof(saved));
    memcpy(ram, fake_guest()->ram, sizeof(ram));
    card_destroy(card);
    memset(&page, 0, sizeof(page));
    now += 1234567 * NS_PER_MS; /* an hour in a file */
    plug();
    memcpy(fake_guest()->ram, ram, sizeof(ram));
}

static void change_card(void)
{
    saved_size = card_save(card, now, saved, sizeof(saved));
    change_guest();
    load();
}

/* Whatever time passes, and however often it is said. */
static void stand_still(void)
{
    static uint32_t random = 1;
    static uint8_t recorded[RAM_USED - RECORDED];
    unsigned edges;

    rt_card_pause(card, now);
    edges = fake_guest()->intx_edges;
    memcpy(recorded, fake_guest()->ram + RECORDED, sizeof(recorded));
    for (unsigned i = 0; i < 3; i++) {
        random = random * 1664525 + 1013904223;
        now += (uint64_t)random << (random >> 8) % 14; /* up to nine hours */
        rt_card_pause(card, now);
        assert_true(rt_card_advance(card, now) == UINT64_MAX);
        assert_int_equal(status_get(&page.paused), 1);
        assert_false(streams[0].running || streams[1].running || source.running);
    }
    assert_int_equal(fake_guest()->intx_edges, edges);
    assert_memory_equal(fake_guest()->ram + RECORDED, recorded, sizeof(recorded));
}

static void go_on(void)
{
    rt_card_resume(card, now);
    rt_card_resume(card, now);
    assert_int_equal(status_get(&page.paused), 0);
}

static void pause_card(void)
{
    stand_still();
    go_on();
}

static void pause_and_change_card(void)
{
    stand_still();
    saved_size = card_save(card, now, saved, sizeof(saved));
    change_guest();
    stand_still();
    load();
    stand_still();
    go_on();
}

/* And while it still stands, a second time. */
static void pause_and_change_card_twice(void)
{
    uint8_t first[sizeof(saved)];
    size_t first_size;

    stand_still();
    first_size = card_save(card, now, first, sizeof(first));
    memcpy(saved, first, first_size);
    saved_size = first_size;
    change_guest();
    rt_card_pause(card, now);
    load();
    now += 5 * NS_PER_MS;
    saved_size = card_save(card, now, saved, sizeof(saved));
    assert_int_equal(saved_size, first_size);
    assert_memory_equal(saved, first, first_size);
    go_on();
}

/* What the streams had is played where it is loaded, and then the card stands still. */
static void change_into_a_paused_card(void)
{
    saved_size = card_save(card, now, saved, sizeof(saved));
    change_guest();
    rt_card_pause(card, now);
    load();
    stand_still();
    go_on();
}

static void pause_and_change_into_a_running_card(void)
{
    stand_still();
    saved_size = card_save(card, now, saved, sizeof(saved));
    change_guest();
    load();
    assert_int_equal(status_get(&page.paused), 0);
}

struct moment {
    uint64_t frames[2], sums[2]; /* heard by the host, and about to be */
    uint32_t status, counts[3], positions[3];
    uint64_t wake; /* from now on, as the card asked */
    uint32_t ram_sum;
    bool intx;
};

enum { STEPS = 3000 };

static void look_at_stream(const struct stream *s, uint64_t *frames, uint64_t *sum)
{
    *frames = s->frames + s->waiting_bytes / FRAME_BYTES;
    *sum = s->sum;
    for (unsigned i = 0; i < s->waiting_bytes; i++) {
        *sum = *sum * 31 + s->waiting[i];
    }
}

/* What happens to the card, at every so many steps. */
struct change {
    void (*happens)(void);
    unsigned every;
};

static void run(struct moment *moments, const struct change *change)
{
    uint32_t random = 1;

    start_all();
    for (unsigned step = 0; step < STEPS; step++) {
        struct moment *m = &moments[step];

        random = random * 1664525 + 1013904223;
        now += random >> 12; /* up to a millisecond */
        if (change && step % change->every == 0) {
            change->happens();
        }
        *m = (struct moment){.wake = rt_card_advance(card, now) - now};
        guest(step);
        for (unsigned i = 0; i < 2; i++) {
            look_at_stream(&streams[i], &m->frames[i], &m->sums[i]);
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
        for (unsigned i = RECORDED; i < RAM_USED; i++) {
            m->ram_sum = m->ram_sum * 31 + fake_guest()->ram[i];
        }
    }
}

static void the_run_goes_on_as_if_nothing_had_been(void **state)
{
    static const struct change whatever[] = {
        {change_card, 1},
        {pause_card, 1},
        {pause_and_change_card, 5},
        {pause_and_change_card_twice, 7},
        {change_into_a_paused_card, 5},
        {pause_and_change_into_a_running_card, 7},
    };
    static struct moment with[STEPS], without[STEPS];

    run(without, NULL);
    for (unsigned i = 0; i < sizeof(whatever) / sizeof(whatever[0]); i++) {
        tear_down(state);
        set_up(state);
        run(with, &whatever[i]);
        for (unsigned step = 0; step < STEPS; step++) {
            if (memcmp(&with[step], &without[step], sizeof(with[step])) != 0) {
                fail_msg("case %u differs in step %u", i, step);
            }
        }
    }
    assert_true(without[STEPS - 1].frames[1] > 40000);
    assert_true(without[STEPS - 1].ram_sum != without[STEPS - 2].ram_sum);
}

/* No frame of a card that stands still is saved, to be played a second time elsewhere. */
static void a_paused_card_has_no_rings(void **state)
{
    size_t running;

    (void)state;
    start_all();
    now += 123456789;
    running = card_save(card, now, saved, sizeof(saved));
    rt_card_pause(card, now);
    now += NS_PER_S;
    saved_size = card_save(card, now, saved, sizeof(saved));
    assert_int_equal(running - saved_size, 2 * BEHIND * FRAME_BYTES);
    assert_true(saved_size < 1024);
}

static void a_refused_card_leaves_a_paused_one_as_it_was(void **state)
{
    static uint8_t before[sizeof(saved)];
    struct err err;
    size_t size;

    (void)state;
    start_all();
    now += 123456789;
    rt_card_pause(card, now);
    saved_size = card_save(card, now, saved, sizeof(saved));
    memcpy(before, saved, saved_size);
    saved[saved_size / 2] ^= 1;
    now += NS_PER_MS;
    assert_false(card_load(card, now, saved, saved_size, &err));
    size = card_save(card, now, saved, sizeof(saved));
    assert_int_equal(size, saved_size);
    assert_memory_equal(saved, before, size);
    assert_true(rt_card_advance(card, now) == UINT64_MAX);
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
        if (i % 3 == 0) {
            rt_card_pause(card, now);
        }
        if (card_load(card, now, forged, saved_size, &err)) {
            taken++;
            rt_card_resume(card, now);
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
        cmocka_unit_test_setup_teardown(a_paused_card_has_no_rings, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_refused_card_leaves_a_paused_one_as_it_was, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(any_flipped_bit_is_refused, set_up, tear_down),
        cmocka_unit_test_setup_teardown(any_other_length_is_refused, set_up, tear_down),
        cmocka_unit_test_setup_teardown(another_version_says_so, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_missing_section_says_so, set_up, tear_down),
        cmocka_unit_test_setup_teardown(forged_states_do_no_harm, set_up, tear_down),
        cmocka_unit_test_setup_teardown(noise_does_no_harm, set_up, tear_down),
        cmocka_unit_test_setup_teardown(too_small_a_buffer, set_up, tear_down),
    };

    log_set_level(LOG_LEVEL_WARN); /* not for each card that there is no MIDI */
    return cmocka_run_group_tests(tests, NULL, NULL);
}
