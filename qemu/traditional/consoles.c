/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Where the guest's display and serial ports are, for `xl vncviewer` and `xl
 * console`, under /local/domain/DOMID:
 *
 *   console/vnc-port, console/vnc-listen   the VNC server's TCP port and address
 *   console/vnc-pass                       its password, for a viewer that is started by xl
 *   serial/N/tty                           the pseudo-terminal of serial port N
 *
 * The toolstack leaves the password in vncpasswd below the domain's /vm/UUID, from where it is
 * taken away.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "traditional/conversation_private.h"

static void publish(struct conversation *c, const char *node, const char *text)
{
    char path[PATH_SIZE];
    struct err err;

    snprintf(path, sizeof(path), "/local/domain/%u/%s", c->settings.domid, node);
    if (!store_write(c->store, path, text, &err)) {
        conversation_complain(c, "whoever looks for the guest's console will not find it: %s",
                              err.text);
    }
}

/* The domain's vm must not lead anywhere else: what is read there is wiped. */
static bool is_vm_path(const char *path)
{
    return strncmp(path, "/vm/", 4) == 0 && path[4] != '\0' &&
           strspn(path + 4, "0123456789abcdefABCDEF-") == strlen(path + 4) &&
           strlen(path) < PATH_SIZE - sizeof("/vncpasswd");
}

/* To be freed; NULL: there is none. */
static char *take_password(struct conversation *c)
{
    char path[PATH_SIZE], *vm, *password = NULL;
    struct err err;

    snprintf(path, sizeof(path), "/local/domain/%u/vm", c->settings.domid);
    vm = store_read(c->store, path);
    if (vm && is_vm_path(vm)) {
        snprintf(path, sizeof(path), "%s/vncpasswd", vm);
        password = store_read(c->store, path);
        if (password && !store_write(c->store, path, "", &err)) {
            conversation_complain(c, "the VNC password stays readable in xenstore: %s", err.text);
        }
    }
    free(vm);
    if (password && password[0] == '\0') {
        free(password);
        password = NULL;
    }
    return password;
}

static void set_password(struct conversation *c, struct qmp_client *client, const char *password,
                         const char *auth)
{
    struct err err;

    if (auth && strcmp(auth, "none") == 0) {
        log_warn("the toolstack has left a VNC password, but not asked for one on the command "
                 "line (-vnc ...,password): anybody can connect to the display");
    } else if (engine_do(client, &err, "change-vnc-password", "{s:s}", "password", password)) {
        publish(c, "console/vnc-pass", password);
    } else {
        conversation_complain(c, "the display lets nobody in, for its password cannot be set: %s",
                              err.text);
    }
}

static void publish_display(struct conversation *c, struct qmp_client *client)
{
    char *password = take_password(c);
    struct err err;
    json_t *vnc = engine_ask(client, &err, "query-vnc", NULL);
    const char *host = json_string_value(json_object_get(vnc, "host"));
    const char *service = json_string_value(json_object_get(vnc, "service"));

    if (!vnc) {
        conversation_complain(c, "where the guest's display is cannot be told: %s", err.text);
    } else if (json_is_true(json_object_get(vnc, "enabled")) && host && service) {
        if (password) {
            set_password(c, client, password, json_string_value(json_object_get(vnc, "auth")));
        }
        publish(c, "console/vnc-listen", host);
        publish(c, "console/vnc-port", service);
    }
    json_decref(vnc);
    free(password);
}

static void publish_serial_ports(struct conversation *c, struct qmp_client *client)
{
    static const char pty[] = "pty:";
    struct err err;
    json_t *devices = engine_ask(client, &err, "query-chardev", NULL);
    json_t *device;
    size_t i;

    if (!devices) {
        conversation_complain(c, "where the guest's serial ports are cannot be told: %s", err.text);
        return;
    }
    json_array_foreach(devices, i, device)
    {
        const char *label = json_string_value(json_object_get(device, "label"));
        const char *file = json_string_value(json_object_get(device, "filename"));
        char end, node[sizeof("serial/0/tty")];
        unsigned number;

        /* The first ten, one digit each: the old device model had four. */
        if (label && file && sscanf(label, "serial%1u%c", &number, &end) == 1 &&
            strncmp(file, pty, strlen(pty)) == 0) {
            snprintf(node, sizeof(node), "serial/%u/tty", number % 10);
            publish(c, node, file + strlen(pty));
        }
    }
    json_decref(devices);
}

void consoles_publish(struct conversation *c, struct qmp_client *client)
{
    publish_display(c, client);
    publish_serial_ports(c, client);
}
