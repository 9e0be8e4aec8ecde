/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "audio/midi.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "audio/ring.h"
#include "audio/worker.h"
#include "base/fds.h"
#include "base/log.h"
#include "base/realtime.h"

/* More than a second of a MIDI line, each way. */
enum { RING_BYTES = 4096 };

#ifdef CONFIG_MIDI
extern const struct midi_driver midi_driver_midi_alsa;
const struct midi_driver *const midi_driver = &midi_driver_midi_alsa;
#else
const struct midi_driver *const midi_driver = NULL;
#endif

struct midi_port {
    struct ring out; /* to the host */
    struct ring in;  /* from it; written by the port's thread */
    const struct midi_driver *driver;
    void *client;

    int thread_fd; /* wakes the port's thread */
    int card_fd;   /* and the card's */
    atomic_bool asleep;
    atomic_bool listening;
    struct worker worker;

    uint64_t lost_in;  /* the port's thread's own, until it has ended */
    uint64_t lost_out; /* the card's thread's own */
};

/* --- the port's thread --- */

static void send(struct midi_port *p)
{
    size_t len;

    for (;;) {
        const uint8_t *bytes = ring_read_block(&p->out, &len);

        if (len == 0) {
            return;
        }
        p->driver->write(p->client, bytes, len);
        ring_discard(&p->out, len);
    }
}

static void give_to_card(struct midi_port *p, const uint8_t *bytes, size_t count)
{
    if (count > rt_ring_room(&p->in)) {
        p->lost_in += count; /* all of it, so that no half message stays */
        return;
    }
    rt_ring_write(&p->in, bytes, count);
    signal_fd(p->card_fd);
}

/* All that there is. False: there will be no more. */
static bool receive(struct midi_port *p)
{
    const uint8_t *bytes;
    size_t len;

    do {
        if (!p->driver->read(p->client, &bytes, &len)) {
            return false;
        }
        if (len > 0 && atomic_load(&p->listening)) {
            give_to_card(p, bytes, len);
        }
    } while (len > 0);
    return true;
}

/* Until there is something to send or, maybe, to receive. */
static void wait_for_work(struct midi_port *p, struct pollfd fds[2])
{
    /* In one order with the exchange in rt_midi_write: either we see the byte, or it sees that we
     * sleep. */
    atomic_exchange(&p->asleep, true);
    if (ring_fill(&p->out) == 0) {
        poll(fds, 2, -1); /* interrupted or not: the loop looks at what there is to do */
    }
    atomic_store(&p->asleep, false);
    clear_fd(p->thread_fd); /* or it was the host */
}

static void run(void *opaque)
{
    struct midi_port *p = opaque;
    struct pollfd fds[2] = {
        {.fd = p->thread_fd, .events = POLLIN},
        {.fd = p->driver->fd(p->client), .events = POLLIN},
    };

    while (!atomic_load(&p->worker.quit)) {
        wait_for_work(p, fds);
        send(p);
        if (fds[1].fd >= 0 && !receive(p)) {
            log_warn("MIDI: the host's port is gone: the guest hears nothing more from it");
            fds[1].fd = -1;
        }
    }
    send(p);
}

/* --- open and close --- */

static void free_port(struct midi_port *p)
{
    if (p->client) {
        p->driver->close(p->client);
    }
    if (p->thread_fd >= 0) {
        close(p->thread_fd);
    }
    if (p->card_fd >= 0) {
        close(p->card_fd);
    }
    ring_free(&p->out);
    ring_free(&p->in);
    free(p);
}

struct midi_port *midi_port_open(const struct midi_driver *driver, const char *name,
                                 struct err *err)
{
    struct midi_port *p = aligned_alloc(alignof(struct midi_port), sizeof(*p));

    if (!p) {
        err_set(err, "no memory for a MIDI port");
        return NULL;
    }
    memset(p, 0, sizeof(*p));
    p->driver = driver;
    p->thread_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    p->card_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (p->thread_fd < 0 || p->card_fd < 0) {
        err_set(err, "cannot make an event descriptor for MIDI: %s", strerror(errno));
        goto fail;
    }
    if (!ring_init(&p->out, RING_BYTES) || !ring_init(&p->in, RING_BYTES)) {
        err_set(err, "no memory for MIDI");
        goto fail;
    }
    p->client = driver->open(name, err);
    if (!p->client) {
        goto fail;
    }
    if (!worker_start(&p->worker, "port", "midi", run, p, p->thread_fd, err)) {
        goto fail;
    }
    return p;

fail:
    free_port(p);
    return NULL;
}

void midi_port_close(struct midi_port *p)
{
    uint64_t sent, received;

    worker_stop(&p->worker, -1);
    sent = ring_read_count(&p->out);
    received = rt_ring_written(&p->in);
    if (sent + received + p->lost_in + p->lost_out > 0) {
        log_info("MIDI: bytes out=%" PRIu64 " lost=%" PRIu64 ", in=%" PRIu64 " lost=%" PRIu64, sent,
                 p->lost_out, received, p->lost_in);
    }
    free_port(p);
}

int midi_port_fd(const struct midi_port *p)
{
    return p->card_fd;
}

/* --- the card's thread --- */

void rt_midi_listen(struct midi_port *p, bool on)
{
    RT_PATH();

    /* What came for whoever listened before is not for who listens now. */
    ring_discard(&p->in, ring_fill(&p->in));
    atomic_store(&p->listening, on);
}

void rt_midi_write(struct midi_port *p, uint8_t byte)
{
    size_t room;
    uint8_t *to = rt_ring_write_block(&p->out, &room);
    RT_PATH();

    if (room == 0) {
        p->lost_out++;
        return;
    }
    *to = byte;
    rt_ring_commit(&p->out, 1);
    if (atomic_exchange(&p->asleep, false)) {
        signal_fd(p->thread_fd);
    }
}

bool rt_midi_read(struct midi_port *p, uint8_t *byte)
{
    size_t len;
    const uint8_t *from = ring_read_block(&p->in, &len);
    RT_PATH();

    if (len == 0) {
        return false;
    }
    *byte = *from;
    ring_discard(&p->in, 1);
    return true;
}
