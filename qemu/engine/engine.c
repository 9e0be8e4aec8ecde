/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "engine/engine.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fds.h"
#include "base/log.h"

const char *engine_of_host(const char *path, char *moved, size_t size)
{
    int length = snprintf(moved, size, "%s" ENGINE_MOVED, path);

    return length > 0 && (size_t)length < size && access(moved, X_OK) == 0 ? moved : path;
}

/* It would start itself on and on. */
static bool is_this_program(const char *path)
{
    struct stat it, self;

    return stat(path, &it) == 0 && stat("/proc/self/exe", &self) == 0 && it.st_dev == self.st_dev &&
           it.st_ino == self.st_ino;
}

bool engine_become(char *const argv[], struct err *err)
{
    if (is_this_program(argv[0])) {
        return err_set(
            err,
            "the engine %s is qemu-dm itself. Install the distribution's Xen device model "
            "again (apt install --reinstall qemu-system-xen), or name it by engine= in "
            "qemu-dm.conf",
            argv[0]);
    }
    execv(argv[0], argv);
    return err_set(err,
                   "cannot start the engine %s: %s. Install the distribution's Xen device model "
                   "(apt install qemu-system-xen), or name another in QEMU_DM_ENGINE",
                   argv[0], strerror(errno));
}

pid_t engine_start(char *const argv[], const struct engine_bounds *bounds, const int keep[],
                   unsigned count, struct err *err)
{
    pid_t parent = getpid();
    pid_t pid = fork();

    if (pid < 0) {
        err_set(err, "cannot fork the engine: %s", strerror(errno));
        return -1;
    }
    if (pid == 0) {
        struct err why;

        /* The toolstack knows the supervisor's pid only: should that be killed without a chance
         * to say so, the engine is told to end as the toolstack would tell it. Once the engine has
         * changed its user, only its guard (engine_guard.h) will. */
        prctl(PR_SET_PDEATHSIG, SIGHUP);
        setrlimit(RLIMIT_FSIZE, &bounds->file_size);
        signal(SIGXFSZ, bounds->on_file_limit);
        sigprocmask(SIG_SETMASK, &bounds->mask, NULL);
        if (getppid() == parent) {
            engine_become(argv, &why);
            log_error("%s", why.text);
        }
        _exit(EXIT_FAILURE);
    }
    close_fds_except(keep, count);
    return pid;
}

void engine_end_alike(int status)
{
    if (WIFSIGNALED(status)) {
        const struct rlimit no_core = {0, 0}; /* the engine's own core tells more than ours */
        sigset_t only;

        setrlimit(RLIMIT_CORE, &no_core);
        signal(WTERMSIG(status), SIG_DFL);
        sigemptyset(&only);
        sigaddset(&only, WTERMSIG(status));
        sigprocmask(SIG_UNBLOCK, &only, NULL);
        raise(WTERMSIG(status));
    }
    exit(WIFEXITED(status) ? WEXITSTATUS(status) : EXIT_FAILURE);
}
