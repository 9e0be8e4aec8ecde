/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a guest's driver sees of a machine with an ES1370 in it. Two are
 * measured: our card in this process, and QEMU's in QEMU.
 *
 * One thread. A machine that fails says why on standard error and ends the
 * process: there is nothing to measure then.
 */
#ifndef BENCH_MACHINE_H
#define BENCH_MACHINE_H

#include <stdbool.h>
#include <stdint.h>

struct machine {
    uint8_t *ram; /* the guest's memory from address 0; at least 512 KiB, 64 KiB on being free */
    bool smooth;  /* the position follows the card's clock at every read */

    /* A register of the card's, by its offset; bytes is 1, 2 or 4. */
    void (*write)(struct machine *m, unsigned reg, unsigned bytes, uint32_t value);
    uint32_t (*read)(struct machine *m, unsigned reg, unsigned bytes);

    /* Lets the machine run until the card interrupts (true) or until the time (false). */
    bool (*wait)(struct machine *m, uint64_t until_ns);

    /* Nanoseconds of processor time that the device model's process has used. */
    uint64_t (*cpu)(struct machine *m);

    void (*close)(struct machine *m);
};

/* Our card, plugged into a fake guest, on this thread with the priority that it asks for in its own
 * process. audiodev: as after -audiodev; the latency that it asks for, or the default, is made
 * latency_factor times longer, to see whether a measurement tells. */
struct machine *machine_ours(const char *audiodev, unsigned latency_factor);

/* QEMU's, driven through the qtest protocol. */
struct machine *machine_qemu(const char *audiodev);

#endif
