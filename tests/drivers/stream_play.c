/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Plays S16LE stereo at 44100 Hz from standard input through a stream, as the
 * card does: frames come by a clock that follows the stream's correction, and
 * nothing waits for the host.
 *
 *     stream_play AUDIODEV [PREPARE_MS] < raw
 *
 * AUDIODEV is the value of -audiodev. With PREPARE_MS the stream is told so
 * long before the first frame. Prints one line "key=value ..." at the end:
 *   start_ns    when the first frame was played, since 1970
 *   frames, dropped, underruns, overruns, reopened    as struct stream_stats
 *   delay_us    the last measured
 *   ppm         the clock's last correction
 *   late_us     the longest that a burst of frames came after its time, which counts what the
 *               realtime calls took
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "audio/stream.h"
#include "base/clock.h"
#include "base/log.h"

enum { RATE = 44100, BURST = 44 };

static void sleep_until(uint64_t ns)
{
    struct timespec until = {(time_t)(ns / NS_PER_S), (long)(ns % NS_PER_S)};

    while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL) != 0) {
        continue;
    }
}

static void play(struct stream *s, uint64_t *late_ns)
{
    static uint32_t frames[BURST];
    uint64_t due = clock_now_ns();
    size_t n;

    while ((n = fread(frames, 4, BURST, stdin)) > 0) {
        uint64_t now;

        due += (uint64_t)((double)n * 1e9 / RATE / (1 + rt_stream_clock_ppm(s) / 1e6));
        sleep_until(due);
        rt_stream_write(s, frames, (uint32_t)n);
        now = clock_now_ns();
        if (now - due > *late_ns) {
            *late_ns = now - due;
        }
    }
}

int main(int argc, char **argv)
{
    static const struct pcm_format format = {RATE, 2, 16};
    static struct stream_status status;
    struct audio_settings settings;
    struct stream_stats stats;
    struct timespec start;
    struct stream *s;
    struct err err = {""};
    uint64_t late_ns = 0;
    double ppm;

    if (argc < 2 || argc > 3) {
        fprintf(stderr, "usage: stream_play AUDIODEV [PREPARE_MS] < raw\n");
        return 2;
    }
    log_set_name("card");
    if (!audio_settings_parse(&settings, argv[1], &err) ||
        !(s = stream_open(&settings, "dac2", &status, &err))) {
        fprintf(stderr, "stream_play: %s\n", err.text);
        return 1;
    }
    if (argc > 2) {
        rt_stream_prepare(s, &format);
        sleep_until(clock_now_ns() + strtoul(argv[2], NULL, 10) * NS_PER_MS);
    }
    clock_gettime(CLOCK_REALTIME, &start);
    rt_stream_start(s, &format);
    play(s, &late_ns);
    stream_get_stats(s, &stats);
    ppm = rt_stream_clock_ppm(s);
    rt_stream_stop(s);
    /* Ample time for the end to be heard. */
    sleep_until(clock_now_ns() + stats.delay_ns + NS_PER_S / 2);
    printf("start_ns=%lld%09ld frames=%llu dropped=%llu underruns=%llu overruns=%llu reopened=%llu "
           "delay_us=%llu ppm=%.0f late_us=%llu\n",
           (long long)start.tv_sec, start.tv_nsec, (unsigned long long)stats.frames,
           (unsigned long long)stats.dropped, (unsigned long long)stats.underruns,
           (unsigned long long)stats.overruns, (unsigned long long)stats.reopened,
           (unsigned long long)(stats.delay_ns / NS_PER_US), ppm,
           (unsigned long long)(late_ns / NS_PER_US));
    stream_close(s);
    audio_settings_free(&settings);
    return 0;
}
