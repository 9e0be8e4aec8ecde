/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A PCM of ALSA's library, for playback or capture: a sound card, or one of the
 * library's plugins (dmix, plug, pulse, pipewire, file, null), 16 bits, stereo.
 *
 * One thread each; several may open theirs at the same time. Only
 * alsa_pcm_open, and alsa_pcm_recover with some plugins, wait.
 */
#ifndef AUDIO_DRIVERS_ALSA_PCM_H
#define AUDIO_DRIVERS_ALSA_PCM_H

#include <alsa/asoundlib.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/pcm.h"

struct alsa_pcm {
    snd_pcm_t *pcm;
    const char *device; /* for messages */
    uint32_t rate, frame_bytes;
    snd_pcm_uframes_t period, buffer; /* frames */
    bool mmap;
    bool blockwise;    /* it takes, or gives, a period at a time */
    uint64_t moved_ns; /* when it was last seen to take or give frames, or did not have to */
};

/* The period to ask for, in nanoseconds: what is asked for with period-length, or otherwise what
 * the latency needs. One longer than half of that would not let it be reached. */
uint64_t alsa_period_ns(uint32_t asked_us, uint32_t latency_us, uint64_t otherwise_ns);

/* device: a name of the library's ("hw:0", "default"), which outlives the PCM. period_ns and
 * buffer_ns are wishes: the device takes what is near, and rather a longer buffer. The PCM is
 * prepared, and not started; playback starts with the first frame. False with err set, and nothing
 * to close. */
bool alsa_pcm_open(struct alsa_pcm *p, const char *device, snd_pcm_stream_t stream,
                   const struct pcm_format *format, uint64_t period_ns, uint64_t buffer_ns,
                   struct err *err);

/* After the library has returned error: a PCM that has run dry or over, or was suspended with the
 * machine, is prepared again, or goes on. False with err set: it is gone, or nothing comes of it.
 */
bool alsa_pcm_recover(struct alsa_pcm *p, int error, struct err *err);

void alsa_pcm_close(struct alsa_pcm *p);

#endif
