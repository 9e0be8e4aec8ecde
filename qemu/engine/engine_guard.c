/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "engine/engine_guard.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fds.h"
#include "base/log.h"

/* How long the engine may take to end. */
enum { PATIENCE_MS = 3000 };

/* --- the guard's side --- */

/* Returns when the supervisor is no more. */
static void wait_for_the_end(int supervisor)
{
    char byte;

    while (read(supervisor, &byte, 1) < 0 && errno == EINTR) {
    }
}

static void end_engine(int engine)
{
    struct pollfd ended = {.fd = engine, .events = POLLIN};

    /* It may have ended already, or with the supervisor; then there is nobody to tell. */
    if (pidfd_send_signal(engine, SIGHUP, NULL, 0) < 0) {
        return;
    }
    log_warn("qemu-dm has been killed: the engine is told to end");
    if (poll(&ended, 1, PATIENCE_MS) == 0) {
        log_warn("the engine does not end by itself: killed");
        pidfd_send_signal(engine, SIGKILL, NULL, 0);
    }
}

static _Noreturn void stand_guard(int supervisor, int engine, void (*clear_up)(const void *opaque),
                                  const void *opaque)
{
    const int keep[] = {supervisor, engine};
    sigset_t all;

    log_set_name("guard");
    /* Neither what is sent to the toolstack's process group, or its terminal's, nor any signal but
     * SIGKILL ends it before the supervisor. */
    setsid();
    sigfillset(&all);
    sigprocmask(SIG_SETMASK, &all, NULL);
    close_fds_except(keep, 2);
    prctl(PR_SET_NAME, "qemu-dm guard"); /* for ps: the command line is the supervisor's */
    wait_for_the_end(supervisor);
    /* First: who sees that the engine has ended finds nothing left. */
    clear_up(opaque);
    end_engine(engine);
    _exit(EXIT_SUCCESS);
}

/* --- the supervisor's side --- */

static void close_both(const int ends[2])
{
    close(ends[0]);
    close(ends[1]);
}

bool engine_guard_start(struct engine_guard *g, pid_t engine, void (*clear_up)(const void *opaque),
                        const void *opaque, struct err *err)
{
    int ends[2], engine_fd;

    *g = (struct engine_guard){.pipe = -1};
    if (pipe2(ends, O_CLOEXEC) < 0) {
        return err_set(err, "cannot make a pipe for the engine's guard: %s", strerror(errno));
    }
    engine_fd = pidfd_open(engine, 0);
    if (engine_fd < 0) {
        err_set(err, "cannot get a descriptor of the engine's process: %s", strerror(errno));
        close_both(ends);
        return false;
    }
    g->pid = fork();
    if (g->pid == 0) {
        stand_guard(ends[0], engine_fd, clear_up, opaque);
    }
    close(engine_fd);
    if (g->pid < 0) {
        err_set(err, "cannot fork the engine's guard: %s", strerror(errno));
        close_both(ends);
        g->pid = 0;
        return false;
    }
    close(ends[0]);
    g->pipe = ends[1];
    return true;
}

void engine_guard_died(struct engine_guard *g)
{
    log_warn("the engine's guard has been killed: should qemu-dm be killed, too, look whether the "
             "engine has ended with it");
    close(g->pipe);
    *g = (struct engine_guard){.pipe = -1};
}

void engine_guard_dismiss(struct engine_guard *g)
{
    if (g->pid) {
        kill(g->pid, SIGKILL);
        waitpid(g->pid, NULL, 0);
        close(g->pipe);
    }
    *g = (struct engine_guard){.pipe = -1};
}
