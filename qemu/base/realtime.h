/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef BASE_REALTIME_H
#define BASE_REALTIME_H

#include <stdbool.h>

#include "base/err.h"

/*
 * Makes the calling thread, and the threads that it starts from now on,
 * SCHED_FIFO, and keeps the process's memory from being paged out: both are
 * what a sound's thread needs to be on time beside a busy host. False, with err
 * saying what is missing and how to allow it, where the system does not let it;
 * the process goes on as it was.
 */
bool realtime_enter(struct err *err);

#endif
