/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Command lines of libxl, and what becomes of them. In golden/, NAME.in has what libxl of that Xen
 * gives the device model (tools/libs/light/libxl_dm.c at its release tag), one argument a line, and
 * NAME.out has the plan, and after "engine:" the engine's arguments.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <glob.h>

#include "toolstack/plan.h"

#define ENGINE   "/usr/libexec/xen-qemu-system-i386"
#define ARGS_MAX 200

/* The file's text, or NULL; to be freed. */
static char *read_file(const char *path)
{
    FILE *file = fopen(path, "r");
    char *text = NULL;
    size_t size = 0;

    if (!file)
        return NULL;
    if (getdelim(&text, &size, '\0', file) < 0) {
        free(text);
        text = NULL;
    }
    fclose(file);
    return text;
}

/* Cuts text into its lines; returns how many. */
static int split_lines(char *text, const char *lines[ARGS_MAX])
{
    int count = 0;

    while (*text && count < ARGS_MAX) {
        char *end = strchr(text, '\n');

        lines[count++] = text;
        if (!end)
            break;
        *end = '\0';
        text = end + 1;
    }
    return count;
}

/* As the supervisor does it: 33 is where the engine listens for QMP, 34 the pipe that it plays
 * into. */
static void set_descriptors(struct plan *plan)
{
    struct err err;

    if (plan->action == PLAN_RUN_CARD && plan->qmp_argument)
        assert_true(plan_set_qmp_fd(plan, 33, &err));
    if (plan->pipe_argument)
        assert_true(plan_set_pipe_fd(plan, 34, &err));
}

static void write_card(FILE *out, const struct plan *plan)
{
    fprintf(out, "slot %u\n", plan->card_slot);
    if (plan->qmp_path)
        fprintf(out, "qmp %s\n", plan->qmp_path);
    else if (plan->qmp_argument)
        fprintf(out, "qmp descriptor %d\n", plan->qmp_fd);
    if (plan->incoming)
        fprintf(out, "incoming descriptor %d\n", plan->incoming_fd);
}

static char *plan_text(const struct plan *plan)
{
    static const char *const actions[] = {
        [PLAN_BECOME_ENGINE] = "become-engine",       [PLAN_RUN_CARD] = "run-card",
        [PLAN_RUN_ENGINE_SOUND] = "run-engine-sound", [PLAN_SHOW_HELP] = "show-help",
        [PLAN_SHOW_VERSION] = "show-version",
    };
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);

    assert_non_null(out);
    fprintf(out, "%s\n", actions[plan->action]);
    if (plan->action == PLAN_RUN_CARD || plan->action == PLAN_RUN_ENGINE_SOUND) {
        fprintf(out, "domid %u\nname %s\n", plan->domid, plan->domain_name);
        if (plan->action == PLAN_RUN_CARD)
            write_card(out, plan);
        fprintf(out, "audiodev %s\n", plan->audiodev ? plan->audiodev : "(none)");
    }
    if (plan->note)
        fprintf(out, "note %s\n", plan->note);
    fprintf(out, "engine:\n");
    for (char **arg = plan->engine_argv; *arg; arg++)
        fprintf(out, "%s\n", *arg);
    assert_int_equal(fclose(out), 0);
    return text;
}

static void test_golden(void **state)
{
    const char *in_path = *state;
    char out_path[500];
    const char *args[ARGS_MAX];
    struct plan plan;
    struct err err;
    char *in = read_file(in_path), *expected, *got;
    int count;

    assert_non_null(in);
    count = split_lines(in, args);
    assert_in_range(count, 2, ARGS_MAX - 1);
    if (!plan_make(&plan, count, args, ENGINE, &err))
        fail_msg("%s", err.text);
    set_descriptors(&plan);
    got = plan_text(&plan);

    snprintf(out_path, sizeof(out_path), "%.*s.out", (int)strlen(in_path) - 3, in_path);
    expected = read_file(out_path);
    if (!expected)
        fail_msg("%s is missing; it would be:\n%s", out_path, got);
    assert_string_equal(got, expected);

    free(expected);
    free(got);
    free(in);
    plan_free(&plan);
}

int main(void)
{
    const char *src = getenv("SRC");
    char pattern[500];
    struct CMUnitTest *tests;
    glob_t found;
    int failed;

    snprintf(pattern, sizeof(pattern), "%s/tests/unit/golden/xen-*.in", src ? src : ".");
    if (glob(pattern, 0, NULL, &found) != 0) {
        fprintf(stderr, "nothing is called %s: run it at the top of the tree, or set SRC\n",
                pattern);
        return 1;
    }
    tests = calloc(found.gl_pathc, sizeof(*tests));
    if (!tests)
        return 1;
    for (size_t i = 0; i < found.gl_pathc; i++)
        tests[i] = (struct CMUnitTest){
            .name = strrchr(found.gl_pathv[i], '/') + 1,
            .test_func = test_golden,
            .initial_state = found.gl_pathv[i],
        };
    failed = _cmocka_run_group_tests("plan_golden", tests, found.gl_pathc, NULL, NULL);
    free(tests);
    globfree(&found);
    return failed;
}
