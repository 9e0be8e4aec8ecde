/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The MIDI port's two threads for real, on a host that is a pair of sockets:
 * what one side writes the other gets, and each is woken for it.
 */
#include <poll.h>
#include <semaphore.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "audio/midi.h"
#include "base/log.h"

static sem_t warned;

void log_at(enum log_level level, const char *fmt, ...)
{
    (void)fmt;
    if (level == LOG_LEVEL_WARN) {
        sem_post(&warned);
    }
}

/* The test's end of the host; a datagram is what the driver reads at once. */
static int host;
static sem_t idle;        /* posted each time that the thread has read all there was */
static atomic_uint reads; /* tried by it */

struct client {
    int socket;
    uint8_t bytes[8192];
};

static void *fake_open(const char *name, struct err *err)
{
    static struct client client;
    int ends[2];

    if (strcmp(name, "refused") == 0) {
        err_set(err, "no such MIDI");
        return NULL;
    }
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0) {
        return NULL;
    }
    host = ends[0];
    client.socket = ends[1];
    return &client;
}

static int fake_fd(void *opaque)
{
    return ((struct client *)opaque)->socket;
}

static bool fake_read(void *opaque, const uint8_t **bytes, size_t *len)
{
    struct client *c = opaque;
    ssize_t n = recv(c->socket, c->bytes, sizeof(c->bytes), MSG_DONTWAIT);

    atomic_fetch_add(&reads, 1);
    *bytes = c->bytes;
    *len = n > 0 ? (size_t)n : 0;
    if (n < 0) {
        sem_post(&idle);
    }
    return n != 0; /* the other end is closed */
}

static void fake_write(void *opaque, const uint8_t *bytes, size_t len)
{
    struct client *c = opaque;

    if (send(c->socket, bytes, len, MSG_NOSIGNAL) < 0) {
        return;
    }
}

static void fake_close(void *opaque)
{
    close(((struct client *)opaque)->socket);
}

static const struct midi_driver driver = {
    .open = fake_open,
    .fd = fake_fd,
    .read = fake_read,
    .write = fake_write,
    .close = fake_close,
};

static struct midi_port *port;

static int set_up(void **state)
{
    struct err err;

    (void)state;
    sem_init(&warned, 0, 0);
    sem_init(&idle, 0, 0);
    port = midi_port_open(&driver, "test", &err);
    return port ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    midi_port_close(port);
    close(host);
    return 0;
}

/* From the host, and until the thread has seen it. */
static void say(const void *bytes, size_t len)
{
    while (sem_trywait(&idle) == 0) {
    }
    assert_int_equal(send(host, bytes, len, 0), len);
    sem_wait(&idle);
}

/* At the host. */
static void hear(uint8_t *bytes, size_t len)
{
    while (len > 0) {
        ssize_t n = recv(host, bytes, len, 0);

        assert_true(n > 0);
        bytes += n;
        len -= (size_t)n;
    }
}

/* As the card's process does when the descriptor is readable. */
static void wait_for_event(void)
{
    struct pollfd fd = {.fd = midi_port_fd(port), .events = POLLIN};
    uint64_t times;

    assert_int_equal(poll(&fd, 1, -1), 1);
    assert_int_equal(read(fd.fd, &times, sizeof(times)), sizeof(times));
}

static bool event_is_waiting(void)
{
    struct pollfd fd = {.fd = midi_port_fd(port), .events = POLLIN};

    return poll(&fd, 1, 0) == 1;
}

static void each_byte_goes_out(void **state)
{
    uint8_t byte;

    (void)state;
    for (unsigned i = 0; i < 1000; i++) {
        rt_midi_write(port, (uint8_t)i);
        hear(&byte, 1);
        assert_int_equal(byte, (uint8_t)i);
    }
}

static void many_bytes_go_out_in_order(void **state)
{
    uint8_t bytes[2048]; /* half of what there is room for: the last ones may still be there */

    (void)state;
    for (unsigned turn = 0; turn < 40; turn++) {
        for (unsigned i = 0; i < sizeof(bytes); i++) {
            rt_midi_write(port, (uint8_t)(i * 7 + turn));
        }
        hear(bytes, sizeof(bytes));
        for (unsigned i = 0; i < sizeof(bytes); i++) {
            assert_int_equal(bytes[i], (uint8_t)(i * 7 + turn));
        }
    }
}

static void bytes_come_in_and_wake_the_card(void **state)
{
    static const uint8_t note[] = {0x90, 0x3c, 0x40};
    uint8_t byte;

    (void)state;
    rt_midi_listen(port, true);
    assert_false(rt_midi_read(port, &byte));
    for (unsigned i = 0; i < 3000; i++) { /* more than once round the ring */
        assert_int_equal(send(host, note, sizeof(note), 0), sizeof(note));
        wait_for_event();
        for (unsigned j = 0; j < sizeof(note); j++) {
            assert_true(rt_midi_read(port, &byte));
            assert_int_equal(byte, note[j]);
        }
        assert_false(rt_midi_read(port, &byte));
    }
}

static void nothing_is_kept_for_who_does_not_listen(void **state)
{
    uint8_t byte;

    (void)state;
    say("before", 6);
    assert_false(event_is_waiting());
    rt_midi_listen(port, true);
    assert_false(rt_midi_read(port, &byte));
    say("unread", 6);
    rt_midi_listen(port, false);
    say("while not", 9);
    rt_midi_listen(port, true);
    assert_false(rt_midi_read(port, &byte));
    say("x", 1);
    assert_true(rt_midi_read(port, &byte));
    assert_int_equal(byte, 'x');
    assert_false(rt_midi_read(port, &byte));
}

/* Too much is dropped message by message, not byte by byte. */
static void a_guest_that_does_not_read(void **state)
{
    uint8_t message[1000], byte;
    unsigned count = 0;

    (void)state;
    rt_midi_listen(port, true);
    for (unsigned i = 0; i < 10; i++) {
        memset(message, (int)i, sizeof(message));
        say(message, sizeof(message));
    }
    while (rt_midi_read(port, &byte)) {
        assert_int_equal(byte, count++ / 1000);
    }
    assert_int_equal(count, 4000);
    say("x", 1);
    assert_true(rt_midi_read(port, &byte));
    assert_int_equal(byte, 'x');
}

/* It is said once; and nothing is read from then on, which would go on for ever. */
static void a_host_that_goes_away(void **state)
{
    unsigned tried;

    (void)state;
    close(host);
    host = -1;
    sem_wait(&warned);
    tried = atomic_load(&reads);
    for (unsigned i = 0; i < 10000; i++) {
        rt_midi_write(port, (uint8_t)i);
    }
    midi_port_close(port);
    assert_int_equal(atomic_load(&reads), tried);
    assert_int_equal(sem_trywait(&warned), -1);
}

static void what_was_written_last_is_sent(void **state)
{
    struct err err;
    uint8_t bytes[3];

    (void)state;
    for (unsigned i = 0; i < 100; i++) {
        port = midi_port_open(&driver, "test", &err);
        assert_non_null(port);
        for (unsigned j = 0; j < sizeof(bytes); j++) {
            rt_midi_write(port, "\x80\x3c\x40"[j]);
        }
        midi_port_close(port);
        hear(bytes, sizeof(bytes));
        assert_memory_equal(bytes, "\x80\x3c\x40", 3);
        close(host);
    }
}

static void a_host_without_midi(void **state)
{
    struct err err;

    (void)state;
    assert_null(midi_port_open(&driver, "refused", &err));
    assert_string_equal(err.text, "no such MIDI");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(each_byte_goes_out, set_up, tear_down),
        cmocka_unit_test_setup_teardown(many_bytes_go_out_in_order, set_up, tear_down),
        cmocka_unit_test_setup_teardown(bytes_come_in_and_wake_the_card, set_up, tear_down),
        cmocka_unit_test_setup_teardown(nothing_is_kept_for_who_does_not_listen, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_guest_that_does_not_read, set_up, tear_down),
        cmocka_unit_test_setup(a_host_that_goes_away, set_up),
        cmocka_unit_test(what_was_written_last_is_sent),
        cmocka_unit_test(a_host_without_midi),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
