/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Command lines of the old toolstacks, and what becomes of them. In golden/, old-NAME.in has what
 * that toolstack gave qemu-dm (xend: tools/python/xen/xend/image.py, libxl:
 * libxl__build_device_model_args_old, each at its release), one argument a line, and after
 * "xenstore:" what xenstore then has:
 *
 *     node PATH TEXT
 *     disk NUMBER KIND DEV TYPE MODE DEVICE-TYPE PARAMS    (its frontend and its backend of KIND)
 *     incoming FD                                          (the open file of -loadvm)
 *     plan                                                 (show the engine's arguments, too)
 *
 * old-NAME.out has the notes for the log, the modern command line, and the engine's arguments.
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

#include "fakes/fake_store.h"
#include "toolstack/old_line.h"
#include "toolstack/plan.h"
#include "traditional/facts.h"

#define ENGINE   "/usr/libexec/xen-qemu-system-i386"
#define ARGS_MAX 200

/* What the file says. */
struct given {
    const char *args[ARGS_MAX];
    int count;
    int incoming_fd;
    bool with_plan;
};

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

/* --- xenstore --- */

static unsigned domid_of(const struct given *given)
{
    for (int i = 1; i + 1 < given->count; i++) {
        if (strcmp(given->args[i], "-d") == 0)
            return (unsigned)atoi(given->args[i + 1]);
    }
    fail_msg("no -d");
    return 0;
}

__attribute__((format(printf, 2, 3))) static void set_node(const char *text, const char *fmt, ...)
{
    char path[300];
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(path, sizeof(path), fmt, ap);
    va_end(ap);
    fake_store_set(path, text);
}

static void set_disk(unsigned domid, char *words)
{
    char *number = strsep(&words, " "), *kind = strsep(&words, " "), *dev = strsep(&words, " ");
    char *type = strsep(&words, " "), *mode = strsep(&words, " ");
    char *device_type = strsep(&words, " ");
    char frontend[100], backend[100];

    assert_non_null(device_type);
    snprintf(frontend, sizeof(frontend), "/local/domain/%u/device/vbd/%s", domid, number);
    snprintf(backend, sizeof(backend), "/local/domain/0/backend/%s/%u/%s", kind, domid, number);
    set_node(backend, "%s/backend", frontend);
    set_node(device_type, "%s/device-type", frontend);
    set_node(frontend, "%s/frontend", backend);
    set_node(dev, "%s/dev", backend);
    set_node(type, "%s/type", backend);
    set_node(mode, "%s/mode", backend);
    set_node(words ? words : "", "%s/params", backend);
}

static void read_store_line(struct given *given, char *line)
{
    char *words = line;
    char *what = strsep(&words, " ");

    if (strcmp(what, "node") == 0) {
        char *path = strsep(&words, " ");

        fake_store_set(path, words);
    } else if (strcmp(what, "disk") == 0) {
        set_disk(domid_of(given), words);
    } else if (strcmp(what, "incoming") == 0) {
        given->incoming_fd = atoi(words);
    } else {
        assert_string_equal(what, "plan");
        given->with_plan = true;
    }
}

static void read_given(struct given *given, char *text)
{
    bool in_store = false;

    *given = (struct given){.incoming_fd = -1};
    fake_store_reset();
    for (char *line; (line = strsep(&text, "\n")) != NULL && (text || *line);) {
        if (strcmp(line, "xenstore:") == 0) {
            in_store = true;
        } else if (in_store) {
            read_store_line(given, line);
        } else {
            assert_true(given->count < ARGS_MAX);
            given->args[given->count++] = line;
        }
    }
    assert_true(in_store);
}

/* --- what becomes of it --- */

static void print_plan(FILE *out, char **argv)
{
    struct plan plan;
    struct err err;
    int argc = 0;

    while (argv[argc])
        argc++;
    if (!plan_make(&plan, argc, (const char *const *)argv, ENGINE, &err))
        fail_msg("%s", err.text);
    fprintf(out, "%s\n", plan.action == PLAN_RUN_CARD ? "card:" : "no card:");
    if (plan.action == PLAN_RUN_CARD)
        fprintf(out, "domid %u\nname %s\nslot %u\naudiodev %s\n", plan.domid, plan.domain_name,
                plan.card_slot, plan.audiodev ? plan.audiodev : "(none)");
    fprintf(out, "engine:\n");
    for (char **arg = plan.engine_argv; *arg; arg++)
        fprintf(out, "%s\n", *arg);
    plan_free(&plan);
}

static char *result_of(const struct given *given)
{
    struct old_line line;
    struct old_facts facts;
    struct err err;
    struct store *store = store_open(&err);
    char **argv = NULL, *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);

    assert_non_null(out);
    assert_true(old_line_is(given->count, given->args));
    if (!old_line_read(&line, given->count, given->args, &err) ||
        !facts_read(&facts, store, line.domid, &err) ||
        !(argv = old_line_translate(&line, &facts, given->incoming_fd, &err)))
        fail_msg("%s", err.text);
    assert_false(old_line_is(5, (const char *const *)argv));
    if (*line.note)
        fprintf(out, "note %s\n", line.note);
    if (*facts.note)
        fprintf(out, "note %s\n", facts.note);
    if (*facts.vnc_password_path)
        fprintf(out, "password in %s\n", facts.vnc_password_path);
    fprintf(out, "modern:\n");
    for (char **arg = argv; *arg; arg++)
        fprintf(out, "%s\n", *arg);
    if (given->with_plan)
        print_plan(out, argv);
    old_argv_free(argv);
    store_close(store);
    assert_int_equal(fclose(out), 0);
    return text;
}

static void test_golden(void **state)
{
    const char *in_path = *state;
    char out_path[500];
    struct given given;
    char *in = read_file(in_path), *expected, *got;

    assert_non_null(in);
    read_given(&given, in);
    got = result_of(&given);

    snprintf(out_path, sizeof(out_path), "%.*s.out", (int)strlen(in_path) - 3, in_path);
    expected = read_file(out_path);
    if (!expected)
        fail_msg("%s is missing; it would be:\n%s", out_path, got);
    assert_string_equal(got, expected);

    free(expected);
    free(got);
    free(in);
    fake_store_reset();
}

int main(void)
{
    const char *src = getenv("SRC");
    char pattern[500];
    struct CMUnitTest *tests;
    glob_t found;
    int failed;

    snprintf(pattern, sizeof(pattern), "%s/tests/unit/golden/old-*.in", src ? src : ".");
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
    failed = _cmocka_run_group_tests("old_golden", tests, found.gl_pathc, NULL, NULL);
    free(tests);
    globfree(&found);
    return failed;
}
