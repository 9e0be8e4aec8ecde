/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Saved states of any kind: whole files, and, where the first byte is odd, the sections of a card
 * in an undamaged frame, which no input would find by itself. What is refused is refused with a
 * reason; a card that is taken plays on without end or standstill, and can be saved and taken
 * again.
 */
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/clock.h"
#include "card/snapshot.h"
#include "engine/saved_state.h"
#include "fakes/fake_guest.h"
#include "fuzz/shared/expect.h"
#include "fuzz/shared/virtual_host.h"

enum {
    SNAPSHOT_MAX = 2 << 20, /* two full rings, and some */
    FRONT_BYTES = 16,       /* of a snapshot, before its sections, */
    CRC_BYTES = 4,          /* and behind them: card/snapshot.h */
    ADVANCES = 20,
    REGISTERS = 0x40,
};

#define STEP_NS (20 * NS_PER_MS)

/* --- the card --- */

static void play(struct card *card)
{
    const struct guest_device *d = &fake_guest()->device;

    for (unsigned i = 0; i < ADVANCES; i++) {
        uint64_t wake = rt_card_advance(card, virtual_now);

        expect(wake > virtual_now, "there is nothing more to be done now");
        virtual_now = wake - virtual_now < STEP_NS ? wake : virtual_now + STEP_NS;
        virtual_host_works(i % 4 * 300);
    }
    for (unsigned reg = 0; reg < REGISTERS; reg += 4) {
        uint32_t value = d->port_read(d->opaque, (uint16_t)(VIRTUAL_PORT + reg), 4);

        d->port_write(d->opaque, (uint16_t)(VIRTUAL_PORT + reg), 4, value);
    }
}

static void save_and_take(struct card *card)
{
    static uint8_t bytes[SNAPSHOT_MAX];
    size_t size = card_save(card, virtual_now, bytes, sizeof(bytes));
    struct err err = {""};

    expect(size <= sizeof(bytes), "a card has no more state than its rings can hold");
    expect(card_load(card, virtual_now, bytes, size, &err), "what was saved can be restored");
}

static void take(const void *bytes, size_t size)
{
    struct card *card;
    struct err err = {""};

    virtual_now = 77 * NS_PER_S;
    card = virtual_host_card();
    rt_card_pause(card, virtual_now);
    if (card_load(card, virtual_now, bytes, size, &err)) {
        save_and_take(card);
        rt_card_resume(card, virtual_now);
        play(card);
    } else {
        expect(strlen(err.text) > 10, "a reason");
    }
    save_and_take(card);
    card_destroy(card);
}

/* --- where it comes from --- */

/* A file that is empty. */
static int new_file(void)
{
    static int fd = -1;

    if (fd < 0) {
        fd = memfd_create("saved", MFD_CLOEXEC);
    }
    expect(fd >= 0 && ftruncate(fd, 0) == 0, "there is a file");
    return fd;
}

static void take_file(int fd, size_t size)
{
    struct err err;
    size_t found;
    void *block = saved_state_read(fd, &found, &err);

    expect(lseek(fd, 0, SEEK_CUR) == 0, "the engine begins where it would have");
    if (block) {
        expect(found <= size, "it is in the file");
        take(block, found);
    } else {
        expect(found == 0, "nothing");
    }
    free(block);
}

static void any_file(const uint8_t *data, size_t size)
{
    int fd = new_file();

    expect(pwrite(fd, data, size, 0) == (ssize_t)size, "it can be written");
    take_file(fd, size);
}

static void frame(const uint8_t *data, size_t size)
{
    static uint8_t bytes[SNAPSHOT_MAX];
    struct snapshot_writer w;
    struct err err;
    int fd = new_file();
    void *room;

    snapshot_begin(&w, bytes, sizeof(bytes));
    room = snapshot_room(&w, size);
    if (room && size > 0) {
        memcpy(room, data, size);
    }
    size = snapshot_end(&w);
    if (size <= sizeof(bytes)) {
        expect(saved_state_append(fd, bytes, size, &err), "it can be written");
        take_file(fd, size);
    }
}

/* Both voices play, what they have played is still on its way, and the third records. */
static size_t save_one_that_plays(uint8_t *bytes, size_t size)
{
    struct card *card;

    virtual_now = 77 * NS_PER_S;
    card = virtual_host_card();
    virtual_host_play();
    virtual_now += 3 * NS_PER_MS;
    size = card_save(card, virtual_now, bytes, size);
    card_destroy(card);
    return size;
}

/* Places, of two bytes, and what is there, of one. */
static void change(const uint8_t *data, size_t size)
{
    static uint8_t saved[SNAPSHOT_MAX];
    static size_t saved_size;
    static uint8_t bytes[SNAPSHOT_MAX];
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
        any_file(data, size);
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
