/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * When the card asks whether its domain stands still. A toolstack that pauses a
 * domain tells no device model; what a card notices is that its interrupt is
 * left alone. That may also be a guest that is busy, so the card asks, and less
 * and less often while nothing changes.
 *
 * One thread, realtime; all zeros is a card that has no doubts.
 */
#ifndef CARD_DOUBT_H
#define CARD_DOUBT_H

#include <stdbool.h>
#include <stdint.h>

struct doubt {
    uint64_t unheard_ns; /* of the doubt last looked at */
    uint64_t from_ns;    /* it began, or was last asked, then */
    uint64_t wait_ns;    /* and is asked so much later */
    bool asked;          /* nobody has heard that yet */
};

/* The guest has not been heard since unheard_ns (UINT64_MAX: it has nothing to say), and is to be
 * waited for for patience_ns. Returns when to ask; UINT64_MAX: not as things stand. */
uint64_t rt_doubt_due(struct doubt *d, uint64_t unheard_ns, uint64_t patience_ns);

/* It is now_ns, and was due; sent: the question is on its way. */
void rt_doubt_ask(struct doubt *d, uint64_t now_ns, bool sent);

/* Somebody has heard it. */
void rt_doubt_heard(struct doubt *d);

#endif
