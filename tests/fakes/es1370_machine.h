/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A computer with an ES1370 and nothing else: memory, an interrupt line, ears.
 * It keeps what the card plays, and ends the test (abort) where the card
 * breaks a promise that es1370.h makes, whatever the test is about.
 */
#ifndef TESTS_FAKES_ES1370_MACHINE_H
#define TESTS_FAKES_ES1370_MACHINE_H

#include "hw/es1370.h"

enum {
    MACHINE_PORT = 0xc000,
    MACHINE_RAM = 0x01000000, /* where memory lies, unless ram_base is changed */
    MACHINE_RAM_BYTES = 1 << 20,
    MACHINE_SOUND_BYTES = 1 << 22,
    MACHINE_MIDI_BYTES = 1 << 16,
};

/* Registers by the names that the drivers share. */
enum {
    CONTROL = 0x00,
    STATUS = 0x04,
    UART_DATA = 0x08,
    UART_STATUS = 0x09,
    UART_RES = 0x0a,
    MEM_PAGE = 0x0c,
    CODEC = 0x10,
    LEGACY = 0x18,
    SCTL = 0x20,
    DAC1_COUNT = 0x24,
    DAC2_COUNT = 0x28,
    ADC_COUNT = 0x2c,
    /* in the window, on page 0xc (DACs) and 0xd (ADC, phantom) */
    DAC1_FRAME = 0x30,
    DAC1_SIZE = 0x34,
    DAC2_FRAME = 0x38,
    DAC2_SIZE = 0x3c,
    ADC_FRAME = 0x30,
    ADC_SIZE = 0x34,
    PHANTOM_FRAME = 0x38,
    PHANTOM_COUNT = 0x3c,
};

#define ADC_STOP   0x80000000u
#define PCLKDIV(n) ((uint32_t)(n) << 16)
#define WTSRSEL(n) ((uint32_t)(n) << 12)
#define M_SBB      0x00004000u
#define DAC_SYNC   0x00000800u
#define M_CB       0x00000200u
#define XCTL0      0x00000100u
#define DAC1_EN    0x00000040u
#define DAC2_EN    0x00000020u
#define ADC_EN     0x00000010u
#define UART_EN    0x00000008u
#define JYSTK_EN   0x00000004u
#define CDC_EN     0x00000002u
#define SERR_DIS   0x00000001u

#define STAT_INTR 0x80000000u
#define STAT_IDLE 0x00000060u
#define STAT_UART 0x00000008u
#define STAT_DAC1 0x00000004u
#define STAT_DAC2 0x00000002u
#define STAT_ADC  0x00000001u

#define P2_END_INC(n) ((uint32_t)(n) << 19)
#define R1_LOOP_SEL   0x00008000u
#define P2_LOOP_SEL   0x00004000u
#define P1_LOOP_SEL   0x00002000u
#define P2_PAUSE      0x00001000u
#define P1_PAUSE      0x00000800u
#define R1_INT_EN     0x00000400u
#define P2_INT_EN     0x00000200u
#define P1_INT_EN     0x00000100u
#define P1_SCT_RLD    0x00000080u
#define R1_MODE(n)    ((uint32_t)(n) << 4)
#define P2_MODE(n)    ((uint32_t)(n) << 2)
#define P1_MODE(n)    ((uint32_t)(n))
/* UART_STATUS, read */
enum { RXINT = 0x80, TXINT = 0x04, TXRDY = 0x02, RXRDY = 0x01 };
/* and written */
enum { RXINTEN = 0x80, TXINTEN = 0x20, UART_RESET = 0x03 };

enum { U8_MONO = 0, U8_STEREO = 1, S16_MONO = 2, S16_STEREO = 3 };

/* The device time of a frame at some rates. */
enum { TICKS_44100 = 2560, TICKS_48000 = 2352 };

struct machine_stream {
    bool running;
    struct pcm_format format;   /* of the last start */
    struct pcm_format prepared; /* of the last prepare */
    unsigned starts, stops, prepares;
    size_t bytes;                       /* played or recorded so far, */
    uint8_t sound[MACHINE_SOUND_BYTES]; /* and what was played */
};

/* What is plugged into the MIDI connector. */
struct machine_midi {
    bool listened_to;
    size_t sent; /* bytes from the card, */
    uint8_t out[MACHINE_MIDI_BYTES];
    size_t waiting, taken; /* bytes for it (put there by the test), and those it has taken */
    uint8_t in[MACHINE_MIDI_BYTES];
};

struct machine {
    struct es1370 card;
    uint32_t ram_base;
    uint8_t ram[MACHINE_RAM_BYTES];
    bool irq;
    unsigned irqs; /* times it went up */
    unsigned mixer_changes;
    unsigned dma_accesses;
    struct machine_stream stream[ES1370_CHANNELS];
    struct machine_midi midi;
};

/* Where each channel has its bits and registers. */
struct machine_channel {
    uint32_t enable, interrupt, pause, stop, status;
    unsigned mode_shift;
    unsigned count, page, frame, size;
};
extern const struct machine_channel machine_channels[ES1370_CHANNELS];

/* Power on, memory full of noise, BAR and command register set as firmware would. */
void machine_power_on(struct machine *m);

/* Lets time pass, and looks whether the card's state is consistent afterwards. */
void machine_run(struct machine *m, uint64_t ticks);

/* What a driver does before it starts a channel: buffer, format (U8_MONO...), period, interrupts
 * on. The rate is CONTROL's. */
void machine_prepare(struct machine *m, enum es1370_channel ch, uint32_t address, uint32_t bytes,
                     unsigned mode, uint32_t period_frames);
void machine_enable(struct machine *m, enum es1370_channel ch, bool on);
void machine_acknowledge(struct machine *m, enum es1370_channel ch);

/* Longwords moved in this pass, as a driver reads it. */
uint32_t machine_position(struct machine *m, enum es1370_channel ch);

/* True if the channel has played exactly bytes so far, those of the buffer at address, again and
 * again from its beginning. */
bool machine_has_played(const struct machine *m, enum es1370_channel ch, uint32_t address,
                        uint32_t buffer_bytes, size_t bytes);

/* Byte i of what memory holds at first, and of what the microphone hears. */
uint8_t machine_noise(size_t i);

/* The guest's port accesses. */
static inline void outb(struct machine *m, unsigned reg, uint8_t value)
{
    es1370_write(&m->card, reg, 1, value);
}

static inline void outw(struct machine *m, unsigned reg, uint16_t value)
{
    es1370_write(&m->card, reg, 2, value);
}

static inline void outl(struct machine *m, unsigned reg, uint32_t value)
{
    es1370_write(&m->card, reg, 4, value);
}

static inline uint8_t inb(struct machine *m, unsigned reg)
{
    return (uint8_t)es1370_read(&m->card, reg, 1);
}

static inline uint16_t inw(struct machine *m, unsigned reg)
{
    return (uint16_t)es1370_read(&m->card, reg, 2);
}

static inline uint32_t inl(struct machine *m, unsigned reg)
{
    return es1370_read(&m->card, reg, 4);
}

#endif
