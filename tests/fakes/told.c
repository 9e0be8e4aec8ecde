/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "fakes/told.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

FILE *told_log(void)
{
    const char *path = getenv("FAKE_GUEST_LOG");

    return path ? fopen(path, "ae") : NULL;
}

void told_note(FILE *log, const char *fmt, ...)
{
    va_list ap;

    if (log) {
        va_start(ap, fmt);
        vfprintf(log, fmt, ap);
        va_end(ap);
        fflush(log);
    }
}

int told_socket(void)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    const char *path = getenv("FAKE_GUEST_SOCKET");
    int fd;

    if (!path) {
        return eventfd(0, EFD_CLOEXEC);
    }
    snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
    unlink(path);
    fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0) {
        abort();
    }
    return fd;
}

bool told_to_join(const char *variable)
{
    const char *behave = getenv(variable);

    if (behave && strcmp(behave, "hang") == 0) {
        pause();
    }
    if (behave && strcmp(behave, "die") == 0) {
        _exit(3);
    }
    return !behave || strcmp(behave, "fail") != 0;
}
