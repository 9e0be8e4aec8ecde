/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "bench/floor_writer.h"

#include <pulse/error.h>
#include <pulse/simple.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/clock.h"
#include "base/realtime.h"

enum { CHUNK = 64, FRAME_BYTES = 4 };

static uint64_t cpu_now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (uint64_t)t.tv_sec * NS_PER_S + (uint64_t)t.tv_nsec;
}

static pa_simple *connect_to_server(unsigned target_us)
{
    const pa_sample_spec spec = {PA_SAMPLE_S16LE, BENCH_RATE, 2};
    const pa_buffer_attr attr = {
        .maxlength = (uint32_t)-1,
        .tlength = (uint32_t)((uint64_t)target_us * BENCH_RATE / 1000000 * FRAME_BYTES),
        .prebuf = 0,
        .minreq = CHUNK * FRAME_BYTES,
        .fragsize = (uint32_t)-1,
    };
    struct err err;
    int error = 0;
    pa_simple *server;

    if (!realtime_enter(&err)) {
        fprintf(stderr, "measure: %s\n", err.text);
    }
    server =
        pa_simple_new(NULL, "floor", PA_STREAM_PLAYBACK, NULL, "floor", &spec, NULL, &attr, &error);
    if (!server) {
        fprintf(stderr, "measure: the sound server: %s\n", pa_strerror(error));
        exit(1);
    }
    return server;
}

void floor_writer_run(unsigned target_us, struct record *r)
{
    pa_simple *server = connect_to_server(target_us);
    uint64_t written = 0, now = clock_now_ns(), cpu_at_begin = 0, begun = 0;

    while (now < r->dense_end) {
        uint32_t chunk[CHUNK];
        int error = 0;

        for (unsigned i = 0; i < CHUNK; i++) {
            chunk[i] = signal_of_frame(written + i);
        }
        if (pa_simple_write(server, chunk, sizeof(chunk), &error) < 0) {
            fprintf(stderr, "measure: the sound server: %s\n", pa_strerror(error));
            exit(1);
        }
        now = clock_now_ns();
        written += CHUNK;
        record_passing(r, now, written);
        if (!begun && now >= r->begin) {
            begun = now;
            cpu_at_begin = cpu_now();
        }
        if (!r->cpu_time && now >= r->end) {
            r->cpu = cpu_now() - cpu_at_begin;
            r->cpu_time = now - begun;
        }
    }
    pa_simple_free(server);
}
