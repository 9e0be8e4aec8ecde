/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "audio/intake.h"

#include <errno.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/fds.h"
#include "base/realtime.h"

#define WHOLE_FRAME INT64_C(1000000000) /* of rt.slip */

bool intake_init(struct intake *in, struct err *err)
{
    memset(in, 0, sizeof(*in));
    in->event_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (in->event_fd < 0) {
        return err_set(err, "cannot make an event descriptor for sound: %s", strerror(errno));
    }
    if (!ring_init(&in->ring, INTAKE_RING_BYTES)) {
        close(in->event_fd);
        return err_set(err, "no memory for %d KiB of sound buffer", INTAKE_RING_BYTES >> 10);
    }
    return true;
}

void intake_free(struct intake *in)
{
    ring_free(&in->ring);
    close(in->event_fd);
}

/* --- the card's thread --- */

static void add(atomic_uint_fast64_t *counter, uint64_t n)
{
    atomic_store_explicit(counter, atomic_load_explicit(counter, memory_order_relaxed) + n,
                          memory_order_relaxed);
}

static void set_flowing(struct intake *in, bool flowing)
{
    atomic_store_explicit(&in->flowing, flowing, memory_order_relaxed);
    in->rt.first = in->rt.waited = 0;
}

static void tell(struct intake *in, enum intake_mode mode, uint32_t rate)
{
    in->rt.wish = (struct intake_wish){in->rt.wish.number + 1, mode, rate};
    in->rt.begun = false;
    set_flowing(in, false);
    /* In one order with intake_sleep's store and load: either we see that the thread sleeps, or it
     * sees the wish. */
    atomic_store(&in->wish, (uint64_t)in->rt.wish.number << 32 | (uint64_t)mode << 30 | rate);
    if (atomic_exchange(&in->asleep, false)) {
        signal_fd(in->event_fd);
    }
}

void rt_intake_prepare(struct intake *in, uint32_t rate)
{
    RT_PATH();

    tell(in, INTAKE_PREPARED, rate);
}

void rt_intake_start(struct intake *in, uint32_t rate)
{
    RT_PATH();

    in->rt.slip = 0;
    in->rt.elapsed = 0;
    in->rt.heard = false;
    tell(in, INTAKE_RUNNING, rate);
}

void rt_intake_stop(struct intake *in)
{
    RT_PATH();

    tell(in, INTAKE_IDLE, 0);
}

void rt_intake_follow(struct intake *in, bool followed)
{
    RT_PATH();

    atomic_store_explicit(&in->followed, followed, memory_order_relaxed);
}

static uint32_t least(uint64_t a, uint64_t b)
{
    return (uint32_t)(a < b ? a : b);
}

static uint32_t target(const struct intake *in)
{
    return atomic_load_explicit(&in->target, memory_order_relaxed);
}

/* Frames of this run that can be read. */
static uint32_t come(struct intake *in)
{
    if (!in->rt.begun) {
        /* Until the thread has seen this run it does not write of it; then it leaves the place
         * alone until the next, which is ours to start. */
        if (atomic_load_explicit(&in->run, memory_order_acquire) != in->rt.wish.number) {
            return 0;
        }
        ring_discard(&in->ring,
                     (size_t)(atomic_load_explicit(&in->run_begins, memory_order_relaxed) -
                              ring_read_count(&in->ring)));
        in->rt.begun = true;
    }
    return (uint32_t)(ring_fill(&in->ring) / INTAKE_FRAME_BYTES);
}

static void drop(struct intake *in, uint32_t frames)
{
    ring_discard(&in->ring, (size_t)frames * INTAKE_FRAME_BYTES);
    add(&in->dropped, frames);
}

/*
 * A little that is heard late, after the host or the guest has paused, is better than lost frames,
 * and is worked off by the clock; but no more than a quarter of a second of it.
 */
static uint32_t cut_excess(struct intake *in, uint32_t level)
{
    uint32_t keep = target(in), most = in->rt.wish.rate / 4;

    most = keep + (most > keep ? most : keep);
    if (level <= most) {
        return level;
    }
    drop(in, level - keep);
    return keep;
}

static uint32_t silence(struct intake *in, uint8_t *to, uint32_t frames)
{
    memset(to, 0, (size_t)frames * INTAKE_FRAME_BYTES);
    add(&in->silent, frames);
    return frames;
}

/* A run begins in time: the first block may have begun before it, and a source that has just been
 * opened may give more at once than it will later. */
static uint32_t begin_in_time(struct intake *in, uint32_t level)
{
    uint32_t keep = least(level, least(target(in), in->rt.elapsed));

    ring_discard(&in->ring, (size_t)(level - keep) * INTAKE_FRAME_BYTES);
    return keep;
}

/* Silence for as long as what has come is too young; returns how many frames of it. */
static uint32_t hold_back(struct intake *in, uint8_t *to, uint32_t frames, uint32_t level)
{
    uint32_t age;

    if (in->rt.first == 0) {
        in->rt.first = in->rt.heard ? level : begin_in_time(in, level);
        in->rt.heard |= level > 0;
    }
    if (in->rt.first == 0) {
        return silence(in, to, frames);
    }
    age = in->rt.first + in->rt.waited; /* of the newest of the first, when they are all read */
    if (age >= target(in)) {
        set_flowing(in, true);
        return 0;
    }
    frames = least(frames, target(in) - age);
    in->rt.waited += frames;
    return silence(in, to, frames);
}

/* At most frames of what has come, of which there is some, up to where one is to be dropped or
 * repeated; returns how many. */
static uint32_t take(struct intake *in, uint8_t *to, uint32_t frames, uint32_t level)
{
    int64_t ppb = atomic_load_explicit(&in->followed, memory_order_relaxed)
                      ? 0
                      : atomic_load_explicit(&in->slip_ppb, memory_order_relaxed);
    int64_t left = ppb < 0 ? WHOLE_FRAME + in->rt.slip : WHOLE_FRAME - in->rt.slip;
    int64_t step = ppb < 0 ? -ppb : ppb;
    const void *data;
    size_t len;

    if (left <= 0 && ppb > 0) {
        drop(in, 1);
        in->rt.slip -= WHOLE_FRAME;
        return 0;
    }
    if (left <= 0 && ppb < 0) {
        memcpy(to, in->rt.last, INTAKE_FRAME_BYTES);
        add(&in->repeated, 1);
        in->rt.slip += WHOLE_FRAME;
        return 1;
    }
    data = ring_read_block(&in->ring, &len);
    frames = least(least(frames, level), len / INTAKE_FRAME_BYTES);
    if (step > 0) {
        frames = least(frames, (uint64_t)((left + step - 1) / step));
    }
    memcpy(to, data, (size_t)frames * INTAKE_FRAME_BYTES);
    memcpy(in->rt.last, to + (size_t)(frames - 1) * INTAKE_FRAME_BYTES, INTAKE_FRAME_BYTES);
    ring_discard(&in->ring, (size_t)frames * INTAKE_FRAME_BYTES);
    in->rt.slip += frames * ppb;
    return frames;
}

void rt_intake_read(struct intake *in, int16_t *stereo, uint32_t frames)
{
    uint8_t *to = (uint8_t *)stereo;
    bool running = in->rt.wish.mode == INTAKE_RUNNING;
    RT_PATH();

    add(&in->frames, frames);
    in->rt.elapsed += frames;
    while (frames > 0) {
        uint32_t level = running ? cut_excess(in, come(in)) : 0;
        bool flowing = atomic_load_explicit(&in->flowing, memory_order_relaxed);
        uint32_t n;

        if (flowing && level == 0) {
            set_flowing(in, false);
            add(&in->underruns, 1);
        }
        n = flowing && level > 0 ? take(in, to, frames, level) : hold_back(in, to, frames, level);
        to += (size_t)n * INTAKE_FRAME_BYTES;
        frames -= n;
    }
}

uint32_t rt_intake_level(const struct intake *in)
{
    return (uint32_t)(ring_fill(&in->ring) / INTAKE_FRAME_BYTES);
}

/* --- the capture's thread --- */

struct intake_wish intake_get_wish(const struct intake *in)
{
    uint64_t packed = atomic_load(&in->wish);

    return (struct intake_wish){
        .number = (uint32_t)(packed >> 32),
        .mode = (enum intake_mode)(packed >> 30 & 3),
        .rate = (uint32_t)(packed & 0x3fffffff),
    };
}

void intake_begin_run(struct intake *in, uint32_t number)
{
    atomic_store_explicit(&in->run_begins, rt_ring_written(&in->ring), memory_order_relaxed);
    atomic_store_explicit(&in->run, number, memory_order_release);
}

uint32_t intake_level(const struct intake *in)
{
    return (uint32_t)((in->ring.capacity - rt_ring_room(&in->ring)) / INTAKE_FRAME_BYTES);
}

struct intake_counts intake_get_counts(const struct intake *in)
{
    return (struct intake_counts){
        .frames = atomic_load_explicit(&in->frames, memory_order_relaxed),
        .silent = atomic_load_explicit(&in->silent, memory_order_relaxed),
        .underruns = atomic_load_explicit(&in->underruns, memory_order_relaxed),
        .dropped = atomic_load_explicit(&in->dropped, memory_order_relaxed),
        .repeated = atomic_load_explicit(&in->repeated, memory_order_relaxed),
    };
}

bool intake_sleep(struct intake *in, uint32_t number)
{
    atomic_store(&in->asleep, true);
    if (intake_get_wish(in).number != number) {
        intake_wake_up(in);
        return false;
    }
    return true;
}

void intake_wake_up(struct intake *in)
{
    atomic_store(&in->asleep, false);
    /* Nothing to read: nobody has signalled, or is about to; then the next sleep is a short one. */
    clear_fd(in->event_fd);
}
