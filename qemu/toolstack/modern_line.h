/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The modern command line, as old_machine.c and those beside it write it. */
#ifndef TOOLSTACK_MODERN_LINE_H
#define TOOLSTACK_MODERN_LINE_H

#include "toolstack/arguments.h"
#include "toolstack/old_line.h"

struct modern_line {
    struct arguments words;
    bool failed; /* out of memory, at some time */
};

/* Adds one argument; after a failure nothing more. */
void modern_add(struct modern_line *a, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Adds -NAME TEXT, unless text is NULL. */
void modern_add_pair(struct modern_line *a, const char *option, const char *text);

/* A copy of text with its commas doubled, for a value among others; to be freed. NULL: no memory,
 * and then a has failed and takes no more arguments. */
char *modern_escape(struct modern_line *a, const char *text);

/* old_network.c: the network cards, or -net none. */
void modern_add_networks(struct modern_line *a, const struct old_line *line);

/* old_display.c: -vnc and -display. */
void modern_add_display(struct modern_line *a, const struct old_line *line);

/* old_disks.c */
void modern_add_scsi_controller(struct modern_line *a, const struct old_facts *facts);
void modern_add_disks(struct modern_line *a, const struct old_line *line,
                      const struct old_facts *facts);

#endif
