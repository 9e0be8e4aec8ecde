/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "card/engine_sound.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "card/engine_sound_player.h"
#include "card/sound_process.h"
#include "sandbox/confine.h"

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
    if (!sound_process_confine(settings, user, err) || !user_become(user, err)) {
        return false;
    }
    confine_calls();
    return engine_sound_play(settings, pipe, err);
}

/* What reads and plays nothing needs nothing. */
static bool be_idle(struct err *err)
{
    static const struct user as_we_are = {.change = false};
    bool ok = confine_process(&as_we_are, NULL, err);

    confine_calls();
    return ok;
}

/* The child's side of the fork. settings: NULL to play nothing. */
static _Noreturn void child(const struct audio_settings *settings, const struct user *user,
                            int pipe)
{
    struct err err;

    sound_process_begin(pipe);
    if (settings ? !play(settings, user, pipe, &err) : !be_idle(&err)) {
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
    close_pipe(s);
    if (s->pid) {
        sound_process_end(s->pid, "the engine's sound");
    }
    s->pid = 0;
}
