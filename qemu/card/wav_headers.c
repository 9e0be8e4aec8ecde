/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "card/wav_headers.h"

#include <string.h>

/* QEMU 7.2 to 10.0, audio/wavaudio.c: wav_init_out, for S16 stereo at 48 kHz. */
static const uint8_t header[WAV_HEADER_FRAMES][WAV_FRAME_BYTES] = {
    {'R', 'I', 'F', 'F'},
    {0},
    {'W', 'A', 'V', 'E'},
    {'f', 'm', 't', ' '},
    {16, 0, 0, 0},               /* bytes of what follows, up to "data" */
    {1, 0, 2, 0},                /* PCM, channels */
    {0x80, 0xbb, 0, 0},          /* frames a second */
    {0x00, 0xee, 2, 0},          /* bytes a second */
    {WAV_FRAME_BYTES, 0, 16, 0}, /* bytes a frame, bits a sample */
    {'d', 'a', 't', 'a'},
    {0},
};

static int is_next(const struct wav_headers *h, uint32_t frame)
{
    return memcmp(&frame, header[h->matched], WAV_FRAME_BYTES) == 0;
}

size_t wav_headers_skip(struct wav_headers *h, uint32_t *out, const uint32_t *in, size_t frames)
{
    size_t count = 0;

    for (size_t i = 0; i < frames; i++) {
        if (h->matched > 0 && !is_next(h, in[i])) {
            /* It was sound. No frame of a header is its first again, so none is missed by this. */
            memcpy(out + count, header, (size_t)h->matched * WAV_FRAME_BYTES);
            count += h->matched;
            h->matched = 0;
        }
        if (is_next(h, in[i])) {
            h->matched = (h->matched + 1) % WAV_HEADER_FRAMES;
        } else {
            out[count++] = in[i];
        }
    }
    return count;
}
