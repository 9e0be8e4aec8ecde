/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Guests that mean harm, or know no better. What must hold in any case is checked by the machine
 * (fakes/es1370_machine.c) after each stretch of time and in each of the card's calls. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "fakes/es1370_machine.h"

static struct machine machine;
static struct machine *const m = &machine;

static int set_up(void **state)
{
    (void)state;
    machine_power_on(m);
    outl(m, CONTROL, WTSRSEL(3) | PCLKDIV(30));
    return 0;
}

/* CVE-2020-13361 in QEMU: more has moved than there is. */
static void count_above_size(void **state)
{
    static const uint32_t sizes[] = {0x00010000, 0xffff0000, 0xffff0010, 0x00110010, 0xfffffffe};

    for (unsigned i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        for (unsigned ch = 0; ch < ES1370_CHANNELS; ch++) {
            for (unsigned running = 0; running < 2; running++) {
                set_up(state);
                machine_prepare(m, ch, MACHINE_RAM, 4096, S16_STEREO, 64);
                machine_enable(m, ch, running);
                machine_run(m, 100 * TICKS_44100);
                outl(m, machine_channels[ch].size, sizes[i]);
                machine_enable(m, ch, true);
                machine_run(m, 1000 * TICKS_44100);
                assert_true(machine_position(m, ch) <= (sizes[i] & 0xffff));
            }
        }
    }
}

static void no_memory_there(void **state)
{
    static const uint32_t addresses[] = {0x00000000, 0x000a0000, MACHINE_RAM + MACHINE_RAM_BYTES,
                                         0xfee00000, 0xfffff000, 0xfffffffc};
    static const uint8_t zeros[4096];

    (void)state;
    for (unsigned i = 0; i < sizeof(addresses) / sizeof(addresses[0]); i++) {
        set_up(state);
        machine_prepare(m, ES1370_DAC2, addresses[i], 65536, S16_STEREO, 64);
        machine_prepare(m, ES1370_ADC, addresses[i], 65536, S16_STEREO, 64);
        outl(m, CONTROL, inl(m, CONTROL) | DAC2_EN | ADC_EN);
        machine_run(m, 1024 * TICKS_44100);
        assert_int_equal(m->stream[ES1370_DAC2].bytes, 4096);
        assert_memory_equal(m->stream[ES1370_DAC2].sound, zeros, 4096);
        assert_int_equal(machine_position(m, ES1370_DAC2), 1024);
        assert_int_equal(machine_position(m, ES1370_ADC), 1024);
        assert_true(m->irq);
    }
}

/* Zero is a loud place for unsigned samples: their silence is the middle. */
static void no_memory_there_for_8_bit_samples(void **state)
{
    (void)state;
    machine_prepare(m, ES1370_DAC2, 0x000a0000, 65536, U8_MONO, 64);
    machine_enable(m, ES1370_DAC2, true);
    machine_run(m, 512 * TICKS_44100);
    assert_int_equal(m->stream[ES1370_DAC2].bytes, 512);
    for (unsigned i = 0; i < 512; i++) {
        assert_int_equal(m->stream[ES1370_DAC2].sound[i], 0x80);
    }
}

/* The end of memory inside a buffer: what there is, is heard. */
static void buffer_half_in_memory(void **state)
{
    static const uint8_t zeros[1024];
    uint8_t *sound = m->stream[ES1370_DAC2].sound;

    (void)state;
    machine_prepare(m, ES1370_DAC2, MACHINE_RAM + MACHINE_RAM_BYTES - 1024, 2048, S16_STEREO, 512);
    machine_enable(m, ES1370_DAC2, true);
    machine_run(m, 512 * TICKS_44100);
    assert_memory_equal(sound, m->ram + MACHINE_RAM_BYTES - 1024, 1024);
    assert_memory_equal(sound + 1024, zeros, 1024);
}

/* Addresses have 32 bits: after the last comes 0. */
static void buffer_past_4_gib(void **state)
{
    (void)state;
    for (unsigned mode = 0; mode < 4; mode++) {
        set_up(state);
        m->ram_base = 0xfffff000;
        machine_prepare(m, ES1370_DAC2, 0xffffff04, 1024, mode, 512);
        machine_prepare(m, ES1370_ADC, 0xffffff04 + 8192, 1024, mode, 512);
        outl(m, CONTROL, inl(m, CONTROL) | DAC2_EN | ADC_EN);
        for (unsigned i = 0; i < 100; i++) {
            machine_run(m, 37 * TICKS_44100);
        }
        assert_true(
            machine_has_played(m, ES1370_DAC2, 0xffffff04, 1024, m->stream[ES1370_DAC2].bytes));
    }
}

/* The shortest buffer, the shortest period, the longest frames and the shortest. */
static void extremes(void **state)
{
    static const uint32_t dividers[] = {0, 1, 27, 8191};

    (void)state;
    for (unsigned i = 0; i < 4; i++) {
        for (unsigned mode = 0; mode < 4; mode++) {
            set_up(state);
            outl(m, CONTROL, PCLKDIV(dividers[i]));
            for (unsigned ch = 0; ch < ES1370_CHANNELS; ch++) {
                machine_prepare(m, ch, MACHINE_RAM, 4, mode, 1);
                machine_enable(m, ch, true);
            }
            machine_run(m, ES1370_HZ / 100);
            assert_true(m->stream[ES1370_DAC2].bytes > 0);
            assert_int_equal(machine_position(m, ES1370_DAC2), 0);
        }
    }
    assert_true(m->stream[ES1370_DAC1].bytes <= 48000 / 100 * 4);
}

static uint32_t random_state;

static uint32_t random32(void)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 17;
    random_state ^= random_state << 5;
    return random_state;
}

/* A value that a driver might write somewhere, or none would. */
static uint32_t random_value(void)
{
    static const uint32_t interesting[] = {
        0,          1,          3,          0xc,        0xd,        0x3ff,
        0xffff,     0x10000,    0x7fffffff, ~0u,        0xfffffffc, MACHINE_RAM,
        0x00ff0000, 0x401b3033, 0x001e3062, 0x00100f0f, 0x07ff,
    };

    switch (random32() % 4) {
    case 0:
        return random32();
    case 1:
        return random32() & 0xffff;
    default:
        return interesting[random32() % (sizeof(interesting) / sizeof(interesting[0]))];
    }
}

static void random_access(void)
{
    unsigned offset = random32() % 68, bytes = 1u << random32() % 3;

    if (random32() % 4) {
        offset &= ~3u;
    }
    if (random32() % 3) {
        es1370_write(&m->card, offset, bytes, random_value());
    } else {
        es1370_read(&m->card, offset, bytes);
    }
}

static void random_config_access(void)
{
    unsigned offset = random32() % 4 ? PCI_COMMAND : random32() % 260;

    pci_config_write(&m->card.pci, offset, 1u << random32() % 3,
                     random32() % 4 ? PCI_COMMAND_MASTER : random_value());
}

/* The next interrupt comes when the card says so, whatever state it has been brought to. */
static void check_next_event(void)
{
    uint64_t event = es1370_next_event(&m->card);

    if (!m->irq && event < ES1370_HZ / 50) {
        assert_true(event > 0);
        machine_run(m, event - 1);
        assert_false(m->irq);
        machine_run(m, 1);
        assert_true(m->irq);
    }
}

static void hammering(void **state)
{
    unsigned irqs = 0;

    (void)state;
    random_state = 0x13371370;
    for (unsigned i = 0; i < 200000; i++) {
        switch (random32() % 16) {
        case 0:
        case 1:
            machine_run(m, random32() % (1u << random32() % 21));
            break;
        case 2:
            check_next_event();
            break;
        case 3:
            random_config_access();
            break;
        case 4:
            machine_acknowledge(m, random32() % ES1370_CHANNELS);
            break;
        case 5:
            if (random32() % 256 == 0) {
                es1370_reset(&m->card);
                pci_config_write(&m->card.pci, PCI_COMMAND, 2, PCI_COMMAND_MASTER);
            }
            break;
        default:
            random_access();
        }
    }
    irqs = m->irqs;
    assert_true(irqs > 100);
    for (unsigned ch = 0; ch < ES1370_CHANNELS; ch++) {
        assert_true(m->stream[ch].starts > 100);
        assert_true(m->stream[ch].bytes > 10000);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(count_above_size, set_up),
        cmocka_unit_test_setup(no_memory_there, set_up),
        cmocka_unit_test_setup(no_memory_there_for_8_bit_samples, set_up),
        cmocka_unit_test_setup(buffer_half_in_memory, set_up),
        cmocka_unit_test_setup(buffer_past_4_gib, set_up),
        cmocka_unit_test_setup(extremes, set_up),
        cmocka_unit_test_setup(hammering, set_up),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
