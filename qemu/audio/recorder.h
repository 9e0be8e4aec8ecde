/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The work of a capture's thread: from the host's source to the intake, one
 * step at a time. It reads no clock and waits only in recorder_wait, which is
 * the driver's, so that tests record whole days of it in virtual time.
 *
 * A source is a person's microphone: it is opened when the guest's driver has
 * set the card's ADC up, not before, and closed a second after the guest has
 * stopped it (or two after a set-up in vain). While there is none to be had the
 * guest records silence, and the opening is tried again and again.
 *
 * The level of the intake is the age of the newest frame when the guest gets
 * it: the delay of latency.h. It is kept where that says by the card's clock, if
 * that follows the source's, and else by the intake's slip.
 */
#ifndef AUDIO_RECORDER_H
#define AUDIO_RECORDER_H

#include <stdbool.h>
#include <stdint.h>

#include "audio/delay_histogram.h"
#include "audio/intake.h"
#include "audio/latency.h"
#include "audio/settings.h"
#include "audio/stream_status.h"
#include "base/err.h"
#include "base/log_budget.h"

struct recorder {
    const struct audio_settings *settings;
    const char *name;
    struct intake *intake;
    struct stream_status *status;

    struct intake_wish wish; /* the last seen */
    uint64_t wished_at;

    void *source; /* NULL: none */
    uint32_t source_rate;
    bool gone;           /* it has failed in recorder_wait, */
    struct err gone_why; /* because of this */
    uint64_t tried_at;   /* when a source was last asked for */
    uint64_t lost_at;    /* when sound went away; meaningful while lost */
    bool lost;           /* no source, or one from which nothing has come yet since */
    bool told;           /* the log says that sound is lost */

    bool begun;              /* the intake knows of this run */
    uint32_t arrived;        /* frames that have come since the level was last looked at */
    uint32_t arrived_before; /* and before that; 0: not known */
    bool full;               /* the last did not fit */
    uint64_t underruns_seen; /* the intake's */
    bool expected;           /* they were of a source that was gone, so nothing was late */
    bool late;               /* frames were, and nothing has been done about it yet */
    bool followed;           /* as the intake had it when the level was last looked at */
    struct latency latency;
    double above_ns; /* how far the level is above its target, smoothed, while not followed */

    struct {
        struct intake_counts counts; /* the card's, when a line was last logged */
        uint64_t dropped, overruns;  /* the status's, then */
        struct delay_histogram delays;
    } report;
    struct log_budget run_lines, sound_lines;
};

/* name ("adc"), settings, intake and status are the caller's, and outlive the recorder. */
void recorder_init(struct recorder *r, const struct audio_settings *settings, const char *name,
                   struct intake *intake, struct stream_status *status);

/* Does what there is to do now, at most one of the driver's calls. Returns when to take the next
 * step at the latest: when the time has come (at or before now: at once), when there is another
 * wish, or when recorder_wait says so. */
uint64_t recorder_step(struct recorder *r, uint64_t now);

/* With a source open: waits until frames have come, the intake's event_fd is readable, or until_ns.
 * False: without one there is nothing to wait with. */
bool recorder_wait(struct recorder *r, uint64_t until_ns);

/* Closes the source and logs what a run still going on has counted. */
void recorder_end(struct recorder *r);

#endif
