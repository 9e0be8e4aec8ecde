/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef BASE_FDS_H
#define BASE_FDS_H

#include <stddef.h>

/* Closes every descriptor from 3 up but the count (at most 8) given in keep; what a process has
 * inherited for somebody else must not be held open by it. */
void close_fds_except(const int keep[], size_t count);

#endif
