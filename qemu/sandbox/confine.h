/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The least privilege of a process that plays to the host: the card, which
 * hears whatever a guest says, and what plays the engine's sound. Two steps,
 * with becoming the user (sandbox/user.h) between them:
 *
 *   confine_process  what only root can arrange, and what threads inherit
 *   user_become      once all is open that only root can open
 *   confine_calls    last, for the steps before make calls of which none is left
 */
#ifndef SANDBOX_CONFINE_H
#define SANDBOX_CONFINE_H

#include <stdbool.h>

#include "base/err.h"
#include "sandbox/user.h"

/* The first step, after realtime_enter (base/realtime.h), in a process without threads that may
 * become the user later. folder: one to which it writes files; NULL: none. What the host does not
 * allow is said in the log. False with err set: it must not go on. */
bool confine_process(const struct user *user, const char *folder, struct err *err);

/* The last step, for all threads. What the host does not allow is said in the log. */
void confine_calls(void);

#endif
