/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the environment tells the fakes of a domain: fake_guest.h says how. What cannot be done ends
 * the process.
 */
#ifndef FAKES_TOLD_H
#define FAKES_TOLD_H

#include <stdbool.h>
#include <stdio.h>

/* FAKE_GUEST_LOG, to append to; NULL: there is none. */
FILE *told_log(void);

/* log may be NULL. */
__attribute__((format(printf, 2, 3))) void told_note(FILE *log, const char *fmt, ...);

/* Of FAKE_GUEST_SOCKET; without, nobody ever writes to what it returns. */
int told_socket(void);

/* Does what FAKE_GUEST_OPEN or FAKE_GUEST_TAKE_OVER says. False: it is to fail. */
bool told_to_join(const char *variable);

#endif
