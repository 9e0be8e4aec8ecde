/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Where the distribution's device model is, as it came and moved away. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "engine/engine.h"

static char folder[] = "/tmp/test_engine_of_host.XXXXXX";
static char path[64], moved[80];

static void make_file(const char *name, mode_t mode)
{
    FILE *f = fopen(name, "w");

    assert_non_null(f);
    fclose(f);
    assert_int_equal(chmod(name, mode), 0);
}

static void is_where_it_was_installed(void **state)
{
    char room[80];

    (void)state;
    assert_string_equal(engine_of_host(path, room, sizeof(room)), path);
    make_file(path, 0755);
    assert_string_equal(engine_of_host(path, room, sizeof(room)), path);
}

static void is_where_it_was_moved(void **state)
{
    char room[80];

    (void)state;
    make_file(path, 0755);
    make_file(moved, 0755);
    assert_string_equal(engine_of_host(path, room, sizeof(room)), moved);
    assert_int_equal(unlink(path), 0);
    assert_string_equal(engine_of_host(path, room, sizeof(room)), moved);
}

/* Nor is one whose name there is no room for. */
static void what_is_no_program_is_not_it(void **state)
{
    char room[80];

    (void)state;
    make_file(moved, 0644);
    assert_string_equal(engine_of_host(path, room, sizeof(room)), path);
    assert_int_equal(chmod(moved, 0755), 0);
    assert_string_equal(engine_of_host(path, room, 8), path);
}

static int forget_files(void **state)
{
    (void)state;
    unlink(path);
    unlink(moved);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(is_where_it_was_installed, forget_files),
        cmocka_unit_test_teardown(is_where_it_was_moved, forget_files),
        cmocka_unit_test_teardown(what_is_no_program_is_not_it, forget_files),
    };
    int failed;

    if (!mkdtemp(folder)) {
        return EXIT_FAILURE;
    }
    snprintf(path, sizeof(path), "%s/engine", folder);
    snprintf(moved, sizeof(moved), "%s" ENGINE_MOVED, path);
    failed = cmocka_run_group_tests(tests, NULL, NULL);
    rmdir(folder);
    return failed;
}
