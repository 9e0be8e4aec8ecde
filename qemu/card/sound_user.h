/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef CARD_SOUND_USER_H
#define CARD_SOUND_USER_H

#include <stdbool.h>
#include <stddef.h>

#include "audio/settings.h"
#include "base/err.h"
#include "sandbox/user.h"

/* Finds whose sound server the settings mean, and says so in the log; where it is nobody's, who may
 * do no more than that takes. False with err set: they name somebody who is not there, or whom we
 * cannot become. Not in a process with threads. */
bool sound_user_find(struct user *user, const struct audio_settings *settings, struct err *err);

/* The folder to which what plays writes files. False: to none, or its name is longer than size. */
bool sound_user_folder(const struct audio_settings *settings, char *folder, size_t size);

#endif
