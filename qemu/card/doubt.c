/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "card/doubt.h"

#include "base/clock.h"

/* A domain that is paused long after its guest has fallen silent, say by a crash, is noticed that
 * late. */
#define MAX_WAIT_NS (200 * NS_PER_MS)

uint64_t rt_doubt_due(struct doubt *d, uint64_t unheard_ns, uint64_t patience_ns)
{
    if (unheard_ns != d->unheard_ns) {
        d->unheard_ns = d->from_ns = unheard_ns;
        d->wait_ns = patience_ns;
    }
    return unheard_ns == UINT64_MAX || d->asked ? UINT64_MAX : d->from_ns + d->wait_ns;
}

void rt_doubt_ask(struct doubt *d, uint64_t now_ns, bool sent)
{
    d->from_ns = now_ns;
    d->wait_ns = 2 * d->wait_ns < MAX_WAIT_NS ? 2 * d->wait_ns : MAX_WAIT_NS;
    d->asked = sent;
}

void rt_doubt_heard(struct doubt *d)
{
    d->asked = false;
}
