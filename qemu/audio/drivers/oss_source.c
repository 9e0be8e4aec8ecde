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
#include "base/fds.h"

/* What may wait to be read while the program does something else. */
#define BUFFER_NS (200 * NS_PER_MS)

enum { LONGEST_MS = 60000 };

struct oss_source {
    struct oss_device device;
    bool idle; /* nothing has come since it was last waited for */
};

static void *oss_source_open(const struct audio_settings *settings, const char *name,
                             const struct pcm_format *format, struct err *err)
{
    const struct oss_wish wish = {
        .path = settings->source,
        .access = O_RDONLY,
        .fragment_ns = settings->in_latency_us * NS_PER_US / 3,
        .buffer_ns = BUFFER_NS,
    };
    struct oss_source *source = calloc(1, sizeof(*source));

    (void)name; /* OSS has no mixer that would show it */
    if (!source) {
        err_set(err, "no memory for an OSS device");
        return NULL;
    }
    if (!oss_device_open(&source->device, &wish, settings, format, err)) {
        free(source);
        return NULL;
    }
    return source;
}

static long oss_source_read(void *opaque, void *data, size_t frames, struct err *err)
{
    struct oss_source *source = opaque;
    ssize_t bytes = read(source->device.fd, data, frames * source->device.frame_bytes);
    long n;

    if (bytes == 0) {
        err_set(err,
                "%s has come to its end: the sound server behind it has gone, or has ended the "
                "stream",
                source->device.path);
        return -1;
    }
    n = oss_device_frames(&source->device, bytes, err);
    source->idle &= n == 0;
    return n;
}

/* By poll, which aoss stands in for; it does not for ppoll. aoss says that something has come until
 * the first has. */
static bool oss_source_wait(void *opaque, int fd, uint64_t until_ns, struct err *err)
{
    struct oss_source *source = opaque;
    struct pollfd fds[2] = {{.fd = source->device.fd, .events = POLLIN},
                            {.fd = fd, .events = POLLIN}};
    uint64_t now, left_ms;

    if (source->idle) {
        wait_for_fd(fd, NS_PER_MS);
    }
    source->idle = true;
    now = clock_now_ns();
    left_ms = until_ns > now ? (until_ns - now + NS_PER_MS - 1) / NS_PER_MS : 0;
    if (poll(fds, 2, left_ms > LONGEST_MS ? LONGEST_MS : (int)left_ms) < 0 && errno != EINTR) {
        return err_set(err, "cannot wait for %s: %s", source->device.path, strerror(errno));
    }
    return true; /* reading tells whether it is gone */
}

static void oss_source_close(void *opaque)
{
    struct oss_source *source = opaque;

    oss_device_close(&source->device);
    free(source);
}

const struct audio_recorder oss_recorder = {
    .open = oss_source_open,
    .read = oss_source_read,
    .wait = oss_source_wait,
    .close = oss_source_close,
};
