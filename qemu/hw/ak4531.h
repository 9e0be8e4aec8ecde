/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Asahi Kasei AK4531: the mixer of an ES1370 board. Write-only registers, kept
 * here as the guest wrote them, and what they do to a sound on its way through.
 *
 *   input -> [mute, +12..-50 dB] -+-> output switch -> sum -> [mute, 0..-62 dB] -> master output
 *                                 +-> input switch  -> sum -> ADC
 *
 * Every path is closed after a reset: a guest is silent until its driver opens
 * one, as on the chip. (Linux's leaves it to the user, with everything muted.)
 *
 * Source: the AK4531's own data sheet is not public. Registers, steps and the
 * master's initial value are from the AK4532 data sheet 0178-E-01, whose chip is compatible but
 * for the input mixer; the rest is what the drivers of Linux, the BSDs, Haiku,
 * illumos and MINIX agree on. That an input's gain and mute act on recordings
 * as well follows from there being no other gain before the ADC (the AK4531A's
 * front page; these drivers set it as the recording level).
 */
#ifndef HW_AK4531_H
#define HW_AK4531_H

#include <stdbool.h>
#include <stdint.h>

enum { AK4531_REGISTERS = 0x20 };

enum ak4531_input {
    AK4531_VOICE, /* the ES1370's DAC2 */
    AK4531_FM,    /* the ES1370's DAC1 */
    AK4531_CD,
    AK4531_LINE,
    AK4531_AUX,
    AK4531_MONO1,
    AK4531_MONO2,
    AK4531_MIC,
    AK4531_INPUTS,
};

struct ak4531 {
    uint8_t reg[AK4531_REGISTERS];
};

void ak4531_reset(struct ak4531 *codec);

/* index: bits 7:5 are ignored, as the chip does. */
void ak4531_write(struct ak4531 *codec, uint8_t index, uint8_t value);

/* The gain from an input's side (0 left, 1 right; both are the one signal of a mono input) to the
 * same side of the master output, or of the ADC. Linear, in 1/65536: 65536 is 0 dB, 0 silence;
 * at most 42 dB (the microphone's), and to the ADC what the bypass adds. The routes of a
 * stereo input to the ADC's other side are not followed. */
uint32_t ak4531_output_gain(const struct ak4531 *codec, enum ak4531_input input, unsigned side);
uint32_t ak4531_record_gain(const struct ak4531 *codec, enum ak4531_input input, unsigned side);

#endif
