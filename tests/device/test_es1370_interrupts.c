/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Interrupts: at their tick, once for each period, until acknowledged; and what the host is told
 * of a channel's life. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "fakes/es1370_machine.h"

static struct machine machine;
static struct machine *const m = &machine;

enum { PERIOD = 100 };
#define PERIOD_TICKS ((uint64_t)PERIOD * TICKS_44100)

static int set_up(void **state)
{
    (void)state;
    machine_power_on(m);
    outl(m, CONTROL, WTSRSEL(3) | PCLKDIV(30));
    return 0;
}

static void start(enum es1370_channel ch)
{
    machine_prepare(m, ch, MACHINE_RAM + ch * 65536, 4 * PERIOD * 4, S16_STEREO, PERIOD);
    machine_enable(m, ch, true);
}

/* Acknowledges until the line is down, and says how often that was. */
static unsigned acknowledgements(enum es1370_channel ch)
{
    unsigned n = 0;

    for (; m->irq && n < 100; n++) {
        machine_acknowledge(m, ch);
    }
    return n;
}

static void at_the_tick_that_was_announced(void **state)
{
    (void)state;
    for (unsigned ch = 0; ch < ES1370_CHANNELS; ch++) {
        set_up(state);
        start(ch);
        for (unsigned period = 1; period <= 10; period++) {
            uint64_t event = es1370_next_event(&m->card);

            assert_int_equal(event, PERIOD_TICKS);
            machine_run(m, event / 3);
            event -= event / 3;
            assert_int_equal(es1370_next_event(&m->card), event);
            machine_run(m, event - 1);
            assert_false(m->irq);
            assert_int_equal(es1370_next_event(&m->card), 1);
            machine_run(m, 1);
            assert_true(m->irq);
            assert_int_equal(inl(m, STATUS), STAT_INTR | STAT_IDLE | machine_channels[ch].status);
            assert_int_equal(machine_position(m, ch), period % 4 * PERIOD);
            assert_int_equal(es1370_next_event(&m->card), UINT64_MAX);
            machine_acknowledge(m, ch);
            assert_false(m->irq);
            assert_int_equal(inl(m, STATUS), STAT_IDLE);
        }
        assert_int_equal(m->irqs, 10);
    }
}

static void the_next_of_several_channels(void **state)
{
    (void)state;
    outl(m, CONTROL, WTSRSEL(2) | PCLKDIV(62)); /* 22050, 22050 */
    start(ES1370_DAC1);
    machine_run(m, 10 * 5120 + 7);
    start(ES1370_DAC2);
    assert_int_equal(es1370_next_event(&m->card), 90 * 5120 - 7);
    machine_run(m, 90 * 5120 - 7);
    assert_int_equal(inl(m, STATUS), STAT_INTR | STAT_IDLE | STAT_DAC1);
    assert_int_equal(es1370_next_event(&m->card), 10 * 5120 + 7);
    machine_run(m, 10 * 5120 + 7);
    assert_int_equal(inl(m, STATUS), STAT_INTR | STAT_IDLE | STAT_DAC1 | STAT_DAC2);
    machine_acknowledge(m, ES1370_DAC1);
    assert_true(m->irq); /* the other's */
    assert_int_equal(inl(m, STATUS), STAT_INTR | STAT_IDLE | STAT_DAC2);
    machine_acknowledge(m, ES1370_DAC2);
    assert_false(m->irq);
    assert_int_equal(m->irqs, 1); /* one level */
}

static void only_clearing_int_en_acknowledges(void **state)
{
    (void)state;
    start(ES1370_DAC2);
    machine_run(m, PERIOD_TICKS);
    outl(m, STATUS, 0xffffffff);
    outl(m, SCTL, inl(m, SCTL)); /* as it is */
    outl(m, CONTROL, inl(m, CONTROL) & ~DAC2_EN);
    machine_run(m, PERIOD_TICKS);
    assert_true(m->irq);
    outl(m, SCTL, inl(m, SCTL) & ~(P1_INT_EN | R1_INT_EN));
    assert_true(m->irq);
    outb(m, SCTL + 1, 0); /* by its byte alone */
    assert_false(m->irq);
    outb(m, SCTL + 1, P2_INT_EN >> 8);
    assert_false(m->irq);
}

static void none_while_disabled_and_none_by_enabling(void **state)
{
    (void)state;
    outl(m, SCTL, P1_INT_EN | P2_INT_EN | R1_INT_EN);
    assert_false(m->irq);
    start(ES1370_DAC2);
    outl(m, SCTL, inl(m, SCTL) & ~P2_INT_EN);
    assert_int_equal(es1370_next_event(&m->card), UINT64_MAX);
    machine_run(m, 10 * PERIOD_TICKS + 5);
    outl(m, SCTL, inl(m, SCTL) | P2_INT_EN);
    assert_false(m->irq);
    assert_int_equal(es1370_next_event(&m->card), PERIOD_TICKS - 5);
    machine_run(m, PERIOD_TICKS - 5);
    assert_true(m->irq);
    assert_int_equal(acknowledgements(ES1370_DAC2), 1);
}

static void a_late_guest_gets_all(void **state)
{
    (void)state;
    for (unsigned ch = 0; ch < ES1370_CHANNELS; ch++) {
        unsigned served = 0;

        set_up(state);
        start(ch);
        for (unsigned periods = 1; periods <= 33; periods++) {
            machine_run(m, periods * PERIOD_TICKS);
            assert_int_equal(acknowledgements(ch), periods);
            served += periods;
        }
        assert_int_equal(m->stream[ch].bytes, 4 * PERIOD * served);
        machine_run(m, PERIOD_TICKS - 1);
        assert_false(m->irq);
    }
}

static void what_is_owed_is_bounded(void **state)
{
    (void)state;
    start(ES1370_DAC2);
    machine_run(m, 1000 * PERIOD_TICKS);
    assert_int_equal(m->card.channel[ES1370_DAC2].late, 999);
    assert_int_equal(m->card.channel[ES1370_DAC2].merged, 999 - 32);
    assert_int_equal(acknowledgements(ES1370_DAC2), 33);
    machine_run(m, PERIOD_TICKS);
    assert_int_equal(acknowledgements(ES1370_DAC2), 1);
}

/* Drivers that begin anew are not told of the past. */
static void what_is_owed_is_forgotten_with_its_stream(void **state)
{
    enum { STOP, COUNT, SIZE, CASES };

    (void)state;
    for (unsigned i = 0; i < CASES; i++) {
        set_up(state);
        start(ES1370_DAC2);
        machine_run(m, 5 * PERIOD_TICKS);
        switch (i) {
        case STOP:
            machine_enable(m, ES1370_DAC2, false);
            break;
        case COUNT:
            outl(m, DAC2_COUNT, PERIOD - 1);
            break;
        case SIZE:
            outl(m, DAC2_SIZE, 4 * PERIOD - 1);
            break;
        }
        assert_true(m->irq); /* what is signalled stays so */
        assert_int_equal(acknowledgements(ES1370_DAC2), 1);
    }
}

/* A period that ends between the two writes of an acknowledgement. */
static void none_is_lost_in_an_acknowledgement(void **state)
{
    uint32_t sctl;

    (void)state;
    start(ES1370_DAC2);
    sctl = inl(m, SCTL);
    machine_run(m, 2 * PERIOD_TICKS - 1);
    assert_true(m->irq);
    outl(m, SCTL, sctl & ~P2_INT_EN);
    machine_run(m, 1);
    assert_false(m->irq);
    outl(m, SCTL, sctl);
    assert_true(m->irq);
    assert_int_equal(acknowledgements(ES1370_DAC2), 1);
}

/* But a guest that has turned interrupts off at one does not find a heap of them later. */
static void turned_off_is_not_acknowledged(void **state)
{
    uint32_t sctl;

    (void)state;
    start(ES1370_DAC2);
    sctl = inl(m, SCTL);
    machine_run(m, 20 * PERIOD_TICKS);
    outl(m, SCTL, sctl & ~P2_INT_EN);
    machine_run(m, 20 * PERIOD_TICKS);
    outl(m, SCTL, sctl);
    assert_false(m->irq);
}

/* Nor does one that begins anew without interrupts (FreeBSD when it is told to poll). */
static void a_new_start_is_not_acknowledged(void **state)
{
    uint32_t sctl;

    (void)state;
    start(ES1370_DAC2);
    sctl = inl(m, SCTL);
    machine_run(m, PERIOD_TICKS);
    machine_enable(m, ES1370_DAC2, false);
    outl(m, SCTL, sctl & ~P2_INT_EN);
    machine_enable(m, ES1370_DAC2, true);
    machine_run(m, PERIOD_TICKS);
    outl(m, SCTL, sctl);
    assert_false(m->irq);
}

static void interrupt_each_frame(void **state)
{
    (void)state;
    machine_prepare(m, ES1370_DAC2, MACHINE_RAM, 4096, S16_STEREO, 1);
    machine_enable(m, ES1370_DAC2, true);
    for (unsigned frames = 1; frames <= 50; frames++) {
        assert_int_equal(es1370_next_event(&m->card), TICKS_44100);
        machine_run(m, TICKS_44100);
        assert_int_equal(acknowledgements(ES1370_DAC2), 1);
        assert_int_equal(machine_position(m, ES1370_DAC2), frames);
    }
}

static void assert_format(const struct pcm_format *f, uint32_t rate, unsigned channels,
                          unsigned bits)
{
    assert_int_equal(f->rate, rate);
    assert_int_equal(f->channels, channels);
    assert_int_equal(f->bits, bits);
}

/* The host hears of a stream ahead of its start, with the format it starts with. */
static void host_is_prepared(void **state)
{
    struct machine_stream *s = &m->stream[ES1370_DAC2];

    (void)state;
    outl(m, SCTL, P2_MODE(S16_STEREO));
    outl(m, CONTROL, PCLKDIV(174));
    assert_int_equal(s->prepares, 0); /* nothing says yet that anybody will play */
    outl(m, DAC2_COUNT, 440);
    assert_int_equal(s->prepares, 1);
    assert_format(&s->prepared, 8018, 2, 16);
    outl(m, CONTROL, PCLKDIV(30));
    assert_int_equal(s->prepares, 2);
    assert_format(&s->prepared, 44100, 2, 16);
    outl(m, SCTL, P2_MODE(U8_MONO));
    assert_int_equal(s->prepares, 3);
    assert_format(&s->prepared, 44100, 1, 8);
    outl(m, CONTROL, PCLKDIV(30) | CDC_EN);
    outl(m, SCTL, P2_MODE(U8_MONO) | P2_INT_EN);
    assert_int_equal(s->prepares, 3);
    assert_int_equal(s->starts, 0);

    machine_enable(m, ES1370_DAC2, true);
    assert_int_equal(s->starts, 1);
    assert_format(&s->format, 44100, 1, 8);
    machine_enable(m, ES1370_DAC2, false);
    assert_int_equal(s->stops, 1);
    outl(m, CONTROL, PCLKDIV(174)); /* for somebody else */
    outl(m, CONTROL, PCLKDIV(30));
    assert_int_equal(s->prepares, 3);
    outl(m, DAC2_COUNT, 440); /* once more the same */
    assert_int_equal(s->prepares, 4);
    assert_format(&s->prepared, 44100, 1, 8);
    assert_int_equal(m->stream[ES1370_DAC1].prepares, 0);
}

static void host_is_told_of_the_rate_of_both(void **state)
{
    (void)state;
    start(ES1370_DAC1);
    start(ES1370_DAC2);
    start(ES1370_ADC);
    outl(m, CONTROL, inl(m, CONTROL) ^ PCLKDIV(30 ^ 62));
    assert_int_equal(m->stream[ES1370_DAC1].starts, 1);
    assert_int_equal(m->stream[ES1370_DAC2].starts, 2);
    assert_int_equal(m->stream[ES1370_ADC].starts, 2);
    assert_format(&m->stream[ES1370_ADC].format, 22050, 2, 16);
    outl(m, CONTROL, inl(m, CONTROL) ^ WTSRSEL(3 ^ 0));
    assert_int_equal(m->stream[ES1370_DAC1].starts, 2);
    assert_format(&m->stream[ES1370_DAC1].format, 5513, 2, 16);
    assert_int_equal(m->stream[ES1370_DAC2].starts, 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(at_the_tick_that_was_announced, set_up),
        cmocka_unit_test_setup(the_next_of_several_channels, set_up),
        cmocka_unit_test_setup(only_clearing_int_en_acknowledges, set_up),
        cmocka_unit_test_setup(none_while_disabled_and_none_by_enabling, set_up),
        cmocka_unit_test_setup(a_late_guest_gets_all, set_up),
        cmocka_unit_test_setup(what_is_owed_is_bounded, set_up),
        cmocka_unit_test_setup(what_is_owed_is_forgotten_with_its_stream, set_up),
        cmocka_unit_test_setup(none_is_lost_in_an_acknowledgement, set_up),
        cmocka_unit_test_setup(turned_off_is_not_acknowledged, set_up),
        cmocka_unit_test_setup(a_new_start_is_not_acknowledged, set_up),
        cmocka_unit_test_setup(interrupt_each_frame, set_up),
        cmocka_unit_test_setup(host_is_prepared, set_up),
        cmocka_unit_test_setup(host_is_told_of_the_rate_of_both, set_up),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
