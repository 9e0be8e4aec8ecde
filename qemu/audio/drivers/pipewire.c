/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * -audiodev pipewire: PipeWire by its own library.
 *
 * PipeWire's graph runs in rounds, in each of which the stream gives a block of
 * frames at once. They are fetched by a thread of the library's, straight from
 * a ring that the stream's thread fills:
 *
 *   pipewire_write --> ring --> rt_give, in each round --> the graph, the sink
 *
 * Nothing else is queued in between, so a frame is late by a block, by the time
 * until it is in the ring, and by what the sink itself holds. The block is asked
 * to be a third of out.latency, but no shorter than a graph can keep up with on
 * an ordinary machine (PIPEWIRE_LATENCY overrules that); the smallest
 * that any of the graph's streams has asked for counts, within the bounds of the
 * server's configuration.
 *
 * A round that finds too little plays that, and silence; the next frame that
 * comes goes into the next round, so none is lost. Nor is one where the library's
 * thread comes too late for a round: then the sink has heard silence, but that is
 * no underrun, for more in the ring would not have helped.
 */
#include <stdlib.h>
#include <string.h>

#include "audio/driver.h"
#include "audio/drivers/pipewire_clock.h"
#include "audio/drivers/pipewire_connection.h"
#include "audio/drivers/pipewire_source.h"
#include "audio/ring.h"
#include "base/clock.h"
#include "base/realtime.h"

/* 64 frames at 44.1 kHz; rounds twice as many, of half of that, were late by the hundred a minute.
 */
#define LEAST_BLOCK_NS (NS_PER_MS * 3 / 2)
/* Rounds come hundreds of times a second; the player is told of one this often. */
#define ANSWER_NS (20 * NS_PER_MS)

struct pipewire_sink {
    struct pipewire_connection connection;
    struct pcm_format format;
    uint32_t frame_bytes;
    struct ring ring;
    struct pipewire_board board;

    struct pipewire_round round; /* the last seen */
    uint64_t answered_ns;        /* when the last that counts as an answer began */
    unsigned answers;

    struct {
        struct pipewire_round round; /* the last */
        int64_t graph_ns;            /* its time, as the graph has it */
        uint64_t block;              /* frames given in it */
        bool dry;                    /* too few of them were there */
    } rt;                            /* the library's thread's own */
};

static uint64_t frames_to_ns(const struct pipewire_sink *sink, uint64_t frames)
{
    return frames * NS_PER_S / sink->format.rate;
}

/* --- the library's thread --- */

/* So many frames are given now, and dry: not as many as wanted. When will they be heard? */
static void rt_tell(struct pipewire_sink *sink, uint32_t frames, bool dry)
{
    uint64_t now = clock_now_ns();
    struct pipewire_round *round = &sink->rt.round;
    struct pw_time time = {0};

    pw_stream_get_time_n(sink->connection.stream, &time, sizeof(time));
    /* A resampler may ask again in the same round. */
    sink->rt.block = time.now == sink->rt.graph_ns ? sink->rt.block + frames : frames;
    sink->rt.graph_ns = time.now;
    round->underruns += dry && !sink->rt.dry;
    sink->rt.dry = dry;
    round->block_ns = frames_to_ns(sink, sink->rt.block);
    round->begin_ns = pipewire_begin_ns(time.now, now, round->block_ns);
    round->behind_ns = pipewire_delay_ns(time.delay, time.rate.num, time.rate.denom) +
                       frames_to_ns(sink, time.buffered);
    round->taken = ring_read_count(&sink->ring) / sink->frame_bytes;
    rt_pipewire_post(&sink->board, round);
    rt_pipewire_round(&sink->connection, now);
}

static void rt_give(void *opaque)
{
    struct pipewire_sink *sink = opaque;
    struct pw_buffer *buffer = pw_stream_dequeue_buffer(sink->connection.stream);
    struct spa_data *data;
    uint32_t wanted, taken;
    RT_PATH();

    if (!buffer) {
        return;
    }
    data = &buffer->buffer->datas[0];
    wanted = data->data ? data->maxsize / sink->frame_bytes : 0;
    if (buffer->requested > 0 && buffer->requested < wanted) {
        wanted = (uint32_t)buffer->requested;
    }
    taken = (uint32_t)(ring_read(&sink->ring, data->data, (size_t)wanted * sink->frame_bytes) /
                       sink->frame_bytes);
    if (taken < wanted) {
        memset((uint8_t *)data->data + (size_t)taken * sink->frame_bytes,
               sink->format.bits == 8 ? 0x80 : 0, (size_t)(wanted - taken) * sink->frame_bytes);
    }
    data->chunk->offset = 0;
    data->chunk->stride = (int32_t)sink->frame_bytes;
    data->chunk->size = wanted * sink->frame_bytes;
    rt_tell(sink, wanted, taken < wanted);
    pw_stream_queue_buffer(sink->connection.stream, buffer);
}

/* --- the stream's thread --- */

/* More than the latency ever comes to: how full it gets is up to the player. A second is what the
 * longest blocks may need. */
static size_t ring_bytes(const struct audio_settings *settings, const struct pcm_format *format)
{
    uint64_t longest_ns = 2 * audio_longest_ns(settings) + NS_PER_S;
    size_t bytes = 1;

    while (bytes < longest_ns * format->rate / NS_PER_S * pcm_frame_bytes(format)) {
        bytes *= 2;
    }
    return bytes;
}

static void *pipewire_open(const struct audio_settings *settings, const char *name,
                           const struct pcm_format *format, struct err *err)
{
    uint64_t block_ns = settings->out_latency_us * NS_PER_US / 3;
    const struct pipewire_request request = {
        .direction = PW_DIRECTION_OUTPUT,
        .target = settings->sink,
        .name = name,
        .format = *format,
        .block_ns = block_ns > LEAST_BLOCK_NS ? block_ns : LEAST_BLOCK_NS,
    };
    struct pipewire_sink *sink = aligned_alloc(alignof(struct pipewire_sink), sizeof(*sink));

    if (sink) {
        memset(sink, 0, sizeof(*sink));
    }
    if (!sink || !ring_init(&sink->ring, ring_bytes(settings, format))) {
        free(sink);
        err_set(err, "no memory for a connection to PipeWire");
        return NULL;
    }
    sink->format = *format;
    sink->frame_bytes = pcm_frame_bytes(format);
    sink->rt.dry = true; /* nothing has been written yet */
    if (!pipewire_connection_open(&sink->connection, &request, rt_give, sink, err)) {
        ring_free(&sink->ring);
        free(sink);
        return NULL;
    }
    return sink;
}

static long pipewire_write(void *opaque, const void *data, size_t frames, struct err *err)
{
    struct pipewire_sink *sink = opaque;
    size_t room = rt_ring_room(&sink->ring) / sink->frame_bytes;

    if (!pipewire_connection_alive(&sink->connection, err)) {
        return -1;
    }
    frames = frames < room ? frames : room;
    rt_ring_write(&sink->ring, data, frames * sink->frame_bytes);
    return (long)frames;
}

/* The end of the queue is told from what was written and what the last round has taken, so that it
 * does not move while a round goes on. */
static bool pipewire_state(void *opaque, struct audio_sink_state *state)
{
    struct pipewire_sink *sink = opaque;
    struct pipewire_round *round = &sink->round;

    pipewire_read(&sink->board, round);
    if (round->begin_ns - sink->answered_ns >= ANSWER_NS) {
        sink->answered_ns = round->begin_ns;
        sink->answers++;
    }
    *state = (struct audio_sink_state){
        .heard_ns = pipewire_heard_ns(round, rt_ring_written(&sink->ring) / sink->frame_bytes,
                                      sink->format.rate, clock_now_ns()),
        .answers = sink->answers,
        /* What is behind the queue is in the delay too, and cannot be less. */
        .block_ns = round->block_ns + round->behind_ns,
        .underruns = round->underruns,
    };
    return true;
}

static bool pipewire_wait(void *opaque, int fd, uint64_t until_ns, struct err *err)
{
    struct pipewire_sink *sink = opaque;

    return pipewire_connection_wait(&sink->connection, fd, -1, until_ns, err);
}

static void pipewire_close(void *opaque)
{
    struct pipewire_sink *sink = opaque;

    pipewire_connection_close(&sink->connection);
    ring_free(&sink->ring);
    free(sink);
}

const struct audio_driver audio_driver_pipewire = {
    .name = "pipewire",
    .default_latency_us = 5000,
    .open = pipewire_open,
    .write = pipewire_write,
    .state = pipewire_state,
    .wait = pipewire_wait,
    .close = pipewire_close,
    .recorder = &pipewire_recorder,
};
