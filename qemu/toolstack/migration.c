/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "toolstack/migration.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The name of the item without a key, such as "socket". */
#define BACKEND "backend"

/* A descriptor's number, decimal; -1 for what is none. (QEMU also takes names, which descriptors
 * get over QMP: none that we could have.) */
static int read_fd(const char *text)
{
    const char digits[] = "0123456789";
    unsigned long number;

    if (!*text || text[strspn(text, digits)] != '\0')
        return -1;
    number = strtoul(text, NULL, 10);
    return number <= INT_MAX ? (int)number : -1;
}

/* Whether key is what text says of it. */
static bool text_has(bool *has, const char *text, const char *key, const char *wanted)
{
    char *value;

    if (!option_text_get(text, BACKEND, key, &value))
        return false;
    *has = value && strcmp(value, wanted) == 0;
    free(value);
    return true;
}

/* Whether this is the socket: libxl up to 4.14 writes "server,nowait", later "server=on". */
static bool is_libxls(bool *is, const char *text)
{
    bool is_socket, is_cmd, is_server, is_abstract;

    *is = false;
    if (!text_has(&is_socket, text, BACKEND, "socket") ||
        !text_has(&is_cmd, text, "id", "libxl-cmd") ||
        !text_has(&is_server, text, "server", "on") ||
        !text_has(&is_abstract, text, "abstract", "on"))
        return false;
    *is = is_socket && is_cmd && is_server && !is_abstract;
    return true;
}

bool qmp_socket_find(struct qmp_socket *socket, const struct option *options, size_t count,
                     struct err *err)
{
    *socket = (struct qmp_socket){.fd = -1};
    for (size_t i = 0; i < count && !socket->option; i++) {
        const char *text = options[i].value;
        char *fd = NULL;
        bool is = false;

        if (!option_is(&options[i], "chardev"))
            continue;
        if (!is_libxls(&is, text) ||
            (is && (!option_text_get(text, BACKEND, "path", &socket->path) ||
                    (!socket->path && !option_text_get(text, BACKEND, "fd", &fd)))))
            return option_no_memory(err);
        if (fd)
            socket->fd = read_fd(fd);
        if (socket->path || socket->fd >= 0)
            socket->option = &options[i];
        free(fd);
    }
    return true;
}

char *qmp_socket_text(const char *text, int fd)
{
    static const char *const place[] = {"path", "fd", NULL};
    char *rest = option_text_without(text, BACKEND, place);
    char *rewritten = NULL;

    if (rest && asprintf(&rewritten, "%s,fd=%d", rest, fd) < 0)
        rewritten = NULL;
    free(rest);
    return rewritten;
}

int incoming_fd(const char *text)
{
    return strncmp(text, "fd:", 3) == 0 ? read_fd(text + 3) : -1;
}
