/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * libxl's QMP conversation with the engine: every byte and descriptor passes
 * unchanged and in order, but the engine's answers to a few commands wait until
 * the sound card has done its part.
 *
 * As QEMU's own socket does, it takes one toolstack at a time; the next waits.
 * Each has a connection to the engine of its own, for QEMU gives up the
 * descriptors it was passed when nobody is connected. When a toolstack says no
 * more, the engine is told, and what it still has to say reaches the toolstack;
 * when the engine ends a connection, or cannot be reached, so do we. What either
 * side does not take, the other is not asked for.
 *
 * Descriptors go to the engine only: no monitor sends any.
 *
 * One thread. Nothing here waits, but in a hook.
 */
#ifndef ENGINE_QMP_RELAY_H
#define ENGINE_QMP_RELAY_H

#include <poll.h>

#include "base/err.h"
#include "engine/engine_socket.h"

struct qmp_relay;

/* A command has succeeded; the first byte of its answer is not sent before the hook has returned.
 * None of these may call the relay. The descriptors stay the relay's, and are good until the hook
 * returns. */
struct qmp_relay_hooks {
    void *opaque;
    void (*stopped)(void *opaque);        /* `stop` */
    void (*continued)(void *opaque);      /* `cont` */
    void (*saved)(void *opaque, int fd);  /* `xen-save-devices-state`, through fd, whose offset is
                                             behind QEMU's last byte; if the engine opened it by
                                             path, fd was opened anew, at the end. Write only.
                                             Not called, with a warning logged, if the file
                                             cannot be had */
    void (*loaded)(void *opaque, int fd); /* `xen-load-devices-state`; fd is open for reading, at
                                             any offset; likewise */
};

/* Takes over listener, where the toolstack connects, whether it succeeds or not. engine has to last
 * as long as the relay. NULL with err set. */
struct qmp_relay *qmp_relay_open(int listener, const struct engine_socket *engine,
                                 const struct qmp_relay_hooks *hooks, struct err *err);

enum { QMP_RELAY_FDS = 2 };

/* Fills in what to wait for, and returns how many; none, while there is nothing but another event
 * to wait for. */
unsigned qmp_relay_poll(struct qmp_relay *r, struct pollfd fds[QMP_RELAY_FDS]);

/* After poll, with what qmp_relay_poll gave (it may be called if nothing has come, too). */
void qmp_relay_serve(struct qmp_relay *r, const struct pollfd *fds, unsigned count);

/* r may be NULL. The sockets are closed; one with a path stays for the toolstack to remove. */
void qmp_relay_close(struct qmp_relay *r);

/* Listens on a socket at path, with FD_CLOEXEC, in place of what is there, as QEMU does. -1 with
 * err set. */
int qmp_listen(const char *path, struct err *err);

#endif
