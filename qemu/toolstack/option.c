/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "toolstack/option.h"

#include <stdlib.h>
#include <string.h>

size_t options_read(struct option *options, const char *const args[], size_t arg_count)
{
    size_t count = 0;

    for (size_t i = 0; i < arg_count;) {
        struct option *option = &options[count++];
        const char *arg = args[i];

        *option = (struct option){.args = &args[i], .arg_count = 1};
        if (arg[0] == '-') {
            const struct known_option *known;

            option->name = arg + (arg[1] == '-' ? 2 : 1);
            known = option_find(option->name);
            if (known)
                option->use = known->use;
            if (known && known->takes_value && i + 1 < arg_count) {
                option->value = args[i + 1];
                option->arg_count = 2;
            }
        }
        i += option->arg_count;
    }
    return count;
}

bool option_add_to(const struct option *option, struct arguments *arguments)
{
    if (option->use == OPTION_KEPT || !option->changed)
        return arguments_add_all(arguments, option->args, option->arg_count);
    if (option->use == OPTION_CONSUMED)
        return true;
    return arguments_add_all(arguments, (const char *const *)option->instead.list,
                             option->instead.count);
}

void options_clear(struct option *options, size_t count)
{
    for (size_t i = 0; i < count; i++)
        arguments_free(&options[i].instead);
}

bool option_is(const struct option *option, const char *name)
{
    return option->value && strcmp(option->name, name) == 0;
}

struct item {
    const char *key;
    size_t key_length;
    const char *value; /* as written, with its doubled commas */
    size_t value_length;
    const char *end; /* of the item in the text: a comma or the text's end */
};

static bool key_is(const struct item *item, const char *key)
{
    return strlen(key) == item->key_length && memcmp(key, item->key, item->key_length) == 0;
}

/* Reads the item at text, implied being the key of one without; returns where the next one
 * begins, or NULL if there is none at text. */
static const char *read_item(const char *text, const char *implied, struct item *item)
{
    size_t key_length = strcspn(text, "=,");

    if (*text == '\0')
        return NULL;

    *item = (struct item){.key = text, .key_length = key_length};
    if (text[key_length] != '=' && !implied) {
        item->value = "on";
        item->value_length = 2;
        item->end = text + key_length;
    } else {
        if (text[key_length] == '=') {
            text += key_length + 1;
        } else {
            item->key = implied;
            item->key_length = strlen(implied);
        }
        item->value = text;
        while (*text != '\0' && (*text != ',' || text[1] == ','))
            text += *text == ',' ? 2 : 1;
        item->value_length = (size_t)(text - item->value);
        item->end = text;
    }
    return *item->end == ',' ? item->end + 1 : item->end;
}

static char *copy_value(const struct item *item)
{
    char *copy = malloc(item->value_length + 1);
    char *to = copy;

    if (!copy)
        return NULL;
    for (size_t i = 0; i < item->value_length; i++) {
        *to++ = item->value[i];
        if (item->value[i] == ',')
            i++;
    }
    *to = '\0';
    return copy;
}

bool option_text_get(const char *text, const char *implied, const char *key, char **value)
{
    struct item item, found = {0};

    while ((text = read_item(text, implied, &item)) != NULL) {
        implied = NULL;
        if (key_is(&item, key))
            found = item;
    }
    *value = NULL;
    if (!found.key)
        return true;
    *value = copy_value(&found);
    return *value != NULL;
}

char *option_text_without(const char *text, const char *implied, const char *const keys[])
{
    char *copy = malloc(strlen(text) + 1);
    char *to = copy;
    struct item item;

    if (!copy)
        return NULL;
    for (const char *next; (next = read_item(text, implied, &item)) != NULL; text = next) {
        size_t length = (size_t)(item.end - text);
        bool left_out = false;

        implied = NULL;
        for (size_t i = 0; keys[i]; i++)
            left_out = left_out || key_is(&item, keys[i]);
        if (left_out)
            continue;
        if (to != copy)
            *to++ = ',';
        memcpy(to, text, length);
        to += length;
    }
    *to = '\0';
    return copy;
}

bool option_no_memory(struct err *err)
{
    return err_set(err, "out of memory while reading the command line");
}
