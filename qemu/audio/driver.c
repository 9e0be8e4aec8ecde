/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "audio/driver.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "config.h"

/* The order is configure's; each of qemu/audio/drivers/NAME.c defines audio_driver_NAME. */
#define DECLARE(name) extern const struct audio_driver audio_driver_##name;
CONFIG_AUDIO_DRIVERS(DECLARE)
DECLARE(none)
DECLARE(wav)

#define POINTER(name) &audio_driver_##name,
const struct audio_driver *const audio_drivers[] = {
    CONFIG_AUDIO_DRIVERS(POINTER) POINTER(none) POINTER(wav) NULL,
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

bool audio_user_is_here(struct err *err)
{
    const char *folder = getenv("XDG_RUNTIME_DIR");

    return !folder || access(folder, F_OK) == 0 ||
           err_set(err, "%s is not there: its user is not logged in", folder);
}

uint32_t audio_latency_frames(const struct audio_settings *settings,
                              const struct pcm_format *format)
{
    uint64_t frames = (uint64_t)settings->out_latency_us * format->rate / 1000000;

    return frames > 0 ? (uint32_t)frames : 1;
}

uint64_t audio_chunk_ns(const struct audio_settings *settings)
{
    uint64_t ns = settings->out_latency_us * NS_PER_US / 4;

    return ns < NS_PER_MS / 2 ? NS_PER_MS / 2 : ns > 20 * NS_PER_MS ? 20 * NS_PER_MS : ns;
}

uint64_t audio_longest_ns(const struct audio_settings *settings)
{
    uint64_t ns = settings->out_latency_us * NS_PER_US;

    /* Virtual machines and busy hosts stall by up to some 40 ms. */
    return ns + (ns > 45 * NS_PER_MS ? ns : 45 * NS_PER_MS);
}
