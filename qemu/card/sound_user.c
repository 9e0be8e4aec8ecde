/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "card/sound_user.h"

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

/* Where somebody has said that the sound goes, for the driver or for its library; NULL: nowhere.
 * ALSA and OSS may go to either server. */
static const char *place_of(const struct audio_settings *settings)
{
    const char *device = may_be_hardware(settings) ? settings->sink : NULL;
    const char *remote = getenv("PIPEWIRE_REMOTE"); /* a name, or a path */
    const char *place = settings->server;

    if (device && (strstr(device, "hw:") || strncmp(device, "/dev/", 5) == 0)) {
        return device;
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

bool sound_user_find(struct user *user, const struct audio_settings *settings, struct err *err)
{
    const struct user_host host = user_host_here();
    const struct user_wish wish = {
        .user = settings->user, .place = place_of(settings), .running = may_be_hardware(settings)};
    const char *driver = settings->driver->name;
    char why[160];

    *user = (struct user){.change = false};
    if (!settings->user) { /* the driver goes to nobody's server */
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
