/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "xen/store.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <xenstore.h>

struct store {
    struct xs_handle *xs;
};

static struct store *opened; /* the last, which is the only one that lives long */

struct store *store_open(struct err *err)
{
    struct store *s = calloc(1, sizeof(*s));

    if (!s) {
        err_set(err, "no memory to open xenstore");
        return NULL;
    }
    s->xs = xs_open(0);
    if (!s->xs) {
        err_set(err,
                "cannot open xenstore: %s. Is this a Xen dom0, run as root, with xenstored "
                "running?",
                strerror(errno));
        free(s);
        return NULL;
    }
    opened = s;
    return s;
}

void store_close(struct store *s)
{
    if (s) {
        xs_close(s->xs);
        opened = opened == s ? NULL : opened;
        free(s);
    }
}

void store_forget(void)
{
    if (opened) {
        xs_daemon_destroy_postfork(opened->xs);
        free(opened);
        opened = NULL;
    }
}

char *store_read(struct store *s, const char *path)
{
    unsigned length;

    return xs_read(s->xs, XBT_NULL, path,
                   &length); /* which ends it by a NUL that it doesn't count */
}

bool store_write(struct store *s, const char *path, const char *text, struct err *err)
{
    return xs_write(s->xs, XBT_NULL, path, text, (unsigned)strlen(text)) ||
           err_set(err, "cannot write %.200s in xenstore: %s", path, strerror(errno));
}

bool store_remove(struct store *s, const char *path)
{
    return xs_rm(s->xs, XBT_NULL, path) || errno == ENOENT;
}

char **store_list(struct store *s, const char *path, unsigned *count)
{
    return xs_directory(s->xs, XBT_NULL, path, count);
}

bool store_watch(struct store *s, const char *path, const char *token, struct err *err)
{
    return xs_watch(s->xs, path, token) ||
           err_set(err, "cannot watch %.200s in xenstore: %s", path, strerror(errno));
}

int store_fd(struct store *s)
{
    return xs_fileno(s->xs);
}

bool store_next(struct store *s, char **path, char **token)
{
    char **event = xs_check_watch(s->xs);

    if (!event)
        return false;
    *path = strdup(event[XS_WATCH_PATH]);
    *token = strdup(event[XS_WATCH_TOKEN]);
    free(event);
    if (*path && *token)
        return true;
    free(*path);
    free(*token);
    return false;
}
