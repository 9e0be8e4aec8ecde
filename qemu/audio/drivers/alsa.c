/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * -audiodev alsa: a sound card, or any other device of ALSA's library.
 *
 * The library's buffer holds what the latency asks for and no more, which is up
 * to the player, by when it writes; so there is no waiting for the device's
 * periods, and nothing here depends on their length. A device that has run dry
 * stops, and starts again with the next frame, so none is lost.
 */
#include <errno.h>
#include <stdlib.h>

#include "audio/driver.h"
#include "audio/drivers/alsa_pcm.h"
#include "audio/drivers/alsa_source.h"
#include "base/clock.h"
#include "base/fds.h"

/* How far the device is can be asked at any time; as a measurement it counts
 * this often. */
#define ANSWER_NS (20 * NS_PER_MS)
/* Frames that come after so long begin a sound. */
#define PAUSE_NS (100 * NS_PER_MS)
/* The end of a sound is looked for so long after it should have been heard. */
#define AFTER_NS (20 * NS_PER_MS)
/* No device takes frames in blocks as long as this. */
#define STANDSTILL_NS (300 * NS_PER_MS)
/* One that runs dry twice in so short a time needs a longer queue; and by what that grows at most,
 * in periods. */
#define AGAIN_NS NS_PER_S
enum { LONGEST_LEAD = 16 };

struct alsa_sink {
    struct alsa_pcm pcm;
    struct audio_sink_state state;
    bool timeless;        /* it takes frames as fast as they come: null */
    uint64_t queued;      /* frames in the buffer, as last seen or written */
    uint64_t tried_ns;    /* when alsa_write was last called */
    uint64_t still_ns;    /* how long it stood still when that was last seen */
    uint64_t answered_ns; /* when state.answers was last counted */
    uint64_t look_ns;     /* when to see whether it has run dry; UINT64_MAX: it has */
    bool dry;             /* it has run dry since something was last written */
    uint64_t dry_ns;      /* when it last had */
    unsigned lead;        /* periods of silence to start with after that */
    bool completed;       /* silence was written after the last sound */
    bool gone;
    struct err why;
};

static uint64_t frames_to_ns(const struct alsa_sink *sink, int64_t frames)
{
    return frames > 0 ? (uint64_t)frames * NS_PER_S / sink->pcm.rate : 0;
}

static void *alsa_open(const struct audio_settings *settings, const char *name,
                       const struct pcm_format *format, struct err *err)
{
    uint64_t period_ns =
        alsa_period_ns(settings->out_period_us, settings->out_latency_us, audio_chunk_ns(settings));
    struct alsa_sink *sink = calloc(1, sizeof(*sink));

    (void)name; /* there is nobody to show it to */
    if (!sink) {
        err_set(err, "no memory for an ALSA device");
        return NULL;
    }
    if (!alsa_pcm_open(&sink->pcm, settings->sink ? settings->sink : "default",
                       SND_PCM_STREAM_PLAYBACK, format, period_ns, audio_longest_ns(settings),
                       err)) {
        free(sink);
        return NULL;
    }
    sink->look_ns = UINT64_MAX;
    if (sink->pcm.blockwise) {
        sink->state.block_ns = frames_to_ns(sink, (int64_t)sink->pcm.period);
    }
    return sink;
}

/* Again in so short a time: it needs more. */
static void note_dry(struct alsa_sink *sink)
{
    uint64_t now = clock_now_ns();

    sink->state.underruns++;
    sink->dry = true;
    sink->lead = now - sink->dry_ns > AGAIN_NS ? 1
                 : sink->lead < LONGEST_LEAD   ? 2 * sink->lead
                                               : LONGEST_LEAD;
    sink->dry_ns = now;
}

/* The library has returned error, or the device is in the state that goes with it. Nothing is
 * queued afterwards. */
static void recover(struct alsa_sink *sink, int error)
{
    if (error == -EPIPE) {
        note_dry(sink);
    }
    sink->gone = !alsa_pcm_recover(&sink->pcm, error, &sink->why);
    sink->queued = 0;
    sink->still_ns = 0;
    sink->look_ns = UINT64_MAX;
}

static int error_of(snd_pcm_state_t state)
{
    switch (state) {
    case SND_PCM_STATE_PREPARED:
    case SND_PCM_STATE_RUNNING:
        return 0;
    case SND_PCM_STATE_XRUN:
        return -EPIPE;
    case SND_PCM_STATE_SUSPENDED:
        return -ESTRPIPE;
    case SND_PCM_STATE_DISCONNECTED:
        return -ENODEV;
    default:
        return -EBADFD;
    }
}

/* After a pause the device had nothing to take, and could not but run dry. */
static void note_pause(struct alsa_sink *sink, uint64_t now)
{
    if (now - sink->tried_ns > PAUSE_NS) {
        sink->pcm.moved_ns = now;
        sink->dry = false;
    }
}

/*
 * Notes how much is queued. A device that stood still, because its server hung
 * or was suspended, and goes on, is better opened anew: what it holds is old,
 * and what it says of its delay may be nonsense for a while.
 */
static void note_queued(struct alsa_sink *sink, snd_pcm_uframes_t avail, uint64_t now)
{
    uint64_t queued = avail < sink->pcm.buffer ? sink->pcm.buffer - avail : 0;
    bool moved = queued < sink->queued;

    if (moved && sink->still_ns > STANDSTILL_NS) {
        sink->gone = true;
        err_set(&sink->why, "ALSA's device '%s' stood still for %.1f s", sink->pcm.device,
                (double)sink->still_ns / (double)NS_PER_S);
    }
    if (moved || queued == 0) {
        sink->pcm.moved_ns = now;
    }
    sink->queued = queued;
    sink->still_ns = now - sink->pcm.moved_ns;
}

/* Asks the device how far it is. */
static void look(struct alsa_sink *sink, uint64_t now)
{
    snd_pcm_status_t *status;
    snd_pcm_state_t state;
    int error;

    snd_pcm_status_alloca(&status);
    error = snd_pcm_status(sink->pcm.pcm, status);
    state = snd_pcm_status_get_state(status);
    error = error < 0 ? error : error_of(state);
    note_pause(sink, now);
    sink->state.heard_ns = now;
    if (error < 0) {
        recover(sink, error);
        return;
    }
    note_queued(sink, snd_pcm_status_get_avail(status), now);
    sink->state.heard_ns += frames_to_ns(sink, snd_pcm_status_get_delay(status));
    if (state != SND_PCM_STATE_RUNNING) {
        return;
    }
    sink->timeless = sink->queued == 0 && snd_pcm_status_get_delay(status) <= 0;
    if (now - sink->answered_ns >= ANSWER_NS) {
        sink->answered_ns = now;
        sink->state.answers++;
    }
}

/* How many frames fit, at most so many; a device that has run dry takes frames again. */
static snd_pcm_uframes_t room(struct alsa_sink *sink, size_t frames)
{
    snd_pcm_sframes_t avail = snd_pcm_avail(sink->pcm.pcm);

    if (avail < 0) {
        recover(sink, (int)avail);
        avail = sink->gone ? 0 : snd_pcm_avail(sink->pcm.pcm);
    }
    return avail < 0 ? 0 : (size_t)avail < frames ? (size_t)avail : frames;
}

/* Returns how many were taken, or a negative error. */
static snd_pcm_sframes_t write_frames(struct alsa_sink *sink, const void *data, size_t frames)
{
    snd_pcm_uframes_t n = room(sink, frames);

    if (sink->gone || n == 0) {
        return 0;
    }
    return sink->pcm.mmap ? snd_pcm_mmap_writei(sink->pcm.pcm, data, n)
                          : snd_pcm_writei(sink->pcm.pcm, data, n);
}

static void write_silence(struct alsa_sink *sink, unsigned periods)
{
    static const int16_t silence[2 * 1024];
    snd_pcm_uframes_t left = periods * sink->pcm.period;

    while (left > 0) {
        snd_pcm_uframes_t n = left < 1024 ? left : 1024;

        if (write_frames(sink, silence, n) <= 0) {
            return;
        }
        left -= n;
    }
}

/*
 * A device that has run dry in the midst of a sound may take more at a time, or
 * when it starts, than it says, and some plugins lose what they have not passed
 * on yet. So that the delay grows all the same, silence comes first: each time
 * more, until that does not happen any more.
 */
static long alsa_write(void *opaque, const void *data, size_t frames, struct err *err)
{
    struct alsa_sink *sink = opaque;
    uint64_t now = clock_now_ns();
    snd_pcm_sframes_t n = 0;

    note_pause(sink, now);
    sink->tried_ns = now;
    if (!sink->gone) {
        room(sink, 0); /* finds out whether it has run dry */
    }
    if (!sink->gone && sink->dry) {
        write_silence(sink, sink->lead);
    }
    if (!sink->gone) {
        n = write_frames(sink, data, frames);
        sink->dry = false;
    }
    if (n < 0 && n != -EAGAIN) {
        recover(sink, (int)n);
    }
    if (sink->gone) {
        *err = sink->why;
        return -1;
    }
    if (n <= 0) {
        return 0;
    }
    sink->queued += (uint64_t)n;
    sink->completed = false;
    sink->state.heard_ns =
        (sink->state.heard_ns > now ? sink->state.heard_ns : now) + frames_to_ns(sink, n);
    sink->look_ns = sink->state.heard_ns + AFTER_NS;
    return n;
}

static bool alsa_state(void *opaque, struct audio_sink_state *state)
{
    struct alsa_sink *sink = opaque;

    if (!sink->gone) {
        look(sink, clock_now_ns());
    }
    *state = sink->state;
    return !sink->timeless;
}

/* When a sound should have been heard to its end. */
static void look_after(struct alsa_sink *sink, uint64_t now)
{
    if (sink->timeless) {
        snd_pcm_drop(sink->pcm.pcm); /* a file gets what the library has kept back */
        recover(sink, -EPIPE);
        return;
    }
    look(sink, now);
    sink->look_ns = sink->queued > 0 ? sink->state.heard_ns + AFTER_NS : UINT64_MAX;
    if (sink->queued > 0 && !sink->completed) {
        /* It may wait for the rest of a block. */
        write_silence(sink, 1);
        sink->completed = true;
    }
}

/* The device needs no attendance, but after the end of a sound: then the next can begin at once. */
static bool alsa_wait(void *opaque, int fd, uint64_t until_ns, struct err *err)
{
    struct alsa_sink *sink = opaque;
    uint64_t now = clock_now_ns();

    until_ns = until_ns < sink->look_ns ? until_ns : sink->look_ns;
    wait_for_fd(fd, until_ns == UINT64_MAX ? until_ns : until_ns > now ? until_ns - now : 0);
    now = clock_now_ns();
    if (!sink->gone && now >= sink->look_ns) {
        look_after(sink, now);
    }
    if (sink->gone) {
        *err = sink->why;
    }
    return !sink->gone;
}

static void alsa_close(void *opaque)
{
    struct alsa_sink *sink = opaque;

    alsa_pcm_close(&sink->pcm);
    free(sink);
}

const struct audio_driver audio_driver_alsa = {
    .name = "alsa",
    .default_latency_us = 5000,
    .open = alsa_open,
    .write = alsa_write,
    .state = alsa_state,
    .wait = alsa_wait,
    .close = alsa_close,
    .recorder = &alsa_recorder,
};
