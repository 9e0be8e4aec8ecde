/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A host's sound system, as a stream's thread sees it: open, write, ask how
 * far it is, wait, close. One file each in drivers/. All calls come from the
 * one thread of the stream; only open may block.
 */
#ifndef AUDIO_DRIVER_H
#define AUDIO_DRIVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "audio/settings.h"
#include "base/err.h"
#include "base/pcm.h"

struct audio_sink_state {
    /* When a frame written now would be heard, CLOCK_MONOTONIC in nanoseconds; before now: the sink
     * has nothing to play. Goes on from the last answer of the host by what was written since. */
    uint64_t heard_ns;
    /* Counts the host's answers, so that a new one can be told from the last. */
    unsigned answers;
    /* What the sink takes from its queue at a time, in nanoseconds: with less in it, it runs dry.
     */
    uint64_t block_ns;
    /* Times that it ran dry, at the ends of sounds too. */
    uint64_t underruns;
};

/* A host's sound system as a source. Calls come from the one thread of the capture, which may block
 * only in open. */
struct audio_recorder {
    /* Opens a source of frames of this format, which is 16 bits, stereo. name is what the user sees
     * in a mixer. NULL with err set: not now; the capture tries again later. */
    void *(*open)(const struct audio_settings *settings, const char *name,
                  const struct pcm_format *format, struct err *err);
    /* Takes what has come, at most frames; returns how many (0: none now), or -1 with err set: the
     * source is gone. Never waits. */
    long (*read)(void *source, void *data, size_t frames, struct err *err);
    /* Waits until there is something to read, fd is readable or until_ns (CLOCK_MONOTONIC;
     * UINT64_MAX: never) has come. fd: the same at each call. False with err set: the source is
     * gone. */
    bool (*wait)(void *source, int fd, uint64_t until_ns, struct err *err);
    void (*close)(void *source);
};

struct audio_driver {
    const char *name;
    /* Default of out.latency and in.latency, in microseconds. */
    uint32_t default_latency_us;

    /* Opens a sink for frames of this format. name is what the user sees in a mixer. NULL with
     * err set: not now; the stream tries again later. */
    void *(*open)(const struct audio_settings *settings, const char *name,
                  const struct pcm_format *format, struct err *err);
    /* Hands over whole frames and returns how many the host has taken: fewer, or none, when it has
     * as many as it wants. A sink that has run dry plays on with the first that comes. -1 with err
     * set: the sink is gone; the stream closes it and tries to open another. */
    long (*write)(void *sink, const void *data, size_t frames, struct err *err);
    /* False: nothing is ever heard, so there is no time at which it would be. */
    bool (*state)(void *sink, struct audio_sink_state *state);
    /* Lets the host's connection work until fd is readable or until_ns has come (CLOCK_MONOTONIC;
     * UINT64_MAX: for ever). False with err set: the sink is gone. NULL: there is nothing to do
     * meanwhile. */
    bool (*wait)(void *sink, int fd, uint64_t until_ns, struct err *err);
    void (*close)(void *sink);

    const struct audio_recorder *recorder; /* NULL: it cannot record */
};

/* The drivers built in, in the order of preference, ended by NULL. "none" and "wav" come last. */
extern const struct audio_driver *const audio_drivers[];

/* out.latency in frames of this format, at least one. */
uint32_t audio_latency_frames(const struct audio_settings *settings,
                              const struct pcm_format *format);

/* The time between two pieces of sound on their way to the host, in nanoseconds: short against the
 * latency, long enough that the work does not count. */
uint64_t audio_chunk_ns(const struct audio_settings *settings);

/* The longest latency that underruns may stretch it to, in nanoseconds. */
uint64_t audio_longest_ns(const struct audio_settings *settings);

/* Whether there is the folder in which a user's servers have their sockets ($XDG_RUNTIME_DIR):
 * before its user is logged in there is none, and libraries that look for it say so each time. A
 * driver asks before it opens what is not said to be elsewhere. False with err set. */
bool audio_user_is_here(struct err *err);

/* NULL when this build has no such driver. */
const struct audio_driver *audio_driver_find(const char *name);

#endif
