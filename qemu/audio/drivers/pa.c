/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * -audiodev pa: PulseAudio, or PipeWire in its place, by libpulse-simple.
 *
 * Nothing here loses a frame: pa_simple_write sends no more than the server
 * asks for, and a stream with a prebuffer that runs dry waits until it is full
 * again, so that what comes late is heard late. That it ran dry pa_simple has
 * no call for; dry_watch.h sees it by the delay.
 */
#include <pulse/error.h>
#include <pulse/simple.h>
#include <stdlib.h>
#include <unistd.h>

#include "audio/driver.h"
#include "base/clock.h"

struct pa_sink {
    pa_simple *connection;
    uint32_t frame_bytes;
};

static void cannot_connect(const struct audio_settings *settings, int error, struct err *err)
{
    const char *env = getenv("PULSE_SERVER");
    const char *server = settings->server ? settings->server : env ? env : "its usual socket";

    if (error == PA_ERR_NOENTITY) {
        err_set(err,
                "PulseAudio at %s has no sink '%s'; 'pactl list short sinks' lists them, or leave "
                "out.name= away for the default one",
                server, settings->sink ? settings->sink : "(default)");
        return;
    }
    err_set(err, "PulseAudio does not answer at %s: %s. Is it running?%s", server,
            pa_strerror(error),
            settings->server || geteuid() != 0
                ? ""
                : " As root, name the socket of the user whose server it is: "
                  "-audiodev pa,id=ID,server=unix:/run/user/1000/pulse/native");
}

static void *pa_open(const struct audio_settings *settings, const char *name,
                     const struct pcm_format *format, struct err *err)
{
    const pa_sample_spec spec = {
        .format = format->bits == 8 ? PA_SAMPLE_U8 : PA_SAMPLE_S16LE,
        .rate = format->rate,
        .channels = format->channels,
    };
    uint32_t frame_bytes = pcm_frame_bytes(format);
    /*
     * tlength is all of the delay, the sink's share too (pa_simple sets ADJUST_LATENCY), and the
     * server asks for more in pieces of minreq. prebuf of -1: as much as tlength allows, so that
     * a stream starts, and after running dry restarts, with a full buffer. maxlength of -1 is
     * the server's limit, which a writer that waits to be asked never reaches.
     */
    const pa_buffer_attr attr = {
        .maxlength = (uint32_t)-1,
        .tlength = audio_latency_frames(settings, format) * frame_bytes,
        .prebuf = (uint32_t)-1,
        .minreq = audio_chunk_frames(settings, format) * frame_bytes,
        .fragsize = (uint32_t)-1,
    };
    struct pa_sink *sink;
    int error = 0;

    if (!pa_sample_spec_valid(&spec)) {
        err_set(err, "PulseAudio cannot play %u Hz", format->rate);
        return NULL;
    }
    sink = malloc(sizeof(*sink));
    if (!sink) {
        err_set(err, "no memory for a connection to PulseAudio");
        return NULL;
    }
    sink->frame_bytes = frame_bytes;
    sink->connection = pa_simple_new(settings->server, "qemu-dm", PA_STREAM_PLAYBACK,
                                     settings->sink, name, &spec, NULL, &attr, &error);
    if (!sink->connection) {
        cannot_connect(settings, error, err);
        free(sink);
        return NULL;
    }
    return sink;
}

static bool pa_write(void *opaque, const void *data, size_t frames, struct err *err)
{
    struct pa_sink *sink = opaque;
    int error = 0;

    if (pa_simple_write(sink->connection, data, frames * sink->frame_bytes, &error) < 0) {
        return err_set(err, "PulseAudio has gone away: %s", pa_strerror(error));
    }
    return true;
}

static bool pa_delay(void *opaque, uint64_t *ns)
{
    struct pa_sink *sink = opaque;
    int error = 0;
    pa_usec_t us = pa_simple_get_latency(sink->connection, &error);

    if (us == (pa_usec_t)-1) {
        return false;
    }
    *ns = us * NS_PER_US;
    return true;
}

static void pa_close(void *opaque)
{
    struct pa_sink *sink = opaque;

    pa_simple_free(sink->connection);
    free(sink);
}

const struct audio_driver audio_driver_pa = {
    .name = "pa",
    /* Measured on a 2-core machine with some load, 20 s each, writer without realtime priority: at
     * 20 ms no break or a few, at 15 ms up to 14, at 10 ms up to 79. */
    .default_latency_us = 20000,
    .open = pa_open,
    .write = pa_write,
    .delay = pa_delay,
    .close = pa_close,
};
