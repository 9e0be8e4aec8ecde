/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A guest of the fake domain (FAKE_GUEST_SOCKET of fakes/fake_guest.h) that
 * plays on a card in another process. What comes within milliseconds is waited
 * for, and fails the test if it never comes.
 */
#ifndef PROCESS_PLAYING_GUEST_H
#define PROCESS_PLAYING_GUEST_H

#include <stdint.h>

#include "fakes/fake_guest.h"

/* The card's registers, and what is written there. */
enum {
    CONTROL = 0x00,
    STATUS = 0x04,
    SCTL = 0x20,
    WINDOW = 0x30,
    DAC2_EN = 0x20,
    DIV_44100 = 30 << 16,
    DAC2_S16_STEREO = 0x0c,
};

/* Of the domain whose socket is at path, once its card has been plugged in. */
void join_guest(const char *path);
void leave_guest(void);

/* The value that was read, or the level of the interrupt line. */
uint32_t ask_guest(enum fake_guest_kind kind, uint32_t where, uint32_t bytes, uint32_t value);
uint32_t in(unsigned reg);
void out(unsigned reg, uint32_t value);

/* At 44.1 kHz; an interrupt each period frames, of which the guest acknowledges none. */
void play(unsigned period);

void wait_for_interrupt(void);

#endif
