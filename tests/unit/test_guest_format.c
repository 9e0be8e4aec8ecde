/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Sound for the guest, in each of the forms it may ask for. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "audio/guest_format.h"

static const int16_t frames[][2] = {{0, 0},         {1, 2},          {-1, -2},
                                    {127, 128},     {-128, -129},    {32767, -32768},
                                    {32767, 32767}, {-32768, -32768}};
enum { FRAMES = sizeof(frames) / sizeof(frames[0]) };

static void test_stereo_16_passes(void **state)
{
    const struct pcm_format f = {44100, 2, 16};
    int16_t out[FRAMES + 1][2] = {{0}};

    (void)state;
    out[FRAMES][0] = 77;
    rt_guest_format(frames[0], FRAMES, &f, out);
    assert_memory_equal(out, frames, sizeof(frames));
    assert_int_equal(out[FRAMES][0], 77);
}

static void test_mono_16(void **state)
{
    const struct pcm_format f = {44100, 1, 16};
    static const int16_t mean[FRAMES + 1] = {0, 2, -1, 128, -128, 0, 32767, -32768, 77};
    int16_t out[FRAMES + 1];

    (void)state;
    out[FRAMES] = 77;
    rt_guest_format(frames[0], FRAMES, &f, out);
    assert_memory_equal(out, mean, sizeof(mean));
}

static void test_stereo_8(void **state)
{
    const struct pcm_format f = {44100, 2, 8};
    static const uint8_t nearest[FRAMES * 2 + 1] = {128, 128, 128, 128, 128, 128, 128, 129, 128,
                                                    127, 255, 0,   255, 255, 0,   0,   77};
    uint8_t out[FRAMES * 2 + 1];

    (void)state;
    out[FRAMES * 2] = 77;
    rt_guest_format(frames[0], FRAMES, &f, out);
    assert_memory_equal(out, nearest, sizeof(nearest));
}

static void test_mono_8(void **state)
{
    const struct pcm_format f = {44100, 1, 8};
    static const uint8_t nearest[FRAMES + 1] = {128, 128, 128, 129, 128, 128, 255, 0, 77};
    uint8_t out[FRAMES + 1];

    (void)state;
    out[FRAMES] = 77;
    rt_guest_format(frames[0], FRAMES, &f, out);
    assert_memory_equal(out, nearest, sizeof(nearest));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_stereo_16_passes),
        cmocka_unit_test(test_mono_16),
        cmocka_unit_test(test_stereo_8),
        cmocka_unit_test(test_mono_8),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
