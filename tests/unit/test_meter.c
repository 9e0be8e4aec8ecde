/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A level meter: up at once, down within a quarter of a second, each side by itself. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "audio/meter.h"

enum { RATE = 44100, PIECE = 64 };

static struct meter m;
static _Atomic uint32_t level[2];

static int silence(void **state)
{
    (void)state;
    m = (struct meter){.frames = 0};
    level[0] = level[1] = 12345;
    return 0;
}

/* Frames of silence but for one, in pieces as the card has them. */
static void hear(uint32_t frames, uint32_t rate, int16_t left, int16_t right)
{
    for (uint32_t done = 0; done < frames; done += PIECE) {
        int16_t piece[2 * PIECE] = {0};

        if (done == 0) {
            piece[2 * (PIECE - 1)] = left;
            piece[2 * (PIECE - 1) + 1] = right;
        }
        rt_meter_show(&m, piece, PIECE, rate, level);
    }
}

static void assert_level(uint32_t left, uint32_t right)
{
    assert_int_equal(level[0], left);
    assert_int_equal(level[1], right);
}

static void shows_silence(void **state)
{
    (void)state;
    hear(PIECE, RATE, 0, 0);
    assert_level(0, 0);
}

static void shows_the_peak_of_each_side_at_once(void **state)
{
    (void)state;
    hear(PIECE, RATE, 100, -2000);
    assert_level(100, 2000);
    hear(PIECE, RATE, 3000, 1);
    assert_level(3000, 2000);
}

static void full_scale_has_two_ends(void **state)
{
    (void)state;
    hear(PIECE, RATE, INT16_MIN, INT16_MAX);
    assert_level(METER_FULL, METER_FULL - 1);
}

/* Seen by whoever looks each eighth of a second; forgotten after a quarter and a piece. */
static void a_peak_stays_for_a_while(void **state)
{
    static const uint32_t rates[] = {8000, RATE, 48000};

    for (unsigned i = 0; i < 3; i++) {
        uint32_t part = rates[i] / METERS_A_SECOND;

        silence(state);
        hear(part - PIECE, rates[i], 7000, 9000);
        assert_level(7000, 9000);
        hear(part - PIECE, rates[i], 0, 0);
        assert_level(7000, 9000);
        hear(5 * PIECE, rates[i], 0, 0);
        assert_level(0, 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(shows_silence, silence),
        cmocka_unit_test_setup(shows_the_peak_of_each_side_at_once, silence),
        cmocka_unit_test_setup(full_scale_has_two_ends, silence),
        cmocka_unit_test_setup(a_peak_stays_for_a_while, silence),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
