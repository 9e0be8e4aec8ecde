/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef BASE_FDS_H
#define BASE_FDS_H

#include <stddef.h>
#include <stdint.h>

/* Closes every descriptor from 3 up but the count (at most 8) given in keep; what a process has
 * inherited for somebody else must not be held open by it. */
void close_fds_except(const int keep[], size_t count);

/* Makes an event descriptor readable. It takes so much that this cannot fail, but where it is full,
 * and therefore readable. Any thread, realtime. */
void signal_fd(int fd);

/* Makes an event descriptor that does not block unreadable, if it is not. Any thread, realtime. */
void clear_fd(int fd);

/* Returns when fd is readable, ns nanoseconds (UINT64_MAX: any number) have passed, or a signal has
 * come. */
void wait_for_fd(int fd, uint64_t ns);

#endif
