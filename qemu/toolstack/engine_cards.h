/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The sound cards that the engine emulates: all but the es1370.
 *
 * Where the distribution's engine can play to no host, and with none named may refuse to start,
 * each of them is given an -audiodev: a pipe that we play from, or silence.
 */
#ifndef TOOLSTACK_ENGINE_CARDS_H
#define TOOLSTACK_ENGINE_CARDS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "toolstack/arguments.h"
#include "toolstack/option.h"

/* Sets *model to a copy of the first one's model, or to NULL if there is none. */
bool engine_cards_find(char **model, const struct option *options, size_t count, struct err *err);

/*
 * Gives every card that names no -audiodev the one with this id. Cards of -soundhw, which newer
 * engines do not know, and of an -audio that has been changed are made anew, by -device in head;
 * *unknown becomes a copy of the first of their names that means nothing, or NULL, and such are
 * left out. On failure, too, *unknown is the caller's.
 */
bool engine_cards_connect(struct arguments *head, char **unknown, struct option *options,
                          size_t count, const char *id, struct err *err);

#endif
