/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A guest that means harm: does to the card, at random, all that a guest can. Its registers and its
 * PCI configuration are read and written in all sizes, its ports moved, its channels started where
 * there is memory and where there is none, and string instructions carried out on it.
 */
#pragma once

#include <stdint.h>

struct hostile_report {
    uint32_t accesses;   /* to registers and configuration */
    uint32_t strings;    /* instructions */
    uint32_t repeats;    /* the accesses that these made */
    uint32_t starts;     /* of channels, with a buffer somewhere */
    uint32_t interrupts; /* taken; as often as not the line stays asserted */
};

/* For so many seconds; the same seed does the same. The card is left as it then is: card_init() is
 * what a driver would do next. */
struct hostile_report hostile(uint32_t seconds, uint32_t seed);
