/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The whole path without Xen: a guest's driver plays raw S16LE stereo sound at
 * 44100 Hz through the real card, on its real clock, into a real sound server.
 *
 *     play_card AUDIODEV FILE [PERIOD]
 *
 * An interrupt comes each PERIOD frames (1024). Prints what the guest noticed:
 * see es1370_driver_print.
 */
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "fakes/es1370_driver.h"

int main(int argc, char *argv[])
{
    struct es1370_driver d = {
        .to_play = argc > 2 ? fopen(argv[2], "rb") : NULL,
        .period = argc > 3 ? (unsigned)atoi(argv[3]) : 1024,
    };
    uint64_t length;

    if (!d.to_play || d.period == 0 || d.period > ES1370_DRIVER_BUFFER_FRAMES / 2 ||
        fseek(d.to_play, 0, SEEK_END) < 0) {
        fprintf(stderr, "usage: play_card AUDIODEV FILE [PERIOD]\n");
        return 2;
    }
    length = (uint64_t)ftell(d.to_play) / 4;
    rewind(d.to_play);
    if (!es1370_driver_open(&d, argv[1])) {
        return 1;
    }
    es1370_driver_start_playing(&d);
    while (d.play.frames < length) {
        es1370_driver_step(&d);
    }
    es1370_driver_stop(&d);
    es1370_driver_print(&d);
    /* Ample time for the end to be heard. */
    es1370_driver_sleep_until(clock_now_ns() + 2 * d.settings.out_latency_us * NS_PER_US +
                              NS_PER_S / 2);
    es1370_driver_close(&d);
    fclose(d.to_play);
    return 0;
}
