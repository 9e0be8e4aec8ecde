/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "host_conf.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "audio/settings.h"
#include "base/log.h"
#include "base/nearest.h"
#include "sandbox/find_user.h"

static bool no_such_key(const char *key, struct err *err)
{
    static const char *const ours[] = {"engine", "debug"};
    struct nearest nearest = {.typed = key};
    const char *name;

    for (unsigned i = 0; i < sizeof(ours) / sizeof(ours[0]); i++) {
        nearest_try(&nearest, ours[i]);
    }
    for (unsigned i = 0; (name = audio_settings_key(i)); i++) {
        nearest_try(&nearest, name);
    }
    return nearest.word
               ? err_set(err, "there is no key '%.40s'; did you mean '%s'?", key, nearest.word)
               : err_set(err, "there is no key '%.40s'; man 5 qemu-dm.conf lists them", key);
}

/* engine and debug are needed before it is known which domain this is. */
static bool check_ours(const struct conf_line *line, struct err *err)
{
    if (line->domain) {
        return err_set(err, "'%s' is for all domains: write it above the first section", line->key);
    }
    if (strcmp(line->key, "engine") == 0) {
        return *line->value == '/' || err_set(err, "engine=%.60s is no absolute path", line->value);
    }
    return strcmp(line->value, "on") == 0 || strcmp(line->value, "off") == 0 ||
           err_set(err, "debug=%.40s is neither on nor off", line->value);
}

static bool check(const struct conf_line *line, struct err *err)
{
    struct user_host host;
    bool known;

    if (strcmp(line->key, "engine") == 0 || strcmp(line->key, "debug") == 0) {
        return check_ours(line, err);
    }
    if (!audio_settings_check(line, &known, err)) {
        return known ? false : no_such_key(line->key, err);
    }
    host = user_host_here();
    return strcmp(line->key, "user") != 0 || user_check(line->value, &host, err);
}

void host_conf_read(struct conf *conf)
{
    const char *named = getenv("QEMU_DM_CONF");
    struct err err;

    if (!conf_read(conf, named ? named : HOST_CONF_PATH, check, &err) &&
        (named || errno != ENOENT)) {
        log_error("%s; the defaults are those of qemu-dm itself", err.text);
    }
}

bool host_conf_debug(const struct conf *conf)
{
    const char *debug = conf_value(conf, NULL, "debug");

    return debug && strcmp(debug, "on") == 0;
}
