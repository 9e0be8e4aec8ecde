/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The options of -audiodev as a table, and what one place says of them: the
 * command line, the environment or the configuration file. Only for
 * audio/settings*.c.
 */
#ifndef AUDIO_SETTINGS_OPTIONS_H
#define AUDIO_SETTINGS_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>

#include "audio/driver.h"
#include "audio/settings.h"
#include "base/err.h"

/* Numbers of options are from 0 up to, not including, audio_option_count(). */
enum { AUDIO_OPTIONS_MAX = 48 };

/* Checked values, by the number of the option; NULL: not given. Owned by the struct. */
struct audio_answers {
    char *values[AUDIO_OPTIONS_MAX];
};

int audio_option_count(void);

const char *audio_option_name(int option);

/* Whether a driver (NULL: any at all) has it. */
bool audio_option_is_of(int option, const struct audio_driver *driver);

/* The number of a driver's (NULL: any driver's) option; -1: there is none. */
int audio_option_find(const struct audio_driver *driver, const char *name);

/* False: QEMU's, and nothing here depends on it. */
bool audio_option_has_effect(int option);

/* Sets err to what to write instead of an option that driver does not have; false. */
bool audio_option_unknown(const struct audio_driver *driver, const char *name, struct err *err);

/* Sets err to what to write instead of a driver that this build does not have. where is where it
 * was said: "-audiodev". False. */
bool audio_driver_unknown(const char *where, const char *name, struct err *err);

/* Whether a value is one of the option's. said, in the message, is where and how the option was
 * named: "-audiodev pa: out.latency". driver, whose default is named, may be NULL. */
bool audio_option_check(int option, const struct audio_driver *driver, const char *said,
                        const char *value, struct err *err);

/* Notes a checked value, in place of one that was noted before. False: no memory. */
bool audio_answers_note(struct audio_answers *answers, int option, const char *value,
                        struct err *err);

/* Carries the answers over into settings, whose driver is set; the strings move there. */
void audio_answers_apply(struct audio_answers *answers, struct audio_settings *settings);

void audio_answers_free(struct audio_answers *answers);

/* Adds a word to a list, behind a comma, as far as it fits. */
void audio_list_add(char *list, size_t size, const char *word);

#endif
