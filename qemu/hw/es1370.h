/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Ensoniq AudioPCI ES1370: a PCI sound card with two playback channels (DAC1,
 * DAC2), one for capture (ADC), a UART and, behind a serial line, an AK4531
 * mixer.
 *
 * A pure state machine: it knows neither clock nor threads nor the host. Its
 * owner says how much time has passed (es1370_advance) and lends it the
 * services of struct es1370_host; every sample moves in es1370_advance, so
 * whoever wants an exact position advances the card first and reads then.
 * Interrupts begin there too; only one that is owed (see struct es1370_dma)
 * comes with the write that acknowledges the one before it.
 *
 * Source: no data sheet of the ES1370 is public. The registers are those of
 * the AudioPCI 97 ES1371 Specification 1.1 where the two chips agree, and what
 * the drivers of Linux, the BSDs, Haiku, illumos and MINIX agree on elsewhere.
 *
 * All functions: one thread at a time, realtime (no allocation, no waiting).
 */
#ifndef HW_ES1370_H
#define HW_ES1370_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/pcm.h"
#include "hw/ak4531.h"
#include "hw/pci.h"

/*
 * The unit of device time: 1/112896000 s, a fifth of a period of the chip's
 * 22.5792 MHz crystal. Every rate the card can run at is a whole number of
 * them a frame: 44100 Hz is 2560, PCLKDIV n is 80 * (n + 2), and 48000 Hz,
 * which the crystal itself cannot make, is 2352.
 */
#define ES1370_HZ UINT64_C(112896000)

enum { ES1370_IO_BYTES = 64 };

enum es1370_channel { ES1370_DAC1, ES1370_DAC2, ES1370_ADC, ES1370_CHANNELS };

/* What the card needs from its surroundings. Called from within the card's functions; none may
 * call back into the card, but for es1370_format. */
struct es1370_host {
    void *opaque;

    /* Bus mastering: bytes from and to guest-physical memory. False where there is none; what
     * was to be read is then zeros. len is at most 256. */
    bool (*dma_read)(void *opaque, uint64_t address, void *data, size_t len);
    bool (*dma_write)(void *opaque, uint64_t address, const void *data, size_t len);

    /* INTA#; told only of changes. */
    void (*set_irq)(void *opaque, bool asserted);

    /* A channel will soon start with this format (the driver has set it up): a host can open its
     * sink ahead of the first frame. May be told often, and in vain. */
    void (*prepare)(void *opaque, enum es1370_channel ch, const struct pcm_format *format);
    /* The channel moves frames from now on, in this format; told again where the format changes
     * while it does. */
    void (*start)(void *opaque, enum es1370_channel ch, const struct pcm_format *format);
    /* It moves none until the next start: disabled, paused, or at its end in stop mode. */
    void (*stop)(void *opaque, enum es1370_channel ch);
    /* Frames that a DAC has fetched, as the guest laid them down, or that the ADC wants. At
     * most 256 bytes; the frame size is that of the last start. */
    void (*playback)(void *opaque, enum es1370_channel ch, const void *data, uint32_t frames);
    void (*capture)(void *opaque, void *data, uint32_t frames);
    /* The mixer has been written: es1370.codec has what is new. May be NULL. */
    void (*mixer_changed)(void *opaque);

    /* MIDI; each may be NULL. A byte has left the UART; the next byte for it, or false: none
     * now; and whether the guest listens. While it does not, what comes is for nobody. */
    void (*midi_out)(void *opaque, uint8_t byte);
    bool (*midi_in)(void *opaque, uint8_t *byte);
    void (*midi_listen)(void *opaque, bool on);
};

struct es1370_dma {
    uint32_t frame_address; /* guest-physical, of the buffer's first longword */
    uint16_t size;          /* longwords in the buffer, less one */
    uint16_t count;         /* longwords moved in this pass; never above size */
    uint16_t sample_count;  /* frames an interrupt, less one (SAMP_CT) */
    uint16_t samples_left;  /* CURR_SAMP_CT */
    uint8_t longword[4];    /* the one being played */
    uint8_t longword_used;  /* bytes of it that are played (DACs) or of the one at count that are
                             * filled (ADC); 0: at a longword's boundary */
    bool running;           /* enabled, and not ended by LOOP_SEL's stop mode */
    uint64_t phase;         /* device time since the last frame, below one frame's time */

    bool pending;       /* its interrupt is signalled in STATUS */
    bool acknowledging; /* INT_EN is 0 to acknowledge one; no period has ended since */
    uint32_t owed;      /* period ends to be signalled once the one pending is acknowledged */

    /* Of a guest that does not keep up, since the reset. */
    uint64_t late;   /* period ends that found the one before them not yet acknowledged */
    uint64_t merged; /* period ends never to be signalled: too many were owed */

    /* What the host knows. */
    bool streaming;         /* started */
    bool prepared;          /* set up by the guest's driver, to be started soon */
    struct pcm_format told; /* the format last told */
};

/* What has been received is in pages Eh and Fh of the window. */
struct es1370_uart {
    bool enabled;     /* CONTROL's UART_EN, as the host knows it */
    uint8_t control;  /* 09h, as written */
    uint8_t reserved; /* 0Ah: stored; test mode has no other effect */

    bool sending;        /* sent is on the line, */
    bool held;           /* and next waits for it to leave */
    uint8_t sent, next;  /* bytes */
    uint32_t sent_ticks; /* device time since sent began, below a byte's */

    bool receiving; /* received is on the line */
    uint8_t received;
    uint32_t received_ticks; /* device time since it began, below a byte's */

    uint8_t fifo_read, fifo_write; /* 0..7: where the next byte is taken from, and put */
};

struct es1370 {
    struct pci_function pci;
    struct es1370_host host;
    struct ak4531 codec;

    uint32_t control;       /* 00h */
    uint32_t sctl;          /* 20h */
    uint32_t legacy;        /* 18h */
    uint8_t mem_page;       /* 0Ch, bits 3:0 */
    uint32_t memory[16][4]; /* the window's longwords, all but the channels' own */
    struct es1370_dma channel[ES1370_CHANNELS];
    struct es1370_uart uart;
    bool irq;
};

/* To power-on state. host is copied, and told nothing. */
void es1370_init(struct es1370 *card, const struct es1370_host *host);

/* PCI reset: registers and configuration as at power on, interrupt released, streams stopped. */
void es1370_reset(struct es1370 *card);

/* A guest's access to the I/O BAR. offset 0..63, bytes 1, 2 or 4; whatever else a guest may ask
 * reads as all ones and is not written. A read of UART_DATA takes the byte that it returns. */
uint32_t es1370_read(struct es1370 *card, unsigned offset, unsigned bytes);
void es1370_write(struct es1370 *card, unsigned offset, unsigned bytes, uint32_t value);

/* Lets time pass, in units of 1/ES1370_HZ: moves every frame that falls into it and signals the
 * interrupts that are due. Work is proportional to ticks: the caller bounds them. */
void es1370_advance(struct es1370 *card, uint64_t ticks);

/* Ticks from now until the next interrupt that the guest would see, or UINT64_MAX if none is to
 * come as things stand (a channel whose interrupt is pending has none until that is acknowledged,
 * and a guest's write can change everything: ask again after each). */
uint64_t es1370_next_event(const struct es1370 *card);

/* Ticks from now until a byte on one of the MIDI lines is through, at which the card has to be
 * advanced though no interrupt may come of it, or UINT64_MAX while both are idle. An idle one takes
 * up a byte that has come for it at the next advance. */
uint64_t es1370_midi_due(const struct es1370 *card);

/* The format a channel runs at, as the registers stand (whether it runs or not). The rate is the
 * nearest whole number: DAC1's 5512.5 Hz are 5513. */
struct pcm_format es1370_format(const struct es1370 *card, enum es1370_channel ch);

/* The time of one frame at that rate, exactly, in units of 1/ES1370_HZ. */
uint32_t es1370_frame_time(const struct es1370 *card, enum es1370_channel ch);

#endif
