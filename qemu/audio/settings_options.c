/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "audio/settings_options.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/nearest.h"

/* The rings hold two seconds; who asks for less than a millisecond gets nothing in time. */
enum { MIN_LATENCY_US = 1000, MAX_LATENCY_US = 1000000 };

/* QEMU's default of OSS's buffer-count. */
enum { OSS_FRAGMENTS = 4 };

enum kind { TEXT, NUMBER, LATENCY, SWITCH, FORMAT };

enum effect {
    NONE,   /* QEMU's mixing and its timer, which we do without, and ALSA's and OSS's own queues */
    STORED, /* in settings, at member */
    BUFFER, /* sets the latency, where that is not given: see use_buffer */
};

struct option {
    const char *name;
    enum kind kind;
    const char *drivers; /* NULL: every driver has it */
    enum effect effect;
    size_t member;
};

#define AT(member) STORED, offsetof(struct audio_settings, member)

/* QEMU's, and user. */
static const struct option options[] = {
    {"id", TEXT, NULL, AT(id)},
    {"out.latency", LATENCY, NULL, AT(out_latency_us)},
    {"in.latency", LATENCY, "pa pipewire alsa oss", AT(in_latency_us)},
    {"server", TEXT, "pa", AT(server)},
    {"user", TEXT, "pa pipewire alsa oss", AT(user)},
    {"out.name", TEXT, "pa pipewire", AT(sink)},
    {"in.name", TEXT, "pa pipewire", AT(source)},
    {"out.stream-name", TEXT, "pa pipewire", AT(stream_name)},
    {"in.stream-name", TEXT, "pa pipewire", AT(in_stream_name)},
    {"out.dev", TEXT, "alsa oss", AT(sink)},
    {"in.dev", TEXT, "alsa oss", AT(source)},
    {"out.period-length", NUMBER, "alsa", AT(out_period_us)},
    {"in.period-length", NUMBER, "alsa", AT(in_period_us)},
    {"exclusive", SWITCH, "oss", AT(exclusive)},
    {"dsp-policy", NUMBER, "oss", AT(dsp_policy)},
    {"path", TEXT, "wav", AT(path)},
    {"out.buffer-length", NUMBER, NULL, BUFFER, 0},
    {"in.buffer-length", NUMBER, NULL, BUFFER, 0},
    {"out.buffer-count", NUMBER, "oss", BUFFER, 0},
    {"in.buffer-count", NUMBER, "oss", BUFFER, 0},

    {"timer-period", NUMBER, NULL, NONE, 0},
    {"out.mixing-engine", SWITCH, NULL, NONE, 0},
    {"out.fixed-settings", SWITCH, NULL, NONE, 0},
    {"out.frequency", NUMBER, NULL, NONE, 0},
    {"out.channels", NUMBER, NULL, NONE, 0},
    {"out.voices", NUMBER, NULL, NONE, 0},
    {"out.format", FORMAT, NULL, NONE, 0},
    {"in.mixing-engine", SWITCH, NULL, NONE, 0},
    {"in.fixed-settings", SWITCH, NULL, NONE, 0},
    {"in.frequency", NUMBER, NULL, NONE, 0},
    {"in.channels", NUMBER, NULL, NONE, 0},
    {"in.voices", NUMBER, NULL, NONE, 0},
    {"in.format", FORMAT, NULL, NONE, 0},
    {"threshold", NUMBER, "alsa", NONE, 0},
    {"out.try-poll", SWITCH, "alsa oss", NONE, 0},
    {"in.try-poll", SWITCH, "alsa oss", NONE, 0},
    {"try-mmap", SWITCH, "oss", NONE, 0},
};
enum { OPTIONS = sizeof(options) / sizeof(options[0]) };
_Static_assert(OPTIONS <= (int)AUDIO_OPTIONS_MAX, "there is room for all answers");

int audio_option_count(void)
{
    return OPTIONS;
}

const char *audio_option_name(int option)
{
    return options[option].name;
}

bool audio_option_has_effect(int option)
{
    return options[option].effect != NONE;
}

void audio_list_add(char *list, size_t size, const char *word)
{
    size_t used = strlen(list);

    snprintf(list + used, size - used, "%s%s", used ? ", " : "", word);
}

/* --- names --- */

bool audio_option_is_of(int option, const struct audio_driver *driver)
{
    size_t length = driver ? strlen(driver->name) : 0;

    for (const char *at = options[option].drivers; driver && at; at = strchr(at, ' ')) {
        at += *at == ' ';
        if (strncmp(at, driver->name, length) == 0 && strchr(" ", at[length])) {
            return true;
        }
    }
    return !driver || !options[option].drivers;
}

int audio_option_find(const struct audio_driver *driver, const char *name)
{
    for (int i = 0; i < OPTIONS; i++) {
        if (audio_option_is_of(i, driver) && strcmp(options[i].name, name) == 0) {
            return i;
        }
    }
    return -1;
}

bool audio_option_unknown(const struct audio_driver *driver, const char *name, struct err *err)
{
    struct nearest nearest = {.typed = name};
    char list[256] = "";

    for (int i = 0; i < OPTIONS; i++) {
        if (audio_option_is_of(i, driver)) {
            nearest_try(&nearest, options[i].name);
            if (options[i].effect == STORED) {
                audio_list_add(list, sizeof(list), options[i].name);
            }
        }
    }
    return nearest.word
               ? err_set(err, "-audiodev %s: there is no option '%.40s'; did you mean '%s'?",
                         driver->name, name, nearest.word)
               : err_set(err, "-audiodev %s: there is no option '%.40s'; there are %s",
                         driver->name, name, list);
}

bool audio_driver_unknown(const char *where, const char *name, struct err *err)
{
    struct nearest nearest = {.typed = name};
    char list[128] = "";

    for (const struct audio_driver *const *d = audio_drivers; *d; d++) {
        nearest_try(&nearest, (*d)->name);
        audio_list_add(list, sizeof(list), (*d)->name);
    }
    return err_set(err,
                   "%s: this build has no sound driver '%.40s'%s%s%s; it has %s. For another, "
                   "build with ./configure --audio-drv-list=NAME,...",
                   where, name, nearest.word ? " (did you mean '" : "",
                   nearest.word ? nearest.word : "", nearest.word ? "'?)" : "", list);
}

/* --- values --- */

static bool is_one_of(const char *const words[], const char *said, const char *value,
                      struct err *err)
{
    struct nearest nearest = {.typed = value};
    char list[128] = "";

    for (unsigned i = 0; words[i]; i++) {
        if (strcmp(value, words[i]) == 0) {
            return true;
        }
        nearest_try(&nearest, words[i]);
        audio_list_add(list, sizeof(list), words[i]);
    }
    return err_set(err, "%s=%.40s is none of %s%s%s%s", said, value, list,
                   nearest.word ? "; did you mean " : "", nearest.word ? nearest.word : "",
                   nearest.word ? "?" : "");
}

bool audio_option_check(int option, const struct audio_driver *driver, const char *said,
                        const char *value, struct err *err)
{
    static const char *const switches[] = {"on",    "off", "yes", "no", "true",
                                           "false", "y",   "n",   NULL};
    static const char *const formats[] = {"u8", "s8", "u16", "s16", "u32", "s32", "f32", NULL};
    char by_default[40] = "";
    char *end;
    unsigned long number;

    switch (options[option].kind) {
    case TEXT:
        return *value || err_set(err, "%s= is empty; give it a value or leave it away", said);
    case NUMBER:
    case LATENCY:
        errno = 0;
        number = strtoul(value, &end, 10);
        if (*value < '0' || *value > '9' || *end || errno || number > UINT32_MAX) {
            return err_set(err, "%s=%.40s is not a whole number%s", said, value,
                           options[option].kind == LATENCY ? " (of microseconds)" : "");
        }
        if (options[option].kind == NUMBER ||
            (number >= MIN_LATENCY_US && number <= MAX_LATENCY_US)) {
            return true;
        }
        if (driver) {
            snprintf(by_default, sizeof(by_default), ", and %u is the default",
                     driver->default_latency_us);
        }
        return err_set(err, "%s=%lu is not between %d and %d: it counts microseconds%s", said,
                       number, MIN_LATENCY_US, MAX_LATENCY_US, by_default);
    case SWITCH:
        return is_one_of(switches, said, value, err);
    case FORMAT:
        return is_one_of(formats, said, value, err);
    }
    return false;
}

/* --- answers --- */

bool audio_answers_note(struct audio_answers *answers, int option, const char *value,
                        struct err *err)
{
    char *copy = strdup(value);

    if (!copy) {
        return err_set(err, "no memory for the options of the host's sound");
    }
    free(answers->values[option]);
    answers->values[option] = copy;
    return true;
}

static bool is_on(const char *value)
{
    return *value == 'y' || *value == 't' || strcmp(value, "on") == 0;
}

/* The number answered to "out." or "in." NAME; otherwise 0. */
static uint64_t number(const struct audio_answers *answers, const char *direction, const char *name)
{
    char full[32];
    int option;

    snprintf(full, sizeof(full), "%s%s", direction, name);
    option = audio_option_find(NULL, full);
    return answers->values[option] ? strtoul(answers->values[option], NULL, 10) : 0;
}

/* In QEMU it is the length of the host's queue that bounds the delay. OSS has it in fragments. */
static void use_buffer(const struct audio_answers *answers, const struct audio_driver *driver,
                       const char *direction, uint32_t *latency_us)
{
    uint64_t us = number(answers, direction, "buffer-length");
    uint64_t count = number(answers, direction, "buffer-count");

    if (us == 0 || number(answers, direction, "latency")) {
        return;
    }
    if (strcmp(driver->name, "oss") == 0) {
        us *= count ? count : OSS_FRAGMENTS;
    }
    *latency_us = us < MIN_LATENCY_US   ? MIN_LATENCY_US
                  : us > MAX_LATENCY_US ? MAX_LATENCY_US
                                        : (uint32_t)us;
    log_info("%slatency is %u us, for %sbuffer-length allows %llu; %slatency=MICROSECONDS sets it",
             direction, *latency_us, direction, (unsigned long long)us, direction);
}

void audio_answers_apply(struct audio_answers *answers, struct audio_settings *settings)
{
    use_buffer(answers, settings->driver, "out.", &settings->out_latency_us);
    use_buffer(answers, settings->driver, "in.", &settings->in_latency_us);
    for (int i = 0; i < OPTIONS; i++) {
        const struct option *o = &options[i];
        void *member = (char *)settings + o->member;

        if (!answers->values[i] || o->effect != STORED) {
            continue;
        }
        if (o->kind == TEXT) {
            free(*(char **)member);
            *(char **)member = answers->values[i];
            answers->values[i] = NULL;
        } else if (o->kind == SWITCH) {
            *(bool *)member = is_on(answers->values[i]);
        } else {
            *(uint32_t *)member = (uint32_t)strtoul(answers->values[i], NULL, 10);
        }
    }
}

void audio_answers_free(struct audio_answers *answers)
{
    for (int i = 0; i < OPTIONS; i++) {
        free(answers->values[i]);
    }
    *answers = (struct audio_answers){{0}};
}
