/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Takes the WAV headers out of what the engine writes into our pipe.
 *
 * There is one whenever it opens the file anew: 44 bytes, always the same, for
 * the lengths that would differ are written at the end, and a pipe cannot be
 * gone back in. Frames are 16 bits, stereo, at 48 kHz.
 */
#ifndef CARD_WAV_HEADERS_H
#define CARD_WAV_HEADERS_H

#include <stddef.h>
#include <stdint.h>

enum { WAV_RATE = 48000, WAV_FRAME_BYTES = 4, WAV_HEADER_FRAMES = 11 };

/* All zeros: nothing has been read. */
struct wav_headers {
    unsigned matched; /* frames of a header that have been held back */
};

/* Copies frames, but for headers, from in to out, which has room for WAV_HEADER_FRAMES more of
 * them. Returns how many. */
size_t wav_headers_skip(struct wav_headers *h, uint32_t *out, const uint32_t *in, size_t frames);

#endif
