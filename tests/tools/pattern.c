/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A sound in which every frame is distinct, and the comparison of a recording
 * with it. Frames are S16LE stereo at 44100 Hz, so a frame has 32 bits.
 *
 *     pattern make SECONDS [FIRST [FORMAT]] > raw
 *     pattern check RECORDING SECONDS [FIRST [FORMAT]]
 *     pattern since RECORDING SECONDS [FIRST]
 *
 * Frame n carries n in 24 bits and 8 check bits made from n, scrambled by a
 * permutation of the 32-bit numbers (pattern_frame.h), so that it sounds like
 * noise and never is silence. FIRST is the number of the first frame (0): patterns that do not
 * overlap can be told apart in one recording.
 *
 * FORMAT says how the 32 bits lie in the sound:
 *   stereo        in a frame of S16LE stereo; this without FORMAT
 *   left, right   in two frames of S16LE stereo, of which the other channel is silent: it may hold
 *                 another pattern where both are heard
 *   u8            in four frames of U8 mono
 * SECONDS are 44100 frames of the format, at whatever rate it is played. Of the last three, what is
 * called a frame below is two or four frames of the format, and a break that is no whole number of
 * those loses all that is on its shorter side.
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
 *   longest    frames of silence between two frames of the pattern, at most
 *   begin, end          where the pattern lies in the recording, in frames; end is the first after
 * What is before the first frame that can be made out and after the pattern's
 * last is not compared: silence, another sound, or what a guest that stops its
 * card late still has in its buffer.
 *
 * since says from where on the sound was good, after a fault: it prints a line
 * with the number of the first frame (since=, counted from FIRST) from which
 * each to the pattern's last is recorded once and in order, at what place of the
 * recording that is (begin=), and the silences that may be in between (gaps=,
 * gap_frames=). It exits 1 if not even the last frame is there; since is then
 * the number after it.
 */
#include <inttypes.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tools/pattern_frame.h"

#define NO_NUMBER UINT32_MAX

struct format {
    const char *name;
    unsigned frame_bytes;
    unsigned offset, carried; /* of them, those that carry the pattern */
    uint32_t silence;         /* what is carried where there is silence */
};

static const struct format formats[] = {
    {"stereo", 4, 0, 4, 0},
    {"left", 4, 0, 2, 0},
    {"right", 4, 2, 2, 0},
    {"u8", 1, 0, 1, UINT32_C(0x80808080)},
};

struct pattern {
    const struct format *format;
    uint32_t first;
    uint32_t frames;
};

/* The place of a recorded frame in the pattern, or NO_NUMBER. */
static uint32_t number_of(const struct pattern *pattern, uint32_t frame)
{
    uint32_t word = pattern_unscramble(frame);
    uint32_t number = word & (PATTERN_NUMBERS - 1);

    if (word >> PATTERN_NUMBER_BITS != pattern_check_bits(number) || number < pattern->first ||
        number - pattern->first >= pattern->frames)
        return NO_NUMBER;
    return number - pattern->first;
}

struct report {
    size_t found, missing, repeated, misplaced, differing, gaps, gap_frames, longest;
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
    struct report report = {0};
    uint32_t silence = pattern->format->silence;
    size_t silent = 0, silences = 0, differing = 0; /* since the last trusted frame */
    size_t replaced = 0;
    uint32_t expected = 0; /* the number after the last trusted one */
    uint32_t highest = 0;  /* one more than the highest number so far */
    bool begun = false;

    for (size_t i = 0; i < length && expected < pattern->frames; i++) {
        uint32_t number = number_of(pattern, frames[i]);
        uint32_t first = pattern->first;
        bool trusted =
            number != NO_NUMBER &&
            ((i > 0 && number > 0 && frames[i - 1] == pattern_frame(first + number - 1)) ||
             (i + 1 < length && frames[i + 1] == pattern_frame(first + number + 1)));

        if (!trusted) {
            if (frames[i] != silence)
                differing++;
            else if (silent++ == 0 || frames[i - 1] != silence)
                silences++;
            continue;
        }
        if (begun) {
            size_t skipped = number > expected ? number - expected : 0;

            report.differing += differing;
            report.gaps += silences;
            report.gap_frames += silent;
            if (report.longest < silent)
                report.longest = silent;
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
    const struct format *format = pattern->format;

    for (uint32_t n = 0; n < pattern->frames; n++) {
        uint32_t left = pattern_frame(pattern->first + n);

        for (unsigned done = 0; done < sizeof left; done += format->carried)
            for (unsigned at = 0; at < format->frame_bytes; at++) {
                bool carries = at >= format->offset && at - format->offset < format->carried;

                putchar_unlocked(carries ? left & 0xff : 0);
                if (carries)
                    left >>= 8;
            }
    }
    if (fflush(stdout) || ferror(stdout)) {
        perror("pattern: standard output");
        return false;
    }
    return true;
}

/* What a raw recording's frames carry, end to end; a part of a frame at the end is left out. */
static uint8_t *read_carried(const char *path, const struct format *format, size_t *length)
{
    FILE *file = fopen(path, "rb");
    long bytes;
    uint8_t *data;
    size_t frames;

    if (!file || fseek(file, 0, SEEK_END) || (bytes = ftell(file)) < 0 ||
        fseek(file, 0, SEEK_SET)) {
        perror(path);
        if (file)
            fclose(file);
        return NULL;
    }
    frames = (size_t)bytes / format->frame_bytes;
    data = malloc(frames * format->frame_bytes + 1);
    if (!data || fread(data, format->frame_bytes, frames, file) != frames) {
        perror(path);
        free(data);
        fclose(file);
        return NULL;
    }
    fclose(file);
    for (size_t i = 0; i < frames; i++)
        memmove(data + i * format->carried, data + i * format->frame_bytes + format->offset,
                format->carried);
    *length = frames * format->carried;
    return data;
}

/* Compares with what is carried from that frame of the recording on. */
static bool compare_from(const struct pattern *pattern, const uint8_t *carried, size_t bytes,
                         unsigned from, struct report *report)
{
    const struct format *format = pattern->format;
    size_t skipped = (size_t)from * format->carried;
    size_t length = bytes < skipped ? 0 : (bytes - skipped) / sizeof(uint32_t);
    uint32_t *frames = malloc(length * sizeof *frames + 1);
    bool *heard = calloc(pattern->frames, sizeof *heard);

    if (!frames || !heard) {
        perror("pattern");
        free(frames);
        free(heard);
        return false;
    }
    for (size_t i = 0; i < length; i++) {
        const uint8_t *p = carried + skipped + i * sizeof(uint32_t);

        frames[i] = p[0] | p[1] << 8 | p[2] << 16 | (uint32_t)p[3] << 24;
    }
    *report = compare(pattern, frames, length, heard);
    free(frames);
    free(heard);
    if (report->found > 0) {
        report->begin = from + report->begin * (sizeof(uint32_t) / format->carried);
        report->end = from + report->end * (sizeof(uint32_t) / format->carried);
    }
    return true;
}

/* 0: all there; 1: not; 2: could not be compared. */
static int check(const struct pattern *pattern, const char *path)
{
    size_t bytes;
    uint8_t *carried = read_carried(path, pattern->format, &bytes);
    struct report report = {0};

    if (!carried)
        return 2;
    /* The pattern may begin at any frame. */
    for (unsigned from = 0; from < sizeof(uint32_t) / pattern->format->carried; from++) {
        struct report other;

        if (!compare_from(pattern, carried, bytes, from, &other)) {
            free(carried);
            return 2;
        }
        if (from == 0 || other.found > report.found)
            report = other;
    }
    free(carried);
    printf("frames=%" PRIu32 " found=%zu missing=%zu repeated=%zu misplaced=%zu differing=%zu "
           "gaps=%zu gap_frames=%zu longest=%zu begin=%zu end=%zu\n",
           pattern->frames, report.found, report.missing, report.repeated, report.misplaced,
           report.differing, report.gaps, report.gap_frames, report.longest, report.begin,
           report.end);
    return report.missing || report.repeated || report.misplaced || report.differing || report.gaps;
}

/* As check. */
static int since(const struct pattern *pattern, const char *path)
{
    size_t bytes, length, begin = 0, silent = 0, gaps = 0, gap_frames = 0;
    uint8_t *carried = read_carried(path, pattern->format, &bytes);
    uint32_t left = pattern->frames;

    if (!carried)
        return 2;
    length = bytes / sizeof(uint32_t);
    for (size_t i = length; i-- > 0 && left > 0;) {
        const uint8_t *p = carried + i * sizeof(uint32_t);
        uint32_t frame = p[0] | p[1] << 8 | p[2] << 16 | (uint32_t)p[3] << 24;

        if (frame == pattern_frame(pattern->first + left - 1)) {
            gaps += silent > 0;
            gap_frames += silent;
            silent = 0;
            begin = i;
            left--;
        } else if (left < pattern->frames) {
            if (frame != pattern->format->silence)
                break;
            silent++;
        }
    }
    free(carried);
    printf("since=%" PRIu32 " begin=%zu gaps=%zu gap_frames=%zu\n", left, begin, gaps, gap_frames);
    return left == pattern->frames;
}

static bool read_number(const char *text, uint32_t max, uint32_t *number)
{
    char *end;
    unsigned long value = strtoul(text, &end, 10);

    *number = (uint32_t)value;
    return end != text && *end == '\0' && value <= max;
}

/* SECONDS [FIRST [FORMAT]] */
static bool read_pattern(int argc, char **argv, struct pattern *pattern)
{
    uint32_t seconds;

    if (argc < 1 || argc > 3 || !read_number(argv[0], PATTERN_NUMBERS / PATTERN_RATE, &seconds))
        return false;
    for (size_t i = 0; i < sizeof formats / sizeof formats[0]; i++)
        if (strcmp(argc > 2 ? argv[2] : "stereo", formats[i].name) == 0)
            pattern->format = &formats[i];
    if (!pattern->format)
        return false;
    pattern->frames = seconds * PATTERN_RATE / (sizeof(uint32_t) / pattern->format->carried);
    return argc < 2 || read_number(argv[1], PATTERN_NUMBERS - pattern->frames, &pattern->first);
}

int main(int argc, char **argv)
{
    struct pattern pattern = {0};

    if (argc > 2 && strcmp(argv[1], "make") == 0 && read_pattern(argc - 2, argv + 2, &pattern))
        return make(&pattern) ? 0 : 2;
    if (argc > 3 && strcmp(argv[1], "check") == 0 && read_pattern(argc - 3, argv + 3, &pattern))
        return check(&pattern, argv[2]);
    if (argc > 3 && argc < 6 && strcmp(argv[1], "since") == 0 &&
        read_pattern(argc - 3, argv + 3, &pattern))
        return since(&pattern, argv[2]);
    fprintf(stderr, "Usage: pattern make SECONDS [FIRST [FORMAT]] > raw\n"
                    "       pattern check RECORDING SECONDS [FIRST [FORMAT]]\n"
                    "       pattern since RECORDING SECONDS [FIRST]\n"
                    "FORMAT: stereo, left, right, u8\n");
    return 2;
}
