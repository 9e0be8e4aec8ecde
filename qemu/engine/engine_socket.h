/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The engine's QMP socket: it listens on a descriptor that it inherits, and
 * only this process can connect, for the socket has no path left.
 *
 * One thread at a time.
 */
#ifndef ENGINE_ENGINE_SOCKET_H
#define ENGINE_ENGINE_SOCKET_H

#include <stdbool.h>

#include "base/err.h"

struct engine_socket {
    int listener; /* for the engine: without FD_CLOEXEC. Who closes it here, so that connecting
                     fails when the engine is gone, sets it to -1 */
    int place;    /* O_PATH of the unlinked socket, FD_CLOEXEC */
};

/* False with err set, and nothing open. */
bool engine_socket_open(struct engine_socket *s, struct err *err);

/* A connected, blocking descriptor with FD_CLOEXEC; itself it never waits. An engine that is still
 * starting accepts later, one that has gone refuses. -1 with err set. */
int engine_socket_connect(const struct engine_socket *s, struct err *err);

void engine_socket_close(struct engine_socket *s);

#endif
