/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "hw/es1370_state.h"

#include <string.h>

#include "hw/es1370_private.h"

enum { STATE_VERSION = 1, MEM_PAGES = 16 };

/* A walk over the fields, to the bytes or from them: one list for both, so that they agree. */
struct walk {
    uint8_t *bytes;
    size_t size;
    size_t used; /* above size: there are too few bytes */
    bool loading;
    bool not_boolean; /* a flag was neither 0 nor 1 */
};

static uint64_t walk_number(struct walk *w, uint64_t value, unsigned bytes)
{
    uint64_t loaded = 0;

    if (w->used + bytes <= w->size) {
        for (unsigned i = 0; i < bytes; i++) {
            uint8_t *at = w->bytes + w->used + i;

            if (!w->loading) {
                *at = (uint8_t)(value >> (8 * i));
            }
            loaded |= (uint64_t)*at << (8 * i);
        }
    }
    w->used += bytes;
    return loaded;
}

static void walk_u8(struct walk *w, uint8_t *field)
{
    *field = (uint8_t)walk_number(w, *field, 1);
}

static void walk_u16(struct walk *w, uint16_t *field)
{
    *field = (uint16_t)walk_number(w, *field, 2);
}

static void walk_u32(struct walk *w, uint32_t *field)
{
    *field = (uint32_t)walk_number(w, *field, 4);
}

static void walk_u64(struct walk *w, uint64_t *field)
{
    *field = walk_number(w, *field, 8);
}

static void walk_bool(struct walk *w, bool *field)
{
    uint64_t value = walk_number(w, *field, 1);

    w->not_boolean |= value > 1;
    *field = value == 1;
}

static void walk_bytes(struct walk *w, uint8_t *bytes, size_t count)
{
    if (w->used + count <= w->size) {
        uint8_t *at = w->bytes + w->used;

        memcpy(w->loading ? bytes : at, w->loading ? at : bytes, count);
    }
    w->used += count;
}

/* Without what the host knows: that is found anew. */
static void walk_channel(struct walk *w, struct es1370_dma *d)
{
    walk_u32(w, &d->frame_address);
    walk_u16(w, &d->size);
    walk_u16(w, &d->count);
    walk_u16(w, &d->sample_count);
    walk_u16(w, &d->samples_left);
    walk_bytes(w, d->longword, sizeof(d->longword));
    walk_u8(w, &d->longword_used);
    walk_bool(w, &d->running);
    walk_u64(w, &d->phase);
    walk_bool(w, &d->pending);
    walk_bool(w, &d->acknowledging);
    walk_u32(w, &d->owed);
    walk_bool(w, &d->prepared);
}

static void walk_uart(struct walk *w, struct es1370_uart *u)
{
    walk_bool(w, &u->enabled);
    walk_u8(w, &u->control);
    walk_u8(w, &u->reserved);
    walk_bool(w, &u->sending);
    walk_bool(w, &u->held);
    walk_u8(w, &u->sent);
    walk_u8(w, &u->next);
    walk_u32(w, &u->sent_ticks);
    walk_bool(w, &u->receiving);
    walk_u8(w, &u->received);
    walk_u32(w, &u->received_ticks);
    walk_u8(w, &u->fifo_read);
    walk_u8(w, &u->fifo_write);
}

static void walk_card(struct walk *w, struct es1370 *card, uint32_t *version)
{
    walk_u32(w, version);
    walk_bytes(w, card->pci.config, sizeof(card->pci.config));
    walk_bytes(w, card->codec.reg, sizeof(card->codec.reg));
    walk_u32(w, &card->control);
    walk_u32(w, &card->sctl);
    walk_u32(w, &card->legacy);
    walk_u8(w, &card->mem_page);
    for (unsigned page = 0; page < MEM_PAGES; page++) {
        for (unsigned i = 0; i < 4; i++) {
            walk_u32(w, &card->memory[page][i]);
        }
    }
    for (enum es1370_channel ch = 0; ch < ES1370_CHANNELS; ch++) {
        walk_channel(w, &card->channel[ch]);
    }
    walk_uart(w, &card->uart);
}

size_t es1370_save(const struct es1370 *card, void *buffer, size_t size)
{
    struct walk w = {.bytes = buffer, .size = size};
    struct es1370 copy = *card;
    uint32_t version = STATE_VERSION;

    walk_card(&w, &copy, &version);
    return w.used;
}

static bool same_pci_device(const struct pci_function *a, const struct pci_function *b)
{
    for (unsigned i = 0; i < PCI_CONFIG_BYTES; i++) {
        if ((a->config[i] ^ b->config[i]) & ~a->writable[i]) {
            return false;
        }
    }
    return true;
}

/* What is always so of a channel, and what the others rely on. */
static bool channel_is_sound(const struct es1370 *card, enum es1370_channel ch)
{
    const struct es1370_dma *d = &card->channel[ch];
    const struct es1370_channel_bits *bits = &es1370_channel_bits[ch];
    struct pcm_format format = es1370_format(card, ch);
    bool interrupts = card->sctl & bits->sctl_interrupt;

    return d->frame_address % 4 == 0 && d->count <= d->size && d->longword_used < 4 &&
           d->longword_used % pcm_frame_bytes(&format) == 0 &&
           d->phase < es1370_frame_ticks(card->control, ch) &&
           (!d->running || card->control & bits->control_enable) && (!d->pending || interrupts) &&
           d->owed <= ES1370_MAX_OWED && (d->owed == 0 || d->pending || !interrupts);
}

static const char *complaint(const struct es1370 *loaded)
{
    static const char impossible[] =
        "the saved sound card is in a state that an ES1370 cannot be in";

    if (loaded->sctl & ~ES1370_SCTL_BITS || loaded->mem_page >= MEM_PAGES) {
        return "the saved sound card has registers that an ES1370 has not";
    }
    for (enum es1370_channel ch = 0; ch < ES1370_CHANNELS; ch++) {
        if (!channel_is_sound(loaded, ch)) {
            return impossible;
        }
    }
    return es1370_uart_is_sound(loaded) ? NULL : impossible;
}

static void take_over(struct es1370 *card, struct es1370 *loaded)
{
    uint8_t config[PCI_CONFIG_BYTES];
    bool listened = card->uart.enabled;

    for (enum es1370_channel ch = 0; ch < ES1370_CHANNELS; ch++) {
        if (card->channel[ch].streaming) {
            card->host.stop(card->host.opaque, ch);
        }
        loaded->channel[ch].streaming = false;
        loaded->channel[ch].told = (struct pcm_format){.rate = 0};
    }
    memcpy(config, loaded->pci.config, sizeof(config));
    loaded->pci = card->pci;
    *card = *loaded;

    pci_config_restore(&card->pci, config);
    if (card->host.mixer_changed) {
        card->host.mixer_changed(card->host.opaque);
    }
    if (card->uart.enabled != listened && card->host.midi_listen) {
        card->host.midi_listen(card->host.opaque, card->uart.enabled);
    }
    es1370_update_irq(card);
    for (enum es1370_channel ch = 0; ch < ES1370_CHANNELS; ch++) {
        es1370_update_stream(card, ch);
    }
}

const char *es1370_load(struct es1370 *card, const void *buffer, size_t size)
{
    /* The walk only reads when it loads. */
    struct walk w = {.bytes = (uint8_t *)(uintptr_t)buffer, .size = size, .loading = true};
    struct es1370 loaded = *card;
    uint32_t version = 0;
    const char *why;

    walk_card(&w, &loaded, &version);
    if (size >= sizeof(version) && version != STATE_VERSION) {
        return "the saved sound card is of another version: restore it with the one that saved it";
    }
    if (w.used != size || w.not_boolean) {
        return "the saved sound card has the wrong form";
    }
    if (!same_pci_device(&card->pci, &loaded.pci)) {
        return "what was saved is another sound card";
    }
    why = complaint(&loaded);
    if (why) {
        return why;
    }
    take_over(card, &loaded);
    return NULL;
}
