/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Why a card stands still: because the toolstack has said `stop`, which lasts
 * until it says `cont`; or because the domain does, of which nobody is told when
 * it begins (the card asks: card/doubt.h) nor when it ends, so that one has to
 * look. The card stands still while there is any reason.
 *
 * Pure: state is what domain_state(domid) says now, now_ns CLOCK_MONOTONIC. The
 * functions that return a bool say whether the card is to stand still from here
 * on: card_process_pause or card_process_resume, neither of which does harm where
 * nothing has changed.
 */
#ifndef CARD_PAUSES_H
#define CARD_PAUSES_H

#include <stdbool.h>
#include <stdint.h>

#include "xen/domain.h"

struct pauses {
    bool stopped;      /* by the toolstack */
    bool domain_still; /* the domain stands still, */
    uint64_t since_ns; /* as was seen first then, */
    uint64_t look_ns;  /* and is to be seen again then */
};

/* stopped: the card has started paused, as in a domain that is restored, until `cont`. */
void pauses_begin(struct pauses *p, bool stopped);

/* The card has asked, or pauses_wake has come. */
bool pauses_look(struct pauses *p, enum domain_state state, uint64_t now_ns);

/* The toolstack has said so. After `stop` the card is to stand still. It says `cont` before it
 * unpauses the domain, with which the card goes on. */
void pauses_on_stop(struct pauses *p);
bool pauses_on_cont(struct pauses *p, enum domain_state state, uint64_t now_ns);

/* Whether the card stands still, as things have been said and seen. */
bool pauses_still(const struct pauses *p);

/* When to look again; UINT64_MAX: not as things stand. */
uint64_t pauses_wake(const struct pauses *p);

#endif
