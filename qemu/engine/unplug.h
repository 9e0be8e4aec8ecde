/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Unplugging a device of the engine's, as `xl pci-detach` does: the guest's
 * operating system is asked by ACPI to let go of it, and takes the time it likes.
 *
 * The engine talks to one at a time, and libxl gives up on it within seconds:
 * so each connection lasts for one command, `device_del` first, and then looks
 * whether the device is still there. Others' connections are waited for.
 *
 * Where the conversation with the engine is an old toolstack's, it is
 * conversation_unplug (traditional/conversation.h) that asks.
 *
 * One thread. Nothing here waits.
 */
#ifndef ENGINE_UNPLUG_H
#define ENGINE_UNPLUG_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "engine/engine_socket.h"
#include "engine/qmp_stream.h"

enum unplug_step {
    UNPLUG_OVER, /* or not begun */
    UNPLUG_RESTS,
    UNPLUG_GREETING, /* connected; the engine may be talking to another */
    UNPLUG_CAPABILITIES,
    UNPLUG_ANSWER,
};

/* All zeros: nothing is unplugged. */
struct unplug {
    enum unplug_step step;
    const struct engine_socket *engine;
    const char *device;
    int fd;            /* while connected */
    bool asked;        /* the guest; since then: */
    uint64_t until_ns; /* when to give up */
    uint64_t next_ns;  /* when to look next, or when the engine's answer is too late */
    struct qmp_stream stream;
};

/* Begins to unplug the device with this id; that, and engine, have to last until unplug_end. How it
 * ends is logged. False with err set: there is no connection to the engine, or it is gone. */
bool unplug_begin(struct unplug *u, const struct engine_socket *engine, const char *device,
                  struct err *err);

/* To wait for until it is readable; -1: nothing. */
int unplug_fd(const struct unplug *u);

/* The time, of CLOCK_MONOTONIC in nanoseconds, for the next unplug_serve; UINT64_MAX: not as things
 * stand. */
uint64_t unplug_wake(const struct unplug *u);

/* Does what can be done now. */
void unplug_serve(struct unplug *u);

/* Gives it up, if it is not over. */
void unplug_end(struct unplug *u);

#endif
