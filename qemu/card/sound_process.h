/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the supervisor's children that play to the host have in common: the card, and what plays
 * the engine's sound.
 */
#ifndef CARD_SOUND_PROCESS_H
#define CARD_SOUND_PROCESS_H

#include <sys/types.h>

/* The child's first act after fork: of what it has inherited only the descriptor keep stays, no
 * signal of the toolstack's reaches it, and it can gain no privileges. Before it has threads. */
void sound_process_begin(int keep);

/* The supervisor's last: waits for a child that has been told to end, at most three seconds before
 * it is killed. what names it, for the log. */
void sound_process_end(pid_t pid, const char *what);

#endif
