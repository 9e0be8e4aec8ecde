/* SPDX-License-Identifier: GPL-2.0-or-later */
/* When an OSS device will have played a frame, whatever it says of itself. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "audio/drivers/oss_timing.c"

enum { FRAGMENT = 192, BUFFER = 192 * 200 }; /* of a millisecond; of a fifth of a second */

#define NOW (5 * NS_PER_S)

static const struct pcm_format format = {48000, 2, 16};

static struct oss_timing timing_after(int free_bytes, int delay_bytes)
{
    struct oss_timing t;

    oss_timing_init(&t, &format, FRAGMENT, BUFFER);
    oss_timing_answer(&t, NOW, free_bytes, delay_bytes);
    return t;
}

static void check_delay_us(int free_bytes, int delay_bytes, uint64_t us)
{
    struct oss_timing t = timing_after(free_bytes, delay_bytes);

    assert_int_equal(t.state.heard_ns, NOW + us * NS_PER_US);
    assert_int_equal(t.state.answers, 1);
    assert_int_equal(t.state.block_ns, NS_PER_MS);
}

static void test_a_device_that_says_its_delay_is_believed(void **state)
{
    (void)state;
    check_delay_us(BUFFER - 1920, 1920, 10000);
    /* Bytes, where the free room comes in fragments. */
    check_delay_us(BUFFER - 1920, 1920 - 192, 9000);
    check_delay_us(BUFFER - 1920, 1920 + 48, 10250);
    /* Loudspeakers that are far away. */
    check_delay_us(BUFFER - 1920, 1920 + 192 * 300, 310000);
}

static void test_a_delay_that_cannot_be_is_not_believed(void **state)
{
    (void)state;
    check_delay_us(BUFFER - 1920, 0, 10000); /* what a device without the answer has */
    check_delay_us(BUFFER - 1920, -400, 10000);
    check_delay_us(BUFFER - 1920, 1920 - 3 * FRAGMENT, 10000);
    check_delay_us(BUFFER - 1920, 1920 + 192 * 2001, 10000);
    check_delay_us(BUFFER - 1920, INT32_MAX, 10000);
    check_delay_us(BUFFER - 1920, INT32_MIN, 10000);
}

static void check_next_us(struct oss_timing *t, int free_bytes, int delay_bytes, uint64_t us)
{
    oss_timing_answer(t, NOW, free_bytes, delay_bytes);
    assert_int_equal(t->state.heard_ns, NOW + us * NS_PER_US);
}

static void test_a_delay_that_was_right_is_believed_before_the_queue(void **state)
{
    struct oss_timing t = timing_after(BUFFER - 1920, 1920);

    (void)state;
    /* The server is too busy to say what it has taken. */
    check_next_us(&t, BUFFER - 3 * 1920, 1920, 10000);
    check_next_us(&t, BUFFER - 10 * 1920, 1920, 10000);
    /* It hangs. */
    check_next_us(&t, BUFFER - 11 * 1920 - 192, 1920, 111000);
    check_next_us(&t, BUFFER - 3 * 1920, 1920, 30000);
    check_next_us(&t, BUFFER - 1920, 1920, 10000);
    /* Its stream is another. */
    check_next_us(&t, BUFFER - 1920, 0, 10000);
    check_next_us(&t, BUFFER - 1920, 960, 10000);
    check_next_us(&t, BUFFER - 1920, 1728, 9000);
    check_next_us(&t, BUFFER - 1920, 960, 5000);
}

static void test_free_room_beyond_the_buffer_is_an_empty_queue(void **state)
{
    (void)state;
    check_delay_us(BUFFER, 0, 0);
    check_delay_us(BUFFER + 4 * FRAGMENT, 0, 0);
    check_delay_us(INT32_MAX, -1, 0);
    check_delay_us(BUFFER, 960, 5000); /* it is on its way */
}

static void test_what_is_written_is_heard_after_what_is_queued(void **state)
{
    struct oss_timing t = timing_after(BUFFER - 1920, 1920);

    (void)state;
    oss_timing_wrote(&t, NOW + NS_PER_MS, 192, true);
    assert_int_equal(t.state.heard_ns, NOW + 11 * NS_PER_MS);
    /* Long after all of it. */
    oss_timing_wrote(&t, NOW + NS_PER_S, 192, true);
    assert_int_equal(t.state.heard_ns, NOW + NS_PER_S + NS_PER_MS);
    assert_int_equal(t.state.answers, 1);
}

static void test_a_sound_runs_dry_once(void **state)
{
    struct oss_timing t = timing_after(BUFFER, 0);

    (void)state;
    oss_timing_wrote(&t, NOW, 1920, false);
    oss_timing_answer(&t, NOW + NS_PER_S, BUFFER, 0);
    assert_int_equal(t.state.underruns, 0); /* that was silence */

    oss_timing_wrote(&t, NOW + NS_PER_S, 1920, true);
    oss_timing_answer(&t, NOW + NS_PER_S, BUFFER - 1920, 1920);
    assert_int_equal(t.state.underruns, 0);
    oss_timing_answer(&t, NOW + 2 * NS_PER_S, BUFFER, 0);
    oss_timing_answer(&t, NOW + 3 * NS_PER_S, BUFFER, 0);
    assert_int_equal(t.state.underruns, 1);

    oss_timing_wrote(&t, NOW + 3 * NS_PER_S, 1920, true);
    oss_timing_ran_dry(&t);
    assert_int_equal(t.state.underruns, 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_device_that_says_its_delay_is_believed),
        cmocka_unit_test(test_a_delay_that_cannot_be_is_not_believed),
        cmocka_unit_test(test_a_delay_that_was_right_is_believed_before_the_queue),
        cmocka_unit_test(test_free_room_beyond_the_buffer_is_an_empty_queue),
        cmocka_unit_test(test_what_is_written_is_heard_after_what_is_queued),
        cmocka_unit_test(test_a_sound_runs_dry_once),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
