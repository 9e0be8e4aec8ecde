/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The card as the supervisor has it: a process that stands still while the
 * domain does, and whose state goes into the domain's saved one and comes out
 * of it.
 *
 * A card that fails at any of this is no reason to fail the guest: it is logged,
 * and the guest goes on with a silent card, or with one as at power on. When its
 * process dies another takes its place, and when that has happened three times in
 * a row the card is unplugged.
 */
#ifndef CARD_SUPERVISED_H
#define CARD_SUPERVISED_H

#include <stdint.h>

#include "audio/settings.h"
#include "card/pauses.h"
#include "card/process.h"
#include "sandbox/user.h"
#include "toolstack/plan.h"

struct supervised_card {
    struct card_process process; /* pid 0: there is none (any more) */
    struct pauses pauses;
    uint16_t domid;
    unsigned deaths;  /* of its processes, in a row, */
    uint64_t died_ns; /* and when the last was */
};

/* Starts the card that the plan asks for; in a domain that is restored it stands still, with the
 * state it was saved with, until `cont`. */
void supervised_card_start(struct supervised_card *c, const struct plan *plan,
                           const struct audio_settings *settings, const struct user *user);

/* What the toolstack has the engine do: hooks of engine/qmp_relay.h and
 * traditional/conversation.h. card is a struct supervised_card. */
void supervised_card_stopped(void *card);
void supervised_card_continued(void *card);
void supervised_card_saved(void *card, int fd);
void supervised_card_loaded(void *card, int fd);

/* card_process_fd is readable. */
void supervised_card_hear(struct supervised_card *c);

/* The time, of CLOCK_MONOTONIC, for the next supervised_card_look; UINT64_MAX: not as things
 * stand. */
uint64_t supervised_card_wake(const struct supervised_card *c);
void supervised_card_look(struct supervised_card *c);

/* Its process has died; status is waitpid's. True: another goes on in its place. False: not any
 * more; the card has been taken from the guest, whose operating system is to be told. */
bool supervised_card_died(struct supervised_card *c, int status);

#endif
