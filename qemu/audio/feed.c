/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "audio/feed.h"

#include <errno.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/fds.h"
#include "base/realtime.h"

bool feed_init(struct feed *f, struct err *err)
{
    memset(f, 0, sizeof(*f));
    atomic_init(&f->wake_level, FEED_AWAKE);
    f->event_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (f->event_fd < 0) {
        return err_set(err, "cannot make an event descriptor for sound: %s", strerror(errno));
    }
    if (!ring_init(&f->ring, FEED_RING_BYTES)) {
        close(f->event_fd);
        return err_set(err, "no memory for %d KiB of sound buffer", FEED_RING_BYTES >> 10);
    }
    return true;
}

void feed_free(struct feed *f)
{
    ring_free(&f->ring);
    close(f->event_fd);
}

/* --- the card's thread --- */

static void wake(struct feed *f)
{
    /* Of several reasons to wake only the first costs a system call. */
    if (atomic_exchange(&f->wake_level, FEED_AWAKE) != FEED_AWAKE) {
        signal_fd(f->event_fd);
    }
}

static void tell_event(struct feed *f)
{
    /* In one order with feed_sleep's exchange and load: either we see that the thread sleeps, or
     * it sees the event. */
    atomic_fetch_add(&f->events, 1);
    if (atomic_load(&f->wake_level) != FEED_AWAKE) {
        wake(f);
    }
}

static void add(atomic_uint_fast64_t *counter, uint64_t n)
{
    atomic_store_explicit(counter, atomic_load_explicit(counter, memory_order_relaxed) + n,
                          memory_order_relaxed);
}

static unsigned marks_free(const struct feed *f)
{
    return FEED_MARKS - (atomic_load_explicit(&f->marks_written, memory_order_relaxed) -
                         atomic_load_explicit(&f->marks_read, memory_order_acquire));
}

static void put_mark(struct feed *f, const struct feed_mark *mark)
{
    unsigned n = atomic_load_explicit(&f->marks_written, memory_order_relaxed);

    f->marks[n % FEED_MARKS] = *mark;
    atomic_store_explicit(&f->marks_written, n + 1, memory_order_release);
    rt_ring_commit(&f->ring, mark->skip); /* after the mark, so that nobody plays it */
    tell_event(f);
}

/* A run that is admitted has a free mark left for its stop. */
static bool admit(struct feed *f)
{
    struct feed_mark mark = {
        .position = rt_ring_written(&f->ring),
        .format = f->rt.format,
        .counts = f->rt.at_start,
    };
    /* Frames begin at a multiple of the largest frame, so that none lies across the ring's end. */
    mark.skip = (uint32_t)(-mark.position & 3);
    if (marks_free(f) < 2 || rt_ring_room(&f->ring) < mark.skip) {
        return false;
    }
    put_mark(f, &mark);
    f->rt.begin = rt_ring_written(&f->ring);
    return true;
}

void rt_feed_prepare(struct feed *f, const struct pcm_format *format)
{
    uint64_t packed = (uint64_t)format->rate << 16 | (uint64_t)format->channels << 8 | format->bits;
    RT_PATH();

    atomic_store(&f->hint, packed);
    tell_event(f);
}

void rt_feed_start(struct feed *f, const struct pcm_format *format)
{
    RT_PATH();

    f->rt.format = *format;
    f->rt.at_start = feed_get_counts(f);
    f->rt.running = true;
    f->rt.full = false;
    /* A start while running ends the run before by the same mark. */
    f->rt.admitted = admit(f);
}

void rt_feed_write(struct feed *f, const void *data, uint32_t frames)
{
    uint32_t frame_bytes = pcm_frame_bytes(&f->rt.format);
    size_t room, fits = 0;
    uint32_t level;
    RT_PATH();

    if (!f->rt.running) {
        return;
    }
    if (!f->rt.admitted) {
        f->rt.admitted = admit(f);
    }
    if (f->rt.admitted) {
        room = rt_ring_room(&f->ring) / frame_bytes;
        fits = frames < room ? frames : room;
        rt_ring_write(&f->ring, data, fits * frame_bytes);
    }
    add(&f->frames, frames);
    if (fits < frames) {
        add(&f->dropped, frames - fits);
        add(&f->overruns, !f->rt.full);
    }
    f->rt.full = fits < frames;

    /* Read by changing it (by nothing), which puts it in one order with feed_sleep's exchange:
     * either we see that the thread sleeps, or it sees the bytes. */
    level = atomic_fetch_add(&f->wake_level, 0);
    if (level < FEED_NO_LEVEL && f->ring.capacity - rt_ring_room(&f->ring) >= level) {
        wake(f);
    }
}

void rt_feed_stop(struct feed *f)
{
    struct feed_mark mark = {
        .position = rt_ring_written(&f->ring),
        .counts = feed_get_counts(f),
    };
    RT_PATH();

    if (f->rt.running && f->rt.admitted) {
        put_mark(f, &mark);
    }
    f->rt.running = false;
    f->rt.admitted = false;
}

uint32_t rt_feed_level(const struct feed *f)
{
    uint32_t frame_bytes = pcm_frame_bytes(&f->rt.format);

    return frame_bytes ? (uint32_t)(f->ring.capacity - rt_ring_room(&f->ring)) / frame_bytes : 0;
}

size_t rt_feed_unplayed(const struct feed *f, void *to, size_t size)
{
    uint64_t position = rt_ring_discarded(&f->ring);

    if (!f->rt.running || !f->rt.admitted) {
        return 0;
    }
    return rt_ring_copy_back(&f->ring, position > f->rt.begin ? position : f->rt.begin, to, size);
}

/* --- the stream's thread --- */

size_t feed_readable(const struct feed *f, const struct feed_mark **mark)
{
    /* The fill first: whoever sees the bytes behind a mark sees the mark. */
    size_t fill = ring_fill(&f->ring);
    unsigned n = atomic_load_explicit(&f->marks_read, memory_order_relaxed);
    const struct feed_mark *next = &f->marks[n % FEED_MARKS];

    *mark = NULL;
    if (n != atomic_load_explicit(&f->marks_written, memory_order_acquire)) {
        fill = (size_t)(next->position - ring_read_count(&f->ring));
        /* A mark counts once its padding is there; the event that says so is still to come. */
        if (ring_fill(&f->ring) >= fill + next->skip) {
            *mark = next;
        }
    }
    return fill;
}

bool feed_has_another(const struct feed *f, const struct feed_mark *mark)
{
    /* What follows a run's end is the next one's beginning. */
    return mark->format.rate || atomic_load_explicit(&f->marks_written, memory_order_acquire) -
                                        atomic_load_explicit(&f->marks_read, memory_order_relaxed) >
                                    1;
}

void feed_take_mark(struct feed *f)
{
    unsigned n = atomic_load_explicit(&f->marks_read, memory_order_relaxed);

    ring_discard(&f->ring, f->marks[n % FEED_MARKS].skip);
    atomic_store_explicit(&f->marks_read, n + 1, memory_order_release);
}

bool feed_take_hint(struct feed *f, struct pcm_format *format)
{
    uint64_t packed = atomic_exchange(&f->hint, 0);

    format->rate = (uint32_t)(packed >> 16);
    format->channels = (uint8_t)(packed >> 8);
    format->bits = (uint8_t)packed;
    return packed != 0;
}

struct feed_counts feed_get_counts(const struct feed *f)
{
    return (struct feed_counts){
        .frames = atomic_load_explicit(&f->frames, memory_order_relaxed),
        .dropped = atomic_load_explicit(&f->dropped, memory_order_relaxed),
        .overruns = atomic_load_explicit(&f->overruns, memory_order_relaxed),
    };
}

unsigned feed_events(const struct feed *f)
{
    return atomic_load(&f->events);
}

bool feed_sleep(struct feed *f, uint32_t level, unsigned seen)
{
    atomic_exchange(&f->wake_level, level);
    if (feed_events(f) != seen || (level < FEED_NO_LEVEL && ring_fill(&f->ring) >= level)) {
        feed_wake_up(f);
        return false;
    }
    return true;
}

void feed_wake_up(struct feed *f)
{
    atomic_store(&f->wake_level, FEED_AWAKE);
    /* Nothing to read: nobody has signalled, or is about to; then the next sleep is a short one. */
    clear_fd(f->event_fd);
}
