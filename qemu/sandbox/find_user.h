/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Finding out whose sound server is meant. Reads the host's files, changes
 * nothing.
 */
#ifndef SANDBOX_FIND_USER_H
#define SANDBOX_FIND_USER_H

#include <stdbool.h>

#include "base/err.h"
#include "sandbox/user.h"

/* What is asked for. */
struct user_wish {
    const char *user;  /* "auto", "none", a name or a number */
    const char *place; /* where the sound goes, as PULSE_SERVER says it; NULL: not said */
    bool running;      /* auto: only a user whose server runs now */
    bool device;       /* auto: the place is a device, and nobody's server */
};

/* Where it is looked for. */
struct user_host {
    bool root;              /* we are, and can become others */
    const char *runtimes;   /* /run/user: a folder each, named by the number */
    const char *system;     /* /run: the system's own PulseAudio is below it */
    const char *passwd;     /* a file like /etc/passwd; NULL: all that the system knows */
    const char *login_defs; /* /etc/login.defs */
    long seat;              /* the user in front of the screen; -1: none, or not known */
};

/* This host's. */
struct user_host user_host_here(void);

/* Finds the user, and fills why (of size bytes) with what led there, for the log: a line without
 * end, or "". False with err set: the wish names nobody, or cannot be fulfilled. The process must
 * have no threads. */
bool user_find(struct user *user, const struct user_wish *wish, const struct user_host *host,
               char *why, size_t size, struct err *err);

/* The owner of a file or a folder, to which root without capabilities may not write. The user stays
 * who we are where that is root, where there is no such file, or if we are not root. */
void user_of_file(struct user *user, const char *path, const struct user_host *host);

/* Nobody, for what needs nothing of the host; who we are, if we are not root. */
void user_nobody(struct user *user, const struct user_host *host);

/* Whether a text is "auto", "none", or a user of the host. */
bool user_check(const char *text, const struct user_host *host, struct err *err);

#endif
