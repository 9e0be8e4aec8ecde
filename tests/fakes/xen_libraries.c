/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The functions of Xen's libraries that qemu/xen/ calls to join a domain, without Xen: preloaded
 * (tests/fake-xen.so) into the program as it is built or installed, so that qemu/xen/ is tested
 * with it. The domain is told and asked what fake_guest.h and fake_domain.h say; there is no
 * FAKE_GUEST_MEMORY, its memory being zeros.
 *
 * The guest has one device, and makes its requests on its last vCPU. What Xen knows of it is in
 * memory that all of the program's processes share: it stays when one of them dies.
 *
 * Source: xen/include/public/hvm/ioreq.h and dm_op.h, and the libraries' headers.
 */
#include <xenctrl.h> /* before the others: shows the tools' part of Xen's interface */

#include <xen/hvm/ioreq.h>
#include <xen/memory.h>
#include <xendevicemodel.h>
#include <xenevtchn.h>
#include <xenforeignmemory.h>
#include <xentoolcore.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "fakes/fake_domain.h"
#include "fakes/fake_guest.h"
#include "fakes/told.h"

enum {
    PAGE_BYTES = 4096,
    SERVERS = 4,
    VCPUS = 2,
    VCPU = VCPUS - 1,   /* that makes the requests */
    XENS_PORT = 10,     /* of the event channels, in Xen's numbers: for vCPU 0, */
    PROGRAMS_PORT = 20, /* and in the program's */
};

/* An ioreq server. */
struct server {
    bool exists, enabled;
    pid_t maker;
    uint8_t slot;               /* of its PCI function; 0: it has none */
    uint32_t first_port, ports; /* the I/O ports that are its own */
};

struct xen {
    uint8_t requests[PAGE_BYTES]; /* a struct shared_iopage */
    uint8_t ram[FAKE_GUEST_RAM];
    struct server servers[SERVERS];
    uint8_t intx_slot; /* whose interrupt line was last set, and to what */
    bool intx;
};

static struct xen *xen;
static domid_t restricted_to = DOMID_INVALID;

/* Xen's names for what it does not show. */
struct xendevicemodel_handle {
    FILE *log; /* opened before the card gives up the privilege to do so */
};

struct xenevtchn_handle {
    int fd;
    bool masked; /* the event of the vCPU that makes the requests */
    struct fake_guest_access asked;
    struct sockaddr_un asker;
    socklen_t asker_size;
};

/* What is opened and has nothing to remember. */
static char nothing;

/* Here the program starts. The engine, which it starts, is to have its own libraries. */
__attribute__((constructor)) static void begin(void)
{
    unsetenv("LD_PRELOAD");
    xen = mmap(NULL, sizeof(*xen), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (xen == MAP_FAILED) {
        abort();
    }
}

/* As a call of Xen's libraries ends: 0, or -1 with errno. */
static int done_unless(int error)
{
    errno = error;
    return error ? -1 : 0;
}

static struct server *server_at(unsigned id)
{
    return id < SERVERS && xen->servers[id].exists ? &xen->servers[id] : NULL;
}

static volatile struct ioreq *request_of(unsigned vcpu)
{
    return &((struct shared_iopage *)xen->requests)->vcpu_ioreq[vcpu];
}

/* --- libxentoolcore --- */

int xentoolcore_restrict_all(domid_t domid)
{
    restricted_to = domid;
    return 0;
}

/* --- libxendevicemodel --- */

xendevicemodel_handle *xendevicemodel_open(struct xentoollog_logger *logger, unsigned open_flags)
{
    xendevicemodel_handle *dm = calloc(1, sizeof(*dm));

    (void)logger;
    (void)open_flags;
    if (dm) {
        dm->log = told_log();
    }
    return dm;
}

int xendevicemodel_close(xendevicemodel_handle *dm)
{
    if (dm->log) {
        fclose(dm->log);
    }
    free(dm);
    return 0;
}

int xendevicemodel_nr_vcpus(xendevicemodel_handle *dm, domid_t domid, unsigned *vcpus)
{
    (void)dm;
    (void)domid;
    *vcpus = VCPUS;
    return 0;
}

/* A process that is to serve a guest has to be unable by then to do anything to another. */
int xendevicemodel_create_ioreq_server(xendevicemodel_handle *dm, domid_t domid,
                                       int handle_bufioreq, ioservid_t *id)
{
    (void)dm;
    (void)handle_bufioreq;
    if (!told_to_join("FAKE_GUEST_OPEN") || restricted_to != domid) {
        return done_unless(EPERM);
    }
    for (*id = 0; *id < SERVERS; ++*id) {
        if (!xen->servers[*id].exists) {
            xen->servers[*id] = (struct server){.exists = true, .maker = getpid()};
            return 0;
        }
    }
    return done_unless(ENOSPC);
}

int xendevicemodel_destroy_ioreq_server(xendevicemodel_handle *dm, domid_t domid, ioservid_t id)
{
    struct server *server = server_at(id);

    if (!server) {
        return done_unless(ENOENT);
    }
    if (server->slot && server->enabled) {
        told_note(dm->log, "close domid=%u\n", domid);
    } else if (server->slot) {
        told_note(dm->log, "retire domid=%u slot=%u server=%u\n", domid, xen->intx_slot, id);
    }
    server->exists = false;
    return 0;
}

int xendevicemodel_set_ioreq_server_state(xendevicemodel_handle *dm, domid_t domid, ioservid_t id,
                                          int enabled)
{
    struct server *server = server_at(id);

    (void)dm;
    (void)domid;
    for (unsigned vcpu = 0; server && enabled && vcpu < VCPUS; vcpu++) {
        request_of(vcpu)->vp_eport = XENS_PORT + vcpu;
    }
    if (server) {
        server->enabled = enabled;
    }
    return done_unless(server ? 0 : ENOENT);
}

int xendevicemodel_map_pcidev_to_ioreq_server(xendevicemodel_handle *dm, domid_t domid,
                                              ioservid_t id, uint16_t segment, uint8_t bus,
                                              uint8_t device, uint8_t function)
{
    struct server *server = server_at(id);

    if (!server || segment || bus || function) {
        return done_unless(EINVAL);
    }
    server->slot = device;
    told_note(dm->log, "open domid=%u slot=%u pid=%d\n", domid, device, (int)getpid());
    return 0;
}

int xendevicemodel_map_io_range_to_ioreq_server(xendevicemodel_handle *dm, domid_t domid,
                                                ioservid_t id, int is_mmio, uint64_t start,
                                                uint64_t end)
{
    struct server *server = server_at(id);

    (void)dm;
    (void)domid;
    if (!server || is_mmio || end < start || end > UINT16_MAX) {
        return done_unless(EINVAL);
    }
    if (server->ports) {
        return done_unless(EEXIST);
    }
    server->first_port = (uint32_t)start;
    server->ports = (uint32_t)(end - start + 1);
    return 0;
}

int xendevicemodel_unmap_io_range_from_ioreq_server(xendevicemodel_handle *dm, domid_t domid,
                                                    ioservid_t id, int is_mmio, uint64_t start,
                                                    uint64_t end)
{
    struct server *server = server_at(id);

    (void)dm;
    (void)domid;
    if (!server || is_mmio || server->first_port != start || server->ports != end - start + 1) {
        return done_unless(ENOENT);
    }
    server->ports = 0;
    return 0;
}

int xendevicemodel_set_pci_intx_level(xendevicemodel_handle *dm, domid_t domid, uint16_t segment,
                                      uint8_t bus, uint8_t device, uint8_t intx, unsigned level)
{
    (void)dm;
    (void)domid;
    if (segment || bus || intx) {
        return done_unless(EINVAL);
    }
    xen->intx_slot = device;
    xen->intx = level;
    return 0;
}

int xendevicemodel_modified_memory(xendevicemodel_handle *dm, domid_t domid, uint64_t first_pfn,
                                   uint32_t nr)
{
    (void)dm;
    (void)domid;
    return done_unless(nr && first_pfn < FAKE_GUEST_RAM / PAGE_BYTES ? 0 : EINVAL);
}

/* --- libxenforeignmemory --- */

xenforeignmemory_handle *xenforeignmemory_open(struct xentoollog_logger *logger,
                                               unsigned open_flags)
{
    (void)logger;
    (void)open_flags;
    return (xenforeignmemory_handle *)&nothing;
}

int xenforeignmemory_close(xenforeignmemory_handle *fmem)
{
    (void)fmem;
    return 0;
}

void *xenforeignmemory_map(xenforeignmemory_handle *fmem, uint32_t domid, int prot, size_t pages,
                           const xen_pfn_t gfns[], int errors[])
{
    uint8_t *at = mmap(NULL, pages * PAGE_BYTES, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    (void)fmem;
    (void)domid;
    for (size_t i = 0; at != MAP_FAILED && i < pages; i++) {
        uint8_t *to = at + i * PAGE_BYTES;
        bool there = gfns[i] < FAKE_GUEST_RAM / PAGE_BYTES;

        /* Of what is shared, an old size of 0 gives a second view. */
        if (there && (mremap(xen->ram + gfns[i] * PAGE_BYTES, 0, PAGE_BYTES,
                             MREMAP_MAYMOVE | MREMAP_FIXED, to) == MAP_FAILED ||
                      mprotect(to, PAGE_BYTES, prot) < 0)) {
            abort();
        }
        errors[i] = there ? 0 : -EINVAL;
    }
    return at == MAP_FAILED ? NULL : at;
}

int xenforeignmemory_unmap(xenforeignmemory_handle *fmem, void *at, size_t pages)
{
    (void)fmem;
    return munmap(at, pages * PAGE_BYTES);
}

/* Whoever maps the requests to a server of another's either takes over from it or, once it has been
 * disabled, retires it. */
xenforeignmemory_resource_handle *xenforeignmemory_map_resource(xenforeignmemory_handle *fmem,
                                                                domid_t domid, unsigned type,
                                                                unsigned id, unsigned long frame,
                                                                unsigned long nr_frames, void **at,
                                                                int prot, int flags)
{
    const struct server *server = server_at(id);

    (void)fmem;
    (void)prot;
    (void)flags;
    if (!server || type != XENMEM_resource_ioreq_server ||
        frame != XENMEM_resource_ioreq_server_frame_ioreq(0) || nr_frames != 1) {
        errno = EINVAL;
        return NULL;
    }
    if (server->maker != getpid() && server->enabled) {
        FILE *log = told_log();

        told_note(log, "take-over pid=%d domid=%u slot=%u server=%u\n", (int)getpid(), domid,
                  server->slot, id);
        if (log) {
            fclose(log);
        }
        if (!told_to_join("FAKE_GUEST_TAKE_OVER")) {
            errno = EPERM;
            return NULL;
        }
    }
    *at = xen->requests;
    return (xenforeignmemory_resource_handle *)&nothing;
}

int xenforeignmemory_unmap_resource(xenforeignmemory_handle *fmem,
                                    xenforeignmemory_resource_handle *resource)
{
    (void)fmem;
    (void)resource;
    return 0;
}

/* --- libxenevtchn: its descriptor is the socket to which the guest's accesses come --- */

xenevtchn_handle *xenevtchn_open(struct xentoollog_logger *logger, unsigned open_flags)
{
    xenevtchn_handle *events = calloc(1, sizeof(*events));

    (void)logger;
    (void)open_flags;
    if (events) {
        events->fd = told_socket();
    }
    return events;
}

int xenevtchn_close(xenevtchn_handle *events)
{
    close(events->fd);
    free(events);
    return 0;
}

int xenevtchn_fd(xenevtchn_handle *events)
{
    return events->fd;
}

xenevtchn_port_or_error_t xenevtchn_bind_interdomain(xenevtchn_handle *events, uint32_t domid,
                                                     evtchn_port_t remote_port)
{
    (void)events;
    (void)domid;
    if (remote_port < XENS_PORT || remote_port >= XENS_PORT + VCPUS) {
        return done_unless(EINVAL);
    }
    return (xenevtchn_port_or_error_t)(remote_port - XENS_PORT + PROGRAMS_PORT);
}

static void answer(xenevtchn_handle *events, uint32_t value)
{
    events->asked.value = value;
    /* A guest that is gone needs none. */
    (void)sendto(events->fd, &events->asked, sizeof(events->asked), 0,
                 (struct sockaddr *)&events->asker, events->asker_size);
}

/* The enabled server whose ports or function are asked for. */
static const struct server *server_for(const struct fake_guest_access *a)
{
    bool config = a->kind == FAKE_GUEST_CONFIG_READ || a->kind == FAKE_GUEST_CONFIG_WRITE;

    for (unsigned id = 0; id < SERVERS; id++) {
        const struct server *s = &xen->servers[id];

        if (s->exists && s->enabled &&
            (config ? s->slot != 0 : a->where - s->first_port < s->ports)) {
            return s;
        }
    }
    return NULL;
}

static void make_request(const struct server *server, const struct fake_guest_access *a)
{
    volatile struct ioreq *request = request_of(VCPU);
    bool config = a->kind == FAKE_GUEST_CONFIG_READ || a->kind == FAKE_GUEST_CONFIG_WRITE;
    bool read = a->kind == FAKE_GUEST_CONFIG_READ || a->kind == FAKE_GUEST_PORT_READ;

    request->type = config ? IOREQ_TYPE_PCI_CONFIG : IOREQ_TYPE_PIO;
    request->addr = config ? (uint64_t)server->slot << 35 | a->where : a->where;
    request->data = a->value;
    request->count = 1;
    request->size = a->bytes;
    request->dir = read ? IOREQ_READ : IOREQ_WRITE;
    request->data_is_ptr = 0;
    request->df = 0;
    xen_wmb();
    request->state = STATE_IOREQ_READY;
}

static bool take_access(xenevtchn_handle *events)
{
    events->asker_size = sizeof(events->asker);
    return recvfrom(events->fd, &events->asked, sizeof(events->asked), 0,
                    (struct sockaddr *)&events->asker,
                    &events->asker_size) == sizeof(events->asked);
}

xenevtchn_port_or_error_t xenevtchn_pending(xenevtchn_handle *events)
{
    while (!events->masked && take_access(events)) {
        const struct server *server = server_for(&events->asked);

        if (events->asked.kind == FAKE_GUEST_INTX) {
            answer(events, xen->intx);
        } else if (!server) {
            answer(events, UINT32_MAX);
        } else {
            make_request(server, &events->asked);
            events->masked = true;
            return PROGRAMS_PORT + VCPU;
        }
    }
    return done_unless(EAGAIN);
}

int xenevtchn_unmask(xenevtchn_handle *events, evtchn_port_t port)
{
    events->masked &= port != PROGRAMS_PORT + VCPU;
    return 0;
}

int xenevtchn_notify(xenevtchn_handle *events, evtchn_port_t port)
{
    volatile struct ioreq *request = request_of(VCPU);

    if (port == PROGRAMS_PORT + VCPU && request->state == STATE_IORESP_READY) {
        xen_rmb();
        request->state = STATE_IOREQ_NONE;
        answer(events, (uint32_t)request->data);
    }
    return 0;
}

/* --- libxenctrl --- */

xc_interface *xc_interface_open(xentoollog_logger *logger, xentoollog_logger *dombuild_logger,
                                unsigned open_flags)
{
    (void)logger;
    (void)dombuild_logger;
    (void)open_flags;
    return (xc_interface *)&nothing;
}

int xc_interface_close(xc_interface *xch)
{
    (void)xch;
    return 0;
}

int xc_domain_getinfolist(xc_interface *xch, uint32_t first_domain, unsigned max_domains,
                          xc_domaininfo_t *info)
{
    enum domain_state state = domain_state((uint16_t)first_domain);

    (void)xch;
    if (state == DOMAIN_UNKNOWN || max_domains == 0) {
        return 0;
    }
    *info = (xc_domaininfo_t){.domain = (domid_t)first_domain,
                              .flags = state == DOMAIN_STOPPED ? XEN_DOMINF_paused : 0};
    return 1;
}
