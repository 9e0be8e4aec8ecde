/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sandbox/confine.h"

#include <errno.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "base/log.h"
#include "sandbox/capabilities.h"
#include "sandbox/limits.h"
#include "sandbox/mounts.h"
#include "sandbox/syscalls.h"

bool confine_process(const struct user *user, const char *folder, struct err *err)
{
    struct err warning;

    limits_set();
    /* Whatever the sound libraries start shall be no more than this process is: not by way of
     * programs that have a set-user-ID bit. Each thread has this for itself. And a process that
     * holds a domain in its hands is not for others of its user to look into. */
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 || prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0) {
        return err_set(err, "cannot keep privileges and debuggers out: %s", strerror(errno));
    }
    /* Into its terminal a process can put words for the shell that reads from there (TIOCSTI): it
     * has none any more. */
    setsid();
    if (!mounts_make_read_only(folder, &warning)) {
        log_warn("%s", warning.text);
    }
    return capabilities_drop(user->change, err);
}

void confine_calls(void)
{
    struct err warning;

    if (!syscalls_filter(&warning)) {
        log_warn("%s", warning.text);
    }
}
