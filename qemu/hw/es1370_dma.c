/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What time does to the ES1370's channels: frames move between the guest's
 * memory and the host, and interrupts fall due.
 *
 * A channel moves one frame each es1370_frame_ticks, at the end of that time:
 * N frames after N of them. Its buffer is size + 1 longwords at frame_address,
 * and count the next to be moved; a longword of a DAC counts as moved when its
 * first sample is fetched, one of the ADC when its last sample is in memory:
 * what the guest is told has happened always has.
 */
#include "hw/es1370_private.h"

#include <string.h>

#define CONTROL_M_CB 0x00000200u

/* No piece of sound is larger, in memory or on its way to the host. */
enum { BURST_BYTES = 256 };

static uint32_t least(uint32_t a, uint32_t b)
{
    return a < b ? a : b;
}

/* How many bytes at address, of which used in the first longword are through, lie in one piece:
 * to the buffer's end, or to 4 GiB, where the chip's addresses begin again at 0. */
static uint32_t contiguous(const struct es1370_dma *d, uint32_t address, uint32_t used)
{
    uint32_t to_end = (uint32_t)(d->size - d->count + 1) * 4 - used;
    uint32_t to_top = 0 - address; /* 0 stands for all 4 GiB */

    return to_top != 0 ? least(to_end, to_top) : to_end;
}

static void move_count(struct es1370_dma *d, uint32_t longwords)
{
    uint32_t count = d->count + longwords;

    d->count = count > d->size ? 0 : (uint16_t)count;
}

static void make_silent(const struct es1370 *card, enum es1370_channel ch, uint8_t *data,
                        uint32_t bytes)
{
    memset(data, es1370_format(card, ch).bits == 8 ? 0x80 : 0, bytes);
}

/* Without bus mastering, or without memory where the guest says it is, a channel runs on and
 * fetches silence, which is the middle of unsigned samples. */
static void fetch(struct es1370 *card, enum es1370_channel ch, uint32_t address, uint8_t *data,
                  uint32_t bytes)
{
    if (!(pci_command(&card->pci) & PCI_COMMAND_MASTER) ||
        !card->host.dma_read(card->host.opaque, address, data, bytes)) {
        make_silent(card, ch, data, bytes);
    }
}

/* Plays at most limit frames that lie in one piece; returns how many. Frames are 1, 2 or 4 bytes:
 * none crosses a longword. */
static uint32_t play_piece(struct es1370 *card, enum es1370_channel ch, uint32_t limit,
                           uint32_t frame_bytes)
{
    struct es1370_dma *d = &card->channel[ch];
    uint8_t data[BURST_BYTES];
    uint32_t bytes;

    if (d->longword_used != 0) {
        bytes = least(limit * frame_bytes, 4u - d->longword_used);
        memcpy(data, d->longword + d->longword_used, bytes);
        d->longword_used = (d->longword_used + bytes) % 4;
    } else {
        uint32_t address = d->frame_address + d->count * 4u;
        uint32_t longwords;

        bytes = least(limit * frame_bytes, contiguous(d, address, 0));
        longwords = (bytes + 3) / 4;
        fetch(card, ch, address, data, longwords * 4);
        memcpy(d->longword, data + (longwords - 1) * 4, 4);
        d->longword_used = bytes % 4;
        move_count(d, longwords);
    }
    card->host.playback(card->host.opaque, ch, data, bytes / frame_bytes);
    return bytes / frame_bytes;
}

/* Records at most limit frames that lie in one piece, all into memory; returns how many. */
static uint32_t record_piece(struct es1370 *card, uint32_t limit, uint32_t frame_bytes)
{
    struct es1370_dma *d = &card->channel[ES1370_ADC];
    uint32_t address = d->frame_address + d->count * 4u + d->longword_used;
    uint32_t bytes = least(limit * frame_bytes, contiguous(d, address, d->longword_used));
    uint8_t data[BURST_BYTES];

    card->host.capture(card->host.opaque, data, bytes / frame_bytes);
    if (card->control & CONTROL_M_CB) {
        make_silent(card, ES1370_ADC, data, bytes); /* what an MPEG decoder says: there is none */
    }
    if (pci_command(&card->pci) & PCI_COMMAND_MASTER) {
        card->host.dma_write(card->host.opaque, address, data, bytes);
    }
    move_count(d, (d->longword_used + bytes) / 4);
    d->longword_used = (d->longword_used + bytes) % 4;
    return bytes / frame_bytes;
}

static void owe(struct es1370_dma *d)
{
    if (d->owed < ES1370_MAX_OWED) {
        d->owed++;
    } else {
        d->merged++;
    }
}

static void end_period(struct es1370 *card, enum es1370_channel ch)
{
    struct es1370_dma *d = &card->channel[ch];

    d->samples_left = d->sample_count;
    if (card->sctl & es1370_channel_bits[ch].sctl_interrupt) {
        if (d->pending) {
            d->late++;
            owe(d);
        }
        d->pending = true;
    } else if (d->acknowledging) {
        /* Between the two writes of an acknowledgement, which are farther apart here than on the
         * chip: the guest wants this one too. But only one: if more follow, it has not
         * acknowledged but turned interrupts off. */
        owe(d);
        d->acknowledging = false;
    } else {
        d->owed = 0;
    }
    if (card->sctl & es1370_channel_bits[ch].sctl_stop) {
        d->running = false; /* until the driver disables and enables it */
    }
}

static void move_frames(struct es1370 *card, enum es1370_channel ch, uint64_t frames)
{
    struct es1370_dma *d = &card->channel[ch];
    struct pcm_format format = es1370_format(card, ch);
    uint32_t frame_bytes = pcm_frame_bytes(&format);

    while (frames > 0 && d->running) {
        uint32_t to_period_end = d->samples_left + 1u;
        uint32_t limit = least(BURST_BYTES / frame_bytes, to_period_end);
        uint32_t moved;

        limit = frames < limit ? (uint32_t)frames : limit;
        moved = ch == ES1370_ADC ? record_piece(card, limit, frame_bytes)
                                 : play_piece(card, ch, limit, frame_bytes);
        frames -= moved;
        if (moved == to_period_end) {
            end_period(card, ch);
        } else {
            d->samples_left = (uint16_t)(d->samples_left - moved);
        }
    }
}

void es1370_advance(struct es1370 *card, uint64_t ticks)
{
    for (enum es1370_channel ch = 0; ch < ES1370_CHANNELS; ch++) {
        struct es1370_dma *d = &card->channel[ch];
        uint32_t per_frame = es1370_frame_ticks(card->control, ch);
        uint64_t frames, phase;

        if (!es1370_is_moving(card, ch)) {
            continue;
        }
        phase = d->phase + ticks % per_frame;
        frames = ticks / per_frame + phase / per_frame;
        d->phase = phase % per_frame;
        move_frames(card, ch, frames);
        es1370_update_stream(card, ch); /* stop mode may have ended it */
    }
    es1370_uart_advance(card, ticks);
    es1370_update_irq(card);
}

uint64_t es1370_next_event(const struct es1370 *card)
{
    uint64_t next = es1370_uart_next_event(card);

    for (enum es1370_channel ch = 0; ch < ES1370_CHANNELS; ch++) {
        const struct es1370_dma *d = &card->channel[ch];

        if (es1370_is_moving(card, ch) && card->sctl & es1370_channel_bits[ch].sctl_interrupt &&
            !d->pending) {
            uint64_t frames = d->samples_left + 1u;
            uint64_t ticks = frames * es1370_frame_ticks(card->control, ch) - d->phase;

            next = ticks < next ? ticks : next;
        }
    }
    return next;
}
