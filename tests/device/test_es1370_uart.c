/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The UART: MIDI out and in, at the pace of the line; and what guests' drivers
 * do to it, after the sources of Linux (sound/pci/ens1370.c and its old OSS
 * driver), NetBSD and OpenBSD (eap.c).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "fakes/es1370_machine.h"

static struct machine machine;
static struct machine *const m = &machine;

/* 320 us of device time, and 1 us. */
enum { BYTE = 36127, US = 113 };

static int set_up(void **state)
{
    (void)state;
    machine_power_on(m);
    return 0;
}

static void enable(void)
{
    outl(m, CONTROL, inl(m, CONTROL) | UART_EN);
}

static void disable(void)
{
    outl(m, CONTROL, inl(m, CONTROL) & ~UART_EN);
}

/* From the other end of the cable. */
static void say(const char *bytes, size_t count)
{
    memcpy(m->midi.in + m->midi.waiting, bytes, count);
    m->midi.waiting += count;
    machine_run(m, 0);
}

static void assert_heard(const char *bytes, size_t count)
{
    assert_int_equal(m->midi.sent, count);
    assert_memory_equal(m->midi.out, bytes, count);
}

static uint8_t status(void)
{
    return inb(m, UART_STATUS);
}

/* --- the line --- */

static void a_byte_takes_320_us_out(void **state)
{
    (void)state;
    enable();
    assert_true(es1370_midi_due(&m->card) == UINT64_MAX);
    outb(m, UART_DATA, 0x90);
    assert_int_equal(status(), TXRDY); /* the next can be held */
    assert_int_equal(es1370_midi_due(&m->card), BYTE);
    machine_run(m, 1000);
    outb(m, UART_DATA, 0x3c);
    assert_int_equal(status(), 0);
    assert_int_equal(es1370_midi_due(&m->card), BYTE - 1000);
    machine_run(m, BYTE - 1001);
    assert_heard("", 0);
    assert_int_equal(status(), 0);
    machine_run(m, 1);
    assert_heard("\x90", 1);
    assert_int_equal(status(), TXRDY);
    machine_run(m, BYTE - 1);
    assert_heard("\x90", 1);
    machine_run(m, 1);
    assert_heard("\x90\x3c", 2);
    assert_true(es1370_midi_due(&m->card) == UINT64_MAX);
}

static void a_byte_takes_320_us_in(void **state)
{
    (void)state;
    enable();
    machine_run(m, 10 * BYTE); /* an idle line's past does not count */
    say("\x90\x3c", 2);
    assert_int_equal(es1370_midi_due(&m->card), BYTE);
    machine_run(m, BYTE - 1);
    assert_int_equal(status(), TXRDY);
    machine_run(m, 1);
    assert_int_equal(status(), TXRDY | RXRDY);
    assert_int_equal(inb(m, UART_DATA), 0x90);
    assert_int_equal(status(), TXRDY);
    machine_run(m, BYTE - 1);
    assert_int_equal(status(), TXRDY);
    machine_run(m, 1);
    assert_int_equal(inb(m, UART_DATA), 0x3c);
    assert_true(es1370_midi_due(&m->card) == UINT64_MAX);
    assert_false(m->irq); /* nobody has asked */
}

/* Bytes follow each other without a gap, however late the card's owner is. */
static void the_line_keeps_its_pace(void **state)
{
    (void)state;
    enable();
    say("abcdefghij", 10);
    outb(m, UART_DATA, 'x');
    outb(m, UART_DATA, 'y');
    machine_run(m, 2 * BYTE + 5);
    assert_heard("xy", 2);
    machine_run(m, 5 * BYTE - 6);
    for (const char *c = "abcdef"; *c; c++) {
        assert_int_equal(inb(m, UART_DATA), *c);
    }
    assert_int_equal(status(), TXRDY);
    machine_run(m, 1);
    assert_int_equal(inb(m, UART_DATA), 'g');
}

static void a_third_byte_replaces_the_second(void **state)
{
    (void)state;
    enable();
    outb(m, UART_DATA, 'a');
    outb(m, UART_DATA, 'b');
    outb(m, UART_DATA, 'c');
    machine_run(m, 10 * BYTE);
    assert_heard("ac", 2);
}

/* --- interrupts --- */

static void transmit_interrupt(void **state)
{
    (void)state;
    enable();
    assert_true(es1370_next_event(&m->card) == UINT64_MAX);
    outb(m, UART_STATUS, TXINTEN);
    assert_true(m->irq); /* a level: there is room */
    assert_int_equal(status(), TXINT | TXRDY);
    assert_int_equal(inl(m, STATUS), STAT_INTR | STAT_IDLE | STAT_UART);
    outb(m, UART_DATA, 'a');
    assert_true(m->irq);
    outb(m, UART_DATA, 'b');
    assert_false(m->irq);
    assert_int_equal(inl(m, STATUS), STAT_IDLE);
    assert_int_equal(es1370_next_event(&m->card), BYTE);
    machine_run(m, BYTE - 1);
    assert_false(m->irq);
    machine_run(m, 1);
    assert_true(m->irq);
    assert_true(es1370_next_event(&m->card) == UINT64_MAX); /* it is there already */
    outb(m, UART_STATUS, 0);
    assert_false(m->irq);
    for (unsigned other = 0x40; other <= 0x60; other += 0x20) { /* the field's other values */
        outb(m, UART_STATUS, (uint8_t)other);
        assert_false(m->irq);
    }
}

static void receive_interrupt(void **state)
{
    (void)state;
    enable();
    outb(m, UART_STATUS, RXINTEN);
    assert_false(m->irq);
    say("ab", 2);
    assert_int_equal(es1370_next_event(&m->card), BYTE);
    machine_run(m, BYTE - 1);
    assert_false(m->irq);
    machine_run(m, 1);
    assert_true(m->irq);
    assert_int_equal(status(), RXINT | TXRDY | RXRDY);
    assert_int_equal(inl(m, STATUS), STAT_INTR | STAT_IDLE | STAT_UART);
    machine_run(m, BYTE);
    outl(m, STATUS, 0);
    inl(m, UART_DATA);   /* a longword has the byte in it */
    assert_true(m->irq); /* the second's */
    assert_int_equal(inw(m, UART_DATA), (RXINT | TXRDY | RXRDY) << 8 | 'b');
    assert_false(m->irq);
    assert_true(es1370_next_event(&m->card) == UINT64_MAX);
}

static void not_while_disabled(void **state)
{
    (void)state;
    outb(m, UART_STATUS, RXINTEN | TXINTEN);
    assert_false(m->irq);
    assert_int_equal(status(), TXRDY);
    outb(m, UART_DATA, 'a');
    outb(m, UART_DATA, 'b');
    assert_int_equal(status(), TXRDY);
    machine_run(m, 10 * BYTE);
    assert_heard("", 0);
    enable();
    assert_true(m->irq);
    say("abc", 3);
    machine_run(m, 2 * BYTE + 5);
    assert_int_equal(status(), RXINT | TXINT | TXRDY | RXRDY);
    disable();
    assert_false(m->irq);
    assert_int_equal(status(), TXRDY); /* what had been received is gone, */
    enable();
    machine_run(m, 10 * BYTE);
    assert_int_equal(status(), TXINT | TXRDY); /* and so is what was on the line */
}

/* --- too much --- */

static void overrun(void **state)
{
    (void)state;
    enable();
    say("abcdefghijkl", 12);
    machine_run(m, 20 * BYTE);
    assert_int_equal(m->midi.taken, 12);
    for (const char *c = "abcdefgh"; *c; c++) {
        assert_int_equal(status(), TXRDY | RXRDY);
        assert_int_equal(inb(m, UART_DATA), *c);
    }
    assert_int_equal(status(), TXRDY);
    say("m", 1);
    machine_run(m, BYTE);
    assert_int_equal(inb(m, UART_DATA), 'm');
}

/* A guest that has been interrupted and is late, which a virtual machine may be, loses nothing. */
static void late_for_an_interrupt(void **state)
{
    (void)state;
    enable();
    outb(m, UART_STATUS, RXINTEN);
    say("abcdefghijkl", 12);
    machine_run(m, 100 * BYTE);
    assert_true(es1370_midi_due(&m->card) == UINT64_MAX);
    for (const char *c = "abcdefgh"; *c; c++) {
        assert_int_equal(inb(m, UART_DATA), *c);
    }
    assert_int_equal(status(), TXRDY);
    machine_run(m, 0);
    for (const char *c = "ijkl"; *c; c++) {
        machine_run(m, BYTE);
        assert_int_equal(inb(m, UART_DATA), *c);
    }
}

/* --- the FIFO's pages --- */

static uint32_t fifo(unsigned place)
{
    outl(m, MEM_PAGE, 0xe + place / 4);
    return inl(m, 0x30 + 4 * (place % 4));
}

static void the_fifo_is_seen_in_its_pages(void **state)
{
    (void)state;
    enable();
    say("abcdefgh", 8);
    machine_run(m, 8 * BYTE);
    for (unsigned i = 0; i < 8; i++) {
        assert_int_equal(fifo(i), 0x100u | ('a' + i));
    }
    inb(m, UART_DATA);
    assert_int_equal(fifo(0), 'a');
    say("i", 1);
    machine_run(m, BYTE);
    assert_int_equal(fifo(0), 0x100 | 'i');
}

/* What a guest writes there it can read, as a byte received; but not for ever. */
static void a_forged_fifo_comes_to_an_end(void **state)
{
    unsigned reads = 0;

    (void)state;
    enable();
    outb(m, UART_STATUS, RXINTEN);
    for (unsigned page = 0xe; page <= 0xf; page++) {
        outl(m, MEM_PAGE, page);
        for (unsigned reg = 0x30; reg < 0x40; reg += 4) {
            outl(m, reg, 0xffffffff);
        }
    }
    assert_true(m->irq);
    machine_run(m, 0);
    for (; status() & RXRDY; reads++) {
        inb(m, UART_DATA);
    }
    assert_int_equal(reads, 8);
    assert_false(m->irq);
    machine_run(m, 0);
    say("a", 1);
    machine_run(m, BYTE);
    assert_int_equal(inb(m, UART_DATA), 'a');
}

/* MINIX clears all pages when it starts. */
static void a_fifo_can_be_cleared_by_its_pages(void **state)
{
    (void)state;
    enable();
    outb(m, UART_STATUS, RXINTEN);
    say("abc", 3);
    machine_run(m, 3 * BYTE);
    outl(m, MEM_PAGE, 0xe);
    for (unsigned reg = 0x30; reg < 0x40; reg += 4) {
        outl(m, reg, 0);
    }
    assert_false(m->irq);
    say("d", 1);
    machine_run(m, BYTE);
    assert_true(m->irq);
    assert_int_equal(inb(m, UART_DATA), 'd');
}

/* --- reset --- */

static void software_reset(void **state)
{
    (void)state;
    enable();
    say("abc", 3);
    outb(m, UART_DATA, 'x');
    outb(m, UART_DATA, 'y');
    machine_run(m, BYTE + 5);
    assert_heard("x", 1);
    outb(m, UART_STATUS, UART_RESET | RXINTEN);
    assert_int_equal(status(), TXRDY);
    assert_false(m->irq);
    machine_run(m, 0);
    machine_run(m, BYTE);
    assert_heard("x", 1);
    assert_int_equal(status(), RXINT | TXRDY | RXRDY); /* the line is still plugged in */
    assert_int_equal(inb(m, UART_DATA), 'c');
}

static void reset_of_the_card(void **state)
{
    (void)state;
    enable();
    say("ab", 2);
    machine_run(m, BYTE + 5);
    outb(m, UART_DATA, 'x');
    outb(m, UART_STATUS, RXINTEN | TXINTEN);
    outb(m, UART_RES, 1);
    assert_true(m->irq);
    es1370_reset(&m->card);
    assert_false(m->irq);
    assert_false(m->midi.listened_to);
    assert_int_equal(inl(m, UART_DATA), TXRDY << 8);
    machine_run(m, 10 * BYTE);
    assert_heard("", 0);
    enable();
    assert_false(m->irq); /* the interrupts are off again */
    assert_int_equal(fifo(0), 0);
}

/* A card without MIDI at the other end: bytes go nowhere, in time. */
static void nothing_plugged_in(void **state)
{
    const struct es1370_host host = {.opaque = m, .set_irq = m->card.host.set_irq};
    struct es1370 card;

    (void)state;
    es1370_init(&card, &host);
    es1370_write(&card, CONTROL, 4, UART_EN);
    es1370_write(&card, UART_STATUS, 1, RXINTEN);
    es1370_write(&card, UART_DATA, 1, 'a');
    es1370_write(&card, UART_DATA, 1, 'b');
    assert_int_equal(es1370_read(&card, UART_STATUS, 1), 0);
    es1370_advance(&card, BYTE);
    assert_int_equal(es1370_read(&card, UART_STATUS, 1), TXRDY);
    es1370_advance(&card, BYTE);
    assert_true(es1370_midi_due(&card) == UINT64_MAX);
    es1370_write(&card, CONTROL, 4, 0);
    assert_false(m->irq);
}

/* --- guests' drivers --- */

static const char notes[] = "\x90\x3c\x40\x90\x40\x40\x90\x43\x40\x80\x3c\x40\x80\x40\x40\x80\x43";

/* One that knows no interrupts. */
static void a_polling_driver(void **state)
{
    uint64_t ticks = 0;

    (void)state;
    enable();
    for (size_t i = 0; i < sizeof(notes); i++) {
        while (!(status() & TXRDY)) {
            machine_run(m, 10 * US);
            ticks += 10 * US;
        }
        outb(m, UART_DATA, (uint8_t)notes[i]);
    }
    /* It is done when the last is held, one line's time before that is on its way. */
    assert_in_range(ticks, (sizeof(notes) - 2) * BYTE, (sizeof(notes) - 1) * BYTE);
    machine_run(m, 2 * BYTE);
    assert_heard(notes, sizeof(notes));
}

/* Time passes as in the card's loop: to the next interrupt, at most to the end. */
static uint64_t wait_for_irq(uint64_t most)
{
    uint64_t next = es1370_next_event(&m->card), due = es1370_midi_due(&m->card);

    next = due < next ? due : next;
    next = next < most ? next : most;
    machine_run(m, next);
    return next;
}

/* Linux's rawmidi: what it keeps, and the application's bytes. */
static struct {
    uint8_t uartc;
    bool in, out; /* uartm */
    const char *to_send;
    size_t left;
    uint8_t got[256];
    size_t got_count;
} ens;

static void linux_open(bool in)
{
    if (!(in ? ens.out : ens.in)) {
        outb(m, UART_STATUS, UART_RESET);
        outb(m, UART_STATUS, ens.uartc = 0);
        enable();
    }
    *(in ? &ens.in : &ens.out) = true;
}

static void linux_close(bool in)
{
    *(in ? &ens.in : &ens.out) = false;
    ens.uartc &= (uint8_t) ~(in ? RXINTEN : 0x60);
    if (!ens.in && !ens.out) {
        outb(m, UART_STATUS, ens.uartc = 0);
        disable();
    } else {
        outb(m, UART_STATUS, ens.uartc);
    }
}

static void linux_trigger_in(void)
{
    for (unsigned i = 0; i < 32; i++) {
        inb(m, UART_DATA);
    }
    outb(m, UART_STATUS, ens.uartc |= RXINTEN);
}

static bool linux_transmit(void)
{
    if (ens.left == 0) {
        ens.uartc &= (uint8_t)~0x60;
        return false;
    }
    outb(m, UART_DATA, (uint8_t)*ens.to_send++);
    ens.left--;
    return true;
}

static void linux_trigger_out(const char *bytes, size_t count)
{
    ens.to_send = bytes;
    ens.left = count;
    ens.uartc |= TXINTEN;
    while (ens.uartc & 0x60 && status() & TXRDY) {
        linux_transmit();
    }
    outb(m, UART_STATUS, ens.uartc);
}

static void linux_interrupt(void)
{
    assert_int_equal(inl(m, STATUS), STAT_INTR | STAT_IDLE | STAT_UART);
    while (ens.in && status() & RXRDY) {
        ens.got[ens.got_count++] = inb(m, UART_DATA);
    }
    while (ens.out && status() & TXRDY) {
        if (!linux_transmit()) {
            outb(m, UART_STATUS, ens.uartc);
            break;
        }
    }
}

static void linux_sends(void **state)
{
    unsigned interrupts = 0;

    (void)state;
    memset(&ens, 0, sizeof(ens));
    linux_open(false);
    linux_trigger_out(notes, sizeof(notes));
    assert_int_equal(ens.left, sizeof(notes) - 2);
    for (uint64_t left = sizeof(notes) * (uint64_t)BYTE; left > 0;) {
        left -= wait_for_irq(left);
        if (m->irq) {
            linux_interrupt();
            assert_false(m->irq);
            interrupts++;
        }
    }
    assert_heard(notes, sizeof(notes));
    assert_int_equal(interrupts, sizeof(notes) - 1); /* one for each place that came free */
    linux_close(false);
    assert_false(m->midi.listened_to);
}

static void linux_receives(void **state)
{
    unsigned interrupts = 0;

    (void)state;
    memset(&ens, 0, sizeof(ens));
    linux_open(true);
    say("stale", 5);
    machine_run(m, 5 * BYTE);
    linux_trigger_in();
    say(notes, sizeof(notes));
    for (uint64_t left = sizeof(notes) * (uint64_t)BYTE; left > 0;) {
        left -= wait_for_irq(left);
        if (m->irq) {
            linux_interrupt();
            assert_false(m->irq);
            interrupts++;
        }
    }
    assert_int_equal(interrupts, sizeof(notes));
    assert_int_equal(ens.got_count, sizeof(notes));
    assert_memory_equal(ens.got, notes, sizeof(notes));
    linux_close(true);
}

/* Both at once, each opened and closed while the other goes on. */
static void linux_sends_and_receives(void **state)
{
    (void)state;
    memset(&ens, 0, sizeof(ens));
    linux_open(false);
    say("abcdefghijkl", 12); /* to nobody, yet */
    machine_run(m, 20 * BYTE);
    linux_trigger_out(notes, sizeof(notes));
    linux_open(true);
    linux_trigger_in();
    say(notes, sizeof(notes));
    for (uint64_t left = (sizeof(notes) + 2) * (uint64_t)BYTE; left > 0;) {
        left -= wait_for_irq(left);
        if (m->irq) {
            linux_interrupt();
            assert_false(m->irq);
        }
    }
    assert_heard(notes, sizeof(notes));
    assert_int_equal(ens.got_count, sizeof(notes));
    assert_memory_equal(ens.got, notes, sizeof(notes));
    linux_close(true);
    assert_true(m->midi.listened_to);
    linux_close(false);
    assert_false(m->midi.listened_to);
}

/* Its handler writes the interrupts' enables anew each time, and it closes with the last byte. */
static void linux_oss_sends(void **state)
{
    size_t i = 0;

    (void)state;
    enable();
    outb(m, UART_STATUS, UART_RESET);
    outb(m, UART_STATUS, 0);
    outb(m, UART_STATUS, RXINTEN);
    for (unsigned turns = 0; i < sizeof(notes); turns++) {
        assert_true(turns < 100);
        while (status() & RXRDY) {
            inb(m, UART_DATA);
        }
        while (status() & TXRDY && i < sizeof(notes)) {
            outb(m, UART_DATA, (uint8_t)notes[i++]);
        }
        outb(m, UART_STATUS, i < sizeof(notes) ? RXINTEN | TXINTEN : RXINTEN);
        if (i < sizeof(notes)) {
            wait_for_irq(BYTE);
            assert_true(m->irq);
        }
    }
    disable();
    assert_heard(notes, sizeof(notes));
}

/* NetBSD asks for an interrupt after each byte, turns it off at each, and does not look whether
 * there is room for the first. OpenBSD likewise. */
static void netbsd_sends_and_receives(void **state)
{
    uint8_t got[sizeof(notes)];
    size_t sent = 0, received = 0;

    (void)state;
    enable();
    outb(m, UART_STATUS, RXINTEN);
    say(notes, sizeof(notes));
    outb(m, UART_DATA, (uint8_t)notes[sent++]);
    outb(m, UART_STATUS, TXINTEN | RXINTEN);
    for (uint64_t left = (sizeof(notes) + 2) * (uint64_t)BYTE; left > 0;) {
        while (m->irq) {
            uint8_t ustat = status();

            while (ustat & RXINT && status() & RXRDY) {
                got[received++] = inb(m, UART_DATA);
            }
            if (ustat & TXINT) {
                outb(m, UART_STATUS, RXINTEN);
                if (sent < sizeof(notes)) {
                    outb(m, UART_DATA, (uint8_t)notes[sent++]);
                    outb(m, UART_STATUS, TXINTEN | RXINTEN);
                }
            }
        }
        left -= wait_for_irq(left);
    }
    assert_heard(notes, sizeof(notes));
    assert_int_equal(received, sizeof(notes));
    assert_memory_equal(got, notes, sizeof(notes));
}

/* --- anything --- */

static uint32_t random_state;

static uint32_t random32(void)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 17;
    random_state ^= random_state << 5;
    return random_state;
}

/* Whatever it has come to: a handler that reads until there is no more, and turns the
 * transmitter's interrupt off, has peace. */
static void check_acknowledgement(void)
{
    unsigned reads = 0;

    for (; status() & RXRDY; reads++) {
        assert_true(reads < 8);
        inb(m, UART_DATA);
    }
    outb(m, UART_STATUS, RXINTEN);
    assert_false(m->irq);
}

static void hammering(void **state)
{
    static const uint8_t regs[] = {UART_DATA, UART_DATA, UART_STATUS, UART_RES, 0x0b,
                                   MEM_PAGE,  0x30,      0x34,        0x3c,     CONTROL};
    size_t irqs = 0;

    (void)state;
    random_state = 0x31250;
    for (unsigned i = 0; i < 200000; i++) {
        unsigned reg = regs[random32() % sizeof(regs)], bytes = 1u << random32() % 3;
        uint64_t event;

        switch (random32() % 8) {
        case 0:
            machine_run(m, random32() % (1u << random32() % 18));
            break;
        case 1:
            machine_run(m, 0); /* so that a line takes up what waits */
            event = es1370_next_event(&m->card);
            if (!m->irq && event != UINT64_MAX) {
                assert_true(event > 0 && event <= BYTE);
                machine_run(m, event - 1);
                assert_false(m->irq);
                machine_run(m, 1);
                assert_true(m->irq);
            }
            break;
        case 2:
            if (m->midi.waiting < MACHINE_MIDI_BYTES) {
                m->midi.in[m->midi.waiting++] = (uint8_t)random32();
            }
            break;
        case 3:
            if (random32() % 8 == 0) {
                check_acknowledgement();
            }
            break;
        case 4:
        case 5:
            es1370_read(&m->card, reg, bytes);
            break;
        default:
            /* No channel runs here: they have their own. */
            es1370_write(&m->card, reg, bytes, random32() & (reg == CONTROL ? 0x0f : 0xffffffff));
        }
        irqs += m->irq;
    }
    assert_true(irqs > 1000);
    assert_true(m->midi.sent > 1000);
    assert_true(m->midi.taken > 1000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(a_byte_takes_320_us_out, set_up),
        cmocka_unit_test_setup(a_byte_takes_320_us_in, set_up),
        cmocka_unit_test_setup(the_line_keeps_its_pace, set_up),
        cmocka_unit_test_setup(a_third_byte_replaces_the_second, set_up),
        cmocka_unit_test_setup(transmit_interrupt, set_up),
        cmocka_unit_test_setup(receive_interrupt, set_up),
        cmocka_unit_test_setup(not_while_disabled, set_up),
        cmocka_unit_test_setup(overrun, set_up),
        cmocka_unit_test_setup(late_for_an_interrupt, set_up),
        cmocka_unit_test_setup(the_fifo_is_seen_in_its_pages, set_up),
        cmocka_unit_test_setup(a_forged_fifo_comes_to_an_end, set_up),
        cmocka_unit_test_setup(a_fifo_can_be_cleared_by_its_pages, set_up),
        cmocka_unit_test_setup(software_reset, set_up),
        cmocka_unit_test_setup(reset_of_the_card, set_up),
        cmocka_unit_test_setup(nothing_plugged_in, set_up),
        cmocka_unit_test_setup(a_polling_driver, set_up),
        cmocka_unit_test_setup(linux_sends, set_up),
        cmocka_unit_test_setup(linux_receives, set_up),
        cmocka_unit_test_setup(linux_sends_and_receives, set_up),
        cmocka_unit_test_setup(linux_oss_sends, set_up),
        cmocka_unit_test_setup(netbsd_sends_and_receives, set_up),
        cmocka_unit_test_setup(hammering, set_up),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
