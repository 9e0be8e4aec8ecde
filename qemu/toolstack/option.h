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
#include "toolstack/arguments.h"

/* What may happen to an option on its way to the engine. */
enum option_use {
    OPTION_KEPT,      /* it arrives as it came, whatever it says; the program may read it */
    OPTION_REWRITTEN, /* it arrives as it came, or with other words in its place */
    OPTION_CONSUMED,  /* it arrives as it came, or not at all */
};

struct known_option {
    const char *name; /* without its dashes */
    bool takes_value; /* the next argument belongs to it */
    enum option_use use;
};

/* Every option there is, in the order of strcmp. */
extern const struct known_option known_options[];
extern const size_t known_option_count;

struct option {
    const char *name;        /* without its dashes; NULL: a bare word, QEMU's disk image */
    const char *value;       /* NULL: takes none, or the command line ends before it */
    const char *const *args; /* the arguments it was read from, 1 or 2 */
    size_t arg_count;
    enum option_use use;
    bool changed;             /* the engine sees these instead; not with OPTION_KEPT */
    struct arguments instead; /* none with OPTION_CONSUMED */
};

/* What is known of the option NAME (without dashes); NULL: nothing, so that it stands alone and is
 * kept. */
const struct known_option *option_find(const char *name);

/* Reads args (without the program's name) into options, which has room for arg_count of them.
 * Returns how many there are. The options point into args. */
size_t options_read(struct option *options, const char *const args[], size_t arg_count);

/* Adds what the engine sees of them. False: out of memory. */
bool option_add_to(const struct option *option, struct arguments *arguments);

/* Frees what they have been given since. */
void options_clear(struct option *options, size_t count);

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
