/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "card/sound_process.h"

#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fds.h"
#include "base/log.h"

#define END_TIMEOUT_NS (3 * NS_PER_S)

/* The toolstack's signals are for the supervisor; its descriptors (the QMP listener, a saved state)
 * for the engine. */
void sound_process_begin(int keep)
{
    sigset_t none;

    log_set_name("card");
    signal(SIGHUP, SIG_IGN);
    signal(SIGINT, SIG_IGN);
    signal(SIGPIPE, SIG_IGN); /* a sound server's death is reported by write */
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    /* Whatever the sound libraries start shall be no more than this process is: not by way of
     * programs that have a set-user-ID bit. Each thread has this for itself. */
    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    close_fds_except(&keep, 1);
}

void sound_process_end(pid_t pid, const char *what)
{
    uint64_t end = clock_now_ns() + END_TIMEOUT_NS;

    while (waitpid(pid, NULL, WNOHANG) == 0) {
        if (clock_now_ns() >= end) {
            log_warn("%s does not end by itself: killed", what);
            kill(pid, SIGKILL);
            waitpid(pid, NULL, 0);
            break;
        }
        usleep(1000);
    }
}
