/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The engine's QMP socket: it has no name, and can be connected to all the same. */
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#include "engine/engine_socket.h"

static struct engine_socket s;

static int open_it(void **state)
{
    struct err err;

    (void)state;
    assert_true(engine_socket_open(&s, &err));
    return 0;
}

static int close_it(void **state)
{
    (void)state;
    engine_socket_close(&s);
    assert_int_equal(s.listener, -1);
    assert_int_equal(s.place, -1);
    return 0;
}

static void leaves_nothing_behind(void **state)
{
    struct sockaddr_un at = {.sun_path = ""};
    socklen_t size = sizeof(at);
    struct stat st;
    char *slash;

    (void)state;
    assert_int_equal(getsockname(s.listener, (struct sockaddr *)&at, &size), 0);
    assert_int_equal(at.sun_path[0], '/'); /* no abstract name, which anybody could connect to */
    assert_int_equal(lstat(at.sun_path, &st), -1);
    slash = strrchr(at.sun_path, '/');
    *slash = '\0';
    assert_non_null(strstr(at.sun_path, "/qemu-dm-"));
    assert_int_equal(lstat(at.sun_path, &st), -1);
    assert_int_equal(fstat(s.place, &st), 0);
    assert_true(S_ISSOCK(st.st_mode));
    assert_int_equal(st.st_nlink, 0);
}

static void only_the_listener_is_inherited(void **state)
{
    (void)state;
    assert_int_equal(fcntl(s.listener, F_GETFD), 0);
    assert_int_equal(fcntl(s.place, F_GETFD), FD_CLOEXEC);
}

static void connects_to_the_unlinked_socket(void **state)
{
    struct err err;
    int ours = engine_socket_connect(&s, &err);
    int theirs = accept(s.listener, NULL, NULL);
    char word[4];

    (void)state;
    assert_true(ours >= 0 && theirs >= 0);
    assert_int_equal(fcntl(ours, F_GETFD), FD_CLOEXEC);
    assert_int_equal(fcntl(ours, F_GETFL) & O_NONBLOCK, 0);
    assert_int_equal(send(ours, "ask", 4, 0), 4);
    assert_int_equal(recv(theirs, word, 4, 0), 4);
    assert_string_equal(word, "ask");
    close(ours);
    close(theirs);
}

/* The engine takes its time to start: connections before that wait for it. */
static void connects_before_anybody_accepts(void **state)
{
    struct err err;
    int ours[20];

    (void)state;
    for (unsigned i = 0; i < 20; i++) {
        ours[i] = engine_socket_connect(&s, &err);
        assert_true(ours[i] >= 0);
        assert_int_equal(send(ours[i], &(char){(char)('a' + i)}, 1, 0), 1);
    }
    for (unsigned i = 0; i < 20; i++) {
        int theirs = accept(s.listener, NULL, NULL);
        char letter;

        assert_int_equal(recv(theirs, &letter, 1, 0), 1);
        assert_int_equal(letter, 'a' + i);
        close(theirs);
        close(ours[i]);
    }
}

/* An engine that never accepts makes it fail, not wait. */
static void never_waits_for_room(void **state)
{
    struct err err = {""};
    int ours[200];
    unsigned count = 0;

    (void)state;
    while (count < 200 && (ours[count] = engine_socket_connect(&s, &err)) >= 0) {
        count++;
    }
    assert_in_range(count, 20, 199);
    assert_non_null(strstr(err.text, "cannot connect to the engine"));
    while (count > 0) {
        close(ours[--count]);
    }
}

static void an_engine_that_has_gone_refuses(void **state)
{
    struct err err = {""};
    int waiting = engine_socket_connect(&s, &err);
    struct pollfd gone = {.fd = waiting, .events = POLLIN};

    (void)state;
    close(s.listener);
    s.listener = -1;
    assert_int_equal(poll(&gone, 1, 0), 1); /* not accepted, and now never */
    assert_true(gone.revents & POLLHUP);
    assert_int_equal(engine_socket_connect(&s, &err), -1);
    assert_non_null(strstr(err.text, "refused"));
    close(waiting);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(leaves_nothing_behind, open_it, close_it),
        cmocka_unit_test_setup_teardown(only_the_listener_is_inherited, open_it, close_it),
        cmocka_unit_test_setup_teardown(connects_to_the_unlinked_socket, open_it, close_it),
        cmocka_unit_test_setup_teardown(connects_before_anybody_accepts, open_it, close_it),
        cmocka_unit_test_setup_teardown(never_waits_for_room, open_it, close_it),
        cmocka_unit_test_setup_teardown(an_engine_that_has_gone_refuses, open_it, close_it),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
