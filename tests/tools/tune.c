/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A melody that a person recognises, as raw S16LE stereo at 44100 Hz:
 *
 *     tune > raw
 *
 * The beginning of Beethoven's ninth symphony's last theme, plucked, and a
 * chord: 8 s. The same samples on every run.
 */
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

enum { RATE = 44100, SECONDS = 8, FRAMES = SECONDS * RATE };

struct note {
    double at;       /* seconds */
    double semitone; /* above the A of 440 Hz */
    double pan;      /* 0 left to 1 right */
};

static const struct note notes[] = {
    { 0.0, 7, 0.2 },   { 0.4, 7, 0.2 },  { 0.8, 8, 0.3 },  { 1.2, 10, 0.4 }, { 1.6, 10, 0.4 },
    { 2.0, 8, 0.5 },   { 2.4, 7, 0.5 },  { 2.8, 5, 0.6 },  { 3.2, 3, 0.6 },  { 3.6, 3, 0.6 },
    { 4.0, 5, 0.7 },   { 4.4, 7, 0.8 },  { 4.8, 7, 0.8 },  { 5.4, 5, 0.7 },  { 5.6, 5, 0.7 },
    { 6.2, -9, 0.3 },  { 6.2, -2, 0.4 }, { 6.2, 3, 0.6 },  { 6.2, 7, 0.7 },
};

/* Adds a string's sound: a fundamental and two overtones that die away. */
static void add_note(const struct note *note, double (*mix)[2])
{
    const double pi = 3.14159265358979;
    double hz = 440 * pow(2, note->semitone / 12);

    for (int i = (int)(note->at * RATE); i < FRAMES; i++) {
        double t = (double)i / RATE - note->at;
        double envelope = fmin(t / 0.004, 1) * exp(-4.0 * t);
        double phase = 2 * pi * hz * t;
        double sample = envelope * (sin(phase) + 0.4 * sin(2 * phase) + 0.15 * sin(3 * phase));

        mix[i][0] += sample * (1 - note->pan);
        mix[i][1] += sample * note->pan;
    }
}

static int16_t to_s16(double sample)
{
    return (int16_t)lrint(fmax(-1, fmin(1, 0.4 * sample)) * 32767);
}

int main(void)
{
    double(*mix)[2] = calloc(FRAMES, sizeof *mix);

    if (!mix) {
        perror("tune");
        return 1;
    }
    for (size_t i = 0; i < sizeof notes / sizeof notes[0]; i++)
        add_note(&notes[i], mix);
    for (int i = 0; i < FRAMES; i++) {
        uint16_t left = (uint16_t)to_s16(mix[i][0]), right = (uint16_t)to_s16(mix[i][1]);
        uint8_t bytes[4] = { left & 0xff, left >> 8, right & 0xff, right >> 8 };

        fwrite(bytes, sizeof bytes, 1, stdout);
    }
    free(mix);
    if (fflush(stdout) || ferror(stdout)) {
        perror("tune: standard output");
        return 1;
    }
    return 0;
}
