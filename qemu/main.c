/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * qemu-dm: the life of the program, in order.
 *
 * The toolstack starts one process and knows it by its pid: the supervisor. It
 * plans from the command line, forks the sound card, then the engine (the
 * distribution's device model), hands the toolstack's signals on to the engine
 * and ends as the engine ends. Without a sound card of ours in the command line
 * it becomes the engine at once.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
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
#include "card/status.h"
#include "config.h"
#include "engine/engine.h"
#include "host_conf.h"
#include "toolstack/plan.h"

/* What a toolstack or a person may send: the engine knows what to do with it. */
static const int relayed_signals[] = {SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGUSR1, SIGUSR2};

static const char *engine_path(const struct conf *conf)
{
    const char *path = getenv("QEMU_DM_ENGINE");

    if (!path || !*path) {
        path = conf_value(conf, NULL, "engine");
    }
    return path ? path : CONFIG_ENGINE_PATH;
}

static void show_help(void)
{
    puts("Usage: qemu-dm ARGUMENTS OF THE TOOLSTACK\n"
         "       qemu-dm --status [--watch] [--json] [DOMAIN]\n"
         "       qemu-dm --help | --version\n"
         "\n"
         "The Xen device model with sound that works. A toolstack starts it in place of the\n"
         "distribution's; in a domU configuration:\n"
         "\n"
         "  soundhw = \"es1370\"\n"
         "  device_model_override = \"/path/to/qemu-dm\"\n"
         "  device_model_args_hvm = [ \"-audiodev\", \"pa,id=snd0,out.latency=10000\" ]\n"
         "\n"
         "Options of its own (all others are the engine's and go to it unchanged):\n"
         "  -device es1370[,audiodev=ID]  the sound card; written by libxl for soundhw\n"
         "  -audiodev DRIVER,id=ID[,server=S][,path=P][,out.name=SINK][,out.stream-name=NAME]\n"
         "            [,out.latency=MICROSECONDS][,in.latency=MICROSECONDS]\n"
         "            [,in.name=SOURCE][,in.stream-name=NAME][,user=NAME|auto|none]\n"
         "                                the host's sound, in QEMU's words\n"
         "  --status                      what is heard: levels, delays, faults, of all domains\n"
         "                                or of one; --watch: on and on; --json: for programs\n"
         "  --help                        this text\n"
         "  --version                     the version\n"
         "\n"
         "Environment:\n"
         "  QEMU_DM_ENGINE                the engine, instead of " CONFIG_ENGINE_PATH "\n"
         "  QEMU_DM_RUNDIR                where --status looks, instead of " CONFIG_RUNDIR "\n"
         "  QEMU_DM_DEBUG                 anything: more in the log\n"
         "  QEMU_DM_USER                  whose sound server it is, as user=\n"
         "  QEMU_DM_CONF                  the host's defaults, instead of " HOST_CONF_PATH "\n"
         "  QEMU_AUDIO_DRV, QEMU_PA_SINK  and QEMU's others, where there is no -audiodev\n");
    printf("Drivers in this build:");
    for (const struct audio_driver *const *d = audio_drivers; *d; d++) {
        printf(" %s", (*d)->name);
    }
    printf("\n");
}

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

static int run_with_card(const struct plan *plan, const struct conf *conf)
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
                           &err)) {
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

int main(int argc, char *argv[])
{
    struct conf conf;
    struct plan plan;
    struct err err;

    log_set_name("qemu-dm");
    host_conf_read(&conf);
    if (getenv("QEMU_DM_DEBUG") || host_conf_debug(&conf)) {
        log_set_level(LOG_LEVEL_DEBUG);
    }
    if (!plan_make(&plan, argc, (const char *const *)argv, engine_path(&conf), &err)) {
        log_error("%s", err.text);
        return EXIT_FAILURE;
    }
    if (plan.note) {
        log_warn("%s", plan.note);
    }
    switch (plan.action) {
    case PLAN_SHOW_HELP:
        show_help();
        return EXIT_SUCCESS;
    case PLAN_SHOW_VERSION:
        puts("qemu-dm " CONFIG_VERSION);
        return EXIT_SUCCESS;
    case PLAN_SHOW_STATUS:
        return status_main(argc, argv);
    case PLAN_RUN_CARD:
        return run_with_card(&plan, &conf);
    case PLAN_BECOME_ENGINE:
        engine_become(plan.engine_argv, &err);
        log_error("%s", err.text);
        return EXIT_FAILURE;
    }
    return EXIT_FAILURE;
}
