/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Frames through time: each in its place and at its moment, in memory and at the host, in every
 * format and at every kind of rate. */
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
    return 0;
}

/* Rates: what is written to CONTROL, and what a frame then lasts. */
static const struct rate {
    enum es1370_channel ch;
    uint32_t control;
    uint32_t ticks;
    uint32_t hz; /* the nearest */
} rates[] = {
    {ES1370_DAC1, WTSRSEL(0), 20480, 5513}, /* 5512.5 */
    {ES1370_DAC1, WTSRSEL(1), 10240, 11025},
    {ES1370_DAC1, WTSRSEL(2), 5120, 22050},
    {ES1370_DAC1, WTSRSEL(3) | PCLKDIV(100), 2560, 44100},
    {ES1370_DAC2, PCLKDIV(30) | WTSRSEL(1), 2560, 44100},
    {ES1370_DAC2, PCLKDIV(27), 2352, 48000}, /* by the formula 48662 */
    {ES1370_DAC2, PCLKDIV(26), 2352, 48000},
    {ES1370_DAC2, PCLKDIV(0), 2352, 48000},
    {ES1370_DAC2, PCLKDIV(28), 2400, 47040},
    {ES1370_DAC2, PCLKDIV(42), 3520, 32073},
    {ES1370_DAC2, PCLKDIV(97), 7920, 14255},
    {ES1370_DAC2, PCLKDIV(254), 20480, 5513},
    {ES1370_DAC2, PCLKDIV(8191), 655440, 172},
    {ES1370_DAC2, DAC_SYNC | WTSRSEL(2) | PCLKDIV(27), 5120, 22050}, /* DAC1's clock */
    {ES1370_DAC1, DAC_SYNC | WTSRSEL(0) | PCLKDIV(27), 20480, 5513},
    {ES1370_ADC, DAC_SYNC | WTSRSEL(2) | PCLKDIV(27), 2352, 48000},
    {ES1370_DAC2, M_SBB | PCLKDIV(30), 2560, 44100},
    {ES1370_ADC, PCLKDIV(30), 2560, 44100},
    {ES1370_ADC, PCLKDIV(27), 2352, 48000},
    {ES1370_ADC, PCLKDIV(174), 14080, 8018},
};
enum { RATES = sizeof(rates) / sizeof(rates[0]) };

static unsigned frame_bytes(unsigned mode)
{
    return (mode & 1 ? 2u : 1u) * (mode & 2 ? 2u : 1u);
}

/* Steps of time of no particular size, the same in each run; now and then none, now and then
 * many frames. */
static uint64_t uneven(uint32_t ticks_per_frame, unsigned i)
{
    static const uint32_t frames256[] = {1, 255, 256, 0, 300, 7, 2560, 257, 65, 25600, 777, 3};

    return (uint64_t)ticks_per_frame * frames256[i % 12] / 256 + (i % 3 == 0);
}

/* What has to hold after ticks in which the channel ran without a pause from the buffer's
 * beginning. */
static void assert_exact(const struct rate *r, unsigned mode, uint64_t ticks, uint32_t buffer,
                         uint32_t period)
{
    uint64_t frames = ticks / r->ticks;
    uint64_t bytes = frames * frame_bytes(mode);
    /* A DAC has fetched the longword it plays from, the ADC has not filled the last. */
    uint64_t longwords = r->ch == ES1370_ADC ? bytes / 4 : (bytes + 3) / 4;

    assert_int_equal(m->stream[r->ch].bytes, bytes);
    assert_int_equal(machine_position(m, r->ch), longwords % (buffer / 4));
    assert_int_equal(inl(m, machine_channels[r->ch].count) >> 16, period - 1 - frames % period);
    assert_int_equal(m->irqs, frames / period);
}

static void begin(const struct rate *r, unsigned mode, uint32_t address, uint32_t buffer,
                  uint32_t period)
{
    machine_power_on(m);
    outl(m, CONTROL, r->control);
    machine_prepare(m, r->ch, address, buffer, mode, period);
    machine_enable(m, r->ch, true);
    assert_true(m->stream[r->ch].running);
    assert_int_equal(m->stream[r->ch].format.rate, r->hz);
    assert_int_equal(m->stream[r->ch].format.channels, mode & 1 ? 2 : 1);
    assert_int_equal(m->stream[r->ch].format.bits, mode & 2 ? 16 : 8);
}

static void acknowledge_all(enum es1370_channel ch)
{
    while (m->irq) {
        machine_acknowledge(m, ch);
    }
}

/* Memory holds what was recorded: the last of it, where the buffer has gone round. */
static bool has_recorded(uint32_t address, uint32_t buffer, size_t bytes)
{
    for (size_t i = 0; i < buffer && i < bytes; i++) {
        size_t pass = (bytes - 1 - i) / buffer;

        if (m->ram[address - MACHINE_RAM + i] != machine_noise(pass * buffer + i)) {
            return false;
        }
    }
    return true;
}

static void every_rate_and_format_is_exact(void **state)
{
    enum { BUFFER = 4 * 293, PERIOD = 67, ADDRESS = MACHINE_RAM + 0x3a4 };

    (void)state;
    for (unsigned i = 0; i < RATES; i++) {
        const struct rate *r = &rates[i];

        for (unsigned mode = 0; mode < 4; mode++) {
            uint64_t ticks = 0;

            begin(r, mode, ADDRESS, BUFFER, PERIOD);
            for (unsigned step = 0; ticks < 3000ull * r->ticks; step++) {
                uint64_t more = uneven(r->ticks, step);

                machine_run(m, more);
                ticks += more;
                acknowledge_all(r->ch);
                assert_exact(r, mode, ticks, BUFFER, PERIOD);
            }
            if (r->ch == ES1370_ADC) {
                assert_true(has_recorded(ADDRESS, BUFFER, m->stream[r->ch].bytes));
            } else {
                assert_true(machine_has_played(m, r->ch, ADDRESS, BUFFER,
                                               ticks / r->ticks * frame_bytes(mode)));
            }
        }
    }
}

/* Capture neither writes beyond the buffer nor beyond what has been recorded. */
static void capture_writes_what_is_recorded_only(void **state)
{
    static uint8_t before[MACHINE_RAM_BYTES];
    const struct rate *r = &rates[17];

    (void)state;
    for (unsigned mode = 0; mode < 4; mode++) {
        begin(r, mode, MACHINE_RAM + 4096, 64, 16);
        memset(m->ram, 0x5a, MACHINE_RAM_BYTES);
        memcpy(before, m->ram, MACHINE_RAM_BYTES);
        for (unsigned frames = 1; frames <= 64 / frame_bytes(mode); frames++) {
            unsigned recorded = frames * frame_bytes(mode);

            machine_run(m, r->ticks);
            assert_memory_equal(m->ram, before, 4096);
            assert_memory_equal(m->ram + 4096 + recorded, before,
                                MACHINE_RAM_BYTES - 4096 - recorded);
            assert_true(has_recorded(MACHINE_RAM + 4096, 64, recorded));
        }
    }
}

/* Buffers from one longword to the largest. */
static void buffer_sizes(void **state)
{
    static const uint32_t buffers[] = {4, 8, 12, 252, 256, 260, 65536, 262144};

    (void)state;
    for (unsigned mode = 0; mode < 4; mode++) {
        for (unsigned i = 0; i < sizeof(buffers) / sizeof(buffers[0]); i++) {
            const struct rate *r = &rates[4];
            uint32_t frames = 2 * buffers[i] / frame_bytes(mode) + 77;

            begin(r, mode, MACHINE_RAM, buffers[i], 0x10000);
            for (uint32_t part = 0; part < frames; part += 997) {
                machine_run(m, (uint64_t)r->ticks * (frames - part < 997 ? frames - part : 997));
            }
            acknowledge_all(r->ch);
            assert_exact(r, mode, (uint64_t)r->ticks * frames, buffers[i], 0x10000);
            assert_true(machine_has_played(m, r->ch, MACHINE_RAM, buffers[i],
                                           (size_t)frames * frame_bytes(mode)));
        }
    }
}

/* The three channels at three rates, each by its own phase, in one stretch of time. */
static void channels_do_not_disturb_each_other(void **state)
{
    uint64_t ticks = 0;

    (void)state;
    outl(m, CONTROL, WTSRSEL(1) | PCLKDIV(37));
    machine_prepare(m, ES1370_DAC1, MACHINE_RAM, 1000, U8_STEREO, 0x10000);
    machine_prepare(m, ES1370_DAC2, MACHINE_RAM + 0x10000, 3000, S16_STEREO, 0x10000);
    machine_prepare(m, ES1370_ADC, MACHINE_RAM + 0x20000, 2000, S16_MONO, 0x10000);
    outl(m, CONTROL, inl(m, CONTROL) | DAC1_EN | DAC2_EN | ADC_EN);
    for (unsigned i = 0; i < 500; i++) {
        uint64_t more = uneven(3120, i);

        machine_run(m, more);
        ticks += more;
    }
    assert_true(machine_has_played(m, ES1370_DAC1, MACHINE_RAM, 1000, ticks / 10240 * 2));
    assert_true(machine_has_played(m, ES1370_DAC2, MACHINE_RAM + 0x10000, 3000, ticks / 3120 * 4));
    assert_int_equal(m->stream[ES1370_ADC].bytes, ticks / 3120 * 2);
    assert_true(has_recorded(MACHINE_RAM + 0x20000, 2000, ticks / 3120 * 2));
}

static void pause_holds_and_goes_on(void **state)
{
    static const unsigned dacs[] = {ES1370_DAC1, ES1370_DAC2};

    (void)state;
    for (unsigned i = 0; i < 2; i++) {
        const struct machine_channel *c = &machine_channels[dacs[i]];
        struct machine_stream *s = &m->stream[dacs[i]];
        uint32_t sctl;

        machine_power_on(m);
        outl(m, CONTROL, WTSRSEL(3) | PCLKDIV(30));
        machine_prepare(m, dacs[i], MACHINE_RAM, 1024, U8_MONO, 300);
        sctl = inl(m, SCTL);
        machine_enable(m, dacs[i], true);
        machine_run(m, 101 * TICKS_44100 + 999);
        outl(m, SCTL, sctl | c->pause);
        assert_false(s->running);
        assert_int_equal(es1370_next_event(&m->card), UINT64_MAX);
        machine_run(m, 100000 * TICKS_44100);
        assert_int_equal(s->bytes, 101);
        assert_int_equal(machine_position(m, dacs[i]), 26);
        assert_int_equal(inw(m, c->count + 2), 299 - 101);
        outl(m, SCTL, sctl);
        assert_true(s->running);
        assert_int_equal(es1370_next_event(&m->card), 199 * TICKS_44100 - 999);
        machine_run(m, TICKS_44100 - 1000);
        assert_int_equal(s->bytes, 101);
        machine_run(m, 1);
        assert_int_equal(s->bytes, 102);
        machine_run(m, 2000 * TICKS_44100);
        assert_true(machine_has_played(m, dacs[i], MACHINE_RAM, 1024, 2102));
    }
}

static void capture_is_held_off_by_adc_stop(void **state)
{
    (void)state;
    outl(m, CONTROL, PCLKDIV(30));
    machine_prepare(m, ES1370_ADC, MACHINE_RAM, 1024, S16_STEREO, 50);
    machine_enable(m, ES1370_ADC, true);
    machine_run(m, 10 * TICKS_44100);
    outl(m, CONTROL, inl(m, CONTROL) | ADC_STOP);
    assert_false(m->stream[ES1370_ADC].running);
    machine_run(m, 1000 * TICKS_44100);
    assert_int_equal(machine_position(m, ES1370_ADC), 10);
    outl(m, CONTROL, inl(m, CONTROL) & ~ADC_STOP);
    machine_run(m, 40 * TICKS_44100);
    assert_int_equal(machine_position(m, ES1370_ADC), 50);
    assert_true(m->irq);
    assert_true(has_recorded(MACHINE_RAM, 1024, 200));
}

/* Disabled in mid-buffer and enabled again without being set up: on from there. */
static void stop_keeps_the_position(void **state)
{
    (void)state;
    outl(m, CONTROL, PCLKDIV(30));
    machine_prepare(m, ES1370_DAC2, MACHINE_RAM, 4096, S16_MONO, 100);
    machine_enable(m, ES1370_DAC2, true);
    machine_run(m, 31 * TICKS_44100 + TICKS_44100 - 1);
    machine_enable(m, ES1370_DAC2, false);
    machine_run(m, 1000 * TICKS_44100);
    assert_int_equal(machine_position(m, ES1370_DAC2), 16);
    machine_enable(m, ES1370_DAC2, true);
    machine_run(m, TICKS_44100 - 1); /* a new start is a new frame */
    assert_int_equal(m->stream[ES1370_DAC2].bytes, 62);
    machine_run(m, 1 + 68 * TICKS_44100);
    assert_true(m->irq);
    assert_true(machine_has_played(m, ES1370_DAC2, MACHINE_RAM, 4096, 200));
}

/* LOOP_SEL: the period's end is the channel's. */
static void stop_mode(void **state)
{
    (void)state;
    for (unsigned ch = 0; ch < ES1370_CHANNELS; ch++) {
        machine_power_on(m);
        outl(m, CONTROL, WTSRSEL(3) | PCLKDIV(30));
        machine_prepare(m, ch, MACHINE_RAM, 4096, S16_STEREO, 50);
        outl(m, SCTL, inl(m, SCTL) | machine_channels[ch].stop);
        machine_enable(m, ch, true);
        machine_run(m, 1000 * TICKS_44100);
        assert_true(m->irq);
        assert_false(m->stream[ch].running);
        assert_int_equal(m->stream[ch].bytes, 200);
        assert_int_equal(machine_position(m, ch), 50);
        assert_int_equal(es1370_next_event(&m->card), UINT64_MAX);
        machine_acknowledge(m, ch);
        assert_false(m->irq);
        machine_run(m, 1000 * TICKS_44100);
        assert_int_equal(m->stream[ch].bytes, 200);
        machine_enable(m, ch, false);
        machine_enable(m, ch, true);
        machine_run(m, 1000 * TICKS_44100);
        assert_int_equal(m->stream[ch].bytes, 400);
        assert_int_equal(m->stream[ch].starts, 2);
        assert_int_equal(m->stream[ch].stops, 2);
    }
}

/* The rate changes with the channel running: the frame at hand begins anew, none is lost. */
static void rate_change_while_running(void **state)
{
    (void)state;
    outl(m, CONTROL, PCLKDIV(8191));
    machine_prepare(m, ES1370_DAC2, MACHINE_RAM, 4096, S16_STEREO, 1000);
    machine_enable(m, ES1370_DAC2, true);
    machine_run(m, 655440 * 3 - 1);
    outl(m, CONTROL, DAC2_EN | PCLKDIV(30));
    assert_int_equal(m->stream[ES1370_DAC2].starts, 2);
    assert_int_equal(m->stream[ES1370_DAC2].format.rate, 44100);
    machine_run(m, 0);
    assert_int_equal(m->stream[ES1370_DAC2].bytes, 8);
    machine_run(m, 10 * TICKS_44100);
    assert_true(machine_has_played(m, ES1370_DAC2, MACHINE_RAM, 4096, 48));
}

/* Two clocks become one, and two again. */
static void both_dacs_from_one_clock(void **state)
{
    (void)state;
    outl(m, CONTROL, WTSRSEL(1) | PCLKDIV(30));
    machine_prepare(m, ES1370_DAC1, MACHINE_RAM, 4096, S16_STEREO, 1000);
    machine_prepare(m, ES1370_DAC2, MACHINE_RAM + 8192, 4096, S16_STEREO, 1000);
    outl(m, CONTROL, inl(m, CONTROL) | DAC_SYNC | DAC1_EN | DAC2_EN);
    assert_int_equal(m->stream[ES1370_DAC2].format.rate, 11025);
    for (unsigned i = 0; i < 500; i++) {
        machine_run(m, uneven(10240, i));
        assert_int_equal(m->stream[ES1370_DAC1].bytes, m->stream[ES1370_DAC2].bytes);
    }
    outl(m, CONTROL, inl(m, CONTROL) | WTSRSEL(3)); /* DAC1's rate is the other's as well */
    assert_int_equal(m->stream[ES1370_DAC2].format.rate, 44100);
    outl(m, CONTROL, (inl(m, CONTROL) & ~DAC_SYNC) ^ PCLKDIV(30 ^ 174));
    assert_int_equal(m->stream[ES1370_DAC1].format.rate, 44100);
    assert_int_equal(m->stream[ES1370_DAC2].format.rate, 8018);
}

/* The bits that say what is to be heard while DAC2 is stopped (its last sample's level, which
 * nobody can) and how its address grows at a loop: stored, and the frames are the same. */
static void bits_without_effect(void **state)
{
    static const uint32_t bits[] = {0x00000040, 0x003f0000, P2_END_INC(1), 0x00070000};

    for (unsigned i = 0; i < sizeof(bits) / sizeof(bits[0]); i++) {
        set_up(state);
        outl(m, CONTROL, PCLKDIV(30));
        machine_prepare(m, ES1370_DAC2, MACHINE_RAM, 1024, S16_STEREO, 100);
        outl(m, SCTL, inl(m, SCTL) | bits[i] | P2_LOOP_SEL);
        assert_int_equal(inl(m, SCTL) & bits[i], bits[i]);
        machine_enable(m, ES1370_DAC2, true);
        machine_run(m, 1000 * TICKS_44100);
        assert_true(machine_has_played(m, ES1370_DAC2, MACHINE_RAM, 1024, 400));
        assert_false(m->stream[ES1370_DAC2].running);
    }
}

/* M_CB: the recording is what an MPEG decoder says, and there is none. */
static void nothing_is_heard_of_an_mpeg_decoder(void **state)
{
    (void)state;
    for (unsigned mode = 0; mode < 4; mode++) {
        set_up(state);
        outl(m, CONTROL, PCLKDIV(30) | M_CB);
        machine_prepare(m, ES1370_ADC, MACHINE_RAM, 4096, mode, 100);
        machine_enable(m, ES1370_ADC, true);
        machine_run(m, 100 * TICKS_44100);
        assert_true(m->irq);
        for (unsigned i = 0; i < 100 * frame_bytes(mode); i++) {
            assert_int_equal(m->ram[i], mode & 2 ? 0 : 0x80);
        }
        outl(m, CONTROL, inl(m, CONTROL) & ~M_CB);
        machine_run(m, TICKS_44100);
        /* The microphone has been there all the time. */
        assert_int_equal(m->ram[100 * frame_bytes(mode)], machine_noise(100 * frame_bytes(mode)));
    }
}

static void format_change_while_running(void **state)
{
    (void)state;
    outl(m, CONTROL, PCLKDIV(30));
    machine_prepare(m, ES1370_DAC2, MACHINE_RAM, 4096, U8_MONO, 1000);
    machine_enable(m, ES1370_DAC2, true);
    machine_run(m, 5 * TICKS_44100);
    outl(m, SCTL, P2_MODE(S16_STEREO));
    assert_int_equal(m->stream[ES1370_DAC2].starts, 2);
    assert_int_equal(m->stream[ES1370_DAC2].format.bits, 16);
    machine_run(m, TICKS_44100);
    assert_int_equal(m->stream[ES1370_DAC2].bytes, 5 + 4);
    /* The rest of a longword that no longer holds whole frames is left out. */
    assert_memory_equal(m->stream[ES1370_DAC2].sound + 5, m->ram + 8, 4);
    assert_int_equal(machine_position(m, ES1370_DAC2), 3);
}

/* Another buffer, or a rewind, in the middle of a longword: the next byte is the new place's. */
static void buffer_change_while_running(void **state)
{
    uint8_t *sound = m->stream[ES1370_DAC2].sound;

    (void)state;
    outl(m, CONTROL, PCLKDIV(30));
    machine_prepare(m, ES1370_DAC2, MACHINE_RAM, 4096, U8_MONO, 1000);
    machine_enable(m, ES1370_DAC2, true);
    machine_run(m, 5 * TICKS_44100);
    outl(m, DAC2_FRAME, MACHINE_RAM + 8192);
    machine_run(m, 5 * TICKS_44100);
    outl(m, DAC2_SIZE, 15);
    machine_run(m, 100 * TICKS_44100);
    assert_int_equal(m->stream[ES1370_DAC2].bytes, 110);
    assert_memory_equal(sound, m->ram, 5);
    assert_memory_equal(sound + 5, m->ram + 8192 + 8, 5);
    assert_memory_equal(sound + 10, m->ram + 8192, 64);
    assert_memory_equal(sound + 74, m->ram + 8192, 36);
}

/* Guest memory is fetched when its frames are due, not ahead of that: what the guest writes until
 * then is heard. */
static void memory_is_read_when_due(void **state)
{
    (void)state;
    outl(m, CONTROL, PCLKDIV(30));
    machine_prepare(m, ES1370_DAC2, MACHINE_RAM, 4096, S16_STEREO, 1000);
    machine_enable(m, ES1370_DAC2, true);
    machine_run(m, 10 * TICKS_44100);
    memset(m->ram + 40, 0xee, 4);
    machine_run(m, TICKS_44100);
    memset(m->ram + 40, 0x11, 4);
    machine_run(m, 9 * TICKS_44100);
    memset(m->ram + 40, 0xee, 4);
    assert_true(machine_has_played(m, ES1370_DAC2, MACHINE_RAM, 4096, 80));
}

static void without_bus_mastering(void **state)
{
    static const uint8_t silence[400];

    (void)state;
    outl(m, CONTROL, PCLKDIV(30));
    machine_prepare(m, ES1370_DAC2, MACHINE_RAM, 4096, S16_STEREO, 100);
    machine_prepare(m, ES1370_ADC, MACHINE_RAM + 4096, 4096, S16_STEREO, 100);
    outl(m, CONTROL, inl(m, CONTROL) | DAC2_EN | ADC_EN);
    pci_config_write(&m->card.pci, PCI_COMMAND, 2, PCI_COMMAND_IO);
    machine_run(m, 100 * TICKS_44100);
    assert_int_equal(m->dma_accesses, 0);
    assert_int_equal(m->stream[ES1370_DAC2].bytes, 400);
    assert_memory_equal(m->stream[ES1370_DAC2].sound, silence, 400);
    assert_int_equal(machine_position(m, ES1370_DAC2), 100);
    assert_int_equal(machine_position(m, ES1370_ADC), 100);
    assert_true(m->irq);
    pci_config_write(&m->card.pci, PCI_COMMAND, 2, PCI_COMMAND_MASTER);
    machine_run(m, TICKS_44100);
    assert_memory_equal(m->stream[ES1370_DAC2].sound + 400, m->ram + 400, 4);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(every_rate_and_format_is_exact, set_up),
        cmocka_unit_test_setup(capture_writes_what_is_recorded_only, set_up),
        cmocka_unit_test_setup(buffer_sizes, set_up),
        cmocka_unit_test_setup(channels_do_not_disturb_each_other, set_up),
        cmocka_unit_test_setup(pause_holds_and_goes_on, set_up),
        cmocka_unit_test_setup(capture_is_held_off_by_adc_stop, set_up),
        cmocka_unit_test_setup(stop_keeps_the_position, set_up),
        cmocka_unit_test_setup(stop_mode, set_up),
        cmocka_unit_test_setup(rate_change_while_running, set_up),
        cmocka_unit_test_setup(both_dacs_from_one_clock, set_up),
        cmocka_unit_test_setup(bits_without_effect, set_up),
        cmocka_unit_test_setup(nothing_is_heard_of_an_mpeg_decoder, set_up),
        cmocka_unit_test_setup(format_change_while_running, set_up),
        cmocka_unit_test_setup(buffer_change_while_running, set_up),
        cmocka_unit_test_setup(memory_is_read_when_due, set_up),
        cmocka_unit_test_setup(without_bus_mastering, set_up),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
