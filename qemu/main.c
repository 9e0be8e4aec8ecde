/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * qemu-dm: the life of the program, in order.
 *
 * The toolstack starts one process and knows it by its pid. It plans from the
 * command line; where there is sound to be played, or a toolstack of old to talk
 * to, it becomes the supervisor of card and engine (supervisor.c), else the
 * engine itself.
 */
#include <stdio.h>
#include <stdlib.h>

#include "audio/driver.h"
#include "base/log.h"
#include "card/status.h"
#include "config.h"
#include "engine/engine.h"
#include "host_conf.h"
#include "supervisor.h"
#include "toolstack/plan.h"
#include "traditional.h"

static const char *engine_path(const struct conf *conf)
{
    static char moved[sizeof(CONFIG_ENGINE_PATH ENGINE_MOVED)];
    const char *path = getenv("QEMU_DM_ENGINE");

    if (!path || !*path) {
        path = conf_value(conf, NULL, "engine");
    }
    return path ? path : engine_of_host(CONFIG_ENGINE_PATH, moved, sizeof(moved));
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

int main(int argc, char *argv[])
{
    uint16_t old_domid = 0; /* of a toolstack of qemu-xen-traditional's */
    struct conf conf;
    struct plan plan;
    struct err err;

    log_set_name("qemu-dm");
    host_conf_read(&conf);
    if (getenv("QEMU_DM_DEBUG") || host_conf_debug(&conf)) {
        log_set_level(LOG_LEVEL_DEBUG);
    }
    if (traditional_is(argc, (const char *const *)argv)) {
        argv = traditional_translate(&old_domid, argc, (const char *const *)argv, &err);
        for (argc = 0; argv && argv[argc];) {
            argc++;
        }
    }
    if (!argv || !plan_make(&plan, argc, (const char *const *)argv, engine_path(&conf), &err)) {
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
    case PLAN_RUN_ENGINE_SOUND:
        return supervisor_run(&plan, &conf, old_domid);
    case PLAN_BECOME_ENGINE:
        if (old_domid) {
            return supervisor_run(&plan, &conf, old_domid);
        }
        engine_become(plan.engine_argv, &err);
        log_error("%s", err.text);
        return EXIT_FAILURE;
    }
    return EXIT_FAILURE;
}
