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

/* path NULL: /dev/dsp. access: O_WRONLY or O_RDONLY. It is asked to work in fragments of at most
 * fragment_ns, and for room for buffer_ns; what it does, the struct says. False with err set, and
 * nothing to close. */
bool oss_device_open(struct oss_device *d, const char *path, int access,
                     const struct audio_settings *settings, const struct pcm_format *format,
                     uint64_t fragment_ns, uint64_t buffer_ns, struct err *err);

/* What read or write has returned (with errno), as whole frames: 0 where nothing could be
 * transferred now. -1 with err set: the device is gone. */
long oss_device_frames(const struct oss_device *d, ssize_t bytes, struct err *err);

/* What is still queued is not played. */
void oss_device_close(struct oss_device *d);

#endif
