/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A sound in which every frame is distinct, and the comparison of a recording
 * with it. Frames are S16LE stereo at 44100 Hz, so a frame has 32 bits.
 *
 *     pattern make SECONDS [FIRST] > raw
 *     pattern check RECORDING SECONDS [FIRST]
 *
 * Frame n carries n in 24 bits and 8 check bits made from n, scrambled by a
 * permutation of the 32-bit numbers, so that it sounds like noise and never is
 * silence. FIRST is the number of the first frame (0): patterns that do not
 * overlap can be told apart in one recording.
 *
 * check prints one line "key=value ..." and exits 0 if the recording holds the
 * whole pattern, each frame once, in order and without a break; 1 otherwise:
 *   frames     of the pattern
 *   found      of them, each counted once
 *   missing    frames that were lost
 *   repeated   frames heard again
 *   misplaced  frames heard after one that should follow them
 *   differing  recorded frames that are neither of the pattern nor silence
 *   gaps, gap_frames    silences inside the pattern, and their frames
 *   begin, end          where the pattern lies in the recording, in frames; end is the first after
 * What is before the first frame that can be made out and after the pattern's
 * last is not compared: silence, another sound, or what a guest that stops its
 * card late still has in its buffer.
 */
#include <inttypes.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { RATE = 44100, NUMBER_BITS = 24 };
#define NUMBERS (UINT32_C(1) << NUMBER_BITS)
#define NO_NUMBER UINT32_MAX

static uint32_t check_bits(uint32_t number)
{
    return (number * UINT32_C(0x9e3779b1) >> 24) ^ 0xa5;
}

/* A permutation: xor with the upper half undoes itself, and an odd multiplier has an inverse. */
static uint32_t scramble(uint32_t x)
{
    x ^= x >> 16;
    x *= UINT32_C(0x2c1b3c6d);
    x ^= x >> 16;
    return x;
}

static uint32_t unscramble(uint32_t x)
{
    x ^= x >> 16;
    x *= UINT32_C(0x64ea2d65); /* times the multiplier of scramble: 1 modulo 2^32 */
    x ^= x >> 16;
    return x;
}

static uint32_t frame_of(uint32_t number)
{
    return scramble(number | check_bits(number) << NUMBER_BITS);
}

struct pattern {
    uint32_t first;
    uint32_t frames;
};

/* The place of a recorded frame in the pattern, or NO_NUMBER. */
static uint32_t number_of(const struct pattern *pattern, uint32_t frame)
{
    uint32_t word = unscramble(frame);
    uint32_t number = word & (NUMBERS - 1);

    if (word >> NUMBER_BITS != check_bits(number) || number < pattern->first ||
        number - pattern->first >= pattern->frames)
        return NO_NUMBER;
    return number - pattern->first;
}

struct report {
    size_t found, missing, repeated, misplaced, differing, gaps, gap_frames;
    size_t begin, end;
};

/*
 * Goes through the recording once. A frame is trusted if its number follows that of the frame
 * before it or is followed by that of the frame after it: a damaged frame that happens to carry
 * the check bits is then still a damaged one. What lies between two trusted frames is counted
 * when the second is found; where frames were damaged, they stand for as many of the numbers
 * that were skipped.
 */
static struct report compare(const struct pattern *pattern, const uint32_t *frames, size_t length,
                             bool *heard)
{
    struct report report = { 0 };
    size_t silent = 0, silences = 0, differing = 0; /* since the last trusted frame */
    size_t replaced = 0;
    uint32_t expected = 0; /* the number after the last trusted one */
    uint32_t highest = 0;  /* one more than the highest number so far */
    bool begun = false;

    for (size_t i = 0; i < length && expected < pattern->frames; i++) {
        uint32_t number = number_of(pattern, frames[i]);
        uint32_t first = pattern->first;
        bool trusted = number != NO_NUMBER &&
                       ((i > 0 && number > 0 && frames[i - 1] == frame_of(first + number - 1)) ||
                        (i + 1 < length && frames[i + 1] == frame_of(first + number + 1)));

        if (!trusted) {
            if (frames[i] != 0)
                differing++;
            else if (silent++ == 0 || frames[i - 1] != 0)
                silences++;
            continue;
        }
        if (begun) {
            size_t skipped = number > expected ? number - expected : 0;

            report.differing += differing;
            report.gaps += silences;
            report.gap_frames += silent;
            replaced += differing < skipped ? differing : skipped;
        } else {
            begun = true;
            report.begin = i;
        }
        silent = silences = differing = 0;
        if (heard[number]) {
            report.repeated++;
        } else {
            heard[number] = true;
            report.found++;
            report.misplaced += number < highest;
        }
        expected = number + 1;
        if (highest < expected)
            highest = expected;
        report.end = i + 1;
    }
    report.missing = pattern->frames - report.found - replaced;
    return report;
}

static bool make(const struct pattern *pattern)
{
    for (uint32_t n = 0; n < pattern->frames; n++) {
        uint32_t frame = frame_of(pattern->first + n);

        for (int shift = 0; shift < 32; shift += 8)
            putchar_unlocked(frame >> shift & 0xff);
    }
    if (fflush(stdout) || ferror(stdout)) {
        perror("pattern: standard output");
        return false;
    }
    return true;
}

/* The frames of a raw recording; a part of a frame at the end is left out. */
static uint32_t *read_frames(const char *path, size_t *length)
{
    FILE *file = fopen(path, "rb");
    long bytes;
    uint32_t *frames;

    if (!file || fseek(file, 0, SEEK_END) || (bytes = ftell(file)) < 0 ||
        fseek(file, 0, SEEK_SET)) {
        perror(path);
        if (file)
            fclose(file);
        return NULL;
    }
    *length = (size_t)bytes / sizeof *frames;
    frames = malloc(*length * sizeof *frames + 1);
    if (!frames || fread(frames, sizeof *frames, *length, file) != *length) {
        perror(path);
        free(frames);
        frames = NULL;
    }
    fclose(file);
    return frames;
}

/* 0: all there; 1: not; 2: could not be compared. */
static int check(const struct pattern *pattern, const char *path)
{
    size_t length;
    uint32_t *frames = read_frames(path, &length);
    bool *heard = calloc(pattern->frames, sizeof *heard);
    struct report report;

    if (!frames || !heard) {
        free(frames);
        free(heard);
        return 2;
    }
    report = compare(pattern, frames, length, heard);
    free(frames);
    free(heard);
    printf("frames=%" PRIu32 " found=%zu missing=%zu repeated=%zu misplaced=%zu differing=%zu "
           "gaps=%zu gap_frames=%zu begin=%zu end=%zu\n",
           pattern->frames, report.found, report.missing, report.repeated, report.misplaced,
           report.differing, report.gaps, report.gap_frames, report.begin, report.end);
    return report.missing || report.repeated || report.misplaced || report.differing ||
           report.gaps;
}

static bool read_number(const char *text, uint32_t max, uint32_t *number)
{
    char *end;
    unsigned long value = strtoul(text, &end, 10);

    *number = (uint32_t)value;
    return end != text && *end == '\0' && value <= max;
}

int main(int argc, char **argv)
{
    bool making = argc > 1 && strcmp(argv[1], "make") == 0;
    int seconds_at = making ? 2 : 3;
    struct pattern pattern = { 0 };
    uint32_t seconds;

    if ((!making && (argc < 2 || strcmp(argv[1], "check") != 0)) || argc <= seconds_at ||
        argc > seconds_at + 2 || !read_number(argv[seconds_at], NUMBERS / RATE, &seconds) ||
        (argc == seconds_at + 2 &&
         !read_number(argv[seconds_at + 1], NUMBERS - seconds * RATE, &pattern.first))) {
        fprintf(stderr, "Usage: pattern make SECONDS [FIRST] > raw\n"
                        "       pattern check RECORDING SECONDS [FIRST]\n");
        return 2;
    }
    pattern.frames = seconds * RATE;
    if (making)
        return make(&pattern) ? 0 : 2;
    return check(&pattern, argv[2]);
}
