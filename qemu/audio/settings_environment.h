/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The names in the environment by which QEMU up to 8.1 and the old qemu-dm
 * take what -audiodev takes. Only for audio/settings.c.
 */
#ifndef AUDIO_SETTINGS_ENVIRONMENT_H
#define AUDIO_SETTINGS_ENVIRONMENT_H

#include <stdbool.h>

#include "audio/driver.h"
#include "audio/settings_options.h"
#include "base/err.h"

/* Where the environment names the driver. */
#define AUDIO_DRIVER_VARIABLE "QEMU_AUDIO_DRV"

/* Notes what the environment says for driver, and logs what it used and what is without effect.
 * overruled: there is an -audiodev, beside which only qemu-dm's own names (QEMU_DM_) count. False,
 * with err naming the variable. */
bool audio_environment_read(struct audio_answers *answers, const struct audio_driver *driver,
                            bool overruled, struct err *err);

#endif
