/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Why something failed, in words for the person who has to mend it.
 *
 * A function that can fail takes a struct err, fills it and returns false, NULL
 * or a negative number; the caller decides whether to log it, to go on, or to
 * hand it up. The text says what was tried, what went wrong and what to do.
 */
#ifndef BASE_ERR_H
#define BASE_ERR_H

#include <stdbool.h>

struct err {
    char text[512];
};

/* Fills err (which may be NULL) from a printf format, cut to fit. Returns false, so that a
 * caller can write: return err_set(err, ...). Any thread. */
bool err_set(struct err *err, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

#endif
