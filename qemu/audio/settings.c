/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "audio/settings.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "audio/driver.h"
#include "base/log.h"

/* The rings hold two seconds; who asks for less than a millisecond gets nothing in time. */
enum { MIN_LATENCY_US = 1000, MAX_LATENCY_US = 1000000 };

enum kind { TEXT, NUMBER, LATENCY, SWITCH, FORMAT };

struct option {
    const char *name;
    enum kind kind;
    const char *drivers;                                       /* NULL: every driver has it */
    void (*set)(struct audio_settings *settings, char *value); /* NULL: without effect here */
};

static void replace(char **to, char *value)
{
    free(*to);
    *to = value;
}

static void set_id(struct audio_settings *s, char *value)
{
    replace(&s->id, value);
}

static void set_server(struct audio_settings *s, char *value)
{
    replace(&s->server, value);
}

static void set_sink(struct audio_settings *s, char *value)
{
    replace(&s->sink, value);
}

static void set_stream_name(struct audio_settings *s, char *value)
{
    replace(&s->stream_name, value);
}

static void set_path(struct audio_settings *s, char *value)
{
    replace(&s->path, value);
}

static void set_out_latency(struct audio_settings *s, char *value)
{
    s->out_latency_us = (uint32_t)strtoul(value, NULL, 10);
    free(value);
}

static void set_source(struct audio_settings *s, char *value)
{
    replace(&s->source, value);
}

static void set_in_stream_name(struct audio_settings *s, char *value)
{
    replace(&s->in_stream_name, value);
}

static void set_in_latency(struct audio_settings *s, char *value)
{
    s->in_latency_us = (uint32_t)strtoul(value, NULL, 10);
    free(value);
}

/* QEMU's. Those without effect are about its own mixing and its timer, which we do without, or
 * about queues that the latency decides here; they are checked all the same. */
static const struct option options[] = {
    {"id", TEXT, NULL, set_id},
    {"out.latency", LATENCY, NULL, set_out_latency},
    {"in.latency", LATENCY, "pa pipewire alsa oss", set_in_latency},
    {"server", TEXT, "pa", set_server},
    {"out.name", TEXT, "pa pipewire", set_sink},
    {"in.name", TEXT, "pa pipewire", set_source},
    {"out.stream-name", TEXT, "pa pipewire", set_stream_name},
    {"in.stream-name", TEXT, "pa pipewire", set_in_stream_name},
    {"out.dev", TEXT, "alsa oss", set_sink},
    {"in.dev", TEXT, "alsa oss", set_source},
    {"path", TEXT, "wav", set_path},

    {"timer-period", NUMBER, NULL, NULL},
    {"out.mixing-engine", SWITCH, NULL, NULL},
    {"out.fixed-settings", SWITCH, NULL, NULL},
    {"out.frequency", NUMBER, NULL, NULL},
    {"out.channels", NUMBER, NULL, NULL},
    {"out.voices", NUMBER, NULL, NULL},
    {"out.format", FORMAT, NULL, NULL},
    {"out.buffer-length", NUMBER, NULL, NULL},
    {"in.mixing-engine", SWITCH, NULL, NULL},
    {"in.fixed-settings", SWITCH, NULL, NULL},
    {"in.frequency", NUMBER, NULL, NULL},
    {"in.channels", NUMBER, NULL, NULL},
    {"in.voices", NUMBER, NULL, NULL},
    {"in.format", FORMAT, NULL, NULL},
    {"in.buffer-length", NUMBER, NULL, NULL},
    {"threshold", NUMBER, "alsa", NULL},
    {"out.period-length", NUMBER, "alsa", NULL},
    {"in.period-length", NUMBER, "alsa", NULL},
    {"out.try-poll", SWITCH, "alsa oss", NULL},
    {"in.try-poll", SWITCH, "alsa oss", NULL},
    {"out.buffer-count", NUMBER, "oss", NULL},
    {"in.buffer-count", NUMBER, "oss", NULL},
    {"try-mmap", SWITCH, "oss", NULL},
    {"exclusive", SWITCH, "oss", NULL},
    {"dsp-policy", NUMBER, "oss", NULL},
};
enum { OPTIONS = sizeof(options) / sizeof(options[0]), LONGEST_NAME = 32 };

/* Adds a formatted word to a text, as far as it fits. */
static void append(char *text, size_t size, const char *fmt, const char *word)
{
    size_t used = strlen(text);

    snprintf(text + used, size - used, fmt, word);
}

/* --- names, and the nearest right one --- */

static unsigned least(unsigned a, unsigned b, unsigned c)
{
    unsigned ab = a < b ? a : b;

    return ab < c ? ab : c;
}

/* How many letters must be added, taken away or changed to make one of the other (Levenshtein). */
static unsigned distance(const char *a, const char *b)
{
    unsigned row[LONGEST_NAME + 1];
    size_t length = strlen(b);

    if (length > LONGEST_NAME || strlen(a) > LONGEST_NAME) {
        return LONGEST_NAME;
    }
    for (unsigned j = 0; j <= length; j++) {
        row[j] = j;
    }
    for (unsigned i = 1; a[i - 1]; i++) {
        unsigned diagonal = row[0];

        row[0] = i;
        for (unsigned j = 1; j <= length; j++) {
            unsigned above = row[j];

            row[j] = least(above + 1, row[j - 1] + 1, diagonal + (a[i - 1] != b[j - 1]));
            diagonal = above;
        }
    }
    return row[length];
}

static bool has_option(const struct audio_driver *driver, const struct option *option)
{
    size_t length = strlen(driver->name);

    for (const char *at = option->drivers; at; at = strchr(at, ' ')) {
        at += *at == ' ';
        if (strncmp(at, driver->name, length) == 0 && strchr(" ", at[length])) {
            return true;
        }
    }
    return !option->drivers;
}

static const struct option *find_option(const struct audio_driver *driver, const char *name)
{
    for (unsigned i = 0; i < OPTIONS; i++) {
        if (has_option(driver, &options[i]) && strcmp(options[i].name, name) == 0) {
            return &options[i];
        }
    }
    return NULL;
}

static bool unknown_option(const struct audio_driver *driver, const char *name, struct err *err)
{
    const struct option *nearest = NULL;
    unsigned best = 4; /* more mistakes than three are another word */
    char list[256] = "";

    for (unsigned i = 0; i < OPTIONS; i++) {
        const struct option *o = &options[i];
        unsigned d = distance(name, o->name);

        if (has_option(driver, o) && d < best && d < strlen(o->name) / 2 + 1) {
            best = d;
            nearest = o;
        }
        if (has_option(driver, o) && o->set) {
            append(list, sizeof(list), *list ? ", %s" : "%s", o->name);
        }
    }
    return nearest ? err_set(err, "-audiodev %s: there is no option '%.40s'; did you mean '%s'?",
                             driver->name, name, nearest->name)
                   : err_set(err, "-audiodev %s: there is no option '%.40s'; there are %s",
                             driver->name, name, list);
}

static bool unknown_driver(const char *name, struct err *err)
{
    const char *nearest = NULL;
    unsigned best = 3;
    char list[128] = "";

    for (const struct audio_driver *const *d = audio_drivers; *d; d++) {
        unsigned away = distance(name, (*d)->name);

        if (away < best && away < strlen((*d)->name)) {
            best = away;
            nearest = (*d)->name;
        }
        append(list, sizeof(list), *list ? ", %s" : "%s", (*d)->name);
    }
    return err_set(
        err,
        "-audiodev: this build has no sound driver '%.40s'%s%s%s; it has %s. For another, "
        "build with ./configure --audio-drv-list=NAME,...",
        name, nearest ? " (did you mean '" : "", nearest ? nearest : "", nearest ? "'?)" : "",
        list);
}

/* --- values --- */

static bool check_value(const struct audio_driver *driver, const struct option *o,
                        const char *value, struct err *err)
{
    static const char *const switches[] = {"on", "off", "yes", "no", "true", "false", "y", "n"};
    static const char *const formats[] = {"u8", "s8", "u16", "s16", "u32", "s32", "f32"};
    char *end;
    unsigned long number;

    switch (o->kind) {
    case TEXT:
        return *value ||
               err_set(err, "-audiodev %s: %s= is empty; give it a value or leave it away",
                       driver->name, o->name);
    case NUMBER:
    case LATENCY:
        errno = 0;
        number = strtoul(value, &end, 10);
        if (*value < '0' || *value > '9' || *end || errno || number > UINT32_MAX) {
            return err_set(err, "-audiodev %s: %s=%.40s is not a whole number", driver->name,
                           o->name, value);
        }
        if (o->kind == LATENCY && (number < MIN_LATENCY_US || number > MAX_LATENCY_US)) {
            return err_set(err,
                           "-audiodev %s: %s=%lu is not between %d and %d: it counts microseconds, "
                           "and %u is the default",
                           driver->name, o->name, number, MIN_LATENCY_US, MAX_LATENCY_US,
                           driver->default_latency_us);
        }
        return true;
    case SWITCH:
        for (unsigned i = 0; i < sizeof(switches) / sizeof(switches[0]); i++) {
            if (strcmp(value, switches[i]) == 0) {
                return true;
            }
        }
        return err_set(err, "-audiodev %s: %s=%.40s is neither on nor off", driver->name, o->name,
                       value);
    case FORMAT:
        for (unsigned i = 0; i < sizeof(formats) / sizeof(formats[0]); i++) {
            if (strcmp(value, formats[i]) == 0) {
                return true;
            }
        }
        return err_set(err, "-audiodev %s: %s=%.40s is none of u8, s8, u16, s16, u32, s32, f32",
                       driver->name, o->name, value);
    }
    return false;
}

/* --- the text --- */

/* Cuts the next item off, at a comma that is not doubled, and undoubles the others. Returns it, in
 * place, and moves *text behind it; NULL at the end. */
static char *next_item(char **text)
{
    char *item = *text, *to = item, *from = item;

    if (!item) {
        return NULL;
    }
    while (*from && !(*from == ',' && from[1] != ',')) {
        from += *from == ',';
        *to++ = *from++;
    }
    *text = *from ? from + 1 : NULL;
    *to = '\0';
    return item;
}

static bool take_option(struct audio_settings *settings, char *item, char *unused, size_t size,
                        struct err *err)
{
    char *value = strchr(item, '=');
    const struct option *option;
    char *copy;

    if (!value) {
        return err_set(err, "-audiodev %s: '%.40s' has no value; options are key=value",
                       settings->driver->name, item);
    }
    *value++ = '\0';
    option = find_option(settings->driver, item);
    if (!option) {
        return unknown_option(settings->driver, item, err);
    }
    if (!check_value(settings->driver, option, value, err)) {
        return false;
    }
    if (!option->set) {
        append(unused, size, *unused ? ", %s" : "%s", option->name);
        return true;
    }
    copy = strdup(value);
    if (!copy) {
        return err_set(err, "-audiodev: no memory");
    }
    option->set(settings, copy);
    return true;
}

/* text is changed. */
static bool parse(struct audio_settings *settings, char *text, struct err *err)
{
    char *name = next_item(&text);
    char unused[256] = "";
    char *item;

    if (strncmp(name, "driver=", 7) == 0) {
        name += 7;
    }
    settings->driver = audio_driver_find(name);
    if (!settings->driver) {
        return unknown_driver(name, err);
    }
    settings->out_latency_us = settings->in_latency_us = settings->driver->default_latency_us;
    while ((item = next_item(&text))) {
        if (!take_option(settings, item, unused, sizeof(unused), err)) {
            return false;
        }
    }
    if (!settings->id) {
        return err_set(err,
                       "-audiodev %s: it needs an id, which the sound card is given too: "
                       "-audiodev %s,id=snd0 -device ES1370,audiodev=snd0",
                       name, name);
    }
    if (*unused) {
        log_info("-audiodev %s: without effect here: %s", name, unused);
    }
    return true;
}

bool audio_settings_parse(struct audio_settings *settings, const char *text, struct err *err)
{
    char first[64];
    char *copy;
    bool ok;

    *settings = (struct audio_settings){0};
    if (!text) {
        snprintf(first, sizeof(first), "%s,id=audio0", audio_drivers[0]->name);
        text = first;
    }
    copy = strdup(text);
    ok = copy ? parse(settings, copy, err) : err_set(err, "-audiodev: no memory");
    free(copy);
    if (!ok) {
        audio_settings_free(settings);
    }
    return ok;
}

void audio_settings_free(struct audio_settings *settings)
{
    free(settings->id);
    free(settings->server);
    free(settings->sink);
    free(settings->stream_name);
    free(settings->source);
    free(settings->in_stream_name);
    free(settings->path);
    *settings = (struct audio_settings){0};
}
