/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Writes down what is heard, and when.
 *
 *     listen RECORDING < raw
 *
 * Copies standard input to the file RECORDING, and writes a line to RECORDING.times each time that
 * something has come: the time in nanoseconds since 1970, and the frames (of 4 bytes) that there
 * were before.
 */
#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

int main(int argc, char *argv[])
{
    static uint8_t data[1 << 16];
    FILE *recording = argc == 2 ? fopen(argv[1], "wb") : NULL;
    FILE *times = NULL;
    char path[4096];
    uint64_t bytes = 0;
    ssize_t n;

    if (!recording || snprintf(path, sizeof(path), "%s.times", argv[1]) >= (int)sizeof(path) ||
        !(times = fopen(path, "w"))) {
        fprintf(stderr, "usage: listen RECORDING < raw\n");
        return 2;
    }
    while ((n = read(STDIN_FILENO, data, sizeof(data))) > 0) {
        struct timespec now;

        clock_gettime(CLOCK_REALTIME, &now);
        fprintf(times, "%lld%09ld %" PRIu64 "\n", (long long)now.tv_sec, now.tv_nsec, bytes / 4);
        if (fwrite(data, 1, (size_t)n, recording) != (size_t)n || fflush(recording) != 0) {
            perror(argv[1]);
            return 1;
        }
        bytes += (uint64_t)n;
    }
    return fclose(recording) == 0 && fclose(times) == 0 ? 0 : 1;
}
