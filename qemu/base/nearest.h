/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What somebody meant who mistyped a word: the nearest of those there are.
 * nearest_try is called with each of them; then word is the nearest, or NULL
 * where none is near enough.
 */
#ifndef BASE_NEAREST_H
#define BASE_NEAREST_H

struct nearest {
    const char *typed;
    const char *word;
    unsigned mistakes; /* from typed to word */
};

/* The word must outlive n. Words longer than 40 letters are never near. */
void nearest_try(struct nearest *n, const char *word);

#endif
