/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sandbox/capabilities.h"

#include <errno.h>
#include <string.h>

#include <cap-ng.h>

bool capabilities_drop(bool change, struct err *err)
{
    if (capng_get_caps_process() < 0) {
        return err_set(err, "cannot read what capabilities there are: %s", strerror(errno));
    }
    if (capng_have_capabilities(CAPNG_SELECT_CAPS) == CAPNG_NONE) {
        return true;
    }
    capng_clear(CAPNG_SELECT_ALL);
    /* What a program could get that is executed. It may not be ours to change, and is of no use
     * where nothing can be (sandbox/syscalls.c). */
    (void)!capng_apply(CAPNG_SELECT_BOUNDS);
    if (change) {
        capng_updatev(CAPNG_ADD, CAPNG_EFFECTIVE | CAPNG_PERMITTED, CAP_SETUID, CAP_SETGID, -1);
    }
    return capng_apply(CAPNG_SELECT_CAPS) == 0 ||
           err_set(err, "cannot give up capabilities: %s", strerror(errno));
}
