/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A byte fifo between one thread that writes and one that reads, without locks.
 *
 * written and read count bytes since the ring was made and never go back; the
 * reader may look at the bytes [read, written), the writer owns the others.
 * Each side stores its own count with release after it is done with the bytes,
 * and loads the other's with acquire before it touches them.
 *
 * The functions named rt_ are the writing thread's, the others the reading
 * thread's. None waits; only ring_init allocates.
 */
#ifndef AUDIO_RING_H
#define AUDIO_RING_H

#include <stdalign.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct ring {
    uint8_t *data;
    size_t capacity; /* bytes, a power of two */
    /* A cache line each, so that the sides do not slow each other down. */
    alignas(64) atomic_uint_fast64_t written;
    alignas(64) atomic_uint_fast64_t read;
};

/* capacity: bytes, a power of two. False: no memory. Before any thread uses it. */
bool ring_init(struct ring *r, size_t capacity);
void ring_free(struct ring *r);

/* Writer: bytes that there is room for now; at least that many until it writes. */
size_t rt_ring_room(const struct ring *r);
/* Writer: the room that lies in one piece, *len bytes of it (0: the ring is full). */
void *rt_ring_write_block(struct ring *r, size_t *len);
/* Writer: len bytes of that block are filled; the reader may have them. */
void rt_ring_commit(struct ring *r, size_t len);
/* Writer: the reader may have size bytes of from, at most the room. */
void rt_ring_write(struct ring *r, const void *from, size_t size);
/* Writer: bytes written since the ring was made. */
uint64_t rt_ring_written(const struct ring *r);

/* Writer: copies the bytes from the position (bytes since the ring was made; none of it may have
 * been overwritten) to what is written, at most size; returns how many. to may be NULL: it only
 * counts. */
size_t rt_ring_copy_back(const struct ring *r, uint64_t position, void *to, size_t size);
/* Writer: bytes that the reader has discarded, at least. */
uint64_t rt_ring_discarded(const struct ring *r);

/* Reader: bytes that can be read now; at least that many until it discards. */
size_t ring_fill(const struct ring *r);
/* Reader: the bytes that lie in one piece, *len of them (0: the ring is empty). */
const void *ring_read_block(const struct ring *r, size_t *len);
/* Reader: the first len bytes, at most the fill, are done with. */
void ring_discard(struct ring *r, size_t len);
/* Reader: takes what can be read now, at most size bytes, and returns how many. */
size_t ring_read(struct ring *r, void *to, size_t size);
/* Reader: bytes discarded since the ring was made. */
uint64_t ring_read_count(const struct ring *r);

#endif
