/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Asahi Kasei AK4531: the mixer of an ES1370 board. Write-only registers, kept
 * here as the guest wrote them.
 *
 * Source: the AK4532 data sheet and the drivers, in the absence of the AK4531's.
 */
#ifndef HW_AK4531_H
#define HW_AK4531_H

#include <stdbool.h>
#include <stdint.h>

enum { AK4531_REGISTERS = 0x20 };

struct ak4531 {
    uint8_t reg[AK4531_REGISTERS];
};

void ak4531_reset(struct ak4531 *codec);

/* index: bits 7:5 are ignored, as the chip does. */
void ak4531_write(struct ak4531 *codec, uint8_t index, uint8_t value);

#endif
