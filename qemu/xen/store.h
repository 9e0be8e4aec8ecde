/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * xenstore, as far as a device model needs it.
 *
 * One thread at a time. All paths are absolute. A fake of this interface is in tests/fakes/.
 */
#ifndef XEN_STORE_H
#define XEN_STORE_H

#include <stdbool.h>

#include "base/err.h"

struct store;

/* NULL with err set. */
struct store *store_open(struct err *err);

/* s may be NULL. */
void store_close(struct store *s);

/* In the child of a fork: forgets the parent's connection, where there is one, with its thread.
 * Xen's library would else restrict it, with what the child opens. */
void store_forget(void);

/* The node's text, ended by NUL, to be freed; NULL: there is none (or no memory). */
char *store_read(struct store *s, const char *path);

/* Makes the node, and those above it, if there is none. */
bool store_write(struct store *s, const char *path, const char *text, struct err *err);

/* Removes the node and what is below it; true also if there is none. */
bool store_remove(struct store *s, const char *path);

/* The names of the nodes right below path, as one block to be freed; NULL: no such node. */
char **store_list(struct store *s, const char *path, unsigned *count);

/* From now on store_next tells of changes at path and below, and of one at once. */
bool store_watch(struct store *s, const char *path, const char *token, struct err *err);

/* Readable when store_next may have something; -1 if xenstore gives none. */
int store_fd(struct store *s);

/* The next event of a watch, without waiting: the node that changed, and the watch's token, both
 * to be freed. False: there is none. */
bool store_next(struct store *s, char **path, char **token);

#endif
