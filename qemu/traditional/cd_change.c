/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * CD change: the toolstack writes the params of the drive's backend, "" first, then the new medium.
 *
 * What is read here is dom0's: the guest can write its frontend's nodes, and is asked only whether
 * a drive of an old toolstack that says it nowhere else is a CD's. Drives come and go with the
 * domain.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "traditional/conversation_private.h"

/* Of dom0's, in which a guest's disks may be. */
static const char *const backend_kinds[] = {"qdisk", "vbd", "tap"};

static char *read_below(struct conversation *c, const char *path, const char *node)
{
    char full[PATH_SIZE + 20];

    snprintf(full, sizeof(full), "%s/%s", path, node);
    return store_read(c->store, full);
}

static bool takes_text(char *text, const char *expected)
{
    bool same = text && strcmp(text, expected) == 0;

    free(text);
    return same;
}

/* Whether backend is that of a CD drive of this guest. */
static bool is_cd_drive(struct conversation *c, const char *backend, const char *number)
{
    char frontend[PATH_SIZE], *type;

    snprintf(frontend, sizeof(frontend), "/local/domain/%u/device/vbd/%s", c->settings.domid,
             number);
    if (!takes_text(read_below(c, backend, "frontend"), frontend)) {
        return false;
    }
    type = read_below(c, backend, "device-type");
    return takes_text(type ? type : read_below(c, frontend, "device-type"), "cdrom");
}

static void find_in(struct conversation *c, const char *kind)
{
    char top[PATH_SIZE - 20], path[PATH_SIZE];
    char **names;
    unsigned count = 0;
    struct err err;

    snprintf(top, sizeof(top), "/local/domain/0/backend/%s/%u", kind, c->settings.domid);
    names = store_list(c->store, top, &count);
    for (unsigned i = 0; i < count; i++) {
        struct cd_drive *drive;

        if (strlen(names[i]) >= sizeof(drive->number) ||
            strspn(names[i], "0123456789") != strlen(names[i])) {
            continue;
        }
        snprintf(path, sizeof(path), "%s/%s", top, names[i]);
        if (!is_cd_drive(c, path, names[i])) {
            continue;
        }
        if (c->cd_drive_count == CD_DRIVES_MAX) {
            log_warn("the guest has more than %d CD drives: changes of the others' media will not "
                     "be seen",
                     CD_DRIVES_MAX);
            break;
        }
        drive = &c->cd_drives[c->cd_drive_count++];
        snprintf(drive->number, sizeof(drive->number), "%s", names[i]);
        snprintf(drive->backend, sizeof(drive->backend), "%s", path);
        drive->params = read_below(c, path, "params");
        strcat(path, "/params");
        if (!store_watch(c->store, path, "cd", &err)) {
            log_error("changes of the medium in CD drive %s will not be seen: %s", names[i],
                      err.text);
        }
    }
    free(names);
}

void cd_drives_find(struct conversation *c)
{
    for (size_t i = 0; i < sizeof(backend_kinds) / sizeof(backend_kinds[0]); i++) {
        find_in(c, backend_kinds[i]);
    }
}

void cd_drives_forget(struct conversation *c)
{
    while (c->cd_drive_count > 0) {
        free(c->cd_drives[--c->cd_drive_count].params);
    }
}

/* params are FORMAT:/FILE where the backend is a program that reads formats, /FILE or FILE below
 * /dev where it is the kernel. Returns the engine's name of the format, and the file in file; NULL
 * with err set. */
static const char *read_medium(struct conversation *c, const struct cd_drive *drive,
                               const char *params, char *file, size_t size, struct err *err)
{
    static const char *const formats[][2] = {
        {"aio", "raw"}, {"raw", "raw"}, {"file", "raw"},  {"phy", "raw"},
        {"vhd", "vpc"}, {"qed", "qed"}, {"qcow", "qcow"}, {"qcow2", "qcow2"},
    };
    const char *format = NULL, *colon = strchr(params, ':');
    bool in_dev;

    if (params[0] == '/' || !colon) {
        in_dev = params[0] != '/' && takes_text(read_below(c, drive->backend, "type"), "phy");
        snprintf(file, size, "%s%s", in_dev ? "/dev/" : "", params);
        format = "raw";
    } else {
        snprintf(file, size, "%s", colon + 1);
        for (size_t i = 0; i < sizeof(formats) / sizeof(formats[0]); i++) {
            if (strlen(formats[i][0]) == (size_t)(colon - params) &&
                strncmp(params, formats[i][0], (size_t)(colon - params)) == 0) {
                format = formats[i][1];
            }
        }
    }
    /* Any other name could be a protocol of the engine's. */
    if (!format || file[0] != '/') {
        err_set(err,
                "\"%.80s\" is no medium; it should read like aio:/FILE, qcow2:/FILE or "
                "vhd:/FILE",
                params);
        return NULL;
    }
    return format;
}

static void change(struct conversation *c, struct cd_drive *drive, const char *params)
{
    char id[4 + sizeof(drive->number)], file[4096 + 8]; /* more than a node can hold */
    const char *format = NULL;
    struct qmp_client *client;
    struct err err;
    bool done;

    snprintf(id, sizeof(id), "ide-%s", drive->number);
    client = conversation_engine(c, &err);
    /* As the old one did, whether or not the guest has locked the drive's door. */
    done = client && engine_do(client, &err, "eject", "{s:s, s:b}", "id", id, "force", 1);
    if (done && params[0] != '\0') {
        format = read_medium(c, drive, params, file, sizeof(file), &err);
        done = format &&
               engine_do(client, &err, "blockdev-change-medium", "{s:s, s:s, s:s, s:s}", "id", id,
                         "filename", file, "format", format, "read-only-mode", "read-only");
    }
    if (done) {
        conversation_note(c, "CD drive %s: %.200s", drive->number, params[0] ? params : "empty");
    } else {
        conversation_complain(c, "the medium of CD drive %s has not been changed: %s",
                              drive->number, err.text);
    }
    qmp_client_close(client);
}

void cd_drives_update(struct conversation *c)
{
    for (unsigned i = 0; i < c->cd_drive_count && !c->paused; i++) {
        struct cd_drive *drive = &c->cd_drives[i];
        char *params = read_below(c, drive->backend, "params");

        /* Without params the whole drive is about to go. */
        if (!params || (drive->params && strcmp(params, drive->params) == 0)) {
            free(params);
            continue;
        }
        change(c, drive, params);
        free(drive->params);
        drive->params = params;
    }
}
