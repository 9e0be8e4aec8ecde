/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is heard, as a person likes to see it: a block for each stream that runs, numbers below
 * numbers, each with its unit. */
#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <string.h>
#include <time.h>

#include "audio/meter.h"
#include "audio/volume.h"
#include "base/clock.h"
#include "card/status.h"
#include "sandbox/in_force.h"

/* The bar of a level: two dB for each letter. */
enum { BAR_WIDTH = 30, BAR_DB = 2 };

/* Of a text, with its label. */
enum { LINE_WIDTH = 80 };

/* Of enum in_force_bit. */
static const char *const names[IN_FORCE_BITS] = {
    "no capabilities", "no new privileges", "system calls filtered",
    "memory locked",   "files read-only",   "domain %u only",
};

static double decibels(uint32_t value, uint32_t full)
{
    return 20 * log10((double)value / full);
}

/* A label, and columns of a number and what it is. */
struct row {
    char text[256];
    size_t length;
};

static void append(struct row *r, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

static void append(struct row *r, const char *fmt, ...)
{
    size_t room = sizeof(r->text) - r->length;
    va_list ap;
    int n;

    va_start(ap, fmt);
    n = vsnprintf(r->text + r->length, room, fmt, ap);
    va_end(ap);
    r->length += n < 0 ? 0 : (size_t)n < room ? (size_t)n : room - 1;
}

static struct row row(const char *label)
{
    struct row r = {.length = 0};

    append(&r, "    %-6s", label);
    return r;
}

static void number(struct row *r, uint64_t value, const char *what)
{
    append(r, "%7" PRIu64 " %-9s", value, what);
}

static void milliseconds(struct row *r, double value, const char *what)
{
    append(r, "%7.1f %-9s", value, what);
}

static void print_row(FILE *to, struct row *r)
{
    while (r->length > 0 && r->text[r->length - 1] == ' ') {
        r->length--;
    }
    fprintf(to, "%.*s\n", (int)r->length, r->text);
}

static void print_side(FILE *to, const struct stream_view *s, unsigned side)
{
    struct row r = row(side ? "right" : "left");
    char bar[BAR_WIDTH + 1] = "";
    int filled = 0;

    if (s->level[side] > 0) {
        double db = decibels(s->level[side], METER_FULL);

        filled = (int)lround(BAR_WIDTH + db / BAR_DB);
        filled = filled < 0 ? 0 : filled;
        append(&r, "%7.1f dB", db);
    } else {
        append(&r, "%7s dB", "-inf");
    }
    memset(bar, '#', (size_t)filled);
    memset(bar + filled, '-', (size_t)(BAR_WIDTH - filled));
    append(&r, "   |%s|   volume ", bar);
    if (s->gain[side] > 0) {
        append(&r, "%5.1f dB", decibels(s->gain[side], VOLUME_0DB));
    } else {
        append(&r, "muted");
    }
    print_row(to, &r);
}

static void print_delay(FILE *to, const struct stream_view *s)
{
    const struct recent_summary *d = &s->delays_us;
    struct row delay = row("delay"), ring = row("ring"), drift = row("drift");

    if (s->host_open && d->count > 0) {
        milliseconds(&delay, d->last / 1000.0, "ms now");
        milliseconds(&delay, d->median / 1000.0, "ms median");
        milliseconds(&delay, d->max / 1000.0, "ms max");
    } else {
        append(&delay, "%7s %-43s", "-", "ms, not known");
    }
    milliseconds(&delay, (double)s->target_ns / (double)NS_PER_MS, "ms aim");
    print_row(to, &delay);
    milliseconds(&ring, 1000.0 * s->ring_frames / s->format.rate, "ms");
    number(&ring, s->ring_frames, "frames");
    print_row(to, &ring);
    append(&drift, "%+7.1f ppm", s->drift_ppm);
    print_row(to, &drift);
}

static void print_faults(FILE *to, const struct stream_view *s, bool records)
{
    struct row host = row("host"), guest = row("guest");

    number(&host, s->underruns, "underruns");
    number(&host, s->overruns, "overruns");
    number(&host, s->dropped, "dropped");
    number(&host, s->reopened + (s->lost_for_ns > 0), records ? "source lost" : "sink lost");
    print_row(to, &host);
    number(&guest, s->interrupts_late, "irqs late");
    number(&guest, s->interrupts_merged, "merged");
    if (records) {
        number(&guest, s->silent, "silent");
        number(&guest, s->repeated, "repeated");
    }
    print_row(to, &guest);
}

/* In lines that end between words, where there are any; the label is before the first. */
static void print_text(FILE *to, const char *label, const char *text)
{
    size_t indent = strlen(label), width = LINE_WIDTH - indent;

    while (*text) {
        size_t length = strlen(text);

        if (length > width) {
            for (length = width; length > 0 && text[length] != ' '; length--) {
            }
            length = length > 0 ? length : width;
        }
        fprintf(to, "%-*s%.*s\n", (int)indent, label, (int)length, text);
        label = "";
        text += length;
        text += *text == ' ';
    }
}

static void print_loss(FILE *to, const struct stream_view *s, bool records)
{
    fprintf(to, "    %s for %.1f s; it is tried again all the time:\n",
            records ? "NO SOURCE" : "NO SINK", (double)s->lost_for_ns / (double)NS_PER_S);
    print_text(to, "          ", s->error);
}

static void print_stream(FILE *to, const struct stream_view *s, bool records, bool paused)
{
    const char *host = records ? "source" : "sink";

    if (s->running) {
        fprintf(to, "  %-8s%s   %" PRIu32 " Hz   %u bits   %s   %s %s\n", s->name,
                paused    ? "PAUSED"
                : records ? "RECORDS"
                          : "PLAYS",
                s->format.rate, s->format.bits, s->format.channels == 2 ? "stereo" : "mono", host,
                s->host_open ? "open" : "not open");
        print_side(to, s, 0);
        print_side(to, s, 1);
        print_delay(to, s);
        print_faults(to, s, records);
    } else {
        fprintf(to, "  %-8sidle    %s %s\n", s->name, host, s->host_open ? "open" : "not open");
        if (s->frames > 0) {
            print_faults(to, s, records);
        }
    }
    if (s->lost_for_ns > 0) {
        print_loss(to, s, records);
    }
}

/* The names of the bits that are as they are wanted, behind what is in the row. */
static void append_names(struct row *r, const struct card_view *card, bool wanted)
{
    for (unsigned i = 0; i < IN_FORCE_BITS; i++) {
        if (!!(card->in_force & 1u << i) == wanted) {
            append(r, r->length > 0 ? ", " : "");
            append(r, names[i], card->domid);
        }
    }
}

static void print_confined(FILE *to, const struct card_view *card)
{
    struct row held = {.length = 0}, missing = {.length = 0};

    append(&held, "user %" PRIu32, card->uid);
    if (*card->user_name) {
        append(&held, " (%s)", card->user_name);
    }
    append_names(&held, card, true);
    print_text(to, "  confined  ", held.text);
    append_names(&missing, card, false);
    print_text(to, "       NOT: ", missing.text);
}

void status_print_text(FILE *to, const struct card_view *card)
{
    const struct recent_summary *late = &card->interrupts_late_us;
    struct row irqs = {.length = 0};
    time_t started = (time_t)card->started_s;
    char since[32] = "?";
    struct tm local;

    if (localtime_r(&started, &local)) {
        strftime(since, sizeof(since), "%b %d %H:%M", &local);
    }
    fprintf(to, "domain %u (%s)   es1370 to %s   pid %" PRId32 ", card %" PRId32 "   since %s\n",
            card->domid, *card->domain_name ? card->domain_name : "no name", card->driver,
            card->pid, card->card_pid, since);
    if (card->paused) {
        fputs("  PAUSED, as the guest is\n", to);
    }
    if (card->restarts > 0) {
        fprintf(to, "  restarted %" PRIu32 " times: the log says why\n", card->restarts);
    }
    print_confined(to, card);
    append(&irqs, "  irq late");
    number(&irqs, late->last, "us now");
    number(&irqs, late->median, "us median");
    number(&irqs, late->p99, "us p99");
    number(&irqs, late->max, "us max");
    print_row(to, &irqs);
    for (unsigned i = 0; i < STATUS_STREAMS; i++) {
        const struct stream_view *s = &card->streams[i];

        if (s->running || (i > 0 && card->streams[i - 1].running)) {
            fputc('\n', to);
        }
        print_stream(to, s, i == STATUS_STREAMS - 1, card->paused);
    }
}
