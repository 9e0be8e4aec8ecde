/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "audio/recorder.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "audio/driver.h"
#include "base/clock.h"
#include "base/log.h"

/* A sound server that is absent is asked this often. */
#define RETRY_NS (250 * NS_PER_MS)
/* A guest that starts at one rate after the other gets another source this often. */
#define REOPEN_NS (20 * NS_PER_MS)
/* A driver sets the card up in several writes; the rate is known after the last. */
#define CALM_NS (2 * NS_PER_MS)
/* An idle source is kept for the next run, which then begins at once. */
#define STOPPED_NS  (1 * NS_PER_S)
#define PREPARED_NS (2 * NS_PER_S)
/* What underruns may add to in.latency. */
#define LONGER_NS (100 * NS_PER_MS)

/* Frames are dropped or repeated once the level is off by more than a quarter of in.latency: less
 * is the noise of two clocks that are one. The rest is worked off in a second, but by one frame in
 * two hundred at most. */
#define SLIP_BAND      0.25
#define SLIP_MOST_PPM  5000.0
#define SLIP_SMOOTH_NS 0.5e9

static void count(_Atomic uint64_t *counter, uint64_t n)
{
    status_set(counter, status_get(counter) + n);
}

static uint64_t asked_ns(const struct recorder *r)
{
    return r->settings->in_latency_us * NS_PER_US;
}

static uint64_t frames_to_ns(const struct recorder *r, uint64_t frames)
{
    return frames * NS_PER_S / r->source_rate;
}

/* --- the log --- */

static void log_run(struct recorder *r)
{
    struct intake_counts now = intake_get_counts(r->intake), *then = &r->report.counts;
    uint64_t dropped = status_get(&r->status->dropped_by_host);
    uint64_t overruns = status_get(&r->status->overruns);

    log_info("capture %s: frames=%" PRIu64 " silent=%" PRIu64 " dropped=%" PRIu64
             " repeated=%" PRIu64 " underruns=%" PRIu64 " overruns=%" PRIu64
             " delay_us_median=%" PRIu64 " delay_us_max=%" PRIu64,
             r->name, now.frames - then->frames, now.silent - then->silent,
             now.dropped - then->dropped + dropped - r->report.dropped,
             now.repeated - then->repeated, now.underruns - then->underruns,
             overruns - r->report.overruns, delay_histogram_median(&r->report.delays),
             r->report.delays.max_us);
    *then = now;
    r->report.dropped = dropped;
    r->report.overruns = overruns;
    delay_histogram_reset(&r->report.delays);
}

/* --- the source --- */

static void set_target(struct recorder *r)
{
    uint64_t frames = r->latency.target_ns * r->source_rate / NS_PER_S;

    atomic_store_explicit(&r->intake->target, frames > 0 ? (unsigned)frames : 1,
                          memory_order_relaxed);
    status_set(&r->status->target_ns, r->latency.target_ns);
}

/* The clock and the measurements start anew: another source, another run, or another way to keep
 * the level. */
static void forget_level(struct recorder *r)
{
    r->arrived = r->arrived_before = 0;
    r->above_ns = 0;
    r->late = false;
    latency_restart(&r->latency);
    status_set(&r->status->clock_ppb, 0);
    status_set(&r->status->drift_ppb, 0);
    atomic_store_explicit(&r->intake->slip_ppb, 0, memory_order_relaxed);
}

static void close_source(struct recorder *r)
{
    if (r->source) {
        r->settings->driver->recorder->close(r->source);
        r->source = NULL;
        status_set(&r->status->host_open, 0);
    }
    r->gone = false;
    r->expected = true;
    forget_level(r);
}

static void lose_sound(struct recorder *r, uint64_t now, const struct err *err)
{
    close_source(r);
    status_text_set(&r->status->error, err->text);
    if (r->lost) {
        return;
    }
    r->lost = true;
    r->lost_at = now;
    status_set(&r->status->lost_ns, now);
    r->told = log_budget_take(&r->sound_lines, now);
    if (r->told) {
        log_warn("%s: nothing to record, the guest gets silence; trying again until it is back: %s",
                 r->name, err->text);
    }
}

static void find_sound(struct recorder *r, uint64_t now)
{
    r->lost = false;
    status_set(&r->status->lost_ns, 0);
    count(&r->status->reopened, 1);
    if (r->told) {
        log_info("%s: there is sound to record again after %.1f s", r->name,
                 (double)(now - r->lost_at) / (double)NS_PER_S);
    }
}

static void open_source(struct recorder *r, uint64_t now)
{
    const struct audio_settings *s = r->settings;
    const struct pcm_format format = {r->wish.rate, 2, 16};
    struct err err = {""};
    char name[96];

    snprintf(name, sizeof(name), "%s %s", s->in_stream_name ? s->in_stream_name : s->id, r->name);
    r->tried_at = now;
    r->source = s->driver->recorder->open(s, name, &format, &err);
    if (!r->source) {
        lose_sound(r, now, &err);
        return;
    }
    r->source_rate = format.rate;
    set_target(r);
    status_set(&r->status->host_open, 1);
}

/* When one may be opened, for what the guest wants now. */
static uint64_t opening_time(const struct recorder *r)
{
    uint64_t tried = r->tried_at ? r->tried_at + (r->lost ? RETRY_NS : REOPEN_NS) : 0;
    uint64_t calm = r->wished_at + CALM_NS;

    if (r->wish.mode == INTAKE_IDLE) {
        return UINT64_MAX;
    }
    return r->wish.mode == INTAKE_PREPARED && tried < calm ? calm : tried;
}

/* --- the level --- */

static void note_underruns(struct recorder *r)
{
    uint64_t underruns = intake_get_counts(r->intake).underruns;

    r->late |= underruns != r->underruns_seen && !r->expected;
    r->underruns_seen = underruns;
    r->expected = false;
}

/* What comes at a time. After a pause that is more, but only once. */
static uint64_t block_ns(const struct recorder *r)
{
    bool less_before = r->arrived_before > 0 && r->arrived_before < r->arrived;

    return frames_to_ns(r, less_before ? r->arrived_before : r->arrived);
}

static double slip_ppm(struct recorder *r, uint64_t since_ns, double above_ns)
{
    double band = (double)asked_ns(r) * SLIP_BAND;
    double ppm;

    r->above_ns += (above_ns - r->above_ns) * fmin((double)since_ns / SLIP_SMOOTH_NS, 1);
    if (fabs(r->above_ns) <= band) {
        return 0;
    }
    ppm = (fabs(r->above_ns) - band) * 1e6 / (double)NS_PER_S;
    return copysign(fmin(ppm, SLIP_MOST_PPM), r->above_ns);
}

/* Right after all that has come was written: the newest frame will be as old as the intake is
 * full. */
static void measure(struct recorder *r, uint64_t now)
{
    uint64_t level_ns = frames_to_ns(r, intake_level(r->intake));
    bool followed = atomic_load_explicit(&r->intake->followed, memory_order_relaxed);
    double ppm, slip;

    note_underruns(r);
    if (followed != r->followed) {
        r->followed = followed;
        forget_level(r);
    }
    if (!atomic_load_explicit(&r->intake->flowing, memory_order_relaxed)) {
        return;
    }
    if (r->late) {
        r->late = false;
        latency_ran_dry(&r->latency);
    }
    /* The loop is that of a sink, where a faster card makes for a longer delay: turned round. */
    ppm = -latency_add(&r->latency, now, level_ns, block_ns(r));
    slip =
        slip_ppm(r, frames_to_ns(r, r->arrived), (double)level_ns - (double)r->latency.target_ns);
    set_target(r);
    status_set(&r->status->clock_ppb, followed ? (int)(ppm * 1000) : 0);
    status_set(&r->status->drift_ppb, followed ? (int)(-r->latency.recovery.drift_ppm * 1000) : 0);
    atomic_store_explicit(&r->intake->slip_ppb, followed ? 0 : (int)(slip * 1000),
                          memory_order_relaxed);
    status_set(&r->status->delay_ns, level_ns);
    rt_recent_add(&r->status->delays_us, level_ns / NS_PER_US);
    delay_histogram_add(&r->report.delays, level_ns / NS_PER_US);
}

/* --- a run --- */

/* Reads what nobody wants. */
static long discard(struct recorder *r, struct err *err)
{
    uint8_t unwanted[1024 * INTAKE_FRAME_BYTES];

    return r->settings->driver->recorder->read(r->source, unwanted,
                                               sizeof(unwanted) / INTAKE_FRAME_BYTES, err);
}

static long record(struct recorder *r, struct err *err)
{
    size_t len;
    void *block = rt_ring_write_block(&r->intake->ring, &len);
    long n;

    if (len == 0) {
        n = discard(r, err);
        if (n > 0) {
            count(&r->status->dropped_by_host, (uint64_t)n);
            count(&r->status->overruns, !r->full);
            r->full = true;
        }
        return n;
    }
    n = r->settings->driver->recorder->read(r->source, block, len / INTAKE_FRAME_BYTES, err);
    if (n > 0) {
        rt_ring_commit(&r->intake->ring, (size_t)n * INTAKE_FRAME_BYTES);
        r->arrived += (uint32_t)n;
        r->full = false;
    }
    return n;
}

/* There is a source at the guest's rate. */
static uint64_t take_frames(struct recorder *r, uint64_t now)
{
    struct err err = {""};
    long n = r->begun ? record(r, &err) : discard(r, &err);

    if (n < 0) {
        lose_sound(r, now, &err);
        return now;
    }
    if (n > 0) {
        if (r->lost) {
            find_sound(r, now);
        }
        return now;
    }
    if (r->wish.mode == INTAKE_RUNNING && !r->begun) {
        /* What came before this is older than the run. */
        forget_level(r);
        r->begun = true;
        intake_begin_run(r->intake, r->wish.number);
        return now;
    }
    if (r->arrived > 0) {
        measure(r, now);
        r->arrived_before = r->arrived;
        r->arrived = 0;
    }
    return UINT64_MAX;
}

static void take_wish(struct recorder *r, const struct intake_wish *wish, uint64_t now)
{
    if (r->wish.mode == INTAKE_RUNNING && log_budget_take(&r->run_lines, now)) {
        log_run(r);
    }
    r->wish = *wish;
    r->wished_at = now;
    if (wish->mode == INTAKE_RUNNING) {
        rt_recent_start(&r->status->delays_us);
    }
    r->begun = false;
}

void recorder_init(struct recorder *r, const struct audio_settings *settings, const char *name,
                   struct intake *intake, struct stream_status *status)
{
    memset(r, 0, sizeof(*r));
    r->settings = settings;
    r->name = name;
    r->intake = intake;
    r->status = status;
    log_budget_init(&r->run_lines);
    log_budget_init(&r->sound_lines);
    /* Blocks of half the latency are what a source is asked for. */
    latency_init(&r->latency, asked_ns(r), asked_ns(r) / 3, asked_ns(r) + LONGER_NS);
    close_source(r);
}

uint64_t recorder_step(struct recorder *r, uint64_t now)
{
    struct intake_wish wish = intake_get_wish(r->intake);
    uint64_t until = UINT64_MAX, next;

    if (wish.number != r->wish.number) {
        take_wish(r, &wish, now);
    }
    if (!r->settings->driver->recorder) {
        if (wish.mode == INTAKE_RUNNING && !r->told) {
            r->told = true;
            log_warn("%s: -audiodev %s cannot record, the guest gets silence", r->name,
                     r->settings->driver->name);
        }
        return UINT64_MAX;
    }
    if (r->gone) {
        lose_sound(r, now, &r->gone_why);
    }
    if (wish.mode != INTAKE_RUNNING) {
        until = r->wished_at + (wish.mode == INTAKE_IDLE ? STOPPED_NS : PREPARED_NS);
    }
    if (now >= until) {
        close_source(r);
        return UINT64_MAX;
    }
    if (r->source && (wish.mode == INTAKE_IDLE || wish.rate == r->source_rate)) {
        next = take_frames(r, now);
        return next < until ? next : until;
    }
    next = opening_time(r);
    if (now < next) {
        return next < until ? next : until;
    }
    close_source(r);
    open_source(r, now);
    return now;
}

bool recorder_wait(struct recorder *r, uint64_t until_ns)
{
    if (!r->source) {
        return false;
    }
    r->gone = !r->settings->driver->recorder->wait(r->source, r->intake->event_fd, until_ns,
                                                   &r->gone_why);
    return true;
}

void recorder_end(struct recorder *r)
{
    if (r->wish.mode == INTAKE_RUNNING) {
        log_run(r);
    }
    close_source(r);
}
