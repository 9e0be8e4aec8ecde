/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "engine/qmp_relay.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/log.h"
#include "engine/qmp_stream.h"
#include "engine/qmp_watch.h"

enum {
    COMMAND_BYTES = 4096,
    /* A message that waits for its end has room, and so has one byte of a longer. */
    ANSWER_BYTES = QMP_MESSAGE_MAX + 4096,
    PASSED_MAX = 253, /* Linux passes no more descriptors at once (SCM_MAX_FD) */
    BACKLOG = 8,
};

/* The toolstack's commands on their way to the engine. */
struct commands {
    struct qmp_stream stream;
    size_t start, end; /* what is to be sent, of bytes */
    char bytes[COMMAND_BYTES];
    int passed[PASSED_MAX]; /* came with the last of them; nothing is read until they are sent */
    unsigned passed_count;
    bool lost;   /* descriptors, and it was said */
    bool over;   /* the toolstack says no more, or the engine takes no more */
    bool closed; /* and the engine has been told */
};

/* The engine's answers on their way to the toolstack. */
struct answers {
    struct qmp_stream stream;
    size_t start, released, end; /* from released on, it waits for the end of its message */
    char bytes[ANSWER_BYTES];
    bool over;   /* the engine says no more */
    bool closed; /* the toolstack takes no more: they go nowhere */
};

struct qmp_relay {
    int listener;
    bool rests; /* the listener is left out once: there was no descriptor to accept with */
    const struct engine_socket *engine_socket;
    struct qmp_relay_hooks hooks;

    int toolstack, engine; /* both connected, or both -1 */
    struct qmp_watch watch;
    struct commands commands;
    struct answers answers;
};

/* Room for descriptors beside a message. */
union control {
    char bytes[CMSG_SPACE(sizeof(int) * PASSED_MAX)];
    struct cmsghdr aligned;
};

static bool try_later(void)
{
    return errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR;
}

static void close_passed(struct commands *c)
{
    for (unsigned i = 0; i < c->passed_count; i++) {
        close(c->passed[i]);
    }
    c->passed_count = 0;
}

/* --- from the toolstack to the engine --- */

static void take_passed(struct qmp_relay *r, struct msghdr *message)
{
    struct commands *c = &r->commands;

    for (struct cmsghdr *h = CMSG_FIRSTHDR(message); h; h = CMSG_NXTHDR(message, h)) {
        if (h->cmsg_level == SOL_SOCKET && h->cmsg_type == SCM_RIGHTS) {
            c->passed_count = (unsigned)((h->cmsg_len - CMSG_LEN(0)) / sizeof(int));
            memcpy(c->passed, CMSG_DATA(h), c->passed_count * sizeof(int));
        }
    }
    if (message->msg_flags & MSG_CTRUNC && !c->lost) {
        c->lost = true;
        log_warn("descriptors that the toolstack passed to the engine were lost: this process may "
                 "have no more open (see ulimit -n)");
    }
    if (c->passed_count > 0) {
        qmp_watch_passed(&r->watch, c->passed[0]);
    }
}

/* Byte by byte, as QEMU 7.2 itself reads: of a longer piece it could not be told with which byte
 * its descriptors came, and QEMU gives those that came last to the command it has just read. */
static void read_commands(struct qmp_relay *r)
{
    struct commands *c = &r->commands;

    if (c->start == c->end) {
        c->start = c->end = 0;
    }
    while (!c->over && c->end < sizeof(c->bytes) && c->passed_count == 0) {
        union control control;
        struct iovec byte = {&c->bytes[c->end], 1};
        struct msghdr message = {.msg_iov = &byte,
                                 .msg_iovlen = 1,
                                 .msg_control = &control,
                                 .msg_controllen = sizeof(control)};
        ssize_t n = recvmsg(r->toolstack, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
        enum qmp_stream_found found;

        if (n < 0 && try_later()) {
            return;
        }
        if (n <= 0) {
            c->over = true;
            return;
        }
        take_passed(r, &message);
        found = qmp_stream_next(&c->stream, c->bytes[c->end]);
        if (found != QMP_STREAM_NOTHING) {
            bool legible = found == QMP_STREAM_MESSAGE;

            qmp_watch_asked(&r->watch, legible ? c->stream.text : NULL, c->stream.size);
        }
        c->end++;
    }
}

/* The last byte goes alone if descriptors go with it. */
static ssize_t send_commands(struct qmp_relay *r)
{
    struct commands *c = &r->commands;
    size_t size = c->end - c->start;
    union control control;
    struct iovec bytes = {&c->bytes[c->start], size};
    struct msghdr message = {.msg_iov = &bytes, .msg_iovlen = 1};

    if (c->passed_count > 0 && size > 1) {
        bytes.iov_len = size - 1;
    } else if (c->passed_count > 0) {
        struct cmsghdr *h = &control.aligned;

        memset(&control, 0, sizeof(control));
        h->cmsg_level = SOL_SOCKET;
        h->cmsg_type = SCM_RIGHTS;
        h->cmsg_len = CMSG_LEN(c->passed_count * sizeof(int));
        memcpy(CMSG_DATA(h), c->passed, c->passed_count * sizeof(int));
        message.msg_control = &control;
        message.msg_controllen = CMSG_SPACE(c->passed_count * sizeof(int));
    }
    return sendmsg(r->engine, &message, MSG_DONTWAIT | MSG_NOSIGNAL);
}

static void write_commands(struct qmp_relay *r)
{
    struct commands *c = &r->commands;

    while (c->start < c->end) {
        bool last = c->end - c->start == 1;
        ssize_t n = send_commands(r);

        if (n < 0 && try_later()) {
            return;
        }
        if (n < 0) {
            c->over = true;
            c->start = c->end;
        } else {
            c->start += (size_t)n;
        }
        if (last || n < 0) {
            close_passed(c);
        }
    }
    if (c->over && !c->closed) {
        shutdown(r->engine, SHUT_WR);
        c->closed = true;
    }
}

/* --- from the engine to the toolstack --- */

static void call_hook(struct qmp_relay *r, const struct qmp_success *success)
{
    const struct qmp_relay_hooks *hooks = &r->hooks;

    if (success->command == QMP_STOP) {
        hooks->stopped(hooks->opaque);
    } else if (success->command == QMP_CONT) {
        hooks->continued(hooks->opaque);
    } else if (success->command == QMP_SAVE && success->fd >= 0) {
        hooks->saved(hooks->opaque, success->fd);
    } else if (success->command == QMP_LOAD && success->fd >= 0) {
        hooks->loaded(hooks->opaque, success->fd);
    }
    if (success->fd >= 0) {
        close(success->fd);
    }
}

/* What has just come, up to end, may go on once it cannot be part of an answer that matters. */
static void look_at_answers(struct qmp_relay *r, size_t from)
{
    struct answers *a = &r->answers;

    for (size_t i = from; i < a->end; i++) {
        if (qmp_stream_next(&a->stream, a->bytes[i]) == QMP_STREAM_MESSAGE) {
            struct qmp_success success =
                qmp_watch_answered(&r->watch, a->stream.text, a->stream.size);

            call_hook(r, &success);
        }
        if (!qmp_watch_awaits(&r->watch) || !qmp_stream_within(&a->stream)) {
            a->released = i + 1;
        }
    }
}

static void read_answers(struct qmp_relay *r)
{
    struct answers *a = &r->answers;
    ssize_t n;

    if (a->start > 0) {
        memmove(a->bytes, &a->bytes[a->start], a->end - a->start);
        a->released -= a->start;
        a->end -= a->start;
        a->start = 0;
    }
    if (a->over || a->end == sizeof(a->bytes)) {
        return;
    }
    n = recv(r->engine, &a->bytes[a->end], sizeof(a->bytes) - a->end, MSG_DONTWAIT);
    if (n > 0) {
        size_t from = a->end;

        a->end += (size_t)n;
        look_at_answers(r, from);
    } else if (n == 0 || !try_later()) {
        a->over = true;
        a->released = a->end;
    }
}

static void write_answers(struct qmp_relay *r)
{
    struct answers *a = &r->answers;

    while (!a->closed && a->start < a->released) {
        ssize_t n = send(r->toolstack, &a->bytes[a->start], a->released - a->start,
                         MSG_DONTWAIT | MSG_NOSIGNAL);

        if (n < 0 && try_later()) {
            return;
        }
        if (n < 0) {
            shutdown(r->toolstack, SHUT_WR);
            a->closed = true;
            break;
        }
        a->start += (size_t)n;
    }
    if (a->closed) {
        a->start = a->released;
    }
}

/* --- the conversation --- */

static void end_conversation(struct qmp_relay *r)
{
    close(r->toolstack);
    close(r->engine);
    r->toolstack = r->engine = -1;
    close_passed(&r->commands);
    qmp_watch_end(&r->watch);
}

static void start_conversation(struct qmp_relay *r)
{
    struct err err;
    int fd = accept4(r->listener, NULL, NULL, SOCK_CLOEXEC);

    if (fd < 0) {
        if (!try_later() && errno != ECONNABORTED) {
            log_error("cannot accept the toolstack's QMP connection: %s", strerror(errno));
            r->rests = true;
        }
        return;
    }
    r->engine = engine_socket_connect(r->engine_socket, &err);
    if (r->engine < 0) {
        log_warn("the toolstack's QMP connection is refused: %s", err.text);
        close(fd);
        return;
    }
    r->toolstack = fd;
    memset(&r->commands, 0, sizeof(r->commands));
    memset(&r->answers, 0, sizeof(r->answers));
    qmp_watch_start(&r->watch);
}

static void want(struct pollfd *fds, unsigned *count, int fd, bool in, bool out)
{
    /* One of which nothing is wanted would report that it was closed, again and again. */
    if (in || out) {
        fds[(*count)++] =
            (struct pollfd){.fd = fd, .events = (short)((in ? POLLIN : 0) | (out ? POLLOUT : 0))};
    }
}

unsigned qmp_relay_poll(struct qmp_relay *r, struct pollfd fds[QMP_RELAY_FDS])
{
    const struct commands *c = &r->commands;
    const struct answers *a = &r->answers;
    unsigned count = 0;

    if (r->toolstack < 0) {
        want(fds, &count, r->listener, !r->rests, false);
        r->rests = false;
        return count;
    }
    want(fds, &count, r->toolstack,
         !c->over && c->passed_count == 0 && (c->end < sizeof(c->bytes) || c->start == c->end),
         !a->closed && a->start < a->released);
    want(fds, &count, r->engine, !a->over && a->end - a->start < sizeof(a->bytes),
         c->start < c->end);
    return count;
}

void qmp_relay_serve(struct qmp_relay *r, const struct pollfd *fds, unsigned count)
{
    bool ready = false;

    for (unsigned i = 0; i < count; i++) {
        ready |= fds[i].revents != 0;
    }
    if (!ready) {
        return;
    }
    if (r->toolstack < 0) {
        start_conversation(r);
        return;
    }
    /* Whatever is not ready says so. */
    read_commands(r);
    write_commands(r);
    read_answers(r);
    write_answers(r);
    if (r->answers.over && r->answers.start == r->answers.end) {
        end_conversation(r);
    }
}

struct qmp_relay *qmp_relay_open(int listener, const struct engine_socket *engine,
                                 const struct qmp_relay_hooks *hooks, struct err *err)
{
    struct qmp_relay *r = calloc(1, sizeof(*r));

    if (!r || fcntl(listener, F_SETFL, O_NONBLOCK) < 0) {
        err_set(err, "cannot listen for the toolstack's QMP connection: %s", strerror(errno));
        close(listener);
        free(r);
        return NULL;
    }
    r->listener = listener;
    r->engine_socket = engine;
    r->hooks = *hooks;
    r->toolstack = r->engine = -1;
    return r;
}

void qmp_relay_close(struct qmp_relay *r)
{
    if (!r) {
        return;
    }
    if (r->toolstack >= 0) {
        end_conversation(r);
    }
    close(r->listener);
    free(r);
}

int qmp_listen(const char *path, struct err *err)
{
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    int fd;

    if (strlen(path) >= sizeof(at.sun_path)) {
        err_set(err, "cannot listen on %.200s: a socket's path is at most %zu characters long",
                path, sizeof(at.sun_path) - 1);
        return -1;
    }
    memcpy(at.sun_path, path, strlen(path));
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || (unlink(path) < 0 && errno != ENOENT) ||
        bind(fd, (struct sockaddr *)&at, sizeof(at)) < 0 || listen(fd, BACKLOG) < 0) {
        err_set(err, "cannot listen on %s for the toolstack's QMP: %s", path, strerror(errno));
        if (fd >= 0) {
            close(fd);
        }
        return -1;
    }
    return fd;
}
