/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "audio/driver.h"

#include <string.h>

#include "config.h"

/* The order is configure's; each of qemu/audio/drivers/NAME.c defines audio_driver_NAME. */
#define DECLARE(name) extern const struct audio_driver audio_driver_##name;
CONFIG_AUDIO_DRIVERS(DECLARE)
DECLARE(none)
DECLARE(wav)

#define POINTER(name) &audio_driver_##name,
const struct audio_driver *const audio_drivers[] = {
    CONFIG_AUDIO_DRIVERS(POINTER)
    POINTER(none)
    POINTER(wav)
    NULL,
};

const struct audio_driver *audio_driver_find(const char *name)
{
    for (const struct audio_driver *const *d = audio_drivers; *d; d++) {
        if (strcmp((*d)->name, name) == 0) {
            return *d;
        }
    }
    return NULL;
}
