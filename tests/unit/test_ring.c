/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "audio/ring.h"

static void test_empty_and_full(void **state)
{
    struct ring r;
    size_t len;

    (void)state;
    assert_true(ring_init(&r, 16));
    assert_int_equal(ring_fill(&r), 0);
    ring_read_block(&r, &len);
    assert_int_equal(len, 0);

    assert_int_equal(rt_ring_room(&r), 16);
    memcpy(rt_ring_write_block(&r, &len), "0123456789abcdef", 16);
    assert_int_equal(len, 16);
    rt_ring_commit(&r, 16);
    assert_int_equal(rt_ring_room(&r), 0);
    rt_ring_write_block(&r, &len);
    assert_int_equal(len, 0);
    assert_int_equal(ring_fill(&r), 16);
    assert_memory_equal(ring_read_block(&r, &len), "0123456789abcdef", 16);
    assert_int_equal(len, 16);
    ring_free(&r);
}

/* At the memory's end a block stops, and the next one begins at the start. */
static void test_blocks_at_the_end(void **state)
{
    struct ring r;
    size_t len;

    (void)state;
    assert_true(ring_init(&r, 16));
    rt_ring_commit(&r, 12);
    ring_discard(&r, 12);
    assert_int_equal(rt_ring_room(&r), 16);

    memcpy(rt_ring_write_block(&r, &len), "wxyz", 4);
    assert_int_equal(len, 4);
    rt_ring_commit(&r, 4);
    memcpy(rt_ring_write_block(&r, &len), "AB", 2);
    assert_int_equal(len, 12);
    rt_ring_commit(&r, 2);

    assert_int_equal(ring_fill(&r), 6);
    assert_memory_equal(ring_read_block(&r, &len), "wxyz", 4);
    assert_int_equal(len, 4);
    ring_discard(&r, 3);
    assert_memory_equal(ring_read_block(&r, &len), "z", 1);
    assert_int_equal(len, 1);
    ring_discard(&r, 1);
    assert_memory_equal(ring_read_block(&r, &len), "AB", 2);
    assert_int_equal(len, 2);
    assert_int_equal(ring_read_count(&r), 16);
    assert_int_equal(rt_ring_written(&r), 18);
    ring_free(&r);
}

/* Against a model: any mix of sizes, 100 times around. */
static void test_random_sizes(void **state)
{
    struct ring r;
    uint32_t random = 7;
    uint8_t next_in = 0, next_out = 0;
    size_t fill = 0, len;

    (void)state;
    assert_true(ring_init(&r, 64));
    while (rt_ring_written(&r) < 6400) {
        random = random * 1664525 + 1013904223;
        if (random >> 31) {
            uint8_t *to = rt_ring_write_block(&r, &len);

            len = (random >> 16) % 40 < len ? (random >> 16) % 40 : len;
            for (size_t i = 0; i < len; i++) {
                to[i] = next_in++;
            }
            rt_ring_commit(&r, len);
            fill += len;
        } else {
            const uint8_t *from = ring_read_block(&r, &len);

            len = (random >> 16) % 40 < len ? (random >> 16) % 40 : len;
            for (size_t i = 0; i < len; i++) {
                assert_int_equal(from[i], next_out++);
            }
            ring_discard(&r, len);
            fill -= len;
        }
        assert_int_equal(ring_fill(&r), fill);
        assert_int_equal(rt_ring_room(&r), 64 - fill);
    }
    ring_free(&r);
}

enum { THREADED_BYTES = 1 << 20 };

static void *write_all(void *opaque)
{
    struct ring *r = opaque;
    uint32_t n = 0;

    while (n < THREADED_BYTES) {
        size_t len;
        uint8_t *to = rt_ring_write_block(r, &len);

        if (len == 0) {
            sched_yield();
        }
        for (size_t i = 0; i < len; i++, n++) {
            to[i] = (uint8_t)(n % 251); /* prime to the capacity: no place holds the same twice */
        }
        rt_ring_commit(r, len);
    }
    return NULL;
}

static void test_two_threads(void **state)
{
    struct ring r;
    pthread_t writer;
    uint32_t n = 0, wrong = 0;

    (void)state;
    assert_true(ring_init(&r, 256));
    assert_int_equal(pthread_create(&writer, NULL, write_all, &r), 0);
    while (n < THREADED_BYTES) {
        size_t len;
        const uint8_t *from = ring_read_block(&r, &len);

        if (len == 0) {
            sched_yield();
        }
        for (size_t i = 0; i < len; i++, n++) {
            wrong += from[i] != n % 251;
        }
        ring_discard(&r, len);
    }
    pthread_join(writer, NULL);
    assert_int_equal(wrong, 0);
    assert_int_equal(ring_fill(&r), n - THREADED_BYTES);
    ring_free(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_empty_and_full),
        cmocka_unit_test(test_blocks_at_the_end),
        cmocka_unit_test(test_random_sizes),
        cmocka_unit_test(test_two_threads),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
