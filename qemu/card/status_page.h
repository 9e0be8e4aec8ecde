/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What `qemu-dm --status` looks at: a file of memory for each card, named after
 * its domain, which the card writes as it goes and anybody may map. The card is
 * not told who reads, and its counters cost the same whether anybody does.
 *
 * The supervisor makes the file, before the card has given up any privilege, and
 * removes it at the end, or the engine's guard does; one that is left all the same
 * is removed by the next start of any.
 */
#ifndef CARD_STATUS_PAGE_H
#define CARD_STATUS_PAGE_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include "audio/stream_status.h"
#include "base/err.h"
#include "base/recent.h"

enum {
    STATUS_PAGE_VERSION = 3, /* to be raised with every change of the layout */
    STATUS_STREAMS = 3,      /* dac1, dac2, adc: enum es1370_channel */
    STATUS_NAME_BYTES = 128,
    STATUS_DRIVER_BYTES = 32,
};
#define STATUS_PAGE_MAGIC UINT64_C(0x6d642d756d6571) /* "qemu-dm" in a file */

/* Who writes the page. Constant once the magic is there, which is written last. */
struct status_head {
    _Atomic uint64_t magic;
    uint32_t version;
    uint32_t size;        /* of the page, in bytes */
    uint32_t domid;       /* 1.. */
    int32_t pid;          /* the supervisor's */
    uint64_t pid_started; /* and when it was started, in the kernel's ticks since boot: a pid may
                           * have become somebody else's */
    uint64_t started_s;   /* when the card was, CLOCK_REALTIME, */
    uint64_t started_ns;  /* and CLOCK_MONOTONIC */
    char
        domain_name[STATUS_NAME_BYTES]; /* "": not known; cut to fit, and ended by 0, as all text */
    char driver[STATUS_DRIVER_BYTES];
};

struct status_page {
    struct status_head head;
    /* Written by the card's thread. */
    _Atomic int32_t card_pid;         /* 0: there is no card yet */
    _Atomic uint32_t paused;          /* 1: it stands still */
    struct recent interrupts_late_us; /* against the time of the sample they belong to */

    /* Written by the card before its guest is served. */
    _Atomic uint32_t uid;      /* whose it is */
    _Atomic uint32_t in_force; /* what it has lost: sandbox/in_force.h */

    _Atomic uint32_t restarts; /* of a card that has died, by the supervisor */

    struct stream_status streams[STATUS_STREAMS];
};

/* The folder of the pages: QEMU_DM_RUNDIR, or the one configured. */
const char *status_page_folder(void);

/* Makes the page of a domain, and its folder if need be, with this process as its supervisor, and
 * maps it for good. NULL with err saying what will be missing. */
struct status_page *status_page_create(uint16_t domid, const char *domain_name, const char *driver,
                                       struct err *err);

/* Writes down who the calling process is, and what is in force there, of a card that is plugged
 * in. */
void status_page_set_confined(struct status_page *page);

/* No effect where there is none. */
void status_page_remove(uint16_t domid);

/* When a process was started, in the kernel's ticks since boot; 0: there is none, or none that
 * runs. */
uint64_t status_process_started(int32_t pid);

#endif
