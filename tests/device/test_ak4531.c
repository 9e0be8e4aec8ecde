/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The mixer: its registers, what they do to a sound, and that every driver's way of setting it up
 * lets its guest be heard. The drivers' writes are after their sources (see
 * test_es1370_drivers.c). */
#include <math.h>
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
        if (i == 0x0f) {
            expected = 0x80; /* muted, 0 dB */
        } else if (i >= 0x02 && i <= 0x0e) {
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

enum { LEFT, RIGHT };

static uint32_t from_db(double db)
{
    return (uint32_t)lrint(65536 * pow(10, db / 20));
}

/* As after reset, but for everything routed everywhere at 0 dB. */
static void open_all(struct ak4531 *codec)
{
    ak4531_reset(codec);
    for (uint8_t reg = 0x02; reg <= 0x0e; reg++) {
        ak4531_write(codec, reg, 0x06);
    }
    for (uint8_t reg = 0x10; reg <= 0x15; reg++) {
        ak4531_write(codec, reg, 0x7f & (reg >= 0x14 ? 0x1f : 0xff));
    }
}

/* Where each input has its volume, its output switch, and its switch to the ADC, by side. */
static const struct {
    uint8_t volume[2], output, output_bit[2], input[2], input_bit[2];
} paths[AK4531_INPUTS] = {
    [AK4531_VOICE] = {{0x02, 0x03}, 0x11, {3, 2}, {0x14, 0x15}, {2, 2}},
    [AK4531_FM] = {{0x04, 0x05}, 0x10, {6, 5}, {0x12, 0x13}, {6, 5}},
    [AK4531_CD] = {{0x06, 0x07}, 0x10, {2, 1}, {0x12, 0x13}, {2, 1}},
    [AK4531_LINE] = {{0x08, 0x09}, 0x10, {4, 3}, {0x12, 0x13}, {4, 3}},
    [AK4531_AUX] = {{0x0a, 0x0b}, 0x11, {5, 4}, {0x14, 0x15}, {4, 3}},
    [AK4531_MONO1] = {{0x0c, 0x0c}, 0x11, {0, 0}, {0x14, 0x15}, {0, 0}},
    [AK4531_MONO2] = {{0x0d, 0x0d}, 0x11, {1, 1}, {0x14, 0x15}, {1, 1}},
    [AK4531_MIC] = {{0x0e, 0x0e}, 0x10, {0, 0}, {0x12, 0x13}, {0, 0}},
};

static void silent_after_reset(void **state)
{
    struct ak4531 codec;

    (void)state;
    ak4531_reset(&codec);
    for (unsigned input = 0; input < AK4531_INPUTS; input++) {
        for (unsigned side = 0; side < 2; side++) {
            assert_int_equal(ak4531_output_gain(&codec, input, side), 0);
            assert_int_equal(ak4531_record_gain(&codec, input, side), 0);
        }
    }
}

/* Each setting of each volume, alone and with the master's: exact, and on its side only. */
static void every_step_is_2_db(void **state)
{
    struct ak4531 codec;

    (void)state;
    for (unsigned input = 0; input < AK4531_INPUTS; input++) {
        for (unsigned side = 0; side < 2; side++) {
            open_all(&codec);
            for (uint8_t gain = 0; gain < 0x20; gain++) {
                ak4531_write(&codec, paths[input].volume[side], gain);
                assert_int_equal(ak4531_record_gain(&codec, input, side), from_db(12 - 2 * gain));
                for (uint8_t master = 0; master < 0x20; master++) {
                    ak4531_write(&codec, (uint8_t)side, master);
                    assert_int_equal(ak4531_output_gain(&codec, input, side),
                                     from_db(12 - 2 * gain - 2 * master));
                }
            }
            if (input < AK4531_MONO1) {
                assert_int_equal(ak4531_output_gain(&codec, input, !side), 65536);
                assert_int_equal(ak4531_record_gain(&codec, input, !side), 65536);
            }
        }
    }
}

/* Takes one bit at a time away; exactly the path that it belongs to is closed. */
static void each_switch_closes_its_path(void **state)
{
    struct ak4531 codec;

    (void)state;
    for (uint8_t reg = 0x10; reg <= 0x15; reg++) {
        for (unsigned bit = 0; bit < 7; bit++) {
            open_all(&codec);
            ak4531_write(&codec, reg, (uint8_t)(codec.reg[reg] & ~(1u << bit)));
            for (unsigned input = 0; input < AK4531_INPUTS; input++) {
                for (unsigned side = 0; side < 2; side++) {
                    bool out = reg == paths[input].output && bit == paths[input].output_bit[side];
                    bool in =
                        reg == paths[input].input[side] && bit == paths[input].input_bit[side];

                    assert_int_equal(ak4531_output_gain(&codec, input, side), out ? 0 : 65536);
                    assert_int_equal(ak4531_record_gain(&codec, input, side), in ? 0 : 65536);
                }
            }
        }
    }
}

static void mutes(void **state)
{
    struct ak4531 codec;

    (void)state;
    for (unsigned input = 0; input < AK4531_INPUTS; input++) {
        open_all(&codec);
        ak4531_write(&codec, paths[input].volume[LEFT], 0x86);
        assert_int_equal(ak4531_output_gain(&codec, input, LEFT), 0);
        assert_int_equal(ak4531_record_gain(&codec, input, LEFT), 0);
        assert_int_equal(ak4531_output_gain(&codec, input, RIGHT),
                         input < AK4531_MONO1 ? 65536 : 0);
        open_all(&codec);
        ak4531_write(&codec, 0x01, 0x80);
        assert_int_equal(ak4531_output_gain(&codec, input, LEFT), 65536);
        assert_int_equal(ak4531_output_gain(&codec, input, RIGHT), 0);
        assert_int_equal(ak4531_record_gain(&codec, input, RIGHT), 65536);
    }
}

static void silent_while_powered_down_or_in_reset(void **state)
{
    struct ak4531 codec;

    (void)state;
    for (uint8_t power = 0; power < 4; power++) {
        open_all(&codec);
        codec.reg[0x16] = power;
        assert_int_equal(ak4531_output_gain(&codec, AK4531_VOICE, LEFT), power == 3 ? 65536 : 0);
        assert_int_equal(ak4531_record_gain(&codec, AK4531_LINE, LEFT), power == 3 ? 65536 : 0);
    }
}

static void microphone_amplifier_and_bypass(void **state)
{
    struct ak4531 codec;

    (void)state;
    open_all(&codec);
    ak4531_write(&codec, 0x19, 0x01);
    assert_int_equal(ak4531_record_gain(&codec, AK4531_MIC, LEFT), from_db(30));
    assert_int_equal(ak4531_output_gain(&codec, AK4531_MIC, RIGHT), from_db(30));
    assert_int_equal(ak4531_record_gain(&codec, AK4531_LINE, LEFT), 65536);
    ak4531_write(&codec, 0x0e, 0x00);
    assert_int_equal(ak4531_record_gain(&codec, AK4531_MIC, LEFT), from_db(42));
    ak4531_write(&codec, 0x0e, 0x80); /* closed but for the way past it */
    ak4531_write(&codec, 0x0c, 0x80);
    ak4531_write(&codec, 0x0d, 0x80);
    ak4531_write(&codec, 0x14, 0xa0);
    ak4531_write(&codec, 0x15, 0x40);
    assert_int_equal(ak4531_record_gain(&codec, AK4531_MIC, LEFT), 65536);
    assert_int_equal(ak4531_record_gain(&codec, AK4531_MIC, RIGHT), 0);
    assert_int_equal(ak4531_record_gain(&codec, AK4531_MONO1, LEFT), 0);
    assert_int_equal(ak4531_record_gain(&codec, AK4531_MONO1, RIGHT), 65536);
    assert_int_equal(ak4531_record_gain(&codec, AK4531_MONO2, LEFT), 65536);
    assert_int_equal(ak4531_record_gain(&codec, AK4531_MONO2, RIGHT), 0);
    assert_int_equal(ak4531_output_gain(&codec, AK4531_MIC, LEFT), 0);
    ak4531_write(&codec, 0x18, 0x01); /* not from the mixer */
    assert_int_equal(ak4531_record_gain(&codec, AK4531_MIC, LEFT), 0);
    assert_int_equal(ak4531_record_gain(&codec, AK4531_LINE, LEFT), 0);
}

/* --- the drivers --- */

#define SILENT (-1000.0)

/* What drivers write, as words (register, value), and the decibels that come of it. */
struct mixer_setup {
    const char *driver;
    uint16_t writes[48]; /* to the first 0xffff */
    double voice, fm;    /* DAC2 and DAC1 to the output */
    double line, mic;    /* to the ADC's left */
    double mic_right;
};

static const struct mixer_setup setups[] = {
    {
        /* Master, PCM and PCM,1 to 0 dB and unmuted (amixer), Line and Mic to be recorded. */
        "Linux, after its user",
        {0x1603, 0x1700, 0x009f, 0x019f, 0x029f, 0x039f, 0x049f, 0x059f, 0x069f, 0x079f, 0x089f,
         0x099f, 0x0a9f, 0x0b9f, 0x0c9f, 0x0d9f, 0x0e9f, 0x0f87, 0x1000, 0x1100, 0x1200, 0x1300,
         0x1400, 0x1500, 0x1800, 0x1901, 0x0000, 0x0100, 0x0206, 0x0306, 0x110c, 0x0406, 0x0506,
         0x1060, 0x0806, 0x0906, 0x1210, 0x1308, 0x0e06, 0x1211, 0x1309, 0xffff},
        0,
        0,
        0,
        30,
        30,
    },
    {
        /* Every volume at 64 of 100. */
        "Linux OSS",
        {0x1603, 0x1700, 0x1800, 0x1901, 0x1254, 0x132a, 0x1400, 0x1500, 0x107e,
         0x110c, 0x000c, 0x010c, 0x020c, 0x030c, 0x040c, 0x050c, 0x060c, 0x070c,
         0x080c, 0x090c, 0x0a0c, 0x0b0c, 0x0c0c, 0x0d0c, 0x0e0c, 0x0f03, 0xffff},
        -36,
        -36,
        -12,
        SILENT,
        SILENT,
    },
    {
        /* Volumes of 75, the microphone's 25, as the recording source: on the left only. */
        "FreeBSD",
        {0x1603, 0x1700, 0x1800, 0x1900, 0x0109, 0x0009, 0x0309, 0x0509, 0x0209, 0x0409, 0x0e19,
         0x1201, 0x1300, 0x1400, 0x1500, 0x107f, 0x113f, 0xffff},
        -24,
        -24,
        SILENT,
        -38,
        SILENT,
    },
    {
        /* What it calls 0 dB is the inputs'; of the master it is -12. */
        "NetBSD, OpenBSD",
        {0x1602, 0x1603, 0x1700, 0x107f, 0x113c, 0x0006, 0x0106, 0x0206,
         0x0306, 0x0406, 0x0506, 0x0606, 0x0706, 0x0806, 0x0906, 0x0a06,
         0x0b06, 0x0e1f, 0x1900, 0x1201, 0x1301, 0x1400, 0x1500, 0xffff},
        -12,
        -12,
        SILENT,
        -50,
        -50,
    },
    {
        /* As loud as it goes; DAC1 is not used. */
        "Haiku",
        {0x1602, 0x1603, 0x1700, 0x0000, 0x0100, 0x0200, 0x0300, 0x1006, 0x110c, 0xffff},
        12,
        SILENT,
        SILENT,
        SILENT,
        SILENT,
    },
    {
        /* Volumes of 75; the microphone at 50, amplified, and once more past the amplifier. */
        "illumos",
        {0x1600, 0x1603, 0x1700, 0x1800, 0x1060, 0x110c, 0x0206, 0x0306, 0x0406, 0x0506, 0x0207,
         0x0307, 0x0407, 0x0507, 0x0007, 0x0107, 0x0f01, 0x1060, 0x110c, 0x1201, 0x1301, 0x1480,
         0x1580, 0x0e0f, 0x0c9f, 0x0a9f, 0x0b9f, 0x069f, 0x079f, 0x1901, 0xffff},
        -16,
        -16,
        SILENT,
        13.949,
        13.949,
    },
    {
        "MINIX",
        {0x1603, 0x1800, 0x0008, 0x0108, 0x0208, 0x0308, 0x0408, 0x0508, 0x0608, 0x0708,
         0x0808, 0x0908, 0x0a08, 0x0b08, 0x0c08, 0x0d08, 0x0e00, 0x0f08, 0x107e, 0x113d,
         0x1201, 0x1301, 0x1400, 0x1500, 0x1603, 0x1700, 0x1800, 0x1901, 0xffff},
        -20,
        -20,
        SILENT,
        42,
        42,
    },
    {
        /* Muted, until its mixer turns up what it will: here all the way. */
        "OSS4",
        {0x1603, 0x1800, 0x0080, 0x0180, 0x0280, 0x0380, 0x0480, 0x0580, 0x0680,
         0x0780, 0x0880, 0x0980, 0x0a80, 0x0b80, 0x0c80, 0x0d80, 0x0e80, 0x0f80,
         0x107f, 0x113d, 0x1255, 0x1326, 0x14f7, 0x15ef, 0x1603, 0x1700, 0x1800,
         0x1901, 0x0000, 0x0100, 0x0200, 0x0300, 0x0400, 0x0500, 0xffff},
        12,
        12,
        SILENT,
        0,
        0,
    },
};

static void assert_db(const char *driver, uint32_t gain, double db)
{
    double is = gain == 0 ? SILENT : 20 * log10(gain / 65536.0);

    if (fabs(is - db) > 0.02) {
        print_error("%s: %.3f dB, not %.3f\n", driver, is, db);
        fail();
    }
}

static void each_driver_is_heard(void **state)
{
    static struct machine m;
    const struct ak4531 *codec = &m.card.codec;

    (void)state;
    for (size_t i = 0; i < sizeof(setups) / sizeof(setups[0]); i++) {
        const struct mixer_setup *s = &setups[i];

        machine_power_on(&m);
        for (size_t j = 0; s->writes[j] != 0xffff; j++) {
            outw(&m, CODEC, s->writes[j]);
        }
        for (unsigned side = 0; side < 2; side++) {
            assert_db(s->driver, ak4531_output_gain(codec, AK4531_VOICE, side), s->voice);
            assert_db(s->driver, ak4531_output_gain(codec, AK4531_FM, side), s->fm);
        }
        assert_db(s->driver, ak4531_record_gain(codec, AK4531_LINE, LEFT), s->line);
        assert_db(s->driver, ak4531_record_gain(codec, AK4531_MIC, LEFT), s->mic);
        assert_db(s->driver, ak4531_record_gain(codec, AK4531_MIC, RIGHT), s->mic_right);
    }
}

/* Linux's, before anybody has turned anything up. */
static void linux_is_silent_at_first(void **state)
{
    static struct machine m;

    (void)state;
    machine_power_on(&m);
    for (size_t i = 0; i < 26; i++) {
        outw(&m, CODEC, setups[0].writes[i]);
    }
    assert_int_equal(ak4531_output_gain(&m.card.codec, AK4531_VOICE, LEFT), 0);
    outw(&m, CODEC, 0x0000);
    outw(&m, CODEC, 0x0206);
    assert_int_equal(ak4531_output_gain(&m.card.codec, AK4531_VOICE, LEFT), 0);
    outw(&m, CODEC, 0x1108); /* and the switch */
    assert_int_equal(ak4531_output_gain(&m.card.codec, AK4531_VOICE, LEFT), 65536);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reset),
        cmocka_unit_test(registers_are_kept),
        cmocka_unit_test(high_index_bits_are_ignored),
        cmocka_unit_test(reset_by_register),
        cmocka_unit_test(written_through_the_card),
        cmocka_unit_test(silent_after_reset),
        cmocka_unit_test(every_step_is_2_db),
        cmocka_unit_test(each_switch_closes_its_path),
        cmocka_unit_test(mutes),
        cmocka_unit_test(silent_while_powered_down_or_in_reset),
        cmocka_unit_test(microphone_amplifier_and_bypass),
        cmocka_unit_test(each_driver_is_heard),
        cmocka_unit_test(linux_is_silent_at_first),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
