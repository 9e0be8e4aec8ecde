/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SANDBOX_SYSCALLS_H
#define SANDBOX_SYSCALLS_H

#include <stdbool.h>

#include "base/err.h"

/* Leaves to all threads of the process, and to those that they start, for good, the system calls
 * that the card and the sound libraries make. The others are refused, and some of them are its end.
 * It can then gain no privileges either. Any thread. False with err saying why; the process may go
 * on, with all of them. */
bool syscalls_filter(struct err *err);

#endif
