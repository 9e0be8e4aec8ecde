/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "engine/qmp_client.h"

#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"

enum {
    ANSWER_SECONDS = 10,
    /* Bytes. The longest answer that is asked for, query-pci of a full bus, stays far below. */
    MESSAGE_MAX = 1 << 20,
};

struct qmp_client {
    int fd;
    uint64_t patience_ns;
    json_int_t id;          /* of the last command */
    bool broken;            /* the answer to an earlier command may still come, or nothing will */
    size_t used;            /* bytes received and not yet taken */
    char text[MESSAGE_MAX]; /* costs no memory until it is used */
};

static bool say_late(const struct qmp_client *c, struct err *err)
{
    return err_set(err,
                   "the engine has not answered within %.1f s; if it stays silent, look at its "
                   "last words in this log and destroy the domain",
                   (double)c->patience_ns / (double)NS_PER_S);
}

/* Until fd is ready for events. False with err set: the deadline has passed. */
static bool wait_ready(const struct qmp_client *c, short events, uint64_t deadline, struct err *err)
{
    for (;;) {
        struct pollfd fd = {.fd = c->fd, .events = events};
        uint64_t now = clock_now_ns();
        uint64_t left = now < deadline ? deadline - now : 0;
        struct timespec timeout = {(time_t)(left / NS_PER_S), (long)(left % NS_PER_S)};
        int ready = ppoll(&fd, 1, &timeout, NULL);

        if (ready > 0) {
            return true;
        }
        if (ready < 0 && errno != EINTR) {
            return err_set(err, "cannot wait for the engine: %s", strerror(errno));
        }
        if (left == 0) {
            return say_late(c, err);
        }
    }
}

static bool is_transient(int error)
{
    return error == EAGAIN || error == EINTR;
}

/* fd goes with the first byte, as QEMU wants it. */
static bool send_all(struct qmp_client *c, const char *text, size_t size, int fd, uint64_t deadline,
                     struct err *err)
{
    union {
        struct cmsghdr header;
        char room[CMSG_SPACE(sizeof(int))];
    } control = {.header = {.cmsg_len = CMSG_LEN(sizeof(int)),
                            .cmsg_level = SOL_SOCKET,
                            .cmsg_type = SCM_RIGHTS}};

    memcpy(CMSG_DATA(&control.header), &fd, sizeof(fd));
    while (size > 0) {
        struct iovec part = {(void *)(uintptr_t)text, size};
        struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};
        ssize_t sent;

        if (fd >= 0) {
            message.msg_control = &control;
            message.msg_controllen = sizeof(control);
        }
        sent = sendmsg(c->fd, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (sent < 0 && !is_transient(errno)) {
            return err_set(err, "cannot write to the engine: %s", strerror(errno));
        }
        if (sent < 0) {
            if (!wait_ready(c, POLLOUT, deadline, err)) {
                return false;
            }
            continue;
        }
        fd = -1;
        text += sent;
        size -= (size_t)sent;
    }
    return true;
}

/* Takes the first line out of what has been received; NULL without one. */
static json_t *take_line(struct qmp_client *c, bool *taken)
{
    char *end = memchr(c->text, '\n', c->used);
    json_t *message;
    size_t size;

    *taken = end != NULL;
    if (!end) {
        return NULL;
    }
    size = (size_t)(end - c->text) + 1;
    message = json_loadb(c->text, size, 0, NULL);
    c->used -= size;
    memmove(c->text, c->text + size, c->used);
    return message;
}

/* The next message that is no event. NULL with err set. */
static json_t *receive(struct qmp_client *c, uint64_t deadline, struct err *err)
{
    for (;;) {
        bool taken;
        json_t *message = take_line(c, &taken);
        ssize_t got;

        if (taken && !json_is_object(message)) {
            json_decref(message);
            err_set(err, "the engine's answer is not a QMP message");
            return NULL;
        }
        if (taken && json_object_get(message, "event")) {
            json_decref(message);
            /* A stream of events must not outlast the deadline. */
            if (clock_now_ns() < deadline) {
                continue;
            }
            say_late(c, err);
            return NULL;
        }
        if (taken) {
            return message;
        }
        if (c->used == MESSAGE_MAX) {
            err_set(err, "the engine's answer has no end within %d bytes", MESSAGE_MAX);
            return NULL;
        }
        got = recv(c->fd, c->text + c->used, MESSAGE_MAX - c->used, MSG_DONTWAIT);
        if (got > 0) {
            c->used += (size_t)got;
        } else if (got == 0 || !is_transient(errno)) {
            err_set(err,
                    "the engine has closed its QMP connection%s%s; its last words are in "
                    "this log",
                    got == 0 ? "" : ": ", got == 0 ? "" : strerror(errno));
            return NULL;
        } else if (!wait_ready(c, POLLIN, deadline, err)) {
            return NULL;
        }
    }
}

/* What an answer says. NULL with err set. */
static json_t *read_answer(struct qmp_client *c, const char *command, const json_t *answer,
                           struct err *err)
{
    const json_t *id = json_object_get(answer, "id");
    const json_t *error = json_object_get(answer, "error");
    json_t *value = json_object_get(answer, "return");
    const char *words;

    /* An error without an id is about a command that the engine could not even read: ours. */
    if (id ? json_integer_value(id) != c->id : !error) {
        c->broken = true;
        err_set(err, "the engine has answered something else than %s", command);
        return NULL;
    }
    if (error) {
        words = json_string_value(json_object_get(error, "desc"));
        err_set(err, "the engine refuses %s: %s", command, words ? words : "no reason given");
        return NULL;
    }
    if (!value) {
        c->broken = true;
        err_set(err, "the engine's answer to %s holds neither a result nor an error", command);
        return NULL;
    }
    return json_incref(value);
}

json_t *qmp_client_ask(struct qmp_client *c, const char *command, json_t *arguments, int fd,
                       struct err *err)
{
    uint64_t deadline = clock_now_ns() + c->patience_ns;
    json_t *message, *answer, *value = NULL;
    char *json, *text;

    if (c->broken) {
        json_decref(arguments);
        err_set(err, "the engine has failed to answer an earlier command");
        return NULL;
    }
    c->id++;
    message =
        json_pack("{s:s, s:o*, s:I}", "execute", command, "arguments", arguments, "id", c->id);
    json = message ? json_dumps(message, JSON_COMPACT) : NULL;
    json_decref(message);
    if (!json || asprintf(&text, "%s\r\n", json) < 0) {
        free(json);
        err_set(err, "no memory to ask the engine for %s", command);
        return NULL;
    }
    free(json);
    c->broken = true;
    if (send_all(c, text, strlen(text), fd, deadline, err)) {
        answer = receive(c, deadline, err);
        if (answer) {
            c->broken = false;
            value = read_answer(c, command, answer, err);
        }
        json_decref(answer);
    }
    free(text);
    return value;
}

static bool read_greeting(struct qmp_client *c, struct err *err)
{
    json_t *greeting = receive(c, clock_now_ns() + c->patience_ns, err);
    bool right = greeting && json_object_get(greeting, "QMP");

    if (greeting && !right) {
        err_set(err, "what answers on the engine's socket does not speak QMP");
    }
    json_decref(greeting);
    return right;
}

struct qmp_client *qmp_client_open(int fd, struct err *err)
{
    struct qmp_client *c = malloc(sizeof(*c));
    json_t *agreed = NULL;

    if (!c) {
        close(fd);
        err_set(err, "no memory for a conversation with the engine");
        return NULL;
    }
    c->fd = fd;
    c->patience_ns = ANSWER_SECONDS * NS_PER_S;
    c->id = 0;
    c->broken = false;
    c->used = 0;
    if (read_greeting(c, err)) {
        agreed = qmp_client_ask(c, "qmp_capabilities", NULL, -1, err);
    }
    if (!agreed) {
        qmp_client_close(c);
        return NULL;
    }
    json_decref(agreed);
    return c;
}

void qmp_client_close(struct qmp_client *c)
{
    if (c) {
        close(c->fd);
        free(c);
    }
}

void qmp_client_allow(struct qmp_client *c, uint64_t ns)
{
    c->patience_ns = ns;
}
