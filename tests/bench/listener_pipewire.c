/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The listener at a PipeWire sink. It is part of the graph: in each round it is
 * given the block that the sink is given, by a thread of the library's with
 * realtime priority.
 *
 * It asks for no latency. The graph's rounds are as long as the most demanding
 * stream wants them; if that were the listener, it would measure itself.
 */
#include <errno.h>
#include <pipewire/pipewire.h>
#include <spa/param/audio/format-utils.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "bench/listener.h"

enum { FRAME_BYTES = 4 };

struct listener_at_pipewire {
    struct listener listener;
    struct pw_thread_loop *loop;
    struct pw_context *context;
    struct pw_core *core;
    struct pw_stream *stream;
    struct spa_hook hook;
    bool ending; /* of the loop's thread, or under its lock */
};

static void on_process(void *opaque)
{
    struct listener_at_pipewire *l = opaque;
    uint64_t now = clock_now_ns();
    struct pw_buffer *buffer;

    while ((buffer = pw_stream_dequeue_buffer(l->stream))) {
        const struct spa_data *data = &buffer->buffer->datas[0];

        if (data->data && data->chunk->offset + data->chunk->size <= data->maxsize) {
            listener_take(&l->listener, (const uint8_t *)data->data + data->chunk->offset,
                          data->chunk->size / FRAME_BYTES, now);
        }
        pw_stream_queue_buffer(l->stream, buffer);
    }
}

/* It was linked and no longer is, or could not be. */
static void on_state(void *opaque, enum pw_stream_state before, enum pw_stream_state state,
                     const char *error)
{
    struct listener_at_pipewire *l = opaque;

    if (!l->ending && (state == PW_STREAM_STATE_ERROR ||
                       (state < PW_STREAM_STATE_PAUSED && before >= PW_STREAM_STATE_PAUSED))) {
        fprintf(stderr, "measure: the sound server: %s\n", error ? error : "the sink is gone");
        atomic_store(&l->listener.failed, true);
    }
}

static const struct pw_stream_events events = {
    PW_VERSION_STREAM_EVENTS,
    .process = on_process,
    .state_changed = on_state,
};

static int connect_to_sink(struct listener_at_pipewire *l, const char *sink)
{
    struct spa_audio_info_raw info = {
        .format = SPA_AUDIO_FORMAT_S16_LE,
        .rate = BENCH_RATE,
        .channels = 2,
        .position = {SPA_AUDIO_CHANNEL_FL, SPA_AUDIO_CHANNEL_FR},
    };
    uint8_t buffer[1024];
    struct spa_pod_builder builder = SPA_POD_BUILDER_INIT(buffer, sizeof(buffer));
    const struct spa_pod *params[] = {
        spa_format_audio_raw_build(&builder, SPA_PARAM_EnumFormat, &info),
    };

    /* The file of settings that makes the library's threads realtime. */
    l->context = pw_context_new(pw_thread_loop_get_loop(l->loop),
                                pw_properties_new(PW_KEY_CONFIG_NAME, "client-rt.conf", NULL), 0);
    l->core = l->context ? pw_context_connect(l->context, NULL, 0) : NULL;
    l->stream =
        l->core ? pw_stream_new(l->core, "bench",
                                pw_properties_new(PW_KEY_MEDIA_TYPE, "Audio", PW_KEY_MEDIA_CATEGORY,
                                                  "Capture", PW_KEY_TARGET_OBJECT, sink,
                                                  PW_KEY_STREAM_CAPTURE_SINK, "true",
                                                  PW_KEY_NODE_DONT_RECONNECT, "true", NULL))
                : NULL;
    if (!l->stream) {
        return -errno;
    }
    pw_stream_add_listener(l->stream, &l->hook, &events, l);
    return pw_stream_connect(l->stream, PW_DIRECTION_INPUT, PW_ID_ANY,
                             PW_STREAM_FLAG_AUTOCONNECT | PW_STREAM_FLAG_MAP_BUFFERS |
                                 PW_STREAM_FLAG_RT_PROCESS,
                             params, 1);
}

static void stop(struct listener *listener)
{
    struct listener_at_pipewire *l = (struct listener_at_pipewire *)listener;

    pw_thread_loop_lock(l->loop);
    l->ending = true;
    pw_stream_disconnect(l->stream);
    pw_thread_loop_unlock(l->loop);
}

static void disconnect(struct listener *listener)
{
    struct listener_at_pipewire *l = (struct listener_at_pipewire *)listener;

    pw_thread_loop_stop(l->loop);
    pw_stream_destroy(l->stream);
    pw_core_disconnect(l->core);
    pw_context_destroy(l->context);
    pw_thread_loop_destroy(l->loop);
    free(l);
}

struct listener *listener_pipewire(const char *sink, unsigned seconds)
{
    struct listener_at_pipewire *l = calloc(1, sizeof(*l));
    int result;

    unsetenv("PIPEWIRE_LATENCY"); /* it would be the listener's too */
    pw_init(NULL, NULL);
    if (!l || !(l->loop = pw_thread_loop_new("bench", NULL))) {
        fprintf(stderr, "measure: no memory for the listener\n");
        return NULL;
    }
    if (!listener_init(&l->listener, seconds)) {
        return NULL;
    }
    l->listener.stop = stop;
    l->listener.free = disconnect;
    pw_thread_loop_lock(l->loop);
    result = connect_to_sink(l, sink);
    pw_thread_loop_unlock(l->loop);
    if (result < 0 || pw_thread_loop_start(l->loop) < 0) {
        fprintf(stderr, "measure: cannot record from the sink's monitor: %s\n",
                strerror(result < 0 ? -result : errno));
        return NULL;
    }
    return listener_wait(&l->listener, sink) ? &l->listener : NULL;
}
