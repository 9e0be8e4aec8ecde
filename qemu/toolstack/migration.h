/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the command line says of saving and restoring: the socket by which the toolstack asks for a
 * save, and where a saved state comes from.
 *
 * Pure functions on strings; any thread.
 */
#ifndef TOOLSTACK_MIGRATION_H
#define TOOLSTACK_MIGRATION_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "toolstack/option.h"

/* libxl's QMP socket, on which the device model listens. */
struct qmp_socket {
    const struct option *option; /* its -chardev; NULL: there is none */
    char *path;                  /* where it is to be made, to be freed; or NULL: */
    int fd;                      /* it listens already, and is inherited; else -1 */
};

/* Finds the -chardev socket with the id libxl-cmd. False with err: out of memory. */
bool qmp_socket_find(struct qmp_socket *socket, const struct option *options, size_t count,
                     struct err *err);

/* A copy of that -chardev's text for a socket that listens on fd, all else as it was; NULL: out of
 * memory. */
char *qmp_socket_text(const char *text, int fd);

/* Reads the value of -incoming: the number of the inherited descriptor in "fd:N", or -1 for
 * whatever else. */
int incoming_fd(const char *text);

#endif
