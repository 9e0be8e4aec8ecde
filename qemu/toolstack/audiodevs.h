/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef TOOLSTACK_AUDIODEVS_H
#define TOOLSTACK_AUDIODEVS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "toolstack/arguments.h"
#include "toolstack/option.h"

/* The id of the audiodev by which the engine plays into our pipe, if the user has given none. */
#define PIPE_AUDIODEV_ID "qemu-dm-pipe"

/* The audiodev of the engine's own ES1370, which holds the card's PCI slot and plays nothing. */
#define SILENT_AUDIODEV_ID "qemu-dm-silent"

/*
 * Sets *audiodev to a copy of the -audiodev text that is the card's, or to NULL if there is none:
 * the one that card names (audiodev=ID, by -global ES1370.audiodev=ID too), or the only one that
 * nothing else names. Marks as changed what the engine must not see. *shared says that the engine
 * needs the card's audiodev as well, because something else names it.
 *
 * False with err if card names one that isn't there, or doesn't say which of several it means, or
 * if one is written as JSON.
 */
bool audiodev_choose(char **audiodev, bool *shared, struct option *options, size_t count,
                     const struct option *card, struct err *err);

/* Sets *id to a copy of the id of an -audiodev, or of the one that an -audio defines: QEMU's own
 * choice if it has none, or PIPE_AUDIODEV_ID if that is none either. False: out of memory. */
bool audiodev_id(char **id, const struct option *option);

/*
 * Takes those -audiodev, and -audio, that mean a host's sound system, which the engine does not
 * know: they are marked as changed. *audiodev becomes a copy of the first one's text, as -audiodev
 * has it, and *id of its id; the others are made silent by words in head, and *silenced becomes a
 * copy of the first such text, or NULL. Without any, *audiodev is NULL, and *id is that of the
 * first one which is the engine's, or NULL. On failure, too, all three are the caller's.
 */
bool audiodev_take_hosts(char **audiodev, char **id, char **silenced, struct arguments *head,
                         struct option *options, size_t count, struct err *err);

#endif
