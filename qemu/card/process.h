/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The card's process: forked by the supervisor, joined to it by one socket.
 * It says when the card is plugged in, and ends when the supervisor does.
 */
#ifndef CARD_PROCESS_H
#define CARD_PROCESS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "audio/settings.h"
#include "base/err.h"
#include "sandbox/user.h"

struct card_process {
    pid_t pid;   /* 0: none */
    int control; /* the supervisor's end of the socket; closing it ends the card */
    uint16_t domid;
    uint16_t server_id; /* of the card's ioreq server */
};

/* Forks the card for PCI slot (0..31) of domain domid, which becomes the user, and waits until it
 * is plugged in. The name is for people: see status_page.h. False with err set when it could not
 * be; nothing is left behind then. Not from a process with threads. */
bool card_process_start(struct card_process *p, const struct audio_settings *settings,
                        const struct user *user, uint16_t domid, const char *domain_name,
                        uint8_t slot, struct err *err);

/* The process has died (waitpid has said so): frees the guest from waiting for it. */
void card_process_died(struct card_process *p);

/* Ends the process, waiting at most three seconds before it is killed. No effect if there is
 * none. */
void card_process_stop(struct card_process *p);

#endif
