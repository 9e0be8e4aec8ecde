/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The registers one by one: what is stored, what is computed, and that a byte or a word written
 * does what the longword would. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "fakes/es1370_machine.h"

static struct machine machine;
static struct machine *const m = &machine;

static int set_up(void **state)
{
    (void)state;
    machine_power_on(m);
    return 0;
}

static void power_on_values(void **state)
{
    static const uint32_t expected[16] = {
        [CONTROL / 4] = SERR_DIS, [STATUS / 4] = STAT_IDLE, [UART_DATA / 4] = 0x00000200};

    (void)state;
    for (unsigned page = 0; page < 16; page++) {
        outb(m, MEM_PAGE, (uint8_t)page);
        for (unsigned reg = 0; reg < 0x40; reg += 4) {
            assert_int_equal(inl(m, reg), reg == MEM_PAGE ? page : expected[reg / 4]);
        }
    }
}

/* Registers whose bits are all stored, and those that are not: what a longword of ones leaves. */
static void stored_bits(void **state)
{
    static const struct {
        unsigned reg;
        uint32_t stored, read_only;
    } registers[] = {
        {CONTROL, 0xffffffff & ~(DAC1_EN | DAC2_EN | ADC_EN), 0},
        {STATUS, 0, STAT_IDLE},
        {UART_DATA, 0x00ff0000, 0x00000200},
        {MEM_PAGE, 0x0000000f, 0},
        {CODEC, 0, 0},
        {0x14, 0, 0},
        {LEGACY, 0xffffffff, 0},
        {0x1c, 0, 0},
        {SCTL, 0x003fffff, 0},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(registers) / sizeof(registers[0]); i++) {
        outl(m, registers[i].reg, registers[i].stored ? registers[i].stored : 0xffffffff);
        assert_int_equal(inl(m, registers[i].reg), registers[i].stored | registers[i].read_only);
        outl(m, registers[i].reg, registers[i].stored ? 0xffffffff & ~registers[i].stored : 0);
        if (registers[i].reg != CONTROL) { /* which starts the channels */
            assert_int_equal(inl(m, registers[i].reg), registers[i].read_only);
        }
        assert_int_equal(inl(m, STATUS), STAT_IDLE);
    }
}

/* A longword written as four bytes, as two words, or whole is the same. */
static void widths_merge(void **state)
{
    static const struct {
        unsigned page, reg;
        uint32_t value, expected;
    } registers[] = {
        {0x0, CONTROL, 0x9bd2f782, 0x9bd2f782}, /* no channel enabled */
        {0x0, LEGACY, 0x12345678, 0x12345678},        {0x0, SCTL, 0xff2be7ff, 0x002be7ff},
        {0x0, 0x30, 0x89abcdef, 0x89abcdef},          {0xb, 0x3c, 0x89abcdef, 0x89abcdef},
        {0xc, DAC1_FRAME, 0x89abcdef, 0x89abcdec}, /* a longword's address */
        {0xc, DAC1_SIZE, 0x00123456, 0x00123456},     {0xc, DAC2_FRAME, 0x01020304, 0x01020304},
        {0xc, DAC2_SIZE, 0x3fff7fff, 0x3fff7fff},     {0xd, ADC_FRAME, 0xfffffffc, 0xfffffffc},
        {0xd, ADC_SIZE, 0x7ffe7fff, 0x7ffe7fff},      {0xd, PHANTOM_FRAME, 0x89abcdef, 0x89abcdef},
        {0xd, PHANTOM_COUNT, 0xffffffff, 0xffffffff}, {0xf, 0x34, 0x01ff01ff, 0x01ff01ff},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(registers) / sizeof(registers[0]); i++) {
        unsigned reg = registers[i].reg;
        uint32_t value = registers[i].value, expected = registers[i].expected;

        for (unsigned bytes = 1; bytes <= 4; bytes *= 2) {
            machine_power_on(m);
            outb(m, MEM_PAGE, (uint8_t)registers[i].page);
            for (unsigned at = 0; at < 4; at += bytes) {
                es1370_write(&m->card, reg + at, bytes, value >> (8 * at));
            }
            assert_int_equal(inl(m, reg), expected);
            for (unsigned at = 0; at < 4; at++) {
                assert_int_equal(inb(m, reg + at), expected >> (8 * at) & 0xff);
            }
            for (unsigned at = 0; at < 3; at++) {
                assert_int_equal(inw(m, reg + at), expected >> (8 * at) & 0xffff);
            }
        }
    }
}

static void pages_are_separate(void **state)
{
    (void)state;
    for (unsigned page = 0; page < 16; page++) {
        outl(m, MEM_PAGE, page);
        for (unsigned reg = 0x30; reg < 0x40; reg += 4) {
            outl(m, reg, page << 8 | reg << 2);
        }
    }
    for (unsigned page = 0; page < 16; page++) {
        outl(m, MEM_PAGE, 0xfffffff0 | page); /* upper bits as an ES1371 reads them */
        assert_int_equal(inl(m, MEM_PAGE), page);
        for (unsigned reg = 0x30; reg < 0x40; reg += 4) {
            assert_int_equal(inl(m, reg), page << 8 | reg << 2);
        }
    }
}

static void status_is_read_only(void **state)
{
    (void)state;
    outl(m, STATUS, 0xffffffff);
    outb(m, STATUS, 0xff);
    assert_int_equal(inl(m, STATUS), 0x00000060);
    assert_int_equal(inw(m, STATUS), 0x0060);
    assert_int_equal(inb(m, STATUS + 1), 0x00); /* CSTAT, CBUSY, CWRIP: never busy */
}

static void a_disabled_uart_is_at_rest(void **state)
{
    (void)state;
    outb(m, UART_STATUS, 0x03);
    outb(m, UART_STATUS, 0xe0);
    outb(m, UART_DATA, 0xfe);
    assert_int_equal(inb(m, UART_STATUS), 0x02);
    assert_int_equal(inb(m, UART_DATA), 0x00);
    outb(m, UART_RES, 0x01);
    assert_int_equal(inb(m, UART_RES), 0x01);
    assert_int_equal(inl(m, STATUS), STAT_IDLE);
}

/* SAMP_CT while the channel rests: both counts; while it runs: the next period's only. */
static void sample_counter(void **state)
{
    (void)state;
    for (unsigned ch = 0; ch < ES1370_CHANNELS; ch++) {
        unsigned reg = machine_channels[ch].count;

        outl(m, CONTROL, WTSRSEL(3) | PCLKDIV(30));
        outl(m, reg, 0xffff0123); /* the high half is read only */
        assert_int_equal(inl(m, reg), 0x01230123);
        outw(m, reg, 0x0100);
        assert_int_equal(inl(m, reg), 0x01000100);
        outb(m, reg + 1, 0x02);
        assert_int_equal(inl(m, reg), 0x02000200);
        machine_enable(m, ch, true);
        machine_run(m, 5 * TICKS_44100);
        assert_int_equal(inw(m, reg + 2), 0x01fb);
        outw(m, reg, 0x0044);
        assert_int_equal(inl(m, reg), 0x01fb0044);
        outw(m, reg + 2, 0xffff);
        assert_int_equal(inl(m, reg), 0x01fb0044);
        machine_run(m, 0x1fb * TICKS_44100);
        assert_int_equal(inl(m, reg), 0x00000044);
        machine_run(m, TICKS_44100);
        assert_int_equal(inl(m, reg), 0x00440044);
        machine_enable(m, ch, false);
        assert_int_equal(inl(m, reg), 0x00440044);
    }
}

static void forced_reload(void **state)
{
    (void)state;
    outl(m, CONTROL, WTSRSEL(3));
    outl(m, DAC1_COUNT, 99);
    machine_enable(m, ES1370_DAC1, true);
    machine_run(m, 10 * TICKS_44100);
    assert_int_equal(inl(m, DAC1_COUNT), 89 << 16 | 99);
    outb(m, SCTL, P1_SCT_RLD);
    assert_int_equal(inl(m, DAC1_COUNT), 99 << 16 | 99);
}

/* Writing one half of a frame size leaves the other as it is at that moment. */
static void frame_size_by_halves(void **state)
{
    (void)state;
    outl(m, CONTROL, PCLKDIV(30));
    machine_prepare(m, ES1370_DAC2, MACHINE_RAM, 4096, S16_STEREO, 100);
    machine_enable(m, ES1370_DAC2, true);
    machine_run(m, 77 * TICKS_44100);
    outl(m, MEM_PAGE, 0xc);
    assert_int_equal(inl(m, DAC2_SIZE), 77 << 16 | 1023);
    outw(m, DAC2_SIZE, 511);
    assert_int_equal(inl(m, DAC2_SIZE), 77 << 16 | 511);
    outw(m, DAC2_SIZE + 2, 33);
    assert_int_equal(inl(m, DAC2_SIZE), 33 << 16 | 511);
    outl(m, DAC2_SIZE, 1023);
    assert_int_equal(inl(m, DAC2_SIZE), 1023);
}

static void illegal_accesses(void **state)
{
    static const struct {
        unsigned offset, bytes;
    } illegal[] = {{0x01, 4}, {0x03, 2}, {0x3e, 4}, {0x3f, 2}, {0x40, 1}, {0x100, 4},
                   {~0u, 1},  {~3u, 4},  {0x00, 0}, {0x00, 3}, {0x20, 8}, {0x00, ~0u}};

    (void)state;
    for (size_t i = 0; i < sizeof(illegal) / sizeof(illegal[0]); i++) {
        uint32_t before[16];

        for (unsigned reg = 0; reg < 16; reg++) {
            before[reg] = inl(m, 4 * reg);
        }
        assert_int_equal(es1370_read(&m->card, illegal[i].offset, illegal[i].bytes), UINT32_MAX);
        es1370_write(&m->card, illegal[i].offset, illegal[i].bytes, 0x0f0f0f8f);
        for (unsigned reg = 0; reg < 16; reg++) {
            assert_int_equal(inl(m, 4 * reg), before[reg]);
        }
    }
}

static void reset(void **state)
{
    (void)state;
    outl(m, CONTROL, PCLKDIV(30) | WTSRSEL(3) | CDC_EN);
    for (unsigned ch = 0; ch < ES1370_CHANNELS; ch++) {
        machine_prepare(m, ch, MACHINE_RAM + ch * 4096, 4096, S16_STEREO, 10);
        machine_enable(m, ch, true);
    }
    for (unsigned page = 0; page < 16; page++) {
        outl(m, MEM_PAGE, page);
        outl(m, 0x38, 0x1234);
    }
    outl(m, LEGACY, 0xff);
    outb(m, UART_RES, 1);
    outw(m, CODEC, 0x0011);
    machine_run(m, 25 * TICKS_44100);
    assert_true(m->irq);

    es1370_reset(&m->card);
    assert_false(m->irq);
    for (unsigned ch = 0; ch < ES1370_CHANNELS; ch++) {
        assert_false(m->stream[ch].running);
    }
    assert_int_equal(m->mixer_changes, 2);
    assert_int_equal(m->card.codec.reg[0], 0x00);
    assert_int_equal(pci_command(&m->card.pci), 0);
    assert_int_equal(inl(m, MEM_PAGE), 0);
    power_on_values(state);
    machine_run(m, 1000 * TICKS_44100);
    assert_int_equal(m->stream[ES1370_DAC2].bytes, 100);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(power_on_values, set_up),
        cmocka_unit_test_setup(stored_bits, set_up),
        cmocka_unit_test_setup(widths_merge, set_up),
        cmocka_unit_test_setup(pages_are_separate, set_up),
        cmocka_unit_test_setup(status_is_read_only, set_up),
        cmocka_unit_test_setup(a_disabled_uart_is_at_rest, set_up),
        cmocka_unit_test_setup(sample_counter, set_up),
        cmocka_unit_test_setup(forced_reload, set_up),
        cmocka_unit_test_setup(frame_size_by_halves, set_up),
        cmocka_unit_test_setup(illegal_accesses, set_up),
        cmocka_unit_test_setup(reset, set_up),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
