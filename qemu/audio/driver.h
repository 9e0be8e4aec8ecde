/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A host's sound system, as a stream's thread sees it: open, write, ask for
 * the delay, close. One file each in drivers/. All calls come from the one
 * thread of the stream and may block; none is realtime.
 */
#ifndef AUDIO_DRIVER_H
#define AUDIO_DRIVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "audio/settings.h"
#include "base/err.h"
#include "base/pcm.h"

struct audio_driver {
    const char *name;
    /* Default of out.latency, in microseconds. */
    uint32_t default_latency_us;

    /* Opens a sink for frames of this format. name is what the user sees in a mixer. NULL with
     * err set: not now; the stream tries again later. */
    void *(*open)(const struct audio_settings *settings, const char *name,
                  const struct pcm_format *format, struct err *err);
    /* Hands over whole frames; returns when the host has taken them. False with err set: the
     * sink is gone; the stream closes it and tries to open another. */
    bool (*write)(void *sink, const void *data, size_t frames, struct err *err);
    /* Nanoseconds until a frame written now would be heard. False: not known now. */
    bool (*delay)(void *sink, uint64_t *ns);
    void (*close)(void *sink);
};

/* The drivers built in, in the order of preference, ended by NULL. "none" and "wav" come last. */
extern const struct audio_driver *const audio_drivers[];

/* out.latency in frames of this format, at least one. */
uint32_t audio_latency_frames(const struct audio_settings *settings,
                              const struct pcm_format *format);

/* Frames that are handed over at a time: enough that it is not done all the time, few against the
 * latency. */
uint32_t audio_chunk_frames(const struct audio_settings *settings, const struct pcm_format *format);

/* NULL when this build has no such driver. */
const struct audio_driver *audio_driver_find(const char *name);

#endif
