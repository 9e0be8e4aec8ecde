/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The card's process: forked by the supervisor, joined to it by one socket.
 * It says when the card is plugged in, does as it is told by way of the socket,
 * may ask a question of its own, and ends when the supervisor does.
 *
 * One thread, the supervisor's.
 */
#ifndef CARD_PROCESS_H
#define CARD_PROCESS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "audio/settings.h"
#include "base/err.h"
#include "card/control.h"
#include "sandbox/user.h"

struct checkpoint;
struct status_page;

struct card_process {
    pid_t pid;   /* 0: none */
    int control; /* the supervisor's end of the socket; closing it ends the card */
    uint16_t domid;
    uint8_t slot;
    uint16_t server_id; /* of the card's ioreq server */
    uint32_t requests;  /* so far: the number of the last */
    bool silent;        /* nothing more will come from it */

    const struct audio_settings *settings;
    struct user user;
    struct status_page *page;
    struct checkpoint *checkpoint; /* where the card is, should its process die */
};

/* Forks the card for PCI slot (0..31) of domain domid, which becomes the user, and waits until it
 * is plugged in. The name is for people: see status_page.h. paused: the card stands still from the
 * start, until card_process_resume. settings must outlive all this. False with err set when it
 * could not be; nothing is left behind then. */
bool card_process_start(struct card_process *p, const struct audio_settings *settings,
                        const struct user *user, uint16_t domid, const char *domain_name,
                        uint8_t slot, bool paused, struct err *err);

/* These wait for the card's answer, for two seconds at most, and are false with err saying what
 * could not be done and why: there is no process, it has died, or does not answer (it may do so
 * later, and is not waited for again), or refuses. */

/* See rt_card_pause, rt_card_resume and card_load (card/card.h). */
bool card_process_pause(struct card_process *p, struct err *err);
bool card_process_resume(struct card_process *p, struct err *err);
bool card_process_load(struct card_process *p, const void *bytes, size_t size, struct err *err);

/* Writes the card's state to buffer, *used bytes of it, at most size; where the process has died,
 * the last that it has kept. CONTROL_MAX_BYTES are enough for any; a card that is paused takes less
 * than one kilobyte. */
bool card_process_save(struct card_process *p, void *buffer, size_t size, size_t *used,
                       struct err *err);

/* Readable when there is something for card_process_hear; -1: there is nothing to wait for. */
int card_process_fd(const struct card_process *p);

/* Reads what the card says, without waiting. True: its guest has left an interrupt alone for so
 * long that the card asks whether the domain stands still (domain_state, xen/domain.h). If so it is
 * to be paused until the domain runs again: card/pauses.h. It is not answered otherwise; the card
 * asks again. */
bool card_process_hear(struct card_process *p);

/* The process has died (waitpid has said so). Its guest waits, as soon as it asks the card for
 * something, until card_process_restart or card_process_retire. */
void card_process_died(struct card_process *p);

/* Starts another in the dead one's place, which goes on where that was, paused if so asked; waits
 * until it does. To the guest the card has stood still. False with err set: all is as before, and
 * may be tried again. */
bool card_process_restart(struct card_process *p, bool paused, struct err *err);

/* Takes the card away from the guest, for good; what the guest asks of it is answered with ones.
 * Waits a few hundredths of a second. False with err set. */
bool card_process_retire(struct card_process *p, struct err *err);

/* Ends the process, waiting at most three seconds before it is killed. No effect if there is
 * none. */
void card_process_stop(struct card_process *p);

#endif
