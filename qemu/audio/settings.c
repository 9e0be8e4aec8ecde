/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "audio/settings.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "audio/driver.h"
#include "audio/settings_environment.h"
#include "audio/settings_options.h"
#include "base/log.h"

/* --- the text of -audiodev --- */

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

static const struct audio_driver *read_driver(char **text, struct err *err)
{
    const char *name = next_item(text);
    const struct audio_driver *driver;

    if (strncmp(name, "driver=", 7) == 0) {
        name += 7;
    }
    driver = audio_driver_find(name);
    if (!driver) {
        audio_driver_unknown("-audiodev", name, err);
    }
    return driver;
}

static bool read_item(struct audio_answers *answers, const struct audio_driver *driver, char *item,
                      struct err *err)
{
    char *value = strchr(item, '=');
    char said[80];
    int option;

    if (!value) {
        return err_set(err, "-audiodev %s: '%.40s' has no value; options are key=value",
                       driver->name, item);
    }
    *value++ = '\0';
    option = audio_option_find(driver, item);
    if (option < 0) {
        return audio_option_unknown(driver, item, err);
    }
    snprintf(said, sizeof(said), "-audiodev %s: %s", driver->name, item);
    return audio_option_check(option, driver, said, value, err) &&
           audio_answers_note(answers, option, value, err);
}

/* text, what is left behind the driver, is changed. */
static bool read_items(struct audio_answers *answers, const struct audio_driver *driver, char *text,
                       struct err *err)
{
    char unused[256] = "";
    char *item;

    while ((item = next_item(&text))) {
        if (!read_item(answers, driver, item, err)) {
            return false;
        }
    }
    if (!answers->values[audio_option_find(driver, "id")]) {
        return err_set(err,
                       "-audiodev %s: it needs an id, which the sound card is given too: "
                       "-audiodev %s,id=snd0 -device ES1370,audiodev=snd0",
                       driver->name, driver->name);
    }
    for (int i = 0; i < audio_option_count(); i++) {
        if (answers->values[i] && !audio_option_has_effect(i)) {
            audio_list_add(unused, sizeof(unused), audio_option_name(i));
        }
    }
    if (*unused) {
        log_info("-audiodev %s: without effect here: %s", driver->name, unused);
    }
    return true;
}

/* --- the configuration file --- */

static bool read_conf(struct audio_answers *answers, const struct audio_driver *driver,
                      const struct conf *conf, const char *domain, struct err *err)
{
    char used[512] = "";

    for (int i = 0; i < audio_option_count(); i++) {
        const char *value = conf_value(conf, domain, audio_option_name(i));

        /* What the file says of other drivers is for when they are chosen. */
        if (value && audio_option_is_of(i, driver)) {
            if (!audio_answers_note(answers, i, value, err)) {
                return false;
            }
            audio_list_add(used, sizeof(used), audio_option_name(i));
        }
    }
    if (*used) {
        log_info("used of the configuration file: %s", used);
    }
    return true;
}

bool audio_settings_check(const struct conf_line *line, bool *known, struct err *err)
{
    bool is_driver = strcmp(line->key, "driver") == 0;
    int option = audio_option_find(NULL, line->key);

    *known = is_driver || option >= 0;
    if (is_driver) {
        return audio_driver_find(line->value) || audio_driver_unknown("driver", line->value, err);
    }
    return *known && audio_option_check(option, NULL, line->key, line->value, err);
}

const char *audio_settings_key(unsigned number)
{
    return number == 0                                ? "driver"
           : number <= (unsigned)audio_option_count() ? audio_option_name((int)number - 1)
                                                      : NULL;
}

/* --- all together --- */

/* The driver where there is no -audiodev. */
static const struct audio_driver *choose_driver(const struct conf *conf, const char *domain,
                                                struct err *err)
{
    const char *variable = getenv(AUDIO_DRIVER_VARIABLE);
    const char *name = variable ? variable : conf_value(conf, domain, "driver");
    const struct audio_driver *driver = name ? audio_driver_find(name) : audio_drivers[0];

    if (!driver) {
        audio_driver_unknown(variable ? AUDIO_DRIVER_VARIABLE : "driver", name, err);
    }
    return driver;
}

/* text, which may be NULL, is changed. alone: nothing else counts. */
static bool choose(struct audio_settings *settings, char *text, bool alone, const struct conf *conf,
                   const char *domain, struct err *err)
{
    struct audio_answers of_conf = {0}, of_environment = {0}, of_text = {0};
    int user = audio_option_find(NULL, "user");
    bool has_text = text != NULL, ok;

    settings->driver = text    ? read_driver(&text, err)
                       : alone ? audio_drivers[0]
                               : choose_driver(conf, domain, err);
    if (!settings->driver) {
        return false;
    }
    settings->out_latency_us = settings->in_latency_us = settings->driver->default_latency_us;
    settings->dsp_policy = -1;
    ok = audio_answers_note(&of_conf, audio_option_find(NULL, "id"), "audio0", err) &&
         (!audio_option_is_of(user, settings->driver) ||
          audio_answers_note(&of_conf, user, "auto", err)) &&
         read_conf(&of_conf, settings->driver, conf, domain, err) &&
         (alone || audio_environment_read(&of_environment, settings->driver, has_text, err)) &&
         (!has_text || read_items(&of_text, settings->driver, text, err));
    if (ok) { /* what is carried over later wins */
        audio_answers_apply(&of_conf, settings);
        audio_answers_apply(&of_environment, settings);
        audio_answers_apply(&of_text, settings);
    }
    audio_answers_free(&of_conf);
    audio_answers_free(&of_environment);
    audio_answers_free(&of_text);
    return ok;
}

static bool choose_from_copy(struct audio_settings *settings, const char *text, bool alone,
                             const struct conf *conf, const char *domain, struct err *err)
{
    char *copy = text ? strdup(text) : NULL;
    bool ok;

    *settings = (struct audio_settings){0};
    ok = text && !copy ? err_set(err, "-audiodev: no memory")
                       : choose(settings, copy, alone, conf, domain, err);
    free(copy);
    if (!ok) {
        audio_settings_free(settings);
    }
    return ok;
}

bool audio_settings_parse(struct audio_settings *settings, const char *text, struct err *err)
{
    return choose_from_copy(settings, text, true, NULL, NULL, err);
}

bool audio_settings_choose(struct audio_settings *settings, const char *text,
                           const struct conf *conf, const char *domain, struct err *err)
{
    return choose_from_copy(settings, text, false, conf, domain, err);
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
    free(settings->user);
    *settings = (struct audio_settings){0};
}
