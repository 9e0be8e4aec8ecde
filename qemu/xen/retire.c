/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Taking a device whose process has died from its guest. */
#include "xen/guest_private.h"

#include <errno.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"

/* A vCPU that has chosen the server for a request when it is disabled has put that into its slot
 * microseconds later, unless the host is busy. */
#define QUIET_NS (20 * NS_PER_MS)
#define LAST_NS  (200 * NS_PER_MS)

/* Ones for all that has been asked. Returns whether anything had been. */
static bool answer_with_ones(struct guest *g)
{
    bool any = false;

    for (unsigned vcpu = 0; vcpu < g->vcpus; vcpu++) {
        volatile struct ioreq *slot = &g->ioreqs->vcpu_ioreq[vcpu];
        uint8_t state = slot->state;

        if (state == STATE_IOREQ_READY || state == STATE_IOREQ_INPROCESS) {
            xen_rmb();
            if (!slot->data_is_ptr) {
                slot->data = UINT64_MAX;
            }
            xen_wmb();
            slot->state = STATE_IORESP_READY;
            any = true;
        }
        if (slot->state == STATE_IORESP_READY) {
            xen_mb();
            xenevtchn_notify(g->evtchn, g->ports[vcpu]);
        }
    }
    return any;
}

static void answer_until_quiet(struct guest *g)
{
    const struct timespec pause = {.tv_nsec = NS_PER_MS};
    uint64_t now = clock_now_ns(), quiet = now + QUIET_NS, last = now + LAST_NS;

    while (now < quiet && now < last) {
        if (answer_with_ones(g)) {
            quiet = now + QUIET_NS;
        }
        nanosleep(&pause, NULL);
        now = clock_now_ns();
    }
}

bool guest_retire(uint16_t domid, uint8_t slot, uint16_t server_id, struct err *err)
{
    struct guest g = {.domid = domid, .slot = slot, .server = server_id};
    bool done = guest_open_handles(&g, err);

    if (done) {
        /* No more is asked from here on. */
        (void)xendevicemodel_set_ioreq_server_state(g.dm, domid, server_id, 0);
        guest_set_intx(&g, false);
        if (ioreq_server_take_over(&g, err)) {
            answer_until_quiet(&g);
        }
        done = xendevicemodel_destroy_ioreq_server(g.dm, domid, server_id) == 0 ||
               err_set(err, "cannot destroy ioreq server %u of domain %u: %s", server_id, domid,
                       strerror(errno));
        ioreq_server_close(&g); /* unmaps, for server_exists is false */
    }
    guest_close_handles(&g);
    return done;
}
