/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a process has lost, as the kernel says.
 */
#ifndef SANDBOX_IN_FORCE_H
#define SANDBOX_IN_FORCE_H

#include <stdint.h>

enum in_force_bit {
    IN_FORCE_NO_CAPABILITIES = 1 << 0,
    IN_FORCE_NO_NEW_PRIVILEGES = 1 << 1,
    IN_FORCE_SYSCALLS_FILTERED = 1 << 2,
    IN_FORCE_MEMORY_LOCKED = 1 << 3,
    IN_FORCE_FILES_READ_ONLY = 1 << 4,
    IN_FORCE_ONE_DOMAIN = 1 << 5, /* Xen's doing, which in_force does not ask */
    IN_FORCE_BITS = 6,
};

/* Those that hold for each of this process's threads. Any thread but a realtime one. */
uint32_t in_force(void);

#endif
