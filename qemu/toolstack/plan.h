/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * From a toolstack's command line to what is to be done: which engine is
 * started with which arguments, and which sound card is ours.
 *
 * Ours is the es1370. The engine keeps one of its own in the same PCI slot, with an audiodev that
 * plays nothing and the address written out: so the slot is taken for whatever is plugged in later,
 * a saved domain is the same with and without us, and every other device is where it would have
 * been. The guest sees ours alone.
 *
 * Other sound cards stay in the engine, which plays them all into a pipe of ours, as a WAV file.
 * It opens the pipe as it starts, before it changes its root or user, for the speaker of the
 * machine is joined to it, too. All else reaches the engine as it came, except the -audiodev that
 * is the card's.
 *
 * Pure: no processes, no files, no Xen. All strings in a plan are its own.
 */
#ifndef TOOLSTACK_PLAN_H
#define TOOLSTACK_PLAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

enum plan_action {
    PLAN_BECOME_ENGINE,    /* no card of ours: exec the engine with engine_argv */
    PLAN_RUN_CARD,         /* start the card, then the engine as a child */
    PLAN_RUN_ENGINE_SOUND, /* start the engine as a child, and play what comes by the pipe */
    PLAN_SHOW_HELP,
    PLAN_SHOW_VERSION,
    PLAN_SHOW_STATUS, /* the rest of the command line is for status_main */
};

struct plan {
    enum plan_action action;
    char **engine_argv; /* ended by NULL; [0] is the engine's path. NULL with PLAN_SHOW_... */

    /* With PLAN_RUN_CARD and PLAN_RUN_ENGINE_SOUND: */
    uint16_t domid;
    char *domain_name; /* "" if the command line names none */
    char *audiodev;    /* the value of -audiodev that is the card's; NULL: none given */

    uint8_t card_slot; /* PLAN_RUN_CARD: PCI device number on bus 0, 0..31; function 0 */
    char *card_id;     /* PLAN_RUN_CARD: by which the engine knows its own card in that slot, for
                          device_del; else NULL */

    size_t pipe_argument; /* PLAN_RUN_ENGINE_SOUND: index in engine_argv of the value of -audiodev
                             that lacks the pipe's descriptor; else 0 */

    /* Saving and restoring, where there is a domain (-xen-domid): */
    size_t qmp_argument; /* index in engine_argv of the value of -chardev of libxl's QMP socket
                            (id=libxl-cmd); 0: there is none */
    char *qmp_path;      /* the path at which the toolstack expects it, or NULL: */
    int qmp_fd;          /* the listening descriptor that the toolstack has passed; else -1 */
    int incoming_fd;     /* of -incoming fd:N, a saved state; -1: none */
    bool incoming;       /* the domain is restored or migrated in, by whatever -incoming */

    char *note; /* something the user should read in the log, one line, or NULL */
};

/* Makes the plan for argv (argv[0] is not read; argc may be 0). engine is the path of the
 * distribution's device model. False with err naming the argument, what is wrong and what would be
 * right; then the plan holds nothing. Any thread. */
bool plan_make(struct plan *plan, int argc, const char *const argv[], const char *engine,
               struct err *err);

/* The engine is to listen for QMP on the inherited descriptor fd, instead of where the toolstack
 * expects it. The plan must have a qmp_argument. False with err: out of memory, the plan is as it
 * was. */
bool plan_set_qmp_fd(struct plan *plan, int fd, struct err *err);

/* The engine is to play into the inherited descriptor fd, a pipe's: S16 stereo at 48 kHz, behind a
 * WAV header. The plan must have a pipe_argument. False as above. */
bool plan_set_pipe_fd(struct plan *plan, int fd, struct err *err);

void plan_free(struct plan *plan);

#endif
