/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "audio/worker.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/fds.h"

static void *run(void *opaque)
{
    struct worker *w = opaque;

    w->run(w->opaque);
    signal_fd(w->ended_fd);
    return NULL;
}

static int start_thread(struct worker *w)
{
    sigset_t all, before;
    int error;

    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    error = pthread_create(&w->thread, NULL, run, w);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return error;
}

bool worker_start(struct worker *w, const char *kind, const char *name, void (*run)(void *opaque),
                  void *opaque, int wake_fd, struct err *err)
{
    int error;

    w->run = run;
    w->opaque = opaque;
    w->wake_fd = wake_fd;
    atomic_init(&w->quit, false);
    w->ended_fd = eventfd(0, EFD_CLOEXEC);
    if (w->ended_fd < 0) {
        return err_set(err, "cannot make an event descriptor for the %s %s: %s", kind, name,
                       strerror(errno));
    }
    error = start_thread(w);
    if (error) {
        close(w->ended_fd);
        return err_set(err,
                       "cannot start the thread of the %s %s: %s. Memory or processes are short: "
                       "see free, and ulimit -v and -u where qemu-dm is started",
                       kind, name, strerror(error));
    }
    pthread_setname_np(w->thread, name);
    return true;
}

bool worker_stop(struct worker *w, int timeout_ms)
{
    struct pollfd ended = {.fd = w->ended_fd, .events = POLLIN};
    int n;

    atomic_store(&w->quit, true);
    signal_fd(w->wake_fd);
    do {
        n = poll(&ended, 1, timeout_ms);
    } while (n < 0 && errno == EINTR);
    if (n == 0) {
        pthread_detach(w->thread);
        return false;
    }
    pthread_join(w->thread, NULL);
    close(w->ended_fd);
    return true;
}
