/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * -audiodev pa as a source: a microphone, or what the server has in its place
 * (the monitor of a sink, another machine).
 *
 * The server sends what its source has heard as it comes, block by block; a
 * stream that asks for fragments of the latency, and for the source to be
 * adjusted to that, makes the source work in blocks of half of it.
 */
#include <stdlib.h>
#include <string.h>

#include "audio/driver.h"
#include "audio/drivers/pa_connection.h"
#include "audio/drivers/pa_source.h"
#include "base/clock.h"

struct pa_source {
    struct pa_connection connection;
    uint32_t frame_bytes;
    size_t taken; /* bytes of the library's next piece */
};

/* What has come ends pa_connection_wait. */
static void has_come(pa_stream *stream, size_t bytes, void *opaque)
{
    struct pa_source *source = opaque;

    (void)stream;
    (void)bytes;
    pa_connection_wake(&source->connection);
}

static void *pa_source_open(const struct audio_settings *settings, const char *name,
                            const struct pcm_format *format, struct err *err)
{
    uint32_t frame_bytes = pcm_frame_bytes(format);
    uint64_t latency_ns = settings->in_latency_us * NS_PER_US;
    uint32_t latency = (uint32_t)(latency_ns * format->rate / NS_PER_S);
    const pa_buffer_attr attr = {
        .maxlength = (uint32_t)-1,
        .tlength = (uint32_t)-1,
        .prebuf = (uint32_t)-1,
        .minreq = (uint32_t)-1,
        .fragsize = (latency > 0 ? latency : 1) * frame_bytes,
    };
    struct pa_source *source = calloc(1, sizeof(*source));

    if (!source) {
        err_set(err, "no memory for a connection to PulseAudio");
        return NULL;
    }
    source->frame_bytes = frame_bytes;
    if (!pa_connection_open(&source->connection, settings, name, format, err)) {
        free(source);
        return NULL;
    }
    pa_stream_set_read_callback(source->connection.stream, has_come, source);
    if (pa_stream_connect_record(source->connection.stream, settings->source, &attr,
                                 PA_STREAM_ADJUST_LATENCY) < 0) {
        err_set(err, "PulseAudio at %s gives no stream: %s", source->connection.server,
                pa_strerror(pa_context_errno(source->connection.context)));
        pa_connection_close(&source->connection);
        free(source);
        return NULL;
    }
    if (!pa_connection_ready(&source->connection, "source", settings->source, err)) {
        free(source);
        return NULL;
    }
    return source;
}

static long pa_source_read(void *opaque, void *data, size_t frames, struct err *err)
{
    struct pa_source *source = opaque;
    pa_stream *stream = source->connection.stream;
    size_t left = frames * source->frame_bytes;
    uint8_t *to = data;

    if (!pa_connection_alive(&source->connection, err)) {
        return -1;
    }
    while (left > 0) {
        const uint8_t *piece;
        size_t bytes, n;

        if (pa_stream_peek(stream, (const void **)&piece, &bytes) < 0) {
            err_set(err, "PulseAudio does not give the sound: %s",
                    pa_strerror(pa_context_errno(source->connection.context)));
            return -1;
        }
        if (bytes == 0) {
            break;
        }
        n = bytes - source->taken < left ? bytes - source->taken : left;
        if (piece) {
            memcpy(to, piece + source->taken, n);
        } else {
            memset(to, 0, n); /* a hole */
        }
        to += n;
        left -= n;
        source->taken += n;
        if (source->taken == bytes) {
            pa_stream_drop(stream);
            source->taken = 0;
        }
    }
    return (long)(frames - left / source->frame_bytes);
}

static bool pa_source_wait(void *opaque, int fd, uint64_t until_ns, struct err *err)
{
    struct pa_source *source = opaque;

    return pa_connection_wait(&source->connection, fd, until_ns, err);
}

static void pa_source_close(void *opaque)
{
    struct pa_source *source = opaque;

    pa_connection_close(&source->connection);
    free(source);
}

const struct audio_recorder pa_recorder = {
    .open = pa_source_open,
    .read = pa_source_read,
    .wait = pa_source_wait,
    .close = pa_source_close,
};
