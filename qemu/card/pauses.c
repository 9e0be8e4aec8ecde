/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "card/pauses.h"

#include "base/clock.h"

/*
 * The first looks are close together, so that a short pause is no longer for the card. A domain
 * that has stood still for long is looked at less often, so that one that is paused overnight costs
 * next to nothing. What is heard does not depend on it: the guest's first access sets its card
 * going too.
 */
#define MIN_LOOK_NS (2 * NS_PER_MS)
#define MAX_LOOK_NS (50 * NS_PER_MS)
enum { LOOK_SHARE = 128 }; /* a look each such part of the time that it has stood still */

void pauses_begin(struct pauses *p, bool stopped)
{
    *p = (struct pauses){.stopped = stopped};
}

/* A domain of unknown state counts as running: if it does not, its card asks again. */
bool pauses_look(struct pauses *p, enum domain_state state, uint64_t now_ns)
{
    uint64_t interval;

    if (!p->domain_still) {
        p->since_ns = now_ns;
    }
    interval = (now_ns - p->since_ns) / LOOK_SHARE;
    interval = interval > MIN_LOOK_NS ? interval : MIN_LOOK_NS;
    p->look_ns = now_ns + (interval < MAX_LOOK_NS ? interval : MAX_LOOK_NS);
    p->domain_still = state == DOMAIN_STOPPED;
    return pauses_still(p);
}

void pauses_on_stop(struct pauses *p)
{
    p->stopped = true;
}

bool pauses_on_cont(struct pauses *p, enum domain_state state, uint64_t now_ns)
{
    p->stopped = false;
    return pauses_look(p, state, now_ns);
}

bool pauses_still(const struct pauses *p)
{
    return p->stopped || p->domain_still;
}

uint64_t pauses_wake(const struct pauses *p)
{
    return p->domain_still && !p->stopped ? p->look_ns : UINT64_MAX;
}
