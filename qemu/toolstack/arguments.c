/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "toolstack/arguments.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Takes the word over, which is NULL if there was no memory for it. */
static bool add(struct arguments *arguments, char *word)
{
    if (!word)
        return false;
    if (arguments->count + 2 > arguments->room) {
        size_t room = arguments->room ? 2 * arguments->room : 8;
        char **list = realloc(arguments->list, room * sizeof(*list));

        if (!list) {
            free(word);
            return false;
        }
        arguments->list = list;
        arguments->room = room;
    }
    arguments->list[arguments->count++] = word;
    arguments->list[arguments->count] = NULL;
    return true;
}

bool arguments_add(struct arguments *arguments, const char *word)
{
    return add(arguments, strdup(word));
}

bool arguments_add_made(struct arguments *arguments, const char *format, ...)
{
    char *word;
    va_list values;

    va_start(values, format);
    if (vasprintf(&word, format, values) < 0)
        word = NULL;
    va_end(values);
    return add(arguments, word);
}

bool arguments_add_all(struct arguments *arguments, const char *const words[], size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (!arguments_add(arguments, words[i]))
            return false;
    }
    return true;
}

void arguments_free(struct arguments *arguments)
{
    for (size_t i = 0; i < arguments->count; i++)
        free(arguments->list[i]);
    free(arguments->list);
    *arguments = (struct arguments){.list = NULL};
}
