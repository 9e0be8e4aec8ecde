/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SANDBOX_MOUNTS_H
#define SANDBOX_MOUNTS_H

#include <stdbool.h>

#include "base/err.h"

/* Makes the host's files read-only for this process, by mounts of its own, in which those that the
 * host makes later appear as they are made. Written may be to /dev/shm and /tmp, to folder (NULL:
 * none) and to devices. Needs CAP_SYS_ADMIN. Before the process has threads. False with err saying
 * what is missing; the process may go on. */
bool mounts_make_read_only(const char *folder, struct err *err);

#endif
