/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "audio/drivers/alsa_pcm.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"

/* A PCM that runs dry as soon as it is prepared, and is not seen to take anything for so long, has
 * lost what was behind it: the pipewire plugin knows no other sign. */
#define FUTILE_NS NS_PER_S
/* How many sizes of the period are tried. */
enum { TRIES = 8 };

/* --- messages --- */

/* What the library had to say first about the call that is being made, in this thread: it knows
 * more than the error's number. */
static _Thread_local char said[200];

static void keep_message(const char *file, int line, const char *function, int error,
                         const char *format, va_list ap)
{
    (void)file;
    (void)line;
    (void)function;
    (void)error;
    if (!*said) {
        vsnprintf(said, sizeof(said), format, ap);
        said[strcspn(said, "\n")] = '\0';
    }
}

static bool cannot_open(const char *device, snd_pcm_stream_t stream, int error, struct err *err)
{
    bool playback = stream == SND_PCM_STREAM_PLAYBACK;
    const char *hint = playback ? "'aplay -L' lists the devices there are"
                                : "'arecord -L' lists the devices there are";

    if (error == -EBUSY || error == -EAGAIN) {
        hint = playback ? "another program has it, or this guest's other voice, for a card plays "
                          "only one sound by itself; out.dev=default or a dmix device mixes them"
                        : "another program has it; in.dev=default or a dsnoop device shares it";
    } else if (error == -EACCES || error == -EPERM) {
        hint = "the devices in /dev/snd are for root and the group audio";
    } else if (error == -ECONNREFUSED || error == -EHOSTDOWN) {
        hint = "the sound server behind it does not answer; is it running?";
    }
    return err_set(err, "ALSA's device '%s' does not open for %s: %s%s%s%s; %s", device,
                   playback ? "playback" : "capture", snd_strerror(error), *said ? " (" : "", said,
                   *said ? ")" : "", hint);
}

static bool wrong_form(const char *device, const struct pcm_format *format, int error,
                       struct err *err)
{
    return err_set(err,
                   "ALSA's device '%s' takes no 16-bit stereo sound at %u Hz, converted or not: "
                   "%s%s%s%s; 'default' or a plughw device does",
                   device, format->rate, snd_strerror(error), *said ? " (" : "", said,
                   *said ? ")" : "");
}

/* --- opening --- */

uint64_t alsa_period_ns(uint32_t asked_us, uint32_t latency_us, uint64_t otherwise_ns)
{
    uint64_t asked_ns = asked_us * NS_PER_US, most_ns = latency_us * NS_PER_US / 2;

    return asked_ns == 0 ? otherwise_ns : asked_ns < most_ns ? asked_ns : most_ns;
}

static uint32_t gcd(uint32_t a, uint32_t b)
{
    return b == 0 ? a : gcd(b, a % b);
}

/*
 * The library's conversion makes whole frames of whole periods, and so changes
 * the pitch where the rates do not divide: by half a percent with 100 frames. A
 * period that is right for the cards' usual rates may be somewhat longer.
 */
static snd_pcm_uframes_t convertible(uint32_t rate, snd_pcm_uframes_t period)
{
    uint32_t a = rate / gcd(rate, 44100), b = rate / gcd(rate, 48000);
    uint64_t unit = (uint64_t)a * b / gcd(a, b);

    return unit <= rate / 100 ? (period + unit - 1) / unit * unit : period;
}

/* The sizes nearest to these: what comes first has the choice. */
static int set_sizes(struct alsa_pcm *p, snd_pcm_hw_params_t *hw, uint64_t period_ns,
                     uint64_t buffer_ns, bool buffer_first)
{
    int error = 0;

    p->period = (snd_pcm_uframes_t)(period_ns * p->rate / NS_PER_S) + 1;
    if (snd_pcm_type(p->pcm) == SND_PCM_TYPE_PLUG) {
        p->period = convertible(p->rate, p->period);
    }
    p->buffer = (snd_pcm_uframes_t)(buffer_ns * p->rate / NS_PER_S) + 2 * p->period;
    if (buffer_first) {
        error = snd_pcm_hw_params_set_buffer_size_near(p->pcm, hw, &p->buffer);
    }
    if (error == 0) {
        error = snd_pcm_hw_params_set_period_size_near(p->pcm, hw, &p->period, NULL);
    }
    if (error == 0 && !buffer_first) {
        error = snd_pcm_hw_params_set_buffer_size_near(p->pcm, hw, &p->buffer);
    }
    return error;
}

static int set_form(struct alsa_pcm *p, snd_pcm_hw_params_t *hw, const struct pcm_format *format)
{
    int error = snd_pcm_hw_params_any(p->pcm, hw);

    if (error < 0) {
        return error;
    }
    /* Plugins copy in any case, and some only pretend. */
    p->mmap = snd_pcm_type(p->pcm) == SND_PCM_TYPE_HW &&
              snd_pcm_hw_params_set_access(p->pcm, hw, SND_PCM_ACCESS_MMAP_INTERLEAVED) == 0;
    if (!p->mmap) {
        error = snd_pcm_hw_params_set_access(p->pcm, hw, SND_PCM_ACCESS_RW_INTERLEAVED);
    }
    if (error < 0 ||
        (error = snd_pcm_hw_params_set_format(p->pcm, hw, SND_PCM_FORMAT_S16_LE)) < 0 ||
        (error = snd_pcm_hw_params_set_channels(p->pcm, hw, format->channels)) < 0) {
        return error;
    }
    return snd_pcm_hw_params_set_rate(p->pcm, hw, format->rate, 0);
}

/* The period is short enough for the latency, and the buffer holds what underruns may stretch that
 * to; how full it is kept is up to the player. */
static int set_hardware(struct alsa_pcm *p, const struct pcm_format *format, uint64_t period_ns,
                        uint64_t buffer_ns)
{
    snd_pcm_hw_params_t *form, *hw;
    int error;

    snd_pcm_hw_params_alloca(&form);
    snd_pcm_hw_params_alloca(&hw);
    error = set_form(p, form, format);
    if (error < 0) {
        return error;
    }
    /* Where the library converts the rate, there is not a size of the buffer for each period. */
    for (int tries = 0; tries < TRIES; tries++) {
        snd_pcm_hw_params_copy(hw, form);
        error = set_sizes(p, hw, period_ns, buffer_ns, false);
        if (error == 0) {
            break;
        }
        period_ns += period_ns / 8;
    }
    /* Some devices have few periods: longer ones, then. */
    if (error == 0 && p->buffer < buffer_ns * p->rate / NS_PER_S) {
        snd_pcm_hw_params_copy(hw, form);
        error = set_sizes(p, hw, period_ns, buffer_ns, true);
    }
    if (error < 0 || (error = snd_pcm_hw_params(p->pcm, hw)) < 0) {
        return error;
    }
    p->blockwise = snd_pcm_type(p->pcm) != SND_PCM_TYPE_HW || snd_pcm_hw_params_is_batch(hw);
    return snd_pcm_get_params(p->pcm, &p->buffer, &p->period);
}

/* Playback starts with the first frame, and stops when there is none left; what a card then still
 * plays until it notices is silence. */
static int set_software(struct alsa_pcm *p)
{
    snd_pcm_sw_params_t *sw;
    snd_pcm_uframes_t boundary;
    int error;

    snd_pcm_sw_params_alloca(&sw);
    if ((error = snd_pcm_sw_params_current(p->pcm, sw)) < 0 ||
        (error = snd_pcm_sw_params_get_boundary(sw, &boundary)) < 0 ||
        (error = snd_pcm_sw_params_set_start_threshold(p->pcm, sw, 1)) < 0 ||
        (error = snd_pcm_sw_params_set_stop_threshold(p->pcm, sw, p->buffer)) < 0 ||
        (error = snd_pcm_sw_params_set_avail_min(p->pcm, sw, p->period)) < 0 ||
        (snd_pcm_stream(p->pcm) == SND_PCM_STREAM_PLAYBACK &&
         ((error = snd_pcm_sw_params_set_silence_threshold(p->pcm, sw, 0)) < 0 ||
          (error = snd_pcm_sw_params_set_silence_size(p->pcm, sw, boundary)) < 0))) {
        return error;
    }
    return snd_pcm_sw_params(p->pcm, sw);
}

static int set_up(struct alsa_pcm *p, const struct pcm_format *format, uint64_t period_ns,
                  uint64_t buffer_ns)
{
    int error = set_hardware(p, format, period_ns, buffer_ns);

    return error < 0 ? error : set_software(p);
}

/* "plug:SLAVE='device'", which converts whatever has to be. False: too long a name. */
static bool name_plug(char *name, size_t size, const char *device)
{
    size_t n = (size_t)snprintf(name, size, "plug:SLAVE='");

    for (; *device && n + 4 < size; device++) {
        if (*device == '\'' || *device == '\\') {
            name[n++] = '\\';
        }
        name[n++] = *device;
    }
    name[n++] = '\'';
    name[n] = '\0';
    return !*device;
}

static void say_converted(const struct alsa_pcm *p)
{
    static atomic_flag told = ATOMIC_FLAG_INIT;

    if (!atomic_flag_test_and_set(&told)) {
        log_info("ALSA's device '%s' does not take 16-bit stereo sound at %u Hz as it is: the "
                 "library converts it%s%s",
                 p->device, p->rate, *said ? ": " : "", said);
    }
}

/* The same device, with the library's conversion in between. */
static bool open_converting(struct alsa_pcm *p, snd_pcm_stream_t stream,
                            const struct pcm_format *format, uint64_t period_ns, uint64_t buffer_ns,
                            struct err *err)
{
    char name[512];
    int error;

    snd_pcm_close(p->pcm);
    p->pcm = NULL;
    if (!name_plug(name, sizeof(name), p->device)) {
        return wrong_form(p->device, format, -EINVAL, err);
    }
    error = snd_pcm_open(&p->pcm, name, stream, SND_PCM_NONBLOCK);
    if (error < 0) {
        p->pcm = NULL;
        return cannot_open(p->device, stream, error, err);
    }
    error = set_up(p, format, period_ns, buffer_ns);
    if (error < 0) {
        wrong_form(p->device, format, error, err);
        alsa_pcm_close(p);
        return false;
    }
    say_converted(p);
    return true;
}

bool alsa_pcm_open(struct alsa_pcm *p, const char *device, snd_pcm_stream_t stream,
                   const struct pcm_format *format, uint64_t period_ns, uint64_t buffer_ns,
                   struct err *err)
{
    int error;

    *p = (struct alsa_pcm){
        .device = device,
        .rate = format->rate,
        .frame_bytes = pcm_frame_bytes(format),
        .moved_ns = clock_now_ns(),
    };
    /* For as long as this thread lives; the library would print on standard error. */
    snd_lib_error_set_local(keep_message);
    *said = '\0';
    error = snd_pcm_open(&p->pcm, device, stream, SND_PCM_NONBLOCK);
    if (error < 0) {
        p->pcm = NULL;
        return cannot_open(device, stream, error, err);
    }
    error = set_up(p, format, period_ns, buffer_ns);
    if (error == -EINVAL) {
        if (!open_converting(p, stream, format, period_ns, buffer_ns, err)) {
            return false;
        }
    } else if (error < 0) {
        alsa_pcm_close(p);
        return cannot_open(device, stream, error, err);
    }
    log_debug("ALSA's device '%s': %s, periods of %lu frames, buffer of %lu%s", device,
              snd_pcm_type_name(snd_pcm_type(p->pcm)), p->period, p->buffer,
              p->mmap ? ", mapped" : "");
    return true;
}

/* --- afterwards --- */

bool alsa_pcm_recover(struct alsa_pcm *p, int error, struct err *err)
{
    bool futile = clock_now_ns() - p->moved_ns > FUTILE_NS;
    int result = error;

    *said = '\0';
    if (error == -ESTRPIPE) {
        result = snd_pcm_resume(p->pcm);
        if (result == 0 || result == -EAGAIN) {
            return true; /* or will be, soon */
        }
    }
    if (error == -ESTRPIPE || (error == -EPIPE && !futile)) {
        result = snd_pcm_prepare(p->pcm);
    }
    return result == 0 ||
           err_set(err, "ALSA's device '%s' is gone: %s%s%s%s", p->device,
                   result == -EPIPE ? "nothing is behind it any more" : snd_strerror(result),
                   *said ? " (" : "", said, *said ? ")" : "");
}

void alsa_pcm_close(struct alsa_pcm *p)
{
    snd_pcm_close(p->pcm);
    p->pcm = NULL;
}
