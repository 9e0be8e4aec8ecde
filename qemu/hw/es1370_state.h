/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The ES1370's whole state as bytes: what a guest has written, and where its
 * channels are to the tick. A card that has been loaded goes on exactly where
 * the one that was saved stopped.
 *
 * The form: a version, then each field in turn, little-endian. It is read with
 * distrust: whatever the bytes are, a card that takes them keeps its promises.
 * It has no checksum; a whole snapshot has (card/snapshot.h).
 */
#ifndef HW_ES1370_STATE_H
#define HW_ES1370_STATE_H

#include <stddef.h>

#include "hw/es1370.h"

/* Writes the state to buffer; returns the bytes that it takes. If that is more than size, what
 * was written is worthless (so ask with a size of 0). */
size_t es1370_save(const struct es1370 *card, void *buffer, size_t size);

/* Takes the state over, and tells the card's host what is new to it, as if it had come about by a
 * guest's writes: BARs, mixer, interrupt; streams that ran before are stopped, those that run now
 * started, all anew. Returns NULL, or why not, in words; the card is then as it was. */
const char *es1370_load(struct es1370 *card, const void *buffer, size_t size);

#endif
