/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Saved states of any kind: whole files, and, where the first byte is odd, the sections of a card
 * in an undamaged frame, which no input would find by itself. What is refused is refused with a
 * reason; a card that is taken plays on without end or standstill, and can be saved and taken
 * again.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "audio/capture.h"
#include "audio/driver.h"
#include "audio/midi.h"
#include "audio/stream.h"
#include "base/clock.h"
#include "card/card.h"
#include "card/snapshot.h"
#include "card/status_page.h"
#include "engine/saved_state.h"
#include "fakes/fake_guest.h"

enum {
    SNAPSHOT_MAX = 1 << 16,
    FRONT_BYTES = 16, /* of a snapshot, before its sections, */
    CRC_BYTES = 4,    /* and behind them: card/snapshot.h */
    ADVANCES = 20,
    PORT = 0xc200,
    REGISTERS = 0x40,
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define STEP_NS (20 * NS_PER_MS)

static uint64_t now;

uint64_t clock_now_ns(void)
{
    return now;
}

static void expect(int holds, const char *what)
{
    if (!holds) {
        fprintf(stderr, "does not hold: %s\n", what);
        abort();
    }
}

/* --- a host that hears, says and plays nothing --- */

struct stream {
    char nothing;
};
struct capture {
    char nothing;
};

static struct stream stream;
static struct capture capture;
const struct midi_driver *const midi_driver = NULL;

uint64_t audio_chunk_ns(const struct audio_settings *settings)
{
    (void)settings;
    return NS_PER_MS;
}

struct stream *stream_open(const struct audio_settings *settings, const char *name,
                           struct stream_status *status, struct err *err)
{
    (void)settings;
    (void)name;
    (void)status;
    (void)err;
    return &stream;
}

void stream_close(struct stream *s)
{
    (void)s;
}

void rt_stream_prepare(struct stream *s, const struct pcm_format *format)
{
    (void)s;
    (void)format;
}

void rt_stream_start(struct stream *s, const struct pcm_format *format)
{
    (void)s;
    (void)format;
}

/* All of it is read. */
void rt_stream_write(struct stream *s, const void *data, uint32_t frames)
{
    const volatile uint8_t *bytes = data;

    (void)s;
    for (size_t i = 0; i < (size_t)frames * 4; i++) {
        (void)bytes[i];
    }
}

uint32_t rt_stream_unplayed(const struct stream *s, void *to, uint32_t frames)
{
    (void)s;
    (void)to;
    (void)frames;
    return 0;
}

void rt_stream_stop(struct stream *s)
{
    (void)s;
}

double rt_stream_clock_ppm(struct stream *s)
{
    (void)s;
    return 0;
}

struct capture *capture_open(const struct audio_settings *settings, const char *name,
                             struct stream_status *status, struct err *err)
{
    (void)settings;
    (void)name;
    (void)status;
    (void)err;
    return &capture;
}

void capture_close(struct capture *c)
{
    (void)c;
}

void rt_capture_prepare(struct capture *c, uint32_t rate)
{
    (void)c;
    (void)rate;
}

void rt_capture_start(struct capture *c, uint32_t rate)
{
    (void)c;
    (void)rate;
}

void rt_capture_read(struct capture *c, int16_t *stereo, uint32_t frames)
{
    (void)c;
    memset(stereo, 1, (size_t)frames * 4);
}

void rt_capture_stop(struct capture *c)
{
    (void)c;
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

struct midi_port *midi_port_open(const struct midi_driver *driver, const char *name,
                                 struct err *err)
{
    (void)driver;
    (void)name;
    err_set(err, "this host has no MIDI");
    return NULL;
}

void midi_port_close(struct midi_port *p)
{
    (void)p;
}

int midi_port_fd(const struct midi_port *p)
{
    (void)p;
    return -1;
}

void rt_midi_listen(struct midi_port *p, bool on)
{
    (void)p;
    (void)on;
}

void rt_midi_write(struct midi_port *p, uint8_t byte)
{
    (void)p;
    (void)byte;
}

bool rt_midi_read(struct midi_port *p, uint8_t *byte)
{
    (void)p;
    (void)byte;
    return false;
}

/* --- the card --- */

static void play(struct card *card)
{
    const struct guest_device *d = &fake_guest()->device;

    for (unsigned i = 0; i < ADVANCES; i++) {
        uint64_t wake = rt_card_advance(card, now);

        expect(wake > now, "there is nothing more to be done now");
        now = wake - now < STEP_NS ? wake : now + STEP_NS;
    }
    for (unsigned reg = 0; reg < REGISTERS; reg += 4) {
        uint32_t value = d->port_read(d->opaque, (uint16_t)(PORT + reg), 4);

        d->port_write(d->opaque, (uint16_t)(PORT + reg), 4, value);
    }
}

static void save_and_take(struct card *card)
{
    static uint8_t bytes[SNAPSHOT_MAX];
    size_t size = card_save(card, now, bytes, sizeof(bytes));
    struct err err = {""};

    expect(size <= sizeof(bytes), "there is room for a card without sound");
    expect(card_load(card, now, bytes, size, &err), "what was saved can be restored");
}

static struct card *make_card(void)
{
    static struct audio_settings settings = {.out_latency_us = 10000, .in_latency_us = 10000};
    static struct status_page page;
    struct card *card;
    struct err err;

    now = 77 * NS_PER_S;
    card = card_create(&settings, &page, now, &err);
    if (!card || !card_plug(card, 5, 4, &err)) {
        abort();
    }
    return card;
}

static void take(const void *bytes, size_t size)
{
    struct card *card = make_card();
    struct err err = {""};

    rt_card_pause(card, now);
    if (card_load(card, now, bytes, size, &err)) {
        save_and_take(card);
        rt_card_resume(card, now);
        play(card);
    } else {
        expect(strlen(err.text) > 10, "a reason");
    }
    save_and_take(card);
    card_destroy(card);
}

/* --- where it comes from --- */

static void read_file(const uint8_t *data, size_t size)
{
    static int fd = -1;
    struct err err;
    size_t found;
    void *block;

    if (fd < 0) {
        fd = memfd_create("saved", MFD_CLOEXEC);
    }
    if (ftruncate(fd, 0) < 0 || pwrite(fd, data, size, 0) != (ssize_t)size) {
        abort();
    }
    block = saved_state_read(fd, &found, &err);
    expect(lseek(fd, 0, SEEK_CUR) == 0, "the engine begins where it would have");
    if (block) {
        expect(found <= size, "it is in the file");
        take(block, found);
    } else {
        expect(found == 0, "nothing");
    }
    free(block);
}

static void frame(const uint8_t *data, size_t size)
{
    static uint8_t bytes[SNAPSHOT_MAX];
    struct snapshot_writer w;
    void *room;

    snapshot_begin(&w, bytes, sizeof(bytes));
    room = snapshot_room(&w, size);
    if (room && size > 0) {
        memcpy(room, data, size);
    }
    size = snapshot_end(&w);
    if (size <= sizeof(bytes)) {
        take(bytes, size);
    }
}

/* Both voices play, and the third records. */
static size_t save_one_that_plays(uint8_t *bytes, size_t size)
{
    static const uint32_t writes[][2] = {
        {0x0c, 0xc}, {0x30, 0x10000}, {0x34, 16383}, {0x38, 0x20000},  {0x3c, 16383},
        {0x0c, 0xd}, {0x30, 0x40000}, {0x34, 16383}, {0x20, 0x73f},    {0x24, 440},
        {0x28, 440}, {0x2c, 440},     {0x00, 0x70},  {0x00, 0x1e2072},
    };
    struct card *card = make_card();
    const struct guest_device *d = &fake_guest()->device;

    d->config_write(d->opaque, 0x10, 4, PORT);
    d->config_write(d->opaque, 0x04, 2, 0x0005);
    for (size_t i = 0; i < sizeof(writes) / sizeof(writes[0]); i++) {
        d->port_write(d->opaque, (uint16_t)(PORT + writes[i][0]), 4, writes[i][1]);
    }
    rt_card_advance(card, now + 3 * NS_PER_MS);
    size = card_save(card, now + 3 * NS_PER_MS, bytes, size);
    card_destroy(card);
    return size;
}

/* Places, of two bytes, and what is there, of one. */
static void change(const uint8_t *data, size_t size)
{
    static uint8_t saved[SNAPSHOT_MAX];
    static size_t saved_size;
    uint8_t bytes[SNAPSHOT_MAX];
    size_t content;

    if (saved_size == 0) {
        saved_size = save_one_that_plays(saved, sizeof(saved));
    }
    content = saved_size - FRONT_BYTES - CRC_BYTES;
    memcpy(bytes, saved + FRONT_BYTES, content);
    for (; size >= 3; size -= 3, data += 3) {
        bytes[(data[0] | (unsigned)data[1] << 8) % content] = data[2];
    }
    frame(bytes, content);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    switch (size > 0 ? data[0] % 4 : 0) {
    case 0:
        read_file(data, size);
        break;
    case 1:
        frame(data + 1, size - 1);
        break;
    default:
        change(data + 1, size - 1);
        break;
    }
    return 0;
}
