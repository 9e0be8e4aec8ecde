/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A toolstack and an engine that say whatever they like to each other, in any pieces, with
 * descriptors, and without listening; each line of an input is a step: its first letter says what
 * (see do_step), the rest is what is said.
 *
 * Whatever comes, the relay passes it on unchanged and in order, descriptors with their bytes,
 * never works without anything to do, and in the end keeps nothing open.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdbool.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/log.h"
#include "engine/qmp_relay.h"
#include "fuzz/shared/expect.h"

enum {
    STEPS_MAX = 200,
    SAID_MAX = 1 << 20, /* of each side, in one conversation */
    FDS_MAX = 64,       /* passed in one conversation */
    AT_ONCE_MAX = 4,    /* with one message */
    FLOOD = 100,        /* times a text */
    TURNS_MAX = 10000,  /* of the relay's; all that sockets hold passes in fewer */
    CLOSING_MS = 1000,  /* that a closed socket may take to be so */
    DESCRIPTORS = 128,  /* more are never open */
};

/* What one of the two has said, and heard. */
struct side {
    int fd; /* -1: it has hung up */
    char said[SAID_MAX], heard[SAID_MAX];
    size_t said_size, heard_size;
    bool has_ended; /* it says no more */
    bool heard_end; /* the other does not */
};

struct passed {
    size_t at; /* the byte that it comes with */
    ino_t inode;
};

static struct side toolstack, engine;
static struct passed passed[FDS_MAX];
static unsigned passed_count, arrived_count;
static unsigned commands, hooks_called;

static struct engine_socket engine_socket;
static struct sockaddr_un address = {.sun_family = AF_UNIX};
static socklen_t address_size = sizeof(address);
static int listener;
static struct qmp_relay *relay;

void log_at(enum log_level level, const char *fmt, ...)
{
    (void)level;
    (void)fmt;
}

/* --- what the relay says of the conversation --- */

static void check_hook(int fd)
{
    struct stat st;

    expect(++hooks_called <= commands, "only what was asked for has succeeded");
    expect(fd < 0 || fstat(fd, &st) == 0, "a file is open");
}

static void moved(void *opaque)
{
    (void)opaque;
    check_hook(-1);
}

static void has_file(void *opaque, int fd)
{
    (void)opaque;
    expect(fd >= 0, "there is a file");
    check_hook(fd);
}

static const struct qmp_relay_hooks hooks = {NULL, moved, moved, has_file, has_file};

/* As the supervisor's loop, until there is nothing to do but wait. */
static void relay_works(void)
{
    struct pollfd fds[QMP_RELAY_FDS];
    unsigned count = qmp_relay_poll(relay, fds);

    for (unsigned turns = 0; poll(fds, count, 0) > 0; turns++) {
        expect(turns < TURNS_MAX, "the relay waits where there is nothing to do");
        qmp_relay_serve(relay, fds, count);
        count = qmp_relay_poll(relay, fds);
    }
}

static void one_turn(void)
{
    struct pollfd fds[QMP_RELAY_FDS];
    unsigned count = qmp_relay_poll(relay, fds);

    poll(fds, count, 0);
    qmp_relay_serve(relay, fds, count);
}

/* --- the two sides --- */

static void say(struct side *side, const char *text, size_t size, unsigned fd_count)
{
    union {
        char bytes[CMSG_SPACE(sizeof(int) * AT_ONCE_MAX)];
        struct cmsghdr aligned;
    } control = {.bytes = ""};
    struct iovec bytes = {(void *)(uintptr_t)text, size};
    struct msghdr message = {.msg_iov = &bytes, .msg_iovlen = 1};
    struct cmsghdr *h = &control.aligned;
    struct stat st[AT_ONCE_MAX];
    int fds[AT_ONCE_MAX];
    ssize_t n;

    if (side->fd < 0 || side->has_ended || size > sizeof(side->said) - side->said_size ||
        (side == &toolstack && fd_count > FDS_MAX - passed_count)) {
        return;
    }
    for (unsigned i = 0; i < fd_count; i++) {
        fds[i] = memfd_create("file", MFD_CLOEXEC);
        expect(fds[i] >= 0 && fstat(fds[i], &st[i]) == 0, "there is a file");
    }
    if (fd_count > 0) {
        message.msg_control = &control;
        message.msg_controllen = CMSG_SPACE(sizeof(int) * fd_count);
        h->cmsg_level = SOL_SOCKET;
        h->cmsg_type = SCM_RIGHTS;
        h->cmsg_len = CMSG_LEN(sizeof(int) * fd_count);
        memcpy(CMSG_DATA(h), fds, sizeof(int) * fd_count);
    }
    n = sendmsg(side->fd, &message, MSG_DONTWAIT | MSG_NOSIGNAL);
    for (unsigned i = 0; i < fd_count; i++) {
        close(fds[i]);
    }
    if (n > 0) {
        for (unsigned i = 0; side == &toolstack && i < fd_count; i++) {
            passed[passed_count++] = (struct passed){side->said_size, st[i].st_ino};
        }
        memcpy(side->said + side->said_size, text, (size_t)n);
        side->said_size += (size_t)n;
    }
    for (ssize_t i = 0; side == &toolstack && i < n; i++) {
        commands += text[i] == '}';
    }
}

/* Descriptors that have come with the byte at the end of what was heard. */
static void check_passed(struct msghdr *message)
{
    for (struct cmsghdr *h = CMSG_FIRSTHDR(message); h; h = CMSG_NXTHDR(message, h)) {
        for (size_t i = 0; i < (h->cmsg_len - CMSG_LEN(0)) / sizeof(int); i++) {
            struct stat st;
            int fd;

            memcpy(&fd, CMSG_DATA(h) + i * sizeof(int), sizeof(int));
            expect(arrived_count < passed_count && fstat(fd, &st) == 0 &&
                       passed[arrived_count].inode == st.st_ino &&
                       passed[arrived_count].at == engine.heard_size,
                   "descriptors arrive with their bytes");
            arrived_count++;
            close(fd);
        }
    }
}

/* At most so many pieces: the engine's are a byte each, as QEMU reads. */
static void listen_to(struct side *side, size_t pieces)
{
    const struct side *from = side == &engine ? &toolstack : &engine;

    while (side->fd >= 0 && !side->heard_end && pieces-- > 0) {
        union {
            char bytes[CMSG_SPACE(sizeof(int) * AT_ONCE_MAX)];
            struct cmsghdr aligned;
        } control;
        char heard[4096];
        struct iovec bytes = {heard, side == &engine ? 1 : sizeof(heard)};
        struct msghdr message = {.msg_iov = &bytes,
                                 .msg_iovlen = 1,
                                 .msg_control = &control,
                                 .msg_controllen = sizeof(control)};
        ssize_t n = recvmsg(side->fd, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);

        if (n < 0 && errno == EAGAIN) {
            return;
        }
        if (n <= 0) {
            side->heard_end = true;
            return;
        }
        expect((size_t)n <= from->said_size - side->heard_size &&
                   memcmp(heard, from->said + side->heard_size, (size_t)n) == 0,
               "what is heard is what was said");
        if (side == &engine) {
            check_passed(&message);
        } else {
            expect(message.msg_controllen == 0, "descriptors go to the engine only");
        }
        side->heard_size += (size_t)n;
    }
}

static void flood(struct side *side, const char *text, size_t size)
{
    for (unsigned i = 0; i < FLOOD; i++) {
        say(side, text, size, 0);
    }
}

static void end_saying(struct side *side)
{
    if (side->fd >= 0) {
        shutdown(side->fd, SHUT_WR);
        side->has_ended = true;
    }
}

/* At once: a descriptor that is closed while another process looks at it, by /proc/PID/fd, is open
 * for a moment more. */
static void hang_up(struct side *side)
{
    if (side->fd >= 0) {
        shutdown(side->fd, SHUT_RDWR);
        close(side->fd);
        side->fd = -1;
    }
}

/* --- conversations --- */

static void forget(struct side *side, int fd)
{
    side->fd = fd;
    side->said_size = side->heard_size = 0;
    side->has_ended = side->heard_end = false;
}

static void begin(void)
{
    if (toolstack.fd >= 0 || engine.fd >= 0) {
        return;
    }
    relay_works();
    passed_count = arrived_count = 0;
    forget(&toolstack, socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    expect(connect(toolstack.fd, (struct sockaddr *)&address, address_size) == 0,
           "the next toolstack is listened to");
    relay_works();
    forget(&engine, accept4(engine_socket.listener, NULL, NULL, SOCK_CLOEXEC));
    expect(engine.fd >= 0, "and has a connection to the engine of its own");
}

static void all_arrives(void)
{
    size_t heard;

    do {
        heard = toolstack.heard_size + engine.heard_size;
        relay_works();
        listen_to(&toolstack, SAID_MAX);
        listen_to(&engine, SAID_MAX);
    } while (toolstack.heard_size + engine.heard_size > heard);
    relay_works();
}

/* The relay has closed its end; for the kernel's part in that see hang_up. */
static void hear_the_end(struct side *side)
{
    struct pollfd fd = {.fd = side->fd, .events = POLLIN};

    if (side->fd >= 0 && !side->heard_end && poll(&fd, 1, CLOSING_MS) == 1) {
        listen_to(side, SAID_MAX);
    }
}

/* What one that is still there has not heard in the end was lost. */
static void end(void)
{
    all_arrives();
    if (toolstack.fd >= 0 && engine.fd >= 0 && !engine.has_ended) {
        expect(engine.heard_size == toolstack.said_size && arrived_count == passed_count,
               "the engine hears everything");
    }
    end_saying(&engine);
    all_arrives();
    hear_the_end(&toolstack);
    if (toolstack.fd >= 0) {
        expect(toolstack.heard_size == engine.said_size, "the toolstack hears everything");
        expect(toolstack.heard_end, "and that this was all");
    }
    hang_up(&toolstack);
    hang_up(&engine);
    relay_works();
}

static void do_step(char what, const char *text, size_t size)
{
    size_t pieces = size > 0 ? size : SAID_MAX;

    switch (what) {
    case 'c':
        begin();
        break;
    case 't':
        say(&toolstack, text, size, 0);
        break;
    case 'd':
        say(&toolstack, text, size, 1);
        break;
    case 'D':
        say(&toolstack, text, size, AT_ONCE_MAX);
        break;
    case 'T':
        flood(&toolstack, text, size);
        break;
    case 'e':
        say(&engine, text, size, 0);
        break;
    case 'x':
        say(&engine, text, size, 1);
        break;
    case 'E':
        flood(&engine, text, size);
        break;
    case 'l':
        listen_to(&toolstack, pieces);
        break;
    case 'm':
        listen_to(&engine, pieces);
        break;
    case 'w':
        relay_works();
        break;
    case 'o':
        one_turn();
        break;
    case 'h':
        end_saying(&toolstack);
        break;
    case 'H':
        hang_up(&toolstack);
        break;
    case 'k':
        end_saying(&engine);
        break;
    case 'K':
        hang_up(&engine);
        break;
    case 'z':
        end();
        break;
    default:
        break;
    }
}

/* --- */

static unsigned open_descriptors(void)
{
    unsigned count = 0;

    for (int fd = 0; fd < DESCRIPTORS; fd++) {
        count += fcntl(fd, F_GETFD) >= 0;
    }
    return count;
}

static void set_up(void)
{
    struct err err;

    if (listener > 0) {
        return;
    }
    /* Linux calls it something that nobody else has. */
    listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    expect(listener > 0 && bind(listener, (struct sockaddr *)&address, sizeof(sa_family_t)) == 0 &&
               listen(listener, 1) == 0 &&
               getsockname(listener, (struct sockaddr *)&address, &address_size) == 0 &&
               engine_socket_open(&engine_socket, &err) &&
               fcntl(engine_socket.listener, F_SETFL, O_NONBLOCK) == 0,
           "there are sockets");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *at = (const char *)data, *stop = at + size;
    struct err err;
    unsigned before;

    set_up();
    before = open_descriptors();
    toolstack.fd = engine.fd = -1;
    commands = hooks_called = 0;
    relay = qmp_relay_open(dup(listener), &engine_socket, &hooks, &err);
    expect(relay != NULL, "there is a relay");
    begin();
    for (unsigned i = 0; i < STEPS_MAX && at < stop; i++) {
        const char *line_end = memchr(at, '\n', (size_t)(stop - at));

        line_end = line_end ? line_end : stop;
        if (line_end > at) {
            do_step(*at, at + 1, (size_t)(line_end - at - 1));
        }
        at = line_end + (line_end < stop);
    }
    end();
    qmp_relay_close(relay);
    expect(open_descriptors() == before, "nothing is left open");
    return 0;
}
