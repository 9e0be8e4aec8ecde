/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One stream's connection to PipeWire. The stream's own thread runs its loop;
 * the frames change hands in a thread of the library's, which PipeWire's graph
 * wakes for each of its rounds.
 *
 * All but rt_pipewire_round is for one thread. Only opening blocks, for less
 * than a second.
 */
#ifndef AUDIO_DRIVERS_PIPEWIRE_CONNECTION_H
#define AUDIO_DRIVERS_PIPEWIRE_CONNECTION_H

#include <pipewire/pipewire.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/pcm.h"

struct pipewire_connection {
    struct pw_loop *loop;
    struct pw_context *context;
    struct pw_core *core;
    struct pw_stream *stream;
    struct spa_hook core_hook, stream_hook, process_hook;
    struct pw_stream_events process_events;
    const char *device; /* what the stream is for, in messages: "sink" or "source" */
    const char *target; /* its name, or NULL: the default one */
    bool gone;
    struct err why;                /* while gone */
    atomic_uint_fast64_t round_ns; /* when the last round came; 0: none yet */
};

struct pipewire_request {
    enum pw_direction direction; /* PW_DIRECTION_OUTPUT: to a sink */
    const char *target;          /* a node's name or serial number; NULL: the default */
    const char *name;            /* what the user sees in a mixer */
    struct pcm_format format;
    uint64_t block_ns; /* what a round is to take, about, and no more if it can be helped */
};

/* Connects, and waits until the graph has begun to run the stream. From then on, and before,
 * process is called in each round, by the library's thread; it calls rt_pipewire_round. False with
 * err set, and nothing to close. The connection must not move; target is the caller's, and outlives
 * it. */
bool pipewire_connection_open(struct pipewire_connection *c, const struct pipewire_request *request,
                              void (*process)(void *opaque), void *opaque, struct err *err);

/* False with err set: the server, the stream or what it was linked to has gone. */
bool pipewire_connection_alive(const struct pipewire_connection *c, struct err *err);

/* Works until one of the two descriptors is readable (-1: there is only one) or until_ns has come
 * (CLOCK_MONOTONIC; UINT64_MAX: for ever). False with err set: gone. */
bool pipewire_connection_wait(struct pipewire_connection *c, int fd, int other_fd,
                              uint64_t until_ns, struct err *err);

/* process is not called any more once this has returned. */
void pipewire_connection_close(struct pipewire_connection *c);

/* A round has come, now. */
void rt_pipewire_round(struct pipewire_connection *c, uint64_t now);

#endif
