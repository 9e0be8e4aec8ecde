/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A process that outlives a killed supervisor, in order to end the engine.
 *
 * The kernel would tell the engine of its parent's death (PR_SET_PDEATHSIG),
 * but forgets to once the engine has become another user, as under dm_restrict.
 * The guard holds nothing but standard error, a pidfd of the engine and one end
 * of a pipe whose other end is the supervisor's alone: when that closes, it
 * tells the engine to end as the toolstack would, by SIGHUP, and kills it after
 * three seconds.
 */
#ifndef ENGINE_ENGINE_GUARD_H
#define ENGINE_ENGINE_GUARD_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/err.h"

struct engine_guard {
    pid_t pid; /* 0: there is none (any more) */
    int pipe;  /* our end; -1: none */
};

/* Forks the guard of this process's child engine, which has not been waited for. clear_up(opaque)
 * is called in the guard, and only if this process is killed. Not from a process with threads.
 * False with err set: there is no guard. */
bool engine_guard_start(struct engine_guard *g, pid_t engine, void (*clear_up)(const void *opaque),
                        const void *opaque, struct err *err);

/* The guard has been killed (waitpid has said so). */
void engine_guard_died(struct engine_guard *g);

/* Once the engine has ended: nothing is left to guard. No effect if there is none. */
void engine_guard_dismiss(struct engine_guard *g);

#endif
