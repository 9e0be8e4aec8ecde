/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What Xen says of a domain as a whole. For the supervisor: a card's process
 * may not ask, once it has been restricted to its domain.
 *
 * One thread at a time.
 */
#ifndef XEN_DOMAIN_H
#define XEN_DOMAIN_H

#include <stdint.h>

enum domain_state {
    DOMAIN_RUNS,
    DOMAIN_STOPPED, /* paused by a toolstack, shut down (for its suspend, too), or dying */
    DOMAIN_UNKNOWN, /* there is none, or Xen does not say; logged once where it does not */
};

/* A system call or two, which do not wait. */
enum domain_state domain_state(uint16_t domid);

/* Closes what domain_state has left open for its next call. To be called before a fork whose child
 * opens a guest: Xen's library would restrict there what it has inherited, and fail. */
void domain_close(void);

#endif
