/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "traditional/conversation.h"

#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fds.h"
#include "base/log.h"
#include "traditional/conversation_private.h"

/* Events that are served before others of this program have their turn. */
#define EVENTS_AT_ONCE 32

/* Between two looks at whether a device is gone. */
#define REMOVAL_LOOK_NS (NS_PER_S / 4)

/* --- for the other files --- */

static const char *own_path(const struct conversation *c, const char *node, char path[PATH_SIZE])
{
    snprintf(path, PATH_SIZE, "/local/domain/0/device-model/%u/%s", c->settings.domid, node);
    return path;
}

char *conversation_read(struct conversation *c, const char *node)
{
    char path[PATH_SIZE];

    return store_read(c->store, own_path(c, node, path));
}

void conversation_say(struct conversation *c, const char *node, const char *text)
{
    char path[PATH_SIZE];
    struct err err;

    if (!store_write(c->store, own_path(c, node, path), text, &err)) {
        conversation_complain(c, "the toolstack will wait for \"%s\" in vain: %s", text, err.text);
    }
}

static void say_in_log(struct conversation *c, enum log_level level, const char *format, va_list ap)
{
    char text[800];

    if (!log_budget_take(&c->budget, clock_now_ns())) {
        c->left_out++;
        return;
    }
    vsnprintf(text, sizeof(text), format, ap);
    log_at(level, "%s", text);
    if (c->left_out > 0) {
        log_info("(%u lines like these have been left out)", c->left_out);
        c->left_out = 0;
    }
}

void conversation_note(struct conversation *c, const char *format, ...)
{
    va_list ap;

    va_start(ap, format);
    say_in_log(c, LOG_LEVEL_INFO, format, ap);
    va_end(ap);
}

void conversation_complain(struct conversation *c, const char *format, ...)
{
    va_list ap;

    va_start(ap, format);
    say_in_log(c, LOG_LEVEL_ERROR, format, ap);
    va_end(ap);
}

struct qmp_client *conversation_engine(struct conversation *c, struct err *err)
{
    int fd = c->settings.hooks.connect(c->settings.hooks.opaque, err);

    return fd < 0 ? NULL : qmp_client_open(fd, err);
}

static json_t *ask(struct qmp_client *client, struct err *err, const char *command,
                   const char *format, va_list ap)
{
    json_error_t why;
    json_t *arguments = NULL;

    if (format) {
        arguments = json_vpack_ex(&why, 0, format, ap);
        if (!arguments) {
            err_set(err, "cannot ask the engine for %s: %s", command, why.text);
            return NULL;
        }
    }
    return qmp_client_ask(client, command, arguments, -1, err);
}

json_t *engine_ask(struct qmp_client *client, struct err *err, const char *command,
                   const char *format, ...)
{
    json_t *value;
    va_list ap;

    va_start(ap, format);
    value = ask(client, err, command, format, ap);
    va_end(ap);
    return value;
}

bool engine_do(struct qmp_client *client, struct err *err, const char *command, const char *format,
               ...)
{
    json_t *value;
    va_list ap;

    va_start(ap, format);
    value = ask(client, err, command, format, ap);
    va_end(ap);
    json_decref(value);
    return value != NULL;
}

/* --- a device that is to go --- */

/* At 0 never. */
static void set_timer(const struct conversation *c, uint64_t at_ns)
{
    struct itimerspec when = {
        .it_value = {.tv_sec = (time_t)(at_ns / NS_PER_S), .tv_nsec = (long)(at_ns % NS_PER_S)},
    };

    timerfd_settime(c->timer, TFD_TIMER_ABSTIME, &when, NULL);
}

void conversation_await_removal(struct conversation *c, const struct removal *removal)
{
    if (c->removal.is_gone) {
        conversation_complain(c,
                              "one device is to be removed before another is gone; \"%s\" will "
                              "not be said for the first",
                              c->removal.word);
    }
    c->removal = *removal;
    c->removal.next_ns = clock_now_ns();
    set_timer(c, c->removal.next_ns);
}

static void look_after_removal(struct conversation *c)
{
    struct removal *removal = &c->removal;
    uint64_t now = clock_now_ns();
    struct qmp_client *client;
    bool gone = false;
    struct err err;

    if (!removal->is_gone || now < removal->next_ns) {
        return;
    }
    client = conversation_engine(c, &err);
    if (client) {
        gone = removal->is_gone(c, client);
        qmp_client_close(client);
    } else {
        conversation_complain(c, "%s", err.text);
    }
    if (gone) {
        conversation_say(c, "state", removal->word);
    } else if (now >= removal->until_ns) {
        conversation_complain(c,
                              "the device has not gone, and the toolstack will wait for \"%s\" "
                              "in vain: the guest has to let go of it first (its driver, its "
                              "mounts); then ask again",
                              removal->word);
    } else {
        removal->next_ns = now + REMOVAL_LOOK_NS;
        set_timer(c, removal->next_ns);
        return;
    }
    *removal = (struct removal){0};
    set_timer(c, 0);
}

/* --- what the toolstack says --- */

static void obey(struct conversation *c)
{
    static const struct {
        const char *name;
        void (*plain)(struct conversation *c);
        void (*with_parameter)(struct conversation *c, const char *parameter);
    } commands[] = {
        {.name = "save", .plain = save_state},
        {.name = "continue", .plain = continue_after_save},
        {.name = "pci-ins", .with_parameter = pci_insert},
        {.name = "pci-rem", .with_parameter = pci_remove},
        {.name = "usb-add", .with_parameter = usb_add},
        {.name = "usb-del", .with_parameter = usb_delete},
    };
    char *command = conversation_read(c, "command");
    char path[PATH_SIZE], *parameter;

    if (!command || command[0] == '\0') {
        free(command);
        return;
    }
    /* Its absence tells the toolstack that it has been read. */
    if (!store_remove(c->store, own_path(c, "command", path))) {
        conversation_complain(c, "cannot remove %s from xenstore", path);
    }
    conversation_note(c, "the toolstack says \"%.40s\"", command);
    for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
        if (strcmp(command, commands[i].name) != 0) {
            continue;
        }
        if (commands[i].plain) {
            commands[i].plain(c);
        } else {
            parameter = conversation_read(c, "parameter");
            commands[i].with_parameter(c, parameter);
            free(parameter);
        }
        free(command);
        return;
    }
    conversation_complain(c, "the toolstack's command \"%.40s\" is not known, and ignored",
                          command);
    free(command);
}

static void hear(struct conversation *c, const char *path, const char *token)
{
    if (strcmp(token, "command") == 0) {
        obey(c);
    } else if (strcmp(token, "logdirty") == 0) {
        log_dirty(c);
    } else if (strcmp(token, "cpu") == 0) {
        vcpu_changed(c, path);
    } else {
        cd_drives_update(c);
    }
}

/* --- its life --- */

static bool wait_for(const struct conversation *c, int fd, struct err *err)
{
    struct epoll_event event = {.events = EPOLLIN};

    if (fd < 0 || epoll_ctl(c->ready, EPOLL_CTL_ADD, fd, &event) < 0) {
        return err_set(err, "cannot wait for what the toolstack says in xenstore: %s",
                       fd < 0 ? "no descriptor" : strerror(errno));
    }
    return true;
}

/* The engine listens; it is told to begin. Only then does anybody else get a hearing. */
static void let_the_engine_go(struct conversation *c)
{
    struct qmp_client *client;
    struct err err;
    int fd = c->engine;

    /* Off the list while it is open: a closed one may be kept there by a copy elsewhere. */
    epoll_ctl(c->ready, EPOLL_CTL_DEL, fd, NULL);
    c->engine = -1;
    client = qmp_client_open(fd, &err);
    if (client) {
        consoles_publish(c, client);
    }
    if (!client || !machine_continue(c, client, &err)) {
        log_error("the machine cannot be started, and the toolstack will wait for \"running\" in "
                  "vain; destroy the domain: %s",
                  err.text);
    }
    qmp_client_close(client);
    if (!wait_for(c, store_fd(c->store), &err)) {
        log_error("%s", err.text);
    }
}

static bool is_readable(int fd)
{
    struct pollfd p = {.fd = fd, .events = POLLIN};

    return poll(&p, 1, 0) > 0;
}

void conversation_serve(struct conversation *c)
{
    char *path, *token;

    if (c->engine >= 0) {
        if (!is_readable(c->engine)) {
            return;
        }
        let_the_engine_go(c);
    }
    clear_fd(c->timer);
    look_after_removal(c);
    for (unsigned i = 0; i < EVENTS_AT_ONCE && store_next(c->store, &path, &token); i++) {
        hear(c, path, token);
        free(path);
        free(token);
    }
}

int conversation_fd(const struct conversation *c)
{
    return c->ready;
}

static bool watch(struct conversation *c, struct err *err)
{
    char path[PATH_SIZE];

    if (!store_watch(c->store, own_path(c, "logdirty/cmd", path), "logdirty", err) ||
        !store_watch(c->store, own_path(c, "command", path), "command", err)) {
        return false;
    }
    snprintf(path, sizeof(path), "/local/domain/%u/cpu", c->settings.domid);
    return store_watch(c->store, path, "cpu", err);
}

struct conversation *conversation_open(const struct conversation_settings *settings,
                                       struct err *err)
{
    const char *prefix = settings->save_prefix ? settings->save_prefix : "/var/lib/xen/qemu-save.";
    struct conversation *c = calloc(1, sizeof(*c));

    if (!c) {
        err_set(err, "no memory for the conversation with the toolstack");
        return NULL;
    }
    c->settings = *settings;
    c->engine = -1;
    log_budget_init(&c->budget);
    c->ready = epoll_create1(EPOLL_CLOEXEC);
    c->timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
    if (c->ready < 0 || c->timer < 0 ||
        asprintf(&c->save_path, "%s%u", prefix, settings->domid) < 0) {
        c->save_path = NULL;
        err_set(err, "cannot prepare the conversation with the toolstack: %s", strerror(errno));
        conversation_close(c);
        return NULL;
    }
    c->store = store_open(err);
    if (!c->store || !watch(c, err) || !wait_for(c, c->timer, err)) {
        conversation_close(c);
        return NULL;
    }
    cd_drives_find(c);
    c->engine = settings->hooks.connect(settings->hooks.opaque, err);
    if (c->engine < 0 || !wait_for(c, c->engine, err)) {
        conversation_close(c);
        return NULL;
    }
    return c;
}

void conversation_close(struct conversation *c)
{
    if (!c) {
        return;
    }
    cd_drives_forget(c);
    store_close(c->store);
    if (c->engine >= 0) {
        close(c->engine);
    }
    if (c->timer >= 0) {
        close(c->timer);
    }
    if (c->ready >= 0) {
        close(c->ready);
    }
    free(c->save_path);
    free(c);
}
