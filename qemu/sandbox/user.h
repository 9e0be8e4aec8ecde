/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Becoming the user whose sound server the card plays to. A device model is
 * started by root; a desktop's sound server lets nobody in but its own user,
 * and a guest that has broken out of its card should not find itself root.
 */
#ifndef SANDBOX_USER_H
#define SANDBOX_USER_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/err.h"

struct user {
    bool change; /* false: stay who we are, and all below is without meaning */
    uid_t uid;
    gid_t gid;
    char name[64]; /* "": the user has no account, and no groups but gid */
    char home[256];
    char runtime[256]; /* XDG_RUNTIME_DIR; need not be there yet */
};

/* Becomes the user, in all threads and for good, and gives the libraries that user's environment:
 * no other thread may read it meanwhile. Descriptors, realtime scheduling and locked memory stay as
 * they are. False with err set: the process may be half of each, and has to end. */
bool user_become(const struct user *user, struct err *err);

#endif
