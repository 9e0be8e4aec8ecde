/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What guest.c, guest_memory.c and ioreq_server.c share. To be included first. */
#ifndef XEN_GUEST_PRIVATE_H
#define XEN_GUEST_PRIVATE_H

#include "xen/guest.h"

#include <xenctrl.h> /* before the others: shows the tools' part of Xen's interface */

#include <xen/hvm/ioreq.h>
#include <xen/memory.h>
#include <xendevicemodel.h>
#include <xenevtchn.h>
#include <xenforeignmemory.h>

enum { GUEST_PAGE_BYTES = 4096 };

/* One page of ioreqs holds 128 vCPUs, which is as many as Xen gives an HVM domain. */
enum { GUEST_MAX_VCPUS = GUEST_PAGE_BYTES / sizeof(struct ioreq) };

enum {
    REGION_PAGES = 16, /* mapped at once: 64 KiB */
    REGION_COUNT = 32, /* three buffers of 256 KiB, the most the card can have, and some */
};

/* A piece of guest memory that is mapped here. */
struct guest_region {
    uint64_t first_gfn; /* a multiple of REGION_PAGES */
    uint8_t *pages;     /* NULL: the entry is free */
    uint32_t absent;    /* bit n: page n has no RAM behind it */
    uint64_t tried_ns;  /* when the absent pages were last asked for */
    bool writable;
};

struct guest_memory {
    struct guest_region regions[REGION_COUNT];
    unsigned next_victim;
};

struct guest {
    domid_t domid;
    uint8_t slot;
    struct guest_device device;

    xendevicemodel_handle *dm;
    xenforeignmemory_handle *fmem;
    xenevtchn_handle *evtchn;

    ioservid_t server;
    bool server_exists;
    xenforeignmemory_resource_handle *ioreq_resource;
    struct shared_iopage *ioreqs;
    unsigned vcpus;
    evtchn_port_t ports[GUEST_MAX_VCPUS]; /* our end of each vCPU's event channel */

    struct guest_answer last; /* of the process that was taken over from */
    struct guest_memory memory;
};

/* For RT_EXEMPT. libxendevicemodel allocates the list of a call's arguments, 16 bytes for each. It
 * does not wait for that: glibc gives threads memory from places of their own. */
#define DEVICE_MODEL_CALL "Xen's library allocates in each call of the device model's interface"

/* guest.c: Xen's handles, still without restriction. */
bool guest_open_handles(struct guest *g, struct err *err);
void guest_close_handles(struct guest *g);

/* ioreq_server.c */
bool ioreq_server_open(struct guest *g, struct err *err);
bool ioreq_server_take_over(struct guest *g, struct err *err); /* what it serves is as it was */
void ioreq_server_close(struct guest *g);

/* guest_memory.c: unmaps everything, as on IOREQ_TYPE_INVALIDATE. */
void guest_memory_drop(struct guest *g);

#endif
