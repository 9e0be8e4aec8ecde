/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The distribution's device model, which runs everything of the machine but
 * the sound.
 */
#ifndef ENGINE_ENGINE_H
#define ENGINE_ENGINE_H

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/resource.h>
#include <sys/types.h>

#include "base/err.h"

/* What the distribution's device model has behind its name where the package xen-qemu-dm-default
 * has put this program in its place (dpkg-divert). */
#define ENGINE_MOVED ".distrib"

/* Where the distribution's device model is that is installed as path: there, or, if it was moved
 * away, where it is now, which is then written to moved, of size bytes. Any thread. */
const char *engine_of_host(const char *path, char *moved, size_t size);

/* Replaces this process by the engine. Returns only if that fails, with err set: there is none, or
 * it is this program. argv[0] is the engine's path. */
bool engine_become(char *const argv[], struct err *err);

/* What the toolstack gave this process and the engine is to have, but this process not. */
struct engine_bounds {
    sigset_t mask;              /* of signals */
    struct rlimit file_size;    /* RLIMIT_FSIZE, */
    sighandler_t on_file_limit; /* and what SIGXFSZ does */
};

/* Starts the engine as a child within these bounds; it inherits every descriptor the toolstack has
 * passed, which are then closed here but for the count given in keep. The engine does not outlive
 * this process. -1 with err set. */
pid_t engine_start(char *const argv[], const struct engine_bounds *bounds, const int keep[],
                   unsigned count, struct err *err);

/* Ends this process the way the engine ended: with its exit status, or by the same signal.
 * status is waitpid's. */
_Noreturn void engine_end_alike(int status);

#endif
