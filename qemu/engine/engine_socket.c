/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "engine/engine_socket.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

/* Connections that came and went before the engine took the first count too. */
enum { BACKLOG = 64 };

/* Where only root can write, if it may be: QEMU removes at its end the name that its socket once
 * had, and nobody else should be able to put something there. */
static const char *const folders[] = {"/run/qemu-dm-XXXXXX", "/tmp/qemu-dm-XXXXXX"};

static bool make_folder(char *folder, size_t size)
{
    for (size_t i = 0; i < sizeof(folders) / sizeof(folders[0]); i++) {
        snprintf(folder, size, "%s", folders[i]);
        if (mkdtemp(folder)) {
            return true;
        }
    }
    return false;
}

bool engine_socket_open(struct engine_socket *s, struct err *err)
{
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    char folder[32];
    bool good;

    *s = (struct engine_socket){-1, -1};
    if (!make_folder(folder, sizeof(folder))) {
        return err_set(err,
                       "cannot make a folder for the engine's QMP socket in /run or /tmp: %s. "
                       "One of them has to be writable",
                       strerror(errno));
    }
    snprintf(at.sun_path, sizeof(at.sun_path), "%s/qmp", folder);
    s->listener = socket(AF_UNIX, SOCK_STREAM, 0);
    good = s->listener >= 0 && bind(s->listener, (struct sockaddr *)&at, sizeof(at)) == 0 &&
           listen(s->listener, BACKLOG) == 0;
    if (good) {
        s->place = open(at.sun_path, O_PATH | O_NOFOLLOW | O_CLOEXEC);
        good = s->place >= 0;
    }
    if (!good) {
        err_set(err, "cannot listen on %s for the engine's QMP: %s", at.sun_path, strerror(errno));
        engine_socket_close(s);
    }
    unlink(at.sun_path);
    rmdir(folder);
    return good;
}

int engine_socket_connect(const struct engine_socket *s, struct err *err)
{
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    /* A blocking one would wait for room among those that the engine has not accepted. */
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    if (fd < 0) {
        err_set(err, "cannot make a socket for the engine's QMP: %s", strerror(errno));
        return -1;
    }
    /* Linux follows this link to the socket itself, whatever has become of its name. */
    snprintf(at.sun_path, sizeof(at.sun_path), "/proc/self/fd/%d", s->place);
    if (connect(fd, (struct sockaddr *)&at, sizeof(at)) < 0 || fcntl(fd, F_SETFL, 0) < 0) {
        err_set(err,
                "cannot connect to the engine's QMP: %s. Look for the engine's own messages (and "
                "see that /proc is mounted)",
                strerror(errno));
        close(fd);
        return -1;
    }
    return fd;
}

void engine_socket_close(struct engine_socket *s)
{
    if (s->listener >= 0) {
        close(s->listener);
    }
    if (s->place >= 0) {
        close(s->place);
    }
    *s = (struct engine_socket){-1, -1};
}
