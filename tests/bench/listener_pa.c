/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The listener at a PulseAudio sink: records in pieces of a millisecond, as
 * `parec --latency-msec=1` does.
 */
#include <pthread.h>
#include <pulse/pulseaudio.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/clock.h"
#include "bench/listener.h"

enum {
    /* Below the card (4) and the sound server (5), which must not wait for us; above everything
     * that is not realtime, which must not make us late. */
    PRIORITY = 3,
    FRAME_BYTES = 4,
    FRAGMENT_FRAMES = 44, /* a millisecond */
};

struct listener_at_pa {
    struct listener listener;
    pa_mainloop *loop;
    pa_context *context;
    pa_stream *stream;
    char source[128];
    pthread_t thread;
    atomic_bool end;
};

static void failed(struct listener_at_pa *l, const char *what)
{
    fprintf(stderr, "measure: %s: %s\n", what, pa_strerror(pa_context_errno(l->context)));
    atomic_store(&l->listener.failed, true);
}

static void on_read(pa_stream *stream, size_t length, void *opaque)
{
    struct listener_at_pa *l = opaque;
    uint64_t now = clock_now_ns();
    const void *data;

    while (pa_stream_readable_size(stream) > 0 && pa_stream_peek(stream, &data, &length) == 0 &&
           length > 0) {
        if (data) { /* otherwise a hole: what was to be recorded was lost on its way */
            listener_take(&l->listener, data, length / FRAME_BYTES, now);
        }
        pa_stream_drop(stream);
    }
}

static void on_stream_state(pa_stream *stream, void *opaque)
{
    if (pa_stream_get_state(stream) == PA_STREAM_FAILED) {
        failed(opaque, "cannot record from the sink's monitor");
    }
}

static void on_context_state(pa_context *context, void *opaque)
{
    const pa_sample_spec spec = {PA_SAMPLE_S16LE, BENCH_RATE, 2};
    const pa_buffer_attr attr = {
        .maxlength = (uint32_t)-1,
        .fragsize = FRAGMENT_FRAMES * FRAME_BYTES,
    };
    struct listener_at_pa *l = opaque;

    switch (pa_context_get_state(context)) {
    case PA_CONTEXT_READY:
        l->stream = pa_stream_new(context, "bench", &spec, NULL);
        if (!l->stream) {
            failed(l, "no stream");
            return;
        }
        pa_stream_set_read_callback(l->stream, on_read, l);
        pa_stream_set_state_callback(l->stream, on_stream_state, l);
        if (pa_stream_connect_record(l->stream, l->source, &attr, PA_STREAM_ADJUST_LATENCY) < 0) {
            failed(l, "cannot record");
        }
        break;
    case PA_CONTEXT_FAILED:
    case PA_CONTEXT_TERMINATED:
        failed(l, "the sound server");
        break;
    default:
        break;
    }
}

static void *listen_all(void *opaque)
{
    struct listener_at_pa *l = opaque;

    while (!atomic_load(&l->end) && !atomic_load(&l->listener.failed)) {
        /* Sound comes all the time, so this returns. */
        if (pa_mainloop_iterate(l->loop, 1, NULL) < 0) {
            break;
        }
    }
    return NULL;
}

static bool start_thread(struct listener_at_pa *l)
{
    const struct sched_param param = {.sched_priority = PRIORITY};
    pthread_attr_t attr;
    bool started;

    pthread_attr_init(&attr);
    pthread_attr_setinheritsched(&attr, PTHREAD_EXPLICIT_SCHED);
    pthread_attr_setschedpolicy(&attr, SCHED_FIFO);
    pthread_attr_setschedparam(&attr, &param);
    started = pthread_create(&l->thread, &attr, listen_all, l) == 0;
    pthread_attr_destroy(&attr);
    return started;
}

/* What is heard is to be sent to us over the socket: memory that the server shares with us does not
 * get on with blocks that another client shares with it (PulseAudio's issue 824). The library reads
 * this from a file, which the environment names. */
static bool keep_to_the_socket(void)
{
    static const char text[] = "enable-shm = no\n";
    int fd = memfd_create("client.conf", 0);
    char path[64];

    snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    return fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text) &&
           setenv("PULSE_CLIENTCONFIG", path, 1) == 0;
}

static void stop(struct listener *listener)
{
    struct listener_at_pa *l = (struct listener_at_pa *)listener;

    atomic_store(&l->end, true);
    pthread_join(l->thread, NULL);
}

static void disconnect(struct listener *listener)
{
    struct listener_at_pa *l = (struct listener_at_pa *)listener;

    if (l->stream) {
        pa_stream_unref(l->stream);
    }
    pa_context_set_state_callback(l->context, NULL, NULL);
    pa_context_disconnect(l->context);
    pa_context_unref(l->context);
    pa_mainloop_free(l->loop);
    free(l);
}

struct listener *listener_pa(const char *sink, unsigned seconds)
{
    struct listener_at_pa *l = calloc(1, sizeof(*l));

    if (!l || !keep_to_the_socket() || !(l->loop = pa_mainloop_new()) ||
        !(l->context = pa_context_new(pa_mainloop_get_api(l->loop), "bench"))) {
        fprintf(stderr, "measure: no memory for the listener\n");
        return NULL;
    }
    if (!listener_init(&l->listener, seconds)) {
        return NULL;
    }
    l->listener.stop = stop;
    l->listener.free = disconnect;
    snprintf(l->source, sizeof(l->source), "%s.monitor", sink);
    pa_context_set_state_callback(l->context, on_context_state, l);
    if (pa_context_connect(l->context, NULL, PA_CONTEXT_NOAUTOSPAWN, NULL) < 0) {
        failed(l, "the sound server");
        return NULL;
    }
    if (!start_thread(l)) {
        fprintf(stderr, "measure: the listener's thread must be realtime: it takes root, or "
                        "'ulimit -r'\n");
        return NULL;
    }
    return listener_wait(&l->listener, sink) ? &l->listener : NULL;
}
