/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The state of the ES1370's three channels and what a driver's writes do to
 * it. Nothing here moves a frame: see es1370_dma.c.
 */
#include "hw/es1370_private.h"

#include <string.h>

#define CONTROL_ADC_STOP     0x80000000u
#define CONTROL_DAC_SYNC     0x00000800u
#define CONTROL_DAC1_EN      0x00000040u
#define CONTROL_DAC2_EN      0x00000020u
#define CONTROL_ADC_EN       0x00000010u
#define CONTROL_SERR_DISABLE 0x00000001u

#define STATUS_INTR    0x80000000u
#define STATUS_VC_NONE 0x00000060u /* the channel a CCB interrupt belongs to: none */
#define STATUS_UART    0x00000008u
#define STATUS_DAC1    0x00000004u
#define STATUS_DAC2    0x00000002u
#define STATUS_ADC     0x00000001u

#define SCTL_R1_LOOP_SEL 0x00008000u
#define SCTL_P2_LOOP_SEL 0x00004000u
#define SCTL_P1_LOOP_SEL 0x00002000u
#define SCTL_P2_PAUSE    0x00001000u
#define SCTL_P1_PAUSE    0x00000800u
#define SCTL_R1_INT_EN   0x00000400u
#define SCTL_P2_INT_EN   0x00000200u
#define SCTL_P1_INT_EN   0x00000100u
#define SCTL_P1_SCT_RLD  0x00000080u
/* Of each channel's two bits of format. */
#define FORMAT_STEREO 0x1u
#define FORMAT_16BIT  0x2u

const struct es1370_channel_bits es1370_channel_bits[ES1370_CHANNELS] = {
    [ES1370_DAC1] =
        {
            .control_enable = CONTROL_DAC1_EN,
            .sctl_hold = SCTL_P1_PAUSE,
            .sctl_interrupt = SCTL_P1_INT_EN,
            .sctl_stop = SCTL_P1_LOOP_SEL,
            .sctl_format_shift = 0,
            .status = STATUS_DAC1,
        },
    [ES1370_DAC2] =
        {
            .control_enable = CONTROL_DAC2_EN,
            .sctl_hold = SCTL_P2_PAUSE,
            .sctl_interrupt = SCTL_P2_INT_EN,
            .sctl_stop = SCTL_P2_LOOP_SEL,
            .sctl_format_shift = 2,
            .status = STATUS_DAC2,
        },
    [ES1370_ADC] =
        {
            .control_enable = CONTROL_ADC_EN,
            .control_hold = CONTROL_ADC_STOP,
            .sctl_interrupt = SCTL_R1_INT_EN,
            .sctl_stop = SCTL_R1_LOOP_SEL,
            .sctl_format_shift = 4,
            .status = STATUS_ADC,
        },
};

uint32_t es1370_frame_ticks(uint32_t control, enum es1370_channel ch)
{
    uint32_t rate_select = control >> 12 & 0x3;
    uint32_t divider = control >> 16 & 0x1fff;

    /* DAC_SYNC is for DAC2 to run off DAC1's clock, after T. Sailer, who had the data sheet. M_SBB,
     * for DAC2 to run off the clock of an MPEG decoder, has no effect: no board has one, and a
     * guest that sets it by mistake is better off with a clock than without. */
    if (ch == ES1370_DAC1 || (ch == ES1370_DAC2 && control & CONTROL_DAC_SYNC)) {
        return 20480u >> rate_select; /* 5512.5, 11025, 22050, 44100 Hz */
    }
    /*
     * The chip runs at 1411200 / (PCLKDIV + 2) Hz and so cannot make 48000. Every driver that is
     * asked for them writes 27, which is 48662 Hz, and tells its users 48000: this card, which
     * is not bound to a crystal, runs at what they mean. No driver writes less than 27 (up to
     * 705600 Hz): that is not let through either.
     */
    return divider <= 27 ? (uint32_t)(ES1370_HZ / 48000) : 80 * (divider + 2);
}

static uint32_t format_bits(uint32_t sctl, enum es1370_channel ch)
{
    return sctl >> es1370_channel_bits[ch].sctl_format_shift & (FORMAT_STEREO | FORMAT_16BIT);
}

struct pcm_format es1370_format(const struct es1370 *card, enum es1370_channel ch)
{
    uint32_t bits = format_bits(card->sctl, ch);
    uint32_t ticks = es1370_frame_ticks(card->control, ch);

    return (struct pcm_format){
        .rate = ((uint32_t)ES1370_HZ + ticks / 2) / ticks,
        .channels = bits & FORMAT_STEREO ? 2 : 1,
        .bits = bits & FORMAT_16BIT ? 16 : 8,
    };
}

uint32_t es1370_frame_time(const struct es1370 *card, enum es1370_channel ch)
{
    return es1370_frame_ticks(card->control, ch);
}

bool es1370_is_moving(const struct es1370 *card, enum es1370_channel ch)
{
    return card->channel[ch].running && !(card->control & es1370_channel_bits[ch].control_hold) &&
           !(card->sctl & es1370_channel_bits[ch].sctl_hold);
}

uint32_t es1370_status(const struct es1370 *card)
{
    uint32_t pending = es1370_uart_interrupt(card) ? STATUS_UART : 0;

    for (enum es1370_channel ch = 0; ch < ES1370_CHANNELS; ch++) {
        pending |= card->channel[ch].pending ? es1370_channel_bits[ch].status : 0;
    }
    return STATUS_VC_NONE | pending | (pending ? STATUS_INTR : 0);
}

void es1370_update_irq(struct es1370 *card)
{
    bool irq = es1370_status(card) & STATUS_INTR;

    if (irq != card->irq) {
        card->irq = irq;
        card->host.set_irq(card->host.opaque, irq);
    }
}

void es1370_update_stream(struct es1370 *card, enum es1370_channel ch)
{
    struct es1370_dma *d = &card->channel[ch];
    struct pcm_format format = es1370_format(card, ch);
    bool news = !pcm_format_equal(&format, &d->told);
    bool moving = es1370_is_moving(card, ch);

    if (moving && (news || !d->streaming)) {
        d->streaming = true;
        d->told = format;
        card->host.start(card->host.opaque, ch, &format);
    } else if (!moving && d->streaming) {
        d->streaming = false;
        card->host.stop(card->host.opaque, ch);
    } else if (!moving && news && d->prepared) {
        d->told = format;
        card->host.prepare(card->host.opaque, ch, &format);
    }
}

void es1370_channels_reset(struct es1370 *card)
{
    for (enum es1370_channel ch = 0; ch < ES1370_CHANNELS; ch++) {
        if (card->channel[ch].streaming) {
            card->host.stop(card->host.opaque, ch);
        }
    }
    memset(card->channel, 0, sizeof(card->channel));
    card->control = CONTROL_SERR_DISABLE;
    card->sctl = 0;
    es1370_update_irq(card);
}

void es1370_channels_set_control(struct es1370 *card, uint32_t control)
{
    uint32_t old = card->control;

    card->control = control;
    for (enum es1370_channel ch = 0; ch < ES1370_CHANNELS; ch++) {
        struct es1370_dma *d = &card->channel[ch];
        bool enabled = control & es1370_channel_bits[ch].control_enable;

        if ((control ^ old) & es1370_channel_bits[ch].control_enable) {
            d->running = enabled;
            d->phase = 0;
            d->owed = 0;
            d->acknowledging = false;
            if (enabled) {
                d->prepared = false;
            }
        } else if (es1370_frame_ticks(control, ch) != es1370_frame_ticks(old, ch)) {
            d->phase = 0;
        }
        es1370_update_stream(card, ch);
    }
}

static void set_interrupt_enable(struct es1370_dma *d, bool on)
{
    if (!on) {
        /* The way to acknowledge an interrupt, and the only one. */
        d->acknowledging = d->pending;
        d->pending = false;
    } else if (d->owed > 0) {
        d->owed--;
        d->pending = true;
    }
}

void es1370_channels_set_sctl(struct es1370 *card, uint32_t sctl)
{
    uint32_t old = card->sctl;

    card->sctl = sctl & ES1370_SCTL_BITS;
    for (enum es1370_channel ch = 0; ch < ES1370_CHANNELS; ch++) {
        struct es1370_dma *d = &card->channel[ch];

        if ((card->sctl ^ old) & es1370_channel_bits[ch].sctl_interrupt) {
            set_interrupt_enable(d, card->sctl & es1370_channel_bits[ch].sctl_interrupt);
        }
        if (format_bits(card->sctl, ch) != format_bits(old, ch)) {
            d->longword_used = 0; /* a frame of the new format might not fit into the rest */
        }
        es1370_update_stream(card, ch);
    }
    if (card->sctl & SCTL_P1_SCT_RLD) {
        card->channel[ES1370_DAC1].samples_left = card->channel[ES1370_DAC1].sample_count;
    }
    es1370_update_irq(card);
}

/*
 * Drivers disagree on whether this restarts the current count. Those that prepare a stopped
 * channel (Linux, AROS) need it, or the first period is short; Linux's old OSS driver changes
 * the periods of a running one and needs the current to go on.
 */
void es1370_channel_set_sample_count(struct es1370 *card, enum es1370_channel ch, uint16_t frames)
{
    struct es1370_dma *d = &card->channel[ch];

    d->sample_count = frames;
    d->owed = 0;
    if (!(card->control & es1370_channel_bits[ch].control_enable)) {
        d->samples_left = frames;
        d->prepared = true;
        d->told.rate = 0; /* so that the host is told again */
        es1370_update_stream(card, ch);
    }
}

void es1370_channel_set_address(struct es1370 *card, enum es1370_channel ch, uint32_t address)
{
    card->channel[ch].frame_address = address & ~3u;
    card->channel[ch].longword_used = 0;
}

void es1370_channel_set_frame(struct es1370 *card, enum es1370_channel ch, uint32_t frame)
{
    struct es1370_dma *d = &card->channel[ch];

    d->size = (uint16_t)frame;
    d->count = (uint16_t)(frame >> 16);
    d->longword_used = 0;
    d->owed = 0;
    /* A guest can say that more has moved than there is (CVE-2020-13361 in QEMU). */
    if (d->count > d->size) {
        d->count = 0;
    }
}
