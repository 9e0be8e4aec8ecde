/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "card/sound_user.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "audio/driver.h"
#include "base/log.h"
#include "sandbox/find_user.h"

static bool is(const struct audio_settings *settings, const char *driver)
{
    return strcmp(settings->driver->name, driver) == 0;
}

/* Through ALSA and OSS root may as well reach the hardware, to which a user who is not logged in
 * has no access. */
static bool may_be_hardware(const struct audio_settings *settings)
{
    return is(settings, "alsa") || is(settings, "oss");
}

/* The hardware that the sound goes to, as somebody has said; NULL: nobody has. */
static const char *device_of(const struct audio_settings *settings)
{
    const char *device = may_be_hardware(settings) ? settings->sink : NULL;

    return device && (strstr(device, "hw:") || strncmp(device, "/dev/", 5) == 0) ? device : NULL;
}

/* Where somebody has said that the sound goes, for the driver or for its library; NULL: nowhere.
 * ALSA and OSS may go to either server. */
static const char *place_of(const struct audio_settings *settings)
{
    const char *remote = getenv("PIPEWIRE_REMOTE"); /* a name, or a path */
    const char *place = settings->server;

    if (device_of(settings)) {
        return device_of(settings);
    }
    if (!place && !is(settings, "pipewire")) {
        place = getenv("PULSE_SERVER");
        place = place ? place : getenv("PULSE_RUNTIME_PATH");
    }
    if (!place && !is(settings, "pa")) {
        place = getenv("PIPEWIRE_RUNTIME_DIR");
        place = place ? place : remote && *remote == '/' ? remote : NULL;
    }
    return place;
}

bool sound_user_folder(const struct audio_settings *settings, char *folder, size_t size)
{
    const char *path = settings->path ? settings->path : "";
    const char *slash = strrchr(path, '/');
    int length = slash ? (int)(slash - path) + (slash == path) : 1;

    return is(settings, "wav") &&
           snprintf(folder, size, "%.*s", length, slash ? path : ".") < (int)size;
}

/* Of a driver that goes to nobody's server. */
static void find_without_server(struct user *user, const struct audio_settings *settings,
                                const struct user_host *host)
{
    char folder[4096];

    *user = (struct user){.change = false};
    if (sound_user_folder(settings, folder, sizeof(folder))) {
        user_of_file(user, folder, host);
    } else if (is(settings, "none")) {
        user_nobody(user, host);
    }
    if (user->change) {
        log_debug("%s runs as user %u", settings->driver->name, user->uid);
    }
}

bool sound_user_find(struct user *user, const struct audio_settings *settings, struct err *err)
{
    const struct user_host host = user_host_here();
    const struct user_wish wish = {
        .user = settings->user,
        .place = place_of(settings),
        .running = may_be_hardware(settings),
        .device = device_of(settings) != NULL,
    };
    const char *driver = settings->driver->name;
    char why[160];

    if (!settings->user) {
        find_without_server(user, settings, &host);
        return true;
    }
    if (!user_find(user, &wish, &host, why, sizeof(why), err)) {
        return false;
    }
    if (user->change) {
        log_info("%s plays as user %u%s%s: %s", driver, user->uid, *user->name ? ", " : "",
                 user->name, why);
    } else if (*why) {
        log_info("%s plays as root: %s", driver, why);
    }
    return true;
}
