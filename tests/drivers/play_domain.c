/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A guest of the fake domain that plays raw S16LE stereo sound at 44100 Hz on a
 * card in another process, and on one that takes that one's place:
 *
 *     play_domain SOCKET MEMORY FILE
 *
 * as FAKE_GUEST_SOCKET and FAKE_GUEST_MEMORY (fakes/fake_guest.h) say. Like a
 * vCPU it waits until its access is answered, by whatever process. Prints one
 * line: frames= that it gave the card, waited_ms= for its slowest access, and
 * back= how many of its looks found the card at an earlier place than before.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/clock.h"
#include "fakes/es1370_driver.h"
#include "fakes/fake_guest.h"

enum {
    PORT = 0xc200,
    BUFFER = 0x10000,
    BUFFER_FRAMES = 16384, /* 372 ms */
    LOOK_MS = 10,
    GIVE_UP_MS = 10000,
};

static const char *place;
static int domain = -1; /* a socket, while there is a card to talk to */
static uint64_t slowest_ns;

static void join(void)
{
    struct sockaddr_un to = {.sun_family = AF_UNIX}, own = {.sun_family = AF_UNIX};
    const struct timeval patience = {.tv_usec = 100000};

    snprintf(to.sun_path, sizeof(to.sun_path), "%s", place);
    domain = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (domain < 0 || bind(domain, (struct sockaddr *)&own, sizeof(own.sun_family)) < 0 ||
        setsockopt(domain, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)) < 0) {
        perror("play_domain: socket");
        exit(2);
    }
    if (connect(domain, (struct sockaddr *)&to, sizeof(to)) < 0) {
        close(domain);
        domain = -1;
    }
}

/* All that is asked here can be asked again, of the next card, where there was no answer. */
static uint32_t ask(enum fake_guest_kind kind, uint32_t where, uint32_t bytes, uint32_t value)
{
    uint64_t begun = clock_now_ns(), took;
    struct fake_guest_access a;

    for (;;) {
        a = (struct fake_guest_access){kind, where, bytes, value};
        if (domain < 0) {
            join();
        }
        if (domain >= 0 && send(domain, &a, sizeof(a), 0) == sizeof(a) &&
            recv(domain, &a, sizeof(a), 0) == sizeof(a)) {
            break;
        }
        took = clock_now_ns() - begun;
        if (took > GIVE_UP_MS * NS_PER_MS) {
            fprintf(stderr, "play_domain: no card answers\n");
            exit(1);
        }
        if (domain >= 0) {
            close(domain);
            domain = -1;
        }
        usleep(1000);
    }
    took = clock_now_ns() - begun;
    slowest_ns = took > slowest_ns ? took : slowest_ns;
    return a.value;
}

static void out(unsigned reg, unsigned bytes, uint32_t value)
{
    ask(FAKE_GUEST_PORT_WRITE, PORT + reg, bytes, value);
}

/* DAC2 from the buffer, without interrupts, at 0 dB. */
static void start(void)
{
    static const uint16_t mixer[] = {0x1603, 0x0000, 0x0100, 0x0206, 0x0306, 0x1004, 0x110c};

    ask(FAKE_GUEST_CONFIG_WRITE, 0x10, 4, PORT);
    ask(FAKE_GUEST_CONFIG_WRITE, 0x04, 2, 0x0005);
    for (size_t i = 0; i < sizeof(mixer) / sizeof(mixer[0]); i++) {
        out(0x10, 2, mixer[i]);
    }
    out(0x0c, 4, 0xc); /* the window's page */
    out(0x38, 4, BUFFER);
    out(0x3c, 4, BUFFER_FRAMES - 1);
    out(0x20, 4, 0x0c); /* 16 bits, stereo */
    out(0x28, 4, 0xffff);
    out(0x00, 4, 30 << 16 | 0x20); /* 44100 Hz, DAC2 */
}

int main(int argc, char *argv[])
{
    uint8_t *ram;
    FILE *file = argc > 3 ? fopen(argv[3], "rb") : NULL;
    int memory = argc > 3 ? open(argv[2], O_RDWR | O_CLOEXEC) : -1;
    uint64_t given = 0, played = 0, length = UINT64_MAX;
    unsigned position = 0, back = 0;

    if (!file || memory < 0) {
        fprintf(stderr, "usage: play_domain SOCKET MEMORY FILE\n");
        return 2;
    }
    place = argv[1];
    ram = mmap(NULL, FAKE_GUEST_RAM, PROT_READ | PROT_WRITE, MAP_SHARED, memory, 0);
    if (ram == MAP_FAILED) {
        perror("play_domain: memory");
        return 2;
    }
    given = fread(ram + BUFFER, 4, BUFFER_FRAMES, file);
    start();
    while (played < length) {
        unsigned now = ask(FAKE_GUEST_PORT_READ, PORT + 0x3c, 4, 0) >> 16;
        unsigned moved = (now + BUFFER_FRAMES - position) % BUFFER_FRAMES;

        /* A buffer's half in one look is a step back. */
        if (moved > BUFFER_FRAMES / 2) {
            back++;
            moved = 0;
        } else {
            position = now;
        }
        played += moved;
        while (given < played + BUFFER_FRAMES) {
            uint8_t *frame = ram + BUFFER + given % BUFFER_FRAMES * 4;

            if (fread(frame, 4, 1, file) != 1) {
                memset(frame, 0, 4);
                length = length == UINT64_MAX ? given : length;
            }
            given++;
        }
        usleep(LOOK_MS * 1000);
    }
    out(0x00, 4, 30 << 16);
    printf("frames=%" PRIu64 " waited_ms=%" PRIu64 " back=%u\n", length, slowest_ns / NS_PER_MS,
           back);
    fclose(file);
    return 0;
}
