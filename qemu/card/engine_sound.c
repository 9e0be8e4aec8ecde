/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "card/engine_sound.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fds.h"
#include "base/log.h"
#include "base/realtime.h"
#include "card/engine_sound_player.h"

#define STOP_TIMEOUT_NS (3 * NS_PER_S)

/* Reads and forgets, until there is nobody left who writes. */
static void drain(int pipe)
{
    static char sound[65536];
    ssize_t n;

    do {
        n = read(pipe, sound, sizeof(sound));
    } while (n > 0 || (n < 0 && errno == EINTR));
}

static bool play(const struct audio_settings *settings, const struct user *user, int pipe,
                 struct err *err)
{
    struct err warning;

    if (!realtime_enter(&warning)) {
        log_warn("%s", warning.text);
    }
    return user_become(user, err) && engine_sound_play(settings, pipe, err);
}

/* The child's side of the fork. settings: NULL to play nothing. */
static _Noreturn void child(const struct audio_settings *settings, const struct user *user,
                            int pipe)
{
    struct err err;
    sigset_t none;

    log_set_name("card");
    signal(SIGHUP, SIG_IGN);
    signal(SIGINT, SIG_IGN);
    signal(SIGPIPE, SIG_IGN); /* a sound server's death is reported by write */
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    close_fds_except(&pipe, 1);
    if (settings && !play(settings, user, pipe, &err)) {
        log_error("the engine's sound cards are silent: %s", err.text);
    }
    drain(pipe);
    /* _exit: a driver's thread that hangs in its library must not hold up the end. */
    _exit(EXIT_SUCCESS);
}

static bool start(struct engine_sound *s, const struct audio_settings *settings,
                  const struct user *user, struct err *err)
{
    s->pid = fork();
    if (s->pid == 0) {
        child(settings, user, s->pipe);
    }
    if (s->pid < 0) {
        s->pid = 0;
        return err_set(err, "cannot fork the process that plays the engine's sound: %s",
                       strerror(errno));
    }
    return true;
}

static void close_pipe(struct engine_sound *s)
{
    if (s->pipe >= 0) {
        close(s->pipe);
    }
    s->pipe = -1;
}

bool engine_sound_start(struct engine_sound *s, const struct audio_settings *settings,
                        const struct user *user, int pipe_read_end, struct err *err)
{
    *s = (struct engine_sound){.pipe = pipe_read_end};
    fcntl(s->pipe, F_SETFD, FD_CLOEXEC);
    if (!start(s, settings, user, err)) {
        close_pipe(s);
        return false;
    }
    return true;
}

void engine_sound_died(struct engine_sound *s)
{
    struct err err;

    if (!start(s, NULL, NULL, &err)) {
        /* Without a pipe the engine complains at each of its writes, but its guest goes on. */
        log_error("%s", err.text);
        close_pipe(s);
    }
}

void engine_sound_stop(struct engine_sound *s)
{
    uint64_t end = clock_now_ns() + STOP_TIMEOUT_NS;

    close_pipe(s);
    while (s->pid && waitpid(s->pid, NULL, WNOHANG) == 0) {
        if (clock_now_ns() >= end) {
            log_warn("the engine's sound does not end by itself: killed");
            kill(s->pid, SIGKILL);
            waitpid(s->pid, NULL, 0);
            break;
        }
        usleep(1000);
    }
    s->pid = 0;
}
