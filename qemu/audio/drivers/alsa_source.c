/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * -audiodev alsa as a source. What has come is looked for at times of our own:
 * a device tells only period by period, and the plugins each in their own way,
 * some by descriptors that are always readable.
 */
#include <errno.h>
#include <stdlib.h>

#include "audio/driver.h"
#include "audio/drivers/alsa_pcm.h"
#include "audio/drivers/alsa_source.h"
#include "base/clock.h"
#include "base/fds.h"

/* What the card may hold for a thread that is late. */
#define BUFFER_NS (200 * NS_PER_MS)
/* Bounds of the time between two looks. */
#define SHORTEST_NS (NS_PER_MS / 2)
#define LONGEST_NS  (10 * NS_PER_MS)

struct alsa_source {
    struct alsa_pcm pcm;
    uint64_t interval_ns; /* between two looks */
    bool timeless;        /* it gives frames as fast as they are taken: null */
    uint64_t begun_ns;    /* when it was started */
    uint64_t taken;       /* frames since */
};

/* The prepared device records from now on; one that was resumed does already. */
static bool start(struct alsa_source *source, struct err *err)
{
    int error = snd_pcm_state(source->pcm.pcm) == SND_PCM_STATE_PREPARED
                    ? snd_pcm_start(source->pcm.pcm)
                    : 0;

    /* So soon, a device with a clock has not filled its buffer. */
    source->timeless =
        error == 0 && snd_pcm_avail(source->pcm.pcm) >= (snd_pcm_sframes_t)source->pcm.buffer;
    source->begun_ns = clock_now_ns();
    source->taken = 0;
    return error == 0 || err_set(err, "ALSA's device '%s' does not start to record: %s",
                                 source->pcm.device, snd_strerror(error));
}

static void *alsa_source_open(const struct audio_settings *settings, const char *name,
                              const struct pcm_format *format, struct err *err)
{
    uint64_t interval_ns = settings->in_latency_us * NS_PER_US / 4;
    struct alsa_source *source = calloc(1, sizeof(*source));

    (void)name; /* there is nobody to show it to */
    if (!source) {
        err_set(err, "no memory for an ALSA device");
        return NULL;
    }
    source->interval_ns = interval_ns < SHORTEST_NS  ? SHORTEST_NS
                          : interval_ns > LONGEST_NS ? LONGEST_NS
                                                     : interval_ns;
    if (!alsa_pcm_open(
            &source->pcm, settings->source ? settings->source : "default", SND_PCM_STREAM_CAPTURE,
            format,
            alsa_period_ns(settings->in_period_us, settings->in_latency_us, source->interval_ns),
            BUFFER_NS, err)) {
        free(source);
        return NULL;
    }
    if (!start(source, err)) {
        alsa_pcm_close(&source->pcm);
        free(source);
        return NULL;
    }
    return source;
}

/* Frames of a device without a clock are due as they would be with one. */
static size_t due(const struct alsa_source *source, size_t frames)
{
    uint64_t elapsed = clock_now_ns() - source->begun_ns;
    uint64_t n = elapsed / NS_PER_S * source->pcm.rate +
                 elapsed % NS_PER_S * source->pcm.rate / NS_PER_S - source->taken;

    return n < frames ? n : frames;
}

static long alsa_source_read(void *opaque, void *data, size_t frames, struct err *err)
{
    struct alsa_source *source = opaque;
    snd_pcm_sframes_t n = snd_pcm_avail(source->pcm.pcm);

    if (n > 0) {
        frames = (size_t)n < frames ? (size_t)n : frames;
        frames = source->timeless ? due(source, frames) : frames;
        n = frames == 0        ? 0
            : source->pcm.mmap ? snd_pcm_mmap_readi(source->pcm.pcm, data, frames)
                               : snd_pcm_readi(source->pcm.pcm, data, frames);
    }
    if (n > 0) {
        source->taken += (uint64_t)n;
        source->pcm.moved_ns = clock_now_ns();
    }
    if (n < 0 && n != -EAGAIN) {
        return alsa_pcm_recover(&source->pcm, (int)n, err) && start(source, err) ? 0 : -1;
    }
    return n > 0 ? n : 0;
}

static bool alsa_source_wait(void *opaque, int fd, uint64_t until_ns, struct err *err)
{
    const struct alsa_source *source = opaque;
    uint64_t now = clock_now_ns(), left = until_ns > now ? until_ns - now : 0;

    (void)err;
    wait_for_fd(fd, left < source->interval_ns ? left : source->interval_ns);
    return true;
}

static void alsa_source_close(void *opaque)
{
    struct alsa_source *source = opaque;

    alsa_pcm_close(&source->pcm);
    free(source);
}

const struct audio_recorder alsa_recorder = {
    .open = alsa_source_open,
    .read = alsa_source_read,
    .wait = alsa_source_wait,
    .close = alsa_source_close,
};
