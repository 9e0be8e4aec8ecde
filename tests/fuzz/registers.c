/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A guest that does whatever it likes with the card, while its toolstack pauses and moves it: the
 * real card and its real streams. An input is a row of steps of six bytes: what, where, and a value
 * (little endian).
 *
 * Whatever comes, positions stay inside their buffers, the line says what the registers say, an
 * access costs no more of the guest's memory than the time since the last one is worth, and the
 * card can be saved and taken up by another, which is then the same.
 */
#include <endian.h>
#include <string.h>

#include "base/clock.h"
#include "card/card_private.h"
#include "fakes/fake_guest.h"
#include "fuzz/shared/expect.h"
#include "fuzz/shared/virtual_host.h"
#include "hw/es1370_private.h"

enum {
    STEPS_MAX = 256,
    MOVES_MAX = 2, /* they take longest */
    STEP_BYTES = 6,
    SNAPSHOT_MAX = 2 << 20, /* two full rings, and some */
    REPEATS_MAX = 64,
    FASTEST_HZ = 48000 + 480, /* of any channel, on a card's clock that is 1 % fast */
};

/* More than this is not caught up; see MAX_CATCH_UP_TICKS. */
#define CATCH_UP_NS (NS_PER_S / 2)

/* An input that has played for so long ends: shorter ones find more in the same time. */
#define PLAYED_MAX_NS (NS_PER_S * 6 / 10)

struct step {
    uint8_t what;  /* low half: enum action; the rest is for the action */
    uint8_t where; /* likewise */
    uint32_t value;
};

static struct card *card;
static uint64_t played_ns;
static unsigned moves;

/* --- what must hold --- */

/* Since `before`, ns of the card's time have passed. */
static void check_work(unsigned before, uint64_t ns)
{
    uint64_t caught_up_ns = ns < CATCH_UP_NS ? ns : CATCH_UP_NS;
    uint64_t frames = caught_up_ns * FASTEST_HZ / NS_PER_S;

    played_ns += caught_up_ns;
    expect(fake_guest()->dma_calls - before <= (ns ? ES1370_CHANNELS * (frames + 2) : 0),
           "memory is used no more often than frames are due");
}

static void check_card(void)
{
    const struct fake_guest *g = fake_guest();
    const struct es1370 *chip = &card->chip;
    bool decodes = pci_command(&chip->pci) & PCI_COMMAND_IO;
    uint64_t patience_ns = NS_PER_S;

    for (enum es1370_channel ch = 0; ch < ES1370_CHANNELS; ch++) {
        expect(chip->channel[ch].count <= chip->channel[ch].size, "a position is in its buffer");
        expect(chip->channel[ch].owed <= ES1370_MAX_OWED, "a late guest is owed so much at most");
    }
    expect(g->intx == chip->irq && chip->irq == es1370_status(chip) >> 31,
           "the line says what STATUS says");
    expect(pci_config_read(&chip->pci, PCI_VENDOR_ID, 4) == 0x50001274, "it stays what it is");
    expect(g->port_count == 0 || (decodes && g->first_port % ES1370_IO_BYTES == 0),
           "it has no ports but those it was given");
    expect(rt_card_unheard(card, &patience_ns) == UINT64_MAX || patience_ns < NS_PER_S / 10,
           "a guest that does not answer is noticed");
}

/* --- steps --- */

static uint32_t access_port(const struct step *s, bool write, uint32_t value)
{
    const struct guest_device *d = &fake_guest()->device;
    uint16_t port = (uint16_t)(card->first_port + s->where);
    unsigned bytes = 1u << s->what / 16 % 3;

    if (write) {
        d->port_write(d->opaque, port, bytes, value);
        return 0;
    }
    return d->port_read(d->opaque, port, bytes);
}

static void access_config(const struct step *s, bool write)
{
    const struct guest_device *d = &fake_guest()->device;
    unsigned bytes = 1u << s->what / 16 % 3;

    if (write) {
        d->config_write(d->opaque, s->where, bytes, s->value);
    } else {
        d->config_read(d->opaque, s->where, bytes);
    }
}

static void repeat_port(const struct step *s)
{
    for (uint32_t i = 0; i < s->value % REPEATS_MAX; i++) {
        access_port(s, s->what & 0x80, s->value >> i % 32);
    }
}

/* Returns when the card wants to be called again. */
static uint64_t pass(uint64_t ns)
{
    unsigned before = fake_guest()->dma_calls;
    uint64_t wake;

    virtual_now += ns;
    wake = rt_card_advance(card, virtual_now);
    expect(wake > virtual_now, "there is nothing more to be done now");
    check_work(before, ns);
    return wake;
}

/* As its process does, for some turns. */
static void wake_up(unsigned turns)
{
    uint64_t wake = pass(0);

    for (unsigned i = 0; i < turns && wake != UINT64_MAX; i++) {
        wake = pass(wake - virtual_now);
    }
}

static void acknowledge(void)
{
    const struct guest_device *d = &fake_guest()->device;
    uint16_t port = (uint16_t)(card->first_port + 0x20);
    uint32_t sctl = d->port_read(d->opaque, port, 4);

    d->port_write(d->opaque, port, 4, sctl & ~0x700u);
    d->port_write(d->opaque, port, 4, sctl);
}

/* Into another process, at the same moment. */
static void move_card(void)
{
    static uint8_t saved[SNAPSHOT_MAX], again[SNAPSHOT_MAX];
    size_t size = card_save(card, virtual_now, saved, sizeof(saved));
    bool paused = card->paused;
    struct err err = {""};

    expect(size <= sizeof(saved), "a card has no more state than its rings can hold");
    card_destroy(card);
    card = virtual_host_card();
    if (paused) {
        rt_card_pause(card, virtual_now);
    }
    expect(card_load(card, virtual_now, saved, size, &err), "what was saved can be restored");
    expect(card_save(card, virtual_now, again, sizeof(again)) == size &&
               memcmp(saved, again, size) == 0,
           "what was restored is what was saved");
    moves++;
}

enum action {
    WRITE, /* 0..3 */
    READ = 4,
    WRITE_CONFIG,
    READ_CONFIG,
    REPEAT,
    PASS,
    WAKE_UP,
    HOST_WORKS,
    PAUSE,
    RESUME,
    MOVE,
    PLAY,
    ACKNOWLEDGE,
};

static void do_step(const struct step *s)
{
    unsigned before = fake_guest()->dma_calls;

    switch (s->what % 16) {
    case READ:
        access_port(s, false, 0);
        break;
    case WRITE_CONFIG:
        access_config(s, true);
        break;
    case READ_CONFIG:
        access_config(s, false);
        break;
    case REPEAT:
        repeat_port(s);
        break;
    case PASS:
        pass(s->value >> s->where % 32);
        return;
    case WAKE_UP:
        wake_up(s->where);
        return;
    case HOST_WORKS:
        virtual_host_sends_midi(s->where % 16);
        virtual_host_works(s->value % VIRTUAL_FRAMES_MAX >> s->what / 16);
        break;
    case PAUSE:
        rt_card_pause(card, virtual_now);
        break;
    case RESUME:
        rt_card_resume(card, virtual_now);
        break;
    case MOVE:
        move_card();
        return;
    case PLAY:
        virtual_host_play();
        break;
    case ACKNOWLEDGE:
        acknowledge();
        break;
    default:
        access_port(s, true, s->value);
        break;
    }
    check_work(before, 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    virtual_now = 77 * NS_PER_S;
    played_ns = 0;
    moves = 0;
    card = virtual_host_card();
    for (unsigned i = 0;
         i < STEPS_MAX && moves < MOVES_MAX && played_ns < PLAYED_MAX_NS && size >= STEP_BYTES;
         i++) {
        struct step s = {.what = data[0], .where = data[1]};

        memcpy(&s.value, data + 2, sizeof(s.value));
        s.value = le32toh(s.value);
        do_step(&s);
        check_card();
        data += STEP_BYTES;
        size -= STEP_BYTES;
    }
    if (moves == 0) {
        move_card();
    }
    card_destroy(card);
    return 0;
}
