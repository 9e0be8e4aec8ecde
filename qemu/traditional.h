/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A toolstack that starts the device model the old way, as qemu-dm was until
 * Xen 4.20 (device_model_version="qemu-xen-traditional"): its command line made
 * into today's.
 */
#ifndef TRADITIONAL_H
#define TRADITIONAL_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

/* Whether argv is the old program's command line. */
bool traditional_is(int argc, const char *const argv[]);

/* The same machine in the words of a modern toolstack, ended by NULL, for as long as the process
 * lasts; *domid is its domain. What the old line leaves to xenstore is looked up there, a saved
 * state is opened, and the firmware told which machine it is on. The engine waits (-S) for
 * traditional/conversation.h to let it go. NULL with err set. */
char **traditional_translate(uint16_t *domid, int argc, const char *const argv[], struct err *err);

#endif
