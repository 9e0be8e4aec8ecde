/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "toolstack/modern_line.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void modern_add(struct modern_line *a, const char *fmt, ...)
{
    char *text;
    va_list ap;

    if (a->failed)
        return;
    va_start(ap, fmt);
    if (vasprintf(&text, fmt, ap) < 0)
        text = NULL;
    va_end(ap);
    a->failed = !text || !arguments_add(&a->words, text);
    free(text);
}

void modern_add_pair(struct modern_line *a, const char *option, const char *text)
{
    if (text) {
        modern_add(a, "%s", option);
        modern_add(a, "%s", text);
    }
}

char *modern_escape(struct modern_line *a, const char *text)
{
    char *escaped = malloc(2 * strlen(text) + 1);
    char *to = escaped;

    if (!escaped) {
        a->failed = true;
        return NULL;
    }
    for (; *text; text++) {
        if (*text == ',')
            *to++ = ',';
        *to++ = *text;
    }
    *to = '\0';
    return escaped;
}
