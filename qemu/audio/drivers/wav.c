/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * -audiodev wav,path=FILE.wav: what the guest plays, in a file; 'qemu.wav'
 * without a path.
 *
 * A WAV file has one format, and the card has two voices: each voice in each
 * format gets a file, FILE.wav for the first, FILE-2.wav for the next and so
 * on, and goes on at its end when it plays again. The silence between two
 * sounds is not recorded. The header is right after every write.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "audio/driver.h"

enum { HEADER_BYTES = 44, MAX_FILES = 16 };
/* The length fields have 32 bits, and one counts most of the header too. */
#define MAX_BYTES (UINT32_MAX - HEADER_BYTES)

struct wav_sink {
    int fd;
    struct pcm_format format;
    uint32_t bytes; /* of sound in the file */
    char path[4096];
};

/* The files of this process, by what is in them; under the lock, for each stream has a thread. */
static struct {
    char *name;
    struct pcm_format format;
} files[MAX_FILES];
static unsigned file_count;
static pthread_mutex_t files_lock = PTHREAD_MUTEX_INITIALIZER;

/* The number of the voice's file in this format, from 1; *is_new: it must be made. 0: there are too
 * many, or no memory. */
static unsigned number_of(const char *name, const struct pcm_format *format, bool *is_new)
{
    unsigned i;

    *is_new = false;
    pthread_mutex_lock(&files_lock);
    for (i = 0; i < file_count; i++) {
        if (strcmp(files[i].name, name) == 0 && pcm_format_equal(&files[i].format, format)) {
            break;
        }
    }
    if (i == file_count) {
        *is_new = i < MAX_FILES && (files[i].name = strdup(name));
        if (*is_new) {
            files[i].format = *format;
            file_count++;
        }
    }
    i = i < file_count ? i + 1 : 0;
    pthread_mutex_unlock(&files_lock);
    return i;
}

/* PATH, or PATH with -N before its extension. False: too long. */
static bool make_path(char *to, size_t size, const char *path, unsigned number)
{
    const char *slash = strrchr(path, '/');
    const char *dot = strrchr(path, '.');
    int stem = dot && dot > (slash ? slash + 1 : path) ? (int)(dot - path) : (int)strlen(path);
    int n = number == 1 ? snprintf(to, size, "%s", path)
                        : snprintf(to, size, "%.*s-%u%s", stem, path, number, path + stem);

    return n >= 0 && (size_t)n < size;
}

static void put_le(uint8_t *to, uint32_t value, unsigned bytes)
{
    for (unsigned i = 0; i < bytes; i++) {
        to[i] = (uint8_t)(value >> 8 * i);
    }
}

static bool put_header(const struct wav_sink *sink)
{
    const struct pcm_format *f = &sink->format;
    uint32_t frame_bytes = pcm_frame_bytes(f);
    uint8_t h[HEADER_BYTES] = "RIFF....WAVEfmt ....PC..rate....fbbsdata";

    put_le(h + 4, sink->bytes + HEADER_BYTES - 8, 4);
    put_le(h + 16, 16, 4); /* bytes of the format's description */
    put_le(h + 20, 1, 2);  /* PCM */
    put_le(h + 22, f->channels, 2);
    put_le(h + 24, f->rate, 4);
    put_le(h + 28, f->rate * frame_bytes, 4);
    put_le(h + 32, frame_bytes, 2);
    put_le(h + 34, f->bits, 2);
    memcpy(h + 36, "data", 4);
    put_le(h + 40, sink->bytes, 4);
    return pwrite(sink->fd, h, sizeof(h), 0) == (ssize_t)sizeof(h);
}

static void *wav_open(const struct audio_settings *settings, const char *name,
                      const struct pcm_format *format, struct err *err)
{
    struct wav_sink *sink = calloc(1, sizeof(*sink));
    bool is_new;
    unsigned number = number_of(name, format, &is_new);
    off_t size;

    if (!sink || number == 0) {
        err_set(err, "no more than %d WAV files, or no memory: the guest has used too many formats",
                MAX_FILES);
        free(sink);
        return NULL;
    }
    sink->format = *format;
    if (!make_path(sink->path, sizeof(sink->path), settings->path ? settings->path : "qemu.wav",
                   number)) {
        err_set(err, "the path of the WAV file is too long");
        free(sink);
        return NULL;
    }
    sink->fd = open(sink->path, O_RDWR | O_CREAT | O_CLOEXEC | (is_new ? O_TRUNC : 0), 0644);
    size = sink->fd >= 0 ? lseek(sink->fd, 0, SEEK_END) : -1;
    if (size > HEADER_BYTES) {
        sink->bytes = size - HEADER_BYTES < MAX_BYTES ? (uint32_t)(size - HEADER_BYTES) : MAX_BYTES;
    }
    if (size < 0 || !put_header(sink)) {
        err_set(err, "cannot write %s: %s; name a file with -audiodev wav,id=ID,path=FILE",
                sink->path, strerror(errno));
        if (sink->fd >= 0) {
            close(sink->fd);
        }
        free(sink);
        return NULL;
    }
    return sink;
}

static long wav_write(void *opaque, const void *data, size_t frames, struct err *err)
{
    struct wav_sink *sink = opaque;
    const uint8_t *from = data;
    size_t left = frames * pcm_frame_bytes(&sink->format);

    if (left > MAX_BYTES - sink->bytes) {
        err_set(err, "%s is full: a WAV file holds 4 GiB", sink->path);
        return -1;
    }
    while (left > 0) {
        ssize_t n = pwrite(sink->fd, from, left, (off_t)HEADER_BYTES + sink->bytes);

        if (n < 0 && errno != EINTR) {
            err_set(err, "cannot write %s: %s", sink->path, strerror(errno));
            return -1;
        }
        if (n > 0) {
            sink->bytes += (uint32_t)n;
            from += n;
            left -= (size_t)n;
        }
    }
    if (!put_header(sink)) {
        err_set(err, "cannot write %s: %s", sink->path, strerror(errno));
        return -1;
    }
    return (long)frames;
}

/* Nothing is ever heard, so there is no delay that the card's clock could follow. */
static bool wav_state(void *sink, struct audio_sink_state *state)
{
    (void)sink;
    (void)state;
    return false;
}

static void wav_close(void *opaque)
{
    struct wav_sink *sink = opaque;

    close(sink->fd);
    free(sink);
}

const struct audio_driver audio_driver_wav = {
    .name = "wav",
    .default_latency_us = 10000,
    .open = wav_open,
    .write = wav_write,
    .state = wav_state,
    .close = wav_close,
};
