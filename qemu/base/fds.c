/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/fds.h"

#include <stdbool.h>
#include <unistd.h>

void close_fds_except(const int keep[], size_t count)
{
    unsigned from = STDERR_FILENO + 1;

    for (;;) {
        /* The lowest kept descriptor at or above from bounds the next range to close. */
        bool found = false;
        unsigned lowest = 0;

        for (size_t i = 0; i < count; i++) {
            if (keep[i] >= 0 && (unsigned)keep[i] >= from &&
                (!found || (unsigned)keep[i] < lowest)) {
                lowest = (unsigned)keep[i];
                found = true;
            }
        }
        if (!found) {
            close_range(from, ~0u, 0);
            return;
        }
        if (lowest > from) {
            close_range(from, lowest - 1, 0);
        }
        from = lowest + 1;
    }
}
