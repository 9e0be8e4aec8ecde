/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is heard, for a program: the names and units are a promise, written down in qemu-dm(8). */
#include <math.h>

#include <jansson.h>

#include "audio/meter.h"
#include "audio/volume.h"
#include "base/clock.h"
#include "card/status.h"
#include "sandbox/in_force.h"

/* Of enum in_force_bit. */
static const char *const names[IN_FORCE_BITS] = {
    "no_capabilities", "no_new_privileges", "system_calls_filtered",
    "memory_locked",   "files_read_only",   "one_domain",
};

/* Two sides, in dB; null where there is nothing. */
static json_t *decibels(const uint32_t value[2], uint32_t full)
{
    json_t *sides = json_array();

    for (unsigned i = 0; i < 2; i++) {
        json_array_append_new(sides, value[i] ? json_real(20 * log10((double)value[i] / full))
                                              : json_null());
    }
    return sides;
}

static json_t *whole(uint64_t number)
{
    return json_integer((json_int_t)number);
}

static json_t *text_or_null(const char *text)
{
    return *text ? json_string(text) : json_null();
}

/* Microseconds, some of the last; null: none yet. */
static json_t *times(const struct recent_summary *s)
{
    return s->count == 0 ? json_null()
                         : json_pack("{s:o, s:o, s:o, s:o, s:o}", "count", whole(s->count), "last",
                                     whole(s->last), "median", whole(s->median), "p99",
                                     whole(s->p99), "max", whole(s->max));
}

static json_t *format(const struct pcm_format *f)
{
    return f->rate == 0 ? json_null()
                        : json_pack("{s:i, s:i, s:i}", "rate_hz", (int)f->rate, "bits", f->bits,
                                    "channels", f->channels);
}

static json_t *ring(const struct stream_view *s)
{
    uint64_t us = s->format.rate ? s->ring_frames * UINT64_C(1000000) / s->format.rate : 0;

    return json_pack("{s:o, s:o}", "frames", whole(s->ring_frames), "us", whole(us));
}

static json_t *counts(const struct stream_view *s)
{
    return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o}", "frames", whole(s->frames), "silent",
                     whole(s->silent), "dropped", whole(s->dropped), "repeated", whole(s->repeated),
                     "underruns", whole(s->underruns), "overruns", whole(s->overruns));
}

static json_t *guest(const struct stream_view *s)
{
    return json_pack("{s:o, s:o}", "interrupts_late", whole(s->interrupts_late),
                     "interrupts_merged", whole(s->interrupts_merged));
}

static json_t *host(const struct stream_view *s)
{
    json_t *lost = s->lost_for_ns ? whole(s->lost_for_ns / NS_PER_MS) : json_null();

    return json_pack("{s:b, s:o, s:o, s:o}", "open", s->host_open, "lost_for_ms", lost, "reopened",
                     whole(s->reopened), "last_error", text_or_null(s->error));
}

static json_t *stream(const struct stream_view *s)
{
    return json_pack("{s:s, s:b, s:o, s:o, s:o, s:o, s:o, s:o, s:f, s:f, s:o, s:o, s:o}", "name",
                     s->name, "running", s->running, "format", format(&s->format), "volume_db",
                     decibels(s->gain, VOLUME_0DB), "level_dbfs", decibels(s->level, METER_FULL),
                     "ring", ring(s), "delay_us", times(&s->delays_us), "delay_target_us",
                     whole(s->target_ns / NS_PER_US), "clock_ppm", s->clock_ppm, "drift_ppm",
                     s->drift_ppm, "counts", counts(s), "guest", guest(s), "host", host(s));
}

static json_t *confined(const struct card_view *c)
{
    json_t *object = json_pack("{s:o}", "uid", whole(c->uid));

    for (unsigned i = 0; i < IN_FORCE_BITS; i++) {
        json_object_set_new(object, names[i], json_boolean(c->in_force & 1u << i));
    }
    return object;
}

static json_t *card(const struct card_view *c)
{
    json_t *streams = json_array();

    for (unsigned i = 0; i < STATUS_STREAMS; i++) {
        json_array_append_new(streams, stream(&c->streams[i]));
    }
    return json_pack("{s:i, s:o, s:s, s:s, s:i, s:i, s:o, s:o, s:b, s:o, s:o, s:o, s:o}",
                     "domain_id", c->domid, "domain_name", text_or_null(c->domain_name), "card",
                     "es1370", "driver", c->driver, "pid", c->pid, "card_pid", c->card_pid,
                     "started", whole(c->started_s), "up_seconds", whole(c->up_ns / NS_PER_S),
                     "paused", c->paused, "confined", confined(c), "restarts", whole(c->restarts),
                     "interrupts_late_us", times(&c->interrupts_late_us), "streams", streams);
}

bool status_print_json(FILE *to, const struct status_views *views, time_t now, bool one_line)
{
    json_t *cards = json_array(), *all;
    bool ok = true;

    for (size_t i = 0; i < views->count; i++) {
        ok = json_array_append_new(cards, card(&views->cards[i])) == 0 && ok;
    }
    all = json_pack("{s:I, s:o}", "time", (json_int_t)now, "cards", cards);
    ok = ok && all &&
         json_dumpf(all, to, JSON_REAL_PRECISION(6) | (one_line ? JSON_COMPACT : JSON_INDENT(2))) ==
             0;
    json_decref(all);
    fputc('\n', to);
    return ok;
}
