/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the supervisor's children that play to the host have in common: the card, and what plays
 * the engine's sound.
 */
#ifndef CARD_SOUND_PROCESS_H
#define CARD_SOUND_PROCESS_H

#include <stdbool.h>
#include <sys/types.h>

#include "audio/settings.h"
#include "base/err.h"
#include "sandbox/user.h"

/* The child's first act after fork: of what it has inherited only the descriptor keep stays, and
 * no signal of the toolstack's reaches it. */
void sound_process_begin(int keep);

/* The second: on time as far as the host lets it be, which the log says, and with no privilege but
 * what becoming the user takes (sandbox/confine.h). False with err set: it must not go on. */
bool sound_process_confine(const struct audio_settings *settings, const struct user *user,
                           struct err *err);

/* The supervisor's last: waits for a child that has been told to end, at most three seconds before
 * it is killed. what names it, for the log. */
void sound_process_end(pid_t pid, const char *what);

#endif
