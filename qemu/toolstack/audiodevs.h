/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef TOOLSTACK_AUDIODEVS_H
#define TOOLSTACK_AUDIODEVS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "toolstack/option.h"

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

#endif
