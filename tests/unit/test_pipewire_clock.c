/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * When PipeWire will have played a frame. The driver's arithmetic needs none of
 * its library, so it is tested wherever the tests are.
 */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "audio/drivers/pipewire_clock.c"

enum { RATE = 48000 };

/* Of 64 frames, begun at 1 s. */
static const struct pipewire_round a_round = {
    .begin_ns = NS_PER_S,
    .block_ns = 64 * NS_PER_S / RATE,
    .behind_ns = 2 * NS_PER_MS,
    .taken = 6400,
};

static void frame_follows_what_was_taken(void **state)
{
    uint64_t next = a_round.begin_ns + a_round.block_ns + a_round.behind_ns;

    (void)state;
    /* With an empty queue it is the first of the next round. */
    assert_int_equal(pipewire_heard_ns(&a_round, 6400, RATE, NS_PER_S), next);
    assert_int_equal(pipewire_heard_ns(&a_round, 6400 + 96, RATE, NS_PER_S), next + 2 * NS_PER_MS);
}

static void next_round_changes_nothing(void **state)
{
    struct pipewire_round next = a_round;
    uint64_t now = a_round.begin_ns + a_round.block_ns + 1000;

    (void)state;
    next.begin_ns += next.block_ns;
    next.taken += 64;
    assert_int_equal(pipewire_heard_ns(&a_round, 6500, RATE, now),
                     pipewire_heard_ns(&next, 6500, RATE, now));
}

static void round_may_be_late_but_not_missed(void **state)
{
    uint64_t next = a_round.begin_ns + a_round.block_ns;
    uint64_t missed = next + a_round.block_ns + 1;

    (void)state;
    assert_int_equal(pipewire_heard_ns(&a_round, 6400, RATE, missed - 1), next + a_round.behind_ns);
    assert_int_equal(pipewire_heard_ns(&a_round, 6400, RATE, missed), missed + a_round.behind_ns);
}

static void beginning_is_the_graphs_if_it_can_be(void **state)
{
    (void)state;
    assert_int_equal(pipewire_begin_ns(5000000, 5300000, 1333333), 5000000);
    assert_int_equal(pipewire_begin_ns(5300000, 5000000, 1333333), 5300000);
    assert_int_equal(pipewire_begin_ns(5000000, 7000000, 1333333), 7000000);
    assert_int_equal(pipewire_begin_ns(7000000, 5000000, 1333333), 5000000);
    assert_int_equal(pipewire_begin_ns(0, 5000000, 1333333), 5000000);
    assert_int_equal(pipewire_begin_ns(-1, 5000000, 1333333), 5000000);
    assert_int_equal(pipewire_begin_ns(INT64_MIN, 5000000, 1333333), 5000000);
}

static void delay_makes_sense_or_is_none(void **state)
{
    (void)state;
    assert_int_equal(pipewire_delay_ns(64, 1, 48000), 1333333);
    assert_int_equal(pipewire_delay_ns(0, 1, 48000), 0);
    assert_int_equal(pipewire_delay_ns(-64, 1, 48000), 0);
    assert_int_equal(pipewire_delay_ns(64, 1, 0), 0);
    assert_int_equal(pipewire_delay_ns(INT64_MAX, UINT32_MAX, 1), 0);
}

static void nothing_is_read_before_the_first(void **state)
{
    struct pipewire_board board = {0};
    struct pipewire_round round = {.taken = 5};

    (void)state;
    assert_false(pipewire_read(&board, &round));
    assert_int_equal(round.taken, 5);
}

static void unfinished_post_is_not_read(void **state)
{
    struct pipewire_board board = {0};
    struct pipewire_round round = {.taken = 5};

    (void)state;
    rt_pipewire_post(&board, &a_round);
    atomic_fetch_add(&board.posts, 1);
    assert_false(pipewire_read(&board, &round));
    assert_int_equal(round.taken, 5);
    atomic_fetch_add(&board.posts, 1);
    assert_true(pipewire_read(&board, &round));
    assert_int_equal(round.taken, a_round.taken);
}

enum { POSTS = 100000 };

static void *post_many(void *opaque)
{
    for (uint64_t i = 1; i <= POSTS; i++) {
        rt_pipewire_post(opaque, &(struct pipewire_round){i, i, i, i, i});
    }
    return NULL;
}

static void post_is_read_whole(void **state)
{
    struct pipewire_board board = {0};
    struct pipewire_round round = {0};
    uint64_t seen = 0;
    pthread_t thread;

    (void)state;
    assert_int_equal(pthread_create(&thread, NULL, post_many, &board), 0);
    do {
        if (pipewire_read(&board, &round)) {
            assert_true(round.begin_ns >= seen);
            seen = round.begin_ns;
            assert_int_equal(round.block_ns, seen);
            assert_int_equal(round.behind_ns, seen);
            assert_int_equal(round.taken, seen);
            assert_int_equal(round.underruns, seen);
        }
    } while (seen < POSTS);
    pthread_join(thread, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(frame_follows_what_was_taken),
        cmocka_unit_test(next_round_changes_nothing),
        cmocka_unit_test(round_may_be_late_but_not_missed),
        cmocka_unit_test(beginning_is_the_graphs_if_it_can_be),
        cmocka_unit_test(delay_makes_sense_or_is_none),
        cmocka_unit_test(nothing_is_read_before_the_first),
        cmocka_unit_test(unfinished_post_is_not_read),
        cmocka_unit_test(post_is_read_whole),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
