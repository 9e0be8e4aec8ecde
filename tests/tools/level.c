/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A steady tone, and how loud it is heard. Frames are S16LE stereo at 44100 Hz.
 *
 *     level make SECONDS > raw
 *     level check RECORDING
 *
 * make writes a sine of 1010 Hz, 13 dB below full scale: there is room for a
 * mixer to raise it by 12 dB and, at 50 dB less, enough of it to be measured.
 *
 * check prints a line "begin=S end=S left=DB right=DB" for each stretch of at
 * least a second in which both channels stay as loud as they are: its first
 * and last moment in seconds of the recording, and by how much the tone is
 * louder (or, negative, softer) than make's. A channel without the tone is
 * "off".
 */
#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A block is a tenth of a second and holds the tone's period a whole number of times, prime to
 * BLOCK: so blocks hold the same samples wherever they begin but for their order, rounding errors
 * are spread over all phases, and silence or a constant offset does not count. */
enum { RATE = 44100, BLOCK = RATE / 10, TONE = 1010, PERIODS = TONE / 10, SHORTEST = 10 };

static const double amplitude = 7336; /* of 32767: -13.0 dB */
static const double off_below = 0.5;  /* steps of 16 bits */
static const double steady_db = 0.05;

static const double pi = 3.14159265358979323846;

struct loudness {
    double db[2]; /* -INFINITY: off */
};

static bool make(long seconds)
{
    for (long i = 0; i < seconds * RATE; i++) {
        uint16_t s = (uint16_t)lrint(amplitude * sin(2 * pi * TONE * (double)(i % RATE) / RATE));

        for (int byte = 0; byte < 4; byte++)
            putchar_unlocked(byte % 2 == 0 ? s & 0xff : s >> 8);
    }
    if (fflush(stdout) || ferror(stdout)) {
        perror("level: standard output");
        return false;
    }
    return true;
}

static double to_db(double real, double imaginary)
{
    double heard = 2.0 / BLOCK * hypot(real, imaginary);

    return heard < off_below ? -INFINITY : 20 * log10(heard / amplitude);
}

static struct loudness measure(const uint8_t *block)
{
    double real[2] = {0, 0}, imaginary[2] = {0, 0};

    for (int i = 0; i < BLOCK; i++) {
        double phase = 2 * pi * PERIODS * i / BLOCK;

        for (int channel = 0; channel < 2; channel++) {
            const uint8_t *s = block + 4 * i + 2 * channel;
            int16_t sample = (int16_t)(s[0] | s[1] << 8);

            real[channel] += sample * cos(phase);
            imaginary[channel] += sample * sin(phase);
        }
    }
    return (struct loudness){{to_db(real[0], imaginary[0]), to_db(real[1], imaginary[1])}};
}

static bool same(const struct loudness *a, const struct loudness *b)
{
    for (int channel = 0; channel < 2; channel++)
        if (a->db[channel] != b->db[channel] &&
            !(fabs(a->db[channel] - b->db[channel]) < steady_db))
            return false;
    return true;
}

static void print_channel(const char *name, double db)
{
    if (isinf(db))
        printf(" %s=off", name);
    else
        printf(" %s=%.2f", name, db);
}

static void print_stretch(const struct loudness *loudness, long begin, long end)
{
    printf("begin=%.1f end=%.1f", (double)begin / 10, (double)end / 10);
    print_channel("left", loudness->db[0]);
    print_channel("right", loudness->db[1]);
    putchar('\n');
}

/* Blocks that are all as loud as the first one. */
static bool check(const char *path)
{
    static uint8_t bytes[4 * BLOCK];
    struct loudness first = {{0, 0}};
    FILE *file = fopen(path, "rb");
    long begin = 0, block = 0;

    if (!file) {
        perror(path);
        return false;
    }
    for (; fread(bytes, sizeof bytes, 1, file) == 1; block++) {
        struct loudness now = measure(bytes);

        if (block > 0 && same(&first, &now))
            continue;
        if (block - begin >= SHORTEST)
            print_stretch(&first, begin, block);
        begin = block;
        first = now;
    }
    if (block - begin >= SHORTEST)
        print_stretch(&first, begin, block);
    if (ferror(file)) {
        perror(path);
        fclose(file);
        return false;
    }
    fclose(file);
    return true;
}

int main(int argc, char **argv)
{
    if (argc == 3 && strcmp(argv[1], "make") == 0) {
        char *end;
        long seconds = strtol(argv[2], &end, 10);

        if (end != argv[2] && *end == '\0' && seconds >= 0 && seconds <= 3600)
            return make(seconds) ? 0 : 2;
    } else if (argc == 3 && strcmp(argv[1], "check") == 0) {
        return check(argv[2]) ? 0 : 2;
    }
    fprintf(stderr, "Usage: level make SECONDS > raw\n"
                    "       level check RECORDING\n");
    return 2;
}
