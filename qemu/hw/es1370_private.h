/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the parts of the ES1370 know of each other: es1370.c has the registers,
 * es1370_channel.c the channels' state, es1370_dma.c moves them through time,
 * es1370_uart.c is the MIDI line's end.
 */
#ifndef HW_ES1370_PRIVATE_H
#define HW_ES1370_PRIVATE_H

#include "hw/es1370.h"

/* A guest that is late to acknowledge an interrupt is owed those it has missed: NetBSD's and
 * OpenBSD's drivers know the position only by counting. The bound is on the storm after a
 * guest was stopped; whoever is that many periods late has lost its place anyway. */
enum { ES1370_MAX_OWED = 32 };

#define ES1370_SCTL_BITS       0x003fffffu /* those of SCTL that exist */
#define ES1370_CONTROL_UART_EN 0x00000008u

/* Where a channel has its bits in the shared registers. */
struct es1370_channel_bits {
    uint32_t control_enable;
    uint32_t control_hold; /* these keep an enabled channel from moving */
    uint32_t sctl_hold;
    uint32_t sctl_interrupt;
    uint32_t sctl_stop;
    unsigned sctl_format_shift;
    uint32_t status;
};

extern const struct es1370_channel_bits es1370_channel_bits[ES1370_CHANNELS];

/* CONTROL, SCTL and the channels to power-on state; ends streams and interrupt. */
void es1370_channels_reset(struct es1370 *card);

/* What a driver's writes do. */
void es1370_channels_set_control(struct es1370 *card, uint32_t control);
void es1370_channels_set_sctl(struct es1370 *card, uint32_t sctl);
void es1370_channel_set_sample_count(struct es1370 *card, enum es1370_channel ch, uint16_t frames);
void es1370_channel_set_address(struct es1370 *card, enum es1370_channel ch, uint32_t address);
/* The frame size register: count in bits 31:16, size in 15:0. */
void es1370_channel_set_frame(struct es1370 *card, enum es1370_channel ch, uint32_t frame);

/* The UART to power-on state, before CONTROL is: its interrupt is released with the channels'. */
void es1370_uart_reset(struct es1370 *card);

/* What a driver does to it: CONTROL's UART_EN, the longword at 08h (lanes: the bits written), and
 * that UART_DATA has been read. The interrupt is the caller's to update. */
void es1370_uart_enable(struct es1370 *card, bool on);
uint32_t es1370_uart_read(const struct es1370 *card);
void es1370_uart_write(struct es1370 *card, uint32_t value, uint32_t lanes);
void es1370_uart_take(struct es1370 *card);

/* Its interrupt, its time, and the ticks until the next interrupt (UINT64_MAX: none). */
bool es1370_uart_interrupt(const struct es1370 *card);
void es1370_uart_advance(struct es1370 *card, uint64_t ticks);
uint64_t es1370_uart_next_event(const struct es1370 *card);

/* Whether its state, which may have been loaded, is one that it can be in. */
bool es1370_uart_is_sound(const struct es1370 *card);

/* The STATUS register. */
uint32_t es1370_status(const struct es1370 *card);

/* The device time of one frame, with this value of CONTROL. */
uint32_t es1370_frame_ticks(uint32_t control, enum es1370_channel ch);

/* Running, and neither paused nor held off. */
bool es1370_is_moving(const struct es1370 *card, enum es1370_channel ch);

/* Tell the host of the interrupt, or of a channel's stream, what it does not know yet. */
void es1370_update_irq(struct es1370 *card);
void es1370_update_stream(struct es1370 *card, enum es1370_channel ch);

#endif
