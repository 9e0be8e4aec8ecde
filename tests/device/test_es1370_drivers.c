/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What guests' own drivers do to the card, access by access, and what each of
 * them needs to come of it. Register transcripts, after the sources of Linux
 * (sound/pci/ens1370.c), FreeBSD (es137x.c), NetBSD (eap.c), Haiku, illumos
 * (audiopci), MINIX 3, AROS (sb128), Linux OSS (es1370.c) and OSS4
 * (oss_audiopci.c). Of Windows's driver nothing is public.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "fakes/es1370_machine.h"

static struct machine machine;
static struct machine *const m = &machine;

enum {
    SCRATCH = MACHINE_RAM,
    BUFFER1 = MACHINE_RAM + 0x10000,
    BUFFER2 = MACHINE_RAM + 0x40000,
    BUFFER3 = MACHINE_RAM + 0x80000,
};

static int set_up(void **state)
{
    (void)state;
    machine_power_on(m);
    return 0;
}

/* A transcript: writes, reads with what they have to return, time, and the interrupt's level. */
enum op { OUTB, OUTW, OUTL, INB, INW, INL, WAIT, IRQ };

struct step {
    enum op op;
    unsigned reg;
    uint32_t value; /* WAIT: ticks; IRQ: 0 or 1 */
};

/* clang-format off */
#define WAIT_44100(frames) {WAIT, 0, (frames) * TICKS_44100}
#define WAIT_48000(frames) {WAIT, 0, (frames) * TICKS_48000}
#define EXPECT_IRQ(level)  {IRQ, 0, level}
/* clang-format on */

static void expect(const char *file, int line, size_t step, uint32_t is, uint32_t value)
{
    if (is != value) {
        print_error("step %zu: 0x%08x, not 0x%08x\n", step, (unsigned)is, (unsigned)value);
        _fail(file, line);
    }
}

static void play(const char *file, int line, const struct step *steps, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const struct step *s = &steps[i];

        switch (s->op) {
        case OUTB:
            outb(m, s->reg, (uint8_t)s->value);
            break;
        case OUTW:
            outw(m, s->reg, (uint16_t)s->value);
            break;
        case OUTL:
            outl(m, s->reg, s->value);
            break;
        case INB:
            expect(file, line, i, inb(m, s->reg), s->value);
            break;
        case INW:
            expect(file, line, i, inw(m, s->reg), s->value);
            break;
        case INL:
            expect(file, line, i, inl(m, s->reg), s->value);
            break;
        case WAIT:
            machine_run(m, s->value);
            break;
        case IRQ:
            expect(file, line, i, m->irq, s->value);
            break;
        }
    }
}

#define PLAY(steps) play(__FILE__, __LINE__, steps, sizeof(steps) / sizeof((steps)[0]))

/* --- Linux, snd-ens1370 --- */

static const struct step linux_load[] = {
    {OUTL, CONTROL, CDC_EN | PCLKDIV(174)}, /* 8000 Hz */
    {OUTL, SCTL, 0},
    {OUTL, MEM_PAGE, 0xd},
    {OUTL, PHANTOM_FRAME, SCRATCH},
    {OUTL, PHANTOM_COUNT, 0},
    {OUTB, UART_STATUS, 0},
    {OUTB, UART_RES, 0},
    {OUTL, STATUS, 0},
    /* the codec: reset, then run */
    {INL, STATUS, STAT_IDLE},
    {OUTW, CODEC, 0x1602},
    {INW, CODEC, 0},
    {INL, STATUS, STAT_IDLE},
    {OUTW, CODEC, 0x1603},
    {INW, CODEC, 0},
    {INL, STATUS, STAT_IDLE},
    {OUTW, CODEC, 0x1603},
    {INL, STATUS, STAT_IDLE},
    {OUTW, CODEC, 0x1700},
    EXPECT_IRQ(0),
};

/* Its mixer at load: everything muted and as low as it goes. */
static void linux_mixer_init(void)
{
    for (unsigned reg = 0; reg <= 0x19; reg++) {
        unsigned value = reg < 0x0f ? 0x9f : reg == 0x0f ? 0x87 : reg == 0x19 ? 0x01 : 0x00;

        if (reg == 0x16 || reg == 0x17) {
            continue;
        }
        assert_int_equal(inl(m, STATUS) & 0x700, 0); /* CSTAT, CBUSY, CWRIP */
        outw(m, CODEC, (uint16_t)(reg << 8 | value));
    }
}

static void linux_loads(void **state)
{
    (void)state;
    PLAY(linux_load);
    linux_mixer_init();
    assert_int_equal(m->card.codec.reg[0x00], 0x9f);
    assert_int_equal(m->card.codec.reg[0x0e], 0x9f);
    assert_int_equal(m->card.codec.reg[0x0f], 0x87);
    assert_int_equal(m->card.codec.reg[0x16], 0x03);
    assert_int_equal(m->card.codec.reg[0x17], 0x00);
    assert_int_equal(m->card.codec.reg[0x19], 0x01);
    outw(m, CODEC, 0x0200); /* somebody turns PCM up */
    assert_int_equal(m->card.codec.reg[0x02], 0x00);
    for (unsigned ch = 0; ch < ES1370_CHANNELS; ch++) {
        assert_int_equal(m->stream[ch].prepares + m->stream[ch].starts, 0);
    }
}

#define LINUX_SCTL2 (P2_INT_EN | P2_MODE(S16_STEREO) | P2_END_INC(2))

/* S16 stereo at 44100 Hz, four periods of 1024 frames, on DAC2. */
static const struct step linux_prepare_dac2[] = {
    {OUTL, CONTROL, CDC_EN | PCLKDIV(174)},
    {OUTL, MEM_PAGE, 0xc},
    {OUTL, DAC2_FRAME, BUFFER2},
    {OUTL, DAC2_SIZE, 4095},
    {OUTL, SCTL, LINUX_SCTL2},
    {OUTL, DAC2_COUNT, 1023},
    {OUTL, CONTROL, CDC_EN | PCLKDIV(30)},
};

static const struct step linux_play_dac2[] = {
    {OUTL, CONTROL, CDC_EN | PCLKDIV(30) | DAC2_EN}, /* trigger */
    /* pointer */
    {INL, CONTROL, CDC_EN | PCLKDIV(30) | DAC2_EN},
    {OUTL, MEM_PAGE, 0xc},
    {INL, DAC2_SIZE, 0 << 16 | 4095},
    WAIT_44100(1000),
    {INL, DAC2_SIZE, 1000 << 16 | 4095},
    EXPECT_IRQ(0),
    WAIT_44100(24),
    EXPECT_IRQ(1),
    /* interrupt */
    {INL, STATUS, STAT_INTR | STAT_IDLE | STAT_DAC2},
    {OUTL, SCTL, LINUX_SCTL2 & ~P2_INT_EN},
    {OUTL, SCTL, LINUX_SCTL2},
    {INL, CONTROL, CDC_EN | PCLKDIV(30) | DAC2_EN},
    {OUTL, MEM_PAGE, 0xc},
    {INL, DAC2_SIZE, 1024 << 16 | 4095},
    EXPECT_IRQ(0),
    {INL, STATUS, STAT_IDLE}, /* what it would read for a neighbour on the line */
    WAIT_44100(500),
    /* pause, and on */
    {OUTL, SCTL, LINUX_SCTL2 | P2_PAUSE},
    WAIT_44100(10000),
    {INL, DAC2_SIZE, 1524 << 16 | 4095},
    EXPECT_IRQ(0),
    {OUTL, SCTL, LINUX_SCTL2},
    WAIT_44100(523),
    EXPECT_IRQ(0),
    WAIT_44100(1),
    EXPECT_IRQ(1),
    {INL, DAC2_SIZE, 2048 << 16 | 4095},
    {OUTL, SCTL, LINUX_SCTL2 & ~P2_INT_EN},
    {OUTL, SCTL, LINUX_SCTL2},
    /* over the buffer's end */
    WAIT_44100(1024),
    {OUTL, SCTL, LINUX_SCTL2 & ~P2_INT_EN},
    {OUTL, SCTL, LINUX_SCTL2},
    WAIT_44100(1023),
    {INL, DAC2_SIZE, 4095u << 16 | 4095},
    WAIT_44100(1),
    {INL, DAC2_SIZE, 0 << 16 | 4095},
    EXPECT_IRQ(1),
    {OUTL, SCTL, LINUX_SCTL2 & ~P2_INT_EN},
    {OUTL, SCTL, LINUX_SCTL2},
    WAIT_44100(5),
    /* stop */
    {OUTL, CONTROL, CDC_EN | PCLKDIV(30)},
    WAIT_44100(5000),
    EXPECT_IRQ(0),
};

static void linux_plays_on_dac2(void **state)
{
    const struct machine_stream *s = &m->stream[ES1370_DAC2];

    (void)state;
    PLAY(linux_load);
    PLAY(linux_prepare_dac2);
    assert_int_equal(s->prepared.rate, 44100); /* known before it starts */
    assert_int_equal(s->prepared.bits, 16);
    assert_int_equal(s->prepared.channels, 2);
    PLAY(linux_play_dac2);
    assert_true(machine_has_played(m, ES1370_DAC2, BUFFER2, 16384, 4 * (4096 + 5)));
    assert_int_equal(s->starts, 2); /* once more after the pause */
    assert_int_equal(s->stops, 2);
    assert_int_equal(m->irqs, 4);
    assert_int_equal(m->stream[ES1370_DAC1].starts, 0);
}

#define LINUX_CTRL1 (CDC_EN | PCLKDIV(174))
#define LINUX_SCTL1 (P1_INT_EN | P1_MODE(U8_MONO))

/* U8 mono at 22050 Hz, periods of 333 frames (which end inside a longword), on DAC1. */
static const struct step linux_play_dac1[] = {
    {OUTL, CONTROL, LINUX_CTRL1},
    {OUTL, MEM_PAGE, 0xc},
    {OUTL, DAC1_FRAME, BUFFER1},
    {OUTL, DAC1_SIZE, 332},
    {OUTL, SCTL, LINUX_SCTL1},
    {OUTL, DAC1_COUNT, 332},
    {OUTL, CONTROL, LINUX_CTRL1 | WTSRSEL(2)},
    {OUTL, CONTROL, LINUX_CTRL1 | WTSRSEL(2) | DAC1_EN},
    WAIT_44100(2 * 332),
    {INL, DAC1_SIZE, 83 << 16 | 332},
    EXPECT_IRQ(0),
    WAIT_44100(2),
    EXPECT_IRQ(1),
    {INL, STATUS, STAT_INTR | STAT_IDLE | STAT_DAC1},
    {INL, DAC1_SIZE, 84 << 16 | 332}, /* past 83.25 */
    {OUTL, SCTL, LINUX_SCTL1 & ~P1_INT_EN},
    {OUTL, SCTL, LINUX_SCTL1},
    EXPECT_IRQ(0),
    {OUTL, SCTL, LINUX_SCTL1 | P1_PAUSE},
    WAIT_44100(1000),
    {OUTL, SCTL, LINUX_SCTL1},
    WAIT_44100(2 * 333),
    EXPECT_IRQ(1),
    {OUTL, SCTL, LINUX_SCTL1 & ~P1_INT_EN},
    {OUTL, SCTL, LINUX_SCTL1},
    {OUTL, CONTROL, LINUX_CTRL1 | WTSRSEL(2)},
};

static void linux_plays_on_dac1(void **state)
{
    (void)state;
    PLAY(linux_load);
    PLAY(linux_play_dac1);
    assert_int_equal(m->stream[ES1370_DAC1].format.rate, 22050);
    assert_true(machine_has_played(m, ES1370_DAC1, BUFFER1, 1332, 2 * 333));
    assert_int_equal(m->stream[ES1370_DAC2].starts, 0);
}

static const struct step linux_both[] = {
    {OUTL, MEM_PAGE, 0xc},
    {OUTL, DAC1_FRAME, BUFFER1},
    {OUTL, DAC1_SIZE, 2047},
    {OUTL, SCTL, P1_INT_EN | P1_MODE(S16_MONO)},
    {OUTL, DAC1_COUNT, 440},
    {OUTL, CONTROL, CDC_EN | PCLKDIV(174) | WTSRSEL(1)},
    {OUTL, MEM_PAGE, 0xc},
    {OUTL, DAC2_FRAME, BUFFER2},
    {OUTL, DAC2_SIZE, 4095},
    {OUTL, SCTL, P1_INT_EN | P1_MODE(S16_MONO) | LINUX_SCTL2},
    {OUTL, DAC2_COUNT, 479},
    {OUTL, CONTROL, CDC_EN | PCLKDIV(27) | WTSRSEL(1)}, /* 48000 and 11025 Hz */
    {OUTL, CONTROL, CDC_EN | PCLKDIV(27) | WTSRSEL(1) | DAC1_EN | DAC2_EN},
};

/* Linux's handler. Adds to periods what it reports to ALSA. */
static void linux_interrupt(uint32_t sctrl, unsigned periods[])
{
    uint32_t status = inl(m, STATUS), off = 0;

    assert_true(status & STAT_INTR);
    for (unsigned ch = 0; ch < ES1370_CHANNELS; ch++) {
        if (status & machine_channels[ch].status) {
            off |= machine_channels[ch].interrupt;
            periods[ch]++;
        }
    }
    outl(m, SCTL, sctrl & ~off);
    outl(m, SCTL, sctrl);
    assert_int_equal(inb(m, UART_STATUS) & 0x01, 0);
}

static void linux_plays_on_both(void **state)
{
    unsigned periods[ES1370_CHANNELS] = {0};

    (void)state;
    PLAY(linux_load);
    PLAY(linux_both);
    for (uint64_t left = 3 * ES1370_HZ; left > 0;) {
        uint64_t next = es1370_next_event(&m->card);

        next = next < left ? next : left;
        machine_run(m, next);
        left -= next;
        while (m->irq) {
            linux_interrupt(inl(m, SCTL), periods);
        }
    }
    assert_int_equal(periods[ES1370_DAC1], 3 * 11025 / 441);
    assert_int_equal(periods[ES1370_DAC2], 3 * 48000 / 480);
    assert_int_equal(periods[ES1370_ADC], 0);
    assert_true(machine_has_played(m, ES1370_DAC1, BUFFER1, 8192, 3 * 11025 * 2));
    assert_true(machine_has_played(m, ES1370_DAC2, BUFFER2, 16384, 3 * 48000 * 4));
}

/* Capture first, at 8000 Hz: playback then gets that rate too, whatever it asked for ("pclkdiv
 * lock"). */
static const struct step linux_full_duplex[] = {
    {OUTL, CONTROL, CDC_EN | PCLKDIV(174)},
    {OUTL, MEM_PAGE, 0xd},
    {OUTL, ADC_FRAME, BUFFER1},
    {OUTL, ADC_SIZE, 1023},
    {OUTL, SCTL, R1_INT_EN | R1_MODE(S16_MONO)},
    {OUTL, ADC_COUNT, 511},
    {OUTL, CONTROL, CDC_EN | PCLKDIV(174)},
    {OUTL, CONTROL, CDC_EN | PCLKDIV(174) | ADC_EN},
    {OUTL, MEM_PAGE, 0xc},
    {OUTL, DAC2_FRAME, BUFFER2},
    {OUTL, DAC2_SIZE, 4095},
    {OUTL, SCTL, R1_INT_EN | R1_MODE(S16_MONO) | LINUX_SCTL2},
    {OUTL, DAC2_COUNT, 1023},
    {OUTL, CONTROL, CDC_EN | PCLKDIV(174) | ADC_EN},
    {OUTL, CONTROL, CDC_EN | PCLKDIV(174) | ADC_EN | DAC2_EN},
    {WAIT, 0, 512 * 14080},
    {INL, STATUS, STAT_INTR | STAT_IDLE | STAT_ADC},
    {INL, DAC2_SIZE, 512 << 16 | 4095},
    {OUTL, MEM_PAGE, 0xd},
    {INL, ADC_SIZE, 256 << 16 | 1023}, /* all of the period is in memory */
};

static void linux_records_and_plays(void **state)
{
    (void)state;
    PLAY(linux_load);
    PLAY(linux_full_duplex);
    assert_int_equal(m->stream[ES1370_DAC2].format.rate, 8018);
    for (unsigned i = 0; i < 1024; i++) {
        assert_int_equal(m->ram[BUFFER1 - MACHINE_RAM + i], machine_noise(i));
    }
}

/* Suspended while it plays: the driver's trigger does not know SUSPEND, so the channel stays
 * enabled, and is enabled again on resumption before anything else has been set up. */
static const struct step linux_suspend[] = {
    {OUTW, CODEC, 0x009f},
    {OUTW, CODEC, 0x019f},
    {OUTW, CODEC, 0x1601},
};

static const struct step linux_resume[] = {
    {OUTL, CONTROL, CDC_EN | PCLKDIV(30) | DAC2_EN},
    {OUTL, SCTL, LINUX_SCTL2},
    {OUTL, MEM_PAGE, 0xd},
    {OUTL, PHANTOM_FRAME, SCRATCH},
    {OUTL, PHANTOM_COUNT, 0},
    {OUTB, UART_STATUS, 0},
    {OUTB, UART_RES, 0},
    {OUTL, STATUS, 0},
    {OUTW, CODEC, 0x1603},
    {OUTW, CODEC, 0x1700},
};

static void linux_resumes_after(bool power_lost)
{
    static const uint16_t mixer[] = {0x0000, 0x0100, 0x0206, 0x0306, 0x110c};
    struct machine_stream *s = &m->stream[ES1370_DAC2];
    unsigned periods[ES1370_CHANNELS] = {0};
    size_t bytes;

    PLAY(linux_load);
    for (unsigned i = 0; i < 5; i++) {
        outw(m, CODEC, mixer[i]);
    }
    PLAY(linux_prepare_dac2);
    outl(m, CONTROL, CDC_EN | PCLKDIV(30) | DAC2_EN);
    machine_run(m, 700 * TICKS_44100);
    PLAY(linux_suspend);
    assert_int_equal(ak4531_output_gain(&m->card.codec, AK4531_VOICE, 0), 0);
    pci_config_write(&m->card.pci, PCI_COMMAND, 2, PCI_COMMAND_IO);
    machine_run(m, 44100 * TICKS_44100);
    if (power_lost) {
        es1370_reset(&m->card);
        assert_false(m->irq);
        machine_run(m, 44100 * TICKS_44100);
        pci_config_write(&m->card.pci, PCI_BAR0, 4, MACHINE_PORT);
    }
    pci_config_write(&m->card.pci, PCI_COMMAND, 2, PCI_COMMAND_IO | PCI_COMMAND_MASTER);
    PLAY(linux_resume);
    for (unsigned i = 0; i < 5; i++) {
        outw(m, CODEC, mixer[i]);
    }
    assert_int_equal(ak4531_output_gain(&m->card.codec, AK4531_VOICE, 0), 65536);
    for (unsigned i = 0; i < 100; i++) { /* whatever interrupts come are acknowledged as usual */
        machine_run(m, TICKS_44100);
        if (m->irq) {
            linux_interrupt(LINUX_SCTL2, periods);
        }
    }
    bytes = s->bytes;
    PLAY(linux_prepare_dac2);
    if (m->irq) {
        linux_interrupt(LINUX_SCTL2, periods);
    }
    assert_false(m->irq);
    outl(m, CONTROL, CDC_EN | PCLKDIV(30) | DAC2_EN);
    machine_run(m, 1023 * TICKS_44100);
    assert_false(m->irq);
    machine_run(m, TICKS_44100);
    assert_true(m->irq);
    assert_int_equal(machine_position(m, ES1370_DAC2), 1024);
    assert_int_equal(s->bytes, bytes + 4096);
    assert_memory_equal(s->sound + bytes, m->ram + (BUFFER2 - MACHINE_RAM), 4096);
}

static void linux_resumes(void **state)
{
    (void)state;
    linux_resumes_after(false);
}

static void linux_resumes_after_power_loss(void **state)
{
    (void)state;
    linux_resumes_after(true);
}

/* Unloaded in the midst of it, with an interrupt pending. */
static const struct step linux_unload[] = {
    {OUTL, CONTROL, CDC_EN | PCLKDIV(30) | DAC2_EN},
    WAIT_44100(1024),
    EXPECT_IRQ(1),
    {OUTL, CONTROL, SERR_DIS},
    EXPECT_IRQ(1),
    {OUTL, SCTL, 0},
    EXPECT_IRQ(0),
    {INL, STATUS, STAT_IDLE},
    WAIT_44100(10000),
    EXPECT_IRQ(0),
};

static void linux_unloads(void **state)
{
    (void)state;
    PLAY(linux_load);
    PLAY(linux_prepare_dac2);
    PLAY(linux_unload);
    assert_false(m->stream[ES1370_DAC2].running);
    assert_int_equal(m->stream[ES1370_DAC2].bytes, 4096);
}

/* The largest period that it allows, 128 KiB of 8-bit mono, is more than the counter holds: the
 * guest hears of each half. */
static const struct step linux_largest_period[] = {
    {OUTL, CONTROL, CDC_EN},
    {OUTL, MEM_PAGE, 0xc},
    {OUTL, DAC2_FRAME, BUFFER2},
    {OUTL, DAC2_SIZE, 32767},
    {OUTL, SCTL, P2_INT_EN | P2_MODE(U8_MONO) | P2_END_INC(1)},
    {OUTL, DAC2_COUNT, 131071},
    {INL, DAC2_COUNT, 0xffffffff},
    {OUTL, CONTROL, CDC_EN | PCLKDIV(30)},
    {OUTL, CONTROL, CDC_EN | PCLKDIV(30) | DAC2_EN},
    WAIT_44100(65535),
    EXPECT_IRQ(0),
    WAIT_44100(1),
    EXPECT_IRQ(1),
    {INL, DAC2_SIZE, 16384 << 16 | 32767},
    {OUTL, SCTL, P2_MODE(U8_MONO) | P2_END_INC(1)},
    {OUTL, SCTL, P2_INT_EN | P2_MODE(U8_MONO) | P2_END_INC(1)},
    WAIT_44100(65536),
    EXPECT_IRQ(1),
    {INL, DAC2_SIZE, 0 << 16 | 32767}, /* never the size itself, an "invalid position" */
};

static void linux_plays_its_largest_period(void **state)
{
    (void)state;
    PLAY(linux_largest_period);
    assert_true(machine_has_played(m, ES1370_DAC2, BUFFER2, 131072, 131072));
}

/* Both of its playback devices and capture, each at its rate and with its period, for a guest that
 * comes to its handler when it can. */
static void linux_plays_on_both_and_records(void **state)
{
    static const unsigned late[] = {0, 1, 100, 440, 2000, 0, 17, 9000};
    unsigned periods[ES1370_CHANNELS] = {0};

    (void)state;
    PLAY(linux_load);
    PLAY(linux_both);
    machine_prepare(m, ES1370_ADC, BUFFER3, 0x40000, S16_STEREO, 64);
    outl(m, CONTROL, inl(m, CONTROL) | ADC_EN);
    for (unsigned i = 0; i < 500; i++) {
        machine_run(m, es1370_next_event(&m->card));
        machine_run(m, late[i % 8] * UINT64_C(100));
        while (m->irq) {
            linux_interrupt(inl(m, SCTL), periods);
        }
    }
    assert_int_equal(periods[ES1370_DAC1], m->stream[ES1370_DAC1].bytes / 2 / 441);
    assert_int_equal(periods[ES1370_DAC2], m->stream[ES1370_DAC2].bytes / 4 / 480);
    assert_int_equal(periods[ES1370_ADC], m->stream[ES1370_ADC].bytes / 4 / 64);
    assert_true(periods[ES1370_ADC] > 300);
    for (unsigned i = 0; i < periods[ES1370_ADC] * 64 * 4; i++) {
        assert_int_equal(m->ram[BUFFER3 - MACHINE_RAM + i], machine_noise(i));
    }
    assert_true(machine_has_played(m, ES1370_DAC1, BUFFER1, 8192, m->stream[ES1370_DAC1].bytes));
    assert_true(machine_has_played(m, ES1370_DAC2, BUFFER2, 16384, m->stream[ES1370_DAC2].bytes));
}

/* --- Linux OSS: goes on with a fragment begun before, so its first period is a rest, set before
 * the start; the later ones' length is written while the channel runs. --- */

static const struct step linux_oss[] = {
    {OUTL, CONTROL, CDC_EN | PCLKDIV(30)},
    {OUTL, MEM_PAGE, 0xc},
    {OUTL, DAC2_FRAME, BUFFER2},
    {OUTL, DAC2_SIZE, 1023},
    {OUTL, SCTL, LINUX_SCTL2},
    {OUTL, DAC2_COUNT, 99},
    {OUTL, CONTROL, CDC_EN | PCLKDIV(30) | DAC2_EN},
    {OUTL, DAC2_COUNT, 255},
    WAIT_44100(99),
    EXPECT_IRQ(0),
    WAIT_44100(1),
    EXPECT_IRQ(1),
    {INL, STATUS, STAT_INTR | STAT_IDLE | STAT_DAC2},
    {OUTL, SCTL, LINUX_SCTL2 & ~P2_INT_EN},
    {OUTL, SCTL, LINUX_SCTL2},
    WAIT_44100(255),
    EXPECT_IRQ(0),
    WAIT_44100(1),
    EXPECT_IRQ(1),
    {OUTL, SCTL, LINUX_SCTL2 & ~P2_INT_EN},
    {OUTL, SCTL, LINUX_SCTL2},
    WAIT_44100(256),
    EXPECT_IRQ(1),
};

static void linux_oss_plays(void **state)
{
    (void)state;
    PLAY(linux_oss);
    assert_true(machine_has_played(m, ES1370_DAC2, BUFFER2, 4096, 4 * 612));
}

/* --- FreeBSD: 48000 Hz, 4 KiB in two blocks; DAC1 likewise at 44100 --- */

#define FREEBSD_CTRL (CDC_EN | JYSTK_EN | SERR_DIS | PCLKDIV(27) | WTSRSEL(3))

static const struct step freebsd[] = {
    {OUTL, CONTROL, FREEBSD_CTRL},
    {OUTL, SCTL, 0},
    {INL, STATUS, STAT_IDLE},
    {OUTW, CODEC, 0x1603},
    {OUTW, CODEC, 0x1700},
    {OUTW, CODEC, 0x1800},
    {OUTW, CODEC, 0x1900},
    /* channel */
    {OUTB, MEM_PAGE, 0xc},
    {OUTL, DAC2_FRAME, BUFFER2},
    {OUTL, DAC2_SIZE, 1023},
    {OUTL, SCTL, P2_MODE(S16_STEREO)},
    /* start: the count first, the format's and the enable bit last */
    {OUTL, DAC2_COUNT, 511},
    {OUTL, MEM_PAGE, 0xc},
    {OUTL, DAC2_SIZE, 1023},
    {OUTL, SCTL, LINUX_SCTL2},
    {OUTL, CONTROL, FREEBSD_CTRL | DAC2_EN},
    WAIT_48000(511),
    EXPECT_IRQ(0),
    WAIT_48000(1),
    EXPECT_IRQ(1),
    {INL, STATUS, STAT_INTR | STAT_IDLE | STAT_DAC2},
    {OUTL, SCTL, LINUX_SCTL2 & ~P2_INT_EN},
    {OUTL, SCTL, LINUX_SCTL2},
    {OUTL, MEM_PAGE, 0xc},
    {INL, DAC2_SIZE, 512 << 16 | 1023},
    WAIT_48000(300),
    /* stop, and start anew from the beginning */
    {OUTL, SCTL, LINUX_SCTL2},
    {OUTL, CONTROL, FREEBSD_CTRL},
    {OUTL, DAC2_COUNT, 511},
    {OUTL, DAC2_SIZE, 1023},
    {OUTL, SCTL, LINUX_SCTL2},
    {OUTL, CONTROL, FREEBSD_CTRL | DAC2_EN},
    {INL, DAC2_SIZE, 0 << 16 | 1023},
    WAIT_48000(511),
    EXPECT_IRQ(0),
    WAIT_48000(1),
    EXPECT_IRQ(1),
};

static void freebsd_plays(void **state)
{
    const struct machine_stream *s = &m->stream[ES1370_DAC2];

    (void)state;
    PLAY(freebsd);
    assert_int_equal(s->format.rate, 48000);
    assert_int_equal(s->bytes, 4 * (812 + 512));
    assert_memory_equal(s->sound + 4 * 812, m->ram + (BUFFER2 - MACHINE_RAM), 2048);
}

/* DAC1, which FreeBSD uses first: the same, with bits of its own taken out of SCTL. */
static const struct step freebsd_dac1[] = {
    {OUTL, CONTROL, FREEBSD_CTRL},
    {OUTB, MEM_PAGE, 0xc},
    {OUTL, DAC1_FRAME, BUFFER1},
    {OUTL, DAC1_SIZE, 1023},
    {OUTL, SCTL, P1_MODE(S16_STEREO)},
    {OUTL, DAC1_COUNT, 511},
    {OUTL, MEM_PAGE, 0xc},
    {OUTL, DAC1_SIZE, 1023},
    {OUTL, SCTL, P1_INT_EN | P1_MODE(S16_STEREO)},
    {OUTL, CONTROL, FREEBSD_CTRL | DAC1_EN},
    WAIT_44100(512),
    EXPECT_IRQ(1),
    {INL, STATUS, STAT_INTR | STAT_IDLE | STAT_DAC1},
    {OUTL, SCTL, P1_MODE(S16_STEREO)},
    {OUTL, SCTL, P1_INT_EN | P1_MODE(S16_STEREO)},
    {OUTL, MEM_PAGE, 0xc},
    {INL, DAC1_SIZE, 512 << 16 | 1023},
    {OUTL, SCTL, P1_INT_EN | P1_MODE(S16_STEREO)},
    {OUTL, CONTROL, FREEBSD_CTRL},
    EXPECT_IRQ(0),
};

static void freebsd_plays_on_dac1(void **state)
{
    (void)state;
    PLAY(freebsd_dac1);
    assert_true(machine_has_played(m, ES1370_DAC1, BUFFER1, 4096, 2048));
}

static const struct step freebsd_polling[] = {
    {OUTL, CONTROL, FREEBSD_CTRL},
    {OUTL, SCTL, P2_MODE(S16_STEREO)},
    {OUTL, DAC2_COUNT, 511},
    {OUTL, MEM_PAGE, 0xc},
    {OUTL, DAC2_FRAME, BUFFER2},
    {OUTL, DAC2_SIZE, 1023},
    {OUTL, SCTL, LINUX_SCTL2 & ~P2_INT_EN},
    {OUTL, CONTROL, FREEBSD_CTRL | DAC2_EN},
    WAIT_48000(48),
    {INL, DAC2_SIZE, 48 << 16 | 1023},
    WAIT_48000(480),
    {INL, DAC2_SIZE, 528 << 16 | 1023},
    WAIT_48000(528),
    {INL, DAC2_SIZE, 32 << 16 | 1023},
    EXPECT_IRQ(0),
    {INL, STATUS, STAT_IDLE},
};

static void freebsd_polls(void **state)
{
    (void)state;
    PLAY(freebsd_polling);
    assert_int_equal(m->irqs, 0);
}

/* --- NetBSD and OpenBSD: know where they are by counting interrupts --- */

static const struct step netbsd_attach[] = {
    {OUTL, SCTL, P2_INT_EN | R1_INT_EN}, /* before anything runs */
    {OUTL, CONTROL, CDC_EN},
    {INL, STATUS, STAT_IDLE},
    {OUTL, CODEC, 0x1602}, /* longwords */
    {INL, STATUS, STAT_IDLE},
    {OUTL, CODEC, 0x1603},
    {OUTL, CODEC, 0x1700},
    EXPECT_IRQ(0),
};

#define NETBSD_SCTL (R1_INT_EN | P2_MODE(S16_STEREO) | P2_END_INC(2))

/* 44100 Hz, blocks of 448 frames, nine of them. */
static const struct step netbsd_trigger[] = {
    {INL, CONTROL, CDC_EN},
    {OUTL, CONTROL, CDC_EN | PCLKDIV(30)},
    {INL, SCTL, P2_INT_EN | R1_INT_EN},
    {OUTL, SCTL, NETBSD_SCTL},
    {OUTL, SCTL, NETBSD_SCTL | P2_INT_EN},
    {OUTL, MEM_PAGE, 0xc},
    {OUTL, DAC2_FRAME, BUFFER2},
    {OUTL, DAC2_SIZE, 448 * 9 - 1},
    {OUTL, DAC2_COUNT, 447},
    {INL, CONTROL, CDC_EN | PCLKDIV(30)},
    {OUTL, CONTROL, CDC_EN | PCLKDIV(30) | DAC2_EN},
    EXPECT_IRQ(0),
};

/* Its handler; true where it was its interrupt. */
static bool netbsd_interrupt(unsigned *blocks)
{
    uint32_t status = inl(m, STATUS), sctl;

    if (!(status & STAT_INTR)) {
        return false;
    }
    sctl = inl(m, SCTL);
    assert_int_equal(status & 0x10, 0); /* MCCB: it would panic */
    if (status & STAT_DAC2) {
        outl(m, SCTL, sctl & ~P2_INT_EN);
        outl(m, SCTL, sctl | P2_INT_EN);
        ++*blocks;
    }
    return true;
}

static void netbsd_counts_blocks(void **state)
{
    /* How long the guest takes to come to its handler, in frames. */
    static const unsigned late[] = {0, 3, 447, 448, 449, 1000, 0, 4500, 12000, 1, 0, 447};
    unsigned blocks = 0;

    (void)state;
    PLAY(netbsd_attach);
    PLAY(netbsd_trigger);
    for (unsigned i = 0; i < 300; i++) {
        machine_run(m, es1370_next_event(&m->card));
        assert_true(m->irq);
        machine_run(m, late[i % 12] * TICKS_44100);
        while (m->irq) {
            assert_true(netbsd_interrupt(&blocks));
        }
        assert_false(netbsd_interrupt(&blocks));
        assert_int_equal(blocks, m->stream[ES1370_DAC2].bytes / 4 / 448);
    }
    assert_true(
        machine_has_played(m, ES1370_DAC2, BUFFER2, 448 * 9 * 4, m->stream[ES1370_DAC2].bytes));
}

/* With both DACs attached and recording: its handler acknowledges one channel after the other, each
 * with the SCTL that it has read at first. */
static void netbsd_counts_blocks_of_all_channels(void **state)
{
    static const enum es1370_channel order[] = {ES1370_ADC, ES1370_DAC2, ES1370_DAC1};
    static const unsigned late[] = {0, 200, 5, 3000, 0, 447, 901};
    unsigned blocks[ES1370_CHANNELS] = {0};

    (void)state;
    PLAY(netbsd_attach);
    outl(m, CONTROL, CDC_EN | PCLKDIV(30) | WTSRSEL(2));
    machine_prepare(m, ES1370_DAC1, BUFFER1, 448 * 8, S16_MONO, 224);
    machine_prepare(m, ES1370_DAC2, BUFFER2, 448 * 36, S16_STEREO, 448);
    machine_prepare(m, ES1370_ADC, BUFFER3, 4096 * 4, U8_STEREO, 512);
    outl(m, CONTROL, inl(m, CONTROL) | DAC1_EN);
    outl(m, CONTROL, inl(m, CONTROL) | DAC2_EN);
    outl(m, CONTROL, inl(m, CONTROL) | ADC_EN);
    for (unsigned i = 0; i < 300; i++) {
        machine_run(m, es1370_next_event(&m->card));
        machine_run(m, late[i % 7] * TICKS_44100);
        while (m->irq) {
            uint32_t status = inl(m, STATUS), sic = inl(m, SCTL);

            for (unsigned j = 0; j < 3; j++) {
                const struct machine_channel *c = &machine_channels[order[j]];

                if (status & c->status) {
                    outl(m, SCTL, sic & ~c->interrupt);
                    outl(m, SCTL, sic | c->interrupt);
                    blocks[order[j]]++;
                }
            }
        }
        assert_int_equal(blocks[ES1370_DAC1], m->stream[ES1370_DAC1].bytes / 2 / 224);
        assert_int_equal(blocks[ES1370_DAC2], m->stream[ES1370_DAC2].bytes / 4 / 448);
        assert_int_equal(blocks[ES1370_ADC], m->stream[ES1370_ADC].bytes / 2 / 512);
    }
    assert_true(blocks[ES1370_DAC1] > 300 && blocks[ES1370_ADC] > 300);
}

/* OpenBSD waits for the ADC's last eight longwords as long as it takes them to be missing. */
static void openbsd_finds_the_whole_block(void **state)
{
    (void)state;
    PLAY(netbsd_attach);
    outl(m, CONTROL, CDC_EN | PCLKDIV(30));
    machine_prepare(m, ES1370_ADC, BUFFER1, 4096, S16_STEREO, 64);
    machine_enable(m, ES1370_ADC, true);
    for (unsigned block = 1; block < 50; block++) {
        machine_run(m, es1370_next_event(&m->card));
        assert_int_not_equal((machine_position(m, ES1370_ADC) + 8) % 64, 0);
        machine_acknowledge(m, ES1370_ADC);
    }
}

/* --- Haiku: two buffers of 512 frames; takes an interrupt only if the position is in the block
 * that it expects --- */

static const struct step haiku_start[] = {
    {OUTL, SCTL, P2_INT_EN | R1_INT_EN},
    {OUTL, CONTROL, CDC_EN},
    {OUTW, CODEC, 0x1602},
    {OUTW, CODEC, 0x1603},
    {OUTW, CODEC, 0x1700},
    {OUTW, CODEC, 0x0000},
    {OUTW, CODEC, 0x0100},
    {INL, CONTROL, CDC_EN},
    {OUTL, CONTROL, CDC_EN | PCLKDIV(30)},
    {OUTL, MEM_PAGE, 0xc},
    {OUTL, DAC2_FRAME, BUFFER2},
    {OUTL, DAC2_SIZE, 1023},
    {OUTL, DAC2_COUNT, 511},
    {INL, SCTL, P2_INT_EN | R1_INT_EN},
    {INL, CONTROL, CDC_EN | PCLKDIV(30)},
    {OUTL, SCTL, (LINUX_SCTL2 | R1_INT_EN) & ~P2_INT_EN},
    {OUTL, SCTL, LINUX_SCTL2 | R1_INT_EN},
    {OUTL, SCTL, LINUX_SCTL2 | R1_INT_EN},
    {OUTL, CONTROL, CDC_EN | PCLKDIV(30) | DAC2_EN},
};

static void haiku_finds_its_block(void **state)
{
    unsigned expected = 0, taken = 0;

    (void)state;
    PLAY(haiku_start);
    for (unsigned i = 0; i < 101; i++) {
        uint32_t sctl;

        machine_run(m, es1370_next_event(&m->card) + i); /* at most 101 ticks late */
        assert_int_equal(inl(m, STATUS), STAT_INTR | STAT_IDLE | STAT_DAC2);
        sctl = inl(m, SCTL);
        outl(m, SCTL, sctl & ~P2_INT_EN);
        outl(m, SCTL, sctl | P2_INT_EN);
        if (machine_position(m, ES1370_DAC2) * 4 / 2048 == expected) {
            expected = (expected + 1) % 2;
            taken++;
        }
    }
    assert_int_equal(taken, 100); /* the very first is always at the block after it */
}

/* --- illumos: bytes and words, no interrupts, position from a timer --- */

static const struct step illumos_attach[] = {
    {OUTW, CONTROL + 2, 27},
    {INB, CONTROL + 1, 0x00},
    {OUTB, CONTROL + 1, 0x00},
    {INB, CONTROL + 1, 0x00},
    {OUTB, CONTROL + 1, 0x30}, /* DAC1 at 44100 Hz */
    {INB, CONTROL, SERR_DIS},
    {OUTB, CONTROL, SERR_DIS | CDC_EN},
    {OUTB, UART_STATUS, 0x00},
    {OUTB, LEGACY + 2, 0x00},
    {OUTW, LEGACY, 0x0000},
    {OUTB, SCTL + 1, 0x00},
    {OUTB, SCTL, P1_MODE(S16_STEREO)},
    {INB, STATUS + 1, 0x00}, /* the codec is idle */
    {OUTW, CODEC, 0x1600},
    {INB, STATUS + 1, 0x00},
    {OUTW, CODEC, 0x1603},
    {INB, STATUS + 1, 0x00},
    {OUTW, CODEC, 0x1700},
    {INW, CONTROL + 2, 27},
    {OUTW, CONTROL + 2, 0x4000 | 27}, /* microphone bias */
    {INL, CONTROL, 0x401b3003},
};

static const struct step illumos_play[] = {
    {OUTL, MEM_PAGE, 0xc},
    {OUTL, DAC2_FRAME, BUFFER2},
    {OUTW, CONTROL + 2, 27},
    {INB, SCTL, P1_MODE(S16_STEREO)},
    {OUTB, SCTL + 2, 0x10},
    {OUTB, SCTL, P2_MODE(S16_STEREO) | P1_MODE(S16_STEREO)},
    {OUTL, MEM_PAGE, 0xc},
    {OUTL, DAC2_SIZE, 2047},
    {OUTW, DAC2_COUNT, 2047},
    {INB, CONTROL, SERR_DIS | CDC_EN},
    {OUTB, CONTROL, SERR_DIS | CDC_EN | DAC2_EN},
    WAIT_48000(480),
    {OUTL, MEM_PAGE, 0xc},
    {INL, DAC2_SIZE, 480 << 16 | 2047},
    WAIT_48000(2000),
    {INL, DAC2_SIZE, 432 << 16 | 2047},
    EXPECT_IRQ(0),
    {INL, SCTL, 0x0010000f},
    {OUTB, CONTROL, SERR_DIS | CDC_EN},
};

static void illumos_plays(void **state)
{
    (void)state;
    PLAY(illumos_attach);
    PLAY(illumos_play);
    assert_int_equal(m->stream[ES1370_DAC2].format.rate, 48000);
    assert_true(machine_has_played(m, ES1370_DAC2, BUFFER2, 8192, 4 * 2480));
}

/* Its three engines at once, each of which it only asks where it is. */
static const struct step illumos_all_engines[] = {
    {OUTL, MEM_PAGE, 0xc},
    {OUTL, DAC2_FRAME, BUFFER2},
    {OUTL, MEM_PAGE, 0xc},
    {OUTL, DAC2_SIZE, 4095},
    {OUTW, DAC2_COUNT, 4095},
    {OUTL, MEM_PAGE, 0xc},
    {OUTL, DAC1_FRAME, BUFFER1},
    {INB, CONTROL + 1, 0x30},
    {OUTB, CONTROL + 1, 0x30},
    {OUTL, MEM_PAGE, 0xc},
    {OUTL, DAC1_SIZE, 4095},
    {OUTW, DAC1_COUNT, 4095},
    {OUTL, MEM_PAGE, 0xd},
    {OUTL, ADC_FRAME, BUFFER3},
    {OUTW, CONTROL + 2, 27}, /* the microphone's bias is lost */
    {OUTB, SCTL + 2, 0x10},
    {OUTB, SCTL, R1_MODE(S16_STEREO) | P2_MODE(S16_STEREO) | P1_MODE(S16_STEREO)},
    {OUTL, MEM_PAGE, 0xd},
    {OUTL, ADC_SIZE, 4095},
    {OUTW, ADC_COUNT, 4095},
    {OUTB, CONTROL, SERR_DIS | CDC_EN | DAC2_EN},
    WAIT_48000(100),
    {INB, CONTROL, SERR_DIS | CDC_EN | DAC2_EN},
    {OUTB, CONTROL, SERR_DIS | CDC_EN | DAC2_EN | DAC1_EN},
    {OUTB, CONTROL, SERR_DIS | CDC_EN | DAC2_EN | DAC1_EN | ADC_EN},
    WAIT_48000(480),
    {OUTL, MEM_PAGE, 0xc},
    {INL, DAC2_SIZE, 580 << 16 | 4095},
    {OUTL, MEM_PAGE, 0xc},
    {INL, DAC1_SIZE, 441 << 16 | 4095},
    {OUTL, MEM_PAGE, 0xd},
    {INL, ADC_SIZE, 480 << 16 | 4095},
    /* stopped one by one; then all that could be on is turned off four times */
    {OUTB, CONTROL, SERR_DIS | CDC_EN | DAC1_EN | ADC_EN},
    WAIT_48000(480),
    {INB, SCTL + 1, 0},
    {OUTB, SCTL + 1, 0},
    {OUTB, SCTL + 1, 0},
    {OUTB, CONTROL, SERR_DIS | CDC_EN},
    {OUTB, CONTROL, SERR_DIS | CDC_EN},
    EXPECT_IRQ(0),
};

static void illumos_plays_on_both_and_records(void **state)
{
    (void)state;
    PLAY(illumos_attach);
    PLAY(illumos_all_engines);
    assert_true(machine_has_played(m, ES1370_DAC1, BUFFER1, 16384, 4 * 882));
    assert_true(machine_has_played(m, ES1370_DAC2, BUFFER2, 16384, 4 * 580));
    assert_int_equal(m->stream[ES1370_ADC].bytes, 4 * 960);
    for (unsigned ch = 0; ch < ES1370_CHANNELS; ch++) {
        assert_false(m->stream[ch].running);
    }
}

/* --- OSS4: the same accesses, with interrupts acknowledged at byte 21h --- */

static const struct step oss4_attach[] = {
    {OUTW, CONTROL + 2, 174},   {INB, CONTROL + 1, 0x00},
    {OUTB, CONTROL + 1, 0x21}, /* mute (which is a pin of the board's), DAC1 at 22050 Hz */
    {INB, CONTROL, SERR_DIS},   {OUTB, CONTROL, UART_EN | CDC_EN | JYSTK_EN},
    {OUTB, LEGACY + 2, 0x00},   {OUTW, LEGACY, 0x0000},
    {OUTB, SCTL + 1, 0x00},     {OUTB, SCTL, P1_MODE(S16_STEREO)},
    {INB, CONTROL + 1, 0x21},   {OUTB, CONTROL + 1, 0x20},
    {OUTB, UART_STATUS, 0x03},  {OUTB, UART_STATUS, 0x00},
    {INB, STATUS + 1, 0x00},    {OUTW, CODEC, 0x1603},
    {INW, CONTROL + 2, 174},    {OUTW, CONTROL + 2, 0x4000 | 174},
    {INL, CONTROL, 0x40ae200e}, EXPECT_IRQ(0),
};

static void oss4_attaches(void **state)
{
    (void)state;
    PLAY(oss4_attach);
    for (unsigned ch = 0; ch < ES1370_CHANNELS; ch++) {
        assert_int_equal(m->stream[ch].starts, 0);
    }
}

static const struct step oss4_play[] = {
    {OUTL, MEM_PAGE, 0xc},
    {OUTL, DAC2_FRAME, BUFFER2},
    {OUTL, DAC2_SIZE, 2047},
    {OUTB, SCTL, P2_MODE(S16_STEREO)},
    {OUTB, SCTL + 2, 0x10},
    {OUTW, CONTROL + 2, 30},
    {OUTW, DAC2_COUNT, 511},
    {INB, SCTL + 1, 0x00},
    {OUTB, SCTL + 1, P2_INT_EN >> 8},
    {INB, CONTROL, SERR_DIS},
    {OUTB, CONTROL, SERR_DIS | CDC_EN | DAC2_EN},
    WAIT_44100(511),
    EXPECT_IRQ(0),
    WAIT_44100(1),
    EXPECT_IRQ(1),
    {INB, STATUS, STAT_IDLE | STAT_DAC2},
    {INB, STATUS + 3, STAT_INTR >> 24},
    {INL, MEM_PAGE, 0xc}, /* saves the page, */
    {OUTL, MEM_PAGE, 0xc},
    {INL, DAC2_SIZE, 512 << 16 | 2047},
    {OUTL, MEM_PAGE, 0xc}, /* and puts it back */
    {INB, SCTL + 1, P2_INT_EN >> 8},
    {OUTB, SCTL + 1, 0},
    EXPECT_IRQ(0),
    {OUTB, SCTL + 1, P2_INT_EN >> 8},
    EXPECT_IRQ(0),
    WAIT_44100(512),
    EXPECT_IRQ(1),
    {INL, SCTL, P2_END_INC(2) | P2_INT_EN | P2_MODE(S16_STEREO)},
};

static void oss4_plays(void **state)
{
    (void)state;
    PLAY(oss4_play);
    assert_true(machine_has_played(m, ES1370_DAC2, BUFFER2, 8192, 4 * 1024));
}

/* --- MINIX 3: words; DAC1; reads how many samples are left --- */

static const struct step minix_attach[] = {
    {OUTL, CONTROL, 0},       {OUTL, LEGACY, 0},     {OUTL, LEGACY + 4, 0},
    {OUTL, SCTL, 0},          {INW, CONTROL, 0},     {OUTW, CONTROL, XCTL0 | CDC_EN},
    {INW, STATUS, STAT_IDLE}, {OUTW, CODEC, 0x1603}, {INW, STATUS, STAT_IDLE},
};

/* S16 stereo at 44100 Hz, 64 KiB in two fragments. */
static const struct step minix_play[] = {
    {OUTB, MEM_PAGE, 0xc},
    {OUTL, DAC1_FRAME, BUFFER1},
    {OUTL, DAC1_SIZE, 16383},
    {INL, CONTROL, XCTL0 | CDC_EN},
    {OUTL, CONTROL, XCTL0 | CDC_EN | WTSRSEL(3)},
    {INW, SCTL, 0},
    {OUTW, SCTL, P1_MODE(1)},
    {INW, SCTL, P1_MODE(1)},
    {OUTW, SCTL, P1_MODE(3)},
    {OUTW, DAC1_COUNT, 8191},
    {OUTW, SCTL, P1_MODE(3)},
    {OUTW, SCTL, P1_MODE(3) | P1_INT_EN},
    {INW, CONTROL, (XCTL0 | CDC_EN | WTSRSEL(3)) & 0xffff},
    {OUTW, CONTROL, XCTL0 | CDC_EN | WTSRSEL(3) | DAC1_EN},
    {INW, DAC1_COUNT, 8191},
    {INW, DAC1_COUNT + 2, 8191},
    WAIT_44100(8000),
    {INW, DAC1_COUNT + 2, 191},
    WAIT_44100(191),
    {INW, DAC1_COUNT + 2, 0},
    EXPECT_IRQ(0),
    WAIT_44100(1),
    {INW, DAC1_COUNT + 2, 8191},
    EXPECT_IRQ(1),
    {INL, STATUS, STAT_INTR | STAT_IDLE | STAT_DAC1},
    {INW, SCTL, P1_MODE(3) | P1_INT_EN},
    {OUTW, SCTL, P1_MODE(3)},
    {OUTW, SCTL, P1_MODE(3) | P1_INT_EN},
    EXPECT_IRQ(0),
    WAIT_44100(8192),
    EXPECT_IRQ(1),
    /* stop: the enable bit, then the interrupt's */
    {OUTW, CONTROL, XCTL0 | CDC_EN | WTSRSEL(3)},
    {OUTW, SCTL, P1_MODE(3)},
    EXPECT_IRQ(0),
};

static void minix_plays(void **state)
{
    (void)state;
    PLAY(minix_attach);
    for (unsigned page = 0; page < 16; page++) {
        outb(m, MEM_PAGE, (uint8_t)page);
        for (unsigned reg = 0x30; reg < 0x40; reg += 4) {
            outl(m, reg, 0);
        }
    }
    PLAY(minix_play);
    assert_true(machine_has_played(m, ES1370_DAC1, BUFFER1, 65536, 65536));
    assert_false(m->stream[ES1370_DAC1].running);
}

/* --- AROS: two halves of a buffer, of which it fills one at each interrupt and then the other; in
 * a loop as long as there are any --- */

#define AROS_SCTL (P2_INT_EN | P2_MODE(S16_STEREO) | P2_END_INC(2))

static const struct step aros_start[] = {
    {OUTL, CONTROL, CDC_EN | PCLKDIV(30)},
    {OUTL, SCTL, 0},
    {OUTW, CODEC, 0x1603},
    {INL, SCTL, 0},
    {OUTL, SCTL, P2_INT_EN},
    {OUTL, MEM_PAGE, 0xc},
    {OUTL, DAC2_FRAME, BUFFER2},
    {OUTL, DAC2_SIZE, 1763},
    {OUTL, DAC2_COUNT, 881},
    {INL, SCTL, P2_INT_EN},
    {OUTL, SCTL, AROS_SCTL},
    {INL, CONTROL, CDC_EN | PCLKDIV(30)},
    {OUTL, CONTROL, CDC_EN | PCLKDIV(30) | DAC2_EN},
    EXPECT_IRQ(0),
    WAIT_44100(881),
    EXPECT_IRQ(0), /* the first is no shorter than the rest */
};

static const struct step aros_stop[] = {
    {INL, CONTROL, CDC_EN | PCLKDIV(30) | DAC2_EN},
    {OUTL, CONTROL, CDC_EN | PCLKDIV(30)},
    {INL, SCTL, AROS_SCTL},
    {OUTL, SCTL, AROS_SCTL & ~(P1_INT_EN | P2_INT_EN | R1_INT_EN)},
    EXPECT_IRQ(0),
    {INL, STATUS, STAT_IDLE},
};

static void aros_fills_the_half_that_is_not_played(void **state)
{
    static const unsigned late[] = {0, 10, 880, 0, 2500, 1, 400};
    unsigned half = 0;

    (void)state;
    PLAY(aros_start);
    for (unsigned i = 0; i < 100; i++) {
        machine_run(m, es1370_next_event(&m->card));
        machine_run(m, late[i % 7] * TICKS_44100);
        while (inl(m, STATUS) & STAT_INTR) {
            outl(m, SCTL, inl(m, SCTL) & ~P2_INT_EN);
            outl(m, SCTL, inl(m, SCTL) | P2_INT_EN);
            half ^= 1;
        }
        assert_int_equal(machine_position(m, ES1370_DAC2) / 882 % 2, half);
    }
    PLAY(aros_stop);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(linux_loads, set_up),
        cmocka_unit_test_setup(linux_plays_on_dac2, set_up),
        cmocka_unit_test_setup(linux_plays_on_dac1, set_up),
        cmocka_unit_test_setup(linux_plays_on_both, set_up),
        cmocka_unit_test_setup(linux_records_and_plays, set_up),
        cmocka_unit_test_setup(linux_plays_on_both_and_records, set_up),
        cmocka_unit_test_setup(linux_resumes, set_up),
        cmocka_unit_test_setup(linux_resumes_after_power_loss, set_up),
        cmocka_unit_test_setup(linux_unloads, set_up),
        cmocka_unit_test_setup(linux_plays_its_largest_period, set_up),
        cmocka_unit_test_setup(linux_oss_plays, set_up),
        cmocka_unit_test_setup(freebsd_plays, set_up),
        cmocka_unit_test_setup(freebsd_plays_on_dac1, set_up),
        cmocka_unit_test_setup(freebsd_polls, set_up),
        cmocka_unit_test_setup(netbsd_counts_blocks, set_up),
        cmocka_unit_test_setup(netbsd_counts_blocks_of_all_channels, set_up),
        cmocka_unit_test_setup(openbsd_finds_the_whole_block, set_up),
        cmocka_unit_test_setup(haiku_finds_its_block, set_up),
        cmocka_unit_test_setup(illumos_plays, set_up),
        cmocka_unit_test_setup(illumos_plays_on_both_and_records, set_up),
        cmocka_unit_test_setup(oss4_attaches, set_up),
        cmocka_unit_test_setup(oss4_plays, set_up),
        cmocka_unit_test_setup(minix_plays, set_up),
        cmocka_unit_test_setup(aros_fills_the_half_that_is_not_played, set_up),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
