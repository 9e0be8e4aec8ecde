/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One stream's connection to PulseAudio (or PipeWire in its place), run by the
 * stream's own thread: no thread of libpulse's stands between.
 *
 * One thread. Only pa_connection_open and pa_connection_ready wait, for at most
 * three seconds each.
 */
#ifndef AUDIO_DRIVERS_PA_CONNECTION_H
#define AUDIO_DRIVERS_PA_CONNECTION_H

#include <pulse/pulseaudio.h>
#include <stdbool.h>
#include <stdint.h>

#include "audio/settings.h"
#include "base/err.h"
#include "base/pcm.h"

struct pa_connection {
    pa_mainloop *loop;
    pa_context *context;
    pa_stream *stream;
    const char *server; /* for messages */
    pa_io_event *fd_event;
    int fd; /* the one waited for; -1: none yet */
    bool woken;
};

/* Connects, and makes a stream that is still to be connected, by the caller, as playback or record;
 * name is what the user sees in a mixer. False with err set, and nothing to close. */
bool pa_connection_open(struct pa_connection *c, const struct audio_settings *settings,
                        const char *name, const struct pcm_format *format, struct err *err);

/* Waits until the stream is connected. False with err set; the connection is closed then. device:
 * the name of the sink or source that was asked for, or NULL; kind is "sink" or "source". */
bool pa_connection_ready(struct pa_connection *c, const char *kind, const char *device,
                         struct err *err);

/* False with err set: the server or the stream has gone. */
bool pa_connection_alive(const struct pa_connection *c, struct err *err);

/* Sends what is to be sent and takes what has come, without waiting. False with err set: gone. */
bool pa_connection_work(struct pa_connection *c, struct err *err);

/* Works until fd is readable, until_ns has come (CLOCK_MONOTONIC; UINT64_MAX: for ever), or a
 * callback of the stream's calls pa_connection_wake. False with err set: gone. fd: the same at each
 * call. */
bool pa_connection_wait(struct pa_connection *c, int fd, uint64_t until_ns, struct err *err);

void pa_connection_wake(struct pa_connection *c);

void pa_connection_close(struct pa_connection *c);

#endif
