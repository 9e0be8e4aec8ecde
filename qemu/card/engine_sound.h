/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the engine's own sound cards play, on its way to the host: a process,
 * forked by the supervisor, that reads the pipe into which the engine writes.
 *
 * The engine writes with its guest halted meanwhile, so whatever happens there
 * is somebody who reads.
 */
#ifndef CARD_ENGINE_SOUND_H
#define CARD_ENGINE_SOUND_H

#include <stdbool.h>
#include <sys/types.h>

#include "audio/settings.h"
#include "base/err.h"
#include "sandbox/user.h"

struct engine_sound {
    pid_t pid; /* 0: none */
    int pipe;  /* our copy of the end that is read, for another process; -1: none */
};

/* Forks the process, which becomes the user and plays what comes by the pipe's end (S16 stereo at
 * 48 kHz, behind WAV headers) until the engine and everybody else has closed the other; if it
 * cannot play it says so in the log, and reads all the same. The end is taken over, and nobody that
 * is started later inherits it. The caller's copy of the other end has to be closed once the engine
 * has it. False with err set: nobody reads, so the engine must not be given the pipe. Not from a
 * process with threads. */
bool engine_sound_start(struct engine_sound *s, const struct audio_settings *settings,
                        const struct user *user, int pipe_read_end, struct err *err);

/* The process has died (waitpid has said so): another reads in its place, and plays nothing. */
void engine_sound_died(struct engine_sound *s);

/* After the engine has ended. Waits for the process, at most three seconds before it is killed. No
 * effect if there is none. */
void engine_sound_stop(struct engine_sound *s);

#endif
