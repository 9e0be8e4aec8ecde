/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The whole program when one of its processes is killed: the others end, and
 * nothing is left behind. A fake domain instead of Xen, and a shell script
 * instead of the engine.
 */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "card/status_page.h"
#include "process/program.h"

/* After the supervisor has been killed. */
enum { LEFT_MS = 4000 };

static char qmp_path[64], page_path[80];

/* The processes of one domain. */
struct processes {
    pid_t supervisor, engine, card, guard;
};

/* said: what the engine says when it is as behaviour tells. */
static struct processes start_domain(const char *behaviour, const char *said)
{
    char chardev[128];
    const char *const args[] = {
        "-xen-domid", "7",        "-nodefaults", "-name",     "dom",
        "-device",    "es1370",   "-audiodev",   "none,id=s", "-machine",
        "xenfv",      "-chardev", chardev,       "-mon",      "chardev=libxl-cmd,mode=control",
        "-m",         "512",      NULL,
    };
    struct processes p;

    snprintf(chardev, sizeof(chardev), "socket,id=libxl-cmd,path=%s,server=on,wait=off", qmp_path);
    p.supervisor = start(behaviour, args);
    assert_true(file_says(log_path, said));
    p.engine = (pid_t)number_after("engine pid=");
    p.card = (pid_t)number_after("open domid=7 slot=3 pid=");
    p.guard = child_named(p.supervisor, "qemu-dm guard");
    return p;
}

/* One that only has to be waited for by its new parent is none. */
static bool is_left(pid_t pid)
{
    return status_process_started(pid) != 0;
}

static bool anything_is_left(const struct processes *p)
{
    return is_left(p->engine) || is_left(p->card) || is_left(p->guard) ||
           access(qmp_path, F_OK) == 0 || access(page_path, F_OK) == 0;
}

static void assert_nothing_is_left(const struct processes *p, int ms)
{
    for (int waited = 0; waited < ms && anything_is_left(p); waited += 5) {
        pause_ms(5);
    }
    assert_false(is_left(p->engine));
    assert_false(is_left(p->card));
    assert_false(is_left(p->guard));
    assert_int_equal(access(qmp_path, F_OK), -1);
    assert_int_equal(access(page_path, F_OK), -1);
    assert_true(file_says(log_path, "close domid=7"));
}

static void kill_and_reap(pid_t supervisor)
{
    int status;

    kill(supervisor, SIGKILL);
    status = end_of(supervisor);
    assert_true(WIFSIGNALED(status));
}

static void there_are_a_socket_and_a_page(void)
{
    assert_int_equal(access(qmp_path, F_OK), 0);
    assert_int_equal(access(page_path, F_OK), 0);
}

static void a_killed_supervisor_leaves_nothing(void **state)
{
    struct processes p = start_domain("wait", "arg 512");

    (void)state;
    there_are_a_socket_and_a_page();
    kill_and_reap(p.supervisor);
    assert_nothing_is_left(&p, LEFT_MS);
    assert_true(file_says(log_path, "signal HUP"));
}

/* The kernel has forgotten by then that it was to tell the engine. */
static void nor_where_the_engine_is_another_user(void **state)
{
    struct processes p;

    (void)state;
    if (geteuid() != 0) {
        skip();
    }
    p = start_domain("wait-as-another", "another user");
    kill_and_reap(p.supervisor);
    assert_nothing_is_left(&p, LEFT_MS);
    assert_true(file_says(log_path, "signal HUP"));
    assert_true(file_says(stderr_path, "guard"));
}

static void nor_where_the_engine_does_not_listen(void **state)
{
    struct processes p = start_domain("stay", "minds nothing");

    (void)state;
    kill_and_reap(p.supervisor);
    assert_nothing_is_left(&p, DEADLINE_MS);
    assert_true(file_says(stderr_path, "the engine does not end by itself: killed"));
}

static void no_signal_of_the_toolstacks_ends_the_guard(void **state)
{
    static const int signals[] = {SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGPIPE, SIGUSR1};
    struct processes p = start_domain("wait", "arg 512");

    (void)state;
    assert_int_equal(getsid(p.guard), p.guard);
    for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++) {
        assert_int_equal(kill(p.guard, signals[i]), 0);
    }
    kill_and_reap(p.supervisor);
    assert_nothing_is_left(&p, LEFT_MS);
    assert_true(file_says(log_path, "signal HUP"));
}

static void a_killed_guard_is_missed(void **state)
{
    struct processes p = start_domain("wait", "arg 512");

    (void)state;
    kill(p.guard, SIGKILL);
    assert_true(file_says(stderr_path, "the engine's guard has been killed"));
    kill(p.supervisor, SIGTERM);
    assert_int_equal(end_of(p.supervisor), 0);
    assert_nothing_is_left(&p, LEFT_MS);
}

/* A guard that does not run either. */
static void ends_with_its_engine(void **state)
{
    static const int signals[] = {SIGKILL, SIGSEGV, SIGABRT};

    for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++) {
        struct processes p;
        int status;

        fresh_logs(state);
        p = start_domain("wait", "arg 512");
        there_are_a_socket_and_a_page();
        kill(p.guard, SIGSTOP);
        kill(p.engine, signals[i]);
        status = end_of(p.supervisor);
        assert_true(WIFSIGNALED(status));
        assert_int_equal(WTERMSIG(status), signals[i]);
        assert_nothing_is_left(&p, 0);
        assert_null(strstr(slurp(stderr_path), "guard"));
    }
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup(name, fresh_logs)
    const struct CMUnitTest tests[] = {
        TEST(a_killed_supervisor_leaves_nothing),
        TEST(nor_where_the_engine_is_another_user),
        TEST(nor_where_the_engine_does_not_listen),
        TEST(no_signal_of_the_toolstacks_ends_the_guard),
        TEST(a_killed_guard_is_missed),
        TEST(ends_with_its_engine),
    };
    int failed;

    if (!prepare_program("fake-engine")) {
        return 1;
    }
    snprintf(qmp_path, sizeof(qmp_path), "%s/qmp-libxl-7", dir);
    snprintf(page_path, sizeof(page_path), "%s/7", run_path);
    failed = cmocka_run_group_tests(tests, NULL, NULL);
    clear_up_program();
    return failed;
}
