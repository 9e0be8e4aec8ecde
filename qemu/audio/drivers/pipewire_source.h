/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef AUDIO_DRIVERS_PIPEWIRE_SOURCE_H
#define AUDIO_DRIVERS_PIPEWIRE_SOURCE_H

#include "audio/driver.h"

/* PipeWire as a source, for audio_driver_pipewire. */
extern const struct audio_recorder pipewire_recorder;

#endif
