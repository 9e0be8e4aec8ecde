/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef AUDIO_DRIVERS_PA_SOURCE_H
#define AUDIO_DRIVERS_PA_SOURCE_H

#include "audio/driver.h"

/* PulseAudio as a source, for audio_driver_pa. */
extern const struct audio_recorder pa_recorder;

#endif
