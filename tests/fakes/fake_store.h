/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A fake of xen/store.h: one tree in memory, which all open stores share.
 *
 * A watch fires once at once and then for changes at its path and below, whoever makes them, and
 * when what is above it is removed, as xenstore does it.
 */
#ifndef FAKES_FAKE_STORE_H
#define FAKES_FAKE_STORE_H

/* An empty tree; stores that are still open have no watches. */
void fake_store_reset(void);

/* As another client writes it; text NULL removes. */
void fake_store_set(const char *path, const char *text);

/* The node's text, "" if there are only nodes below it; NULL: none. Good until the next change. */
const char *fake_store_get(const char *path);

/* From now on store_write and store_watch fail for this path (NULL: for none). */
void fake_store_refuse(const char *path);

#endif
