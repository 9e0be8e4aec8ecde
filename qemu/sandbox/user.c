/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sandbox/user.h"

#include <errno.h>
#include <grp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

static bool set_environment(const struct user *user)
{
    /* Where root's, or a caller's, things are. */
    static const char *const others[] = {"XDG_CONFIG_HOME", "XDG_CACHE_HOME", "XDG_STATE_HOME",
                                         "XDG_DATA_HOME", "DBUS_SESSION_BUS_ADDRESS"};

    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
        unsetenv(others[i]);
    }
    return setenv("XDG_RUNTIME_DIR", user->runtime, 1) == 0 && setenv("HOME", user->home, 1) == 0 &&
           (!*user->name ||
            (setenv("USER", user->name, 1) == 0 && setenv("LOGNAME", user->name, 1) == 0));
}

static bool is_all(const struct user *user)
{
    uid_t uid[3] = {0, 0, 0};
    gid_t gid[3] = {0, 0, 0};

    if (getresuid(&uid[0], &uid[1], &uid[2]) < 0 || getresgid(&gid[0], &gid[1], &gid[2]) < 0) {
        return false;
    }
    for (int i = 0; i < 3; i++) {
        if (uid[i] != user->uid || gid[i] != user->gid) {
            return false;
        }
    }
    return true;
}

bool user_become(const struct user *user, struct err *err)
{
    bool changed;

    if (!user->change) {
        return true;
    }
    /* The groups first: only root can. */
    changed = set_environment(user) &&
              (*user->name ? initgroups(user->name, user->gid) : setgroups(1, &user->gid)) == 0 &&
              setresgid(user->gid, user->gid, user->gid) == 0 &&
              setresuid(user->uid, user->uid, user->uid) == 0;
    if (!changed || !is_all(user)) {
        return err_set(err, "cannot become user %u: %s. user=none stays root", user->uid,
                       changed ? "only half of it was done" : strerror(errno));
    }
    /* Who changes is again whatever the host has for such (sandbox/confine.c has said no). */
    if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0) {
        return err_set(err, "cannot keep other programs of user %u out: %s", user->uid,
                       strerror(errno));
    }
    return true;
}
