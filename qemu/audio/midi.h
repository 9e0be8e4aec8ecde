/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The card's MIDI connector on the host: a realtime side that never waits
 * (rt_), two rings, and a thread that owns the host's port.
 *
 *   card's thread -- rt_midi_write --> ring --> port's thread --> driver
 *   card's thread <-- rt_midi_read --- ring <-- port's thread <-- driver
 */
#ifndef AUDIO_MIDI_H
#define AUDIO_MIDI_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

/* A host's MIDI, as the port's thread sees it. All calls but open come from that thread; none is
 * realtime, and none may wait. */
struct midi_driver {
    /* Opens a port that people find under the name. NULL with err set. */
    void *(*open)(const char *name, struct err *err);
    /* Readable when there may be something to read. */
    int (*fd)(void *client);
    /* The next bytes from the host, *len of them (0: none now), which stay until the next call.
     * False: nothing will come any more. */
    bool (*read)(void *client, const uint8_t **bytes, size_t *len);
    /* Hands over bytes, which may begin and end within a message. What the host has no room for
     * is lost. */
    void (*write)(void *client, const uint8_t *bytes, size_t len);
    void (*close)(void *client);
};

/* The one built in, or NULL. */
extern const struct midi_driver *const midi_driver;

struct midi_port;

/* Opens the host's port and starts the thread. NULL with err set. Not realtime, as midi_port_close,
 * which logs how much has passed. */
struct midi_port *midi_port_open(const struct midi_driver *driver, const char *name,
                                 struct err *err);
void midi_port_close(struct midi_port *p);

/* An event descriptor, readable (until it has been read) once there is something for
 * rt_midi_read. */
int midi_port_fd(const struct midi_port *p);

/* The realtime side: one thread. */

/* Whether the guest listens: bytes that come while it does not are dropped. It does not at first.
 */
void rt_midi_listen(struct midi_port *p, bool on);

/* A byte for the host; dropped where it has not taken the last 4096. */
void rt_midi_write(struct midi_port *p, uint8_t byte);

/* The next byte from the host. False: none. */
bool rt_midi_read(struct midi_port *p, uint8_t *byte);

#endif
