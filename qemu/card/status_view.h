/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A status page as a reader may rely on it: each value read once, and found to
 * be one that a card writes.
 */
#ifndef CARD_STATUS_VIEW_H
#define CARD_STATUS_VIEW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/pcm.h"
#include "card/status_page.h"

/* Texts are printable ASCII: what is not is shown as '?'. */
struct stream_view {
    const char *name; /* "dac1", "dac2", "adc" */
    bool running;
    struct pcm_format format; /* of the last start; rate 0: there was none */
    uint32_t gain[2];         /* linear, in 1/65536; 0: muted */
    uint32_t level[2];        /* of METER_FULL */
    uint32_t ring_frames;
    uint64_t interrupts_late, interrupts_merged;
    uint64_t frames, silent, repeated, dropped, underruns, overruns, reopened;
    uint64_t target_ns;
    double clock_ppm, drift_ppm;
    bool host_open;
    uint64_t lost_for_ns; /* 0: it is not lost */
    char error[STATUS_TEXT_BYTES];
    struct recent_summary delays_us;
};

struct card_view {
    uint16_t domid;
    char domain_name[STATUS_NAME_BYTES];
    char driver[STATUS_DRIVER_BYTES];
    int32_t pid, card_pid;
    bool paused;
    uint32_t uid;
    char user_name[64]; /* "": it has none on this host */
    uint32_t in_force;  /* sandbox/in_force.h */
    uint32_t restarts;
    uint64_t started_s; /* CLOCK_REALTIME */
    uint64_t up_ns;
    struct recent_summary interrupts_late_us;
    struct stream_view streams[STATUS_STREAMS];
};

enum status_verdict {
    STATUS_LIVE,
    STATUS_DEAD,  /* its supervisor is no more */
    STATUS_UNFIT, /* err says why, and what to do */
};

/* Looks at the page called name in the folder that is open as dir. now_ns: CLOCK_MONOTONIC. */
enum status_verdict status_view_read(struct card_view *view, int dir, const char *name,
                                     uint64_t now_ns, struct err *err);

struct status_views {
    struct card_view *cards; /* in the order of their domains */
    size_t count;
};

/* All that are live in the folder; complain is called for each that is unfit. False with err set
 * where the folder cannot be read; one that does not exist holds none. */
bool status_views_read(struct status_views *views, const char *folder, uint64_t now_ns,
                       void (*complain)(const struct err *why), struct err *err);
void status_views_free(struct status_views *views);

/* Removes from the folder the pages of the dead. */
void status_views_sweep(const char *folder);

#endif
