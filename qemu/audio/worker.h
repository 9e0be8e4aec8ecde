/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A thread that works for the card's: it sleeps on an event descriptor of its
 * owner's, and can be left behind where a host's library does not let go of it.
 *
 * Not realtime.
 */
#ifndef AUDIO_WORKER_H
#define AUDIO_WORKER_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

#include "base/err.h"

struct worker {
    void (*run)(void *opaque); /* until quit */
    void *opaque;
    int wake_fd;  /* the owner's: an event descriptor that the thread sleeps on */
    int ended_fd; /* readable once the thread needs nothing of its owner any more */
    atomic_bool quit;
    pthread_t thread;
};

/* Starts the thread, called name (at most 15 letters), with all signals blocked: they are for the
 * thread that has a loop for them. kind ("stream") is for the message. The worker must not move
 * while the thread lives. False with err set, and nothing to stop. */
bool worker_start(struct worker *w, const char *kind, const char *name, void (*run)(void *opaque),
                  void *opaque, int wake_fd, struct err *err);

/* Sets quit, wakes the thread and waits until it has ended, at most timeout_ms (-1: for as long as
 * it takes). False: it has not, and is left to itself; all that it uses must stay. */
bool worker_stop(struct worker *w, int timeout_ms);

#endif
