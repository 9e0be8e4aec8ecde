/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The card's surroundings without threads and without time: the real streams
 * and capture on a sound server of which each input decides what it does, and a
 * clock that moves when it is told to. The log is written, and thrown away.
 *
 * One thread.
 */
#ifndef FUZZ_VIRTUAL_HOST_H
#define FUZZ_VIRTUAL_HOST_H

#include <stdint.h>

#include "card/card.h"

/* Nanoseconds; only ever moved forward. */
extern uint64_t virtual_now;

enum { VIRTUAL_FRAMES_MAX = 1 << 16 };

/* Lets each of the streams' threads work until it would wait. Meanwhile each sink takes, and each
 * source has, so many frames (below VIRTUAL_FRAMES_MAX); without any (0) the server is away. */
void virtual_host_works(uint32_t frames);

/* So many bytes come for the guest's MIDI; those before it that it has not taken are lost. */
void virtual_host_sends_midi(unsigned bytes);

enum { VIRTUAL_PORT = 0xc200 };

/* A card on this host, plugged into a new fake guest, which has put it nowhere. */
struct card *virtual_host_card(void);

/* As a guest's driver does: the card at VIRTUAL_PORT; both voices play, and it records. */
void virtual_host_play(void);

#endif
