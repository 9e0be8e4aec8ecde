/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Command lines of any kind: an argument a line, as in tests/unit/golden/. Whatever comes, the plan
 * is whole or refused with a reason, options that are to be kept arrive in their order, and no
 * memory is misused.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "toolstack/option.h"
#include "toolstack/plan.h"

enum { ARGS_MAX = 256 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void expect(int holds, const char *what)
{
    if (!holds) {
        fprintf(stderr, "does not hold: %s\n", what);
        abort();
    }
}

static int split(char *text, const char *args[ARGS_MAX])
{
    int count = 0;

    for (char *arg; count < ARGS_MAX && (arg = strsep(&text, "\n")) != NULL;) {
        args[count++] = arg;
    }
    return count;
}

/* Each option that is kept is in the engine's line, behind the one before it. */
static void check_kept(char **engine_argv, const char *const args[], size_t count)
{
    static struct option options[ARGS_MAX];
    size_t option_count = options_read(options, args, count);
    char **at = engine_argv + 1;

    for (size_t i = 0; i < option_count; i++) {
        if (options[i].use != OPTION_KEPT) {
            continue;
        }
        for (size_t j = 0; j < options[i].arg_count; j++) {
            while (*at && strcmp(*at, options[i].args[j]) != 0) {
                at++;
            }
            expect(*at != NULL, "what is kept arrives");
            at++;
        }
    }
}

static void check(struct plan *plan, const char *const args[], int count)
{
    struct err err;

    if (plan->action == PLAN_SHOW_HELP || plan->action == PLAN_SHOW_VERSION ||
        plan->action == PLAN_SHOW_STATUS) {
        expect(!plan->engine_argv, "no engine");
        return;
    }
    expect(strcmp(plan->engine_argv[0], "/engine") == 0, "an engine");
    check_kept(plan->engine_argv, args + 1, count > 0 ? (size_t)count - 1 : 0);
    expect(!plan->qmp_argument == !(plan->qmp_path || plan->qmp_fd >= 0), "where QMP is expected");
    if (plan->qmp_argument) {
        expect(plan_set_qmp_fd(plan, 33, &err), "a descriptor for QMP");
        expect(strstr(plan->engine_argv[plan->qmp_argument], "fd=33") != NULL, "it is there");
    }
    expect(!plan->pipe_argument == (plan->action != PLAN_RUN_ENGINE_SOUND), "a pipe");
    if (plan->pipe_argument) {
        expect(plan_set_pipe_fd(plan, 34, &err), "a descriptor for the pipe");
        expect(strstr(plan->engine_argv[plan->pipe_argument], "/dev/fd/34") != NULL, "it is there");
    }
    if (plan->action != PLAN_BECOME_ENGINE) {
        expect(plan->domid > 0 && plan->domain_name, "a domain");
    }
    if (plan->action == PLAN_RUN_CARD) {
        expect(plan->card_slot >= 2 && plan->card_slot < 32, "a slot");
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *args[ARGS_MAX];
    char *text = malloc(size + 1);
    struct plan plan;
    struct err err = {""};
    int count;

    if (!text) {
        return 0;
    }
    memcpy(text, data, size);
    text[size] = '\0';
    count = split(text, args);
    if (plan_make(&plan, count, args, "/engine", &err)) {
        check(&plan, args, count);
    } else {
        expect(strlen(err.text) > 10, "a reason");
        expect(!plan.engine_argv && !plan.audiodev && !plan.note, "nothing else");
    }
    plan_free(&plan);
    free(text);
    return 0;
}
