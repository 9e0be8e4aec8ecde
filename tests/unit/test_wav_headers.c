/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The engine's WAV headers, wherever they come in the stream and however it is cut up.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "card/wav_headers.h"

/* As QEMU 7.2 was seen to write it. */
static const char header[] = "RIFF\0\0\0\0WAVEfmt \20\0\0\0\1\0\2\0\200\273\0\0\0\356\2\0\4\0\20\0"
                             "data\0\0\0";

enum { HEADER = WAV_HEADER_FRAMES, MOST = 100 };

/* Skips in pieces of so many frames; returns how many are left. */
static size_t skip_pieces(uint32_t *out, const uint32_t *in, size_t frames, size_t piece)
{
    struct wav_headers headers = {0};
    size_t count = 0;

    for (size_t at = 0; at < frames; at += piece) {
        size_t n = frames - at < piece ? frames - at : piece;

        count += wav_headers_skip(&headers, out + count, in + at, n);
    }
    return count;
}

static void test_headers_are_left_out(void **state)
{
    (void)state;
    assert_int_equal(sizeof(header), HEADER * WAV_FRAME_BYTES);
    for (size_t piece = 1; piece <= MOST; piece++) {
        uint32_t in[MOST], out[MOST + HEADER];

        /* a header, 20 frames, two headers, 5 frames */
        for (uint32_t i = 0; i < MOST; i++) {
            in[i] = i;
        }
        memcpy(in, header, sizeof(header));
        memcpy(in + HEADER + 20, header, sizeof(header));
        memcpy(in + 2 * HEADER + 20, header, sizeof(header));
        assert_int_equal(skip_pieces(out, in, 3 * HEADER + 25, piece), 25);
        assert_memory_equal(out, in + HEADER, 20 * sizeof(in[0]));
        assert_memory_equal(out + 20, in + 3 * HEADER + 20, 5 * sizeof(in[0]));
    }
}

/* Sound that begins like a header is sound. */
static void test_beginnings_of_headers_are_sound(void **state)
{
    (void)state;
    for (size_t length = 1; length < HEADER; length++) {
        for (size_t piece = 1; piece <= MOST; piece++) {
            uint32_t in[MOST], out[MOST + HEADER];
            size_t frames = 0;

            memcpy(in, header, length * WAV_FRAME_BYTES);
            frames += length;
            in[frames++] = 12345;
            memcpy(in + frames, header, length * WAV_FRAME_BYTES);
            frames += length;
            memcpy(in + frames, header, sizeof(header)); /* a real one, right behind it */
            frames += HEADER;
            in[frames++] = 54321;
            assert_int_equal(skip_pieces(out, in, frames, piece), 2 * length + 2);
            assert_memory_equal(out, in, (2 * length + 1) * WAV_FRAME_BYTES);
            assert_int_equal(out[2 * length + 1], 54321);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_headers_are_left_out),
        cmocka_unit_test(test_beginnings_of_headers_are_sound),
    };

    return cmocka_run_group_tests_name("wav_headers", tests, NULL, NULL);
}
