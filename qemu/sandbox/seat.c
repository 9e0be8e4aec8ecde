/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sandbox/seat.h"

#include "config.h"

#ifdef CONFIG_LOGIND

#include <stddef.h>
#include <sys/types.h>

#include <systemd/sd-login.h>

long seat_user(void)
{
    uid_t uid;

    return sd_seat_get_active("seat0", NULL, &uid) >= 0 ? (long)uid : -1;
}

#else

long seat_user(void)
{
    return -1;
}

#endif
