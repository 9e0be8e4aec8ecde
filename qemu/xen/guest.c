/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Joining a domain and leaving it; ports and the interrupt line. */
#include "xen/guest_private.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <xentoolcore.h>

#include "base/realtime.h"

bool guest_open_handles(struct guest *g, struct err *err)
{
    g->dm = xendevicemodel_open(NULL, 0);
    g->fmem = g->dm ? xenforeignmemory_open(NULL, 0) : NULL;
    g->evtchn = g->fmem ? xenevtchn_open(NULL, 0) : NULL;
    if (!g->evtchn) {
        return err_set(err,
                       "cannot open %s: %s. Is this a Xen dom0, run as root, with the modules "
                       "xen-privcmd and xen-evtchn loaded?",
                       g->fmem ? "/dev/xen/evtchn" : "/dev/xen/privcmd", strerror(errno));
    }
    return true;
}

void guest_close_handles(struct guest *g)
{
    if (g->evtchn) {
        xenevtchn_close(g->evtchn);
    }
    if (g->fmem) {
        xenforeignmemory_close(g->fmem);
    }
    if (g->dm) {
        xendevicemodel_close(g->dm);
    }
}

static bool restrict_to_domain(struct guest *g, struct err *err)
{
    /* From here on a card that a guest has taken over has no other domain in reach. */
    if (xentoolcore_restrict_all(g->domid) < 0) {
        return err_set(err,
                       "cannot restrict this process to domain %u: %s. The dom0 kernel has to "
                       "know the restrict calls of privcmd and evtchn (Linux 4.15 and later)",
                       g->domid, strerror(errno));
    }
    return true;
}

/* With handles that reach nothing but the domain. */
static struct guest *join_domain(uint16_t domid, uint8_t slot, const struct guest_device *device,
                                 struct err *err)
{
    struct guest *g = calloc(1, sizeof(*g));

    if (!g) {
        err_set(err, "no memory to join domain %u", domid);
        return NULL;
    }
    g->domid = domid;
    g->slot = slot;
    g->device = *device;
    g->last.vcpu = -1;
    if (!guest_open_handles(g, err) || !restrict_to_domain(g, err)) {
        guest_close(g);
        return NULL;
    }
    return g;
}

struct guest *guest_open(uint16_t domid, uint8_t slot, const struct guest_device *device,
                         struct err *err)
{
    struct guest *g = join_domain(domid, slot, device, err);

    if (g && !ioreq_server_open(g, err)) {
        guest_close(g);
        return NULL;
    }
    return g;
}

struct guest *guest_take_over(uint16_t domid, uint8_t slot, uint16_t server_id,
                              const struct guest_device *device, const struct guest_answer *last,
                              struct err *err)
{
    struct guest *g = join_domain(domid, slot, device, err);

    if (!g) {
        return NULL;
    }
    g->server = server_id;
    g->last = *last;
    if (!ioreq_server_take_over(g, err)) {
        guest_close(g);
        return NULL;
    }
    g->server_exists = true;
    return g;
}

void guest_close(struct guest *g)
{
    if (!g) {
        return;
    }
    if (g->server_exists) {
        guest_set_intx(g, false);
    }
    ioreq_server_close(g);
    guest_memory_drop(g);
    guest_close_handles(g);
    free(g);
}

uint16_t guest_server_id(const struct guest *g)
{
    return g->server;
}

int guest_fd(const struct guest *g)
{
    return xenevtchn_fd(g->evtchn);
}

bool guest_map_ports(struct guest *g, uint16_t first, uint16_t count)
{
    RT_EXEMPT(DEVICE_MODEL_CALL);

    /* Those that the process before had mapped are there already. */
    return xendevicemodel_map_io_range_to_ioreq_server(g->dm, g->domid, g->server, 0, first,
                                                       (uint64_t)first + count - 1) == 0 ||
           errno == EEXIST;
}

bool guest_unmap_ports(struct guest *g, uint16_t first, uint16_t count)
{
    RT_EXEMPT(DEVICE_MODEL_CALL);

    return xendevicemodel_unmap_io_range_from_ioreq_server(g->dm, g->domid, g->server, 0, first,
                                                           (uint64_t)first + count - 1) == 0;
}

void guest_set_intx(struct guest *g, bool asserted)
{
    RT_EXEMPT(DEVICE_MODEL_CALL);

    /* Fails only for a domain that is going away, which needs no interrupt. */
    (void)xendevicemodel_set_pci_intx_level(g->dm, g->domid, 0, 0, g->slot, 0, asserted);
}
