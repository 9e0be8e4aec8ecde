/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "card/engine_sound_player.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "audio/intake.h"
#include "audio/stream.h"
#include "base/clock.h"
#include "base/log.h"
#include "card/wav_headers.h"

enum {
    BLOCK = 1024,        /* frames that the engine writes at a time */
    READ_FRAMES = 16384, /* a pipe's */
    CHUNK = 48,          /* passed on at a time: 1 ms */
    /* Frames from a frame's arrival to its turn: a block, and a tick of the engine's audio timer,
     * 10 ms, that the next may be late by. It grows where that was too little. */
    TARGET = BLOCK + 480 + 240,
    TARGET_STEP = 240,
    TARGET_MAX = 9600,
    /* Of what is left when the next block comes, less than the one is too little, and more than the
     * other beyond what the target leaves, too much. */
    LEAST_LEFT = 96,
    MORE_LEFT = 480,
    /* By how much then is repeated or dropped, in 1/10^9: faster than clocks differ. */
    SLIP_PPB = 1000000,
};

/* A sound has ended when nothing has come for so long. */
#define END_NS (500 * NS_PER_MS)
/* What comes so soon after frames were missing was late. */
#define LATE_NS (100 * NS_PER_MS)
/* A sink may take so long to open before the sound begins without it. */
#define OPEN_NS (500 * NS_PER_MS)
/* So often it is seen whether too much is left. */
#define WINDOW_NS NS_PER_S

static const struct pcm_format format = {WAV_RATE, 2, 16};

struct player {
    struct intake intake;
    struct stream *stream;
    struct stream_status status;
    struct wav_headers headers;
    uint8_t part[WAV_FRAME_BYTES]; /* of a frame, of which the rest has not come */
    size_t part_bytes;

    bool playing;       /* a sound is going on, */
    bool begun;         /* and the stream gets it */
    uint64_t began_at;  /* the sound */
    uint64_t due;       /* when the next chunk is to be passed on */
    uint64_t came_at;   /* the last frames */
    uint64_t dry_at;    /* since when frames are missing; 0: they are not */
    uint64_t underruns; /* of the intake, that have been seen */
    uint32_t target;
    uint64_t window_end;
    uint32_t least_left; /* in this window */
    uint64_t lost;       /* frames for which there was no room */
};

/* To the intake all is one run, in which something has been heard: at the beginning of one it
 * leaves out what came before. */
static void prime_intake(struct player *p)
{
    static int16_t silence[2 * TARGET][2];

    rt_intake_start(&p->intake, WAV_RATE);
    intake_begin_run(&p->intake, intake_get_wish(&p->intake).number);
    rt_ring_write(&p->intake.ring, silence, WAV_FRAME_BYTES);
    rt_intake_read(&p->intake, silence[0], 2 * TARGET);
    p->underruns = intake_get_counts(&p->intake).underruns;
}

static void begin(struct player *p, uint64_t now)
{
    p->window_end = now + WINDOW_NS;
    p->least_left = UINT32_MAX;
    p->playing = true;
    p->begun = false;
    p->began_at = now;
    p->due = now;
    p->dry_at = 0;
    rt_stream_prepare(p->stream, &format);
}

static void end(struct player *p)
{
    p->playing = false;
    rt_stream_stop(p->stream);
}

static void set_target(struct player *p, uint32_t frames)
{
    p->target = frames < TARGET_MAX ? frames : TARGET_MAX;
    atomic_store(&p->intake.target, p->target);
}

/* Frames have come. */
static void take(struct player *p, const uint32_t *frames, size_t count, uint64_t now)
{
    size_t room = rt_ring_room(&p->intake.ring) / WAV_FRAME_BYTES;

    if (count == 0) {
        return;
    }
    if (!p->playing) {
        begin(p, now);
    } else if (p->dry_at && now - p->dry_at < LATE_NS && p->target < TARGET_MAX) {
        set_target(p, p->target + TARGET_STEP);
        log_debug("the engine's sound comes late: %u frames are kept", p->target);
    }
    p->dry_at = 0;
    p->came_at = now;
    if (count > room) {
        p->lost += count - room;
        count = room;
    }
    rt_ring_write(&p->intake.ring, frames, count * WAV_FRAME_BYTES);
}

/* Takes what the pipe has. False: there is no more, with err set if that is not because all have
 * closed it. */
static bool read_pipe(struct player *p, int pipe, uint64_t now, struct err *err)
{
    static uint32_t in[READ_FRAMES], out[READ_FRAMES + WAV_HEADER_FRAMES];
    size_t bytes;
    ssize_t n;

    memcpy(in, p->part, p->part_bytes);
    n = read(pipe, (uint8_t *)in + p->part_bytes, sizeof(in) - p->part_bytes);
    if (n < 0 && (errno == EINTR || errno == EAGAIN)) {
        return true;
    }
    if (n < 0) {
        return err_set(err, "cannot read the engine's sound: %s", strerror(errno));
    }
    bytes = p->part_bytes + (size_t)n;
    p->part_bytes = bytes % WAV_FRAME_BYTES;
    memcpy(p->part, (uint8_t *)in + bytes - p->part_bytes, p->part_bytes);
    take(p, out, wav_headers_skip(&p->headers, out, in, bytes / WAV_FRAME_BYTES), now);
    return n > 0;
}

/* Whether the stream may have the sound: a sink that has yet to be opened is waited for, so that
 * no beginning is lost. */
static bool may_begin(struct player *p, uint64_t now)
{
    struct stream_stats stats;

    if (!p->begun) {
        stream_get_stats(p->stream, &stats);
        if (!stats.sink_open && now - p->began_at < OPEN_NS) {
            return false;
        }
        p->begun = true;
        rt_stream_start(p->stream, &format);
    }
    return true;
}

/* The clock by which frames are passed on is the sink's, and that by which they come the engine's;
 * what is left in between shows which of the two is ahead. */
static void mind_what_is_left(struct player *p, uint64_t now)
{
    uint32_t left = rt_intake_level(&p->intake);
    int slip = 0;

    if (left < p->least_left) {
        p->least_left = left;
    }
    if (now < p->window_end) {
        return;
    }
    if (p->least_left < LEAST_LEFT) {
        slip = -SLIP_PPB;
    } else if (p->least_left > p->target - BLOCK + MORE_LEFT) {
        slip = SLIP_PPB;
    }
    atomic_store(&p->intake.slip_ppb, slip);
    p->window_end = now + WINDOW_NS;
    p->least_left = UINT32_MAX;
}

/* Passes the next chunk on, whose time has come. */
static void pass_on(struct player *p, uint64_t now)
{
    int16_t chunk[CHUNK][2];
    uint64_t underruns;

    /* The host paused us: what was due meanwhile is late as it is. */
    if (now - p->due > LATE_NS || !may_begin(p, now)) {
        p->due = now + NS_PER_MS;
        return;
    }
    mind_what_is_left(p, now);
    rt_intake_read(&p->intake, chunk[0], CHUNK);
    rt_stream_write(p->stream, chunk, CHUNK);
    p->due +=
        (uint64_t)((double)CHUNK * 1e9 / WAV_RATE / (1 + rt_stream_clock_ppm(p->stream) / 1e6));
    underruns = intake_get_counts(&p->intake).underruns;
    if (underruns != p->underruns) {
        p->underruns = underruns;
        p->dry_at = now;
    }
    if (now - p->came_at > END_NS) {
        end(p);
    }
}

/* The engine has ended: what has come is played to its end, and silence behind it until it has been
 * heard, for a stream that is closed forgets what it still has. */
static void play_out(struct player *p)
{
    while (p->playing) {
        struct timespec due = {(time_t)(p->due / NS_PER_S), (long)(p->due % NS_PER_S)};

        clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &due, NULL);
        pass_on(p, clock_now_ns());
    }
}

static void log_counts(const struct player *p)
{
    struct intake_counts counts = intake_get_counts(&p->intake);

    log_info("the engine's sound: kept=%u lost=%" PRIu64 " repeated=%" PRIu64, p->target,
             p->lost + counts.dropped, counts.repeated);
}

static bool play(struct player *p, int pipe, struct err *err)
{
    struct pollfd fd = {.fd = pipe, .events = POLLIN};

    for (;;) {
        uint64_t now = clock_now_ns(), left = p->due > now ? p->due - now : 0;
        struct timespec timeout = {(time_t)(left / NS_PER_S), (long)(left % NS_PER_S)};

        if (ppoll(&fd, 1, p->playing ? &timeout : NULL, NULL) < 0 && errno != EINTR) {
            return err_set(err, "cannot wait for the engine's sound: %s", strerror(errno));
        }
        now = clock_now_ns();
        if (fd.revents && !read_pipe(p, pipe, now, err)) {
            return err->text[0] == '\0';
        }
        if (p->playing && now >= p->due) {
            pass_on(p, now);
        }
    }
}

bool engine_sound_play(const struct audio_settings *settings, int pipe, struct err *err)
{
    static struct player player; /* for good: a stream's thread may be left behind */
    bool ok;

    err->text[0] = '\0';
    if (!intake_init(&player.intake, err)) {
        return false;
    }
    set_target(&player, TARGET);
    player.stream = stream_open(settings, "engine", &player.status, err);
    if (!player.stream) {
        intake_free(&player.intake);
        return false;
    }
    prime_intake(&player);
    ok = play(&player, pipe, err);
    play_out(&player);
    log_counts(&player);
    stream_close(player.stream);
    intake_free(&player.intake);
    return ok;
}
