/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Plays what comes by the engine's pipe.
 *
 * The engine writes as fast as its guest's time goes by, a C library's buffer at
 * a time: 1024 frames, 21 ms, every two or three of its audio timer's ticks. So
 * frames wait in an intake until they can be passed on one by one, on a clock
 * that follows the host's sink as the card's does. That clock and the engine's
 * differ a little; single frames are dropped or repeated for it.
 *
 * The buffer's last part, up to 21 ms of a sound's end, stays in the engine until
 * it plays again.
 */
#ifndef CARD_ENGINE_SOUND_PLAYER_H
#define CARD_ENGINE_SOUND_PLAYER_H

#include <stdbool.h>

#include "audio/settings.h"
#include "base/err.h"

/* Returns when the last writer has closed the pipe: true; or false with err set when it cannot go
 * on. */
bool engine_sound_play(const struct audio_settings *settings, int pipe, struct err *err);

#endif
