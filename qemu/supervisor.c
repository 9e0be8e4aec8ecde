/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "supervisor.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "audio/driver.h"
#include "audio/settings.h"
#include "base/log.h"
#include "card/process.h"
#include "card/sound_user.h"
#include "engine/engine.h"

/* What a toolstack or a person may send: the engine knows what to do with it. */
static const int relayed_signals[] = {SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGUSR1, SIGUSR2};

/* Signals become something to read, so that none is lost between two waits. Returns the
 * descriptor; old is the mask as it was. */
static int catch_signals(sigset_t *old, struct err *err)
{
    sigset_t set;
    int fd;

    sigemptyset(&set);
    sigaddset(&set, SIGCHLD);
    for (size_t i = 0; i < sizeof(relayed_signals) / sizeof(relayed_signals[0]); i++) {
        sigaddset(&set, relayed_signals[i]);
    }
    sigprocmask(SIG_BLOCK, &set, old);
    fd = signalfd(-1, &set, SFD_CLOEXEC);
    if (fd < 0) {
        err_set(err, "cannot make a signalfd: %s", strerror(errno));
    }
    return fd;
}

/* Until the engine has ended; returns its status as waitpid gives it. */
static int supervise(int signals, pid_t engine, struct card_process *card)
{
    for (;;) {
        struct signalfd_siginfo info;
        int status;
        pid_t pid;

        if (read(signals, &info, sizeof(info)) != sizeof(info)) {
            if (errno == EINTR) {
                continue;
            }
            log_error("cannot read signals: %s; the engine is told to end", strerror(errno));
            kill(engine, SIGTERM);
            waitpid(engine, &status, 0);
            return status;
        }
        if (info.ssi_signo != SIGCHLD) {
            kill(engine, (int)info.ssi_signo);
            continue;
        }
        while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
            if (pid == engine) {
                return status;
            }
            if (pid == card->pid) {
                log_error("the sound card's process has ended (status 0x%x): the guest goes on "
                          "without sound until its next start",
                          (unsigned)status);
                card_process_died(card);
            }
        }
    }
}

int supervisor_run(const struct plan *plan, const struct conf *conf)
{
    struct audio_settings settings;
    struct card_process card;
    struct user user;
    struct err err;
    sigset_t old;
    int signals, status;
    pid_t engine;

    if (!audio_settings_choose(&settings, plan->audiodev, conf, plan->domain_name, &err) ||
        !sound_user_find(&user, &settings, &err)) {
        log_error("%s", err.text);
        return EXIT_FAILURE;
    }
    signals = catch_signals(&old, &err);
    if (signals < 0) {
        log_error("%s", err.text);
        return EXIT_FAILURE;
    }
    /* The card joins the domain before the engine does: see create_above_the_engines in
     * xen/ioreq_server.c. A card that cannot is no reason to refuse the guest its machine. */
    if (card_process_start(&card, &settings, &user, plan->domid, plan->domain_name, plan->card_slot,
                           false, &err)) {
        log_info("es1370 in slot %u of domain %u (%s), to %s", plan->card_slot, plan->domid,
                 plan->domain_name, settings.driver->name);
    } else {
        log_error("the guest will have a silent sound card: %s", err.text);
    }
    for (char **arg = plan->engine_argv; *arg; arg++) {
        log_debug("engine: %s", *arg);
    }
    engine = engine_start(plan->engine_argv, &old, (int[]){signals, card.control}, 2, &err);
    if (engine < 0) {
        log_error("%s", err.text);
        card_process_stop(&card);
        return EXIT_FAILURE;
    }
    status = supervise(signals, engine, &card);
    card_process_stop(&card);
    engine_end_alike(status);
}
