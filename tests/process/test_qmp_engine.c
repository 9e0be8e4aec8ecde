/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The relay in front of a real QEMU, which need not be Xen's: that it says what
 * test_qmp_relay takes for granted. Skipped where there is none.
 */
#include <fcntl.h>
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
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/log.h"
#include "engine/qmp_relay.h"
#include "engine/saved_state.h"

#define QEMU "qemu-system-x86_64"

/* Everything here happens within milliseconds; this long means never. */
enum { DEADLINE_MS = 20000 };

static const char card[] = "the sound card";

static char folder[] = "/tmp/qemu-dm-test-XXXXXX", path[64];
static struct engine_socket engine_socket;
static struct qmp_relay *relay;
static pid_t qemu;
static int toolstack;
static char called[64]; /* the hooks: s, c, w (saved), l */
static int save_file;

static void note(char what)
{
    size_t length = strlen(called);

    assert_true(length < sizeof(called) - 1);
    called[length] = what;
}

static void stopped(void *opaque)
{
    (void)opaque;
    note('s');
}

static void continued(void *opaque)
{
    (void)opaque;
    note('c');
}

static void saved(void *opaque, int fd)
{
    struct err err;

    (void)opaque;
    note('w');
    assert_true(saved_state_append(fd, card, sizeof(card), &err));
}

static void loaded(void *opaque, int fd)
{
    (void)opaque;
    (void)fd;
    note('l');
}

static const struct qmp_relay_hooks hooks = {NULL, stopped, continued, saved, loaded};

static void start_qemu(const char *incoming)
{
    char chardev[64];
    struct err err;

    assert_true(engine_socket_open(&engine_socket, &err));
    snprintf(chardev, sizeof(chardev), "socket,id=c,fd=%d,server=on,wait=off",
             engine_socket.listener);
    qemu = fork();
    assert_true(qemu >= 0);
    if (qemu == 0) {
        dup2(STDERR_FILENO, STDOUT_FILENO);
        /* Saved states as under accel=xen; of no machine there is little to save. */
        execlp(QEMU, QEMU, "-machine", "none,suppress-vmdesc=on", "-S", "-nodefaults", "-display",
               "none", "-global", "migration.send-configuration=off", "-global",
               "migration.store-global-state=off", "-global", "migration.send-section-footer=off",
               "-chardev", chardev, "-mon", "chardev=c,mode=control", incoming ? "-incoming" : NULL,
               incoming, NULL);
        _exit(127);
    }
    close(engine_socket.listener);
    engine_socket.listener = -1;
}

/* Until the toolstack has something to read. */
static void relay_until_heard(void)
{
    for (;;) {
        struct pollfd fds[QMP_RELAY_FDS + 1];
        unsigned count = qmp_relay_poll(relay, fds);

        fds[count] = (struct pollfd){.fd = toolstack, .events = POLLIN};
        if (poll(fds, count + 1, DEADLINE_MS) <= 0) {
            fail_msg("the engine says nothing");
        }
        if (fds[count].revents) {
            return;
        }
        qmp_relay_serve(relay, fds, count);
    }
}

/* The next line; "" at the end of the connection. */
static const char *hear(void)
{
    static char line[4096];
    size_t size = 0;

    do {
        relay_until_heard();
        if (recv(toolstack, &line[size], 1, 0) != 1) {
            break;
        }
        size++;
        assert_true(size < sizeof(line));
    } while (line[size - 1] != '\n');
    line[size] = '\0';
    return line;
}

static void expect(const char *what)
{
    const char *line = hear();

    if (!strstr(line, what)) {
        fail_msg("expected %s, got %s", what, line);
    }
}

static void say(const char *text)
{
    assert_int_equal(send(toolstack, text, strlen(text), MSG_NOSIGNAL), strlen(text));
}

static void say_with_fd(const char *text, int fd)
{
    union {
        char bytes[CMSG_SPACE(sizeof(int))];
        struct cmsghdr aligned;
    } control = {.bytes = ""};
    struct iovec iov = {(void *)(uintptr_t)text, strlen(text)};
    struct msghdr message = {.msg_iov = &iov,
                             .msg_iovlen = 1,
                             .msg_control = &control,
                             .msg_controllen = sizeof(control)};
    struct cmsghdr *h = CMSG_FIRSTHDR(&message);

    h->cmsg_level = SOL_SOCKET;
    h->cmsg_type = SCM_RIGHTS;
    h->cmsg_len = CMSG_LEN(sizeof(int));
    memcpy(CMSG_DATA(h), &fd, sizeof(int));
    assert_int_equal(sendmsg(toolstack, &message, MSG_NOSIGNAL), iov.iov_len);
}

/* As libxl, for each operation. */
static void connect_anew(void)
{
    struct sockaddr_un at = {.sun_family = AF_UNIX};

    memcpy(at.sun_path, path, sizeof(path));
    toolstack = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(connect(toolstack, (struct sockaddr *)&at, sizeof(at)), 0);
    expect("{\"QMP\": {\"version\"");
    say("{\"execute\":\"qmp_capabilities\",\"id\":2020372736}\r\n");
    expect("\"id\": 2020372736");
    memset(called, 0, sizeof(called));
}

static int disconnect(void **state)
{
    (void)state;
    close(toolstack);
    return 0;
}

static int connects(void **state)
{
    (void)state;
    connect_anew();
    return 0;
}

static void talks(void **state)
{
    (void)state;
    say("{\"execute\":\"query-status\",\"id\":2020372737}\r\n");
    expect("\"id\": 2020372737");
    assert_string_equal(called, "");
}

/* With the events that QEMU sends and where it sends none. */
static void stops_and_continues(void **state)
{
    (void)state;
    say("{\"execute\":\"cont\",\"id\":1}");
    expect("\"RESUME\"");
    expect("{\"return\": {}, \"id\": 1}");
    say("{\"execute\":\"cont\"}");
    expect("{\"return\": {}}");
    assert_string_equal(called, "cc");
    say("{\"execute\":\"stop\",\"id\":{\"a\":[1.0]}}");
    expect("\"STOP\"");
    expect("{\"return\": {}, \"id\": {\"a\": [1]}}");
    say("{\"execute\":\"stop\",\"id\":18446744073709551615}");
    expect("{\"return\": {}, \"id\": 18446744073709551615}");
    assert_string_equal(called, "ccss");
}

static void another_monitors_stop_does_not_count(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 2; i++) {
        say(i ? "{\"execute\":\"human-monitor-command\",\"arguments\":{\"command-line\":\"stop\"}}"
              : "{\"execute\":\"human-monitor-command\",\"arguments\":{\"command-line\":\"cont\"}"
                "}");
        expect(i ? "\"STOP\"" : "\"RESUME\"");
        expect("{\"return\": \"\"}");
    }
    assert_string_equal(called, "");
}

static void errors(void **state)
{
    (void)state;
    say("{\"execute\":\"stop\",\"arguments\":{\"x\":1},\"id\":1}");
    expect("\"error\"");
    say("{\"execute\":\"cont\" & {\"execute\":\"cont\",\"execute\":\"cont\"}\n");
    expect("\"error\"");
    expect("\"error\"");
    say("{\"execute\":\"xen-save-devices-state\",\"arguments\":{\"filename\":\"/nowhere/x\"}}");
    hear(); /* STOP and RESUME, if it ran */
    assert_string_equal(called, "");
}

static void saves(void **state)
{
    char name[32], command[128];
    const char *line;
    int fd;

    (void)state;
    say("{\"execute\":\"stop\"}");
    while (!strstr(hear(), "return")) {
    }
    snprintf(name, sizeof(name), "/proc/self/fd/%d", save_file);
    fd = open(name, O_WRONLY | O_CLOEXEC);
    say_with_fd("{\"execute\":\"add-fd\",\"id\":2020372738}\r\n", fd);
    close(fd);
    line = strstr(hear(), "\"fdset-id\": ");
    assert_non_null(line);
    snprintf(command, sizeof(command),
             "{\"execute\":\"xen-save-devices-state\",\"id\":3,\"arguments\":{\"filename\":"
             "\"/dev/fdset/%lu\"}}",
             strtoul(line + strlen("\"fdset-id\": "), NULL, 10));
    say(command);
    expect("{\"return\": {}, \"id\": 3}");
    assert_string_equal(called, "sw");
}

/* It gives up what it was passed once nobody is connected: so we are not, between two. */
static void descriptors_end_with_the_connection(void **state)
{
    int file = memfd_create("qemu-save", MFD_CLOEXEC);

    (void)state;
    say("{\"execute\":\"cont\"}");
    while (!strstr(hear(), "return")) {
    }
    say_with_fd("{\"execute\":\"add-fd\"}", file);
    expect("\"fdset-id\": ");
    say("{\"execute\":\"query-fdsets\"}");
    expect("{\"return\": [{\"");
    close(toolstack);
    close(file);
    connect_anew();
    say("{\"execute\":\"query-fdsets\"}");
    expect("{\"return\": []}");
}

static void a_half_closed_toolstack_hears_the_rest(void **state)
{
    (void)state;
    say("{\"execute\":\"query-status\",\"id\":1}{\"execute\":\"stop\",\"id\":2}");
    shutdown(toolstack, SHUT_WR);
    expect("\"id\": 1}");
    expect("\"STOP\"");
    expect("\"id\": 2}");
    assert_string_equal(called, "s");
    assert_string_equal(hear(), "");
}

static void the_engine_quits(void **state)
{
    (void)state;
    say("{\"execute\":\"quit\",\"id\":1}");
    while (*hear()) {
    }
    assert_int_equal(waitpid(qemu, NULL, 0), qemu);
    qemu = 0;
}

/* It reads its own part of the file from where we have left the offset, and minds nothing behind.
 */
static void another_restores(void **state)
{
    char incoming[32];
    struct err err;
    size_t size;
    char *block;

    (void)state;
    assert_int_equal(lseek(save_file, 0, SEEK_SET), 0);
    block = saved_state_read(save_file, &size, &err);
    assert_non_null(block);
    assert_int_equal(size, sizeof(card));
    assert_memory_equal(block, card, sizeof(card));
    free(block);

    engine_socket_close(&engine_socket);
    snprintf(incoming, sizeof(incoming), "fd:%d", save_file);
    start_qemu(incoming);
    connect_anew();
    for (unsigned ms = 0; ms < DEADLINE_MS; ms += 5) {
        const char *line;

        say("{\"execute\":\"query-status\"}");
        line = hear();
        if (!strstr(line, "\"inmigrate\"")) {
            assert_non_null(strstr(line, "\"paused\""));
            assert_true(lseek(save_file, 0, SEEK_CUR) > 0);
            return;
        }
        poll(NULL, 0, 5);
    }
    fail_msg("the engine does not restore");
}

static int start(void **state)
{
    struct err err;

    (void)state;
    assert_non_null(mkdtemp(folder));
    snprintf(path, sizeof(path), "%s/qmp-libxl", folder);
    save_file = memfd_create("qemu-save", 0);
    start_qemu(NULL);
    relay = qmp_relay_open(qmp_listen(path, &err), &engine_socket, &hooks, &err);
    assert_non_null(relay);
    return 0;
}

static int end(void **state)
{
    (void)state;
    if (qemu > 0) {
        kill(qemu, SIGKILL);
        waitpid(qemu, NULL, 0);
    }
    qmp_relay_close(relay);
    engine_socket_close(&engine_socket);
    close(save_file);
    unlink(path);
    rmdir(folder);
    return 0;
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, connects, disconnect)
    const struct CMUnitTest tests[] = {
        TEST(talks), /* first, while QEMU is still starting */
        TEST(stops_and_continues),
        TEST(another_monitors_stop_does_not_count),
        TEST(errors),
        TEST(saves),
        TEST(descriptors_end_with_the_connection),
        TEST(a_half_closed_toolstack_hears_the_rest),
        TEST(the_engine_quits),
        cmocka_unit_test_teardown(another_restores, disconnect),
    };

    if (system("command -v " QEMU " >/dev/null") != 0) {
        puts("there is no " QEMU);
        return 77;
    }
    log_set_level(LOG_LEVEL_ERROR);
    return cmocka_run_group_tests(tests, start, end);
}
