/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A message is one line of the log, whatever its parts hold. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/err.h"
#include "base/log.h"

static char text[4096];

/* What a call wrote to standard error. */
static const char *written(void (*call)(const char *), const char *argument)
{
    int ends[2], old = dup(STDERR_FILENO);
    ssize_t n;

    assert_int_equal(pipe(ends), 0);
    dup2(ends[1], STDERR_FILENO);
    close(ends[1]);
    call(argument);
    dup2(old, STDERR_FILENO);
    close(old);
    n = read(ends[0], text, sizeof(text) - 1);
    close(ends[0]);
    text[n > 0 ? n : 0] = '\0';
    return text;
}

static void call_warn(const char *s)
{
    log_warn("%s", s);
}

static void call_debug(const char *s)
{
    log_debug("%s", s);
}

static void names_the_speaker_and_the_level(void **state)
{
    (void)state;
    log_set_name("card");
    assert_int_equal(strncmp(written(call_warn, "hello"), "card[0.0", 8), 0);
    assert_non_null(strstr(text, "]: warning: hello\n"));
}

static void leaves_out_what_was_not_asked_for(void **state)
{
    (void)state;
    assert_string_equal(written(call_debug, "detail"), "");
    log_set_level(LOG_LEVEL_DEBUG);
    assert_non_null(strstr(written(call_debug, "detail"), "debug: detail\n"));
}

static void stays_one_line(void **state)
{
    (void)state;
    assert_non_null(strstr(written(call_warn, "a\nb\x1b[31mc\r"), "a?b?[31mc?\n"));
}

static void cuts_what_is_too_long(void **state)
{
    char huge[3000];

    (void)state;
    memset(huge, 'x', sizeof(huge));
    huge[sizeof(huge) - 1] = '\0';
    written(call_warn, huge);
    assert_in_range(strlen(text), 900, 1024);
    assert_int_equal(text[strlen(text) - 1], '\n');
}

static void errors_are_cut_to_fit_too(void **state)
{
    char huge[3000];
    struct err err;

    (void)state;
    memset(huge, 'x', sizeof(huge));
    huge[sizeof(huge) - 1] = '\0';
    assert_false(err_set(&err, "%s", huge));
    assert_int_equal(strlen(err.text), sizeof(err.text) - 1);
    assert_false(err_set(NULL, "%s", huge));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_the_speaker_and_the_level),
        cmocka_unit_test(leaves_out_what_was_not_asked_for),
        cmocka_unit_test(stays_one_line),
        cmocka_unit_test(cuts_what_is_too_long),
        cmocka_unit_test(errors_are_cut_to_fit_too),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
