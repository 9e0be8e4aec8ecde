/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/fds.h"

#include <poll.h>
#include <stdbool.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"

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

void signal_fd(int fd)
{
    uint64_t one = 1;

    if (write(fd, &one, sizeof(one)) < 0) {
        return;
    }
}

void clear_fd(int fd)
{
    uint64_t times;

    if (read(fd, &times, sizeof(times)) < 0) {
        return;
    }
}

void wait_for_fd(int fd, uint64_t ns)
{
    struct pollfd wait_for = {.fd = fd, .events = POLLIN};
    struct timespec left = {(time_t)(ns / NS_PER_S), (long)(ns % NS_PER_S)};

    ppoll(&wait_for, 1, ns == UINT64_MAX ? NULL : &left, NULL);
}
