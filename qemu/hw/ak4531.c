/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "hw/ak4531.h"

#include <string.h>

enum {
    MASTER_LEFT = 0x00,
    FIRST_INPUT = 0x02, /* voice, left */
    LAST_INPUT = 0x0e,  /* microphone */
    MONO_OUT = 0x0f,
    OUTPUT_SWITCH1 = 0x10,
    OUTPUT_SWITCH2 = 0x11,
    INPUT_SWITCH1 = 0x12, /* left; right is the next */
    INPUT_SWITCH2 = 0x14,
    POWER = 0x16,
    CLOCK = 0x17,
    ADC_SELECT = 0x18,
    MIC_AMPLIFIER = 0x19,

    MUTE = 0x80,
    STEPS = 0x1f, /* the rest of a volume: 2 dB each, downwards */
    INPUT_0DB = 0x06,
    POWER_NOT_RESET = 0x01,
    POWER_ON = 0x02,
    CLOCK_DEFAULT = 0x03,
    ADC_NOT_MIXER = 0x01,
    MIC_30DB = 0x01,
    MIC_30DB_STEPS = 15,
};

/* Where an input has its registers and bits, left and right. */
static const struct {
    uint8_t volume[2];
    uint8_t output, output_bit[2];
    uint8_t input, input_bit[2]; /* the left register; right is the next */
    uint8_t bypass;              /* of INPUT_SWITCH2: past gain, mute and amplifier */
} inputs[AK4531_INPUTS] = {
    [AK4531_VOICE] = {{0x02, 0x03}, OUTPUT_SWITCH2, {0x08, 0x04}, INPUT_SWITCH2, {0x04, 0x04}, 0},
    [AK4531_FM] = {{0x04, 0x05}, OUTPUT_SWITCH1, {0x40, 0x20}, INPUT_SWITCH1, {0x40, 0x20}, 0},
    [AK4531_CD] = {{0x06, 0x07}, OUTPUT_SWITCH1, {0x04, 0x02}, INPUT_SWITCH1, {0x04, 0x02}, 0},
    [AK4531_LINE] = {{0x08, 0x09}, OUTPUT_SWITCH1, {0x10, 0x08}, INPUT_SWITCH1, {0x10, 0x08}, 0},
    [AK4531_AUX] = {{0x0a, 0x0b}, OUTPUT_SWITCH2, {0x20, 0x10}, INPUT_SWITCH2, {0x10, 0x08}, 0},
    [AK4531_MONO1] =
        {{0x0c, 0x0c}, OUTPUT_SWITCH2, {0x01, 0x01}, INPUT_SWITCH2, {0x01, 0x01}, 0x40},
    [AK4531_MONO2] =
        {{0x0d, 0x0d}, OUTPUT_SWITCH2, {0x02, 0x02}, INPUT_SWITCH2, {0x02, 0x02}, 0x20},
    [AK4531_MIC] = {{0x0e, 0x0e}, OUTPUT_SWITCH1, {0x01, 0x01}, INPUT_SWITCH1, {0x01, 0x01}, 0x80},
};

void ak4531_reset(struct ak4531 *codec)
{
    memset(codec->reg, 0, sizeof(codec->reg));
    memset(&codec->reg[FIRST_INPUT], MUTE | INPUT_0DB, LAST_INPUT - FIRST_INPUT + 1);
    codec->reg[MONO_OUT] = MUTE;
    codec->reg[POWER] = POWER_NOT_RESET | POWER_ON;
    codec->reg[CLOCK] = CLOCK_DEFAULT;
}

void ak4531_write(struct ak4531 *codec, uint8_t index, uint8_t value)
{
    index %= AK4531_REGISTERS;
    if (index == POWER && !(value & POWER_NOT_RESET)) {
        ak4531_reset(codec);
    }
    codec->reg[index] = value;
}

/* The linear gain, in 1/65536, of steps of 2 dB each: ten of them are a factor of ten. */
static uint32_t linear(int steps)
{
    /* 10^(i/10), in 1/10^9 */
    static const uint64_t within_decade[10] = {1000000000, 1258925412, 1584893192, 1995262315,
                                               2511886432, 3162277660, 3981071706, 5011872336,
                                               6309573445, 7943282347};
    uint64_t divisor = 1000000000;
    uint64_t gain = 0x10000;

    for (; steps < 0; steps += 10) {
        divisor *= 10;
    }
    for (; steps >= 10; steps -= 10) {
        gain *= 10;
    }
    return (uint32_t)((gain * within_decade[steps] + divisor / 2) / divisor);
}

static bool is_running(const struct ak4531 *codec)
{
    return (codec->reg[POWER] & POWER_NOT_RESET) && (codec->reg[POWER] & POWER_ON);
}

/* An input's gain before both mixers, in steps; false: it is muted. */
static bool input_gain(const struct ak4531 *codec, enum ak4531_input input, unsigned side,
                       int *steps)
{
    uint8_t volume = codec->reg[inputs[input].volume[side]];

    *steps = INPUT_0DB - (volume & STEPS);
    if (input == AK4531_MIC && (codec->reg[MIC_AMPLIFIER] & MIC_30DB)) {
        *steps += MIC_30DB_STEPS;
    }
    return !(volume & MUTE);
}

uint32_t ak4531_output_gain(const struct ak4531 *codec, enum ak4531_input input, unsigned side)
{
    uint8_t master = codec->reg[MASTER_LEFT + side];
    int steps;

    if (!is_running(codec) || (master & MUTE) || !input_gain(codec, input, side, &steps) ||
        !(codec->reg[inputs[input].output] & inputs[input].output_bit[side])) {
        return 0;
    }
    return linear(steps - (master & STEPS));
}

uint32_t ak4531_record_gain(const struct ak4531 *codec, enum ak4531_input input, unsigned side)
{
    uint32_t gain = 0;
    int steps;

    if (!is_running(codec) || (codec->reg[ADC_SELECT] & ADC_NOT_MIXER)) {
        return 0;
    }
    if (input_gain(codec, input, side, &steps) &&
        (codec->reg[inputs[input].input + side] & inputs[input].input_bit[side])) {
        gain = linear(steps);
    }
    /* The same signal once more: the two add up. */
    if (codec->reg[INPUT_SWITCH2 + side] & inputs[input].bypass) {
        gain += linear(0);
    }
    return gain;
}
