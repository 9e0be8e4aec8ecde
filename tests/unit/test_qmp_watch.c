/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which commands matter, which answer is whose, and what becomes of the descriptors. */
#include <dirent.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/log.h"
#include "engine/qmp_watch.h"

static struct qmp_watch w;
static unsigned open_before;

static unsigned open_descriptors(void)
{
    DIR *dir = opendir("/proc/self/fd");
    unsigned count = 0;

    while (readdir(dir)) {
        count++;
    }
    closedir(dir);
    return count;
}

static int start(void **state)
{
    (void)state;
    open_before = open_descriptors();
    qmp_watch_start(&w);
    return 0;
}

static int end(void **state)
{
    (void)state;
    qmp_watch_end(&w);
    assert_int_equal(open_descriptors(), open_before);
    return 0;
}

static void ask(const char *text)
{
    qmp_watch_asked(&w, text, strlen(text));
}

static struct qmp_success answer(const char *text)
{
    return qmp_watch_answered(&w, text, strlen(text));
}

static enum qmp_command succeeded(const char *text)
{
    struct qmp_success success = answer(text);

    assert_int_equal(success.fd, -1);
    return success.command;
}

/* A file that the toolstack passes, as with add-fd; the watch has a descriptor of its own. */
static ino_t pass(int access)
{
    char path[32];
    int file = memfd_create("qemu-save", MFD_CLOEXEC), fd;
    struct stat st;

    snprintf(path, sizeof(path), "/proc/self/fd/%d", file);
    fd = open(path, access | O_CLOEXEC);
    assert_int_equal(fstat(fd, &st), 0);
    qmp_watch_passed(&w, fd);
    close(fd);
    close(file);
    return st.st_ino;
}

static ino_t file_of(struct qmp_success success)
{
    struct stat st = {.st_ino = 0};

    if (success.fd >= 0) {
        assert_int_equal(fstat(success.fd, &st), 0);
        close(success.fd);
    }
    return st.st_ino;
}

static void by_id(void **state)
{
    (void)state;
    ask("{\"execute\":\"query-status\",\"id\":1}");
    assert_false(qmp_watch_awaits(&w));
    ask("{\"execute\":\"stop\",\"id\":2}");
    ask("{\"execute\":\"cont\",\"id\":3}");
    assert_true(qmp_watch_awaits(&w));
    assert_int_equal(succeeded("{\"return\":{},\"id\":1}"), QMP_OTHER);
    assert_int_equal(succeeded("{\"return\":{},\"id\":3}"), QMP_CONT);
    assert_int_equal(succeeded("{\"return\":{},\"id\":4}"), QMP_OTHER);
    assert_int_equal(succeeded("{\"return\":{}}"), QMP_OTHER);
    assert_true(qmp_watch_awaits(&w));
    assert_int_equal(succeeded("{\"return\":{},\"id\":2}"), QMP_STOP);
    assert_int_equal(succeeded("{\"return\":{},\"id\":2}"), QMP_OTHER);
    assert_false(qmp_watch_awaits(&w));
}

static void any_id(void **state)
{
    static const struct {
        const char *asked, *answered;
    } ids[] = {
        {"2020372736", "2020372736"},
        {"18446744073709551615", "18446744073709551615"},
        {"1.0", "1"}, /* QEMU 7.2 does so */
        {"1e5", "100000"},
        {"-0.5", "-0.5"},
        {"\"stop\"", "\"stop\""},
        {"\"\\u00e9\"", "\"\xc3\xa9\""},
        {"null", "null"},
        {"false", "false"},
        {"[1,{\"a\":[]}]", "[1, {\"a\": []}]"},
        {"{\"a\":1,\"b\":{\"c\":2}}", "{\"b\": {\"c\": 2}, \"a\": 1}"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(ids) / sizeof(ids[0]); i++) {
        char text[128];

        snprintf(text, sizeof(text), "{\"execute\":\"stop\",\"id\":%s}", ids[i].asked);
        ask(text);
        for (size_t j = 0; j < sizeof(ids) / sizeof(ids[0]); j++) {
            if (i != j) {
                snprintf(text, sizeof(text), "{\"id\": %s, \"return\": {}}", ids[j].answered);
                assert_int_equal(succeeded(text), QMP_OTHER);
            }
        }
        snprintf(text, sizeof(text), "{\"id\": %s, \"return\": {}}", ids[i].answered);
        assert_int_equal(succeeded(text), QMP_STOP);
    }
}

static void without_ids_by_order(void **state)
{
    (void)state;
    ask("{\"execute\":\"query-status\"}");
    ask("{\"execute\":\"stop\"}");
    ask("{\"execute\":\"cont\",\"id\":1}");
    ask("{\"execute\":\"cont\"}");
    assert_int_equal(succeeded("{\"return\":{\"status\":\"running\"}}"), QMP_OTHER);
    assert_int_equal(succeeded("{\"return\":{},\"id\":1}"), QMP_CONT);
    assert_int_equal(succeeded("{\"return\":{}}"), QMP_STOP);
    assert_int_equal(succeeded("{\"return\":{}}"), QMP_CONT);
    assert_int_equal(succeeded("{\"return\":{}}"), QMP_OTHER);
}

/* What cannot be understood has an error of its own, or several, or none. */
static void among_what_is_no_command(void **state)
{
    static const char error[] = "{\"error\":{\"class\":\"GenericError\",\"desc\":\"JSON\"}}";

    (void)state;
    qmp_watch_asked(&w, NULL, 0);
    ask("[1,2]");
    ask("{\"execute\":stop}");
    ask("{\"execute\":\"stop\"}");
    for (unsigned i = 0; i < 3; i++) {
        assert_int_equal(succeeded(error), QMP_OTHER);
        assert_true(qmp_watch_awaits(&w));
    }
    assert_int_equal(succeeded("{\"return\":{}}"), QMP_STOP);

    qmp_watch_asked(&w, NULL, 0);
    qmp_watch_asked(&w, NULL, 0);
    ask("{\"execute\":\"cont\"}");
    assert_int_equal(succeeded("{\"return\":{}}"), QMP_CONT);
}

static void a_failure_is_no_success(void **state)
{
    (void)state;
    ask("{\"execute\":\"stop\",\"id\":1}");
    ask("{\"execute\":\"cont\"}");
    assert_int_equal(
        succeeded("{\"id\":1,\"error\":{\"class\":\"CommandNotFound\",\"desc\":\"no\"}}"),
        QMP_OTHER);
    assert_int_equal(succeeded("{\"error\":{\"class\":\"GenericError\",\"desc\":\"no\"}}"),
                     QMP_OTHER);
    assert_false(qmp_watch_awaits(&w));
    assert_int_equal(succeeded("{\"return\":{},\"id\":1}"), QMP_OTHER);
}

static void what_is_no_answer(void **state)
{
    static const char *const others[] = {
        "{\"QMP\": {\"version\": {}, \"capabilities\": [\"oob\"]}}",
        "{\"timestamp\": {\"seconds\": 1, \"microseconds\": 2}, \"event\": \"STOP\"}",
        "{\"event\": \"RTC_CHANGE\", \"data\": {\"return\": {}, \"offset\": 0}}",
        "[]",
        "[{\"return\":{}}]",
        "{\"return",
        "{}",
    };

    (void)state;
    ask("{\"execute\":\"stop\"}");
    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
        assert_int_equal(succeeded(others[i]), QMP_OTHER);
    }
    assert_int_equal(succeeded("{\"return\":{}}"), QMP_STOP);
}

/* Nor what a person may say to QEMU's other language. */
static void other_commands_do_not_matter(void **state)
{
    (void)state;
    ask("{\"execute\":\"human-monitor-command\",\"arguments\":{\"command-line\":\"stop\"}}");
    ask("{\"execute\":\"STOP\"}");
    ask("{\"execute\":\"stop\\u0000\"}");
    ask("{\"execute\":[\"stop\"]}");
    ask("{\"command\":\"stop\"}");
    ask("{\"arguments\":{\"execute\":\"stop\"}}");
    assert_false(qmp_watch_awaits(&w));
}

static void the_saved_file_by_fdset(void **state)
{
    ino_t inode = pass(O_WRONLY);

    (void)state;
    ask("{\"execute\":\"add-fd\",\"id\":1}");
    assert_int_equal(succeeded("{\"return\":{\"fd\":11,\"fdset-id\":4},\"id\":1}"), QMP_OTHER);
    ask("{\"execute\":\"xen-save-devices-state\","
        "\"arguments\":{\"live\":false,\"filename\":\"/dev/fdset/4\"},\"id\":2}");
    assert_true(qmp_watch_awaits(&w));
    assert_int_equal(file_of(answer("{\"return\":{},\"id\":2}")), inode);
}

/* QEMU takes the last one that is open in the way it needs. */
static void the_right_one_of_an_fdset(void **state)
{
    ino_t inodes[4];

    (void)state;
    for (unsigned i = 0; i < 4; i++) {
        inodes[i] = pass(i < 2 ? O_WRONLY : i == 2 ? O_RDONLY : O_RDWR);
        ask("{\"execute\":\"add-fd\",\"arguments\":{\"fdset-id\":0}}");
        assert_int_equal(succeeded("{\"return\":{\"fd\":11,\"fdset-id\":0}}"), QMP_OTHER);
    }
    ask("{\"execute\":\"xen-save-devices-state\",\"arguments\":{\"filename\":\"/dev/fdset/0\"}}");
    assert_int_equal(file_of(answer("{\"return\":{}}")), inodes[1]);
    ask("{\"execute\":\"xen-load-devices-state\",\"arguments\":{\"filename\":\"/dev/fdset/0\"}}");
    assert_true(qmp_watch_awaits(&w));
    assert_int_equal(file_of(answer("{\"return\":{}}")), inodes[2]);
}

static void the_saved_file_by_path(void **state)
{
    char path[] = "/tmp/qemu-dm-test-XXXXXX", command[256];
    int file = mkstemp(path);
    struct qmp_success success;

    (void)state;
    assert_int_equal(write(file, "QEVM", 4), 4);
    for (unsigned i = 0; i < 2; i++) {
        snprintf(command, sizeof(command),
                 "{\"execute\":\"xen-%s-devices-state\",\"arguments\":{\"filename\":\"%s\"}}",
                 i ? "load" : "save", path);
        ask(command);
        success = answer("{\"return\":{}}");
        assert_int_equal(success.command, i ? QMP_LOAD : QMP_SAVE);
        assert_int_equal(lseek(success.fd, 0, SEEK_CUR), 4);
        assert_int_equal(fcntl(success.fd, F_GETFL) & O_ACCMODE, i ? O_RDONLY : O_WRONLY);
        close(success.fd);
    }
    unlink(path);
    close(file);
}

static void a_file_that_cannot_be_had(void **state)
{
    static const char *const commands[] = {
        "{\"execute\":\"xen-save-devices-state\",\"arguments\":{\"filename\":\"/dev/fdset/9\"}}",
        "{\"execute\":\"xen-save-devices-state\",\"arguments\":{\"filename\":\"/nowhere/x\"}}",
        "{\"execute\":\"xen-load-devices-state\",\"arguments\":{\"filename\":7}}",
        "{\"execute\":\"xen-load-devices-state\",\"arguments\":[]}",
        "{\"execute\":\"xen-save-devices-state\"}",
    };

    (void)state;
    for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
        ask(commands[i]);
        assert_int_not_equal(succeeded("{\"return\":{}}"), QMP_OTHER);
    }
}

static ino_t saved_through(const char *fdset)
{
    char command[128];

    snprintf(command, sizeof(command),
             "{\"execute\":\"xen-save-devices-state\",\"arguments\":{\"filename\":\"%s\"}}", fdset);
    ask(command);
    return file_of(answer("{\"return\":{}}"));
}

static void removed_descriptors_are_closed(void **state)
{
    ino_t inodes[3];

    (void)state;
    for (unsigned i = 0; i < 3; i++) {
        char reply[64];

        inodes[i] = pass(O_WRONLY);
        ask("{\"execute\":\"add-fd\"}");
        snprintf(reply, sizeof(reply), "{\"return\":{\"fd\":%u,\"fdset-id\":%u}}", 20 + i,
                 i ? 7 : 6);
        answer(reply);
    }
    assert_int_equal(open_descriptors(), open_before + 3);
    ask("{\"execute\":\"remove-fd\",\"arguments\":{\"fdset-id\":7,\"fd\":22}}");
    answer("{\"error\":{\"class\":\"GenericError\",\"desc\":\"no\"}}");
    assert_int_equal(saved_through("/dev/fdset/7"), inodes[2]);
    ask("{\"execute\":\"remove-fd\",\"arguments\":{\"fdset-id\":7,\"fd\":22}}");
    answer("{\"return\":{}}");
    assert_int_equal(saved_through("/dev/fdset/7"), inodes[1]);
    ask("{\"execute\":\"remove-fd\",\"arguments\":{\"fdset-id\":7}}");
    answer("{\"return\":{}}");
    assert_int_equal(saved_through("/dev/fdset/7"), 0);
    assert_int_equal(saved_through("/dev/fdset/6"), inodes[0]);
    assert_int_equal(open_descriptors(), open_before + 1);
}

static void only_a_successful_add_fd_keeps(void **state)
{
    (void)state;
    pass(O_WRONLY);
    assert_int_equal(open_descriptors(), open_before + 1);
    pass(O_WRONLY); /* instead of the one before */
    assert_int_equal(open_descriptors(), open_before + 1);
    ask("{\"execute\":\"add-fd\"}");
    answer("{\"error\":{\"class\":\"GenericError\",\"desc\":\"no\"}}");
    assert_int_equal(open_descriptors(), open_before);
    ask("{\"execute\":\"add-fd\"}"); /* with nothing */
    answer("{\"return\":{\"fd\":20,\"fdset-id\":7}}");
    assert_int_equal(saved_through("/dev/fdset/7"), 0);
}

/* A toolstack that never ends: the newest count. */
static void keeps_no_more_than_it_may(void **state)
{
    ino_t inode = 0;

    (void)state;
    for (unsigned i = 0; i < 10 * QMP_KEPT_FDS; i++) {
        inode = pass(O_WRONLY);
        ask("{\"execute\":\"add-fd\"}");
        answer("{\"return\":{\"fd\":20,\"fdset-id\":7}}");
    }
    assert_int_equal(open_descriptors(), open_before + QMP_KEPT_FDS);
    assert_int_equal(saved_through("/dev/fdset/7"), inode);
    for (unsigned i = 0; i < 10 * QMP_UNANSWERED; i++) {
        pass(O_WRONLY);
        ask("{\"execute\":\"add-fd\",\"id\":[[[[[\"never answered\"]]]]]}");
    }
    assert_int_equal(open_descriptors(), open_before + QMP_KEPT_FDS + QMP_UNANSWERED);
    ask("{\"execute\":\"stop\",\"id\":1}");
    assert_int_equal(succeeded("{\"return\":{},\"id\":1}"), QMP_STOP);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, start, end)
    const struct CMUnitTest tests[] = {
        TEST(by_id),
        TEST(any_id),
        TEST(without_ids_by_order),
        TEST(among_what_is_no_command),
        TEST(a_failure_is_no_success),
        TEST(what_is_no_answer),
        TEST(other_commands_do_not_matter),
        TEST(the_saved_file_by_fdset),
        TEST(the_right_one_of_an_fdset),
        TEST(the_saved_file_by_path),
        TEST(a_file_that_cannot_be_had),
        TEST(removed_descriptors_are_closed),
        TEST(only_a_successful_add_fd_keeps),
        TEST(keeps_no_more_than_it_may),
    };

    log_set_level(LOG_LEVEL_ERROR);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
