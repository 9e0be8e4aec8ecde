/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The sound card of one domain: an ES1370 between a guest and the host's
 * sound, on a clock of its own. Knows the time only from its caller.
 *
 * All functions belong to the one thread that serves the guest; those marked
 * rt_ allocate nothing, wait for nothing and log nothing.
 */
#ifndef CARD_CARD_H
#define CARD_CARD_H

#include <stdbool.h>
#include <stdint.h>

#include "audio/settings.h"
#include "base/err.h"

struct card;
struct guest;

/* Makes the card at power on, with a stream to the host for each of its playback channels.
 * settings must outlive the card. NULL with err set. */
struct card *card_create(const struct audio_settings *settings, uint64_t now_ns, struct err *err);

/* Plugs the card into slot (0..31) of domain domid. */
bool card_plug(struct card *card, uint16_t domid, uint8_t slot, struct err *err);

/* The guest the card is plugged into. */
struct guest *card_guest(struct card *card);

/* Unplugs, lets the streams end, frees. card may be NULL. */
void card_destroy(struct card *card);

/* Brings the card to now_ns: frames are fetched, interrupts raised. Returns the time in
 * nanoseconds at which it wants to be called again at the latest; UINT64_MAX: not until the guest
 * asks for something. */
uint64_t rt_card_advance(struct card *card, uint64_t now_ns);

/* Answers what the guest has asked, at the time it is answered. */
void rt_card_serve(struct card *card);

#endif
