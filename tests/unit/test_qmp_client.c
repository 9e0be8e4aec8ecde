/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A QMP conversation with an engine whose words are written down before it begins: they wait in
 * the socket, and what was asked is read afterwards. */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "engine/qmp_client.h"

#define GREETING "{\"QMP\": {\"version\": {}, \"capabilities\": [\"oob\"]}}\r\n"
#define AGREED   "{\"return\": {}, \"id\": 1}\r\n"

/* Instead of CLOCK_MONOTONIC: every look at it takes this long. */
static uint64_t now, step_ns;

uint64_t clock_now_ns(void)
{
    return now += step_ns;
}

static int engine; /* its end of the socket */
static struct err err;

static int no_delay(void **state)
{
    (void)state;
    step_ns = 0;
    err.text[0] = '\0';
    return 0;
}

static void says(const char *words)
{
    assert_int_equal(write(engine, words, strlen(words)), strlen(words));
}

static int connected(void)
{
    int ends[2], room = 4 << 20;

    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
    setsockopt(ends[1], SOL_SOCKET, SO_SNDBUFFORCE, &room, sizeof(room));
    engine = ends[1];
    return ends[0];
}

static struct qmp_client *opened(void)
{
    int fd = connected();
    struct qmp_client *c;

    says(GREETING AGREED);
    c = qmp_client_open(fd, &err);
    assert_non_null(c);
    return c;
}

static const char *heard(void)
{
    static char text[8192];
    ssize_t n = recv(engine, text, sizeof(text) - 1, MSG_DONTWAIT);

    text[n > 0 ? n : 0] = '\0';
    return text;
}

static void over(struct qmp_client *c)
{
    qmp_client_close(c);
    close(engine);
}

static void negotiates_and_asks(void **state)
{
    struct qmp_client *c = opened();
    json_t *value;

    (void)state;
    says("{\"return\": {\"status\": \"running\"}, \"id\": 2}\r\n");
    value = qmp_client_ask(c, "query-status", NULL, -1, &err);
    assert_string_equal(json_string_value(json_object_get(value, "status")), "running");
    json_decref(value);
    says("{\"return\": {}, \"id\": 3}\n");
    value =
        qmp_client_ask(c, "eject", json_pack("{s:s, s:b}", "id", "ide-5632", "force", 1), -1, &err);
    assert_non_null(value);
    json_decref(value);
    assert_string_equal(heard(), "{\"execute\":\"qmp_capabilities\",\"id\":1}\r\n"
                                 "{\"execute\":\"query-status\",\"id\":2}\r\n"
                                 "{\"execute\":\"eject\",\"arguments\":{\"id\":\"ide-5632\","
                                 "\"force\":true},\"id\":3}\r\n");
    over(c);
}

static void gives_the_engines_reason(void **state)
{
    struct qmp_client *c = opened();
    json_t *value;

    (void)state;
    says("{\"id\": 2, \"error\": {\"class\": \"DeviceNotFound\", \"desc\": \"no such thing\"}}\r\n"
         "{\"error\": {\"class\": \"GenericError\", \"desc\": \"not even JSON\"}}\r\n"
         "{\"id\": 4, \"error\": {}}\r\n"
         "{\"return\": 7, \"id\": 5}\r\n");
    assert_null(qmp_client_ask(c, "eject", NULL, -1, &err));
    assert_string_equal(err.text, "the engine refuses eject: no such thing");
    assert_null(qmp_client_ask(c, "eject", NULL, -1, &err));
    assert_string_equal(err.text, "the engine refuses eject: not even JSON");
    assert_null(qmp_client_ask(c, "eject", NULL, -1, &err));
    assert_string_equal(err.text, "the engine refuses eject: no reason given");
    value = qmp_client_ask(c, "next", NULL, -1, &err);
    assert_int_equal(json_integer_value(value), 7);
    json_decref(value);
    over(c);
}

static void skips_events(void **state)
{
    struct qmp_client *c = opened();
    json_t *value;

    (void)state;
    says("{\"event\": \"STOP\", \"timestamp\": {}}\r\n"
         "{\"event\": \"RESUME\"}\r\n"
         "{\"return\": 1, \"id\": 2}\r\n"
         "{\"event\": \"STOP\"}\r\n"
         "{\"return\": 2, \"id\": 3}\r\n");
    for (int i = 1; i <= 2; i++) {
        value = qmp_client_ask(c, "stop", NULL, -1, &err);
        assert_int_equal(json_integer_value(value), i);
        json_decref(value);
    }
    over(c);
}

static void passes_a_descriptor(void **state)
{
    struct qmp_client *c = opened();
    char text[512], control[CMSG_SPACE(sizeof(int))];
    struct iovec part = {text, sizeof(text)};
    struct msghdr message = {.msg_iov = &part,
                             .msg_iovlen = 1,
                             .msg_control = control,
                             .msg_controllen = sizeof(control)};
    int ends[2], passed;

    (void)state;
    heard();
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    says("{\"return\": {\"fdset-id\": 4}, \"id\": 2}\r\n");
    json_decref(qmp_client_ask(c, "add-fd", NULL, ends[1], &err));
    close(ends[1]);
    assert_true(recvmsg(engine, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC) > 0);
    assert_non_null(CMSG_FIRSTHDR(&message));
    memcpy(&passed, CMSG_DATA(CMSG_FIRSTHDR(&message)), sizeof(passed));
    assert_int_equal(write(passed, "x", 1), 1);
    assert_int_equal(read(ends[0], text, 1), 1);
    close(passed);
    close(ends[0]);
    over(c);
}

static void does_not_wait_for_ever(void **state)
{
    struct qmp_client *c = opened();

    (void)state;
    qmp_client_allow(c, 3 * NS_PER_S);
    step_ns = 4 * NS_PER_S;
    assert_null(qmp_client_ask(c, "stop", NULL, -1, &err));
    assert_non_null(strstr(err.text, "not answered within 3.0 s"));
    step_ns = 0;
    /* Its answer, should it come at last, is nobody else's. */
    says("{\"return\": {}, \"id\": 2}\r\n{\"return\": {}, \"id\": 3}\r\n");
    assert_null(qmp_client_ask(c, "cont", NULL, -1, &err));
    assert_non_null(strstr(err.text, "failed to answer an earlier command"));
    over(c);
}

static void does_not_wait_for_events_for_ever(void **state)
{
    struct qmp_client *c = opened();

    (void)state;
    step_ns = NS_PER_S;
    for (int i = 0; i < 1000; i++) {
        says("{\"event\": \"RTC_CHANGE\"}\r\n");
    }
    assert_null(qmp_client_ask(c, "stop", NULL, -1, &err));
    assert_non_null(strstr(err.text, "not answered within 10.0 s"));
    over(c);
}

static void refuses_to_open(const char *words, const char *reason)
{
    int fd = connected();

    says(words);
    shutdown(engine, SHUT_WR);
    assert_null(qmp_client_open(fd, &err));
    if (!strstr(err.text, reason)) {
        fail_msg("\"%s\" does not say \"%s\"", err.text, reason);
    }
    close(engine);
}

static void opens_with_an_engine_only(void **state)
{
    (void)state;
    refuses_to_open("", "closed its QMP connection");
    refuses_to_open("SSH-2.0-OpenSSH\r\n", "not a QMP message");
    refuses_to_open("[1]\r\n", "not a QMP message");
    refuses_to_open("{\"return\": {}}\r\n", "does not speak QMP");
    refuses_to_open(GREETING, "closed its QMP connection");
    refuses_to_open(GREETING "{\"id\": 1, \"error\": {\"desc\": \"no\"}}\n",
                    "refuses qmp_capabilities: no");
    refuses_to_open("{\"QMP\": {}", "closed its QMP connection");
}

static void is_not_led_astray(const char *words, const char *reason)
{
    struct qmp_client *c = opened();

    says(words);
    shutdown(engine, SHUT_WR);
    assert_null(qmp_client_ask(c, "stop", NULL, -1, &err));
    if (!strstr(err.text, reason)) {
        fail_msg("\"%s\" does not say \"%s\"", err.text, reason);
    }
    assert_null(qmp_client_ask(c, "stop", NULL, -1, &err));
    over(c);
}

static void checks_the_answers(void **state)
{
    (void)state;
    is_not_led_astray("{\"return\": {}, \"id\": 1}\r\n{\"return\": {}, \"id\": 3}\r\n",
                      "something else than stop");
    is_not_led_astray("{\"return\": {}}\r\n", "something else than stop");
    is_not_led_astray("{\"id\": \"2\", \"return\": {}}\r\n", "something else than stop");
    is_not_led_astray("{\"id\": 2}\r\n", "neither a result nor an error");
    is_not_led_astray("{}\r\n", "something else than stop");
    is_not_led_astray("\r\n", "not a QMP message");
    is_not_led_astray("", "closed its QMP connection");
}

static void bounds_a_message(void **state)
{
    static char much[1 << 20];
    struct qmp_client *c = opened();

    (void)state;
    memset(much, ' ', sizeof(much));
    assert_int_equal(send(engine, much, sizeof(much), MSG_DONTWAIT), sizeof(much));
    assert_null(qmp_client_ask(c, "stop", NULL, -1, &err));
    assert_non_null(strstr(err.text, "no end within 1048576 bytes"));
    over(c);
}

static void survives_noise(void **state)
{
    static const char alphabet[] = "{}[]\":,\r\n \\u0intrefalse\"id\"\"return\"\"event\"";
    unsigned seed = 1;

    (void)state;
    for (int i = 0; i < 2000; i++) {
        struct qmp_client *c = opened();
        char noise[200];

        for (size_t j = 0; j < sizeof(noise) - 1; j++) {
            noise[j] =
                (char)(rand_r(&seed) % 4 ? alphabet[(size_t)rand_r(&seed) % (sizeof(alphabet) - 1)]
                                         : rand_r(&seed) % 255 + 1);
        }
        noise[sizeof(noise) - 1] = '\0';
        says(noise);
        shutdown(engine, SHUT_WR);
        assert_null(qmp_client_ask(c, "stop", NULL, -1, &err));
        over(c);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(negotiates_and_asks, no_delay),
        cmocka_unit_test_setup(gives_the_engines_reason, no_delay),
        cmocka_unit_test_setup(skips_events, no_delay),
        cmocka_unit_test_setup(passes_a_descriptor, no_delay),
        cmocka_unit_test_setup(does_not_wait_for_ever, no_delay),
        cmocka_unit_test_setup(does_not_wait_for_events_for_ever, no_delay),
        cmocka_unit_test_setup(opens_with_an_engine_only, no_delay),
        cmocka_unit_test_setup(checks_the_answers, no_delay),
        cmocka_unit_test_setup(bounds_a_message, no_delay),
        cmocka_unit_test_setup(survives_noise, no_delay),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
