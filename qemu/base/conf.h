/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A configuration file of lines "key = value". What is above the first section
 * is for all domains, what is in a section "[domain NAME]" for one.
 *
 *     # a comment, at the beginning or behind white space
 *     out.latency = 10000
 *     [domain winxp]
 *     out.stream-name = "Windows XP"     # quotes are left away
 */
#ifndef BASE_CONF_H
#define BASE_CONF_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

struct conf_line {
    const char *domain; /* NULL: for all */
    const char *key;
    const char *value;
};

/* All zero: an empty one. */
struct conf {
    char *text; /* the file, cut to the strings of the lines */
    struct conf_line *lines;
    size_t count;
};

/* Reads the file at path. A line that is none, or that check refuses with an err saying why, is
 * logged with its number and left out. False with err set when the file cannot be read (errno says
 * why; ENOENT: it is not there), and nothing to free. */
bool conf_read(struct conf *conf, const char *path,
               bool (*check)(const struct conf_line *line, struct err *err), struct err *err);

/* The value of a key for a domain: the last in its own section, or else above all sections. NULL:
 * there is none. domain may be NULL: only above. conf may be NULL. */
const char *conf_value(const struct conf *conf, const char *domain, const char *key);

void conf_free(struct conf *conf);

#endif
