/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The frames of the pattern (see pattern.c), for all who play it: freestanding, without a libc.
 */
#pragma once

#include <stdint.h>

enum { PATTERN_RATE = 44100, PATTERN_NUMBER_BITS = 24 };
#define PATTERN_NUMBERS (UINT32_C(1) << PATTERN_NUMBER_BITS)

static inline uint32_t pattern_check_bits(uint32_t number)
{
    return (number * UINT32_C(0x9e3779b1) >> 24) ^ 0xa5;
}

/* A permutation: xor with the upper half undoes itself, and an odd multiplier has an inverse. */
static inline uint32_t pattern_scramble(uint32_t x)
{
    x ^= x >> 16;
    x *= UINT32_C(0x2c1b3c6d);
    x ^= x >> 16;
    return x;
}

static inline uint32_t pattern_unscramble(uint32_t x)
{
    x ^= x >> 16;
    x *= UINT32_C(0x64ea2d65); /* times the multiplier of scramble: 1 modulo 2^32 */
    x ^= x >> 16;
    return x;
}

/* The number's frame, left in the lower half; numbers are below PATTERN_NUMBERS. */
static inline uint32_t pattern_frame(uint32_t number)
{
    return pattern_scramble(number | pattern_check_bits(number) << PATTERN_NUMBER_BITS);
}
