/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "fakes/es1370_machine.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LARGEST_PIECE = 256 };

const struct machine_channel machine_channels[ES1370_CHANNELS] = {
    [ES1370_DAC1] = {DAC1_EN, P1_INT_EN, P1_PAUSE, P1_LOOP_SEL, STAT_DAC1, 0, DAC1_COUNT, 0xc,
                     DAC1_FRAME, DAC1_SIZE},
    [ES1370_DAC2] = {DAC2_EN, P2_INT_EN, P2_PAUSE, P2_LOOP_SEL, STAT_DAC2, 2, DAC2_COUNT, 0xc,
                     DAC2_FRAME, DAC2_SIZE},
    [ES1370_ADC] = {ADC_EN, R1_INT_EN, 0, R1_LOOP_SEL, STAT_ADC, 4, ADC_COUNT, 0xd, ADC_FRAME,
                    ADC_SIZE},
};

static void promise(bool kept, const char *what)
{
    if (!kept) {
        fprintf(stderr, "the card has broken a promise: %s\n", what);
        abort();
    }
}

uint8_t machine_noise(size_t i)
{
    return (uint8_t)((uint32_t)i * 2654435761u >> 24);
}

static bool in_buffer(const struct machine *m, enum es1370_channel ch, uint32_t address, size_t len)
{
    const struct es1370_dma *d = &m->card.channel[ch];
    uint64_t bytes = (d->size + UINT64_C(1)) * 4;

    return address - d->frame_address < bytes && address - d->frame_address + len <= bytes;
}

/* The memory of an access, or NULL where there is none. */
static uint8_t *ram_at(struct machine *m, uint64_t address, size_t len)
{
    uint32_t offset = (uint32_t)address - m->ram_base;

    promise(len >= 1 && len <= LARGEST_PIECE, "DMA of 1 to 256 bytes");
    promise(address + len <= UINT64_C(1) << 32, "DMA below 4 GiB");
    promise(pci_command(&m->card.pci) & PCI_COMMAND_MASTER, "DMA as bus master only");
    m->dma_accesses++;
    return offset <= MACHINE_RAM_BYTES - len ? m->ram + offset : NULL;
}

static bool dma_read(void *opaque, uint64_t address, void *data, size_t len)
{
    struct machine *m = opaque;
    uint8_t *ram = ram_at(m, address, len);

    promise(in_buffer(m, ES1370_DAC1, (uint32_t)address, len) ||
                in_buffer(m, ES1370_DAC2, (uint32_t)address, len),
            "playback reads from a DAC's buffer");
    if (!ram) {
        return false;
    }
    memcpy(data, ram, len);
    return true;
}

static bool dma_write(void *opaque, uint64_t address, const void *data, size_t len)
{
    struct machine *m = opaque;
    uint8_t *ram = ram_at(m, address, len);

    promise(in_buffer(m, ES1370_ADC, (uint32_t)address, len), "capture writes to its buffer");
    if (!ram) {
        return false;
    }
    memcpy(ram, data, len);
    return true;
}

static void set_irq(void *opaque, bool asserted)
{
    struct machine *m = opaque;

    promise(asserted != m->irq, "the interrupt is told when it changes");
    m->irq = asserted;
    m->irqs += asserted;
}

static void prepare(void *opaque, enum es1370_channel ch, const struct pcm_format *format)
{
    struct machine_stream *s = &((struct machine *)opaque)->stream[ch];

    promise(!s->running, "prepare comes before start");
    s->prepared = *format;
    s->prepares++;
}

static void start(void *opaque, enum es1370_channel ch, const struct pcm_format *format)
{
    struct machine_stream *s = &((struct machine *)opaque)->stream[ch];

    promise(!s->running || !pcm_format_equal(format, &s->format),
            "a running stream is started again for a new format only");
    s->running = true;
    s->format = *format;
    s->starts++;
}

static void stop(void *opaque, enum es1370_channel ch)
{
    struct machine_stream *s = &((struct machine *)opaque)->stream[ch];

    promise(s->running, "only what was started is stopped");
    s->running = false;
    s->stops++;
}

static void playback(void *opaque, enum es1370_channel ch, const void *data, uint32_t frames)
{
    struct machine_stream *s = &((struct machine *)opaque)->stream[ch];
    size_t bytes = (size_t)frames * pcm_frame_bytes(&s->format);

    promise(ch != ES1370_ADC && s->running, "frames come from a started DAC");
    promise(bytes >= 1 && bytes <= LARGEST_PIECE, "pieces of 1 to 256 bytes");
    if (s->bytes + bytes <= MACHINE_SOUND_BYTES) {
        memcpy(s->sound + s->bytes, data, bytes);
    }
    s->bytes += bytes;
}

static void capture(void *opaque, void *data, uint32_t frames)
{
    struct machine_stream *s = &((struct machine *)opaque)->stream[ES1370_ADC];
    size_t bytes = (size_t)frames * pcm_frame_bytes(&s->format);

    promise(s->running, "a started ADC records");
    promise(bytes >= 1 && bytes <= LARGEST_PIECE, "pieces of 1 to 256 bytes");
    for (size_t i = 0; i < bytes; i++) {
        ((uint8_t *)data)[i] = machine_noise(s->bytes++);
    }
}

static void mixer_changed(void *opaque)
{
    ((struct machine *)opaque)->mixer_changes++;
}

static void midi_out(void *opaque, uint8_t byte)
{
    struct machine_midi *midi = &((struct machine *)opaque)->midi;

    promise(midi->listened_to, "MIDI comes from an enabled UART");
    if (midi->sent < MACHINE_MIDI_BYTES) {
        midi->out[midi->sent] = byte;
    }
    midi->sent++;
}

static bool midi_in(void *opaque, uint8_t *byte)
{
    struct machine_midi *midi = &((struct machine *)opaque)->midi;

    promise(midi->listened_to, "an enabled UART takes MIDI");
    if (midi->taken == midi->waiting) {
        return false;
    }
    *byte = midi->in[midi->taken++];
    return true;
}

static void midi_listen(void *opaque, bool on)
{
    struct machine_midi *midi = &((struct machine *)opaque)->midi;

    promise(on != midi->listened_to, "MIDI is told when the UART is enabled or disabled");
    midi->listened_to = on;
}

void machine_power_on(struct machine *m)
{
    const struct es1370_host host = {
        .opaque = m,
        .dma_read = dma_read,
        .dma_write = dma_write,
        .set_irq = set_irq,
        .prepare = prepare,
        .start = start,
        .stop = stop,
        .playback = playback,
        .capture = capture,
        .mixer_changed = mixer_changed,
        .midi_out = midi_out,
        .midi_in = midi_in,
        .midi_listen = midi_listen,
    };

    memset(m, 0, sizeof(*m));
    m->ram_base = MACHINE_RAM;
    for (size_t i = 0; i < MACHINE_RAM_BYTES; i++) {
        m->ram[i] = machine_noise(i);
    }
    es1370_init(&m->card, &host);
    pci_config_write(&m->card.pci, PCI_BAR0, 4, MACHINE_PORT);
    pci_config_write(&m->card.pci, PCI_COMMAND, 2, PCI_COMMAND_IO | PCI_COMMAND_MASTER);
}

static void check(struct machine *m)
{
    uint8_t uart = inb(m, UART_STATUS);
    uint32_t pending = uart & (RXINT | TXINT) ? STAT_UART : 0;

    promise(m->midi.listened_to == !!(inl(m, CONTROL) & UART_EN), "UART_EN is what MIDI knows");
    promise(!(uart & RXINT) || uart & RXRDY, "the receive interrupt comes with a byte");
    promise(!(uart & TXINT) || uart & TXRDY, "the transmit interrupt comes with room for a byte");
    promise(!(uart & (RXINT | TXINT)) || inl(m, CONTROL) & UART_EN, "a disabled UART is silent");
    for (unsigned ch = 0; ch < ES1370_CHANNELS; ch++) {
        const struct es1370_dma *d = &m->card.channel[ch];
        bool interrupts = m->card.sctl & machine_channels[ch].interrupt;

        promise(d->count <= d->size, "the position lies within the buffer");
        promise(d->longword_used < 4, "a longword has four bytes");
        promise(d->phase < 80 * 8193, "less than a frame's time is left over");
        promise(!d->pending || interrupts, "no interrupt is pending that is not enabled");
        promise(d->owed == 0 || d->pending || !interrupts, "what is owed is signalled");
        promise(d->owed <= 32, "not more is owed than a guest can stand");
        pending |= d->pending ? machine_channels[ch].status : 0;
    }
    promise(inl(m, STATUS) == (STAT_IDLE | pending | (pending ? STAT_INTR : 0)),
            "STATUS shows what is pending");
    promise(m->irq == (pending != 0), "the line is STATUS bit 31");
}

void machine_run(struct machine *m, uint64_t ticks)
{
    es1370_advance(&m->card, ticks);
    check(m);
}

void machine_prepare(struct machine *m, enum es1370_channel ch, uint32_t address, uint32_t bytes,
                     unsigned mode, uint32_t period_frames)
{
    const struct machine_channel *c = &machine_channels[ch];

    outl(m, MEM_PAGE, c->page);
    outl(m, c->frame, address);
    outl(m, c->size, bytes / 4 - 1);
    outl(m, SCTL, (inl(m, SCTL) & ~(3u << c->mode_shift)) | mode << c->mode_shift | c->interrupt);
    outl(m, c->count, period_frames - 1);
}

void machine_enable(struct machine *m, enum es1370_channel ch, bool on)
{
    uint32_t control = inl(m, CONTROL) & ~machine_channels[ch].enable;

    outl(m, CONTROL, control | (on ? machine_channels[ch].enable : 0));
}

void machine_acknowledge(struct machine *m, enum es1370_channel ch)
{
    uint32_t sctl = inl(m, SCTL);

    outl(m, SCTL, sctl & ~machine_channels[ch].interrupt);
    outl(m, SCTL, sctl | machine_channels[ch].interrupt);
}

uint32_t machine_position(struct machine *m, enum es1370_channel ch)
{
    outl(m, MEM_PAGE, machine_channels[ch].page);
    return inl(m, machine_channels[ch].size) >> 16;
}

bool machine_has_played(const struct machine *m, enum es1370_channel ch, uint32_t address,
                        uint32_t buffer_bytes, size_t bytes)
{
    const struct machine_stream *s = &m->stream[ch];

    if (s->bytes != bytes || bytes > MACHINE_SOUND_BYTES) {
        return false;
    }
    for (size_t i = 0; i < bytes; i++) {
        if (s->sound[i] != m->ram[address - m->ram_base + i % buffer_bytes]) {
            return false;
        }
    }
    return true;
}
