/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The network cards. The old -net nic,vlan=D,macaddr=,model= and -net tap,vlan=D,ifname=,bridge=,
 * script=,downscript= were joined by their vlan; -device and -netdev are by an id.
 */
#include "toolstack/modern_line.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "toolstack/option.h"

static const struct old_net *find_vlan(const struct old_line *line, bool is_nic, unsigned vlan)
{
    for (unsigned i = 0; i < line->net_count; i++) {
        if (line->nets[i].is_nic == is_nic && line->nets[i].vlan == vlan)
            return &line->nets[i];
    }
    return NULL;
}

/* The value of key, with its commas doubled; NULL if there is none. */
static char *get(struct modern_line *a, const struct old_net *net, const char *key)
{
    char *value, *escaped;

    if (!option_text_get(net->text, "type", key, &value)) {
        a->failed = true;
        return NULL;
    }
    if (!value)
        return NULL;
    escaped = modern_escape(a, value);
    free(value);
    return escaped;
}

static void add_card(struct modern_line *a, const struct old_net *nic, bool has_net)
{
    char *model = get(a, nic, "model");
    char *mac = get(a, nic, "macaddr");
    const char *card = model ? model : "rtl8139";
    char net[40] = "";

    if (strcmp(card, "virtio") == 0)
        card = "virtio-net-pci";
    if (has_net)
        snprintf(net, sizeof(net), ",netdev=net%u", nic->vlan);
    modern_add(a, "-device");
    modern_add(a, "%s,id=nic%u%s%s%s", card, nic->vlan, net, mac ? ",mac=" : "", mac ? mac : "");
    free(model);
    free(mac);
}

/* xend of 3.2 and before left it to the device model to name its tap, which later ones, and Xen's
 * hotplug scripts, call tapDOMID.NUMBER, xend's vlans beginning with 1. */
static void add_tap(struct modern_line *a, const struct old_line *line, const struct old_net *net)
{
    static const char *const ours[] = {"type",   "vlan",       "name", "ifname",    "bridge",
                                       "script", "downscript", "fd",   "scriptarg", NULL};
    char *fd = get(a, net, "fd"), *ifname = get(a, net, "ifname"), *bridge = get(a, net, "bridge");
    char *script = get(a, net, "script"), *downscript = get(a, net, "downscript");
    char *rest = option_text_without(net->text, "type", ours);
    char name[40];

    snprintf(name, sizeof(name), "tap%u.%u", line->domid, net->vlan > 0 ? net->vlan - 1 : 0);
    a->failed = a->failed || !rest;
    modern_add(a, "-netdev");
    if (fd)
        modern_add(a, "type=tap,id=net%u,fd=%s", net->vlan, fd);
    else
        modern_add(a, "type=tap,id=net%u,ifname=%s%s%s,script=%s,downscript=%s%s%s", net->vlan,
                   ifname ? ifname : name, bridge ? ",br=" : "", bridge ? bridge : "",
                   script ? script : "no", downscript ? downscript : "no", rest && *rest ? "," : "",
                   rest ? rest : "");
    free(fd);
    free(ifname);
    free(bridge);
    free(script);
    free(downscript);
    free(rest);
}

static void add_net(struct modern_line *a, const struct old_line *line, const struct old_net *net)
{
    static const char *const ours[] = {"type", "vlan", "name", NULL};
    char *type = get(a, net, "type");
    char *rest;

    if (type && strcmp(type, "tap") == 0) {
        add_tap(a, line, net);
    } else if (type) {
        rest = option_text_without(net->text, "type", ours);
        a->failed = a->failed || !rest;
        modern_add(a, "-netdev");
        modern_add(a, "type=%s,id=net%u%s%s", type, net->vlan, rest && *rest ? "," : "",
                   rest ? rest : "");
        free(rest);
    }
    free(type);
}

void modern_add_networks(struct modern_line *a, const struct old_line *line)
{
    bool has_card = false;

    for (unsigned i = 0; i < line->net_count; i++) {
        const struct old_net *net = &line->nets[i];

        if (net->is_nic) {
            const struct old_net *peer = find_vlan(line, false, net->vlan);

            has_card = true;
            add_card(a, net, peer != NULL);
            if (peer)
                add_net(a, line, peer);
        } else if (!find_vlan(line, true, net->vlan)) {
            add_net(a, line, net);
        }
    }
    if (!has_card)
        modern_add_pair(a, "-net", "none");
}
