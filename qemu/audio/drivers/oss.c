/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * -audiodev oss: the kernel's /dev/dsp, or padsp or aoss in its place.
 *
 * OSS programs fill the device's buffer to the brim, which under an emulation
 * may be seconds. Here the queue holds what the latency asks for and no more,
 * which is up to the player; the buffer is but its bound.
 *
 * While the device is open it always plays, silence between the sounds: once it
 * has run dry, aoss connects to its sound server anew, which takes a twentieth
 * of a second of the next sound, and what padsp says of its delay is worth
 * nothing for as long.
 */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/soundcard.h>
#include <time.h>
#include <unistd.h>

#include "audio/driver.h"
#include "audio/drivers/oss_device.h"
#include "audio/drivers/oss_source.h"
#include "audio/drivers/oss_timing.h"
#include "base/clock.h"
#include "base/fds.h"

/* The device is asked this often for how far it is. */
#define ASK_NS (20 * NS_PER_MS)
/* An answer that took longer is too vague, unless there is no better one. */
#define VAGUE_NS (1 * NS_PER_MS)
enum { ASK_TIMES = 3 };

/* What it takes to wake up and write. */
#define WAKE_NS (NS_PER_MS / 2)
/* The first sound waits no longer for the silence before it. */
#define FILL_NS (100 * NS_PER_MS)

struct oss_sink {
    struct oss_device device;
    struct oss_timing timing;
    uint64_t asked_ns;
    uint64_t chunk_ns;
    uint64_t silence_ns; /* what is queued between the sounds: this, less a chunk at most */
};

static uint64_t queued_ns(const struct oss_sink *sink, uint64_t now)
{
    return sink->timing.state.heard_ns > now ? sink->timing.state.heard_ns - now : 0;
}

/* With less queued it runs dry before anything can be done about it. */
static uint64_t low_ns(const struct oss_sink *sink)
{
    return sink->timing.state.block_ns + WAKE_NS;
}

/* A thread that was stopped in between asks again. */
static void ask(struct oss_sink *sink)
{
    uint64_t after;
    int room, delay;

    for (int i = 0; i < ASK_TIMES; i++) {
        sink->asked_ns = clock_now_ns();
        if (!oss_device_room(&sink->device, &room) || room < 0) {
            return; /* writing tells whether it is gone */
        }
        if (ioctl(sink->device.fd, SNDCTL_DSP_GETODELAY, &delay) < 0) {
            delay = 0;
        }
        after = clock_now_ns();
        if (after - sink->asked_ns <= VAGUE_NS) {
            break;
        }
    }
    oss_timing_answer(&sink->timing, after, room, delay);
}

static long write_frames(struct oss_sink *sink, const void *data, size_t frames, bool sound,
                         struct err *err)
{
    size_t bytes = frames * sink->device.frame_bytes;
    long n = oss_device_frames(&sink->device, write(sink->device.fd, data, bytes), err);

    if (n > 0) {
        oss_timing_wrote(&sink->timing, clock_now_ns(), (uint64_t)n * sink->device.frame_bytes,
                         sound);
    }
    return n;
}

/* As far as there is room. False with err set: gone. */
static bool write_silence(struct oss_sink *sink, uint64_t ns, struct err *err)
{
    uint64_t left = ns * sink->device.format.rate / NS_PER_S;
    size_t most;
    const void *silence = oss_device_silence(&sink->device, &most);

    while (left > 0) {
        long n = write_frames(sink, silence, left < most ? left : most, false, err);

        if (n <= 0) {
            return n == 0;
        }
        left -= (uint64_t)n;
    }
    return true;
}

/* What is queued must be more than this, or silence is added. In a sound that is too late for what
 * should have come, so that nothing is lost by it. */
static uint64_t floor_ns(const struct oss_sink *sink)
{
    return sink->timing.sounding ? low_ns(sink) : sink->silence_ns - sink->chunk_ns;
}

static bool keep_playing(struct oss_sink *sink, struct err *err)
{
    uint64_t now = clock_now_ns();

    if (queued_ns(sink, now) > floor_ns(sink)) {
        return true;
    }
    ask(sink);
    if (queued_ns(sink, now) > floor_ns(sink)) {
        return true;
    }
    oss_timing_ran_dry(&sink->timing);
    return write_silence(sink, sink->silence_ns - queued_ns(sink, now), err);
}

/* padsp's socket holds little, so that takes several writes. */
static bool fill_with_silence(struct oss_sink *sink, struct err *err)
{
    static const struct timespec nap = {0, NS_PER_MS};
    uint64_t until = clock_now_ns() + FILL_NS;

    while (keep_playing(sink, err)) {
        uint64_t now = clock_now_ns();

        if (queued_ns(sink, now) > floor_ns(sink) || now >= until) {
            return true;
        }
        nanosleep(&nap, NULL);
    }
    return false;
}

static void *oss_open(const struct audio_settings *settings, const char *name,
                      const struct pcm_format *format, struct err *err)
{
    uint64_t latency = settings->out_latency_us * NS_PER_US, chunk = audio_chunk_ns(settings);
    const struct oss_wish wish = {
        .path = settings->sink,
        .access = O_WRONLY,
        .fragment_ns = chunk,
        .buffer_ns = 2 * audio_longest_ns(settings),
        .silence_ns = latency,
    };
    struct oss_sink *sink = calloc(1, sizeof(*sink));

    (void)name; /* OSS has no mixer that would show it */
    if (!sink) {
        err_set(err, "no memory for an OSS device");
        return NULL;
    }
    if (!oss_device_open(&sink->device, &wish, settings, format, err)) {
        free(sink);
        return NULL;
    }
    oss_timing_init(&sink->timing, format, sink->device.fragment_bytes, sink->device.buffer_bytes);
    sink->chunk_ns = chunk;
    sink->silence_ns = latency > low_ns(sink) + chunk ? latency : low_ns(sink) + chunk;
    if (!fill_with_silence(sink, err)) {
        oss_device_close(&sink->device);
        free(sink);
        return NULL;
    }
    return sink;
}

static long oss_write(void *opaque, const void *data, size_t frames, struct err *err)
{
    return write_frames(opaque, data, frames, true, err);
}

static bool oss_state(void *opaque, struct audio_sink_state *state)
{
    struct oss_sink *sink = opaque;
    uint64_t now = clock_now_ns();

    if (now - sink->asked_ns >= ASK_NS || queued_ns(sink, now) <= low_ns(sink)) {
        ask(sink);
    }
    *state = sink->timing.state;
    return true;
}

static bool oss_wait(void *opaque, int fd, uint64_t until_ns, struct err *err)
{
    struct oss_sink *sink = opaque;
    uint64_t now, low_at;

    if (!keep_playing(sink, err)) {
        return false;
    }
    now = clock_now_ns();
    low_at = sink->timing.state.heard_ns - floor_ns(sink);
    /* One that takes nothing now is tried again in a while. */
    low_at = low_at > now + NS_PER_MS ? low_at : now + NS_PER_MS;
    until_ns = until_ns < low_at ? until_ns : low_at;
    wait_for_fd(fd, until_ns > now ? until_ns - now : 0);
    return true;
}

static void oss_close(void *opaque)
{
    struct oss_sink *sink = opaque;

    oss_device_close(&sink->device);
    free(sink);
}

const struct audio_driver audio_driver_oss = {
    .name = "oss",
    .default_latency_us = 20000,
    .open = oss_open,
    .write = oss_write,
    .state = oss_state,
    .wait = oss_wait,
    .close = oss_close,
    .recorder = &oss_recorder,
};
