/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The ES1370's registers: PCI configuration and the 64 bytes of I/O. Each is
 * read and written as a longword; a guest's byte or word is merged into it and
 * has the same effect (OSS4, illumos and MINIX depend on that).
 */
#include "hw/es1370.h"

#include <string.h>

#include "hw/es1370_private.h"

enum io_register {
    CONTROL = 0x00,
    STATUS = 0x04,
    UART = 0x08, /* bytes: data, status (read) or control (written), reserved */
    MEM_PAGE = 0x0c,
    CODEC = 0x10,
    LEGACY = 0x18,
    SCTL = 0x20,
    DAC1_COUNT = 0x24,
    DAC2_COUNT = 0x28,
    ADC_COUNT = 0x2c,
    WINDOW = 0x30,
};

enum {
    MEM_PAGES = 16,
    PAGE_DACS = 0xc,
    PAGE_ADC = 0xd,
};

static void power_on(struct es1370 *card)
{
    es1370_uart_reset(card);
    es1370_channels_reset(card);
    ak4531_reset(&card->codec);
    memset(card->memory, 0, sizeof(card->memory));
    card->legacy = 0;
    card->mem_page = 0;
}

void es1370_init(struct es1370 *card, const struct es1370_host *host)
{
    struct pci_function *pci = &card->pci;

    memset(card, 0, sizeof(*card));
    card->host = *host;
    power_on(card);

    pci_set(pci, PCI_VENDOR_ID, 2, 0x1274);
    pci_set(pci, PCI_DEVICE_ID, 2, 0x5000);
    pci_set(pci, PCI_STATUS, 2, 0x0400);  /* slow DEVSEL#, no capabilities */
    pci_set(pci, PCI_CLASS, 2, 0x0100);   /* audio, of class */
    pci_set(pci, PCI_CLASS + 2, 1, 0x04); /* multimedia */
    pci_set(pci, PCI_SUBSYSTEM_VENDOR_ID, 2, 0x4942);
    pci_set(pci, PCI_SUBSYSTEM_ID, 2, 0x4c4c);
    pci_set(pci, PCI_INTERRUPT_PIN, 1, 0x01); /* INTA# */
    pci_set(pci, PCI_MIN_GNT, 1, 0x0c);
    pci_set(pci, PCI_MAX_LAT, 1, 0x80);
    pci_set_writable(pci, PCI_COMMAND, 2, PCI_COMMAND_IO | PCI_COMMAND_MASTER | PCI_COMMAND_SERR);
    pci_set_writable(pci, PCI_LATENCY_TIMER, 1, 0xff);
    pci_set_writable(pci, PCI_INTERRUPT_LINE, 1, 0xff);
    pci_add_bar(pci, 0, true, ES1370_IO_BYTES);
}

void es1370_reset(struct es1370 *card)
{
    power_on(card);
    if (card->host.mixer_changed) {
        card->host.mixer_changed(card->host.opaque);
    }
    pci_reset(&card->pci);
}

/* The channel whose frame registers are the pair that holds longword index of the page that
 * MEM_PAGE shows; ES1370_CHANNELS: none, the longword is plain memory. */
static enum es1370_channel window_channel(const struct es1370 *card, unsigned index)
{
    if (card->mem_page == PAGE_DACS) {
        return index < 2 ? ES1370_DAC1 : ES1370_DAC2;
    }
    return card->mem_page == PAGE_ADC && index < 2 ? ES1370_ADC : ES1370_CHANNELS;
}

static uint32_t window_read(const struct es1370 *card, unsigned index)
{
    enum es1370_channel ch = window_channel(card, index);
    const struct es1370_dma *d;

    if (ch == ES1370_CHANNELS) {
        return card->memory[card->mem_page][index];
    }
    d = &card->channel[ch];
    return index % 2 == 0 ? d->frame_address : (uint32_t)d->count << 16 | d->size;
}

static void window_write(struct es1370 *card, unsigned index, uint32_t value)
{
    enum es1370_channel ch = window_channel(card, index);

    if (ch == ES1370_CHANNELS) {
        card->memory[card->mem_page][index] = value;
    } else if (index % 2 == 0) {
        es1370_channel_set_address(card, ch, value);
    } else {
        es1370_channel_set_frame(card, ch, value);
    }
}

static uint32_t sample_counter(const struct es1370_dma *d)
{
    return (uint32_t)d->samples_left << 16 | d->sample_count;
}

static uint32_t read_longword(const struct es1370 *card, unsigned offset)
{
    switch (offset) {
    case CONTROL:
        return card->control;
    case STATUS:
        return es1370_status(card);
    case UART:
        return es1370_uart_read(card);
    case MEM_PAGE:
        return card->mem_page;
    case LEGACY:
        return card->legacy;
    case SCTL:
        return card->sctl;
    case DAC1_COUNT:
        return sample_counter(&card->channel[ES1370_DAC1]);
    case DAC2_COUNT:
        return sample_counter(&card->channel[ES1370_DAC2]);
    case ADC_COUNT:
        return sample_counter(&card->channel[ES1370_ADC]);
    case WINDOW:
    case WINDOW + 4:
    case WINDOW + 8:
    case WINDOW + 12:
        return window_read(card, (offset - WINDOW) / 4);
    default: /* CODEC, which cannot be read, and what the ES1370 leaves unused */
        return 0;
    }
}

/* value is the whole longword, lanes says which of its bits the guest has written. */
static void write_longword(struct es1370 *card, unsigned offset, uint32_t value, uint32_t lanes)
{
    switch (offset) {
    case CONTROL:
        es1370_channels_set_control(card, value);
        es1370_uart_enable(card, value & ES1370_CONTROL_UART_EN);
        break;
    case UART:
        es1370_uart_write(card, value, lanes);
        break;
    case MEM_PAGE:
        /* OSS4 writes back the whole longword that it has read. */
        card->mem_page = (uint8_t)(value % MEM_PAGES);
        break;
    case CODEC:
        /* A serial frame carries both bytes: half a frame is never sent. */
        if ((lanes & 0xffff) == 0xffff) {
            ak4531_write(&card->codec, (uint8_t)(value >> 8), (uint8_t)value);
            if (card->host.mixer_changed) {
                card->host.mixer_changed(card->host.opaque);
            }
        }
        break;
    case LEGACY:
        card->legacy = value;
        break;
    case SCTL:
        es1370_channels_set_sctl(card, value);
        break;
    case DAC1_COUNT:
        es1370_channel_set_sample_count(card, ES1370_DAC1, (uint16_t)value);
        break;
    case DAC2_COUNT:
        es1370_channel_set_sample_count(card, ES1370_DAC2, (uint16_t)value);
        break;
    case ADC_COUNT:
        es1370_channel_set_sample_count(card, ES1370_ADC, (uint16_t)value);
        break;
    case WINDOW:
    case WINDOW + 4:
    case WINDOW + 8:
    case WINDOW + 12:
        window_write(card, (offset - WINDOW) / 4, value);
        break;
    default: /* STATUS, which cannot be written, and what is unused */
        break;
    }
}

static bool access_is_legal(unsigned offset, unsigned bytes)
{
    return (bytes == 1 || bytes == 2 || bytes == 4) && offset < ES1370_IO_BYTES &&
           offset % 4 + bytes <= 4;
}

uint32_t es1370_read(struct es1370 *card, unsigned offset, unsigned bytes)
{
    uint32_t value;

    if (!access_is_legal(offset, bytes)) {
        return UINT32_MAX;
    }
    value = read_longword(card, offset & ~3u);
    if (offset == UART) {
        es1370_uart_take(card);
        es1370_update_irq(card);
    }
    return value >> (8 * (offset % 4)) & UINT32_MAX >> (32 - 8 * bytes);
}

void es1370_write(struct es1370 *card, unsigned offset, unsigned bytes, uint32_t value)
{
    unsigned shift = 8 * (offset % 4);
    uint32_t lanes;

    if (!access_is_legal(offset, bytes)) {
        return;
    }
    lanes = UINT32_MAX >> (32 - 8 * bytes) << shift;
    offset &= ~3u;
    value = (value << shift & lanes) | (read_longword(card, offset) & ~lanes);
    write_longword(card, offset, value, lanes);
    es1370_update_irq(card);
}
