/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The ES1370's UART: a MIDI line out and one in, at 31250 baud.
 *
 * Out: a byte written to UART_DATA is held until the one before it has left
 * the shift register. In: each byte that has come off the line goes into a FIFO
 * of eight, which are the longwords of pages Eh and Fh, and UART_DATA is the
 * oldest of them.
 *
 * Source: the register block and the two pages are those of the ES1371
 * specification; its bits are laid out as in Motorola's MC6850, which the
 * interrupts (levels, not events) and the one byte held for the transmitter
 * follow. Every driver fits: Linux and Linux OSS read and write until the ready
 * bits are clear, NetBSD and OpenBSD look at the interrupt bits first.
 */
#include "hw/es1370_private.h"

#include <string.h>

enum {
    STATUS_RX_INT = 0x80,
    STATUS_TX_INT = 0x04,
    STATUS_TX_READY = 0x02,
    STATUS_RX_READY = 0x01,

    CONTROL_RX_INT_EN = 0x80,
    CONTROL_TX_INT = 0x60,
    CONTROL_TX_INT_EN = 0x20, /* of CONTROL_TX_INT's values the one that interrupts */
    CONTROL_COMMAND = 0x03,
    COMMAND_RESET = 0x03,

    PAGE_FIFO = 0xe,    /* and the next */
    FIFO_VALID = 0x100, /* in a longword of the FIFO: bits 7:0 are a byte not read yet */
    FIFO_PER_PAGE = 4,
    FIFO_BYTES = 8,

    /* Start bit, eight bits, stop bit: 320 us, rounded. */
    BYTE_TICKS = (ES1370_HZ + 3125 / 2) / 3125,
};

static uint32_t *fifo(struct es1370 *card, unsigned place)
{
    return &card->memory[PAGE_FIFO + place / FIFO_PER_PAGE][place % FIFO_PER_PAGE];
}

static uint32_t fifo_peek(const struct es1370 *card, unsigned place)
{
    return card->memory[PAGE_FIFO + place / FIFO_PER_PAGE][place % FIFO_PER_PAGE];
}

static bool receiver_ready(const struct es1370 *card)
{
    return fifo_peek(card, card->uart.fifo_read) & FIFO_VALID;
}

static bool receive_interrupt(const struct es1370 *card)
{
    return card->uart.enabled && card->uart.control & CONTROL_RX_INT_EN && receiver_ready(card);
}

static bool transmit_interrupt_enabled(const struct es1370_uart *u)
{
    return u->enabled && (u->control & CONTROL_TX_INT) == CONTROL_TX_INT_EN;
}

static bool transmit_interrupt(const struct es1370 *card)
{
    return transmit_interrupt_enabled(&card->uart) && !card->uart.held;
}

bool es1370_uart_interrupt(const struct es1370 *card)
{
    return receive_interrupt(card) || transmit_interrupt(card);
}

/* Nothing on either line, nothing received. */
static void empty(struct es1370 *card)
{
    card->uart.held = false;
    card->uart.sending = false;
    card->uart.receiving = false;
    card->uart.fifo_read = 0;
    card->uart.fifo_write = 0;
    for (unsigned place = 0; place < FIFO_BYTES; place++) {
        *fifo(card, place) &= ~(uint32_t)FIFO_VALID;
    }
}

static void listen(struct es1370 *card, bool on)
{
    card->uart.enabled = on;
    if (card->host.midi_listen) {
        card->host.midi_listen(card->host.opaque, on);
    }
}

static void send(struct es1370 *card, uint8_t byte)
{
    if (card->host.midi_out) {
        card->host.midi_out(card->host.opaque, byte);
    }
}

void es1370_uart_reset(struct es1370 *card)
{
    if (card->uart.enabled) {
        listen(card, false);
    }
    memset(&card->uart, 0, sizeof(card->uart));
    empty(card);
}

void es1370_uart_enable(struct es1370 *card, bool on)
{
    struct es1370_uart *u = &card->uart;

    if (on == u->enabled) {
        return;
    }
    /* Linux's OSS driver closes as soon as it has written the last byte, which may end a note. */
    if (u->sending) {
        send(card, u->sent);
    }
    if (u->held) {
        send(card, u->next);
    }
    empty(card);
    listen(card, on);
}

uint32_t es1370_uart_read(const struct es1370 *card)
{
    const struct es1370_uart *u = &card->uart;
    uint32_t status = (receive_interrupt(card) ? STATUS_RX_INT : 0u) |
                      (transmit_interrupt(card) ? STATUS_TX_INT : 0u) |
                      (!u->held ? STATUS_TX_READY : 0u) |
                      (receiver_ready(card) ? STATUS_RX_READY : 0u);

    return (fifo_peek(card, u->fifo_read) & 0xff) | status << 8 | (uint32_t)u->reserved << 16;
}

void es1370_uart_take(struct es1370 *card)
{
    struct es1370_uart *u = &card->uart;

    /* Linux reads 32 times before it listens, whatever there is. */
    if (receiver_ready(card)) {
        *fifo(card, u->fifo_read) &= ~(uint32_t)FIFO_VALID;
        u->fifo_read = (uint8_t)((u->fifo_read + 1) % FIFO_BYTES);
    }
}

static void transmit(struct es1370_uart *u, uint8_t byte)
{
    if (!u->enabled) {
        return;
    }
    if (!u->sending) {
        u->sending = true;
        u->sent = byte;
        u->sent_ticks = 0;
    } else {
        u->held = true;
        u->next = byte; /* instead of one that was held already */
    }
}

void es1370_uart_write(struct es1370 *card, uint32_t value, uint32_t lanes)
{
    struct es1370_uart *u = &card->uart;

    if (lanes & 0x0000ff) {
        transmit(u, (uint8_t)value);
    }
    if (lanes & 0x00ff00) {
        u->control = (uint8_t)(value >> 8);
        if ((u->control & CONTROL_COMMAND) == COMMAND_RESET) {
            empty(card);
        }
    }
    if (lanes & 0xff0000) {
        u->reserved = (uint8_t)(value >> 16);
    }
}

static void advance_transmitter(struct es1370 *card, uint64_t ticks)
{
    struct es1370_uart *u = &card->uart;

    while (u->sending) {
        uint32_t left = BYTE_TICKS - u->sent_ticks;

        if (ticks < left) {
            u->sent_ticks += (uint32_t)ticks;
            return;
        }
        ticks -= left;
        send(card, u->sent);
        u->sent = u->next;
        u->sent_ticks = 0;
        u->sending = u->held;
        u->held = false;
    }
}

/* No place for a byte. The guest can write to the FIFO as well: where it has made it empty for the
 * reader, it is empty. */
static bool fifo_is_full(struct es1370 *card)
{
    struct es1370_uart *u = &card->uart;

    if (!receiver_ready(card)) {
        u->fifo_write = u->fifo_read;
    }
    return fifo_peek(card, u->fifo_write) & FIFO_VALID;
}

static void receive(struct es1370 *card, uint8_t byte)
{
    struct es1370_uart *u = &card->uart;

    if (!fifo_is_full(card)) { /* an overrun otherwise: the byte is lost */
        *fifo(card, u->fifo_write) = FIFO_VALID | byte;
        u->fifo_write = (uint8_t)((u->fifo_write + 1) % FIFO_BYTES);
    }
}

/*
 * A byte begins to come in, if there is one. Where a guest has asked for
 * interrupts and the FIFO is full it is not deaf but late, as no real computer
 * would be, and the line waits for it; where it has not, bytes are lost.
 */
static bool begin_to_receive(struct es1370 *card)
{
    struct es1370_uart *u = &card->uart;
    bool waits = u->control & CONTROL_RX_INT_EN && fifo_is_full(card);

    u->received_ticks = 0;
    u->receiving =
        !waits && card->host.midi_in && card->host.midi_in(card->host.opaque, &u->received);
    return u->receiving;
}

static void advance_receiver(struct es1370 *card, uint64_t ticks)
{
    struct es1370_uart *u = &card->uart;

    /* A byte for a line that was idle has come just now; one for a line that was not followed
     * the one before it. */
    if (!u->receiving) {
        begin_to_receive(card);
        return;
    }
    do {
        uint32_t left = BYTE_TICKS - u->received_ticks;

        if (ticks < left) {
            u->received_ticks += (uint32_t)ticks;
            return;
        }
        ticks -= left;
        receive(card, u->received);
    } while (begin_to_receive(card));
}

void es1370_uart_advance(struct es1370 *card, uint64_t ticks)
{
    if (card->uart.enabled) {
        advance_transmitter(card, ticks);
        advance_receiver(card, ticks);
    }
}

uint64_t es1370_midi_due(const struct es1370 *card)
{
    const struct es1370_uart *u = &card->uart;
    uint64_t sent = u->sending ? BYTE_TICKS - u->sent_ticks : UINT64_MAX;
    uint64_t received = u->receiving ? BYTE_TICKS - u->received_ticks : UINT64_MAX;

    return sent < received ? sent : received;
}

uint64_t es1370_uart_next_event(const struct es1370 *card)
{
    const struct es1370_uart *u = &card->uart;
    uint64_t next = UINT64_MAX;

    if (es1370_uart_interrupt(card)) {
        return UINT64_MAX;
    }
    if (u->held && transmit_interrupt_enabled(u)) {
        next = BYTE_TICKS - u->sent_ticks;
    }
    if (u->receiving && u->control & CONTROL_RX_INT_EN && BYTE_TICKS - u->received_ticks < next) {
        next = BYTE_TICKS - u->received_ticks;
    }
    return next;
}

bool es1370_uart_is_sound(const struct es1370 *card)
{
    const struct es1370_uart *u = &card->uart;
    bool enabled = card->control & ES1370_CONTROL_UART_EN;

    return u->enabled == enabled && u->sent_ticks < BYTE_TICKS && u->received_ticks < BYTE_TICKS &&
           u->fifo_read < FIFO_BYTES && u->fifo_write < FIFO_BYTES && (!u->held || u->sending) &&
           (u->enabled || !(u->sending || u->receiving));
}
