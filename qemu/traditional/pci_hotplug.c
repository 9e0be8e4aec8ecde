/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * pci-ins and pci-rem: a host's PCI device passed through to the guest.
 *
 * The parameter is SEGMENT:BUS:SLOT.FUNCTION, then @DEVFN if the toolstack wants it at that place
 * of the guest's bus 0 (DEVFN + 0x100, of xend: anywhere), then options of the old device model,
 * which the engine has no use for: it translates no MSI, and leaves power management to the host.
 * All numbers are hexadecimal.
 */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "traditional/conversation_private.h"

enum { ANY_SLOT = 0x100 };

/* How long libxl waits for the guest. */
#define REMOVAL_NS (60 * NS_PER_S)

struct pci_request {
    unsigned segment, bus, slot, function; /* on the host */
    unsigned devfn;                        /* in the guest, or ANY_SLOT */
};

/* At most digits hexadecimal ones, ended by end. */
static bool read_hex(const char **text, unsigned digits, char end, unsigned *value)
{
    const char *p = *text;

    for (*value = 0; isxdigit((unsigned char)*p) && p < *text + digits; p++) {
        char digit[2] = {*p};

        *value = *value * 16 + (unsigned)strtoul(digit, NULL, 16);
    }
    if (p == *text || *p != end) {
        return false;
    }
    *text = end ? p + 1 : p;
    return true;
}

static bool read_request(struct pci_request *r, const char *text, struct err *err)
{
    char address[32];
    const char *p = address;
    size_t size;

    if (!text) {
        return err_set(err, "the toolstack has not said which device");
    }
    size = strcspn(text, ",");
    snprintf(address, sizeof(address), "%.*s", (int)(size < sizeof(address) ? size : 0), text);
    r->devfn = ANY_SLOT;
    if (read_hex(&p, 4, ':', &r->segment) && read_hex(&p, 2, ':', &r->bus) &&
        read_hex(&p, 2, '.', &r->slot) && r->slot < 32 &&
        (strchr(p, '@') ? read_hex(&p, 1, '@', &r->function) && read_hex(&p, 3, '\0', &r->devfn)
                        : read_hex(&p, 1, '\0', &r->function)) &&
        r->function < 8) {
        if (r->devfn >= ANY_SLOT) {
            r->devfn = ANY_SLOT;
        }
        return true;
    }
    return err_set(err, "\"%.60s\" is no PCI device; it should read like 0000:01:00.0@28", text);
}

static void name_device(const struct pci_request *r, char id[32])
{
    snprintf(id, 32, "pci-pt-%04x_%02x_%02x.%x", r->segment, r->bus, r->slot, r->function);
}

/* devfn: where the guest has the device, -1: nowhere. False with err set: the engine does not say.
 */
static bool find_devfn(struct qmp_client *client, const char *id, int *devfn, struct err *err)
{
    json_t *buses = engine_ask(client, err, "query-pci", NULL);
    json_t *bus, *device;
    size_t i, j;

    if (!buses) {
        return false;
    }
    *devfn = -1;
    json_array_foreach(buses, i, bus)
    {
        json_array_foreach(json_object_get(bus, "devices"), j, device)
        {
            const char *qdev_id = json_string_value(json_object_get(device, "qdev_id"));
            json_int_t slot = json_integer_value(json_object_get(device, "slot"));
            json_int_t function = json_integer_value(json_object_get(device, "function"));

            if (qdev_id && strcmp(qdev_id, id) == 0) {
                *devfn = (int)((slot & 31) * 8 + (function & 7));
            }
        }
    }
    json_decref(buses);
    return true;
}

/* Its place in the guest; -1 with err set. */
static int insert(struct conversation *c, const char *parameter, struct err *err)
{
    char id[32], host[32], place[8];
    struct qmp_client *client;
    struct pci_request r;
    int devfn = -1;
    bool added;

    if (!read_request(&r, parameter, err)) {
        return -1;
    }
    name_device(&r, id);
    snprintf(host, sizeof(host), "%04x:%02x:%02x.%x", r.segment, r.bus, r.slot, r.function);
    snprintf(place, sizeof(place), "%x.%x", r.devfn / 8 % 32, r.devfn % 8);
    client = conversation_engine(c, err);
    if (!client) {
        return -1;
    }
    /* The functions of one device come one by one, function 0 last; the guest is told then. */
    if (r.devfn == ANY_SLOT) {
        added = engine_do(client, err, "device_add", "{s:s, s:s, s:s}", "driver",
                          "xen-pci-passthrough", "id", id, "hostaddr", host);
    } else {
        added = engine_do(client, err, "device_add", "{s:s, s:s, s:s, s:s, s:b}", "driver",
                          "xen-pci-passthrough", "id", id, "hostaddr", host, "addr", place,
                          "multifunction", 1);
    }
    if (added && find_devfn(client, id, &devfn, err) && devfn < 0) {
        err_set(err, "the engine has added %s, but does not know where", id);
    }
    qmp_client_close(client);
    return devfn;
}

void pci_insert(struct conversation *c, const char *parameter)
{
    struct err err;
    int devfn = insert(c, parameter, &err);
    char place[8];

    if (devfn < 0) {
        conversation_complain(c,
                              "no PCI device is passed through (is it assignable, see `xl "
                              "pci-assignable-list`, and its place in the guest free?): %s",
                              err.text);
        conversation_say(c, "parameter", err.text);
        conversation_say(c, "state", "pci-insert-failed");
        return;
    }
    conversation_note(c, "PCI device %.20s is the guest's %02x.%x", parameter, (unsigned)devfn / 8,
                      (unsigned)devfn % 8);
    snprintf(place, sizeof(place), "0x%02x", (unsigned)devfn & 0xff);
    conversation_say(c, "parameter", place);
    conversation_say(c, "state", "pci-inserted");
}

static bool slot_is_empty(struct conversation *c, struct qmp_client *client)
{
    struct err err;
    json_t *buses = engine_ask(client, &err, "query-pci", NULL);
    json_t *device, *devices;
    bool empty = buses != NULL;
    size_t i;

    if (!buses) {
        conversation_complain(c, "%s", err.text);
    }
    devices = json_object_get(json_array_get(buses, 0), "devices");
    json_array_foreach(devices, i, device)
    {
        if (json_integer_value(json_object_get(device, "slot")) == c->removal.slot) {
            empty = false;
        }
    }
    json_decref(buses);
    return empty;
}

/* The guest's other functions of the same device go with this one. */
void pci_remove(struct conversation *c, const char *parameter)
{
    struct qmp_client *client = NULL;
    struct pci_request r;
    struct err err;
    char id[32];
    int devfn = -1;
    bool found;

    if (!read_request(&r, parameter, &err) || !(client = conversation_engine(c, &err))) {
        conversation_complain(c, "no PCI device is taken away: %s", err.text);
        return;
    }
    name_device(&r, id);
    found = find_devfn(client, id, &devfn, &err);
    if (found && devfn < 0) {
        conversation_note(c, "PCI device %.20s has gone already", parameter);
        conversation_say(c, "state", "pci-removed");
    } else if (found) {
        /* It also refuses what it has asked the guest for before; the guest may yet comply. */
        if (!engine_do(client, &err, "device_del", "{s:s}", "id", id)) {
            conversation_complain(c, "the guest may keep PCI device %.20s: %s", parameter,
                                  err.text);
        }
        conversation_await_removal(c, &(struct removal){.is_gone = slot_is_empty,
                                                        .word = "pci-removed",
                                                        .slot = (unsigned)devfn / 8,
                                                        .until_ns = clock_now_ns() + REMOVAL_NS});
    } else {
        conversation_complain(c, "no PCI device is taken away: %s", err.text);
    }
    qmp_client_close(client);
}

void conversation_unplug(struct conversation *c, const char *device)
{
    struct qmp_client *client = NULL;
    struct err err;
    bool asked;

    if (c->engine >= 0) {
        err_set(&err, "the engine is still starting");
    } else {
        client = conversation_engine(c, &err);
    }
    asked = client && engine_do(client, &err, "device_del", "{s:s}", "id", device);
    qmp_client_close(client);
    if (asked) {
        conversation_note(c, "the guest is asked to let go of its sound card");
    } else {
        conversation_complain(c,
                              "the guest keeps a silent sound card until its next start, for it "
                              "cannot be unplugged: %s",
                              err.text);
    }
}
