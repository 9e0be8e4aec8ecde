/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The driver for ALSA's sequencer, with the library's own conversion between
 * bytes and events, and a sequencer of ours: the kernel that tests run on need
 * not have one.
 */
#include "config.h"

#ifdef CONFIG_MIDI

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "audio/drivers/midi_alsa.c"

struct _snd_seq {
    bool open;
    int open_result;
    char name[64], port[64];
    unsigned capabilities;

    /* What the driver has sent: events, those of variable length with their data. */
    unsigned sent;
    snd_seq_event_t events[64];
    uint8_t data[64][512];
    int send_result;

    /* What it is to receive, in this order; a result below 0 instead of an event. */
    unsigned count, next;
    snd_seq_event_t in[16];
    int results[16];
};

static struct _snd_seq seq;

int snd_seq_open(snd_seq_t **handle, const char *name, int streams, int mode)
{
    assert_string_equal(name, "default");
    assert_int_equal(streams, SND_SEQ_OPEN_DUPLEX);
    assert_int_equal(mode, SND_SEQ_NONBLOCK);
    if (seq.open_result < 0) {
        return seq.open_result;
    }
    seq.open = true;
    *handle = &seq;
    return 0;
}

int snd_seq_close(snd_seq_t *s)
{
    s->open = false;
    return 0;
}

int snd_seq_set_client_name(snd_seq_t *s, const char *name)
{
    snprintf(s->name, sizeof(s->name), "%s", name);
    return 0;
}

int snd_seq_create_simple_port(snd_seq_t *s, const char *name, unsigned caps, unsigned type)
{
    (void)type;
    snprintf(s->port, sizeof(s->port), "%s", name);
    s->capabilities = caps;
    return 3;
}

int snd_seq_poll_descriptors(snd_seq_t *s, struct pollfd *fds, unsigned space, short events)
{
    (void)s;
    assert_true(space >= 1);
    assert_int_equal(events, POLLIN);
    fds[0].fd = 42;
    return 1;
}

int snd_seq_event_output_direct(snd_seq_t *s, snd_seq_event_t *event)
{
    unsigned i = s->sent++ % 64;

    assert_int_equal(event->source.port, 3);
    assert_int_equal(event->dest.client, SND_SEQ_ADDRESS_SUBSCRIBERS);
    assert_int_equal(event->queue, SND_SEQ_QUEUE_DIRECT);
    s->events[i] = *event;
    if (event->type == SND_SEQ_EVENT_SYSEX) {
        assert_true(event->data.ext.len <= sizeof(s->data[i]));
        memcpy(s->data[i], event->data.ext.ptr, event->data.ext.len);
    }
    return s->send_result;
}

int snd_seq_event_input(snd_seq_t *s, snd_seq_event_t **event)
{
    if (s->next == s->count) {
        return -EAGAIN;
    }
    *event = &s->in[s->next];
    return s->results[s->next++];
}

static const struct midi_driver *const driver = &midi_driver_midi_alsa;
static void *client;

static int set_up(void **state)
{
    struct err err;

    (void)state;
    memset(&seq, 0, sizeof(seq));
    client = driver->open("qemu-dm 5", &err);
    return client ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    driver->close(client);
    return seq.open;
}

static void write_bytes(const char *bytes, size_t len)
{
    driver->write(client, (const uint8_t *)bytes, len);
}

static void one_port_that_others_connect_to(void **state)
{
    (void)state;
    assert_string_equal(seq.name, "qemu-dm 5");
    assert_string_equal(seq.port, "MIDI");
    assert_int_equal(seq.capabilities, SND_SEQ_PORT_CAP_READ | SND_SEQ_PORT_CAP_SUBS_READ |
                                           SND_SEQ_PORT_CAP_WRITE | SND_SEQ_PORT_CAP_SUBS_WRITE |
                                           SND_SEQ_PORT_CAP_DUPLEX);
    assert_int_equal(driver->fd(client), 42);
}

static void no_sequencer(void **state)
{
    struct err err;

    (void)state;
    memset(&seq, 0, sizeof(seq));
    seq.open_result = -ENOENT;
    assert_null(driver->open("qemu-dm", &err));
    assert_non_null(strstr(err.text, "No such file or directory ('modprobe snd-seq'"));
    seq.open_result = -EACCES;
    assert_null(driver->open("qemu-dm", &err));
    assert_non_null(strstr(err.text, "group audio"));
    assert_false(seq.open);
}

/* However a guest's bytes fall. */
static void bytes_become_events(void **state)
{
    (void)state;
    write_bytes("\x90", 1);
    write_bytes("\x3c", 1);
    assert_int_equal(seq.sent, 0);
    write_bytes("\x40\x43\x41\xc5", 4); /* running status */
    assert_int_equal(seq.sent, 2);
    write_bytes("\xf8\x07", 2); /* a clock tick within a message */
    assert_int_equal(seq.sent, 4);
    assert_int_equal(seq.events[0].type, SND_SEQ_EVENT_NOTEON);
    assert_int_equal(seq.events[0].data.note.note, 0x3c);
    assert_int_equal(seq.events[0].data.note.velocity, 0x40);
    assert_int_equal(seq.events[1].data.note.note, 0x43);
    assert_int_equal(seq.events[2].type, SND_SEQ_EVENT_CLOCK);
    assert_int_equal(seq.events[3].type, SND_SEQ_EVENT_PGMCHANGE);
    assert_int_equal(seq.events[3].data.control.channel, 5);
    assert_int_equal(seq.events[3].data.control.value, 7);
}

static void a_long_message_goes_out_in_pieces(void **state)
{
    char message[700];
    size_t length = 0;

    (void)state;
    memset(message, 0x55, sizeof(message));
    message[0] = (char)0xf0;
    message[sizeof(message) - 1] = (char)0xf7;
    write_bytes(message, sizeof(message));
    for (unsigned i = 0; i < seq.sent; i++) {
        assert_int_equal(seq.events[i].type, SND_SEQ_EVENT_SYSEX);
        assert_memory_equal(seq.data[i], message + length, seq.events[i].data.ext.len);
        length += seq.events[i].data.ext.len;
    }
    assert_int_equal(length, sizeof(message));
}

/* What is no MIDI is passed over; a full sequencer costs events and nothing else. */
static void rubbish(void **state)
{
    uint8_t bytes[256];

    (void)state;
    write_bytes("\x01\x02\xf4\xf5\x03\xf7\x00", 7);
    assert_int_equal(seq.sent, 0);
    seq.send_result = -EAGAIN;
    for (unsigned turn = 0; turn < 64; turn++) {
        for (unsigned i = 0; i < sizeof(bytes); i++) {
            bytes[i] = (uint8_t)((i * 2654435761u + turn * 40503u) >> 8);
        }
        driver->write(client, bytes, sizeof(bytes));
    }
    write_bytes("\xf7", 1);
    seq.sent = 0;
    write_bytes("\x80\x3c\x40", 3);
    assert_int_equal(seq.sent, 1);
    assert_int_equal(seq.events[0].type, SND_SEQ_EVENT_NOTEOFF);
}

static snd_seq_event_t *receive(int result)
{
    seq.results[seq.count] = result;
    return &seq.in[seq.count++];
}

static void expect(const char *bytes, size_t len)
{
    const uint8_t *got;
    size_t n;

    assert_true(driver->read(client, &got, &n));
    assert_int_equal(n, len);
    assert_memory_equal(got, bytes, n);
}

static void events_become_bytes(void **state)
{
    static uint8_t sysex[1000] = {0xf0, [999] = 0xf7};
    snd_seq_event_t *event;

    (void)state;
    expect("", 0);
    receive(0)->type = SND_SEQ_EVENT_PORT_SUBSCRIBED; /* of no interest to the guest */
    event = receive(0);
    snd_seq_ev_set_noteon(event, 2, 60, 100);
    event = receive(0);
    snd_seq_ev_set_noteon(event, 2, 61, 100);
    receive(-ENOSPC); /* the kernel has lost some */
    event = receive(0);
    snd_seq_ev_set_pitchbend(event, 1, 0);
    event = receive(0);
    snd_seq_ev_set_sysex(event, sizeof(sysex), sysex);
    event = receive(0);
    event->type = SND_SEQ_EVENT_NONREGPARAM;
    event->data.control.param = 300;
    event->data.control.value = 1000;

    expect("\x92\x3c\x64", 3);
    expect("\x92\x3d\x64", 3); /* with its status, the same or not */
    expect("\xe1\x00\x40", 3);
    expect((const char *)sysex, sizeof(sysex));
    expect("\xb0\x63\x02\xb0\x62\x2c\xb0\x06\x07\xb0\x26\x68", 12);
    expect("", 0);
    expect("", 0);
}

static void a_sequencer_that_fails(void **state)
{
    const uint8_t *bytes;
    size_t len;

    (void)state;
    receive(-ENODEV);
    assert_false(driver->read(client, &bytes, &len));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(one_port_that_others_connect_to, set_up, tear_down),
        cmocka_unit_test(no_sequencer),
        cmocka_unit_test_setup_teardown(bytes_become_events, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_long_message_goes_out_in_pieces, set_up, tear_down),
        cmocka_unit_test_setup_teardown(rubbish, set_up, tear_down),
        cmocka_unit_test_setup_teardown(events_become_bytes, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_sequencer_that_fails, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

#else

#include <stdio.h>

int main(void)
{
    puts("this build has no ALSA sequencer driver");
    return 77;
}

#endif
