/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "fakes/es1370_machine.h"

static void assert_defaults(const struct ak4531 *codec, unsigned except)
{
    for (unsigned i = 0; i < AK4531_REGISTERS; i++) {
        unsigned expected = 0;

        if (i == except) {
            continue;
        }
        if (i <= 0x01 || i == 0x0f) {
            expected = 0x80; /* muted, 0 dB */
        } else if (i <= 0x0e) {
            expected = 0x86;
        } else if (i == 0x16 || i == 0x17) {
            expected = 0x03;
        }
        assert_int_equal(codec->reg[i], expected);
    }
}

static void reset(void **state)
{
    struct ak4531 codec;

    (void)state;
    ak4531_reset(&codec);
    assert_defaults(&codec, AK4531_REGISTERS);
}

static void registers_are_kept(void **state)
{
    struct ak4531 codec;

    (void)state;
    ak4531_reset(&codec);
    for (unsigned i = 0; i < AK4531_REGISTERS; i++) {
        ak4531_write(&codec, (uint8_t)i, (uint8_t)(0xa1 + i));
    }
    for (unsigned i = 0; i < AK4531_REGISTERS; i++) {
        assert_int_equal(codec.reg[i], 0xa1 + i);
    }
}

static void high_index_bits_are_ignored(void **state)
{
    struct ak4531 codec;

    (void)state;
    ak4531_reset(&codec);
    ak4531_write(&codec, 0x20, 0x11);
    ak4531_write(&codec, 0xe2, 0x22);
    assert_int_equal(codec.reg[0x00], 0x11);
    assert_int_equal(codec.reg[0x02], 0x22);
}

static void reset_by_register(void **state)
{
    struct ak4531 codec;

    (void)state;
    ak4531_reset(&codec);
    ak4531_write(&codec, 0x02, 0x00);
    ak4531_write(&codec, 0x10, 0x7f);
    ak4531_write(&codec, 0x16, 0x01); /* power down, but no reset */
    assert_int_equal(codec.reg[0x02], 0x00);
    ak4531_write(&codec, 0x16, 0x02);
    assert_int_equal(codec.reg[0x16], 0x02);
    assert_defaults(&codec, 0x16);
}

/* Through the card: a word or a longword is one serial frame, a byte none. */
static void written_through_the_card(void **state)
{
    static struct machine m;

    (void)state;
    machine_power_on(&m);
    outw(&m, CODEC, 0x0204);
    assert_int_equal(m.card.codec.reg[0x02], 0x04);
    assert_int_equal(m.mixer_changes, 1);
    outl(&m, CODEC, 0xffff0305);
    assert_int_equal(m.card.codec.reg[0x03], 0x05);
    assert_int_equal(m.mixer_changes, 2);
    outb(&m, CODEC, 0x55);
    outb(&m, CODEC + 1, 0x04);
    outw(&m, CODEC + 2, 0x0455);
    assert_int_equal(m.mixer_changes, 2);
    assert_int_equal(m.card.codec.reg[0x04], 0x86);
    assert_int_equal(inl(&m, CODEC), 0);          /* it cannot be read, */
    assert_int_equal(inl(&m, STATUS), STAT_IDLE); /* and is never busy */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reset),
        cmocka_unit_test(registers_are_kept),
        cmocka_unit_test(high_index_bits_are_ignored),
        cmocka_unit_test(reset_by_register),
        cmocka_unit_test(written_through_the_card),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
