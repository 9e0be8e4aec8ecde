/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SANDBOX_CAPABILITIES_H
#define SANDBOX_CAPABILITIES_H

#include <stdbool.h>

#include "base/err.h"

/* Gives up all capabilities for good, but for those that becoming another user takes, if change
 * says that this comes later; becoming one gives up these. Before the process has threads: each
 * thread has its own, from who has started it. False with err set: some are left. */
bool capabilities_drop(bool change, struct err *err);

#endif
