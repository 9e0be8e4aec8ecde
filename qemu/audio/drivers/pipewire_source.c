/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * -audiodev pipewire as a source: a microphone, or what a sink plays
 * (in.name=SINK.monitor, as PulseAudio calls it).
 *
 * In each round of the graph a thread of the library's puts a block into a ring
 * and wakes the capture's thread. The block is asked to be half of in.latency.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "audio/driver.h"
#include "audio/drivers/pipewire_connection.h"
#include "audio/drivers/pipewire_source.h"
#include "audio/ring.h"
#include "base/clock.h"
#include "base/fds.h"
#include "base/realtime.h"

/* 0.7 seconds and more: what the capture's thread may be late by. */
enum { RING_BYTES = 1 << 17 };

struct pipewire_source {
    struct pipewire_connection connection;
    uint32_t frame_bytes;
    struct ring ring;
    int event_fd; /* readable: there was a round */
};

/* The library's thread. What there is no room for is lost: nobody has read for long. */
static void rt_put(struct pipewire_source *source, const uint8_t *from, size_t bytes)
{
    size_t room = rt_ring_room(&source->ring);

    bytes = bytes < room ? bytes : room;
    rt_ring_write(&source->ring, from, bytes - bytes % source->frame_bytes);
}

static void rt_get(void *opaque)
{
    struct pipewire_source *source = opaque;
    struct pw_buffer *buffer = pw_stream_dequeue_buffer(source->connection.stream);
    const struct spa_data *data;
    uint32_t offset;
    RT_PATH();

    if (!buffer) {
        return;
    }
    data = &buffer->buffer->datas[0];
    offset = data->chunk->offset < data->maxsize ? data->chunk->offset : data->maxsize;
    if (data->data) {
        rt_put(source, (const uint8_t *)data->data + offset,
               data->chunk->size < data->maxsize - offset ? data->chunk->size
                                                          : data->maxsize - offset);
    }
    pw_stream_queue_buffer(source->connection.stream, buffer);
    rt_pipewire_round(&source->connection, clock_now_ns());
    signal_fd(source->event_fd);
}

static void free_source(struct pipewire_source *source)
{
    if (source->event_fd >= 0) {
        close(source->event_fd);
    }
    ring_free(&source->ring);
    free(source);
}

static void *pipewire_source_open(const struct audio_settings *settings, const char *name,
                                  const struct pcm_format *format, struct err *err)
{
    const struct pipewire_request request = {
        .direction = PW_DIRECTION_INPUT,
        .target = settings->source,
        .name = name,
        .format = *format,
        .block_ns = settings->in_latency_us * NS_PER_US / 2,
    };
    struct pipewire_source *source =
        aligned_alloc(alignof(struct pipewire_source), sizeof(*source));

    if (!source) {
        err_set(err, "no memory for a connection to PipeWire");
        return NULL;
    }
    memset(source, 0, sizeof(*source));
    source->frame_bytes = pcm_frame_bytes(format);
    source->event_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (source->event_fd < 0 || !ring_init(&source->ring, RING_BYTES)) {
        err_set(err, "cannot make a ring for PipeWire's sound: %s", strerror(errno));
        free_source(source);
        return NULL;
    }
    if (!pipewire_connection_open(&source->connection, &request, rt_get, source, err)) {
        free_source(source);
        return NULL;
    }
    return source;
}

static long pipewire_source_read(void *opaque, void *data, size_t frames, struct err *err)
{
    struct pipewire_source *source = opaque;

    if (!pipewire_connection_alive(&source->connection, err)) {
        return -1;
    }
    return (long)(ring_read(&source->ring, data, frames * source->frame_bytes) /
                  source->frame_bytes);
}

static bool pipewire_source_wait(void *opaque, int fd, uint64_t until_ns, struct err *err)
{
    struct pipewire_source *source = opaque;

    if (!pipewire_connection_wait(&source->connection, fd, source->event_fd, until_ns, err)) {
        return false;
    }
    clear_fd(source->event_fd);
    return true;
}

static void pipewire_source_close(void *opaque)
{
    struct pipewire_source *source = opaque;

    pipewire_connection_close(&source->connection);
    free_source(source);
}

const struct audio_recorder pipewire_recorder = {
    .open = pipewire_source_open,
    .read = pipewire_source_read,
    .wait = pipewire_source_wait,
    .close = pipewire_source_close,
};
