/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Sound on its way to the host: exact at 0 dB, as loud as asked elsewhere, without clicks. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "audio/volume.h"

static const struct pcm_format u8_mono = {44100, 1, 8};
static const struct pcm_format u8_stereo = {44100, 2, 8};
static const struct pcm_format s16_mono = {44100, 1, 16};
static const struct pcm_format s16_stereo = {44100, 2, 16};

enum { ALL = 0x10000, RAMP = 44100 / 125 + 1 };

static int16_t in[2 * ALL], out[2 * ALL];

/* As after a driver has set its mixer up and begun to play. */
static struct volume at(uint32_t left, uint32_t right)
{
    struct volume v = {.changed = false};

    rt_volume_set(&v, left, right);
    rt_volume_start(&v);
    return v;
}

static void every_16_bit_sample(void)
{
    for (unsigned i = 0; i < ALL; i++) {
        in[2 * i] = (int16_t)i;
        in[2 * i + 1] = (int16_t)~i;
    }
}

static void at_0_db_nothing_is_changed(void **state)
{
    struct volume v = at(VOLUME_0DB, VOLUME_0DB);

    (void)state;
    every_16_bit_sample();
    rt_volume_apply(&v, &s16_stereo, in, ALL, out);
    assert_memory_equal(in, out, sizeof(in));
    rt_volume_apply(&v, &s16_mono, in, ALL, out);
    for (unsigned i = 0; i < ALL; i++) {
        assert_int_equal(out[2 * i], in[i]);
        assert_int_equal(out[2 * i + 1], in[i]);
    }
}

static void bytes_become_16_bits(void **state)
{
    struct volume v = at(VOLUME_0DB, VOLUME_0DB);
    uint8_t bytes[256];

    (void)state;
    for (unsigned i = 0; i < 256; i++) {
        bytes[i] = (uint8_t)i;
    }
    rt_volume_apply(&v, &u8_mono, bytes, 256, out);
    for (int i = 0; i < 256; i++) {
        assert_int_equal(out[2 * i], (i - 128) * 256);
        assert_int_equal(out[2 * i + 1], (i - 128) * 256);
    }
    rt_volume_apply(&v, &u8_stereo, bytes, 128, out);
    for (int i = 0; i < 256; i++) {
        assert_int_equal(out[i], (i - 128) * 256);
    }
}

/* Frames need not lie at even addresses. */
static void any_address(void **state)
{
    struct volume v = at(VOLUME_0DB, VOLUME_0DB);
    const uint8_t bytes[] = {0xff, 0x34, 0x12, 0x00, 0x80};

    (void)state;
    rt_volume_apply(&v, &s16_stereo, bytes + 1, 1, out);
    assert_int_equal(out[0], 0x1234);
    assert_int_equal(out[1], -0x8000);
}

static void zero_is_silence(void **state)
{
    struct volume v = at(0, 0), never_set = {.changed = false};

    (void)state;
    every_16_bit_sample();
    rt_volume_apply(&v, &s16_stereo, in, ALL, out);
    for (unsigned i = 0; i < 2 * ALL; i++) {
        assert_int_equal(out[i], 0);
    }
    rt_volume_apply(&never_set, &s16_stereo, in, ALL, out);
    assert_int_equal(out[12345], 0);
}

/* A tone comes out as many decibels louder as its side was asked to. */
static void sides_are_as_loud_as_asked(void **state)
{
    enum { FRAMES = 44100 };

    (void)state;
    for (unsigned i = 0; i < FRAMES; i++) {
        in[i] = (int16_t)lrint(8000 * sin(i * 0.0626));
    }
    for (int db = 12; db >= -50; db -= 2) {
        double gain[2] = {pow(10, db / 20.0), pow(10, (-38 - db) / 20.0)};
        struct volume v = at((uint32_t)lrint(gain[0] * 65536), (uint32_t)lrint(gain[1] * 65536));
        double before = 0, after[2] = {0, 0};

        rt_volume_apply(&v, &s16_mono, in, FRAMES, out);
        for (unsigned i = 0; i < FRAMES; i++) {
            before += (double)in[i] * in[i];
            after[0] += (double)out[2 * i] * out[2 * i];
            after[1] += (double)out[2 * i + 1] * out[2 * i + 1];
            assert_true(fabs(out[2 * i] - in[i] * gain[0]) < 0.6);
            assert_true(fabs(out[2 * i + 1] - in[i] * gain[1]) < 0.6);
        }
        assert_true(fabs(10 * log10(after[0] / before) - db) < 0.05);
        assert_true(fabs(10 * log10(after[1] / before) - (-38 - db)) < 0.05);
    }
}

static void too_loud_is_cut(void **state)
{
    static const int16_t loud[] = {32767, -32768, 8192, -8192, 8191, -8193};
    static const int16_t four_times[] = {32767, -32768, 32767, -32768, 32764, -32768};
    struct volume v = at(4 * VOLUME_0DB, 4 * VOLUME_0DB);

    (void)state;
    rt_volume_apply(&v, &s16_stereo, loud, 3, out);
    assert_memory_equal(out, four_times, sizeof(four_times));
    v = at(UINT32_MAX, UINT32_MAX); /* more than there is */
    rt_volume_apply(&v, &s16_stereo, loud, 3, out);
    assert_int_equal(out[2], 32767);
    assert_int_equal(out[5], -32768);
}

/* Full scale all along; the volume changes, and the output goes there in a straight line. */
static void assert_no_click(uint32_t from, uint32_t to, unsigned piece)
{
    struct volume v = at(from, VOLUME_0DB);
    int16_t target = (int16_t)(((int64_t)32767 * to + 32768) >> 16);
    int before, step = abs((int)to - (int)from) / 2 / RAMP + 2;

    for (unsigned i = 0; i < 1000; i++) {
        in[i] = 32767;
    }
    rt_volume_apply(&v, &s16_mono, in, 10, out);
    before = out[18];
    rt_volume_set(&v, to, VOLUME_0DB);
    for (unsigned done = 0; done < 1000; done += piece) {
        rt_volume_apply(&v, &s16_mono, in, piece, out + 2 * done);
    }
    for (unsigned i = 0; i < 1000; i++) {
        assert_in_range(abs(out[2 * i] - before), 0, step);
        if (i < RAMP - 1 && from != to) {
            assert_int_not_equal(out[2 * i], target);
        } else {
            assert_int_equal(out[2 * i], target);
        }
        assert_int_equal(out[2 * i + 1], 32767); /* the other side is left alone */
        before = out[2 * i];
    }
}

static void a_change_does_not_click(void **state)
{
    static const unsigned pieces[] = {1, 8, 50, 1000};

    (void)state;
    for (unsigned i = 0; i < 4; i++) {
        assert_no_click(VOLUME_0DB, 0, pieces[i]);
        assert_no_click(0, VOLUME_0DB, pieces[i]);
        assert_no_click(VOLUME_0DB, VOLUME_0DB / 2, pieces[i]);
        assert_no_click(VOLUME_0DB / 2, VOLUME_0DB / 2, pieces[i]);
    }
}

/* A change in the midst of another goes on from where that one is. */
static void a_change_of_mind_does_not_click(void **state)
{
    struct volume v = at(0, 0);
    int before = 0;

    (void)state;
    for (unsigned i = 0; i < 1000; i++) {
        in[i] = 32767;
    }
    for (unsigned i = 0; i < 20; i++) {
        rt_volume_set(&v, i % 2 ? 0 : VOLUME_0DB, i % 3 ? VOLUME_0DB : 0);
        rt_volume_apply(&v, &s16_mono, in, 50, out);
        for (unsigned j = 0; j < 50; j++) {
            assert_in_range(abs(out[2 * j] - before), 0, 32768 / RAMP + 2);
            before = out[2 * j];
        }
    }
}

static void the_ramp_takes_8_ms_at_any_rate(void **state)
{
    static const uint32_t rates[] = {172, 5513, 44100, 48000};

    (void)state;
    for (unsigned i = 0; i < 4; i++) {
        struct pcm_format format = {rates[i], 1, 16};
        struct volume v = at(0, 0);

        for (unsigned j = 0; j < 1000; j++) {
            in[j] = 32767;
        }
        rt_volume_set(&v, VOLUME_0DB, VOLUME_0DB);
        rt_volume_apply(&v, &format, in, 1000, out);
        assert_int_equal(out[2 * (rates[i] / 125)], 32767);
        assert_true(rates[i] < 125 || out[2 * (rates[i] / 125) - 2] < 32767);
    }
}

static void a_start_begins_at_the_volume(void **state)
{
    struct volume v = at(VOLUME_0DB, VOLUME_0DB);

    (void)state;
    in[0] = in[1] = 20000;
    rt_volume_apply(&v, &s16_mono, in, 1, out);
    rt_volume_set(&v, 0, VOLUME_0DB / 2);
    rt_volume_apply(&v, &s16_mono, in, 1, out); /* under way */
    rt_volume_start(&v);
    rt_volume_apply(&v, &s16_mono, in, 2, out);
    for (unsigned i = 0; i < 2; i++) {
        assert_int_equal(out[2 * i], 0);
        assert_int_equal(out[2 * i + 1], 10000);
    }
}

static void goes_on_as_another(void **state)
{
    struct volume v = at(0, VOLUME_0DB), other = at(VOLUME_0DB, 0);
    int16_t rest[2 * 400];

    (void)state;
    for (unsigned i = 0; i < 500; i++) {
        in[i] = 32767;
    }
    rt_volume_set(&v, VOLUME_0DB, 0);
    rt_volume_apply(&v, &s16_mono, in, 100, out);
    assert_true(volume_resume(&other, v.changed, v.ramp_left, (uint64_t)v.side[0].gain,
                              (uint64_t)v.side[1].gain));
    rt_volume_apply(&v, &s16_mono, in, 400, out);
    rt_volume_apply(&other, &s16_mono, in, 400, rest);
    assert_memory_equal(out, rest, sizeof(rest));
    assert_false(volume_resume(&v, false, 386, 0, 0)); /* longer than any */
    assert_false(volume_resume(&v, false, 0, UINT64_C(1) << 44, 0));
    assert_false(volume_resume(&v, false, 0, 0, UINT64_MAX));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(at_0_db_nothing_is_changed),
        cmocka_unit_test(bytes_become_16_bits),
        cmocka_unit_test(any_address),
        cmocka_unit_test(zero_is_silence),
        cmocka_unit_test(sides_are_as_loud_as_asked),
        cmocka_unit_test(too_loud_is_cut),
        cmocka_unit_test(a_change_does_not_click),
        cmocka_unit_test(a_change_of_mind_does_not_click),
        cmocka_unit_test(the_ramp_takes_8_ms_at_any_rate),
        cmocka_unit_test(a_start_begins_at_the_volume),
        cmocka_unit_test(goes_on_as_another),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
