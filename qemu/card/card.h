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
#include <stddef.h>
#include <stdint.h>

#include "audio/settings.h"
#include "base/err.h"

struct card;
struct checkpoint;
struct guest;
struct status_page;

/* Makes the card at power on, with a stream to the host for each of its playback channels.
 * settings must outlive the card, and page, which shows what it does, the process. NULL with err
 * set. */
struct card *card_create(const struct audio_settings *settings, struct status_page *page,
                         uint64_t now_ns, struct err *err);

/* Plugs the card into slot (0..31) of domain domid, and its MIDI into the host's, where it has
 * any. */
bool card_plug(struct card *card, uint16_t domid, uint8_t slot, struct err *err);

/* From now on the card keeps its state in checkpoint, which must outlive it. Before it is plugged
 * in. */
void card_keep_in(struct card *card, struct checkpoint *checkpoint);

/* Instead of card_plug: goes on at now_ns, in slot of domain domid, for a card whose process has
 * died and which has kept its state in the same checkpoint; server_id is its ioreq server's
 * (xen/guest.h). To the guest the card has stood still since; what it had played and the host had
 * not yet is lost. False with err set: the process has to end, without card_destroy, which would
 * unplug the card; the guest waits for the next who takes over, or retires the server. */
bool card_take_over(struct card *card, uint16_t domid, uint8_t slot, uint16_t server_id,
                    uint64_t now_ns, struct err *err);

/* The guest the card is plugged into. */
struct guest *card_guest(struct card *card);

/* An event descriptor, readable (until it has been read) when something has come for the card and
 * it wants to be advanced; -1: there is none. */
int card_event_fd(const struct card *card);

/* Unplugs, lets the streams end, frees. card may be NULL. */
void card_destroy(struct card *card);

/* Brings the card to now_ns: frames are fetched, interrupts raised. Returns the time in
 * nanoseconds at which it wants to be called again at the latest; UINT64_MAX: not until the guest
 * asks for something. */
uint64_t rt_card_advance(struct card *card, uint64_t now_ns);

/* The card stands still from now_ns on: nothing is fetched or recorded, no interrupt changes, and
 * rt_card_advance asks for no call. Its streams stop as a guest stops them: what they have is
 * played to its end. Of MIDI what comes meanwhile waits, as far as there is room. No effect on a
 * card that stands still already. */
void rt_card_pause(struct card *card, uint64_t now_ns);

/* The card goes on from there at now_ns, to the tick, as if the time between had not been. Its
 * streams start anew. No effect on a card that does not stand still. Whatever the guest asks of the
 * card does this too. */
void rt_card_resume(struct card *card, uint64_t now_ns);

/* Since when an interrupt has waited and the guest has asked for nothing, while the card plays or
 * records; UINT64_MAX: that is not so. *patience_ns: after how long it is to be doubted that the
 * guest runs at all. */
uint64_t rt_card_unheard(const struct card *card, uint64_t *patience_ns);

/* Brings the card to now_ns and writes all of its state to buffer, as a snapshot
 * (card/snapshot.h); returns the bytes that it takes. If that is more than size, there is nothing
 * to be kept. What the streams of a card that runs have not handed to the host is part of it; a
 * card that stands still has none, for its streams play that where it is. */
size_t card_save(struct card *card, uint64_t now_ns, void *buffer, size_t size);

/* Goes on at now_ns where the card that was saved stopped, to the tick. The card is plugged in,
 * into a guest whose memory is as it was then. A card that stands still does so afterwards too, in
 * the other's place, whether that stood still or ran; and one that runs, runs. What the streams of
 * one that ran had not handed over is played at once. False, with err saying why and what to do;
 * the card is then as it was. */
bool card_load(struct card *card, uint64_t now_ns, const void *buffer, size_t size,
               struct err *err);

/* Answers what the guest has asked, at the time it is answered, and keeps the state after each. */
void rt_card_serve(struct card *card);

/* Keeps the state as the last rt_card_advance, or answer, has left it. No effect without
 * card_keep_in. */
void rt_card_keep(struct card *card);

#endif
