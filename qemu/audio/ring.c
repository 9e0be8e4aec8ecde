/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "audio/ring.h"

#include <stdlib.h>
#include <string.h>

bool ring_init(struct ring *r, size_t capacity)
{
    r->data = malloc(capacity);
    if (!r->data) {
        return false;
    }
    memset(r->data, 0, capacity); /* so that no page is touched for the first time later */
    r->capacity = capacity;
    atomic_init(&r->written, 0);
    atomic_init(&r->read, 0);
    return true;
}

void ring_free(struct ring *r)
{
    free(r->data);
    r->data = NULL;
}

/* Of len bytes at the position, those before the end of the memory; *offset is where they lie. */
static size_t in_one_piece(const struct ring *r, uint64_t position, size_t len, size_t *offset)
{
    *offset = (size_t)position & (r->capacity - 1);
    return len < r->capacity - *offset ? len : r->capacity - *offset;
}

size_t rt_ring_room(const struct ring *r)
{
    uint64_t written = atomic_load_explicit(&r->written, memory_order_relaxed);
    uint64_t read = atomic_load_explicit(&r->read, memory_order_acquire);

    return r->capacity - (size_t)(written - read);
}

void *rt_ring_write_block(struct ring *r, size_t *len)
{
    size_t offset;

    *len = in_one_piece(r, rt_ring_written(r), rt_ring_room(r), &offset);
    return r->data + offset;
}

void rt_ring_commit(struct ring *r, size_t len)
{
    atomic_store_explicit(&r->written, rt_ring_written(r) + len, memory_order_release);
}

uint64_t rt_ring_written(const struct ring *r)
{
    return atomic_load_explicit(&r->written, memory_order_relaxed);
}

size_t rt_ring_copy_back(const struct ring *r, uint64_t position, void *to, size_t size)
{
    uint8_t *out = to;
    size_t left = (size_t)(rt_ring_written(r) - position), copied, offset;

    left = left < size ? left : size;
    for (copied = 0; to && copied < left; position += size, copied += size) {
        size = in_one_piece(r, position, left - copied, &offset);
        memcpy(out + copied, r->data + offset, size);
    }
    return left;
}

uint64_t rt_ring_discarded(const struct ring *r)
{
    return atomic_load_explicit(&r->read, memory_order_acquire);
}

void rt_ring_write(struct ring *r, const void *from, size_t size)
{
    const uint8_t *next = from;

    for (size_t len; size > 0; size -= len, next += len) {
        void *to = rt_ring_write_block(r, &len);

        len = size < len ? size : len;
        memcpy(to, next, len);
        rt_ring_commit(r, len);
    }
}

size_t ring_fill(const struct ring *r)
{
    uint64_t written = atomic_load_explicit(&r->written, memory_order_acquire);

    return (size_t)(written - ring_read_count(r));
}

const void *ring_read_block(const struct ring *r, size_t *len)
{
    size_t offset;

    *len = in_one_piece(r, ring_read_count(r), ring_fill(r), &offset);
    return r->data + offset;
}

void ring_discard(struct ring *r, size_t len)
{
    atomic_store_explicit(&r->read, ring_read_count(r) + len, memory_order_release);
}

uint64_t ring_read_count(const struct ring *r)
{
    return atomic_load_explicit(&r->read, memory_order_relaxed);
}

size_t ring_read(struct ring *r, void *to, size_t size)
{
    uint8_t *next = to;
    size_t left = size, len;
    const void *from;

    while (left > 0 && (from = ring_read_block(r, &len), len > 0)) {
        len = len < left ? len : left;
        memcpy(next, from, len);
        ring_discard(r, len);
        next += len;
        left -= len;
    }
    return size - left;
}
