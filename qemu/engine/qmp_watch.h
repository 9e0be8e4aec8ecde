/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which of a toolstack's QMP commands matter to the sound card, and how they
 * ended.
 *
 * Only answers count. The STOP and RESUME events would not do: QEMU sends none
 * if the machine stood, or ran, already (libxl says `cont` to every machine it
 * unpauses); it sends them to every monitor, for human-monitor-command "stop",
 * for a disk's error and for the guest's shutdown too; and whoever ends such a
 * stop may do so where we hear nothing, which would leave the card paused for
 * good. A guest whose vCPUs run, as Xen's do whatever QEMU thinks, loses
 * nothing by a card that plays on.
 *
 * An answer is known by its command's "id", any JSON value; QEMU sends those of
 * commands without one in order, among them an error for whatever is no
 * command at all. Events and the greeting answer nothing.
 *
 * No waiting; a few descriptors and commands at most, the oldest being
 * forgotten. One thread.
 */
#ifndef ENGINE_QMP_WATCH_H
#define ENGINE_QMP_WATCH_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

enum qmp_command {
    QMP_OTHER,
    QMP_NO_COMMAND, /* cannot be understood, by us at least */
    QMP_ADD_FD,
    QMP_REMOVE_FD,
    QMP_STOP,
    QMP_CONT,
    QMP_SAVE, /* xen-save-devices-state */
    QMP_LOAD, /* xen-load-devices-state */
};

/* libxl waits for each answer before it goes on. */
enum { QMP_UNANSWERED = 16, QMP_KEPT_FDS = 16 };

struct qmp_unanswered {
    enum qmp_command command;
    json_t *id;        /* NULL: none */
    json_t *arguments; /* of those that matter; NULL: none */
    int fd;            /* that came with add-fd, ours; -1: none */
};

/* A descriptor that the engine has in an fdset. */
struct qmp_kept_fd {
    long long fdset;
    long long theirs; /* its number in the engine */
    int fd;           /* ours */
};

struct qmp_watch {
    struct qmp_unanswered unanswered[QMP_UNANSWERED]; /* oldest first */
    unsigned unanswered_count;
    struct qmp_kept_fd kept[QMP_KEPT_FDS]; /* oldest first */
    unsigned kept_count;
    int brought; /* passed, and not yet taken by an add-fd; -1: none */
};

/* A command that matters and has succeeded. */
struct qmp_success {
    enum qmp_command command; /* QMP_STOP, QMP_CONT, QMP_SAVE or QMP_LOAD; QMP_OTHER: nothing */
    int fd; /* of QMP_SAVE and QMP_LOAD: the file, for the caller to close; -1 with a
               warning logged if it cannot be had */
};

void qmp_watch_start(struct qmp_watch *w);

/* Closes what was kept. */
void qmp_watch_end(struct qmp_watch *w);

/* The toolstack has passed fd (the first, if they were many), which stays the caller's. */
void qmp_watch_passed(struct qmp_watch *w, int fd);

/* The toolstack has sent a message of size bytes; NULL: an illegible one. */
void qmp_watch_asked(struct qmp_watch *w, const char *text, size_t size);

/* Whether one of QMP_STOP, QMP_CONT, QMP_SAVE and QMP_LOAD is unanswered. */
bool qmp_watch_awaits(const struct qmp_watch *w);

/* The engine has sent a message. */
struct qmp_success qmp_watch_answered(struct qmp_watch *w, const char *text, size_t size);

#endif
