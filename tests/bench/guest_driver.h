/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef BENCH_GUEST_DRIVER_H
#define BENCH_GUEST_DRIVER_H

#include <stdint.h>

#include "bench/machine.h"
#include "bench/record.h"

/*
 * A guest's driver: sets the card up as Linux's does, plays the counter signal
 * at 44100 Hz S16 stereo from a buffer of 64 KiB with an interrupt each period
 * (16..8192 frames), keeps the buffer filled, until r->dense_end.
 *
 * The position is recorded at each interrupt. That is enough for a card whose
 * position moves evenly in between. One whose position jumps has to be looked
 * at all the time: poll_ns is the interval (0: no looks but at interrupts, so
 * that processor time can be compared).
 */
void guest_driver_run(struct machine *m, unsigned period, uint64_t poll_ns, struct record *r);

#endif
