/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SANDBOX_SEAT_H
#define SANDBOX_SEAT_H

/* The number of the user whose session is active in front of the host's screen (seat0), a greeter's
 * too; -1: nobody's, or logind is not there to say. */
long seat_user(void);

#endif
