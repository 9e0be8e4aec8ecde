/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "engine/qmp_watch.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"

static const struct {
    const char *name;
    enum qmp_command command;
} commands[] = {
    {"add-fd", QMP_ADD_FD},
    {"remove-fd", QMP_REMOVE_FD},
    {"stop", QMP_STOP},
    {"cont", QMP_CONT},
    {"xen-save-devices-state", QMP_SAVE},
    {"xen-load-devices-state", QMP_LOAD},
};

static enum qmp_command command_of(const json_t *message)
{
    const char *name = json_string_value(json_object_get(message, "execute"));

    for (size_t i = 0; name && i < sizeof(commands) / sizeof(commands[0]); i++) {
        if (strcmp(commands[i].name, name) == 0) {
            return commands[i].command;
        }
    }
    return QMP_OTHER;
}

static json_t *parse(const char *text, size_t size)
{
    /* QEMU's numbers go up to 2^64, and it gives an id of 1.0 back as 1. */
    return json_loadb(text, size, JSON_DECODE_INT_AS_REAL, NULL);
}

/* A descriptor's or an fdset's number; -1: that is none. */
static long long number(const json_t *object, const char *key)
{
    const json_t *value = json_object_get(object, key);
    double n = json_number_value(value);

    return json_is_number(value) && n >= 0 && n < (double)(1ll << 53) ? (long long)n : -1;
}

static void close_if_open(int fd)
{
    if (fd >= 0) {
        close(fd);
    }
}

static void forget_kept(struct qmp_watch *w, unsigned i)
{
    close_if_open(w->kept[i].fd);
    w->kept_count--;
    memmove(&w->kept[i], &w->kept[i + 1], (w->kept_count - i) * sizeof(w->kept[0]));
}

static void forget_unanswered(struct qmp_watch *w, unsigned i)
{
    struct qmp_unanswered *u = &w->unanswered[i];

    json_decref(u->id);
    json_decref(u->arguments);
    close_if_open(u->fd);
    w->unanswered_count--;
    memmove(u, u + 1, (w->unanswered_count - i) * sizeof(*u));
}

void qmp_watch_start(struct qmp_watch *w)
{
    w->unanswered_count = 0;
    w->kept_count = 0;
    w->brought = -1;
}

void qmp_watch_end(struct qmp_watch *w)
{
    while (w->unanswered_count > 0) {
        forget_unanswered(w, w->unanswered_count - 1);
    }
    while (w->kept_count > 0) {
        forget_kept(w, w->kept_count - 1);
    }
    close_if_open(w->brought);
    w->brought = -1;
}

/* As QEMU does: what nobody took makes room for what comes next. */
void qmp_watch_passed(struct qmp_watch *w, int fd)
{
    close_if_open(w->brought);
    w->brought = fcntl(fd, F_DUPFD_CLOEXEC, 0);
}

void qmp_watch_asked(struct qmp_watch *w, const char *text, size_t size)
{
    json_t *message = text ? parse(text, size) : NULL;
    struct qmp_unanswered u = {.command = QMP_NO_COMMAND, .fd = -1};

    if (json_is_object(message)) {
        u.command = command_of(message);
        u.id = json_incref(json_object_get(message, "id"));
        if (u.command != QMP_OTHER) {
            u.arguments = json_incref(json_object_get(message, "arguments"));
        }
        if (u.command == QMP_ADD_FD) {
            u.fd = w->brought;
            w->brought = -1;
        }
    }
    json_decref(message);
    if (w->unanswered_count == QMP_UNANSWERED) {
        forget_unanswered(w, 0);
    }
    w->unanswered[w->unanswered_count++] = u;
}

bool qmp_watch_awaits(const struct qmp_watch *w)
{
    for (unsigned i = 0; i < w->unanswered_count; i++) {
        if (w->unanswered[i].command >= QMP_STOP) {
            return true;
        }
    }
    return false;
}

/* Which command is answered; unanswered_count: none that we know. */
static unsigned find_unanswered(const struct qmp_watch *w, const json_t *id, bool success)
{
    for (unsigned i = 0; i < w->unanswered_count; i++) {
        const struct qmp_unanswered *u = &w->unanswered[i];

        /* What is no command never succeeds. */
        if (id ? u->id && json_equal(u->id, id)
               : !u->id && !(success && u->command == QMP_NO_COMMAND)) {
            return i;
        }
    }
    return w->unanswered_count;
}

/* The engine has the descriptor that came with u in an fdset. */
static void keep(struct qmp_watch *w, struct qmp_unanswered *u, const json_t *reply)
{
    if (u->fd < 0) {
        return;
    }
    if (w->kept_count == QMP_KEPT_FDS) {
        forget_kept(w, 0);
    }
    w->kept[w->kept_count++] =
        (struct qmp_kept_fd){number(reply, "fdset-id"), number(reply, "fd"), u->fd};
    u->fd = -1;
}

/* The engine has closed one descriptor of an fdset, or all. */
static void remove_kept(struct qmp_watch *w, const json_t *arguments)
{
    long long fdset = number(arguments, "fdset-id");
    long long theirs = number(arguments, "fd");

    for (unsigned i = w->kept_count; i-- > 0;) {
        if (w->kept[i].fdset == fdset && (theirs < 0 || w->kept[i].theirs == theirs)) {
            forget_kept(w, i);
        }
    }
}

/* The last of an fdset that is open in the way that is needed, as QEMU chooses; or the file of that
 * name, at its end. */
static int open_file(const struct qmp_watch *w, const char *name, int access)
{
    static const char fdsets[] = "/dev/fdset/";
    int fd;

    if (strncmp(name, fdsets, sizeof(fdsets) - 1) == 0) {
        long long fdset = strtoll(name + sizeof(fdsets) - 1, NULL, 10);

        for (unsigned i = w->kept_count; i-- > 0;) {
            int flags = fcntl(w->kept[i].fd, F_GETFL);

            if (w->kept[i].fdset == fdset && flags >= 0 && (flags & O_ACCMODE) == access) {
                return fcntl(w->kept[i].fd, F_DUPFD_CLOEXEC, 0);
            }
        }
        errno = ENOENT;
        return -1;
    }
    /* If it is a pipe, nobody waits for its other end. */
    fd = open(name, access | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    if (fd >= 0) {
        lseek(fd, 0, SEEK_END);
    }
    return fd;
}

static struct qmp_success succeed(const struct qmp_watch *w, const struct qmp_unanswered *u)
{
    const char *name = json_string_value(json_object_get(u->arguments, "filename"));
    struct qmp_success success = {.command = u->command, .fd = -1};

    if (u->command == QMP_SAVE || u->command == QMP_LOAD) {
        success.fd = open_file(w, name ? name : "", u->command == QMP_SAVE ? O_WRONLY : O_RDONLY);
        if (success.fd < 0) {
            log_warn("the sound card's part of the saved state cannot be %s: %.200s: %s",
                     u->command == QMP_SAVE ? "written" : "read", name ? name : "(no file name)",
                     strerror(errno));
        }
    }
    return success;
}

struct qmp_success qmp_watch_answered(struct qmp_watch *w, const char *text, size_t size)
{
    struct qmp_success success = {.command = QMP_OTHER, .fd = -1};
    json_t *message = parse(text, size);
    const json_t *reply = json_object_get(message, "return");
    unsigned i = w->unanswered_count;

    if (reply || json_object_get(message, "error")) {
        i = find_unanswered(w, json_object_get(message, "id"), reply);
    }
    if (i < w->unanswered_count) {
        struct qmp_unanswered *u = &w->unanswered[i];

        if (reply && u->command == QMP_ADD_FD) {
            keep(w, u, reply);
        } else if (reply && u->command == QMP_REMOVE_FD) {
            remove_kept(w, u->arguments);
        } else if (reply && u->command >= QMP_STOP) {
            success = succeed(w, u);
        }
        forget_unanswered(w, i);
    }
    json_decref(message);
    return success;
}
