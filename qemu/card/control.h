/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the supervisor and the card's process say to each other while the card
 * serves its guest: messages over a SOCK_SEQPACKET socket, each a head and, of
 * some kinds, bytes.
 *
 * The supervisor's requests carry a number, and so do the answers: one that
 * comes when its request has been given up is known by that.
 *
 * Any thread; nothing here waits or allocates.
 */
#ifndef CARD_CONTROL_H
#define CARD_CONTROL_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum control_kind {
    /* From the supervisor. Each is answered but the last. */
    CONTROL_PAUSE,
    CONTROL_RESUME,
    CONTROL_SAVE,
    CONTROL_LOAD,  /* bytes: the saved card */
    CONTROL_HEARD, /* the question has arrived: another may be asked */

    /* From the card. */
    CONTROL_DONE,       /* bytes: the saved card, where one was asked for */
    CONTROL_FAILED,     /* bytes: why, in words */
    CONTROL_IS_STOPPED, /* the question: does the domain stand still? Its number is 0 */
};

struct control_head {
    uint32_t kind;
    uint32_t number;
};

/* Of a message. A card that stands still is saved in less than a kilobyte, one that plays with
 * what waits for the host too. */
enum { CONTROL_MAX_BYTES = 65536 };

/* Returns 0, or an errno: EAGAIN when the other end has not read for long. */
int control_send(int fd, enum control_kind kind, uint32_t number, const void *bytes, size_t size);

/* The next message: returns its bytes, or an errno as a negative number: -EAGAIN when there is
 * none, -EPIPE when the other end has been closed, -EMSGSIZE for what is no message of ours. */
ssize_t control_receive(int fd, struct control_head *head, uint8_t bytes[CONTROL_MAX_BYTES]);

#endif
