/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "toolstack/engine_cards.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "toolstack/audiodevs.h"
#include "toolstack/device_models.h"

static bool is_json(const struct option *option)
{
    return option_is(option, "device") && *option->value == '{';
}

/* The model of the sound card in a -device that is JSON, which is not read beyond its words. */
static const char *json_model(const char *text)
{
    char word[40];

    for (unsigned i = 0; model_that_plays(i); i++) {
        snprintf(word, sizeof(word), "\"%s\"", model_that_plays(i));
        if (strcasestr(text, word))
            return model_that_plays(i);
    }
    return NULL;
}

/* The model that this option makes a card of; NULL: none. */
static bool get_model(char **model, const struct option *option)
{
    *model = NULL;
    if (is_json(option)) {
        const char *found = json_model(option->value);

        return !found || (*model = strdup(found)) != NULL;
    }
    if (option_is(option, "device")) {
        if (!option_text_get(option->value, "driver", "driver", model))
            return false;
        if (*model && !model_plays(*model)) {
            free(*model);
            *model = NULL;
        }
        return true;
    }
    if (option_is(option, "audio"))
        return option_text_get(option->value, "driver", "model", model);
    if (option_is(option, "soundhw"))
        return (*model = strdup(option->value)) != NULL;
    return true;
}

bool engine_cards_find(char **model, const struct option *options, size_t count, struct err *err)
{
    *model = NULL;
    for (size_t i = 0; i < count && !*model; i++) {
        if (!get_model(model, &options[i]))
            return option_no_memory(err);
        if (*model && model_is_es1370(*model)) {
            free(*model);
            *model = NULL;
        }
    }
    return true;
}

/* Whether -global names an audiodev for this model. */
static bool global_names(const struct option *options, size_t count, const char *model)
{
    size_t length = strlen(model);

    for (size_t i = 0; i < count; i++) {
        if (option_is(&options[i], "global") && strncasecmp(options[i].value, model, length) == 0 &&
            strncmp(options[i].value + length, ".audiodev=", 10) == 0)
            return true;
    }
    return false;
}

static bool connect_device(struct option *option, const char *model, const char *id)
{
    char *named = NULL;
    bool ok;

    if (is_json(option)) {
        if (strstr(option->value, "\"audiodev\""))
            return true;
        option->changed = true;
        return arguments_add_all(&option->instead, option->args, option->arg_count) &&
               arguments_add(&option->instead, "-global") &&
               arguments_add_made(&option->instead, "%s.audiodev=%s", model, id);
    }
    if (!option_text_get(option->value, "driver", "audiodev", &named))
        return false;
    ok = true;
    if (!named) {
        option->changed = true;
        ok = arguments_add(&option->instead, "-device") &&
             arguments_add_made(&option->instead, "%s,audiodev=%s", option->value, id);
    }
    free(named);
    return ok;
}

/* The devices of a card by its name for -soundhw and -audio. */
static bool add_devices(struct arguments *head, char **unknown, const char *name, const char *id)
{
    const char *const *devices = model_devices(name);
    bool ok = true;

    if (!devices)
        return *unknown || (*unknown = strdup(name)) != NULL;
    for (; ok && *devices; devices++) {
        ok = arguments_add(head, "-device") &&
             (model_plays(*devices) ? arguments_add_made(head, "%s,audiodev=%s", *devices, id)
                                    : arguments_add(head, *devices));
    }
    return ok;
}

/* names: with commas between. */
static bool replace_soundhw(struct arguments *head, char **unknown, struct option *option,
                            char *names, const char *id)
{
    option->changed = true;
    for (const char *name; (name = strsep(&names, ",")) != NULL;) {
        if (!add_devices(head, unknown, name, id))
            return false;
    }
    return true;
}

static bool connect_card(struct arguments *head, char **unknown, struct option *option, char *model,
                         const char *id)
{
    char *own = NULL;
    bool ok = true;

    if (option_is(option, "device"))
        return connect_device(option, model, id);
    if (option_is(option, "soundhw"))
        return replace_soundhw(head, unknown, option, model, id);
    if (!option->changed)
        return true; /* an -audio of the engine's own */
    ok = audiodev_id(&own, option) && add_devices(head, unknown, model, own);
    free(own);
    return ok;
}

bool engine_cards_connect(struct arguments *head, char **unknown, struct option *options,
                          size_t count, const char *id, struct err *err)
{
    bool ok = true;

    *unknown = NULL;
    for (size_t i = 0; ok && i < count; i++) {
        char *model;

        ok = get_model(&model, &options[i]);
        if (ok && model && !model_is_es1370(model) && !global_names(options, count, model))
            ok = connect_card(head, unknown, &options[i], model, id);
        free(model);
    }
    return ok || option_no_memory(err);
}
