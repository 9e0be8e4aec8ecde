/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * -audiodev pa: PulseAudio, or PipeWire in its place, by libpulse's asynchronous
 * API. Its simple API would be a third of this, but it fills the server's queue
 * to the brim, hands a late frame over late for ever, says nothing of underruns,
 * and waits where a server hangs.
 *
 * Here the queue in the server holds what the latency asks for and no more,
 * which is up to the player; the server only sets bounds. A stream that has run
 * dry waits for its next frame, so none is lost.
 */
#include <stdlib.h>
#include <string.h>

#include "audio/driver.h"
#include "audio/drivers/pa_connection.h"
#include "audio/drivers/pa_source.h"
#include "base/clock.h"
#include "base/fds.h"

/* The server is asked this often for how far it is. */
#define ASK_NS (20 * NS_PER_MS)
/* An answer to a question that took longer on its way is too vague. */
#define VAGUE_NS (4 * NS_PER_MS)
/* A server that has not answered for so long hangs: what it were given meanwhile would be heard
 * late when it goes on. An answer that took longer than the other is one of before it hung. */
#define HANGS_NS (100 * NS_PER_MS)
#define STALE_NS (500 * NS_PER_MS)
/* A sink that has been written to within so long is playing. */
#define BUSY_NS (50 * NS_PER_MS)

struct pa_sink {
    struct pa_connection connection;
    struct pcm_format format;
    uint32_t frame_bytes;
    struct audio_sink_state state;
    uint64_t written_ns; /* when something was last written */
    uint64_t asked_ns;
    uint64_t unanswered_ns; /* when the first was asked that had no answer in time; 0: none */
    uint64_t written_since; /* bytes, since asked */
    pa_operation *question; /* NULL: none is open */
    bool outdated;          /* what it asks for has changed since */
};

static uint64_t bytes_to_ns(const struct pa_sink *sink, int64_t bytes)
{
    return bytes > 0 ? (uint64_t)bytes / sink->frame_bytes * NS_PER_S / sink->format.rate : 0;
}

static void close_question(struct pa_sink *sink)
{
    if (sink->question) {
        pa_operation_cancel(sink->question);
        pa_operation_unref(sink->question);
        sink->question = NULL;
    }
}

/*
 * How far the server was when it answered: the bytes in the stream's queue, and
 * the sink's own latency behind them. The answer says how long after the
 * question that was, so it need not be read at once.
 */
static void take_answer(pa_stream *stream, int success, void *opaque)
{
    struct pa_sink *sink = opaque;
    const pa_timing_info *t = pa_stream_get_timing_info(stream);
    int64_t queued;

    pa_operation_unref(sink->question);
    sink->question = NULL;
    if (t && t->transport_usec * NS_PER_US < STALE_NS) {
        sink->unanswered_ns = 0;
    }
    if (!success || !t || sink->outdated || t->transport_usec * NS_PER_US > VAGUE_NS ||
        t->write_index_corrupt || t->read_index_corrupt) {
        return;
    }
    /* The library has added to the server's index what was written since. */
    queued = t->write_index - t->read_index - (int64_t)sink->written_since;
    sink->state.block_ns = t->configured_sink_usec * NS_PER_US;
    sink->state.heard_ns = sink->asked_ns + (t->transport_usec + t->sink_usec) * NS_PER_US +
                           bytes_to_ns(sink, queued) +
                           bytes_to_ns(sink, (int64_t)sink->written_since);
    sink->state.answers++;
}

static void ask(struct pa_sink *sink)
{
    uint64_t now = clock_now_ns();

    if (sink->question ? now - sink->asked_ns < NS_PER_S : now - sink->asked_ns < ASK_NS) {
        return;
    }
    if (sink->unanswered_ns == 0) {
        sink->unanswered_ns = now;
    }
    close_question(sink);
    sink->asked_ns = now;
    sink->written_since = 0;
    sink->outdated = false;
    sink->question = pa_stream_update_timing_info(sink->connection.stream, take_answer, sink);
}

static void has_run_dry(pa_stream *stream, void *opaque)
{
    struct pa_sink *sink = opaque;

    (void)stream;
    sink->state.underruns++;
    sink->outdated = true;
}

/* To another sink, or suspended and back. */
static void has_changed(pa_stream *stream, void *opaque)
{
    struct pa_sink *sink = opaque;

    (void)stream;
    sink->outdated = true;
}

/*
 * The sink is asked to work in blocks of a chunk: what the server gives it is
 * tlength less twice minreq, as long as neither ADJUST_LATENCY nor
 * EARLY_REQUESTS say otherwise. tlength itself is the bound on what a server
 * that hangs has to swallow: the longest latency, and as much again, for it
 * tells of free room only minreq at a time.
 */
static void *pa_open(const struct audio_settings *settings, const char *name,
                     const struct pcm_format *format, struct err *err)
{
    uint32_t frame_bytes = pcm_frame_bytes(format);
    uint32_t chunk = (uint32_t)(audio_chunk_ns(settings) * format->rate / NS_PER_S) + 1;
    uint32_t longest = (uint32_t)(audio_longest_ns(settings) * format->rate / NS_PER_S) + 1;
    const pa_buffer_attr attr = {
        .maxlength = (uint32_t)-1,
        .tlength = (2 * longest + 3 * chunk) * frame_bytes,
        .prebuf = frame_bytes,
        .minreq = (longest + chunk) * frame_bytes,
        .fragsize = (uint32_t)-1,
    };
    struct pa_sink *sink = calloc(1, sizeof(*sink));

    if (!sink) {
        err_set(err, "no memory for a connection to PulseAudio");
        return NULL;
    }
    sink->format = *format;
    sink->frame_bytes = frame_bytes;
    if (!pa_connection_open(&sink->connection, settings, name, format, err)) {
        free(sink);
        return NULL;
    }
    pa_stream_set_underflow_callback(sink->connection.stream, has_run_dry, sink);
    pa_stream_set_moved_callback(sink->connection.stream, has_changed, sink);
    pa_stream_set_suspended_callback(sink->connection.stream, has_changed, sink);
    if (pa_stream_connect_playback(sink->connection.stream, settings->sink, &attr,
                                   PA_STREAM_NOFLAGS, NULL, NULL) < 0) {
        err_set(err, "PulseAudio at %s takes no stream: %s", sink->connection.server,
                pa_strerror(pa_context_errno(sink->connection.context)));
        pa_connection_close(&sink->connection);
        free(sink);
        return NULL;
    }
    if (!pa_connection_ready(&sink->connection, "sink", settings->sink, err)) {
        free(sink);
        return NULL;
    }
    ask(sink); /* the sink may have rendered ahead, for others */
    return sink;
}

static long pa_write(void *opaque, const void *data, size_t frames, struct err *err)
{
    struct pa_sink *sink = opaque;
    size_t room = pa_stream_writable_size(sink->connection.stream);
    size_t bytes = frames * sink->frame_bytes;
    uint64_t now = clock_now_ns();

    if (!pa_connection_alive(&sink->connection, err)) {
        return -1;
    }
    if (room < bytes) {
        bytes = room - room % sink->frame_bytes;
    }
    if (sink->unanswered_ns && now - sink->unanswered_ns > HANGS_NS) {
        ask(sink);
        return 0;
    }
    if (bytes == 0) {
        return 0;
    }
    if (pa_stream_write(sink->connection.stream, data, bytes, NULL, 0, PA_SEEK_RELATIVE) < 0) {
        err_set(err, "PulseAudio does not take the sound: %s",
                pa_strerror(pa_context_errno(sink->connection.context)));
        return -1;
    }
    sink->written_ns = now;
    sink->written_since += bytes;
    sink->state.heard_ns = (sink->state.heard_ns > now ? sink->state.heard_ns : now) +
                           bytes_to_ns(sink, (int64_t)bytes);
    ask(sink);
    return (long)(bytes / sink->frame_bytes);
}

static bool pa_state(void *opaque, struct audio_sink_state *state)
{
    const struct pa_sink *sink = opaque;

    *state = sink->state;
    return true;
}

/* While it plays the thread wakes for each piece of sound, and what the server says can wait until
 * then: each message would wake it once more. */
static bool pa_wait(void *opaque, int fd, uint64_t until_ns, struct err *err)
{
    struct pa_sink *sink = opaque;
    uint64_t now = clock_now_ns();

    if (now - sink->written_ns > BUSY_NS) {
        return pa_connection_wait(&sink->connection, fd, until_ns, err);
    }
    until_ns = until_ns < now + BUSY_NS ? until_ns : now + BUSY_NS;
    if (!pa_connection_work(&sink->connection, err)) {
        return false;
    }
    wait_for_fd(fd, until_ns > now ? until_ns - now : 0);
    return true;
}

static void pa_close(void *opaque)
{
    struct pa_sink *sink = opaque;

    close_question(sink);
    pa_connection_close(&sink->connection);
    free(sink);
}

const struct audio_driver audio_driver_pa = {
    .name = "pa",
    .default_latency_us = 5000,
    .open = pa_open,
    .write = pa_write,
    .state = pa_state,
    .wait = pa_wait,
    .close = pa_close,
    .recorder = &pa_recorder,
};
