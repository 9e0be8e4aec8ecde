/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * cpu/N/availability of the domain: "online" gives the guest another of the vCPUs that it was
 * made with.
 *
 * "offline" has no counterpart: hvmloader's tables know the old way of vCPU hotplug only, and
 * there QEMU takes none away. The guest can put it to rest by itself.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "traditional/conversation_private.h"

/* A place for a vCPU as one number, by which they are in order: the engine names each by its
 * socket, die, cluster, core and thread (those that its version has), and how many of the guest's
 * vCPUs make up a socket differs with the machine's version. */
static json_int_t place(const json_t *slot)
{
    static const char *const ids[] = {"socket-id", "die-id", "cluster-id", "core-id", "thread-id"};
    const json_t *props = json_object_get(slot, "props");
    json_int_t number = 0;

    for (size_t i = 0; i < sizeof(ids) / sizeof(ids[0]); i++) {
        number = number * 1024 + json_integer_value(json_object_get(props, ids[i])) % 1024;
    }
    return number;
}

static json_t *find_slot(const json_t *slots, unsigned vcpu)
{
    json_t *slot, *other;
    size_t i, j;

    json_array_foreach(slots, i, slot)
    {
        size_t before = 0;

        json_array_foreach(slots, j, other)
        {
            before += place(other) < place(slot);
        }
        if (before == vcpu) {
            return slot;
        }
    }
    return NULL;
}

static bool add(struct qmp_client *client, unsigned vcpu, struct err *err)
{
    json_t *slots = engine_ask(client, err, "query-hotpluggable-cpus", NULL);
    json_t *slot = find_slot(slots, vcpu);
    json_t *arguments, *value;
    char id[16];

    if (!slots) {
        return false;
    }
    if (!slot) {
        json_decref(slots);
        return err_set(err, "it was not made with so many (maxvcpus)");
    }
    if (json_object_get(slot, "qom-path")) {
        json_decref(slots);
        return true; /* it is there */
    }
    snprintf(id, sizeof(id), "cpu-%u", vcpu);
    arguments = json_pack("{s:s, s:O?}", "id", id, "driver", json_object_get(slot, "type"));
    if (json_object_update(arguments, json_object_get(slot, "props")) < 0) {
        json_decref(arguments);
        json_decref(slots);
        return err_set(err, "the engine does not say how");
    }
    value = qmp_client_ask(client, "device_add", arguments, -1, err);
    json_decref(value);
    json_decref(slots);
    return value != NULL;
}

static void bring_online(struct conversation *c, unsigned vcpu)
{
    struct qmp_client *client;
    struct err err;

    if (c->vcpu_online[vcpu]) {
        return;
    }
    client = conversation_engine(c, &err);
    if (client && add(client, vcpu, &err)) {
        c->vcpu_online[vcpu] = true;
    } else {
        conversation_complain(c, "the guest does not get vCPU %u: %s", vcpu, err.text);
    }
    qmp_client_close(client);
}

void vcpu_changed(struct conversation *c, const char *path)
{
    unsigned vcpu;
    int end = 0;
    char *text;

    if (sscanf(path, "/local/domain/%*u/cpu/%3u/availability%n", &vcpu, &end) != 1 || end == 0 ||
        path[end] != '\0' || vcpu >= VCPUS_MAX) {
        return; /* another node there, or all of them */
    }
    text = store_read(c->store, path);
    if (text && strcmp(text, "online") == 0) {
        bring_online(c, vcpu);
    } else if (text && strcmp(text, "offline") == 0) {
        conversation_complain(c,
                              "the guest keeps vCPU %u, for the engine cannot take it away; in "
                              "a Linux guest: echo 0 > /sys/devices/system/cpu/cpu%u/online",
                              vcpu, vcpu);
    }
    free(text);
}
