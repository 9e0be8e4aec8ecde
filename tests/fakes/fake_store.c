/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "fakes/fake_store.h"

#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "xen/store.h"

enum { NODES_MAX = 1000, STORES_MAX = 8, WATCHES_MAX = 64, EVENTS_MAX = 1000 };

struct node {
    char *path;
    char *text;
};

struct watch {
    char *path;
    char *token;
};

struct store {
    int fd; /* readable while there are events */
    struct watch watches[WATCHES_MAX];
    size_t watch_count;
    struct watch events[EVENTS_MAX]; /* the oldest first */
    size_t event_count;
};

static struct node nodes[NODES_MAX];
static size_t node_count;
static struct store *stores[STORES_MAX];
static char *refused;

/* What a test cannot do without. */
static void *need(void *memory)
{
    if (!memory)
        abort();
    return memory;
}

/* --- the tree --- */

static bool is_at_or_below(const char *path, const char *top)
{
    size_t length = strlen(top);

    return strncmp(path, top, length) == 0 && (path[length] == '\0' || path[length] == '/');
}

static struct node *find(const char *path)
{
    for (size_t i = 0; i < node_count; i++) {
        if (strcmp(nodes[i].path, path) == 0)
            return &nodes[i];
    }
    return NULL;
}

static bool exists(const char *path)
{
    for (size_t i = 0; i < node_count; i++) {
        if (is_at_or_below(nodes[i].path, path))
            return true;
    }
    return false;
}

static void set_node(const char *path, const char *text)
{
    struct node *node = find(path);

    if (!node) {
        if (node_count == NODES_MAX)
            abort();
        node = &nodes[node_count++];
        *node = (struct node){.path = need(strdup(path))};
    }
    free(node->text);
    node->text = need(strdup(text));
}

static void remove_nodes(const char *path)
{
    size_t kept = 0;

    for (size_t i = 0; i < node_count; i++) {
        if (is_at_or_below(nodes[i].path, path)) {
            free(nodes[i].path);
            free(nodes[i].text);
        } else {
            nodes[kept++] = nodes[i];
        }
    }
    node_count = kept;
}

/* --- watches --- */

static void add_event(struct store *s, const char *path, const char *token)
{
    if (s->event_count == EVENTS_MAX)
        abort();
    s->events[s->event_count++] =
        (struct watch){.path = need(strdup(path)), .token = need(strdup(token))};
    if (s->event_count == 1 && eventfd_write(s->fd, 1) < 0)
        abort();
}

static void fire(const char *path, bool removed)
{
    for (size_t i = 0; i < STORES_MAX; i++) {
        struct store *s = stores[i];

        for (size_t j = 0; s && j < s->watch_count; j++) {
            const struct watch *watch = &s->watches[j];

            if (is_at_or_below(path, watch->path))
                add_event(s, path, watch->token);
            else if (removed && is_at_or_below(watch->path, path))
                add_event(s, watch->path, watch->token);
        }
    }
}

static void forget_all(struct watch *list, size_t *count)
{
    for (size_t i = 0; i < *count; i++) {
        free(list[i].path);
        free(list[i].token);
    }
    *count = 0;
}

static void forget_watches(struct store *s)
{
    eventfd_t events;

    if (s->event_count > 0 && eventfd_read(s->fd, &events) < 0)
        abort();
    forget_all(s->events, &s->event_count);
    forget_all(s->watches, &s->watch_count);
}

/* --- for tests --- */

void fake_store_reset(void)
{
    remove_nodes("");
    for (size_t i = 0; i < STORES_MAX; i++) {
        if (stores[i])
            forget_watches(stores[i]);
    }
    fake_store_refuse(NULL);
}

void fake_store_set(const char *path, const char *text)
{
    if (text) {
        set_node(path, text);
        fire(path, false);
    } else if (exists(path)) {
        remove_nodes(path);
        fire(path, true);
    }
}

const char *fake_store_get(const char *path)
{
    const struct node *node = find(path);

    if (node)
        return node->text;
    return exists(path) ? "" : NULL;
}

void fake_store_refuse(const char *path)
{
    free(refused);
    refused = path ? need(strdup(path)) : NULL;
}

/* --- xen/store.h --- */

struct store *store_open(struct err *err)
{
    (void)err;
    for (size_t i = 0; i < STORES_MAX; i++) {
        if (!stores[i]) {
            stores[i] = need(calloc(1, sizeof(struct store)));
            stores[i]->fd = eventfd(0, EFD_CLOEXEC);
            if (stores[i]->fd < 0)
                abort();
            return stores[i];
        }
    }
    abort();
}

void store_forget(void)
{
}

void store_close(struct store *s)
{
    if (!s)
        return;
    for (size_t i = 0; i < STORES_MAX; i++) {
        if (stores[i] == s)
            stores[i] = NULL;
    }
    forget_watches(s);
    close(s->fd);
    free(s);
}

char *store_read(struct store *s, const char *path)
{
    const char *text = fake_store_get(path);

    (void)s;
    return text ? need(strdup(text)) : NULL;
}

static bool is_refused(const char *path, struct err *err)
{
    return refused && strcmp(path, refused) == 0 &&
           !err_set(err, "the fake store refuses %s", path);
}

bool store_write(struct store *s, const char *path, const char *text, struct err *err)
{
    (void)s;
    if (is_refused(path, err))
        return false;
    fake_store_set(path, text);
    return true;
}

bool store_remove(struct store *s, const char *path)
{
    (void)s;
    fake_store_set(path, NULL);
    return true;
}

/* What follows "path/" in the node's path; NULL: the node is not below path. */
static const char *name_below(const struct node *node, const char *path)
{
    return is_at_or_below(node->path, path) && strcmp(node->path, path) != 0
               ? node->path + strlen(path) + 1
               : NULL;
}

static bool is_listed(char *const *names, unsigned count, const char *name, size_t length)
{
    for (unsigned i = 0; i < count; i++) {
        if (strlen(names[i]) == length && strncmp(names[i], name, length) == 0)
            return true;
    }
    return false;
}

char **store_list(struct store *s, const char *path, unsigned *count)
{
    size_t bytes = 1;
    char **names;
    char *to;

    (void)s;
    *count = 0;
    if (!exists(path))
        return NULL;
    for (size_t i = 0; i < node_count; i++)
        bytes += sizeof(*names) + strlen(nodes[i].path) + 1;
    names = need(malloc(bytes));
    to = (char *)(names + node_count);
    for (size_t i = 0; i < node_count; i++) {
        const char *name = name_below(&nodes[i], path);
        size_t length = name ? strcspn(name, "/") : 0;

        if (!name || is_listed(names, *count, name, length))
            continue;
        names[(*count)++] = to;
        memcpy(to, name, length);
        to[length] = '\0';
        to += length + 1;
    }
    return names;
}

bool store_watch(struct store *s, const char *path, const char *token, struct err *err)
{
    if (is_refused(path, err))
        return false;
    if (s->watch_count == WATCHES_MAX)
        abort();
    s->watches[s->watch_count++] =
        (struct watch){.path = need(strdup(path)), .token = need(strdup(token))};
    add_event(s, path, token);
    return true;
}

int store_fd(struct store *s)
{
    return s->fd;
}

bool store_next(struct store *s, char **path, char **token)
{
    eventfd_t events;

    if (s->event_count == 0)
        return false;
    *path = s->events[0].path;
    *token = s->events[0].token;
    s->event_count--;
    memmove(s->events, s->events + 1, s->event_count * sizeof(s->events[0]));
    if (s->event_count == 0 && eventfd_read(s->fd, &events) < 0)
        abort();
    return true;
}
