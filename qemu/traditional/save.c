/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * save, continue and log-dirty: how a domain is saved and migrated.
 *
 * libxl does not look at how "save" went: it waits a minute for "paused", then takes the file as it
 * is, and says "continue" only to a device model that has said "paused". A save that fails must
 * therefore leave no file, and a machine that runs.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "traditional/conversation_private.h"

/* What the toolstack waits; the guest's writes are on their way to a disk that may be slow. */
#define SAVE_ANSWER_NS (60 * NS_PER_S)

/* The engine writes its state through fd. It must be for writing only: QEMU picks a passed
 * descriptor by its access mode. */
static bool write_state(struct qmp_client *client, int fd, struct err *err)
{
    json_t *passed = qmp_client_ask(client, "add-fd", NULL, fd, err);
    json_int_t set;
    char name[40];

    if (!passed) {
        return false;
    }
    set = json_integer_value(json_object_get(passed, "fdset-id"));
    json_decref(passed);
    snprintf(name, sizeof(name), "/dev/fdset/%lld", (long long)set);
    /* live: the disks are let go too, as the domain may go on somewhere else; `cont` takes them
     * back. */
    return engine_do(client, err, "xen-save-devices-state", "{s:s, s:b}", "filename", name, "live",
                     1);
}

static bool save_into_file(struct conversation *c, struct qmp_client *client, struct err *err)
{
    int fd;

    if (!engine_do(client, err, "stop", NULL)) {
        return false;
    }
    c->settings.hooks.stopped(c->settings.hooks.opaque);
    fd = open(c->save_path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0) {
        return err_set(err, "cannot make %s: %s", c->save_path, strerror(errno));
    }
    if (!write_state(client, fd, err)) {
        close(fd);
        return false;
    }
    if (lseek(fd, 0, SEEK_END) <= 0) {
        close(fd);
        return err_set(err, "the engine has written nothing into %s", c->save_path);
    }
    c->settings.hooks.saved(c->settings.hooks.opaque, fd);
    if (close(fd) < 0) {
        return err_set(err, "cannot write %s: %s", c->save_path, strerror(errno));
    }
    return true;
}

bool machine_continue(struct conversation *c, struct qmp_client *client, struct err *err)
{
    c->settings.hooks.continued(c->settings.hooks.opaque);
    if (!engine_do(client, err, "cont", NULL)) {
        return false;
    }
    c->paused = false;
    return true;
}

void save_state(struct conversation *c)
{
    struct qmp_client *client;
    struct err err, why;
    bool saved = false;

    /* One that an earlier save has left. */
    unlink(c->save_path);
    client = conversation_engine(c, &err);
    if (client) {
        qmp_client_allow(client, SAVE_ANSWER_NS);
        saved = save_into_file(c, client, &err);
    }
    if (saved) {
        c->paused = true;
        conversation_say(c, "state", "paused");
    } else {
        conversation_complain(c, "the domain cannot be saved and goes on: %s", err.text);
        unlink(c->save_path);
        if (client && !machine_continue(c, client, &why)) {
            conversation_complain(c, "it cannot go on; destroy it: %s", why.text);
        }
    }
    qmp_client_close(client);
}

void continue_after_save(struct conversation *c)
{
    struct err err;
    struct qmp_client *client = conversation_engine(c, &err);

    if (client) {
        qmp_client_allow(client, SAVE_ANSWER_NS);
    }
    if (client && machine_continue(c, client, &err)) {
        /* The engine says so when it starts to run, but not if it has run all the time. */
        conversation_say(c, "state", "running");
    } else {
        conversation_complain(c, "the domain cannot go on; destroy it: %s", err.text);
    }
    qmp_client_close(client);
    cd_drives_update(c);
}

void log_dirty(struct conversation *c)
{
    char *command = conversation_read(c, "logdirty/cmd");
    bool enable = command && strcmp(command, "enable") == 0;
    struct qmp_client *client;
    struct err err;

    if (!command) {
        return; /* the toolstack has heard the answer */
    }
    if (!enable && strcmp(command, "disable") != 0) {
        conversation_complain(c,
                              "the toolstack's log-dirty command \"%.40s\" is not known, and "
                              "ignored",
                              command);
        free(command);
        return;
    }
    client = conversation_engine(c, &err);
    if (client && engine_do(client, &err, "xen-set-global-dirty-log", "{s:b}", "enable", enable)) {
        conversation_say(c, "logdirty/ret", command);
    } else {
        /* Any other word ends the toolstack's wait. */
        conversation_say(c, "logdirty/ret", "failed");
        conversation_complain(c,
                              "the domain cannot be migrated, for its memory cannot be watched "
                              "(log-dirty %s): %s",
                              command, err.text);
    }
    qmp_client_close(client);
    free(command);
}
