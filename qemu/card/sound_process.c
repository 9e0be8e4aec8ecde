/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "card/sound_process.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fds.h"
#include "base/log.h"
#include "base/realtime.h"
#include "card/sound_user.h"
#include "sandbox/confine.h"

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
    close_fds_except(&keep, 1);
}

bool sound_process_confine(const struct audio_settings *settings, const struct user *user,
                           struct err *err)
{
    char folder[4096];
    bool writes = sound_user_folder(settings, folder, sizeof(folder));
    struct err warning;

    if (!realtime_enter(&warning)) {
        log_warn("%s", warning.text);
    }
    return confine_process(user, writes ? folder : NULL, err);
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
