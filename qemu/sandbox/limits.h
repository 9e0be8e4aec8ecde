/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SANDBOX_LIMITS_H
#define SANDBOX_LIMITS_H

/* Sets the process's limits as a process needs them that plays to the host and is about to lose
 * its privileges: what a toolstack has forbidden is allowed again, as far as that is this
 * process's to decide, and it leaves no core. After realtime_enter (base/realtime.h); not while
 * other threads map memory. */
void limits_set(void);

#endif
