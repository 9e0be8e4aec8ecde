/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * usb-add and usb-del, as xm said them: the parameter is the old -usbdevice's argument, the same
 * for both.
 *
 *   tablet, mouse, keyboard, wacom-tablet
 *   host:BUS.ADDRESS                       a device of the host, decimal
 *   host:VENDOR:PRODUCT                    whichever of these is plugged in, hexadecimal
 *   disk:/FILE                             a raw image, or the host's block device
 *
 * The others of old (net:, serial:, braille, bt) need a backend that the engine would have to be
 * told more of, and usb-del's BUS.PORT of the guest counts ports as only the old one did.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "traditional/conversation_private.h"

/* How long xm waits. */
#define REMOVAL_NS (10 * NS_PER_S)

#define SIMILAR                                                                                    \
    "; it should read like tablet, mouse, keyboard, wacom-tablet, host:1.4, host:046d:c52b "       \
    "or disk:/FILE"

/* The engine's name for it: the same for the same parameter, and any character may be in that.
 * FNV-1a, http://www.isthe.com/chongo/tech/comp/fnv/. */
static void name_device(const char *parameter, char id[32])
{
    uint64_t hash = UINT64_C(0xcbf29ce484222325);

    for (const char *p = parameter; *p; p++) {
        hash = (hash ^ (unsigned char)*p) * UINT64_C(0x100000001b3);
    }
    snprintf(id, 32, "usb-%016" PRIx64, hash);
}

static const char *disk_file(const char *parameter)
{
    return strncmp(parameter, "disk:/", 6) == 0 ? parameter + 5 : NULL;
}

static bool add_disk(struct qmp_client *client, const char *file, const char *id, struct err *err)
{
    const char *driver = strncmp(file, "/dev/", 5) == 0 ? "host_device" : "file";
    struct err why;

    if (!engine_do(client, err, "blockdev-add", "{s:s, s:s, s:{s:s, s:s}}", "driver", "raw",
                   "node-name", id, "file", "driver", driver, "filename", file)) {
        return false;
    }
    if (engine_do(client, err, "device_add", "{s:s, s:s, s:s}", "driver", "usb-storage", "id", id,
                  "drive", id)) {
        return true;
    }
    if (!engine_do(client, &why, "blockdev-del", "{s:s}", "node-name", id)) {
        log_warn("the engine keeps %.200s open: %s", file, why.text);
    }
    return false;
}

static bool add_host_device(struct qmp_client *client, const char *which, const char *id,
                            struct err *err)
{
    unsigned first, second;
    char end;

    if (sscanf(which, "%3u.%3u%c", &first, &second, &end) == 2) {
        return engine_do(client, err, "device_add", "{s:s, s:s, s:i, s:i}", "driver", "usb-host",
                         "id", id, "hostbus", (int)first, "hostaddr", (int)second);
    }
    if (sscanf(which, "%4x:%4x%c", &first, &second, &end) == 2) {
        return engine_do(client, err, "device_add", "{s:s, s:s, s:i, s:i}", "driver", "usb-host",
                         "id", id, "vendorid", (int)first, "productid", (int)second);
    }
    return err_set(err, "\"host:%.60s\" is no USB device" SIMILAR, which);
}

static bool add(struct qmp_client *client, const char *parameter, struct err *err)
{
    static const char *const plain[][2] = {
        {"tablet", "usb-tablet"},
        {"mouse", "usb-mouse"},
        {"keyboard", "usb-kbd"},
        {"wacom-tablet", "usb-wacom-tablet"},
    };
    char id[32];

    name_device(parameter, id);
    for (size_t i = 0; i < sizeof(plain) / sizeof(plain[0]); i++) {
        if (strcmp(parameter, plain[i][0]) == 0) {
            return engine_do(client, err, "device_add", "{s:s, s:s}", "driver", plain[i][1], "id",
                             id);
        }
    }
    if (strncmp(parameter, "host:", 5) == 0) {
        return add_host_device(client, parameter + 5, id, err);
    }
    if (disk_file(parameter)) {
        return add_disk(client, disk_file(parameter), id, err);
    }
    return err_set(err, "\"%.60s\" is no USB device" SIMILAR, parameter);
}

void usb_add(struct conversation *c, const char *parameter)
{
    struct qmp_client *client = NULL;
    struct err err;

    if (!parameter) {
        err_set(&err, "the toolstack has not said which" SIMILAR);
    } else {
        client = conversation_engine(c, &err);
    }
    if (client && add(client, parameter, &err)) {
        conversation_say(c, "state", "usb-added");
    } else {
        conversation_complain(c, "no USB device is added (has the guest USB, usb=1?): %s",
                              err.text);
    }
    qmp_client_close(client);
}

/* A disk's device is gone once the file is no longer in use. */
static bool disk_is_free(struct conversation *c, struct qmp_client *client)
{
    struct err err;

    return engine_do(client, &err, "blockdev-del", "{s:s}", "node-name", c->removal.node);
}

void usb_delete(struct conversation *c, const char *parameter)
{
    struct qmp_client *client = NULL;
    struct removal removal = {.is_gone = disk_is_free, .word = "usb-deleted"};
    struct err err;

    if (!parameter) {
        err_set(&err, "the toolstack has not said which" SIMILAR);
    } else {
        client = conversation_engine(c, &err);
        name_device(parameter, removal.node);
    }
    if (!client || !engine_do(client, &err, "device_del", "{s:s}", "id", removal.node)) {
        conversation_complain(c,
                              "no USB device is taken away (only what usb-add has added can be, "
                              "by the same words): %s",
                              err.text);
    } else if (disk_file(parameter)) {
        removal.until_ns = clock_now_ns() + REMOVAL_NS;
        conversation_await_removal(c, &removal);
    } else {
        conversation_say(c, "state", "usb-deleted");
    }
    qmp_client_close(client);
}
