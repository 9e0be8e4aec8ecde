/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "xen/domain.h"

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include <xenctrl.h>

#include "base/log.h"

static xc_interface *xen;

static enum domain_state unknown(const char *what)
{
    static bool told;

    if (!told) {
        log_warn("%s: %s. While the domain is paused, its sound card plays on what it had last",
                 what, strerror(errno));
        told = true;
    }
    return DOMAIN_UNKNOWN;
}

enum domain_state domain_state(uint16_t domid)
{
    xc_domaininfo_t info;
    int n;

    if (!xen) {
        xen = xc_interface_open(NULL, NULL, 0);
    }
    if (!xen) {
        return unknown("cannot open Xen's control interface");
    }
    n = xc_domain_getinfolist(xen, domid, 1, &info);
    if (n < 0) {
        return unknown("cannot ask Xen for the domain's state");
    }
    /* The list begins with the first domain from domid on. */
    if (n == 0 || info.domain != domid) {
        return DOMAIN_UNKNOWN;
    }
    return info.flags & (XEN_DOMINF_paused | XEN_DOMINF_shutdown | XEN_DOMINF_dying)
               ? DOMAIN_STOPPED
               : DOMAIN_RUNS;
}

void domain_close(void)
{
    if (xen) {
        xc_interface_close(xen);
        xen = NULL;
    }
}
