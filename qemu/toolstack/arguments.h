/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef TOOLSTACK_ARGUMENTS_H
#define TOOLSTACK_ARGUMENTS_H

#include <stdbool.h>
#include <stddef.h>

/* A list of words that grows; all zeros is an empty one. The words are its own. */
struct arguments {
    char **list; /* ended by NULL; NULL: there has never been one */
    size_t count;
    size_t room;
};

/* Adds a copy of the word. False: out of memory. */
bool arguments_add(struct arguments *arguments, const char *word);

/* Adds a word that is made as by printf. False: out of memory. */
bool arguments_add_made(struct arguments *arguments, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Adds copies of count words. False: out of memory. */
bool arguments_add_all(struct arguments *arguments, const char *const words[], size_t count);

void arguments_free(struct arguments *arguments);

#endif
