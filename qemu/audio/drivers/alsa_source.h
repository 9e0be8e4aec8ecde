/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef AUDIO_DRIVERS_ALSA_SOURCE_H
#define AUDIO_DRIVERS_ALSA_SOURCE_H

#include "audio/driver.h"

/* ALSA as a source, for audio_driver_alsa. */
extern const struct audio_recorder alsa_recorder;

#endif
