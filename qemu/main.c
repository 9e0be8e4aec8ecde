/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * qemu-dm: the life of the program, in order.
 *
 * The toolstack starts one process and knows it by its pid. It plans from the
 * command line; with a sound card of ours there it becomes the supervisor of
 * card and engine (supervisor.c), without one the engine itself.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "audio/driver.h"
#include "base/log.h"
#include "card/status.h"
#include "config.h"
#include "engine/engine.h"
#include "host_conf.h"
#include "supervisor.h"
#include "toolstack/plan.h"

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

/* The engine alone, its sound cards unheard. */
static bool leave_silent(struct plan *plan, struct err *err)
{
    int fd = open("/dev/null", O_WRONLY);

    if (fd < 0) {
        return err_set(err, "cannot open /dev/null: %s", strerror(errno));
    }
    return plan_set_pipe_fd(plan, fd, err);
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
        return supervisor_run(&plan, &conf);
    case PLAN_RUN_ENGINE_SOUND:
        if (!leave_silent(&plan, &err)) {
            log_error("%s", err.text);
            return EXIT_FAILURE;
        }
        /* fall through */
    case PLAN_BECOME_ENGINE:
        engine_become(plan.engine_argv, &err);
        log_error("%s", err.text);
        return EXIT_FAILURE;
    }
    return EXIT_FAILURE;
}
