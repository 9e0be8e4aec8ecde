/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A device is unplugged by an engine that this test plays, on a clock of its own. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/log.h"
#include "engine/unplug.h"

#define GREETING "{\"QMP\": {\"version\": {}, \"capabilities\": [\"oob\"]}}\r\n"
#define DONE     "{\"return\": {}}\r\n"
#define THERE                                                                                      \
    "{\"return\": [{\"name\": \"nic0\", \"type\": \"child<e1000>\"}, "                             \
    "{\"name\": \"card\", \"type\": \"child<ES1370>\"}]}\r\n"
#define GONE "{\"return\": [{\"name\": \"nic0\", \"type\": \"child<e1000>\"}]}\r\n"

#define CAPABILITIES "{\"execute\":\"qmp_capabilities\"}"
#define DELETE       "{\"execute\":\"device_del\",\"arguments\":{\"id\":\"card\"}}"
#define LIST         "{\"execute\":\"qom-list\",\"arguments\":{\"path\":\"/machine/peripheral\"}}"

/* Instead of CLOCK_MONOTONIC. */
static uint64_t now;

uint64_t clock_now_ns(void)
{
    return now;
}

/* Instead of standard error: the last line. */
static char logged[1024];

void log_at(enum log_level level, const char *format, ...)
{
    va_list ap;

    (void)level;
    va_start(ap, format);
    vsnprintf(logged, sizeof(logged), format, ap);
    va_end(ap);
}

static struct engine_socket engine_socket;
static struct unplug u;
static int engine; /* its end of a connection; -1: none */
static struct err err;

static int begin(void **state)
{
    (void)state;
    now = NS_PER_S;
    logged[0] = '\0';
    engine = -1;
    assert_true(engine_socket_open(&engine_socket, &err));
    assert_true(unplug_begin(&u, &engine_socket, "card", &err));
    return 0;
}

static int end(void **state)
{
    (void)state;
    unplug_end(&u);
    assert_int_equal(unplug_fd(&u), -1);
    assert_int_equal(unplug_wake(&u), UINT64_MAX);
    if (engine >= 0) {
        close(engine);
    }
    engine_socket_close(&engine_socket);
    return 0;
}

static void engine_accepts(void)
{
    engine = accept(engine_socket.listener, NULL, NULL);
    assert_true(engine >= 0);
}

static void engine_says(const char *words)
{
    assert_int_equal(write(engine, words, strlen(words)), strlen(words));
    unplug_serve(&u);
}

static void engine_hears(const char *words)
{
    char text[1024];
    ssize_t n = recv(engine, text, sizeof(text) - 1, MSG_DONTWAIT);

    text[n > 0 ? n : 0] = '\0';
    assert_string_equal(text, words);
}

/* The connection is closed, so that others have their turn. */
static void engine_is_left_alone(void)
{
    char byte;

    assert_int_equal(unplug_fd(&u), -1);
    assert_int_equal(recv(engine, &byte, 1, MSG_DONTWAIT), 0);
    close(engine);
    engine = -1;
}

static void is_over(const char *says)
{
    if (engine >= 0) {
        engine_is_left_alone();
    }
    assert_int_equal(unplug_wake(&u), UINT64_MAX);
    if (!strstr(logged, says)) {
        fail_msg("the log says \"%s\", not \"%s\"", logged, says);
    }
}

/* Up to the command, which is not answered yet. */
static void engine_is_asked(const char *command)
{
    engine_accepts();
    engine_says(GREETING);
    engine_hears(CAPABILITIES);
    engine_says(DONE);
    engine_hears(command);
}

static void guest_is_asked(void)
{
    engine_is_asked(DELETE);
    engine_says(DONE);
    engine_is_left_alone();
    assert_string_equal(logged, "the guest is asked to let go of its sound card");
}

/* Is it there? */
static void engine_is_looked_at(void)
{
    assert_in_range(unplug_wake(&u), now + 1, now + 5 * NS_PER_S);
    now = unplug_wake(&u) - 1;
    unplug_serve(&u);
    assert_int_equal(unplug_fd(&u), -1);
    now++;
    unplug_serve(&u);
    engine_is_asked(LIST);
}

static void the_guest_lets_go(void **state)
{
    (void)state;
    guest_is_asked();
    engine_is_looked_at();
    engine_says(THERE);
    engine_is_left_alone();
    engine_is_looked_at();
    engine_says(GONE);
    is_over("the guest has let go of its sound card");
}

static void the_guest_keeps_it(void **state)
{
    uint64_t asked;

    (void)state;
    guest_is_asked();
    asked = now;
    while (now < asked + 60 * NS_PER_S) {
        assert_string_equal(logged, "the guest is asked to let go of its sound card");
        engine_is_looked_at();
        engine_says(THERE);
        engine_is_left_alone();
    }
    is_over("the guest has not let go of its sound card within 60 s");
    assert_in_range(now, asked + 60 * NS_PER_S, asked + 65 * NS_PER_S);
}

/* While libxl has the engine's ear; a guest that lets go after its time has done so all the same.
 */
static void others_are_waited_for(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 3; i++) {
        assert_int_equal(unplug_wake(&u), UINT64_MAX);
        now += 3600 * NS_PER_S;
        unplug_serve(&u);
    }
    guest_is_asked();
    now = unplug_wake(&u);
    unplug_serve(&u);
    assert_int_equal(unplug_wake(&u), UINT64_MAX);
    now += 3600 * NS_PER_S;
    unplug_serve(&u);
    engine_is_asked(LIST);
    engine_says(GONE);
    is_over("the guest has let go of its sound card");
}

static void what_comes_in_pieces_and_between_is_understood(void **state)
{
    static const char text[] = "{\"event\": \"RTC_CHANGE\", \"data\": {}}\r\n" DONE;

    (void)state;
    engine_accepts();
    for (const char *at = GREETING; *at; at++) {
        engine_says((const char[]){*at, '\0'});
    }
    engine_hears(CAPABILITIES);
    engine_says(GREETING); /* twice: it is just starting */
    engine_hears(CAPABILITIES);
    engine_says(text);
    engine_hears(DELETE);
    engine_says("not JSON, nor is {this} [\"event\"] ");
    engine_says(text);
    engine_is_left_alone();
    assert_string_equal(logged, "the guest is asked to let go of its sound card");
}

static void an_engine_that_refuses_is_quoted(void **state)
{
    (void)state;
    engine_is_asked(DELETE);
    engine_says("{\"error\": {\"class\": \"GenericError\", \"desc\": \"Bus 'pci.0' does not "
                "support hotplugging\"}}\r\n");
    is_over("Bus 'pci.0' does not support hotplugging");
}

static void an_engine_that_says_nothing_is_left(void **state)
{
    (void)state;
    engine_is_asked(DELETE);
    assert_in_range(unplug_wake(&u), now + 1, now + 60 * NS_PER_S);
    now = unplug_wake(&u);
    unplug_serve(&u);
    is_over("has not answered");
}

static void an_engine_that_closes_is_left(void **state)
{
    (void)state;
    engine_is_asked(DELETE);
    close(engine);
    engine = -1;
    unplug_serve(&u);
    is_over("the engine has closed its QMP connection");
}

static void an_engine_that_has_gone_is_left(void **state)
{
    (void)state;
    guest_is_asked();
    close(engine_socket.listener);
    engine_socket.listener = -1;
    now = unplug_wake(&u);
    unplug_serve(&u);
    is_over("cannot connect to the engine's QMP");
}

static void needs_a_connection(void **state)
{
    const struct engine_socket none = {-1, -1};
    struct unplug other = {.step = UNPLUG_OVER};

    (void)state;
    assert_int_equal(unplug_fd(&other), -1);
    assert_int_equal(unplug_wake(&other), UINT64_MAX);
    assert_false(unplug_begin(&other, &none, "card", &err));
    assert_non_null(strstr(err.text, "there is no QMP connection to the engine"));
    assert_int_equal(unplug_fd(&other), -1);
    unplug_end(&other);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)
    const struct CMUnitTest tests[] = {
        TEST(the_guest_lets_go),
        TEST(the_guest_keeps_it),
        TEST(others_are_waited_for),
        TEST(what_comes_in_pieces_and_between_is_understood),
        TEST(an_engine_that_refuses_is_quoted),
        TEST(an_engine_that_says_nothing_is_left),
        TEST(an_engine_that_closes_is_left),
        TEST(an_engine_that_has_gone_is_left),
        TEST(needs_a_connection),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
