/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Plays the pattern of tests/tools/pattern.c on the second DAC of an ES1370, as a simple driver
 * does: a buffer that goes round, of which each interrupt finds a period played and fills it anew;
 * silence after the pattern. And watches what the card says of itself.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "tools/pattern_frame.h"

enum {
    /* As the lab's Linux guests have it: 743 ms, in four periods. */
    CARD_BUFFER_FRAMES = 32768,
    CARD_PERIOD_FRAMES = 8192,
};

struct card_report {
    uint32_t interrupts;
    uint32_t xruns;   /* the card has played what was not filled in time */
    uint32_t early;   /* interrupts before the position had passed their period */
    uint32_t jumps;   /* of the position: backwards, or further than time allows */
    uint32_t late_ms; /* how far the position was past its period at most */
};

/* Finds the card, and sets it and its mixer up. False: there is none. */
bool card_init(void);

/* Starts the card with the pattern's frames from number `first` on, and resets the report. */
void card_play(uint32_t first, uint32_t frames);

/* Waits until the card has played so many seconds more. */
void card_wait(uint32_t seconds);

/* Waits until the last of the pattern's frames has been played. */
void card_finish(void);

/* What has been seen since card_play(). */
struct card_report card_report(void);
