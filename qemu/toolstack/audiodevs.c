/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "toolstack/audiodevs.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define AUDIODEVS_MAX 16

struct audiodev {
    struct option *option; /* -audiodev, or QEMU's short form -audio */
    char *text;            /* as -audiodev has it */
    char *id;              /* "" if it has none */
    bool named;            /* by something that stays with the engine */
};

struct audiodevs {
    struct audiodev list[AUDIODEVS_MAX];
    size_t count;
};

static void free_audiodevs(struct audiodevs *all)
{
    for (size_t i = 0; i < all->count; i++) {
        free(all->list[i].text);
        free(all->list[i].id);
    }
}

/* The text of -audio as -audiodev has it: without the model, with the id that QEMU gives it. */
static char *long_form(const char *text)
{
    static const char *const model[] = {"model", NULL};
    char *without = option_text_without(text, "driver", model);
    char *id = NULL, *with_id = NULL;

    if (!without || !option_text_get(without, "driver", "id", &id)) {
        free(without);
        return NULL;
    }
    if (id) {
        free(id);
        return without;
    }
    if (asprintf(&with_id, "%s,id=audiodev0", without) < 0)
        with_id = NULL;
    free(without);
    return with_id;
}

static bool add_audiodev(struct audiodevs *all, struct option *option, struct err *err)
{
    struct audiodev *dev = &all->list[all->count];

    if (*option->value == '{')
        return err_set(err, "-%s %.100s: write it as DRIVER,id=ID,KEY=VALUE,... instead of JSON",
                       option->name, option->value);
    if (all->count == AUDIODEVS_MAX)
        return err_set(err, "more than %d -audiodev options; leave out those that nothing uses",
                       AUDIODEVS_MAX);

    *dev = (struct audiodev){.option = option};
    all->count++;
    dev->text = option_is(option, "audio") ? long_form(option->value) : strdup(option->value);
    if (!dev->text || !option_text_get(dev->text, "driver", "id", &dev->id))
        return option_no_memory(err);
    if (!dev->id && !(dev->id = strdup("")))
        return option_no_memory(err);
    if (strcmp(dev->id, SILENT_AUDIODEV_ID) == 0)
        return err_set(err, "-%s %.100s: the id %s is qemu-dm's own; choose another", option->name,
                       option->value, SILENT_AUDIODEV_ID);
    return true;
}

/* All -audiodev, the card's own -audio model=es1370, and -audio without a model, which QEMU from
 * 8.2 on takes for every device. */
static bool find_audiodevs(struct audiodevs *all, struct option *options, size_t count,
                           const struct option *card, struct err *err)
{
    for (size_t i = 0; i < count; i++) {
        struct option *option = &options[i];
        bool wanted =
            option_is(option, "audiodev") || (option == card && option_is(option, "audio"));

        if (!wanted && option_is(option, "audio")) {
            char *model;

            if (!option_text_get(option->value, "driver", "model", &model))
                return option_no_memory(err);
            wanted = !model;
            free(model);
        }
        if (wanted && !add_audiodev(all, option, err))
            return false;
    }
    return true;
}

/* The audiodev that -global MODEL.audiodev=ID names, or NULL; *model_length is MODEL's. */
static const char *global_audiodev(const struct option *option, size_t *model_length)
{
    static const char property[] = ".audiodev=";
    const char *found = option_is(option, "global") ? strstr(option->value, property) : NULL;

    if (!found)
        return NULL;
    *model_length = (size_t)(found - option->value);
    return found + strlen(property);
}

static bool is_global_of_card(const struct option *option)
{
    static const char model[] = "ES1370";
    size_t length;

    return global_audiodev(option, &length) && length == strlen(model) &&
           strncasecmp(option->value, model, length) == 0;
}

/* Sets *id to a copy of the id that an option names, or to NULL. */
static bool named_by(char **id, const struct option *option)
{
    static const struct {
        const char *option;
        const char *implied;
        const char *key;
    } places[] = {
        {"device", "driver", "audiodev"}, {"machine", "type", "pcspk-audiodev"},
        {"M", "type", "pcspk-audiodev"},  {"vnc", "vnc", "audiodev"},
        {"display", "type", "audiodev"},
    };
    size_t length;
    const char *global = global_audiodev(option, &length);

    *id = NULL;
    if (global)
        return (*id = strdup(global)) != NULL;
    for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
        if (option_is(option, places[i].option))
            return option_text_get(option->value, places[i].implied, places[i].key, id);
    }
    return true;
}

static struct audiodev *find_id(struct audiodevs *all, const char *id)
{
    for (size_t i = 0; i < all->count; i++) {
        if (strcmp(all->list[i].id, id) == 0)
            return &all->list[i];
    }
    return NULL;
}

/* Notes what names an audiodev; *by_card becomes the id that the card names, or NULL. */
static bool read_names(struct audiodevs *all, char **by_card, struct option *options, size_t count,
                       const struct option *card, struct err *err)
{
    char *by_global = NULL;

    *by_card = NULL;
    for (size_t i = 0; i < count; i++) {
        struct option *option = &options[i];
        struct audiodev *dev;
        char *id;

        if (!named_by(&id, option)) {
            free(by_global);
            return option_no_memory(err);
        }
        if (option == card) {
            *by_card = id;
        } else if (is_global_of_card(option)) {
            option->changed = true;
            free(by_global);
            by_global = id;
        } else {
            dev = id ? find_id(all, id) : NULL;
            if (dev)
                dev->named = true;
            free(id);
        }
    }
    if (*by_card)
        free(by_global);
    else
        *by_card = by_global; /* in QEMU, too, the card's own property wins */
    return true;
}

static void list_ids(const struct audiodevs *all, char *text, size_t size)
{
    size_t used = 0;

    text[0] = '\0';
    for (size_t i = 0; i < all->count && used < size; i++) {
        const struct audiodev *dev = &all->list[i];
        int length = snprintf(text + used, size - used, "%s%.40s", i ? ", " : "",
                              *dev->id ? dev->id : dev->text);

        if (length < 0)
            return;
        used += (size_t)length;
    }
}

static bool choose(struct audiodev **chosen, struct audiodevs *all, const char *by_card,
                   const struct option *card, struct err *err)
{
    char ids[200];

    *chosen = NULL;
    for (size_t i = 0; i < all->count; i++) {
        if (all->list[i].option == card) {
            *chosen = &all->list[i];
            return true;
        }
    }
    list_ids(all, ids, sizeof(ids));
    if (by_card) {
        *chosen = find_id(all, by_card);
        if (!*chosen)
            return err_set(err,
                           "es1370 is to play to audiodev=%.100s, but no -audiodev has that id "
                           "(those given: %s)",
                           by_card, all->count ? ids : "none");
        return true;
    }
    for (size_t i = 0; i < all->count; i++) {
        struct audiodev *dev = &all->list[i];

        if (dev->named)
            continue;
        if (*chosen)
            return err_set(err,
                           "several -audiodev (%s) and nothing says which is es1370's; leave one, "
                           "or add -global ES1370.audiodev=ID",
                           ids);
        *chosen = dev;
    }
    return true;
}

/* user= is not QEMU's, and an audiodev that stays with the engine may not have it. */
static bool is_for_both(const struct audiodev *dev, struct err *err)
{
    char *user;

    if (!option_text_get(dev->text, "driver", "user", &user))
        return option_no_memory(err);
    if (!user)
        return true;
    free(user);
    return err_set(
        err,
        "-audiodev %.100s: another device has it, too, and user= is es1370's alone; give "
        "each an -audiodev of its own",
        dev->text);
}

bool audiodev_choose(char **audiodev, bool *shared, struct option *options, size_t count,
                     const struct option *card, struct err *err)
{
    struct audiodevs all = {.count = 0};
    struct audiodev *chosen;
    char *by_card = NULL;
    bool ok;

    *audiodev = NULL;
    *shared = false;
    ok = find_audiodevs(&all, options, count, card, err) &&
         read_names(&all, &by_card, options, count, card, err) &&
         choose(&chosen, &all, by_card, card, err) &&
         (!chosen || !chosen->named || is_for_both(chosen, err));
    if (ok && chosen) {
        *audiodev = chosen->text;
        chosen->text = NULL;
        *shared = chosen->named;
        if (!chosen->named)
            chosen->option->changed = true;
    }
    free(by_card);
    free_audiodevs(&all);
    return ok;
}

/* --- for the engine's cards --- */

static bool is_well_formed(const char *id)
{
    return *id &&
           id[strspn(id, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._")] ==
               '\0';
}

bool audiodev_id(char **id, const struct option *option)
{
    *id = NULL;
    if (!option_text_get(option->value, "driver", "id", id))
        return false;
    if (*id && is_well_formed(*id))
        return true;
    free(*id);
    *id = strdup(option_is(option, "audio") ? "audiodev0" : PIPE_AUDIODEV_ID);
    return *id != NULL;
}

/* Whether the option means a host's sound system: one that this program plays to, and the
 * distribution's engine does not. */
static bool is_hosts(bool *is, const struct option *option)
{
    static const char *const drivers[] = {"pa", "pipewire", "alsa", "oss"};
    char *driver;

    if (!option_text_get(option->value, "driver", "driver", &driver))
        return false;
    *is = false;
    for (size_t i = 0; driver && i < sizeof(drivers) / sizeof(drivers[0]); i++)
        *is = *is || strcmp(driver, drivers[i]) == 0;
    free(driver);
    return true;
}

/* One that is the host's. */
static bool take(char **audiodev, char **id, char **silenced, struct arguments *head,
                 struct option *option)
{
    char *text = option_is(option, "audio") ? long_form(option->value) : strdup(option->value);
    char *this_id = NULL;
    bool ok;

    if (!text || !audiodev_id(&this_id, option)) {
        free(text);
        return false;
    }
    option->changed = true;
    if (!*audiodev) {
        *audiodev = text;
        free(*id); /* one of the engine's */
        *id = this_id;
        return true;
    }
    ok = arguments_add(head, "-audiodev") && arguments_add_made(head, "none,id=%s", this_id);
    free(this_id);
    if (*silenced)
        free(text);
    else
        *silenced = text;
    return ok;
}

bool audiodev_take_hosts(char **audiodev, char **id, char **silenced, struct arguments *head,
                         struct option *options, size_t count, struct err *err)
{
    bool ok = true;

    *audiodev = *id = *silenced = NULL;
    for (size_t i = 0; ok && i < count; i++) {
        struct option *option = &options[i];
        bool is = false;

        if (!(option_is(option, "audiodev") || option_is(option, "audio")) || *option->value == '{')
            continue;
        ok = is_hosts(&is, option);
        if (ok && is)
            ok = take(audiodev, id, silenced, head, option);
        else if (ok && !*id)
            ok = audiodev_id(id, option);
    }
    return ok || option_no_memory(err);
}
