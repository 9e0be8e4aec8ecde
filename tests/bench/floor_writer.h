/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef BENCH_FLOOR_WRITER_H
#define BENCH_FLOOR_WRITER_H

#include "bench/record.h"

/*
 * What this machine and its sound server allow at best: a realtime thread that
 * does nothing but hand the counter signal to pa_simple in pieces of 64 frames,
 * with a buffer of target_us microseconds, until r->dense_end. It has no clock
 * of its own, the server asks for each piece: a frame counts as passed when the
 * server has room for it and it is handed over.
 */
void floor_writer_run(unsigned target_us, struct record *r);

#endif
