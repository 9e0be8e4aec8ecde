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

uint32_t audio_latency_frames(const struct audio_settings *settings,
                              const struct pcm_format *format)
{
    uint64_t frames = (uint64_t)settings->out_latency_us * format->rate / 1000000;

    return frames > 0 ? (uint32_t)frames : 1;
}

uint32_t audio_chunk_frames(const struct audio_settings *settings, const struct pcm_format *format)
{
    uint32_t latency = audio_latency_frames(settings, format);

    /* An eighth of it; 64 frames if that is less; but half of it at most (the chip can be as slow
     * as 172 Hz). */
    if (latency >= 8 * 64) {
        return latency / 8;
    }
    return latency >= 2 * 64 ? 64 : (latency + 1) / 2;
}
