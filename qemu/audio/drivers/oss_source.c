/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * -audiodev oss as a source. The device is asked to work in fragments of a third
 * of the latency, and is read as they come.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "audio/driver.h"
#include "audio/drivers/oss_device.h"
#include "audio/drivers/oss_source.h"
#include "base/clock.h"

/* What may wait to be read while the program does something else. */
#define BUFFER_NS (200 * NS_PER_MS)

static void *oss_source_open(const struct audio_settings *settings, const char *name,
                             const struct pcm_format *format, struct err *err)
{
    struct oss_device *device = calloc(1, sizeof(*device));

    (void)name; /* OSS has no mixer that would show it */
    if (!device) {
        err_set(err, "no memory for an OSS device");
        return NULL;
    }
    if (!oss_device_open(device, settings->source, O_RDONLY, settings, format,
                         settings->in_latency_us * NS_PER_US / 3, BUFFER_NS, err)) {
        free(device);
        return NULL;
    }
    return device;
}

static long oss_source_read(void *opaque, void *data, size_t frames, struct err *err)
{
    struct oss_device *device = opaque;
    ssize_t n = read(device->fd, data, frames * device->frame_bytes);

    if (n == 0) {
        err_set(err,
                "%s has come to its end: the sound server behind it has gone, or has ended "
                "the stream",
                device->path);
        return -1;
    }
    return oss_device_frames(device, n, err);
}

/* By poll, which aoss stands in for; it does not for ppoll. */
static bool oss_source_wait(void *opaque, int fd, uint64_t until_ns, struct err *err)
{
    struct oss_device *device = opaque;
    struct pollfd fds[2] = {{.fd = device->fd, .events = POLLIN}, {.fd = fd, .events = POLLIN}};
    uint64_t now = clock_now_ns();
    uint64_t left_ms = until_ns > now ? (until_ns - now + NS_PER_MS - 1) / NS_PER_MS : 0;

    if (poll(fds, 2, left_ms > 60000 ? 60000 : (int)left_ms) < 0 && errno != EINTR) {
        return err_set(err, "cannot wait for %s: %s", device->path, strerror(errno));
    }
    return true; /* reading tells whether it is gone */
}

static void oss_source_close(void *opaque)
{
    struct oss_device *device = opaque;

    oss_device_close(device);
    free(device);
}

const struct audio_recorder oss_recorder = {
    .open = oss_source_open,
    .read = oss_source_read,
    .wait = oss_source_wait,
    .close = oss_source_close,
};
