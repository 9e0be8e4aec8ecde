/* SPDX-License-Identifier: GPL-2.0-or-later */
/* MIDI as a client of ALSA's sequencer, with one port that others are connected to (aconnect). */
#include <alsa/asoundlib.h>

#include "audio/midi.h"

#include <errno.h>
#include <stdlib.h>

/* A longer system exclusive message goes to the host, and comes from it, in pieces. */
enum { ENCODER_BYTES = 256 };

struct client {
    snd_seq_t *seq;
    int port;
    snd_midi_event_t *encoder, *decoder;
    uint8_t message[16]; /* the longest that is not system exclusive is an NRPN, of 12 */
};

/* Whatever fails is reported by who called, in one line. */
static void say_nothing(const char *file, int line, const char *function, int error,
                        const char *format, va_list ap)
{
    (void)file;
    (void)line;
    (void)function;
    (void)error;
    (void)format;
    (void)ap;
}

static void midi_alsa_close(void *opaque)
{
    struct client *c = opaque;

    if (c->encoder) {
        snd_midi_event_free(c->encoder);
    }
    if (c->decoder) {
        snd_midi_event_free(c->decoder);
    }
    if (c->seq) {
        snd_seq_close(c->seq);
    }
    free(c);
}

static int open_client(struct client *c, const char *name)
{
    int error = snd_seq_open(&c->seq, "default", SND_SEQ_OPEN_DUPLEX, SND_SEQ_NONBLOCK);

    if (error < 0) {
        c->seq = NULL;
        return error;
    }
    error = snd_seq_set_client_name(c->seq, name);
    if (error < 0) {
        return error;
    }
    c->port = snd_seq_create_simple_port(
        c->seq, "MIDI",
        SND_SEQ_PORT_CAP_READ | SND_SEQ_PORT_CAP_SUBS_READ | SND_SEQ_PORT_CAP_WRITE |
            SND_SEQ_PORT_CAP_SUBS_WRITE | SND_SEQ_PORT_CAP_DUPLEX,
        SND_SEQ_PORT_TYPE_MIDI_GENERIC | SND_SEQ_PORT_TYPE_APPLICATION);
    if (c->port < 0) {
        return c->port;
    }
    error = snd_midi_event_new(ENCODER_BYTES, &c->encoder);
    if (error == 0) {
        error = snd_midi_event_new(ENCODER_BYTES, &c->decoder);
    }
    return error;
}

static void *midi_alsa_open(const char *name, struct err *err)
{
    struct client *c = calloc(1, sizeof(*c));
    int error;

    if (!c) {
        err_set(err, "no memory for an ALSA sequencer client");
        return NULL;
    }
    snd_lib_error_set_local(say_nothing);
    error = open_client(c, name);
    snd_lib_error_set_local(NULL);
    /* What the library has read says which sound servers run, as the process sees it now: before it
     * becomes the user whose they are. */
    snd_config_update_free_global();
    if (error < 0) {
        err_set(err, "cannot open a port of ALSA's sequencer: %s%s", snd_strerror(error),
                error == -ENOENT   ? " ('modprobe snd-seq' brings /dev/snd/seq)"
                : error == -EACCES ? " (/dev/snd/seq is for root and the group audio)"
                                   : "");
        midi_alsa_close(c);
        return NULL;
    }
    /* Messages of several senders may come mixed: each with its status byte. */
    snd_midi_event_no_status(c->decoder, 1);
    return c;
}

static int midi_alsa_fd(void *opaque)
{
    struct client *c = opaque;
    struct pollfd fd = {.fd = -1};

    snd_seq_poll_descriptors(c->seq, &fd, 1, POLLIN);
    return fd.fd;
}

static bool midi_alsa_read(void *opaque, const uint8_t **bytes, size_t *len)
{
    struct client *c = opaque;

    for (;;) {
        snd_seq_event_t *event;
        int result = snd_seq_event_input(c->seq, &event);
        long n;

        if (result == -EAGAIN) {
            *len = 0;
            return true;
        }
        if (result == -ENOSPC || result == -EINTR) {
            continue; /* more has come than the kernel keeps; the rest can be read */
        }
        if (result < 0) {
            return false;
        }
        if (event->type == SND_SEQ_EVENT_SYSEX) {
            *bytes = event->data.ext.ptr;
            *len = event->data.ext.len;
        } else {
            n = snd_midi_event_decode(c->decoder, c->message, sizeof(c->message), event);
            *bytes = c->message;
            *len = n > 0 ? (size_t)n : 0;
        }
        if (*len > 0) { /* not, for instance, that somebody has connected to the port */
            return true;
        }
    }
}

static void midi_alsa_write(void *opaque, const uint8_t *bytes, size_t len)
{
    struct client *c = opaque;

    while (len > 0) {
        snd_seq_event_t event;
        long n;

        snd_seq_ev_clear(&event);
        n = snd_midi_event_encode(c->encoder, bytes, (long)len, &event);
        if (n <= 0) { /* what is no MIDI */
            snd_midi_event_reset_encode(c->encoder);
            n = 1;
        } else if (event.type != SND_SEQ_EVENT_NONE) {
            snd_seq_ev_set_source(&event, c->port);
            snd_seq_ev_set_subs(&event);
            snd_seq_ev_set_direct(&event);
            /* Lost where the sequencer has no room. */
            (void)snd_seq_event_output_direct(c->seq, &event);
        }
        bytes += n;
        len -= (size_t)n;
    }
}

const struct midi_driver midi_driver_midi_alsa = {
    .open = midi_alsa_open,
    .fd = midi_alsa_fd,
    .read = midi_alsa_read,
    .write = midi_alsa_write,
    .close = midi_alsa_close,
};
