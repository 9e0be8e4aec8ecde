/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef AUDIO_DRIVERS_OSS_SOURCE_H
#define AUDIO_DRIVERS_OSS_SOURCE_H

#include "audio/driver.h"

/* An OSS device as a source, for audio_driver_oss. */
extern const struct audio_recorder oss_recorder;

#endif
