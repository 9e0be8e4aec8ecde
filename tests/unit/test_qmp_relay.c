/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The relay between a toolstack and an engine that this test plays, one thread
 * for all three: what libxl 4.17 and QEMU 7.2 say to each other, cut in every
 * way, what nobody should say, and every way to end.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/log.h"
#include "engine/qmp_relay.h"

/* --- the three of them --- */

enum { HEARD_MAX = 8 << 20, FDS_MAX = 64 };

/* One end of a conversation, and what has come out of it. */
struct side {
    int fd;
    char *heard;
    size_t size;
    bool ended; /* the other side says no more */
    struct {
        size_t at; /* the byte they came with */
        ino_t inode;
    } fds[FDS_MAX];
    unsigned fd_count;
};

static char folder[] = "/tmp/qemu-dm-test-XXXXXX", path[64];
static struct engine_socket engine_socket;
static struct qmp_relay *relay;
static struct side toolstack = {.fd = -1}, engine = {.fd = -1};
static unsigned open_before;

/* What the hooks were called with, in order: s, c, w (saved), l. */
static char called[64];
static size_t called_when[64]; /* how much the toolstack had heard then */
static ino_t called_with[64];
static unsigned calls;

static void listen_to(struct side *side);

static void note(char what, int fd)
{
    struct stat st = {.st_ino = 0};

    if (fd >= 0) {
        assert_int_equal(fstat(fd, &st), 0);
    }
    listen_to(&toolstack);
    assert_true(calls < sizeof(called) - 1);
    called[calls] = what;
    called_when[calls] = toolstack.size;
    called_with[calls++] = st.st_ino;
    called[calls] = '\0';
}

static void stopped(void *opaque)
{
    assert_ptr_equal(opaque, &relay);
    note('s', -1);
}

static void continued(void *opaque)
{
    assert_ptr_equal(opaque, &relay);
    note('c', -1);
}

static void saved(void *opaque, int fd)
{
    assert_ptr_equal(opaque, &relay);
    note('w', fd);
}

static void loaded(void *opaque, int fd)
{
    assert_ptr_equal(opaque, &relay);
    note('l', fd);
}

static const struct qmp_relay_hooks hooks = {&relay, stopped, continued, saved, loaded};

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

/* Reads all there is; the engine byte by byte, as QEMU does, so that it is known where descriptors
 * were. */
static void listen_to(struct side *side)
{
    while (side->fd >= 0 && !side->ended) {
        union {
            char bytes[CMSG_SPACE(sizeof(int) * FDS_MAX)];
            struct cmsghdr aligned;
        } control;
        struct iovec bytes = {&side->heard[side->size],
                              side == &engine ? 1 : HEARD_MAX - side->size};
        struct msghdr message = {.msg_iov = &bytes,
                                 .msg_iovlen = 1,
                                 .msg_control = &control,
                                 .msg_controllen = sizeof(control)};
        ssize_t n = recvmsg(side->fd, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);

        if (n < 0 && errno == EAGAIN) {
            return;
        }
        if (n <= 0) {
            side->ended = true;
            return;
        }
        for (struct cmsghdr *h = CMSG_FIRSTHDR(&message); h; h = CMSG_NXTHDR(&message, h)) {
            unsigned count = (unsigned)((h->cmsg_len - CMSG_LEN(0)) / sizeof(int));

            for (unsigned i = 0; i < count; i++) {
                struct stat st;
                int fd;

                memcpy(&fd, CMSG_DATA(h) + i * sizeof(int), sizeof(int));
                assert_int_equal(fstat(fd, &st), 0);
                close(fd);
                assert_true(side->fd_count < FDS_MAX);
                side->fds[side->fd_count].at = side->size;
                side->fds[side->fd_count++].inode = st.st_ino;
            }
        }
        side->size += (size_t)n;
        assert_true(side->size < HEARD_MAX);
    }
}

static void forget(struct side *side, int fd)
{
    side->fd = fd;
    side->size = 0;
    side->ended = false;
    side->fd_count = 0;
}

static void hang_up(struct side *side)
{
    if (side->fd >= 0) {
        close(side->fd);
    }
    side->fd = -1;
}

/* As the supervisor's loop, until there is nothing to do but wait. */
static void relay_works(void)
{
    for (unsigned turns = 0;; turns++) {
        struct pollfd fds[QMP_RELAY_FDS];
        unsigned count = qmp_relay_poll(relay, fds);

        assert_true(count <= QMP_RELAY_FDS);
        if (poll(fds, count, 0) == 0) {
            return;
        }
        assert_true(turns < 100000); /* else it is busy doing nothing */
        qmp_relay_serve(relay, fds, count);
    }
}

static void all_work(void)
{
    size_t heard;

    do {
        relay_works();
        heard = toolstack.size + engine.size;
        listen_to(&toolstack);
        listen_to(&engine);
    } while (toolstack.size + engine.size > heard);
    relay_works();
}

static int toolstack_connects(void)
{
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    memcpy(at.sun_path, path, sizeof(path));
    assert_int_equal(connect(fd, (struct sockaddr *)&at, sizeof(at)), 0);
    return fd;
}

static int engine_accepts(void)
{
    return accept4(engine_socket.listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
}

static void both_connect(void)
{
    forget(&toolstack, toolstack_connects());
    relay_works();
    forget(&engine, engine_accepts());
    assert_true(engine.fd >= 0);
}

static void send_all(const struct side *side, const void *bytes, size_t size)
{
    assert_int_equal(send(side->fd, bytes, size, MSG_DONTWAIT | MSG_NOSIGNAL), size);
}

static void say(const struct side *side, const char *text)
{
    send_all(side, text, strlen(text));
}

/* Bytes, a new file's descriptor with the first of them. */
static ino_t say_with_fd(const struct side *side, const void *bytes, size_t size)
{
    union {
        char bytes[CMSG_SPACE(sizeof(int))];
        struct cmsghdr aligned;
    } control = {.bytes = ""};
    struct iovec iov = {(void *)(uintptr_t)bytes, size};
    struct msghdr message = {.msg_iov = &iov,
                             .msg_iovlen = 1,
                             .msg_control = &control,
                             .msg_controllen = sizeof(control)};
    struct cmsghdr *h = CMSG_FIRSTHDR(&message);
    int rw = memfd_create("file", MFD_CLOEXEC), fd;
    char name[32];
    struct stat st;

    /* libxl opens the save file to write only. */
    snprintf(name, sizeof(name), "/proc/self/fd/%d", rw);
    fd = open(name, O_WRONLY | O_CLOEXEC);
    assert_true(fd >= 0);
    h->cmsg_level = SOL_SOCKET;
    h->cmsg_type = SCM_RIGHTS;
    h->cmsg_len = CMSG_LEN(sizeof(int));
    memcpy(CMSG_DATA(h), &fd, sizeof(int));
    assert_int_equal(sendmsg(side->fd, &message, MSG_DONTWAIT | MSG_NOSIGNAL), size);
    assert_int_equal(fstat(fd, &st), 0);
    close(fd);
    close(rw);
    return st.st_ino;
}

static void assert_heard(const struct side *side, const char *text)
{
    assert_int_equal(side->size, strlen(text));
    assert_memory_equal(side->heard, text, side->size);
}

static int start(void **state)
{
    struct err err;
    int listener;

    (void)state;
    open_before = open_descriptors();
    calls = 0;
    called[0] = '\0';
    assert_true(engine_socket_open(&engine_socket, &err));
    assert_int_equal(fcntl(engine_socket.listener, F_SETFL, O_NONBLOCK), 0);
    listener = qmp_listen(path, &err);
    assert_true(listener >= 0);
    relay = qmp_relay_open(listener, &engine_socket, &hooks, &err);
    assert_non_null(relay);
    return 0;
}

static int end(void **state)
{
    (void)state;
    hang_up(&toolstack);
    hang_up(&engine);
    qmp_relay_close(relay);
    engine_socket_close(&engine_socket);
    assert_int_equal(open_descriptors(), open_before);
    return 0;
}

/* --- what libxl 4.17 and QEMU 7.2 say --- */

/* libxl connects anew for each operation, and its ids begin anew. */
struct line {
    char who;         /* t: toolstack, f: toolstack, with a descriptor; e: engine */
    char hook;        /* that this answer has to wait for; 0: none */
    const char *text; /* NULL: the end of a connection */
};

#define GREETING                                                                                   \
    {'e', 0,                                                                                       \
     "{\"QMP\": {\"version\": {\"qemu\": {\"micro\": 22, \"minor\": 2, \"major\": 7}, "            \
     "\"package\": \"Debian 1:7.2+dfsg-7+deb12u18\"}, \"capabilities\": [\"oob\"]}}\r\n"},         \
        {'t', 0, "{\"execute\":\"qmp_capabilities\",\"id\":2020372736}\r\n"},                      \
    {                                                                                              \
        'e', 0, "{\"return\": {}, \"id\": 2020372736}\r\n"                                         \
    }
#define HANG_UP                                                                                    \
    {                                                                                              \
        0, 0, NULL                                                                                 \
    }

static const struct line recorded[] = {
    /* created */
    GREETING,
    {'t', 0, "{\"execute\":\"query-status\",\"id\":2020372737}\r\n"},
    {'e', 0,
     "{\"return\": {\"status\": \"prelaunch\", \"singlestep\": false, \"running\": false}, "
     "\"id\": 2020372737}\r\n"},
    HANG_UP,
    GREETING,
    {'t', 0, "{\"execute\":\"query-chardev\",\"id\":2020372737}\r\n"},
    {'e', 0,
     "{\"return\": [{\"frontend-open\": true, \"filename\": \"unix:/run/xen/qmp-libxl-3,server=on\""
     ", \"label\": \"libxl-cmd\"}, {\"frontend-open\": true, \"filename\": \"pty:/dev/pts/2\", "
     "\"label\": \"serial0\"}], \"id\": 2020372737}\r\n"},
    {'t', 0, "{\"execute\":\"query-vnc\",\"id\":2020372738}\r\n"},
    {'e', 0,
     "{\"return\": {\"enabled\": true, \"auth\": \"vnc\", \"family\": \"ipv4\", \"clients\": [], "
     "\"service\": \"5900\", \"host\": \"127.0.0.1\"}, \"id\": 2020372738}\r\n"},
    {'t', 0,
     "{\"execute\":\"change-vnc-password\",\"id\":2020372739,\"arguments\":{\"password\":"
     "\"}{\\\"\\\\\"}}\r\n"},
    {'e', 0, "{\"return\": {}, \"id\": 2020372739}\r\n"},
    HANG_UP,
    /* unpaused: it runs already, so there is no event */
    GREETING,
    {'t', 0, "{\"execute\":\"cont\",\"id\":2020372737}\r\n"},
    {'e', 'c', "{\"return\": {}, \"id\": 2020372737}\r\n"},
    {'e', 0,
     "{\"timestamp\": {\"seconds\": 1795369858, \"microseconds\": 89}, \"event\": \"RTC_CHANGE\", "
     "\"data\": {\"offset\": 0, \"qom-path\": \"/machine/unattached/device[9]/rtc\"}}\r\n"},
    HANG_UP,
    /* migrated: the memory that is written to is watched */
    GREETING,
    {'t', 0,
     "{\"execute\":\"xen-set-global-dirty-log\",\"id\":2020372737,\"arguments\":{\"enable\":"
     "true}}\r\n"},
    {'e', 0, "{\"return\": {}, \"id\": 2020372737}\r\n"},
    HANG_UP,
    /* saved */
    GREETING,
    {'t', 0, "{\"execute\":\"stop\",\"id\":2020372737}\r\n"},
    {'e', 0,
     "{\"timestamp\": {\"seconds\": 1795369859, \"microseconds\": 491}, \"event\": \"STOP\"}\r\n"},
    {'e', 's', "{\"return\": {}, \"id\": 2020372737}\r\n"},
    {'f', 0, "{\"execute\":\"add-fd\",\"id\":2020372738}\r\n"},
    {'e', 0, "{\"return\": {\"fd\": 14, \"fdset-id\": 0}, \"id\": 2020372738}\r\n"},
    {'t', 0,
     "{\"execute\":\"xen-save-devices-state\",\"id\":2020372739,\"arguments\":{\"live\":true,"
     "\"filename\":\"/dev/fdset/0\"}}\r\n"},
    {'e', 0,
     "{\"timestamp\": {\"seconds\": 1795369860, \"microseconds\": 1}, \"event\": "
     "\"VNC_DISCONNECTED\", \"data\": {\"return\": {}, \"id\": 2020372739}}\r\n"},
    {'e', 'w', "{\"return\": {}, \"id\": 2020372739}\r\n"},
    HANG_UP,
    /* the migration has failed */
    GREETING,
    {'t', 0, "{\"execute\":\"cont\",\"id\":2020372737}\r\n"},
    {'e', 0,
     "{\"timestamp\": {\"seconds\": 1795369861, \"microseconds\": 2}, \"event\": \"RESUME\"}\r\n"},
    {'e', 'c', "{\"return\": {}, \"id\": 2020372737}\r\n"},
    HANG_UP,
    /* another CD */
    GREETING,
    {'t', 0, "{\"execute\":\"query-version\",\"id\":2020372737}\r\n"},
    {'e', 0,
     "{\"return\": {\"qemu\": {\"micro\": 22, \"minor\": 2, \"major\": 7}, \"package\": \"Debian "
     "1:7.2+dfsg-7+deb12u18\"}, \"id\": 2020372737}\r\n"},
    {'t', 0,
     "{\"execute\":\"eject\",\"id\":2020372738,\"arguments\":{\"device\":\"ide-5632\",\"force\":"
     "true}}\r\n"},
    {'e', 0,
     "{\"timestamp\": {\"seconds\": 1795369862, \"microseconds\": 3}, \"event\": "
     "\"DEVICE_TRAY_MOVED\", \"data\": {\"device\": \"\", \"tray-open\": true, \"id\": "
     "\"ide-5632\"}}\r\n"},
    {'e', 0, "{\"return\": {}, \"id\": 2020372738}\r\n"},
    HANG_UP,
    GREETING,
    {'f', 0,
     "{\"execute\":\"add-fd\",\"id\":2020372737,\"arguments\":{\"opaque\":\"raw:/srv/a.iso\"}}"
     "\r\n"},
    {'e', 0, "{\"return\": {\"fd\": 15, \"fdset-id\": 1}, \"id\": 2020372737}\r\n"},
    {'t', 0,
     "{\"execute\":\"blockdev-change-medium\",\"id\":2020372738,\"arguments\":{\"device\":"
     "\"ide-5632\",\"filename\":\"/dev/fdset/1\",\"format\":\"raw\"}}\r\n"},
    {'e', 0,
     "{\"id\": 2020372738, \"error\": {\"class\": \"GenericError\", \"desc\": \"Device "
     "'ide-5632' is \\\"locked\\\"\"}}\r\n"},
    HANG_UP,
};

/* Sends a line in pieces of size bytes (0: of any size), the relay at work between two. */
static ino_t say_in_pieces(const struct side *side, const struct line *line, size_t size)
{
    const char *from = line->text;
    size_t left = strlen(from);
    ino_t inode = 0;

    while (left > 0) {
        size_t n = size ? size : 1 + (size_t)rand() % 50;

        n = n < left ? n : left;
        if (line->who == 'f' && from == line->text) {
            inode = say_with_fd(side, from, n);
        } else {
            send_all(side, from, n);
        }
        from += n;
        left -= n;
        if (size || rand() % 2) {
            all_work();
        }
    }
    return inode;
}

static void converse(size_t piece)
{
    size_t said[2] = {0, 0};
    ino_t passed = 0;
    unsigned fds = 0;

    calls = 0;
    for (size_t i = 0; i < sizeof(recorded) / sizeof(recorded[0]); i++) {
        const struct line *line = &recorded[i];
        bool from_engine = line->who == 'e';
        const struct side *from = from_engine ? &engine : &toolstack;
        const struct side *to = from_engine ? &toolstack : &engine;
        unsigned calls_before = calls;
        size_t size;
        ino_t inode;

        if (i == 0 || !recorded[i - 1].text) {
            both_connect();
            said[0] = said[1] = 0;
            fds = 0;
        }
        if (!line->text) {
            hang_up(&toolstack);
            all_work();
            assert_true(engine.ended);
            hang_up(&engine);
            relay_works();
            continue;
        }
        size = strlen(line->text);
        inode = say_in_pieces(from, line, piece);
        passed = inode ? inode : passed;
        all_work();

        assert_int_equal(to->size, said[from_engine] + size);
        assert_memory_equal(&to->heard[said[from_engine]], line->text, size);
        if (line->who == 'f') {
            assert_int_equal(engine.fd_count, fds + 1);
            assert_int_equal(engine.fds[fds].at, said[0]);
            assert_int_equal(engine.fds[fds++].inode, inode);
        }
        assert_int_equal(engine.fd_count, fds);
        assert_int_equal(calls, calls_before + (line->hook ? 1 : 0));
        if (line->hook) {
            assert_int_equal(called[calls_before], line->hook);
            assert_int_equal(called_when[calls_before], said[1]); /* not a byte of the answer */
            assert_int_equal(called_with[calls_before], line->hook == 'w' ? passed : 0);
        }
        said[from_engine] += size;
    }
    assert_string_equal(called, "cswc");
}

static void libxls_conversation(void **state)
{
    (void)state;
    converse(SIZE_MAX);
    for (size_t piece = 1; piece < 40; piece += piece < 8 ? 1 : 5) {
        converse(piece);
    }
    srand(17);
    for (unsigned i = 0; i < 20; i++) {
        converse(0);
    }
}

/* All that the toolstack says at once, then all that the engine answers, cut anywhere. */
static void all_at_once(size_t piece)
{
    static const char answers[] =
        "{\"timestamp\": {\"seconds\": 1, \"microseconds\": 2}, \"event\": \"STOP\"}\r\n"
        "{\"return\": {}, \"id\": 1}\r\n"
        "{\"return\": {\"fd\": 14, \"fdset-id\": 3}}\r\n"
        "{\"return\": {\"fd\": 15, \"fdset-id\": 4}}\r\n"
        "{\"return\": {}}\r\n"
        "{\"return\": {}, \"id\": {\"a\": 2}}\r\n";
    struct side *t = &toolstack;
    ino_t files[2];
    char expected[1024];

    both_connect();
    snprintf(expected, sizeof(expected), "%s%s%s%s%s", "{\"execute\":\"stop\",\"id\":1}\n",
             "{\"execute\":\"add-fd\"}", "{\"execute\":\"add-fd\"}",
             "{\"execute\":\"xen-save-devices-state\",\"arguments\":{\"filename\":\"/dev/fdset/3\"}"
             "}",
             "{\"execute\":\"cont\",\"id\":{\"a\":2}}");
    say(t, "{\"execute\":\"stop\",\"id\":1}\n");
    files[0] = say_with_fd(t, "{\"execute\":\"add-fd\"}", 20);
    files[1] = say_with_fd(t, "{\"execute\":\"add-fd\"}", 20);
    say(t,
        "{\"execute\":\"xen-save-devices-state\",\"arguments\":{\"filename\":\"/dev/fdset/3\"}}");
    say(t, "{\"execute\":\"cont\",\"id\":{\"a\":2}}");
    all_work();
    assert_heard(&engine, expected);
    assert_int_equal(engine.fd_count, 2);
    assert_int_equal(engine.fds[0].at, 26);
    assert_int_equal(engine.fds[0].inode, files[0]);
    assert_int_equal(engine.fds[1].at, 46);
    assert_int_equal(engine.fds[1].inode, files[1]);

    calls = 0;
    for (size_t at = 0; at < strlen(answers); at += piece) {
        size_t left = strlen(answers) - at;

        send_all(&engine, answers + at, left < piece ? left : piece);
        relay_works();
    }
    all_work();
    assert_heard(t, answers);
    assert_string_equal(called, "swc");
    assert_int_equal(called_with[1], files[0]);
    for (unsigned i = 0; i < 3; i++) {
        static const char *const lines[] = {"{\"return\": {}, \"id\": 1}", "{\"return\": {}}",
                                            "{\"return\": {}, \"id\": {\"a\""};

        assert_true(called_when[i] <= (size_t)(strstr(answers, lines[i]) - answers));
    }
    hang_up(t);
    hang_up(&engine);
    relay_works();
}

static void everything_at_once(void **state)
{
    (void)state;
    for (size_t piece = 1; piece <= 256; piece++) {
        all_at_once(piece);
    }
}

static void errors_call_no_hook(void **state)
{
    static const char *const commands[] = {"stop", "cont", "xen-save-devices-state",
                                           "xen-load-devices-state"};

    (void)state;
    both_connect();
    for (unsigned i = 0; i < 8; i++) {
        char text[256];

        snprintf(text, sizeof(text), "{\"execute\":\"%s\"%s}", commands[i / 2],
                 i % 2 ? ",\"id\":9" : "");
        say(&toolstack, text);
        all_work();
        snprintf(text, sizeof(text),
                 "{\"error\": {\"class\": \"GenericError\", \"desc\": \"no\"}%s}\r\n",
                 i % 2 ? ",\"id\":9" : "");
        say(&engine, text);
        all_work();
        assert_memory_equal(&toolstack.heard[toolstack.size - strlen(text)], text, strlen(text));
    }
    assert_string_equal(called, "");
}

/* A file by its path: what the engine has written is there, and fd is behind it. */
static off_t offset;
static void saved_by_path(void *opaque, int fd)
{
    (void)opaque;
    offset = lseek(fd, 0, SEEK_CUR);
    assert_int_equal(write(fd, "card", 4), 4);
}

static void a_saved_file_by_path(void **state)
{
    char file_path[] = "/tmp/qemu-dm-test-XXXXXX", command[256];
    int file = mkstemp(file_path);
    struct qmp_relay_hooks by_path = hooks;
    struct err err;
    char bytes[9] = "";

    (void)state;
    by_path.saved = saved_by_path;
    qmp_relay_close(relay);
    relay = qmp_relay_open(qmp_listen(path, &err), &engine_socket, &by_path, &err);
    both_connect();
    snprintf(command, sizeof(command),
             "{\"execute\":\"xen-save-devices-state\",\"arguments\":{\"filename\":\"%s\"}}",
             file_path);
    say(&toolstack, command);
    all_work();
    assert_int_equal(write(file, "QEVM", 4), 4);
    say(&engine, "{\"return\": {}}\r\n");
    all_work();
    assert_heard(&toolstack, "{\"return\": {}}\r\n");
    assert_int_equal(offset, 4);
    assert_int_equal(pread(file, bytes, 8, 0), 8);
    assert_string_equal(bytes, "QEVMcard");
    unlink(file_path);
    close(file);
}

static void descriptors_are_kept_no_longer_than_the_conversation(void **state)
{
    unsigned open_then;

    (void)state;
    both_connect();
    open_then = open_descriptors();
    say_with_fd(&toolstack, "{\"execute\":\"add-fd\"}", 20);
    all_work();
    say(&engine, "{\"return\": {\"fd\": 14, \"fdset-id\": 3}}");
    all_work();
    assert_int_equal(open_descriptors(), open_then + 1);
    hang_up(&toolstack);
    hang_up(&engine);
    relay_works();
    assert_int_equal(open_descriptors(), open_then - 4);
}

/* --- what nobody should say --- */

static char *noise_of(const char *alphabet, size_t letters, size_t size)
{
    char *noise = malloc(size);

    assert_non_null(noise);
    for (size_t i = 0; i < size; i++) {
        noise[i] = (char)(letters ? alphabet[(size_t)rand() % letters] : rand());
    }
    return noise;
}

/* Both talk at once, neither listening all the time. */
static void pass_both_ways(const char *noise[2], size_t size, bool with_fds)
{
    size_t said[2] = {0, 0};
    struct side *sides[2] = {&toolstack, &engine};
    ino_t inodes[FDS_MAX];
    size_t where[FDS_MAX];
    unsigned fds = 0;

    both_connect();
    while (said[0] < size || said[1] < size) {
        unsigned i = (unsigned)rand() % 2;
        size_t n = 1 + (size_t)rand() % (rand() % 4 ? 100 : 20000);
        ssize_t sent;

        n = n < size - said[i] ? n : size - said[i];
        if (i == 0 && n > 0 && with_fds && fds < 40 && rand() % 4 == 0) {
            struct pollfd room = {.fd = toolstack.fd, .events = POLLOUT};

            if (poll(&room, 1, 0) == 1) {
                n = n < 100 ? n : 100;
                where[fds] = said[0];
                inodes[fds++] = say_with_fd(&toolstack, noise[0] + said[0], n);
                said[0] += n;
            }
        } else if (n > 0) {
            sent = send(sides[i]->fd, noise[i] + said[i], n, MSG_DONTWAIT | MSG_NOSIGNAL);
            said[i] += sent > 0 ? (size_t)sent : 0;
        }
        if (rand() % 2) {
            relay_works();
        }
        if (rand() % 4 == 0) {
            listen_to(sides[rand() % 2]);
        }
    }
    all_work();
    shutdown(toolstack.fd, SHUT_WR);
    all_work();
    assert_true(engine.ended);
    hang_up(&engine);
    all_work();
    assert_true(toolstack.ended);
    assert_int_equal(engine.size, size);
    assert_memory_equal(engine.heard, noise[0], size);
    assert_int_equal(toolstack.size, size);
    assert_memory_equal(toolstack.heard, noise[1], size);
    assert_int_equal(engine.fd_count, fds);
    for (unsigned i = 0; i < fds; i++) {
        assert_int_equal(engine.fds[i].at, where[i]);
        assert_int_equal(engine.fds[i].inode, inodes[i]);
    }
    hang_up(&toolstack);
    relay_works();
}

static void noise_passes_unchanged(void **state)
{
    static const char json[] = "{}[]\"'\\,: \n\r0e\0\xff";
    static const struct {
        const char *letters;
        size_t count;
    } alphabets[] = {
        {NULL, 0},                /* any byte */
        {json, sizeof(json) - 1}, /* nearly JSON */
        {"{", 1},
        {"[", 1}, /* deep */
        {"}", 1},
        {"\"", 1}, /* strings */
        {"\\", 1},
        {"{}", 2}, /* small messages */
        {"a", 1},
        {"{\"aaaaa", 7}, /* strings that hardly end */
    };

    (void)state;
    srand(4);
    for (size_t i = 0; i < sizeof(alphabets) / sizeof(alphabets[0]); i++) {
        const size_t size = 70000; /* more than the longest message that is kept */
        char *noise[2];

        for (unsigned side = 0; side < 2; side++) {
            noise[side] = noise_of(alphabets[i].letters, alphabets[i].count, size);
        }
        pass_both_ways((const char *[]){noise[0], noise[1]}, size, i < 2);
        free(noise[0]);
        free(noise[1]);
    }
    assert_string_equal(called, "");
}

/* As above, while the answer to `stop` is awaited. What never ends is held back at most as long as
 * an answer may be. */
static void noise_instead_of_an_answer(void **state)
{
    static const char asked[] = "{\"execute\":\"stop\",\"id\":1}";
    const size_t size = 200000;

    (void)state;
    srand(9);
    for (unsigned i = 0; i < 8; i++) {
        char *noise = i % 2 ? noise_of("{\"a:}\n", 6, size) : noise_of("x", 1, size);

        if (i % 2 == 0) {
            noise[0] = '{';
            noise[1] = '"';
        }
        both_connect();
        say(&toolstack, asked);
        all_work();
        for (size_t sent = 0; sent < size; sent += 10000) {
            send_all(&engine, noise + sent, 10000);
            all_work();
            assert_true(toolstack.size + (64 << 10) >= sent + 10000);
        }
        hang_up(&engine);
        all_work();
        assert_true(toolstack.ended);
        assert_int_equal(toolstack.size, size);
        assert_memory_equal(toolstack.heard, noise, size);
        hang_up(&toolstack);
        free(noise);
    }
    assert_string_equal(called, "");
}

/* The answer to one command that matters comes in the middle of much else. */
static void an_answer_after_noise(void **state)
{
    static const char *const noises[] = {"hello\r\n", "\xff", "}}]]", "{\"a\":\"\n", "42 "};

    (void)state;
    for (size_t i = 0; i < sizeof(noises) / sizeof(noises[0]); i++) {
        both_connect();
        calls = 0;
        say(&toolstack, noises[i]);
        say(&toolstack, "{\"execute\":\"stop\",\"id\":\"i\"}");
        all_work();
        say(&engine, noises[i]);
        say(&engine, "{\"error\": {}}\r\n{\"id\": \"i\", \"return\": {}}\r\n");
        all_work();
        assert_string_equal(called, "s");
        hang_up(&toolstack);
        hang_up(&engine);
        relay_works();
    }
}

/* Sends until no more is taken; returns how much was. */
static size_t send_until_full(const struct side *side, const char *bytes, size_t size)
{
    size_t sent = 0;

    for (unsigned idle = 0; idle < 3;) {
        ssize_t n = send(side->fd, bytes + sent, size - sent < 5000 ? size - sent : 5000,
                         MSG_DONTWAIT | MSG_NOSIGNAL);

        sent += n > 0 ? (size_t)n : 0;
        idle = n > 0 ? 0 : idle + 1;
        relay_works();
        assert_true(sent < size); /* it has to stop somewhere */
    }
    return sent;
}

static void who_does_not_listen_is_not_talked_to(void **state)
{
    const size_t size = 4 << 20;

    (void)state;
    srand(2);
    for (unsigned way = 0; way < 2; way++) {
        struct side *from = way ? &engine : &toolstack, *to = way ? &toolstack : &engine;
        char *noise = noise_of(NULL, 0, size);
        size_t sent;

        both_connect();
        sent = send_until_full(from, noise, size);
        assert_true(sent > 100000); /* the sockets' own buffers */
        all_work();
        assert_int_equal(to->size, sent);
        assert_memory_equal(to->heard, noise, sent);
        hang_up(&toolstack);
        hang_up(&engine);
        relay_works();
        free(noise);
    }
}

/* --- every way to end --- */

static void a_half_closed_toolstack_hears_the_rest(void **state)
{
    (void)state;
    both_connect();
    say(&toolstack, "{\"execute\":\"stop\"}");
    shutdown(toolstack.fd, SHUT_WR);
    all_work();
    assert_heard(&engine, "{\"execute\":\"stop\"}");
    assert_true(engine.ended);
    assert_false(toolstack.ended);
    say(&engine, "{\"return\": {}}\r\n");
    all_work();
    assert_heard(&toolstack, "{\"return\": {}}\r\n");
    assert_string_equal(called, "s");
    hang_up(&engine);
    all_work();
    assert_true(toolstack.ended);
}

/* The engine is told of the end only behind the last command. */
static void a_toolstack_that_leaves_has_said_all_it_said(void **state)
{
    const size_t size = 1 << 20;
    char *noise = noise_of("{}", 2, size);
    size_t sent;

    (void)state;
    both_connect();
    sent = send_until_full(&toolstack, noise, size);
    hang_up(&toolstack);
    relay_works();
    all_work();
    assert_int_equal(engine.size, sent);
    assert_true(engine.ended);
    free(noise);
}

static void a_toolstack_that_does_not_wait_for_its_answer(void **state)
{
    (void)state;
    both_connect();
    say(&toolstack, "{\"execute\":\"cont\"}");
    hang_up(&toolstack);
    all_work();
    assert_heard(&engine, "{\"execute\":\"cont\"}");
    for (unsigned i = 0; i < 100; i++) {
        say(&engine, "{\"event\": \"RESUME\"}\r\n");
        relay_works();
    }
    say(&engine, "{\"return\": {}}\r\n");
    relay_works();
    assert_string_equal(called, "c");
    hang_up(&engine);
    relay_works();
    both_connect();
    say(&engine, "{\"QMP\"");
    all_work();
    assert_heard(&toolstack, "{\"QMP\"");
}

/* Here the engine has ended, with more said than the toolstack has yet read. */
static void what_the_engine_said_last_is_heard(void **state)
{
    const size_t size = 1 << 20;
    char *noise = noise_of(NULL, 0, size);
    size_t sent;

    (void)state;
    both_connect();
    say(&toolstack, "{\"execute\":\"quit\"}");
    relay_works();
    listen_to(&engine);
    sent = send_until_full(&engine, noise, size);
    hang_up(&engine);
    all_work();
    assert_int_equal(toolstack.size, sent);
    assert_memory_equal(toolstack.heard, noise, sent);
    assert_true(toolstack.ended);
    free(noise);
}

static void an_unfinished_answer_is_heard(void **state)
{
    (void)state;
    both_connect();
    say(&toolstack, "{\"execute\":\"stop\"}");
    all_work();
    say(&engine, "{\"return\": {");
    all_work();
    assert_heard(&toolstack, "");
    hang_up(&engine);
    all_work();
    assert_heard(&toolstack, "{\"return\": {");
    assert_true(toolstack.ended);
    assert_string_equal(called, "");
}

static void an_engine_that_dies_with_commands_unread(void **state)
{
    (void)state;
    both_connect();
    say(&toolstack, "{\"execute\":\"query-status\"}");
    relay_works();
    hang_up(&engine);
    relay_works();
    listen_to(&toolstack);
    assert_true(toolstack.ended);
    assert_heard(&toolstack, "");
}

/* It is told that it will be asked nothing more. */
static void an_engine_that_takes_no_more(void **state)
{
    (void)state;
    both_connect();
    shutdown(engine.fd, SHUT_RD);
    say_with_fd(&toolstack, "{\"execute\":\"add-fd\"}", 20);
    relay_works();
    say(&toolstack, "{\"execute\":\"stop\"}");
    relay_works();
    say(&engine, "{\"event\": \"SHUTDOWN\"}\r\n");
    hang_up(&engine);
    all_work();
    assert_heard(&toolstack, "{\"event\": \"SHUTDOWN\"}\r\n");
    assert_true(toolstack.ended);
}

static void an_engine_that_is_not_there(void **state)
{
    (void)state;
    close(engine_socket.listener);
    engine_socket.listener = -1;
    for (unsigned i = 0; i < 3; i++) {
        forget(&toolstack, toolstack_connects());
        relay_works();
        listen_to(&toolstack);
        assert_true(toolstack.ended);
        hang_up(&toolstack);
    }
}

static void an_engine_that_is_still_starting(void **state)
{
    (void)state;
    forget(&toolstack, toolstack_connects());
    say_with_fd(&toolstack, "{\"execute\":\"qmp_capabilities\"}", 30);
    all_work();
    assert_false(toolstack.ended);
    forget(&engine, engine_accepts());
    all_work();
    assert_heard(&engine, "{\"execute\":\"qmp_capabilities\"}");
    assert_int_equal(engine.fd_count, 1);
}

static void an_engine_that_dies_while_it_starts(void **state)
{
    (void)state;
    forget(&toolstack, toolstack_connects());
    relay_works();
    close(engine_socket.listener);
    engine_socket.listener = -1;
    relay_works();
    listen_to(&toolstack);
    assert_true(toolstack.ended);
}

static void one_toolstack_at_a_time(void **state)
{
    int second;

    (void)state;
    both_connect();
    second = toolstack_connects();
    relay_works();
    assert_int_equal(engine_accepts(), -1);
    hang_up(&toolstack);
    relay_works();
    assert_int_equal(engine_accepts(), -1); /* for QEMU, too, has not done with the first */
    hang_up(&engine);
    relay_works();
    forget(&toolstack, second);
    forget(&engine, engine_accepts());
    assert_true(engine.fd >= 0);
    say(&toolstack, "second");
    all_work();
    assert_heard(&engine, "second");
}

static void the_relay_ends_in_the_middle(void **state)
{
    struct err err;

    (void)state;
    both_connect();
    say_with_fd(&toolstack, "{\"execute\":\"add-fd\"}", 20);
    relay_works();
    say(&engine, "{\"return\": {\"fd\": 3, \"fdset-id\": 1}}{\"return\"");
    relay_works();
    say_with_fd(&toolstack, "{\"execute\":\"add-fd\"}{\"ex", 24);
    relay_works();
    qmp_relay_close(relay);
    relay = NULL;
    listen_to(&engine);
    assert_true(engine.ended);
    qmp_relay_close(relay);
    relay = qmp_relay_open(qmp_listen(path, &err), &engine_socket, &hooks, &err);
    assert_non_null(relay);
}

/* No descriptor is left: neither to accept with, nor for those that are passed. */
static void without_descriptors(void **state)
{
    struct rlimit before, none;
    int waiting;

    (void)state;
    waiting = toolstack_connects();
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
    none = (struct rlimit){3, before.rlim_max}; /* poll wants to be given as many */
    setrlimit(RLIMIT_NOFILE, &none);
    relay_works(); /* and does not go round and round */
    setrlimit(RLIMIT_NOFILE, &before);
    relay_works();
    forget(&toolstack, waiting);
    forget(&engine, engine_accepts());
    assert_true(engine.fd >= 0);

    say_with_fd(&toolstack, "{\"execute\":\"add-fd\"}", 20);
    setrlimit(RLIMIT_NOFILE, &none);
    relay_works();
    setrlimit(RLIMIT_NOFILE, &before);
    all_work();
    assert_heard(&engine, "{\"execute\":\"add-fd\"}");
    assert_int_equal(engine.fd_count, 0);
}

static void a_stale_socket_is_replaced(void **state)
{
    char too_long[200];
    struct err err = {""};
    struct stat st;
    int fd;

    (void)state;
    assert_int_equal(lstat(path, &st), 0);
    fd = qmp_listen(path, &err);
    assert_true(fd >= 0);
    assert_int_equal(fcntl(fd, F_GETFD), FD_CLOEXEC);
    close(fd);
    memset(too_long, 'x', sizeof(too_long) - 1);
    too_long[sizeof(too_long) - 1] = '\0';
    assert_int_equal(qmp_listen(too_long, &err), -1);
    assert_non_null(strstr(err.text, "at most 107"));
    assert_int_equal(qmp_listen("/nowhere/qmp", &err), -1);
    assert_non_null(strstr(err.text, "/nowhere/qmp"));
    assert_null(qmp_relay_open(-1, &engine_socket, &hooks, &err));
    assert_string_not_equal(err.text, "");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, start, end)
    const struct CMUnitTest tests[] = {
        TEST(libxls_conversation),
        TEST(everything_at_once),
        TEST(errors_call_no_hook),
        TEST(a_saved_file_by_path),
        TEST(descriptors_are_kept_no_longer_than_the_conversation),
        TEST(noise_passes_unchanged),
        TEST(noise_instead_of_an_answer),
        TEST(an_answer_after_noise),
        TEST(who_does_not_listen_is_not_talked_to),
        TEST(a_half_closed_toolstack_hears_the_rest),
        TEST(a_toolstack_that_leaves_has_said_all_it_said),
        TEST(a_toolstack_that_does_not_wait_for_its_answer),
        TEST(what_the_engine_said_last_is_heard),
        TEST(an_unfinished_answer_is_heard),
        TEST(an_engine_that_dies_with_commands_unread),
        TEST(an_engine_that_takes_no_more),
        TEST(an_engine_that_is_not_there),
        TEST(an_engine_that_is_still_starting),
        TEST(an_engine_that_dies_while_it_starts),
        TEST(one_toolstack_at_a_time),
        TEST(the_relay_ends_in_the_middle),
        TEST(without_descriptors),
        TEST(a_stale_socket_is_replaced),
    };
    int failed;

    log_set_level(LOG_LEVEL_ERROR);
    toolstack.heard = malloc(HEARD_MAX);
    engine.heard = malloc(HEARD_MAX);
    if (!toolstack.heard || !engine.heard || !mkdtemp(folder)) {
        return EXIT_FAILURE;
    }
    snprintf(path, sizeof(path), "%s/qmp-libxl", folder);
    failed = cmocka_run_group_tests(tests, NULL, NULL);
    unlink(path);
    rmdir(folder);
    free(toolstack.heard);
    free(engine.heard);
    return failed;
}
