/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "audio/drivers/oss_device.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/soundcard.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"

/* OSS 4's, which the C library's header of OSS 3 does not know; others refuse it. */
#ifndef SNDCTL_DSP_POLICY
#define SNDCTL_DSP_POLICY _IOW('P', 45, int)
#endif

/* A rate that is off by more than one part in so many is heard. */
enum { RATE_TOLERANCE = 200 };

/* A fragment is two to the power of this, in bytes. Of less than 64 frames aoss makes its largest
 * buffer, and of that a few fragments. */
enum { MIN_SHIFT = 8, MAX_SHIFT = 16, MIN_FRAGMENTS = 2, MAX_FRAGMENTS = 0x7ffe };

/* A device that has not begun to play by then will not. */
#define PLAY_NS (500 * NS_PER_MS)
/* What padsp may take to begin to connect. */
#define CONNECT_NS (100 * NS_PER_MS)

static const struct timespec nap = {0, NS_PER_MS};

/* One device at a time is opened or closed: aoss keeps those of a process in a list that has no
 * lock, and there is but one of the following. */
static pthread_mutex_t opening = PTHREAD_MUTEX_INITIALIZER;

/*
 * padsp does not say what latency it wants to record with, and PulseAudio then
 * gives two seconds of sound every two seconds, of which padsp loses most; what
 * its library finds in this variable, when a stream is made, goes instead. For a
 * stream to play to it must find nothing: the queue would be made so long, and
 * be filled before it begins. The text is part of the environment from the first
 * opening on, so that other threads may read that while this changes.
 */
static char latency[] = "PULSE_LATENCY_MSEC=\0          ";
enum { LATENCY_NAME = sizeof("PULSE_LATENCY_MSEC=") - 1 };

/* 0: none. */
static void set_latency(uint64_t ns)
{
    char value[sizeof(latency) - LATENCY_NAME] = "";

    if (ns > 0) {
        snprintf(value, sizeof(value), "%u", (unsigned)(ns / NS_PER_MS) + 1);
    }
    memcpy(latency + LATENCY_NAME, value, sizeof(value));
}

static bool cannot_open(const char *path, int error, struct err *err)
{
    switch (error) {
    case ENOENT:
    case ENODEV:
    case ENXIO:
        return err_set(err,
                       "there is no OSS sound device %s: load the kernel's (modprobe snd-pcm-oss), "
                       "pre-load padsp's or aoss's library as qemu-dm(8) shows, or play to the "
                       "sound server itself with -audiodev pa",
                       path);
    case ECONNREFUSED:
        return err_set(err,
                       "%s is PulseAudio's, by padsp or aoss, and the server does not answer. Is "
                       "it running? PULSE_SERVER names the socket of another user's: "
                       "unix:/run/user/1000/pulse/native",
                       path);
    case EBUSY:
        return err_set(err,
                       "%s is in use: end the program that plays or records there, or choose "
                       "another device with out.dev= and in.dev=",
                       path);
    case EACCES:
    case EPERM:
        return err_set(err,
                       "%s may not be opened by this user: add it to the group that may "
                       "(audio, on most systems), or change the device's permissions",
                       path);
    default:
        return err_set(err, "cannot open %s: %s", path, strerror(error));
    }
}

static uint32_t bytes_of(const struct oss_device *d, uint64_t ns)
{
    return (uint32_t)(ns * d->format.rate / NS_PER_S) * d->frame_bytes;
}

/* Before everything else, for the device may settle on what it has once it knows the format. */
static void set_fragments(const struct oss_device *d, uint64_t fragment_ns, uint64_t buffer_ns)
{
    uint32_t bytes = bytes_of(d, fragment_ns), shift = MIN_SHIFT, count;
    int value;

    while (shift < MAX_SHIFT && 2u << shift <= bytes) {
        shift++;
    }
    count = bytes_of(d, buffer_ns) / (1u << shift) + 1;
    count = count < MIN_FRAGMENTS ? MIN_FRAGMENTS : count > MAX_FRAGMENTS ? MAX_FRAGMENTS : count;
    value = (int)(count << 16 | shift);
    /* A wish: what has come of it is asked for at the end. */
    ioctl(d->fd, SNDCTL_DSP_SETFRAGMENT, &value);
}

static bool set_format(const struct oss_device *d, struct err *err)
{
    const struct pcm_format *f = &d->format;
    int bits = f->bits == 8 ? AFMT_U8 : AFMT_S16_LE, channels = f->channels, rate = (int)f->rate;
    int wanted = bits;
    uint32_t off;

    if (ioctl(d->fd, SNDCTL_DSP_SETFMT, &bits) < 0 || bits != wanted) {
        return err_set(err,
                       "%s does not take samples of %u bits; use -audiodev alsa or pa, which "
                       "convert them",
                       d->path, f->bits);
    }
    if (ioctl(d->fd, SNDCTL_DSP_CHANNELS, &channels) < 0 || channels != f->channels) {
        return err_set(err,
                       "%s does not take %u channels; use -audiodev alsa or pa, which convert "
                       "them",
                       d->path, f->channels);
    }
    if (ioctl(d->fd, SNDCTL_DSP_SPEED, &rate) < 0 || rate <= 0) {
        return err_set(err, "%s does not take %u Hz; use -audiodev alsa or pa, which convert it",
                       d->path, f->rate);
    }
    off = (uint32_t)rate > f->rate ? (uint32_t)rate - f->rate : f->rate - (uint32_t)rate;
    return off <= f->rate / RATE_TOLERANCE ||
           err_set(err,
                   "%s does not take %u Hz but only %d; use -audiodev alsa or pa, which "
                   "convert it",
                   d->path, f->rate, rate);
}

static bool get_sizes(struct oss_device *d, int access, struct err *err)
{
    audio_buf_info info;

    if (ioctl(d->fd, access == O_RDONLY ? SNDCTL_DSP_GETISPACE : SNDCTL_DSP_GETOSPACE, &info) < 0) {
        return err_set(err, "%s does not say what it has room for: %s", d->path, strerror(errno));
    }
    /* padsp's bytes mean nothing while it connects a stream, which it does at once to record. */
    if (info.fragsize <= 0 || (access == O_WRONLY && info.bytes < info.fragsize)) {
        return err_set(err,
                       "%s says that it works in pieces of %d bytes and has room for %d; use "
                       "-audiodev alsa or pa",
                       d->path, info.fragsize, info.bytes);
    }
    d->fragment_bytes = (uint32_t)info.fragsize;
    d->buffer_bytes = (uint32_t)info.bytes;
    return true;
}

/* Writes what it takes of the frames that are left. False with err set: gone. */
static bool write_silence(const struct oss_device *d, size_t *left, struct err *err)
{
    size_t frames;
    const void *silence = oss_device_silence(d, &frames);
    long n;

    do {
        frames = *left < frames ? *left : frames;
        n = oss_device_frames(d, write(d->fd, silence, frames * d->frame_bytes), err);
        *left -= n > 0 ? (size_t)n : 0;
    } while (n > 0 && *left > 0);
    return n >= 0;
}

/* Returns when the device has taken some of the silence: it plays. padsp connects its stream only
 * when there is something to play, and takes little of it before. */
static bool begin_to_play(const struct oss_device *d, uint64_t silence_ns, struct err *err)
{
    uint64_t until = clock_now_ns() + PLAY_NS;
    size_t fragments = 2 * d->fragment_bytes / d->frame_bytes;
    size_t left = (size_t)(silence_ns * d->format.rate / NS_PER_S);
    int room, least = INT_MAX;

    left = left > fragments ? left : fragments;
    while (clock_now_ns() < until) {
        size_t before = left;

        if (left > 0 && !write_silence(d, &left, err)) {
            return false;
        }
        if (!oss_device_room(d, &room)) {
            return err_set(err, "%s has gone away at once: is there a sink?", d->path);
        }
        if (left == before && room > least) {
            return true;
        }
        least = room < 0 ? INT_MAX : room;
        nanosleep(&nap, NULL);
    }
    return err_set(err, "%s does not play what it is given: is its sink suspended?", d->path);
}

static bool is_padsp(const struct oss_device *d)
{
    struct stat stat;

    return fstat(d->fd, &stat) == 0 && S_ISSOCK(stat.st_mode);
}

/* Until padsp makes the stream: while it connects, less than nothing has come. */
static void wait_for_padsp(const struct oss_device *d)
{
    uint64_t until = clock_now_ns() + CONNECT_NS;
    audio_buf_info info = {.bytes = 0};

    while (ioctl(d->fd, SNDCTL_DSP_GETISPACE, &info) == 0 && info.bytes == 0 &&
           clock_now_ns() < until) {
        nanosleep(&nap, NULL);
    }
}

static void close_device(struct oss_device *d)
{
    /* Or closing waits until all has been heard, which a server that hangs makes for ever. */
    ioctl(d->fd, SNDCTL_DSP_RESET, 0);
    close(d->fd);
}

static bool set_up(struct oss_device *d, const struct oss_wish *wish,
                   const struct audio_settings *settings, struct err *err)
{
    int policy = settings->dsp_policy;

    if (policy < 0 || ioctl(d->fd, SNDCTL_DSP_POLICY, &policy) < 0) {
        set_fragments(d, wish->fragment_ns, wish->buffer_ns);
    }
    return set_format(d, err) && get_sizes(d, wish->access, err);
}

static bool set_up_to_record(struct oss_device *d, const struct oss_wish *wish,
                             const struct audio_settings *settings, struct err *err)
{
    bool ok;

    if (!is_padsp(d)) {
        return set_up(d, wish, settings, err);
    }
    /* It makes the stream anew at each setting. */
    set_latency(wish->fragment_ns);
    ok = set_up(d, wish, settings, err);
    if (ok) {
        wait_for_padsp(d);
    }
    set_latency(0);
    return ok;
}

static bool set_up_to_play(struct oss_device *d, const struct oss_wish *wish,
                           const struct audio_settings *settings, struct err *err)
{
    return set_up(d, wish, settings, err) && begin_to_play(d, wish->silence_ns, err);
}

struct opening {
    const char *path;
    int flags;
    int fd;
    int error;
};

/* The third argument of open is for aoss: without it a fortified program may call __open_2, which
 * aoss does not know. */
static void *open_path(void *opaque)
{
    struct opening *o = opaque;

    o->fd = open(o->path, o->flags, 0);
    o->error = errno;
    return NULL;
}

/*
 * In a thread that is not realtime, and so neither are those that padsp and aoss
 * start: padsp's runs round and round while it waits for the server to connect
 * its stream, and must not keep the server, or the card, from the processor.
 */
static bool open_unhurried(struct opening *o, struct err *err)
{
    const struct sched_param none = {0};
    pthread_attr_t attr;
    pthread_t thread;
    int error = pthread_attr_init(&attr);

    if (!error) {
        pthread_attr_setinheritsched(&attr, PTHREAD_EXPLICIT_SCHED);
        pthread_attr_setschedpolicy(&attr, SCHED_OTHER);
        pthread_attr_setschedparam(&attr, &none);
        error = pthread_create(&thread, &attr, open_path, o);
        pthread_attr_destroy(&attr);
    }
    if (error) {
        return err_set(err, "cannot start a thread that opens %s: %s", o->path, strerror(error));
    }
    pthread_join(thread, NULL);
    return true;
}

/* It must not wait. padsp heeds the flag and refuses the request; OSS 4 heeds the request. */
static bool open_device(struct oss_device *d, int access, const struct audio_settings *settings,
                        struct err *err)
{
    struct opening o = {
        .path = d->path,
        .flags = access | O_NONBLOCK | O_CLOEXEC | (settings->exclusive ? O_EXCL : 0),
        .fd = -1,
    };

    if (!open_unhurried(&o, err)) {
        return false;
    }
    d->fd = o.fd;
    if (d->fd < 0) {
        return cannot_open(d->path, o.error, err);
    }
    ioctl(d->fd, SNDCTL_DSP_NONBLOCK);
    return true;
}

bool oss_device_open(struct oss_device *d, const struct oss_wish *wish,
                     const struct audio_settings *settings, const struct pcm_format *format,
                     struct err *err)
{
    bool ok;

    *d = (struct oss_device){
        .fd = -1,
        .path = wish->path ? wish->path : "/dev/dsp",
        .format = *format,
        .frame_bytes = pcm_frame_bytes(format),
    };
    pthread_mutex_lock(&opening);
    ok = putenv(latency) == 0 || err_set(err, "no memory for an OSS device");
    ok = ok && open_device(d, wish->access, settings, err);
    if (ok &&
        !(wish->access == O_RDONLY ? set_up_to_record : set_up_to_play)(d, wish, settings, err)) {
        close_device(d);
        ok = false;
    }
    pthread_mutex_unlock(&opening);
    return ok;
}

bool oss_device_room(const struct oss_device *d, int *bytes)
{
    audio_buf_info info;

    if (ioctl(d->fd, SNDCTL_DSP_GETOSPACE, &info) < 0) {
        return false;
    }
    *bytes = info.bytes; /* negative, while padsp connects a stream */
    return true;
}

const void *oss_device_silence(const struct oss_device *d, size_t *frames)
{
    static const uint8_t zero[1024], middle[1024] = {[0 ... 1023] = 0x80};

    *frames = sizeof(zero) / d->frame_bytes;
    return d->format.bits == 8 ? middle : zero;
}

long oss_device_frames(const struct oss_device *d, ssize_t bytes, struct err *err)
{
    if (bytes < 0) {
        if (errno == EAGAIN || errno == EINTR) {
            return 0;
        }
        err_set(err, "%s has gone away: %s", d->path, strerror(errno));
        return -1;
    }
    if (bytes % d->frame_bytes != 0) {
        err_set(err, "%s has cut a frame in two", d->path);
        return -1;
    }
    return bytes / d->frame_bytes;
}

void oss_device_close(struct oss_device *d)
{
    pthread_mutex_lock(&opening);
    close_device(d);
    pthread_mutex_unlock(&opening);
}
