/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The option that makes the es1370, our card: -device, -soundhw or -audio.
 */
#ifndef TOOLSTACK_ES1370_OPTION_H
#define TOOLSTACK_ES1370_OPTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "toolstack/arguments.h"
#include "toolstack/option.h"
#include "toolstack/pci_slots.h"

/* The id of the engine's own ES1370, which holds the card's slot, if the user has given none. */
#define CARD_ID "qemu-dm-card"

/* Sets *card to the option that makes an es1370, or to NULL. False with err if there are two, or
 * one in a form that cannot be read. */
bool es1370_find(struct option **card, struct option *options, size_t count, struct err *err);

/* Sets *slot to the number that the card asks for, or else to the one that it would get; *doubt as
 * in pci_slot_for_card. */
bool es1370_place(uint8_t *slot, char **doubt, const struct machine *machine,
                  const struct option *options, size_t count, const struct option *card,
                  struct err *err);

/* Sets *id to a copy of the one that the card has been given, or else of CARD_ID: the engine's card
 * is known by it. False: out of memory. */
bool es1370_id(char **id, const struct option *card);

/* Puts a card of the engine's that holds the slot in the card's place, or into head, what goes
 * before all options: QEMU makes the card of -soundhw and -audio before that of any -device.
 * shared_audiodev: NULL, or what -audio model=es1370 defined for others, too. */
bool es1370_replace(struct arguments *head, struct option *card, uint8_t slot,
                    const char *shared_audiodev, struct err *err);

#endif
