/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * QEMU's command line as a list of options, and the text of one option.
 *
 * Pure functions on strings; any thread.
 */
#ifndef TOOLSTACK_OPTION_H
#define TOOLSTACK_OPTION_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

struct option {
    const char *name;        /* without its dashes; NULL: a bare word, QEMU's disk image */
    const char *value;       /* NULL: takes none, or the command line ends before it */
    const char *const *args; /* the arguments it was read from, 1 or 2 */
    size_t arg_count;
    bool dropped; /* the engine must not see it */
};

/* Whether QEMU's option NAME (without dashes) is followed by a value. */
bool option_takes_value(const char *name);

/* Reads args (without the program's name) into options, which has room for arg_count of them.
 * Returns how many there are. The options point into args. */
size_t options_read(struct option *options, const char *const args[], size_t arg_count);

/* Whether this is -NAME, or --NAME, and has its value. */
bool option_is(const struct option *option, const char *name);

/*
 * The text of an option is a list of KEY=VALUE with commas between; a doubled comma is a comma in a
 * value, a KEY alone means KEY=on, and the first item may be a VALUE alone, of the key that is
 * implied.
 */

/* Sets *value to a copy of the value of the last KEY, its doubled commas undone, or to NULL if
 * there is none. False: out of memory. implied may be NULL. */
bool option_text_get(const char *text, const char *implied, const char *key, char **value);

/* A copy of text without the items of these keys (a list ended by NULL); NULL: out of memory. */
char *option_text_without(const char *text, const char *implied, const char *const keys[]);

/* Sets err for the two above; false. */
bool option_no_memory(struct err *err);

#endif
