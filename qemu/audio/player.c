/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "audio/player.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "audio/driver.h"
#include "base/clock.h"
#include "base/log.h"

/* A sound server that is absent is asked this often, and one that vanishes as soon as it is found
 * is not asked more often either. */
#define RETRY_NS (250 * NS_PER_MS)
/* An idle sink is kept for the next sound, which then begins at once. */
#define IDLE_NS (5 * NS_PER_S)
/* A sink that has just begun to play does not know its delay yet. */
#define SETTLE_NS (100 * NS_PER_MS)

static const struct player_wake never = {UINT64_MAX, FEED_NO_LEVEL};

static struct player_wake at(uint64_t ns)
{
    return (struct player_wake){ns, FEED_NO_LEVEL};
}

static uint64_t frames_to_ns(const struct player *p, uint64_t frames)
{
    /* In two parts, so that days of frames do not overflow. */
    return frames / p->format.rate * NS_PER_S + frames % p->format.rate * NS_PER_S / p->format.rate;
}

static uint64_t ns_to_frames(const struct player *p, uint64_t ns)
{
    return ns / NS_PER_S * p->format.rate + ns % NS_PER_S * p->format.rate / NS_PER_S;
}

static void count(_Atomic uint64_t *counter, uint64_t n)
{
    status_set(counter, status_get(counter) + n);
}

/* --- the log --- */

static void log_run(struct player *p)
{
    log_info("stream %s: frames=%" PRIu64 " dropped=%" PRIu64 " underruns=%" PRIu64
             " overruns=%" PRIu64 " delay_us_median=%" PRIu64 " delay_us_max=%" PRIu64,
             p->name, p->report.frames, p->report.dropped, p->report.underruns, p->report.overruns,
             delay_histogram_median(&p->report.delays), p->report.delays.max_us);
    memset(&p->report, 0, sizeof(p->report));
}

/* --- the sink --- */

/* Another sink, or another run. */
static void forget_delay(struct player *p)
{
    p->in_step = false;
    latency_restart(&p->latency);
    status_set(&p->status->clock_ppb, 0);
    status_set(&p->status->drift_ppb, 0);
}

static void close_sink(struct player *p)
{
    if (p->sink) {
        p->settings->driver->close(p->sink);
        p->sink = NULL;
        p->tail_ns = 0;
        status_set(&p->status->host_open, 0);
    }
    forget_delay(p);
}

static void lose_sound(struct player *p, uint64_t now, const struct err *err)
{
    close_sink(p);
    status_text_set(&p->status->error, err->text);
    if (p->lost) {
        return;
    }
    p->lost = true;
    p->lost_at = now;
    status_set(&p->status->lost_ns, now);
    p->told = log_budget_take(&p->sound_lines, now);
    if (p->told) {
        log_warn("%s: no sound, the guest plays on in silence; trying again until it is back: %s",
                 p->name, err->text);
    }
}

static void find_sound(struct player *p, uint64_t now)
{
    p->lost = false;
    status_set(&p->status->lost_ns, 0);
    count(&p->status->reopened, 1);
    if (p->told) {
        log_info("%s: sound is back after %.1f s", p->name,
                 (double)(now - p->lost_at) / (double)NS_PER_S);
    }
}

static void open_sink(struct player *p, const struct pcm_format *format, uint64_t now)
{
    char name[96];
    struct err err = {""};

    snprintf(name, sizeof(name), "%s %s",
             p->settings->stream_name ? p->settings->stream_name : p->settings->id, p->name);
    p->tried_at = now;
    p->sink = p->settings->driver->open(p->settings, name, format, &err);
    p->absent = !p->sink;
    if (p->absent) {
        lose_sound(p, now, &err);
        return;
    }
    p->sink_format = *format;
    p->idle_until = now + IDLE_NS;
    status_set(&p->status->host_open, 1);
}

/* --- a run --- */

static void drop(struct player *p, size_t bytes)
{
    uint64_t frames = bytes / pcm_frame_bytes(&p->format);

    ring_discard(&p->feed->ring, bytes);
    count(&p->status->dropped_by_host, frames);
    p->report.dropped += frames;
}

/* From the card's clock to the sink's output, of a frame that the card has just produced: what is
 * before it in the ring (bytes) and in the sink. */
static uint64_t delay_now(const struct player *p, const struct audio_sink_state *state,
                          size_t bytes, uint64_t now)
{
    return (state->heard_ns > now ? state->heard_ns - now : 0) +
           frames_to_ns(p, bytes / pcm_frame_bytes(&p->format));
}

static void measure(struct player *p, const struct audio_sink_state *state, uint64_t delay,
                    uint64_t now)
{
    double ppm;

    if (state->underruns != p->underruns_seen) {
        count(&p->status->underruns, state->underruns - p->underruns_seen);
        p->report.underruns += state->underruns - p->underruns_seen;
        p->underruns_seen = state->underruns;
        latency_ran_dry(&p->latency);
    }
    if (state->answers == p->answers_seen || now < p->settled_at) {
        return;
    }
    p->answers_seen = state->answers;
    status_set(&p->status->delay_ns, delay);
    rt_recent_add(&p->status->delays_us, delay / NS_PER_US);
    delay_histogram_add(&p->report.delays, delay / NS_PER_US);
    ppm = latency_add(&p->latency, now, delay, state->block_ns);
    status_set(&p->status->clock_ppb, (int)(ppm * 1000));
    status_set(&p->status->drift_ppb, (int)(p->latency.recovery.drift_ppm * 1000));
    status_set(&p->status->target_ns, p->latency.target_ns);
}

/* A server that has no room for all of it gets less. */
static bool write_silence(struct player *p, uint64_t ns, struct err *err)
{
    static const uint8_t zero[1024], middle[1024] = {[0 ... 1023] = 0x80};
    const struct pcm_format *format = &p->sink_format;
    uint64_t left = ns * format->rate / NS_PER_S;

    while (left > 0) {
        uint64_t most = sizeof(zero) / pcm_frame_bytes(format);
        long n = p->settings->driver->write(p->sink, format->bits == 8 ? middle : zero,
                                            left < most ? left : most, err);

        if (n <= 0) {
            return n == 0;
        }
        left -= (uint64_t)n;
    }
    return true;
}

/* Brings the run's first frame to its time, by silence before it. */
static bool fall_into_step(struct player *p, const struct audio_sink_state *state, uint64_t delay,
                           uint64_t now, struct err *err)
{
    uint64_t target;

    p->in_step = true;
    p->tail_ns = 0;
    p->settled_at = now + SETTLE_NS;
    p->answers_seen = state->answers;
    p->underruns_seen = state->underruns;
    latency_begin(&p->latency, delay, state->block_ns);
    target = p->latency.target_ns;
    return delay >= target || write_silence(p, target - delay, err);
}

/*
 * What waits in the ring is heard late. A little of that, after a stall or a
 * sink that was slow to open, is better than lost frames, and is worked off by
 * the clock; but minutes of sound a second late are worse than a break. So
 * beyond a bound the excess goes.
 */
static size_t cut_excess(struct player *p, size_t bytes, uint64_t delay)
{
    uint64_t bound = latency_bound_ns(&p->latency);
    uint32_t frame_bytes = pcm_frame_bytes(&p->format);
    uint64_t excess;

    if (delay <= bound) {
        return bytes;
    }
    /* What a sound that has not begun has missed, it has missed for good. */
    excess = ns_to_frames(p, delay - (p->in_step ? bound : p->latency.target_ns)) * frame_bytes;
    excess = excess < bytes ? excess : bytes;
    drop(p, excess);
    return bytes - excess;
}

/* The sink is there, and so are bytes of the run; last: no more will come. */
static struct player_wake play(struct player *p, size_t bytes, bool last, uint64_t now)
{
    const struct audio_driver *driver = p->settings->driver;
    uint32_t frame_bytes = pcm_frame_bytes(&p->format);
    uint64_t chunk_ns = p->latency.chunk_ns;
    /* Half a chunk is worth a write: the card fetches at interrupts too. */
    uint64_t level = (ns_to_frames(p, chunk_ns / 2) + 1) * frame_bytes;
    struct audio_sink_state state;
    struct err err = {""};
    const void *data;
    size_t len;
    long n;

    if (bytes < level && !last) {
        return (struct player_wake){UINT64_MAX, (uint32_t)level};
    }
    if (driver->state(p->sink, &state)) {
        uint64_t delay = delay_now(p, &state, bytes, now);

        bytes = cut_excess(p, bytes, delay);
        delay = delay_now(p, &state, bytes, now);
        if (p->in_step) {
            measure(p, &state, delay, now);
        } else if (!fall_into_step(p, &state, delay, now, &err)) {
            lose_sound(p, now, &err);
            return at(now);
        }
    }
    data = ring_read_block(&p->feed->ring, &len);
    len = len < bytes ? len : bytes;
    n = driver->write(p->sink, data, len / frame_bytes, &err);
    if (n < 0) {
        lose_sound(p, now, &err); /* the frames stay, for a sink that may be had at once */
        return at(now);
    }
    ring_discard(&p->feed->ring, (size_t)n * frame_bytes);
    if (n > 0 && p->lost) {
        find_sound(p, now);
    }
    return at(n > 0 || bytes == 0 ? now : now + chunk_ns);
}

/*
 * The end of a run that has been handed over. It is heard until a quarter of the
 * latency later than the sink says, for that is not exact. And there are servers
 * that play whole blocks only (PipeWire in PulseAudio's place): where no other
 * sound fills the last, silence has to, in time.
 */
static void plan_tail(struct player *p, uint64_t now)
{
    struct audio_sink_state state;
    uint64_t heard_ns;

    p->tail_until = now;
    if (p->settings->driver->state(p->sink, &state)) {
        heard_ns = state.heard_ns > now ? state.heard_ns : now;
        p->tail_until = heard_ns + p->latency.target_ns / 4 + state.block_ns;
        p->tail_ns = state.block_ns;
        p->tail_at = heard_ns > now + 3 * state.block_ns ? heard_ns - 3 * state.block_ns : now;
    }
}

/* Returns when this is to be called again, at until at the latest. */
static uint64_t fill_tail(struct player *p, uint64_t now, uint64_t until)
{
    uint64_t ns = p->tail_ns;
    struct err err;

    if (ns > 0 && now < p->tail_at) {
        return p->tail_at < until ? p->tail_at : until;
    }
    p->tail_ns = 0;
    if (ns > 0 && !write_silence(p, ns, &err)) {
        close_sink(p); /* the next sound asks for another */
    }
    return until;
}

static void count_run(struct player *p, const struct feed_counts *ended)
{
    p->report.frames += ended->frames - p->begun.frames;
    p->report.dropped += ended->dropped - p->begun.dropped;
    p->report.overruns += ended->overruns - p->begun.overruns;
}

/* The run has been played to its end. */
static void end_run(struct player *p, const struct feed_mark *mark, uint64_t now)
{
    if (p->sink && p->in_step) {
        plan_tail(p, now);
        p->idle_until = now + IDLE_NS;
    }
    count_run(p, &mark->counts);
    if (log_budget_take(&p->run_lines, now)) {
        log_run(p);
    }
    p->format.rate = 0;
    forget_delay(p);
}

static void begin_run(struct player *p, const struct feed_mark *mark)
{
    p->format = mark->format;
    p->begun = mark->counts;
    rt_recent_start(&p->status->delays_us);
}

/* What is between the runs, and at their beginning and end. */
static struct player_wake take_mark(struct player *p, const struct feed_mark *mark, uint64_t now)
{
    if (p->format.rate) {
        end_run(p, mark, now);
    }
    if (mark->format.rate) {
        begin_run(p, mark);
    }
    feed_take_mark(p->feed);
    return at(now);
}

/* A run is playing, though it may have no bytes for the moment. end: the mark at its end, or NULL.
 */
static struct player_wake continue_run(struct player *p, size_t bytes, const struct feed_mark *end,
                                       uint64_t now)
{
    if (p->sink && pcm_format_equal(&p->sink_format, &p->format)) {
        return play(p, bytes, end != NULL, now);
    }
    if (p->sink) {
        /* Another format: once the last has been heard. Where the guest is done with it by then and
         * has begun a third, it is not heard: the runs of a guest that goes on like that, each of
         * which waits for the end of the one before, would be heard ever later. */
        if (now < p->tail_until) {
            if (end && feed_has_another(p->feed, end)) {
                drop(p, bytes);
                return at(now);
            }
            return at(fill_tail(p, now, p->tail_until));
        }
        close_sink(p);
        return at(now);
    }
    if (p->absent) {
        drop(p, bytes); /* an attempt starts with the frames that come while it lasts */
    }
    if (p->lost && now - p->tried_at < RETRY_NS) {
        return at(end && p->absent ? now : p->tried_at + RETRY_NS);
    }
    open_sink(p, &p->format, now);
    return at(now);
}

/* No run is playing: the sink waits for the next, and for the format that it will have. */
static struct player_wake idle(struct player *p, uint64_t now)
{
    uint64_t allowed = p->tried_at ? p->tried_at + RETRY_NS : now;
    struct pcm_format format;

    if (allowed < p->tail_until) {
        allowed = p->tail_until;
    }
    /* A guest can change its mind any number of times. */
    if (now < allowed) {
        return at(fill_tail(p, now, allowed));
    }
    if (feed_take_hint(p->feed, &format)) {
        if (p->sink && !pcm_format_equal(&p->sink_format, &format)) {
            close_sink(p);
        }
        if (!p->sink) {
            open_sink(p, &format, now);
        }
        p->idle_until = now + IDLE_NS;
    }
    if (!p->sink) {
        return never;
    }
    if (now < p->idle_until) {
        return at(p->idle_until);
    }
    close_sink(p);
    return never;
}

void player_init(struct player *p, const struct audio_settings *settings, const char *name,
                 struct feed *feed, struct stream_status *status)
{
    memset(p, 0, sizeof(*p));
    p->settings = settings;
    p->name = name;
    p->feed = feed;
    p->status = status;
    log_budget_init(&p->run_lines);
    log_budget_init(&p->sound_lines);
    latency_init(&p->latency, settings->out_latency_us * NS_PER_US, audio_chunk_ns(settings),
                 audio_longest_ns(settings));
    status_set(&status->target_ns, p->latency.target_ns);
    forget_delay(p);
}

struct player_wake player_step(struct player *p, uint64_t now)
{
    const struct feed_mark *mark;
    size_t bytes = feed_readable(p->feed, &mark);

    if (bytes == 0 && mark) {
        return take_mark(p, mark, now);
    }
    if (p->format.rate) {
        return continue_run(p, bytes, mark, now);
    }
    return idle(p, now);
}

void player_sink_gone(struct player *p, uint64_t now, const struct err *err)
{
    if (p->format.rate) {
        lose_sound(p, now, err);
    } else {
        close_sink(p); /* the next sound asks for another */
    }
}

void player_end(struct player *p)
{
    struct feed_counts counts = feed_get_counts(p->feed);

    if (p->format.rate) {
        count_run(p, &counts);
        p->format.rate = 0;
    }
    if (p->report.frames > 0) {
        log_run(p);
    }
    close_sink(p);
}
