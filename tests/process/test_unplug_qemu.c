/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A sound card is unplugged by a real QEMU, which need not be Xen's. Skipped where there is none.
 * Its guest stands still; a reset of the machine does what a guest would that lets go.
 */
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/log.h"
#include "engine/qmp_client.h"
#include "engine/unplug.h"

#define QEMU "qemu-system-x86_64"

/* Everything here happens within a second; this long means never. */
#define DEADLINE_NS (20 * NS_PER_S)

/* Ahead of CLOCK_MONOTONIC: what is waited for comes at once. */
static uint64_t ahead_ns;

uint64_t clock_now_ns(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (uint64_t)ts.tv_sec * NS_PER_S + (uint64_t)ts.tv_nsec + ahead_ns;
}

static char logged[1024]; /* the last line */

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
static pid_t qemu;
static struct err err;

/* Until it waits for somebody, in its main loop. On a busy machine a connection made while it
 * starts is now and then lost. */
static void wait_for_qemu(void)
{
    uint64_t deadline = clock_now_ns() + DEADLINE_NS;
    char path[64];
    int number = -1;

    snprintf(path, sizeof(path), "/proc/%d/syscall", (int)qemu);
    while (number != SYS_ppoll) {
        FILE *file = fopen(path, "r");

        assert_true(file && clock_now_ns() < deadline);
        if (fscanf(file, "%d", &number) != 1) {
            number = -1; /* it is running */
        }
        fclose(file);
        poll(NULL, 0, 5);
    }
}

static int start_qemu(void **state)
{
    char chardev[64];

    (void)state;
    logged[0] = '\0';
    assert_true(engine_socket_open(&engine_socket, &err));
    snprintf(chardev, sizeof(chardev), "socket,id=c,fd=%d,server=on,wait=off",
             engine_socket.listener);
    qemu = fork();
    assert_true(qemu >= 0);
    if (qemu == 0) {
        execlp(QEMU, QEMU, "-machine", "pc,accel=tcg", "-m", "32", "-S", "-nodefaults", "-display",
               "none", "-audiodev", "none,id=s", "-device", "es1370,id=card,addr=0x04,audiodev=s",
               "-chardev", chardev, "-mon", "chardev=c,mode=control", NULL);
        _exit(127);
    }
    close(engine_socket.listener);
    engine_socket.listener = -1;
    wait_for_qemu();
    return 0;
}

static int stop_qemu(void **state)
{
    (void)state;
    unplug_end(&u);
    kill(qemu, SIGKILL);
    waitpid(qemu, NULL, 0);
    engine_socket_close(&engine_socket);
    return 0;
}

/* Serves until the log says so; what is to be done later is done at once. */
static void serve_until_logged(const char *what)
{
    uint64_t deadline = clock_now_ns() + DEADLINE_NS;

    while (!strstr(logged, what)) {
        struct pollfd fd = {.fd = unplug_fd(&u), .events = POLLIN};

        if (fd.fd >= 0) {
            poll(&fd, 1, 100);
            assert_true(clock_now_ns() < deadline);
        } else if (unplug_wake(&u) == UINT64_MAX) {
            fail_msg("the log says \"%s\", never \"%s\"", logged, what);
        } else {
            deadline += NS_PER_S;
            ahead_ns += NS_PER_S;
        }
        unplug_serve(&u);
    }
}

static void ask_guest(const char *device)
{
    assert_true(unplug_begin(&u, &engine_socket, device, &err));
    serve_until_logged("the guest is asked to let go of its sound card");
}

static void a_guest_lets_go(void **state)
{
    struct qmp_client *other;
    int fd;

    (void)state;
    ask_guest("card");
    fd = engine_socket_connect(&engine_socket, &err);
    assert_true(fd >= 0);
    other = qmp_client_open(fd, &err);
    assert_non_null(other); /* it has the engine's ear */
    json_decref(qmp_client_ask(other, "system_reset", NULL, -1, &err));
    qmp_client_close(other);
    serve_until_logged("the guest has let go of its sound card");
}

static void a_guest_does_not(void **state)
{
    (void)state;
    ask_guest("card");
    serve_until_logged("the guest has not let go of its sound card within 60 s");
}

static void there_is_no_such_device(void **state)
{
    (void)state;
    assert_true(unplug_begin(&u, &engine_socket, "another", &err));
    serve_until_logged("Device 'another' not found");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, start_qemu, stop_qemu)
    const struct CMUnitTest tests[] = {
        TEST(a_guest_lets_go),
        TEST(a_guest_does_not),
        TEST(there_is_no_such_device),
    };

    if (system("command -v " QEMU " >/dev/null") != 0) {
        puts("there is no " QEMU);
        return 77;
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
