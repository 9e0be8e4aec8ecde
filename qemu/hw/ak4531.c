/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "hw/ak4531.h"

#include <string.h>

enum {
    MASTER_LEFT = 0x00,
    MASTER_RIGHT = 0x01,
    FIRST_INPUT = 0x02, /* voice, left */
    LAST_INPUT = 0x0e,  /* microphone */
    MONO_OUT = 0x0f,
    POWER = 0x16,
    CLOCK = 0x17,

    MUTE = 0x80,
    INPUT_0DB = 0x06,
    POWER_NOT_RESET = 0x01,
    POWER_ON = 0x02,
    CLOCK_DEFAULT = 0x03,
};

void ak4531_reset(struct ak4531 *codec)
{
    memset(codec->reg, 0, sizeof(codec->reg));
    codec->reg[MASTER_LEFT] = MUTE;
    codec->reg[MASTER_RIGHT] = MUTE;
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
