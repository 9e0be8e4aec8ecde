/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One open /dev/dsp, to play to or to record from. It may be the kernel's, or
 * what a pre-loaded library puts in its place: PulseAudio's padsp (a socket,
 * behind which a thread of its own talks to the server) or alsa-oss's aoss (a
 * stand-in for an ALSA device).
 *
 * One thread a device. Only opening and closing wait.
 */
#ifndef AUDIO_DRIVERS_OSS_DEVICE_H
#define AUDIO_DRIVERS_OSS_DEVICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "audio/settings.h"
#include "base/err.h"
#include "base/pcm.h"

struct oss_device {
    int fd;
    const char *path;
    struct pcm_format format;
    uint32_t frame_bytes;
    uint32_t fragment_bytes; /* what it works in */
    uint32_t buffer_bytes;   /* what it takes until it is full; meaningful for one to play to */
};

struct oss_wish {
    const char *path;     /* NULL: /dev/dsp */
    int access;           /* O_WRONLY or O_RDONLY */
    uint64_t fragment_ns; /* it is asked to work in fragments of this at most, */
    uint64_t buffer_ns;   /* with room for this; what it does, struct oss_device says */
    uint64_t silence_ns;  /* one to play to begins with so much silence, or two fragments */
};

/* False with err set, and nothing to close. One to play to has begun to play; one to record from
 * may still be connecting. */
bool oss_device_open(struct oss_device *d, const struct oss_wish *wish,
                     const struct audio_settings *settings, const struct pcm_format *format,
                     struct err *err);

/* What it would take without waiting, in bytes; negative: not known now. False: the device is
 * gone. */
bool oss_device_room(const struct oss_device *d, int *bytes);

/* Silence in the device's format, and how many frames of it there are. */
const void *oss_device_silence(const struct oss_device *d, size_t *frames);

/* What read or write has returned (with errno), as whole frames: 0 where nothing could be
 * transferred now. -1 with err set: the device is gone. */
long oss_device_frames(const struct oss_device *d, ssize_t bytes, struct err *err);

/* What is still queued is not played. */
void oss_device_close(struct oss_device *d);

#endif
