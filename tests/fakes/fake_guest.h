/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A domain without Xen: implements xen/guest.h. Tests issue accesses to the
 * device as the guest's vCPU would and look at what the device did.
 *
 * For tests of whole processes, where nobody can look inside, the environment
 * tells it what to do: FAKE_GUEST_LOG is a file that receives a line for each
 * event; FAKE_GUEST_OPEN=fail refuses to be joined, =hang never answers, =die ends the
 * process; the same of FAKE_GUEST_TAKE_OVER. FAKE_GUEST_SOCKET is a path: a datagram socket there
 * takes the guest's accesses, each a struct fake_guest_access, and sends it back, with its value,
 * when it has been served. FAKE_GUEST_MEMORY is a file of FAKE_GUEST_RAM bytes, which is then the
 * guest's memory, for others to share.
 */
#ifndef FAKES_FAKE_GUEST_H
#define FAKES_FAKE_GUEST_H

#include <stdbool.h>
#include <stdint.h>

#include "xen/guest.h"

enum { FAKE_GUEST_RAM = 1 << 20 }; /* bytes, from address 0 */

struct fake_guest {
    struct guest_device device;
    uint16_t domid;
    uint8_t slot;
    uint8_t *ram;                    /* FAKE_GUEST_RAM bytes */
    uint32_t first_port, port_count; /* the range mapped; count 0: none */
    bool intx;
    unsigned intx_edges; /* times it went up */
    unsigned dma_calls;  /* guest_read and guest_write, together */
    int fd;
};

enum fake_guest_kind {
    FAKE_GUEST_CONFIG_READ,
    FAKE_GUEST_CONFIG_WRITE,
    FAKE_GUEST_PORT_READ,
    FAKE_GUEST_PORT_WRITE,
    FAKE_GUEST_INTX, /* no access: the level of the interrupt line */
};

struct fake_guest_access {
    uint32_t kind, where, bytes, value;
};

/* The guest that is open, or NULL. */
struct fake_guest *fake_guest(void);

#endif
