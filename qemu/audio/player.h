/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The work of a stream's thread: from the feed to the host's sink, one step at
 * a time. It reads no clock and waits for nothing, so that tests play whole days
 * of it in virtual time.
 *
 * A sink is opened when the card prepares or starts, and closed when it has had
 * nothing to play for a while or another format comes. While there is none to
 * be had, frames are dropped and the opening is tried again and again.
 */
#ifndef AUDIO_PLAYER_H
#define AUDIO_PLAYER_H

#include <stdbool.h>
#include <stdint.h>

#include "audio/delay_histogram.h"
#include "audio/feed.h"
#include "audio/latency.h"
#include "audio/settings.h"
#include "audio/stream_status.h"
#include "base/log_budget.h"
#include "base/pcm.h"

struct player {
    const struct audio_settings *settings;
    const char *name;
    struct feed *feed;
    struct stream_status *status;

    void *sink; /* NULL: none */
    struct pcm_format sink_format;
    uint64_t tried_at;         /* when a sink was last asked for */
    uint64_t tail_until;       /* the end of the last run is heard until then */
    uint64_t tail_at, tail_ns; /* so much silence is to be written then; 0 ns: none */
    uint64_t idle_until;       /* an idle sink is kept until then */
    uint64_t lost_at;          /* when sound went away; meaningful while lost */
    bool lost;                 /* no sink, or one that has played nothing yet since */
    bool absent;               /* the last attempt to open one failed */
    bool told;                 /* the log says that sound is lost */

    struct pcm_format format; /* of the run; rate 0: none is playing */
    struct feed_counts begun; /* the card's counts at the run's start */
    bool in_step;             /* the run's first frame is written, at its time */
    uint64_t settled_at;      /* delays mean something from then on */
    unsigned answers_seen;    /* the sink's, of which the last was taken */
    uint64_t underruns_seen;
    struct latency latency;

    struct {
        uint64_t frames, dropped, underruns, overruns;
        struct delay_histogram delays;
    } report; /* of this run, and of those before that were not logged */
    struct log_budget run_lines, sound_lines;
};

/* When to take the next step: at a time (at or before now: at once), when the ring holds so many
 * bytes, or at the feed's next event, whichever is first. */
struct player_wake {
    uint64_t at;
    uint32_t bytes;
};

/* name ("dac1"), settings, feed and status are the caller's, and outlive the player. */
void player_init(struct player *p, const struct audio_settings *settings, const char *name,
                 struct feed *feed, struct stream_status *status);

/* Does what there is to do now; of the driver's calls, opening a sink is the only one that may
 * take long. */
struct player_wake player_step(struct player *p, uint64_t now);

/* The sink has gone while the thread waited, and why. */
void player_sink_gone(struct player *p, uint64_t now, const struct err *err);

/* Closes the sink and logs what a run still going on has counted. */
void player_end(struct player *p);

#endif
