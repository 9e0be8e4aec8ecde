/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "audio/drivers/pipewire_clock.h"

#include "base/clock.h"

/* No sink is later than this; what says so is mistaken. */
#define MOST_DELAY_NS (10 * NS_PER_S)
/* The data thread writes for some nanoseconds, unless it is interrupted: then the last round that
 * was read will do. */
enum { TRIES = 8 };

/* Each of the values is stored with release and loaded with acquire: whoever sees one of a new
 * round also sees that posts has become odd before it. */
void rt_pipewire_post(struct pipewire_board *board, const struct pipewire_round *round)
{
    unsigned posts = atomic_load_explicit(&board->posts, memory_order_relaxed);

    atomic_store_explicit(&board->posts, posts + 1, memory_order_relaxed);
    atomic_store_explicit(&board->begin_ns, round->begin_ns, memory_order_release);
    atomic_store_explicit(&board->block_ns, round->block_ns, memory_order_release);
    atomic_store_explicit(&board->behind_ns, round->behind_ns, memory_order_release);
    atomic_store_explicit(&board->taken, round->taken, memory_order_release);
    atomic_store_explicit(&board->underruns, round->underruns, memory_order_release);
    atomic_store_explicit(&board->posts, posts + 2, memory_order_release);
}

bool pipewire_read(const struct pipewire_board *board, struct pipewire_round *round)
{
    for (int i = 0; i < TRIES; i++) {
        unsigned posts = atomic_load_explicit(&board->posts, memory_order_acquire);
        struct pipewire_round now = {
            .begin_ns = atomic_load_explicit(&board->begin_ns, memory_order_acquire),
            .block_ns = atomic_load_explicit(&board->block_ns, memory_order_acquire),
            .behind_ns = atomic_load_explicit(&board->behind_ns, memory_order_acquire),
            .taken = atomic_load_explicit(&board->taken, memory_order_acquire),
            .underruns = atomic_load_explicit(&board->underruns, memory_order_acquire),
        };

        if (posts == 0) {
            return false;
        }
        if (posts % 2 == 0 && atomic_load_explicit(&board->posts, memory_order_relaxed) == posts) {
            *round = now;
            return true;
        }
    }
    return false;
}

uint64_t pipewire_begin_ns(int64_t graph_ns, uint64_t now, uint64_t block_ns)
{
    uint64_t begin = graph_ns > 0 ? (uint64_t)graph_ns : 0;
    uint64_t off = begin > now ? begin - now : now - begin;

    return off <= block_ns ? begin : now;
}

uint64_t pipewire_delay_ns(int64_t delay, uint32_t num, uint32_t denom)
{
    double ns = denom > 0 ? (double)delay * num * (double)NS_PER_S / denom : 0;

    return ns > 0 && ns < (double)MOST_DELAY_NS ? (uint64_t)ns : 0;
}

uint64_t pipewire_heard_ns(const struct pipewire_round *round, uint64_t written, uint32_t rate,
                           uint64_t now)
{
    uint64_t next_ns = round->begin_ns + round->block_ns;

    /* A round may be late and have its time all the same; but not by another round. */
    if (now > next_ns + round->block_ns) {
        next_ns = now;
    }
    return next_ns + round->behind_ns + (written - round->taken) * NS_PER_S / rate;
}
