/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "engine/unplug.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <jansson.h>

#include "base/clock.h"
#include "base/log.h"

/* How long the guest may take, before it is said that it does not. */
#define PATIENCE_NS (60 * NS_PER_S)

/* Between two looks whether it has. */
#define LOOK_NS (2 * NS_PER_S)

/* For the engine's answer, once it has greeted. */
#define ANSWER_NS (10 * NS_PER_S)

/* Where QEMU keeps the devices that have an id. */
#define PERIPHERAL "/machine/peripheral"

static void disconnect(struct unplug *u)
{
    if (unplug_fd(u) >= 0) {
        close(u->fd);
    }
    u->step = UNPLUG_OVER;
}

/* The last word, if it cannot be done. */
static void fail(struct unplug *u, const char *why)
{
    log_warn("the guest keeps a silent sound card until its next start, for it cannot be "
             "unplugged: %s",
             why);
    disconnect(u);
}

static bool connect_engine(struct unplug *u, struct err *err)
{
    int fd = engine_socket_connect(u->engine, err);

    if (fd < 0) {
        return false;
    }
    u->fd = fd;
    u->step = UNPLUG_GREETING;
    memset(&u->stream, 0, sizeof(u->stream));
    return true;
}

/* --- what is said --- */

/* arguments are stolen, and may be NULL. */
static void say(struct unplug *u, const char *command, json_t *arguments, enum unplug_step next)
{
    json_t *message = json_pack("{s:s, s:o*}", "execute", command, "arguments", arguments);
    char *text = message ? json_dumps(message, JSON_COMPACT) : NULL;
    size_t size = text ? strlen(text) : 0;

    json_decref(message);
    if (!text) {
        fail(u, "no memory to ask the engine");
    } else if (send(u->fd, text, size, MSG_DONTWAIT | MSG_NOSIGNAL) != (ssize_t)size) {
        /* Of an empty socket, so short a message fills a part. */
        fail(u, "the engine cannot be written to");
    } else {
        u->step = next;
    }
    free(text);
}

static void ask(struct unplug *u)
{
    if (u->asked) {
        say(u, "qom-list", json_pack("{s:s}", "path", PERIPHERAL), UNPLUG_ANSWER);
    } else {
        say(u, "device_del", json_pack("{s:s}", "id", u->device), UNPLUG_ANSWER);
    }
}

/* --- what is heard --- */

static void rest(struct unplug *u, uint64_t now)
{
    disconnect(u);
    u->step = UNPLUG_RESTS;
    u->next_ns = now + LOOK_NS;
}

static bool is_listed(const json_t *devices, const char *name)
{
    const json_t *device;
    size_t i;

    json_array_foreach(devices, i, device)
    {
        const char *other = json_string_value(json_object_get(device, "name"));

        if (other && strcmp(other, name) == 0) {
            return true;
        }
    }
    return false;
}

static void hear_answer(struct unplug *u, const json_t *value)
{
    uint64_t now = clock_now_ns();

    if (!u->asked) {
        log_info("the guest is asked to let go of its sound card");
        u->asked = true;
        u->until_ns = now + PATIENCE_NS;
        rest(u, now);
    } else if (!is_listed(value, u->device)) {
        log_info("the guest has let go of its sound card, which is unplugged");
        disconnect(u);
    } else if (now >= u->until_ns) {
        log_warn("the guest has not let go of its sound card within %d s, as one without ACPI "
                 "never does: it keeps a silent one until it is started anew",
                 (int)(PATIENCE_NS / NS_PER_S));
        disconnect(u);
    } else {
        rest(u, now);
    }
}

static void hear_message(struct unplug *u, const json_t *message)
{
    const json_t *error = json_object_get(message, "error");
    const json_t *value = json_object_get(message, "return");

    if (json_object_get(message, "QMP")) {
        /* An engine that is just starting may greet twice. */
        u->next_ns = clock_now_ns() + ANSWER_NS;
        say(u, "qmp_capabilities", NULL, UNPLUG_CAPABILITIES);
    } else if (error) {
        const char *words = json_string_value(json_object_get(error, "desc"));

        fail(u, words ? words : "the engine refuses, and says not why");
    } else if (value && u->step == UNPLUG_CAPABILITIES) {
        ask(u);
    } else if (value && u->step == UNPLUG_ANSWER) {
        hear_answer(u, value);
    }
}

static void hear_text(struct unplug *u)
{
    json_t *message = json_loadb(u->stream.text, u->stream.size, 0, NULL);

    hear_message(u, message); /* NULL is no message at all */
    json_decref(message);
}

/* No more than that at once: the caller has others to serve. */
static void hear(struct unplug *u)
{
    char bytes[4096];
    ssize_t got = recv(u->fd, bytes, sizeof(bytes), MSG_DONTWAIT);

    if (got == 0 || (got < 0 && errno != EAGAIN && errno != EINTR)) {
        fail(u, "the engine has closed its QMP connection; its last words are in this log");
    }
    for (ssize_t i = 0; i < got && unplug_fd(u) >= 0; i++) {
        if (qmp_stream_next(&u->stream, bytes[i]) == QMP_STREAM_MESSAGE) {
            hear_text(u);
        }
    }
}

/* --- its life --- */

bool unplug_begin(struct unplug *u, const struct engine_socket *engine, const char *device,
                  struct err *err)
{
    u->step = UNPLUG_OVER;
    u->engine = engine;
    u->device = device;
    u->asked = false;
    if (engine->place < 0) {
        return err_set(err,
                       "there is no QMP connection to the engine: the toolstack's command line "
                       "has no -chardev with id=libxl-cmd, or see above");
    }
    return connect_engine(u, err);
}

int unplug_fd(const struct unplug *u)
{
    return u->step >= UNPLUG_GREETING ? u->fd : -1;
}

uint64_t unplug_wake(const struct unplug *u)
{
    return u->step == UNPLUG_OVER || u->step == UNPLUG_GREETING ? UINT64_MAX : u->next_ns;
}

void unplug_serve(struct unplug *u)
{
    struct err err;

    if (unplug_fd(u) >= 0) {
        hear(u);
    }
    if (clock_now_ns() < unplug_wake(u)) {
        return;
    }
    if (u->step != UNPLUG_RESTS) {
        fail(u, "the engine has not answered");
    } else if (!connect_engine(u, &err)) {
        fail(u, err.text);
    }
}

void unplug_end(struct unplug *u)
{
    disconnect(u);
}
