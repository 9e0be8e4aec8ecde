/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The card's side of Xen, with a Xen of a few arrays: how it joins a domain
 * and leaves it, what becomes of each kind of request, and guest memory.
 */
#include "xen/guest.c"
#include "xen/guest_memory.c"
#include "xen/ioreq_server.c"

#include <time.h>

static int pass_time(const struct timespec *t, struct timespec *left);
#define nanosleep pass_time
#include "xen/retire.c"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"

enum { DOMID = 9, SLOT = 4, VCPUS = 3, RAM_PAGES = 64, HOLE = 20 /* a page without RAM */ };

static struct {
    uint8_t ram[RAM_PAGES][GUEST_PAGE_BYTES];
    struct shared_iopage *page;
    char events[1024]; /* calls of note, in order */
    bool servers[8];
    int fail_create; /* the how manieth creation fails; 0: none */
    int fail_map;    /* likewise, of the page of requests */
    bool restricted, enabled;
    unsigned mapped, unmapped; /* regions */
    uint64_t dirty[16];
    unsigned dirty_count;
    unsigned notified[VCPUS];
    int pending[16]; /* ports, in order */
    unsigned pending_count;
    bool intx;
    bool asks_again; /* each vCPU, as soon as it has been answered */
} xen;

static uint64_t now;

uint64_t clock_now_ns(void)
{
    return now;
}

static int pass_time(const struct timespec *t, struct timespec *left)
{
    (void)left;
    now += (uint64_t)t->tv_nsec;
    return 0;
}

static void event(const char *what)
{
    strncat(xen.events, what, sizeof(xen.events) - strlen(xen.events) - 1);
    strncat(xen.events, " ", sizeof(xen.events) - strlen(xen.events) - 1);
}

/* --- libxendevicemodel --- */

xendevicemodel_handle *xendevicemodel_open(struct xentoollog_logger *logger, unsigned flags)
{
    (void)logger;
    (void)flags;
    return (xendevicemodel_handle *)&xen;
}

int xendevicemodel_close(xendevicemodel_handle *dm)
{
    (void)dm;
    return 0;
}

int xendevicemodel_create_ioreq_server(xendevicemodel_handle *dm, domid_t domid, int bufioreq,
                                       ioservid_t *id)
{
    (void)dm;
    assert_true(xen.restricted);
    assert_int_equal(domid, DOMID);
    assert_int_equal(bufioreq, HVM_IOREQSRV_BUFIOREQ_OFF);
    if (xen.fail_create > 0 && --xen.fail_create == 0) {
        errno = ENOSPC;
        return -1;
    }
    for (ioservid_t i = 0; i < 8; i++) {
        if (!xen.servers[i]) {
            xen.servers[i] = true;
            *id = i;
            return 0;
        }
    }
    errno = ENOSPC;
    return -1;
}

int xendevicemodel_destroy_ioreq_server(xendevicemodel_handle *dm, domid_t domid, ioservid_t id)
{
    (void)dm;
    (void)domid;
    assert_true(id < 8 && xen.servers[id]);
    xen.servers[id] = false;
    event("destroy");
    return 0;
}

int xendevicemodel_set_ioreq_server_state(xendevicemodel_handle *dm, domid_t domid, ioservid_t id,
                                          int enabled)
{
    (void)dm;
    (void)domid;
    (void)id;
    event(enabled ? "enable" : "disable");
    xen.enabled = enabled;
    for (unsigned i = 0; i < VCPUS; i++) {
        xen.page->vcpu_ioreq[i].vp_eport = 100 + i; /* not known before */
    }
    return 0;
}

int xendevicemodel_nr_vcpus(xendevicemodel_handle *dm, domid_t domid, unsigned *vcpus)
{
    (void)dm;
    (void)domid;
    *vcpus = VCPUS;
    return 0;
}

int xendevicemodel_map_pcidev_to_ioreq_server(xendevicemodel_handle *dm, domid_t domid,
                                              ioservid_t id, uint16_t segment, uint8_t bus,
                                              uint8_t device, uint8_t function)
{
    (void)dm;
    (void)domid;
    assert_int_equal(id, 1);
    assert_int_equal(segment | bus | function, 0);
    assert_int_equal(device, SLOT);
    event("pcidev");
    return 0;
}

int xendevicemodel_map_io_range_to_ioreq_server(xendevicemodel_handle *dm, domid_t domid,
                                                ioservid_t id, int is_mmio, uint64_t start,
                                                uint64_t end)
{
    (void)dm;
    (void)domid;
    (void)id;
    assert_int_equal(is_mmio, 0);
    event(start == 0xc000 && end == 0xc03f ? "map" : "map?");
    return 0;
}

int xendevicemodel_unmap_io_range_from_ioreq_server(xendevicemodel_handle *dm, domid_t domid,
                                                    ioservid_t id, int is_mmio, uint64_t start,
                                                    uint64_t end)
{
    (void)dm;
    (void)domid;
    (void)id;
    assert_int_equal(is_mmio, 0);
    event(start == 0xc000 && end == 0xc03f ? "unmap" : "unmap?");
    return 0;
}

int xendevicemodel_set_pci_intx_level(xendevicemodel_handle *dm, domid_t domid, uint16_t segment,
                                      uint8_t bus, uint8_t device, uint8_t intx, unsigned level)
{
    (void)dm;
    (void)domid;
    assert_int_equal(segment | bus | intx, 0);
    assert_int_equal(device, SLOT);
    xen.intx = level;
    return 0;
}

int xendevicemodel_modified_memory(xendevicemodel_handle *dm, domid_t domid, uint64_t first,
                                   uint32_t count)
{
    (void)dm;
    (void)domid;
    assert_int_equal(count, 1);
    xen.dirty[xen.dirty_count++ % 16] = first;
    return 0;
}

/* --- libxenforeignmemory --- */

xenforeignmemory_handle *xenforeignmemory_open(struct xentoollog_logger *logger, unsigned flags)
{
    (void)logger;
    (void)flags;
    return (xenforeignmemory_handle *)&xen;
}

int xenforeignmemory_close(xenforeignmemory_handle *fmem)
{
    (void)fmem;
    return 0;
}

xenforeignmemory_resource_handle *xenforeignmemory_map_resource(xenforeignmemory_handle *fmem,
                                                                domid_t domid, unsigned type,
                                                                unsigned id, unsigned long frame,
                                                                unsigned long count, void **page,
                                                                int prot, int flags)
{
    (void)fmem;
    (void)domid;
    (void)prot;
    (void)flags;
    if (xen.fail_map > 0 && --xen.fail_map == 0) {
        errno = ENOMEM;
        return NULL;
    }
    assert_int_equal(type, XENMEM_resource_ioreq_server);
    assert_int_equal(id, 1);
    assert_int_equal(frame, 1);
    assert_int_equal(count, 1);
    *page = xen.page;
    return (xenforeignmemory_resource_handle *)&xen;
}

int xenforeignmemory_unmap_resource(xenforeignmemory_handle *fmem,
                                    xenforeignmemory_resource_handle *resource)
{
    (void)fmem;
    (void)resource;
    event("unmap-page");
    return 0;
}

void *xenforeignmemory_map(xenforeignmemory_handle *fmem, uint32_t domid, int prot, size_t pages,
                           const xen_pfn_t gfns[], int errors[])
{
    uint8_t *at;

    (void)fmem;
    (void)domid;
    (void)prot;
    assert_int_equal(pages, REGION_PAGES);
    assert_int_equal(gfns[0] % REGION_PAGES, 0);
    for (size_t i = 0; i < pages; i++) {
        errors[i] = gfns[i] >= RAM_PAGES || gfns[i] == HOLE ? -ENOENT : 0;
    }
    xen.mapped++;
    at = gfns[0] < RAM_PAGES ? xen.ram[gfns[0]] : xen.ram[0];
    return at;
}

int xenforeignmemory_unmap(xenforeignmemory_handle *fmem, void *at, size_t pages)
{
    (void)fmem;
    (void)at;
    assert_int_equal(pages, REGION_PAGES);
    xen.unmapped++;
    return 0;
}

/* --- libxenevtchn, libxentoolcore --- */

static int event_fds[2];

xenevtchn_handle *xenevtchn_open(struct xentoollog_logger *logger, unsigned flags)
{
    (void)logger;
    (void)flags;
    return (xenevtchn_handle *)&xen;
}

int xenevtchn_close(xenevtchn_handle *x)
{
    (void)x;
    return 0;
}

int xenevtchn_fd(xenevtchn_handle *x)
{
    (void)x;
    return event_fds[0];
}

xenevtchn_port_or_error_t xenevtchn_bind_interdomain(xenevtchn_handle *x, uint32_t domid,
                                                     evtchn_port_t remote)
{
    (void)x;
    (void)domid;
    assert_in_range(remote, 100, 100 + VCPUS - 1);
    return (xenevtchn_port_or_error_t)(remote - 50);
}

xenevtchn_port_or_error_t xenevtchn_pending(xenevtchn_handle *x)
{
    int port = -1;

    (void)x;
    if (xen.pending_count > 0) {
        port = xen.pending[0];
        memmove(xen.pending, xen.pending + 1, --xen.pending_count * sizeof(int));
    }
    return port;
}

int xenevtchn_unmask(xenevtchn_handle *x, evtchn_port_t port)
{
    (void)x;
    (void)port;
    return 0;
}

int xenevtchn_notify(xenevtchn_handle *x, evtchn_port_t port)
{
    (void)x;
    assert_in_range(port, 50, 50 + VCPUS - 1);
    xen.notified[port - 50]++;
    if (xen.asks_again) {
        xen.page->vcpu_ioreq[port - 50].state = STATE_IOREQ_READY;
    }
    return 0;
}

int xentoolcore_restrict_all(domid_t domid)
{
    assert_int_equal(domid, DOMID);
    xen.restricted = true;
    return 0;
}

/* --- the device --- */

static struct {
    char kind; /* of the last access: c, C, p, P: configuration or port, read or written */
    unsigned where, bytes, count;
    uint32_t values[64];
} seen;

static uint32_t saw(char kind, unsigned where, unsigned bytes, uint32_t value)
{
    seen.kind = kind;
    seen.where = where;
    seen.bytes = bytes;
    seen.values[seen.count++ % 64] = value;
    return 0x11223300 + seen.count;
}

static uint32_t config_read(void *o, unsigned offset, unsigned bytes)
{
    (void)o;
    return saw('c', offset, bytes, 0);
}

static void config_write(void *o, unsigned offset, unsigned bytes, uint32_t value)
{
    (void)o;
    saw('C', offset, bytes, value);
}

static uint32_t port_read(void *o, uint16_t port, unsigned bytes)
{
    (void)o;
    return saw('p', port, bytes, 0);
}

static void port_write(void *o, uint16_t port, unsigned bytes, uint32_t value)
{
    (void)o;
    saw('P', port, bytes, value);
}

static const struct guest_device device = {
    .config_read = config_read,
    .config_write = config_write,
    .port_read = port_read,
    .port_write = port_write,
};

static struct shared_iopage *iopage(void)
{
    static _Alignas(4096) uint8_t page[GUEST_PAGE_BYTES];

    return (struct shared_iopage *)page;
}

static struct guest *g;

static int clear(void **state)
{
    (void)state;
    memset(&xen, 0, sizeof(xen));
    memset(&seen, 0, sizeof(seen));
    xen.page = iopage();
    memset(xen.page, 0, GUEST_PAGE_BYTES);
    now = NS_PER_S;
    return pipe(event_fds);
}

static int join(void **state)
{
    struct err err;

    clear(state);
    g = guest_open(DOMID, SLOT, &device, &err);
    return g ? 0 : -1;
}

static int leave(void **state)
{
    (void)state;
    guest_close(g);
    close(event_fds[0]);
    close(event_fds[1]);
    assert_int_equal(xen.mapped, xen.unmapped);
    return 0;
}

/* A request of vCPU 1, served. */
static struct ioreq *ask(uint8_t type, uint8_t dir, uint64_t addr, uint32_t size, uint64_t data)
{
    struct ioreq *r = &xen.page->vcpu_ioreq[1];

    *r = (struct ioreq){.addr = addr,
                        .data = data,
                        .count = 1,
                        .size = size,
                        .dir = dir & 1,
                        .type = type,
                        .state = STATE_IOREQ_READY,
                        .vp_eport = 101};
    xen.pending[xen.pending_count++] = 51;
    guest_serve(g);
    assert_int_equal(r->state, STATE_IORESP_READY);
    return r;
}

static void joins_above_the_engines_server(void **state)
{
    (void)state;
    assert_int_equal(guest_server_id(g), 1);
    assert_false(xen.servers[0]); /* for the engine, which comes next */
    assert_true(xen.servers[1]);
    assert_true(xen.enabled);
    assert_string_equal(xen.events, "destroy enable pcidev ");
}

static void leaves_nothing(void **state)
{
    struct err err;

    clear(state);
    g = guest_open(DOMID, SLOT, &device, &err);
    guest_set_intx(g, true);
    xen.events[0] = '\0';
    leave(state);
    assert_false(xen.intx);
    assert_false(xen.servers[1]);
    /* The page first: Xen does not destroy what is still mapped. */
    assert_string_equal(xen.events, "unmap-page destroy ");
}

static void a_refusal_leaves_nothing(void **state)
{
    struct err err;

    for (int nth = 1; nth <= 2; nth++) {
        clear(state);
        xen.fail_create = nth;
        assert_null(guest_open(DOMID, SLOT, &device, &err));
        assert_non_null(strstr(err.text, "ioreq server"));
        for (int i = 0; i < 8; i++) {
            assert_false(xen.servers[i]);
        }
    }
}

static void configuration_cycles(void **state)
{
    uint64_t sbdf = (uint64_t)(SLOT << 3) << 32;

    (void)state;
    assert_int_equal(ask(IOREQ_TYPE_PCI_CONFIG, IOREQ_READ, sbdf | 0x10, 4, 0)->data, 0x11223301);
    assert_true(seen.kind == 'c' && seen.where == 0x10 && seen.bytes == 4);
    ask(IOREQ_TYPE_PCI_CONFIG, IOREQ_WRITE, sbdf | 0x05, 1, 0xabcd);
    assert_true(seen.kind == 'C' && seen.where == 0x05 && seen.bytes == 1);
    assert_int_equal(seen.values[1], 0xabcd);
    assert_int_equal(xen.notified[1], 2);
}

static void port_accesses(void **state)
{
    (void)state;
    assert_int_equal(ask(IOREQ_TYPE_PIO, IOREQ_READ, 0xc004, 2, 0)->data, 0x11223301);
    assert_true(seen.kind == 'p' && seen.where == 0xc004 && seen.bytes == 2);
    ask(IOREQ_TYPE_PIO, IOREQ_WRITE, 0xc020, 4, 0xdeadbeef);
    assert_true(seen.kind == 'P' && seen.where == 0xc020);
    assert_int_equal(seen.values[1], 0xdeadbeef);
}

static void what_is_not_ours_reads_as_ones(void **state)
{
    static const uint32_t sizes[] = {0, 3, 8, 4096, UINT32_MAX};

    (void)state;
    assert_true(ask(IOREQ_TYPE_COPY, IOREQ_READ, 0xf0000000, 4, 0)->data == UINT64_MAX);
    assert_true(ask(99, IOREQ_READ, 0, 4, 0)->data == UINT64_MAX);
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        assert_true(ask(IOREQ_TYPE_PIO, IOREQ_READ, 0xc000, sizes[i], 0)->data == UINT64_MAX);
        ask(IOREQ_TYPE_PIO, IOREQ_WRITE, 0xc000, sizes[i], 1);
    }
    assert_int_equal(seen.count, 0);
}

/* rep outsw and insw: the values lie in guest memory, upwards or downwards. */
static void string_accesses(void **state)
{
    struct ioreq r = {.addr = 0xc028,
                      .data = 3 * GUEST_PAGE_BYTES - 4, /* and over a page's end */
                      .size = 2,
                      .count = 5,
                      .data_is_ptr = 1,
                      .dir = IOREQ_WRITE,
                      .type = IOREQ_TYPE_PIO};

    (void)state;
    for (unsigned i = 0; i < 5; i++) {
        uint16_t value = (uint16_t)(0x1000 + i);

        memcpy((uint8_t *)xen.ram + r.data + 2 * i, &value, 2);
    }
    perform(g, &r);
    assert_int_equal(seen.count, 5);
    for (unsigned i = 0; i < 5; i++) {
        assert_int_equal(seen.values[i], 0x1000 + i);
    }

    seen.count = 0;
    r.df = 1;
    r.dir = IOREQ_READ;
    r.data = 5 * GUEST_PAGE_BYTES + 100;
    perform(g, &r);
    assert_int_equal(seen.count, 5);
    for (unsigned i = 0; i < 5; i++) {
        uint16_t value;

        memcpy(&value, &xen.ram[5][100 - 2 * i], 2);
        assert_int_equal(value, 0x3301 + i);
    }
    assert_int_equal(xen.dirty_count, 5);
    assert_int_equal(xen.dirty[0], 5);
}

static void hostile_string_accesses(void **state)
{
    struct ioreq r = {.addr = 0xc028,
                      .size = 4,
                      .count = UINT32_MAX,
                      .data_is_ptr = 1,
                      .dir = IOREQ_READ,
                      .type = IOREQ_TYPE_PIO,
                      .data = UINT64_MAX - 2};

    (void)state;
    perform(g, &r);
    assert_int_equal(seen.count, MAX_REPEAT);
    r.size = UINT32_MAX;
    r.dir = IOREQ_WRITE;
    seen.count = 0;
    perform(g, &r);
    assert_int_equal(seen.count, 0);
}

static void every_vcpu_is_answered(void **state)
{
    (void)state;
    for (unsigned v = 0; v < VCPUS; v++) {
        xen.page->vcpu_ioreq[v] = (struct ioreq){.addr = 0xc000,
                                                 .size = 4,
                                                 .count = 1,
                                                 .dir = IOREQ_READ,
                                                 .type = IOREQ_TYPE_PIO,
                                                 .state = STATE_IOREQ_READY};
        xen.pending[xen.pending_count++] = 50 + (int)v;
    }
    guest_serve(g);
    assert_int_equal(seen.count, VCPUS);
    for (unsigned v = 0; v < VCPUS; v++) {
        assert_int_equal(xen.notified[v], 1);
    }
}

/* An event without a request, and a request in a state it cannot be in. */
static void idle_requests_stay_untouched(void **state)
{
    static const uint8_t states[] = {STATE_IOREQ_NONE, STATE_IORESP_READY, 9};

    (void)state;
    for (size_t i = 0; i < sizeof(states); i++) {
        xen.page->vcpu_ioreq[0].state = states[i] & 0xf;
        xen.pending[xen.pending_count++] = 50;
        guest_serve(g);
        assert_int_equal(xen.page->vcpu_ioreq[0].state, states[i]);
    }
    assert_int_equal(seen.count, 0);
    assert_int_equal(xen.notified[0], 0);
}

static void memory_is_mapped_once(void **state)
{
    uint8_t data[16];

    (void)state;
    memset(xen.ram[1], 0x5a, GUEST_PAGE_BYTES);
    for (unsigned i = 0; i < 100; i++) {
        assert_true(guest_read(g, GUEST_PAGE_BYTES + i * 16, data, sizeof(data)));
        assert_int_equal(data[7], 0x5a);
    }
    assert_int_equal(xen.mapped, 1);
}

static void invalidate_drops_the_mappings(void **state)
{
    uint8_t byte;

    (void)state;
    guest_read(g, 0, &byte, 1);
    guest_read(g, 40 * GUEST_PAGE_BYTES, &byte, 1);
    assert_int_equal(xen.mapped, 2);
    ask(IOREQ_TYPE_INVALIDATE, IOREQ_WRITE, 0, 0, 0);
    assert_int_equal(xen.unmapped, 2);
    assert_int_equal(xen.notified[1], 1);
    guest_read(g, 0, &byte, 1);
    assert_int_equal(xen.mapped, 3);
}

static void where_there_is_no_ram(void **state)
{
    uint8_t data[32];

    (void)state;
    memset(xen.ram[HOLE - 1], 0x11, GUEST_PAGE_BYTES);
    memset(xen.ram[HOLE], 0x22, GUEST_PAGE_BYTES);
    memset(data, 0xff, sizeof(data));
    assert_false(guest_read(g, HOLE * GUEST_PAGE_BYTES - 16, data, sizeof(data)));
    assert_int_equal(data[15], 0x11);
    assert_int_equal(data[16], 0);
    assert_false(guest_write(g, HOLE * GUEST_PAGE_BYTES, data, 1));
    assert_int_equal(xen.ram[HOLE][0], 0x22);
    assert_false(guest_read(g, UINT64_MAX - 7, data, 8));
    assert_false(guest_read(g, (uint64_t)RAM_PAGES * GUEST_PAGE_BYTES, data, 8));
}

/* A hole is not asked for again with each access, but is found when it has been filled. */
static void a_hole_is_looked_at_again_later(void **state)
{
    uint8_t byte;

    (void)state;
    for (unsigned i = 0; i < 1000; i++) {
        guest_read(g, HOLE * GUEST_PAGE_BYTES, &byte, 1);
    }
    assert_int_equal(xen.mapped, 1);
    now += 100 * NS_PER_MS;
    guest_read(g, HOLE * GUEST_PAGE_BYTES, &byte, 1);
    assert_int_equal(xen.mapped, 2);
}

static void what_is_written_is_reported(void **state)
{
    uint8_t data[8] = {1, 2, 3, 4, 5, 6, 7, 8};

    (void)state;
    guest_read(g, 7 * GUEST_PAGE_BYTES, data, 1); /* mapped for reading first */
    data[0] = 1;
    assert_true(guest_write(g, 8 * GUEST_PAGE_BYTES - 4, data, sizeof(data)));
    assert_memory_equal((uint8_t *)xen.ram + 8 * GUEST_PAGE_BYTES - 4, data, 8);
    assert_int_equal(xen.dirty_count, 2);
    assert_int_equal(xen.dirty[0], 7);
    assert_int_equal(xen.dirty[1], 8);
}

static void regions_make_room_for_others(void **state)
{
    uint8_t byte;

    (void)state;
    for (uint64_t i = 0; i < 4 * REGION_COUNT; i++) {
        guest_read(g, i * REGION_PAGES * GUEST_PAGE_BYTES, &byte, 1);
    }
    assert_int_equal(xen.mapped - xen.unmapped, REGION_COUNT);
}

static void ports_and_the_interrupt_line(void **state)
{
    (void)state;
    xen.events[0] = '\0';
    assert_true(guest_map_ports(g, 0xc000, 64));
    assert_true(guest_unmap_ports(g, 0xc000, 64));
    assert_string_equal(xen.events, "map unmap ");
    guest_set_intx(g, true);
    assert_true(xen.intx);
    guest_set_intx(g, false);
    assert_false(xen.intx);
}

/* --- another process's device --- */

static struct {
    unsigned begun, done;
    uint8_t state_when_begun, state_when_done; /* of vCPU 1's request */
    struct guest_answer answer;
} kept;

static void begun(void *o)
{
    (void)o;
    kept.begun++;
    kept.state_when_begun = xen.page->vcpu_ioreq[1].state;
}

static void done(void *o, const struct guest_answer *answer)
{
    (void)o;
    kept.done++;
    kept.state_when_done = xen.page->vcpu_ioreq[1].state;
    kept.answer = *answer;
}

/* vCPU 0 has asked, vCPU 1's request was being carried out, vCPU 2's answer has no event yet. */
static void leave_requests(void)
{
    for (unsigned v = 0; v < VCPUS; v++) {
        xen.page->vcpu_ioreq[v] = (struct ioreq){.addr = 0xc004,
                                                 .data = 99,
                                                 .size = 4,
                                                 .count = 1,
                                                 .dir = IOREQ_READ,
                                                 .type = IOREQ_TYPE_PIO,
                                                 .state = (uint8_t)(STATE_IOREQ_READY + v),
                                                 .vp_eport = 100 + v};
    }
}

static int take_over(int32_t answered_vcpu)
{
    const struct guest_answer last = {.vcpu = answered_vcpu, .value = 0x1234};
    struct guest_device keeps = device;
    struct err err;

    memset(&kept, 0, sizeof(kept));
    keeps.begun = begun;
    keeps.done = done;
    xen.servers[0] = xen.servers[1] = true; /* the engine's, and the dead process's */
    g = guest_take_over(DOMID, SLOT, 1, &keeps, &last, &err);
    return g ? 0 : -1;
}

static void serve_all(void)
{
    for (unsigned v = 0; v < VCPUS; v++) {
        xen.pending[xen.pending_count++] = 50 + (int)v;
    }
    guest_serve(g);
}

static void takes_a_dead_ones_place(void **state)
{
    clear(state);
    leave_requests();
    assert_int_equal(take_over(-1), 0);
    assert_true(xen.restricted);
    assert_string_equal(xen.events, ""); /* what Xen asks of the server stays the same */
    assert_int_equal(xen.notified[2], 1);
    assert_int_equal(seen.count, 0);
    serve_all();
    assert_int_equal(seen.count, 2); /* what was not answered is asked again */
    assert_int_equal(xen.page->vcpu_ioreq[0].state, STATE_IORESP_READY);
    assert_int_equal(xen.page->vcpu_ioreq[1].state, STATE_IORESP_READY);
    assert_int_equal(xen.page->vcpu_ioreq[2].data, 99);
    leave(state);
    assert_false(xen.servers[1]);
}

static void what_was_answered_is_not_asked_again(void **state)
{
    clear(state);
    leave_requests();
    assert_int_equal(take_over(1), 0);
    serve_all();
    assert_int_equal(seen.count, 1); /* vCPU 0's */
    assert_int_equal(xen.page->vcpu_ioreq[1].data, 0x1234);
    assert_int_equal(xen.page->vcpu_ioreq[1].state, STATE_IORESP_READY);
    assert_true(xen.notified[1] > 0);
    ask(IOREQ_TYPE_PIO, IOREQ_READ, 0xc000, 4, 0);
    assert_int_equal(seen.count, 2);
    leave(state);
}

/* The answer of one vCPU's request is not another's, nor that of one which had not begun. */
static void an_answer_is_for_its_request_alone(void **state)
{
    for (int32_t vcpu = 0; vcpu <= 2; vcpu += 2) {
        clear(state);
        leave_requests();
        assert_int_equal(take_over(vcpu), 0);
        serve_all();
        assert_int_equal(seen.count, 2);
        assert_int_not_equal(xen.page->vcpu_ioreq[0].data, 0x1234);
        assert_int_equal(xen.page->vcpu_ioreq[2].data, 99);
        leave(state);
    }
}

static void a_request_is_kept_around_its_answer(void **state)
{
    clear(state);
    leave_requests();
    assert_int_equal(take_over(-1), 0);
    ask(IOREQ_TYPE_PIO, IOREQ_READ, 0xc000, 4, 0);
    assert_int_equal(kept.begun, 1);
    assert_int_equal(kept.done, 1);
    /* Else it could pass for one that was answered before. */
    assert_int_equal(kept.state_when_begun, STATE_IOREQ_READY);
    assert_int_equal(kept.state_when_done, STATE_IOREQ_INPROCESS);
    assert_int_equal(kept.answer.vcpu, 1);
    assert_int_equal(kept.answer.value, xen.page->vcpu_ioreq[1].data);
    leave(state);
}

static void a_failed_attempt_leaves_the_server(void **state)
{
    clear(state);
    leave_requests();
    xen.fail_map = 1;
    assert_int_equal(take_over(-1), -1);
    assert_true(xen.servers[1]);
    assert_int_equal(xen.page->vcpu_ioreq[0].state, STATE_IOREQ_READY);
    assert_int_equal(take_over(-1), 0);
    leave(state);
}

static void nobody_waits_for_a_retired_one(void **state)
{
    struct err err;

    clear(state);
    leave_requests();
    xen.servers[1] = xen.intx = true;
    assert_true(guest_retire(DOMID, SLOT, 1, &err));
    assert_string_equal(xen.events, "disable destroy unmap-page ");
    assert_false(xen.servers[1]);
    assert_false(xen.intx);
    assert_int_equal(xen.page->vcpu_ioreq[0].data, UINT64_MAX);
    assert_int_equal(xen.page->vcpu_ioreq[1].data, UINT64_MAX);
    assert_int_equal(xen.page->vcpu_ioreq[2].data, 99); /* answered before */
    for (unsigned v = 0; v < VCPUS; v++) {
        assert_int_equal(xen.page->vcpu_ioreq[v].state, STATE_IORESP_READY);
        assert_true(xen.notified[v] > 0);
    }
    close(event_fds[0]);
    close(event_fds[1]);
}

/* It could go on for ever. */
static void a_vcpu_that_never_stops_asking_is_left(void **state)
{
    struct err err;

    clear(state);
    leave_requests();
    xen.asks_again = true;
    xen.servers[1] = true;
    assert_true(guest_retire(DOMID, SLOT, 1, &err));
    assert_true(now < 2 * NS_PER_S);
    close(event_fds[0]);
    close(event_fds[1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(takes_a_dead_ones_place),
        cmocka_unit_test(what_was_answered_is_not_asked_again),
        cmocka_unit_test(an_answer_is_for_its_request_alone),
        cmocka_unit_test(a_request_is_kept_around_its_answer),
        cmocka_unit_test(a_failed_attempt_leaves_the_server),
        cmocka_unit_test(nobody_waits_for_a_retired_one),
        cmocka_unit_test(a_vcpu_that_never_stops_asking_is_left),
        cmocka_unit_test_setup_teardown(joins_above_the_engines_server, join, leave),
        cmocka_unit_test(leaves_nothing),
        cmocka_unit_test(a_refusal_leaves_nothing),
        cmocka_unit_test_setup_teardown(configuration_cycles, join, leave),
        cmocka_unit_test_setup_teardown(port_accesses, join, leave),
        cmocka_unit_test_setup_teardown(what_is_not_ours_reads_as_ones, join, leave),
        cmocka_unit_test_setup_teardown(string_accesses, join, leave),
        cmocka_unit_test_setup_teardown(hostile_string_accesses, join, leave),
        cmocka_unit_test_setup_teardown(every_vcpu_is_answered, join, leave),
        cmocka_unit_test_setup_teardown(idle_requests_stay_untouched, join, leave),
        cmocka_unit_test_setup_teardown(memory_is_mapped_once, join, leave),
        cmocka_unit_test_setup_teardown(invalidate_drops_the_mappings, join, leave),
        cmocka_unit_test_setup_teardown(where_there_is_no_ram, join, leave),
        cmocka_unit_test_setup_teardown(a_hole_is_looked_at_again_later, join, leave),
        cmocka_unit_test_setup_teardown(what_is_written_is_reported, join, leave),
        cmocka_unit_test_setup_teardown(regions_make_room_for_others, join, leave),
        cmocka_unit_test_setup_teardown(ports_and_the_interrupt_line, join, leave),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
