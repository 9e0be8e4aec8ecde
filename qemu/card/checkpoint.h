/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Where the card is, kept outside its process, so that another goes on there
 * should it die: written by the card after each request of its guest, before
 * that has its answer, and after each step of its clock.
 *
 * There are two copies in turn, so that one is whole at any moment. The memory
 * is shared by the supervisor and its cards. The supervisor does not look into
 * the state: a card that its guest has taken over could have written it.
 */
#ifndef CARD_CHECKPOINT_H
#define CARD_CHECKPOINT_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "xen/guest.h"

/* A card that is saved without its rings takes some 850 bytes. */
enum { CHECKPOINT_BYTES = 2048 };

struct checkpoint_copy {
    _Atomic int32_t answered_vcpu; /* struct guest_answer's: the last request that was done, if no
                                    * other has begun since */
    uint64_t answer;
    uint32_t size;                   /* of the state; 0: there is none */
    uint8_t state[CHECKPOINT_BYTES]; /* as rt_card_keep writes it */
};

struct checkpoint {
    _Atomic uint32_t latest; /* 0 or 1: that copy is good */
    struct checkpoint_copy copies[2];
};

/* An empty one, in memory that is shared with the children; for good. NULL with err set. */
struct checkpoint *checkpoint_create(struct err *err);

/* --- the card's side: one thread, realtime --- */

/* A request is being carried out: the answer kept is no longer the last. */
void rt_checkpoint_begin(struct checkpoint *c);

/* Where the next state is to be written, and that it has been, size bytes of it; answer may be
 * NULL: it is about no request. */
uint8_t *rt_checkpoint_room(struct checkpoint *c);
void rt_checkpoint_commit(struct checkpoint *c, size_t size, const struct guest_answer *answer);

/* --- once there is no card that writes --- */

/* Copies the state to bytes, and returns its size: 0: there is none. answer may be NULL. */
size_t checkpoint_read(const struct checkpoint *c, uint8_t bytes[CHECKPOINT_BYTES],
                       struct guest_answer *answer);

#endif
