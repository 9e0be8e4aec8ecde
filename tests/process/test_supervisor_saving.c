/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The whole program while libxl saves its domain and restores it, with a fake
 * domain and a real QEMU as the engine. Skipped where there is none.
 */
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "card/supervised.h"
#include "engine/saved_state.h"
#include "process/playing_guest.h"
#include "process/program.h"

/* As libxl sets it under dm_restrict. */
#define DM_RESTRICT_FILE_LIMIT (256 << 10)

enum { ENGINE_DEADLINE_MS = 20000, DISK_PAGE = 4096 };

static char qmp_path[64], guest_path[64], save_path[64];
static pid_t domain;
static int toolstack = -1;

/* --- the toolstack --- */

/* listener: where it is connected to already, under dm_restrict; -1: at qmp_path. incoming: of a
 * saved state; -1: none. */
static void start_domain(int listener, int incoming)
{
    char chardev[128], from[32];
    const char *const args[] = {
        "-xen-domid",
        "7",
        "-nodefaults",
        "-S",
        "-name",
        "dom",
        "-device",
        "es1370",
        "-audiodev",
        "none,id=s",
        "-machine",
        "xenfv",
        "-m",
        "512",
        "-chardev",
        chardev,
        "-mon",
        "chardev=libxl-cmd,mode=control",
        incoming < 0 ? NULL : "-incoming",
        from,
        NULL,
    };

    if (listener < 0) {
        snprintf(chardev, sizeof(chardev), "socket,id=libxl-cmd,path=%s,server=on,wait=off",
                 qmp_path);
    } else {
        snprintf(chardev, sizeof(chardev), "socket,id=libxl-cmd,fd=%d,server=on,wait=off",
                 listener);
    }
    snprintf(from, sizeof(from), "fd:%d", incoming);
    domain = start("", args);
    assert_true(file_says(log_path, "engine pid="));
    join_guest(guest_path);
}

static int listen_at_path(void)
{
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);

    memcpy(at.sun_path, qmp_path, sizeof(qmp_path));
    assert_int_equal(bind(fd, (struct sockaddr *)&at, sizeof(at)), 0);
    assert_int_equal(listen(fd, 1), 0);
    return fd;
}

/* Whether anybody listens. */
static bool try_to_connect(void)
{
    struct sockaddr_un at = {.sun_family = AF_UNIX};

    memcpy(at.sun_path, qmp_path, sizeof(qmp_path));
    toolstack = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (connect(toolstack, (struct sockaddr *)&at, sizeof(at)) == 0) {
        return true;
    }
    close(toolstack);
    toolstack = -1;
    return false;
}

static void say_with_fd(const char *text, int fd)
{
    union {
        char bytes[CMSG_SPACE(sizeof(int))];
        struct cmsghdr aligned;
    } control = {.bytes = ""};
    struct iovec iov = {(void *)(uintptr_t)text, strlen(text)};
    struct msghdr message = {.msg_iov = &iov, .msg_iovlen = 1};

    if (fd >= 0) {
        struct cmsghdr *h = &control.aligned;

        h->cmsg_level = SOL_SOCKET;
        h->cmsg_type = SCM_RIGHTS;
        h->cmsg_len = CMSG_LEN(sizeof(int));
        memcpy(CMSG_DATA(h), &fd, sizeof(int));
        message.msg_control = &control;
        message.msg_controllen = sizeof(control);
    }
    assert_int_equal(sendmsg(toolstack, &message, MSG_NOSIGNAL), iov.iov_len);
}

/* The next line; "" at the end of the connection. */
static const char *hear(void)
{
    static char line[4096];
    struct pollfd fd = {.fd = toolstack, .events = POLLIN};
    size_t size = 0;

    do {
        assert_true(size < sizeof(line) - 1);
        assert_int_equal(poll(&fd, 1, ENGINE_DEADLINE_MS), 1);
        if (recv(toolstack, &line[size], 1, 0) != 1) {
            break;
        }
        size++;
    } while (line[size - 1] != '\n');
    line[size] = '\0';
    return line;
}

/* The answer, behind whatever events come before it. */
static const char *ask_with_fd(const char *command, int fd)
{
    const char *line;

    say_with_fd(command, fd);
    do {
        line = hear();
    } while (strstr(line, "\"event\""));
    if (!strstr(line, "\"return\"")) {
        fail_msg("%s: %s", command, line);
    }
    return line;
}

static const char *ask(const char *command)
{
    return ask_with_fd(command, -1);
}

/* Until it waits for somebody, in its main loop. On a busy machine a connection made while it
 * starts is now and then greeted twice, or lost. */
static void wait_for_engine(void)
{
    char path[64];

    snprintf(path, sizeof(path), "/proc/%ld/syscall", number_after("engine pid="));
    for (unsigned ms = 0; atoi(slurp(path)) != SYS_ppoll; ms += 5) {
        assert_true(ms < ENGINE_DEADLINE_MS);
        pause_ms(5);
    }
}

static void connect_toolstack(void)
{
    wait_for_engine();
    for (unsigned ms = 0; !try_to_connect(); ms += 5) {
        assert_true(ms < DEADLINE_MS);
        pause_ms(5);
    }
    assert_non_null(strstr(hear(), "\"QMP\""));
    ask("{\"execute\":\"qmp_capabilities\"}");
}

static void disconnect_toolstack(void)
{
    if (toolstack >= 0) {
        close(toolstack);
    }
    toolstack = -1;
}

/* Has the engine save to the file, from fd's offset on. */
static void save_through(int fd)
{
    static const char key[] = "\"fdset-id\": ";
    const char *set = strstr(ask_with_fd("{\"execute\":\"add-fd\"}", fd), key);
    char command[128];

    close(fd);
    assert_non_null(set);
    snprintf(command, sizeof(command),
             "{\"execute\":\"xen-save-devices-state\",\"arguments\":"
             "{\"filename\":\"/dev/fdset/%lu\",\"live\":false}}",
             strtoul(set + strlen(key), NULL, 10));
    ask(command);
}

/* As libxl opens it: what there is stays. */
static int open_save_file(void)
{
    int fd = open(save_path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

    assert_true(fd >= 0);
    return fd;
}

static bool machine_is(const char *status)
{
    return strstr(ask("{\"execute\":\"query-status\"}"), status) != NULL;
}

static void stop_machine(void)
{
    ask("{\"execute\":\"stop\"}");
    assert_false(machine_is("\"running\": true"));
}

static void continue_machine(void)
{
    ask("{\"execute\":\"cont\"}");
    assert_true(machine_is("\"running\": true"));
}

/* libxl reads what comes, and forgets it. */
static void quit_machine(void)
{
    say_with_fd("{\"execute\":\"quit\"}", -1);
    while (*hear()) {
    }
    assert_int_equal(end_of(domain), 0);
    domain = 0;
    disconnect_toolstack();
    leave_guest();
}

/* --- the file --- */

struct card_state {
    size_t size; /* 0: there is none */
    char *bytes; /* to be freed */
    off_t file;  /* bytes of the whole file */
};

static struct card_state card_in_file(void)
{
    struct card_state card;
    struct stat st;
    struct err err;
    int fd = open(save_path, O_RDONLY | O_CLOEXEC);

    card.bytes = saved_state_read(fd, &card.size, &err);
    assert_int_equal(fstat(fd, &st), 0);
    card.file = st.st_size;
    assert_true(card.bytes || !*err.text);
    close(fd);
    return card;
}

/* Bytes of the engine's own. */
static off_t engine_bytes(const struct card_state *card)
{
    return card->size ? card->file - (off_t)card->size - 16 : card->file;
}

static void assert_same(const struct card_state *a, const struct card_state *b)
{
    assert_int_equal(a->size, b->size);
    assert_memory_equal(a->bytes, b->bytes, a->size);
}

/* A longer file from before, with a card in it. */
static void leave_a_stale_file(void)
{
    static const char zeros[1 << 17];
    struct err err;
    int fd = open_save_file();

    assert_int_equal(write(fd, zeros, sizeof(zeros)), sizeof(zeros));
    assert_true(saved_state_append(fd, "old", 3, &err));
    close(fd);
}

/* --- the tests --- */

static int fresh(void **state)
{
    unlink(save_path);
    return fresh_logs(state);
}

static int end(void **state)
{
    (void)state;
    if (domain > 0) { /* the test has failed */
        print_error("%s\n", slurp(stderr_path));
        kill(domain, SIGTERM);
        end_of(domain);
        domain = 0;
    }
    disconnect_toolstack();
    leave_guest();
    unlink(qmp_path);
    return 0;
}

/* The engine has not inherited what the toolstack passed for us. */
static void is_not_the_engines(int listener)
{
    char path[64], theirs[64] = "", ours[64] = "";

    snprintf(path, sizeof(path), "/proc/self/fd/%d", listener);
    assert_true(readlink(path, ours, sizeof(ours) - 1) > 0);
    snprintf(path, sizeof(path), "/proc/%ld/fd/%d", number_after("engine pid="), listener);
    if (readlink(path, theirs, sizeof(theirs) - 1) > 0) {
        assert_string_not_equal(theirs, ours);
    }
}

static void save_a_machine_that_plays(int listener)
{
    start_domain(listener, -1);
    connect_toolstack();
    continue_machine();
    play(4410);
    leave_a_stale_file();
    stop_machine();
    save_through(open_save_file());
}

static void restore_it(int listener)
{
    int file = open(save_path, O_RDONLY);

    start_domain(listener, file);
    close(file);
    assert_true(file_says(stderr_path, "goes on from where it was saved"));
    connect_toolstack();
    for (unsigned ms = 0; machine_is("\"inmigrate\""); ms += 5) {
        assert_true(ms < ENGINE_DEADLINE_MS);
        pause_ms(5);
    }
}

/* Saves and restores; listener as start_domain has it. */
static void goes_through_a_file(int listener)
{
    struct card_state saved, again;

    save_a_machine_that_plays(listener);
    if (listener >= 0) {
        is_not_the_engines(listener);
    }
    saved = card_in_file();
    assert_in_range(saved.size, 100, 1023);
    assert_in_range(engine_bytes(&saved), 1, (1 << 17) - 1);
    continue_machine(); /* as after a checkpoint, or a save that failed later */
    wait_for_interrupt();
    quit_machine();

    fresh_logs(NULL);
    restore_it(listener);
    for (unsigned i = 0; i < 2; i++) {
        pause_ms(20);
        save_through(open_save_file());
        again = card_in_file();
        assert_same(&saved, &again);
        free(again.bytes);
    }
    continue_machine();
    wait_for_interrupt();
    assert_int_equal(in(CONTROL), DIV_44100 | DAC2_EN);
    quit_machine();
    free(saved.bytes);
}

static void is_saved_and_restored(void **state)
{
    (void)state;
    goes_through_a_file(-1);
    assert_int_equal(access(qmp_path, F_OK), -1);
}

static void is_saved_and_restored_by_a_passed_socket(void **state)
{
    int listener = listen_at_path();

    (void)state;
    goes_through_a_file(listener);
    assert_int_equal(access(qmp_path, F_OK), 0); /* the toolstack's */
    close(listener);
    assert_false(try_to_connect()); /* nobody else has it */
}

static void a_file_without_the_card_is_no_hindrance(void **state)
{
    struct card_state card;
    int file;

    (void)state;
    save_a_machine_that_plays(-1);
    quit_machine();
    card = card_in_file();
    assert_int_equal(truncate(save_path, engine_bytes(&card)), 0);
    free(card.bytes);

    fresh_logs(NULL);
    file = open(save_path, O_RDONLY);
    start_domain(-1, file);
    close(file);
    assert_true(file_says(stderr_path, "the domain was saved without this sound card"));
    connect_toolstack();
    continue_machine();
    play(441); /* it is there */
    wait_for_interrupt();
    quit_machine();
}

static bool limit_files(void)
{
    const struct rlimit limit = {DM_RESTRICT_FILE_LIMIT, DM_RESTRICT_FILE_LIMIT};

    return setrlimit(RLIMIT_FSIZE, &limit) == 0;
}

/* It is what dm_restrict is about. */
static void the_engine_is_limited(void)
{
    char path[64], line[80];
    const char *ignored;

    snprintf(path, sizeof(path), "/proc/%ld/limits", number_after("engine pid="));
    snprintf(line, sizeof(line), "Max file size             %-20d %-20d", DM_RESTRICT_FILE_LIMIT,
             DM_RESTRICT_FILE_LIMIT);
    assert_non_null(strstr(slurp(path), line));
    snprintf(path, sizeof(path), "/proc/%ld/status", number_after("engine pid="));
    ignored = strstr(slurp(path), "SigIgn:");
    assert_non_null(ignored);
    assert_int_equal(strtoull(ignored + strlen("SigIgn:"), NULL, 16) >> (SIGXFSZ - 1) & 1, 0);
}

static void is_saved_under_dm_restrict(void **state)
{
    struct card_state card;

    (void)state;
    before_start = limit_files;
    save_a_machine_that_plays(-1);
    the_engine_is_limited();
    card = card_in_file();
    assert_in_range(card.size, 100, 1023);
    free(card.bytes);
    continue_machine();
    quit_machine();
}

/* Root may write the card's state nevertheless, others say that they could not. */
static void is_saved_where_the_engine_takes_all_that_it_may(void **state)
{
    struct card_state card;
    off_t size;
    int fd;

    (void)state;
    before_start = limit_files;
    save_a_machine_that_plays(-1);
    card = card_in_file();
    free(card.bytes);
    size = engine_bytes(&card);
    fd = open_save_file();
    assert_int_equal(lseek(fd, DM_RESTRICT_FILE_LIMIT - size, SEEK_SET),
                     DM_RESTRICT_FILE_LIMIT - size);
    save_through(fd);
    card = card_in_file();
    assert_int_equal(engine_bytes(&card), DM_RESTRICT_FILE_LIMIT);
    if (!card.bytes) {
        assert_true(file_says(stderr_path, "(dm_restrict limits its size)"));
    }
    free(card.bytes);
    continue_machine();
    quit_machine();
}

static void is_saved_without_a_card_that_has_died(void **state)
{
    struct card_state card;

    (void)state;
    leave_a_stale_file();
    setenv("FAKE_GUEST_TAKE_OVER", "fail", 1);
    start_domain(-1, -1);
    connect_toolstack();
    continue_machine();
    kill((pid_t)number_after("open domid=7 slot=3 pid="), SIGKILL);
    assert_true(file_says(log_path, "retire domid=7 slot=3 server=1"));
    stop_machine();
    save_through(open_save_file());
    assert_true(file_says(stderr_path, "the domain is saved without its sound card"));
    card = card_in_file();
    assert_int_equal(card.size, 0); /* nor with another's */
    continue_machine();
    quit_machine();
}

/* This engine has no such card, and says so when its turn comes. */
static void the_card_is_unplugged_when_the_toolstack_is_silent(void **state)
{
    static const char refusal[] = "cannot be unplugged: Device 'qemu-dm-card' not found";

    (void)state;
    setenv("FAKE_GUEST_TAKE_OVER", "fail", 1);
    start_domain(-1, -1);
    connect_toolstack();
    kill((pid_t)number_after("open domid=7 slot=3 pid="), SIGKILL);
    assert_true(file_says(log_path, "retire domid=7 slot=3 server=1"));
    continue_machine();
    stop_machine();
    assert_null(strstr(slurp(stderr_path), refusal));
    disconnect_toolstack();
    assert_true(file_says(stderr_path, refusal));
    connect_toolstack();
    continue_machine();
    quit_machine();
}

/* A small one of memory, which only this test sees. */
static bool mount_disk(const char *path)
{
    return mkdir(path, 0700) == 0 && unshare(CLONE_NEWNS) == 0 &&
           mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0 &&
           mount("disk", path, "tmpfs", 0, "size=1m") == 0;
}

/* But for that many pages. */
static void fill_disk(const char *path, size_t pages)
{
    static char page[DISK_PAGE];
    struct statvfs disk;
    char file[80];
    int fd;

    snprintf(file, sizeof(file), "%s/full", path);
    fd = open(file, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    assert_int_equal(statvfs(path, &disk), 0);
    assert_int_equal(disk.f_bsize, DISK_PAGE);
    for (size_t i = pages; i < disk.f_bfree; i++) {
        assert_int_equal(write(fd, page, DISK_PAGE), DISK_PAGE);
    }
    close(fd);
}

/* There is room for the engine's state, to its last byte. */
static void is_saved_without_its_card_on_a_full_disk(void **state)
{
    char disk[40], elsewhere[64];
    struct card_state card;
    off_t size, start;
    int fd;

    (void)state;
    snprintf(disk, sizeof(disk), "%s/disk", dir);
    if (!mount_disk(disk)) {
        rmdir(disk);
        skip(); /* that is root's to do */
    }
    memcpy(elsewhere, save_path, sizeof(elsewhere));
    snprintf(save_path, sizeof(save_path), "%s/saved", disk);
    save_a_machine_that_plays(-1);
    card = card_in_file();
    free(card.bytes);
    size = engine_bytes(&card);
    unlink(save_path);
    start = (DISK_PAGE - size % DISK_PAGE) % DISK_PAGE;
    fill_disk(disk, (size_t)(start + size) / DISK_PAGE);

    fd = open_save_file();
    assert_int_equal(lseek(fd, start, SEEK_SET), start);
    save_through(fd);
    assert_true(file_says(stderr_path, "the domain is saved without its sound card"));
    assert_true(file_says(stderr_path, "Make room in /var/lib/xen"));
    card = card_in_file();
    assert_int_equal(card.size, 0);
    assert_int_equal(card.file, start + size);
    continue_machine();
    wait_for_interrupt(); /* the guest notices nothing */
    quit_machine();

    umount2(disk, MNT_DETACH);
    rmdir(disk);
    memcpy(save_path, elsewhere, sizeof(save_path));
}

/* Without QEMU, of which some empty the file themselves. */
static void nothing_is_left_of_an_older_file(void **state)
{
    struct supervised_card none = {.process.control = -1};
    struct card_state card;
    int fd;

    (void)state;
    leave_a_stale_file();
    fd = open_save_file();
    assert_int_equal(write(fd, "QEMU's", 6), 6);
    supervised_card_saved(&none, fd);
    close(fd);
    card = card_in_file();
    assert_int_equal(card.size, 0);
    assert_int_equal(card.file, 6);
}

static void the_engines_last_words_arrive(void **state)
{
    bool answered = false, shut_down = false;
    const char *line;

    (void)state;
    start_domain(-1, -1);
    connect_toolstack();
    say_with_fd("{\"execute\":\"query-status\",\"id\":1}{\"execute\":\"quit\",\"id\":2}", -1);
    do {
        line = hear();
        answered |= strstr(line, "{\"return\": {}, \"id\": 2}") != NULL;
        shut_down |= strstr(line, "\"SHUTDOWN\"") != NULL;
    } while (*line);
    assert_true(answered && shut_down);
    assert_int_equal(end_of(domain), 0);
    domain = 0;
    assert_int_equal(access(qmp_path, F_OK), -1);
}

static void ends_by_the_engines_signal_before_a_toolstack(void **state)
{
    int status;

    (void)state;
    start_domain(-1, -1);
    connect_toolstack();
    kill((pid_t)number_after("engine pid="), SIGKILL);
    assert_string_equal(hear(), "");
    status = end_of(domain);
    domain = 0;
    assert_true(WIFSIGNALED(status));
    assert_int_equal(WTERMSIG(status), SIGKILL);
    assert_int_equal(access(qmp_path, F_OK), -1);
    assert_true(file_says(log_path, "close domid=7"));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, fresh, end)
    const struct CMUnitTest tests[] = {
        TEST(is_saved_and_restored),
        TEST(is_saved_and_restored_by_a_passed_socket),
        TEST(a_file_without_the_card_is_no_hindrance),
        TEST(is_saved_under_dm_restrict),
        TEST(is_saved_where_the_engine_takes_all_that_it_may),
        TEST(is_saved_without_a_card_that_has_died),
        TEST(the_card_is_unplugged_when_the_toolstack_is_silent),
        TEST(is_saved_without_its_card_on_a_full_disk),
        TEST(nothing_is_left_of_an_older_file),
        TEST(the_engines_last_words_arrive),
        TEST(ends_by_the_engines_signal_before_a_toolstack),
    };
    int failed;

    if (system("command -v qemu-system-x86_64 >/dev/null") != 0) {
        puts("there is no qemu-system-x86_64");
        return 77;
    }
    if (!prepare_program("real-engine")) {
        return 1;
    }
    snprintf(qmp_path, sizeof(qmp_path), "%s/qmp-libxl-7", dir);
    snprintf(guest_path, sizeof(guest_path), "%s/guest", dir);
    snprintf(save_path, sizeof(save_path), "%s/qemu-save.7", dir);
    setenv("FAKE_GUEST_SOCKET", guest_path, 1);
    failed = cmocka_run_group_tests(tests, NULL, NULL);
    unlink(guest_path);
    unlink(save_path);
    clear_up_program();
    return failed;
}
