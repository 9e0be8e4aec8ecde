/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The card's own ioreq server: Xen hands it the configuration cycles of its
 * PCI function and the accesses to its ports, one slot of a shared page and
 * one event channel for each vCPU.
 *
 * Source: xen/include/public/hvm/ioreq.h and hvm/dm_op.h.
 */
#include "xen/guest_private.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>

/* A rep-prefixed string instruction is split by Xen at page boundaries, so no honest request
 * repeats more often than this. */
enum { MAX_REPEAT = GUEST_PAGE_BYTES };

/*
 * The engine keeps a sound card of its own, never touched, in the slot where
 * ours is (so that it gives the slot to nobody else), and registers its
 * function too. Of two servers with the same function Xen asks the one with
 * the higher number, and gives a new server the lowest number that is free. So
 * a placeholder takes that number until ours has the next one: whatever the
 * engine is given later is below ours.
 */
static bool create_above_the_engines(struct guest *g, struct err *err)
{
    ioservid_t placeholder;

    if (xendevicemodel_create_ioreq_server(g->dm, g->domid, HVM_IOREQSRV_BUFIOREQ_OFF,
                                           &placeholder) < 0) {
        return err_set(err, "Xen refuses an ioreq server for domain %u: %s", g->domid,
                       strerror(errno));
    }
    if (xendevicemodel_create_ioreq_server(g->dm, g->domid, HVM_IOREQSRV_BUFIOREQ_OFF, &g->server) <
        0) {
        err_set(err, "Xen refuses a second ioreq server for domain %u: %s", g->domid,
                strerror(errno));
    } else {
        g->server_exists = true;
    }
    (void)xendevicemodel_destroy_ioreq_server(g->dm, g->domid, placeholder);
    return g->server_exists;
}

static bool map_requests(struct guest *g, struct err *err)
{
    void *page = NULL;

    if (xendevicemodel_nr_vcpus(g->dm, g->domid, &g->vcpus) < 0) {
        return err_set(err, "Xen does not say how many vCPUs domain %u has: %s", g->domid,
                       strerror(errno));
    }
    if (g->vcpus > GUEST_MAX_VCPUS) {
        return err_set(err, "domain %u has %u vCPUs; at most %d are served", g->domid, g->vcpus,
                       (int)GUEST_MAX_VCPUS);
    }
    g->ioreq_resource = xenforeignmemory_map_resource(
        g->fmem, g->domid, XENMEM_resource_ioreq_server, g->server,
        XENMEM_resource_ioreq_server_frame_ioreq(0), 1, &page, PROT_READ | PROT_WRITE, 0);
    if (!g->ioreq_resource) {
        return err_set(err, "cannot map the ioreq page of domain %u: %s", g->domid,
                       strerror(errno));
    }
    g->ioreqs = page;
    return true;
}

static bool bind_events(struct guest *g, struct err *err)
{
    int fd = xenevtchn_fd(g->evtchn);
    int flags = fcntl(fd, F_GETFL);

    /* So that guest_serve can take events until there are none. */
    if (flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0) {
        return err_set(err, "cannot make /dev/xen/evtchn non-blocking: %s", strerror(errno));
    }
    for (unsigned vcpu = 0; vcpu < g->vcpus; vcpu++) {
        xenevtchn_port_or_error_t port =
            xenevtchn_bind_interdomain(g->evtchn, g->domid, g->ioreqs->vcpu_ioreq[vcpu].vp_eport);

        if (port < 0) {
            return err_set(err, "cannot bind the event channel of vCPU %u of domain %u: %s", vcpu,
                           g->domid, strerror(errno));
        }
        g->ports[vcpu] = (evtchn_port_t)port;
    }
    return true;
}

bool ioreq_server_take_over(struct guest *g, struct err *err)
{
    /* Binding sets the events pending, so that what has been asked meanwhile is looked at. */
    if (!map_requests(g, err) || !bind_events(g, err)) {
        return false;
    }
    /* The process before may have died between an answer and its event. */
    for (unsigned vcpu = 0; vcpu < g->vcpus; vcpu++) {
        xenevtchn_notify(g->evtchn, g->ports[vcpu]);
    }
    return true;
}

bool ioreq_server_open(struct guest *g, struct err *err)
{
    if (!create_above_the_engines(g, err) || !map_requests(g, err)) {
        return false;
    }
    /* The vCPUs' event channels exist once the server is enabled. */
    if (xendevicemodel_set_ioreq_server_state(g->dm, g->domid, g->server, 1) < 0) {
        return err_set(err, "cannot enable the ioreq server of domain %u: %s", g->domid,
                       strerror(errno));
    }
    if (!bind_events(g, err)) {
        return false;
    }
    if (xendevicemodel_map_pcidev_to_ioreq_server(g->dm, g->domid, g->server, 0, 0, g->slot, 0) <
        0) {
        return err_set(err, "cannot claim PCI function 00:%02x.0 of domain %u: %s", g->slot,
                       g->domid, strerror(errno));
    }
    return true;
}

void ioreq_server_close(struct guest *g)
{
    if (g->ioreq_resource) {
        xenforeignmemory_unmap_resource(g->fmem, g->ioreq_resource);
        g->ioreq_resource = NULL;
        g->ioreqs = NULL;
    }
    if (g->server_exists) {
        /* Fails where the domain has gone already, and the server with it. */
        (void)xendevicemodel_destroy_ioreq_server(g->dm, g->domid, g->server);
        g->server_exists = false;
    }
}

/* One access of size bytes at address of the request's kind; a read returns its value. */
static uint64_t access_once(struct guest *g, const struct ioreq *req, uint64_t address,
                            uint64_t value)
{
    const struct guest_device *d = &g->device;
    bool read = req->dir == IOREQ_READ;
    unsigned offset = (uint32_t)address;

    if (req->size != 1 && req->size != 2 && req->size != 4) {
        return ~UINT64_C(0);
    }
    switch (req->type) {
    case IOREQ_TYPE_PCI_CONFIG:
        if (read) {
            return d->config_read(d->opaque, offset, req->size);
        }
        d->config_write(d->opaque, offset, req->size, (uint32_t)value);
        return 0;
    case IOREQ_TYPE_PIO:
        if (read) {
            return d->port_read(d->opaque, (uint16_t)address, req->size);
        }
        d->port_write(d->opaque, (uint16_t)address, req->size, (uint32_t)value);
        return 0;
    default: /* no memory range is ours */
        return ~UINT64_C(0);
    }
}

/* The value of an access travels in the request, or, for string instructions, in guest memory:
 * count values from (or, with the direction flag, down from) guest-physical address data. */
static void perform(struct guest *g, struct ioreq *req)
{
    uint32_t count = req->count < MAX_REPEAT ? req->count : MAX_REPEAT;

    if (!req->data_is_ptr) {
        uint64_t result = access_once(g, req, req->addr, req->data);

        if (req->dir == IOREQ_READ) {
            req->data = result;
        }
        return;
    }
    for (uint32_t i = 0; i < count; i++) {
        uint64_t step = (uint64_t)i * req->size;
        uint64_t where = req->df ? req->data - step : req->data + step;
        uint64_t value = 0;
        size_t bytes = req->size <= sizeof(value) ? req->size : sizeof(value);

        if (req->dir == IOREQ_READ) {
            value = access_once(g, req, req->addr, 0);
            guest_write(g, where, &value, bytes);
        } else {
            guest_read(g, where, &value, bytes);
            access_once(g, req, req->addr, value);
        }
    }
}

/* Carries it out; what the guest is told is in req->data. */
static void serve(struct guest *g, unsigned vcpu, struct ioreq *req)
{
    const struct guest_device *d = &g->device;

    if (req->type == IOREQ_TYPE_INVALIDATE) {
        guest_memory_drop(g);
        return;
    }
    perform(g, req);
    if (d->done) {
        const struct guest_answer answer = {.vcpu = (int32_t)vcpu, .value = req->data};

        d->done(d->opaque, &answer);
    }
}

static void serve_vcpu(struct guest *g, unsigned vcpu)
{
    /* The page is shared with Xen: each step below must be seen in this order. */
    volatile struct ioreq *slot = &g->ioreqs->vcpu_ioreq[vcpu];
    uint8_t state = slot->state;
    struct ioreq req;

    /* In process is what a process that has been taken over from was at. */
    if (state != STATE_IOREQ_READY && state != STATE_IOREQ_INPROCESS) {
        return;
    }
    xen_rmb();
    req = *slot;
    if (state == STATE_IOREQ_INPROCESS && g->last.vcpu == (int32_t)vcpu) {
        req.data = g->last.value;
        g->last.vcpu = -1;
    } else {
        /* In this order: what is in process must not pass for what was done before it. */
        if (g->device.begun) {
            g->device.begun(g->device.opaque);
        }
        xen_wmb();
        slot->state = STATE_IOREQ_INPROCESS;
        serve(g, vcpu, &req);
    }
    slot->data = req.data;
    xen_wmb();
    slot->state = STATE_IORESP_READY;
    xen_mb();
    xenevtchn_notify(g->evtchn, g->ports[vcpu]);
}

void guest_serve(struct guest *g)
{
    /* Each vCPU waits for its answer before it can ask again, so this many events are all. */
    for (unsigned n = 0; n < g->vcpus; n++) {
        xenevtchn_port_or_error_t port = xenevtchn_pending(g->evtchn);

        if (port < 0) {
            return;
        }
        xenevtchn_unmask(g->evtchn, (evtchn_port_t)port);
        for (unsigned vcpu = 0; vcpu < g->vcpus; vcpu++) {
            if (g->ports[vcpu] == (evtchn_port_t)port) {
                serve_vcpu(g, vcpu);
                break;
            }
        }
    }
}
