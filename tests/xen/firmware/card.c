/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "card.h"

#include "machine.h"

enum {
    PORT = 0xc200,
    LINE = 5,
    CONTROL = PORT,
    STATUS = PORT + 0x04,
    UART_CONTROL = PORT + 0x09,
    MEM_PAGE = PORT + 0x0c,
    CODEC = PORT + 0x10,
    SCTL = PORT + 0x20,
    DAC2_COUNT = PORT + 0x28,
    DAC2_ADDRESS = PORT + 0x38, /* both in page Ch */
    DAC2_SIZE = PORT + 0x3c,
    DAC2_PAGE = 0x0c,
    CODEC_BUSY = 0x400,
    CONTROL_44100 = 30 << 16 | 0x02, /* and the codec's interface on */
    DAC2_EN = 0x20,
    FORMAT = 2 << 19 | 0x0c, /* 16 bits, stereo */
    DAC2_INT = 0x200,
    BUFFER = CARD_BUFFER_FRAMES,
    PERIOD = CARD_PERIOD_FRAMES,
};
#define ES1370_ID   UINT32_C(0x50001274)
#define STATUS_INTR UINT32_C(0x80000000)

static volatile uint32_t buffer[BUFFER] __attribute__((aligned(4096)));

/* Frames are counted from the start of the play, and go round in the buffer. */
static struct {
    uint32_t next, end; /* of the pattern: the number to be filled in, the first that is not its */
    uint32_t played;    /* how far the card is */
    uint32_t filled;    /* how far the buffer is filled */
    uint32_t ended;     /* when played is here, so is the pattern; 0 while it is not filled in */
    uint32_t started, looked; /* ticks */
    struct card_report report;
} play;

/* What the card plays in so many ticks. */
static uint32_t frames_in(uint32_t ticks)
{
    return machine_ms(ticks) * 441 / 10;
}

static void fill(void)
{
    uint32_t period = play.played / PERIOD * PERIOD;

    if (play.filled < play.played) {
        play.filled = period + PERIOD; /* too late for what is being played */
    }
    for (; play.filled < period + BUFFER; play.filled++) {
        bool silent = play.next == play.end;

        buffer[play.filled % BUFFER] = silent ? 0 : pattern_frame(play.next++);
        if (!silent && play.next == play.end) {
            play.ended = play.filled + 1;
        }
    }
}

static void look(void)
{
    uint32_t before = machine_ticks(), after, moved;

    out32(MEM_PAGE, DAC2_PAGE);
    moved = ((in32(DAC2_SIZE) >> 16) - play.played) % BUFFER;
    after = machine_ticks();
    /* The processor may stand still in between: the card has moved for as long as that at most. A
     * step back looks like one of almost the whole buffer. */
    if (moved > frames_in(after - play.looked) + PERIOD) {
        play.report.jumps++;
    }
    play.played += moved;
    play.looked = before;
}

/*
 * The position alone does not tell whether the card has gone once round since the last look; but
 * there is an interrupt for each period it has played, and none before.
 */
static void judge(void)
{
    uint32_t due = ++play.report.interrupts * PERIOD;
    uint32_t late;

    if (play.played < due) {
        if (play.played + BUFFER <= frames_in(play.looked - play.started) + PERIOD) {
            play.played += BUFFER;
            play.filled += BUFFER; /* what is to come is where it was */
            play.ended += play.ended > 0 ? BUFFER : 0;
            play.report.xruns++;
        } else {
            play.report.early++;
            return;
        }
    }
    late = (play.played - due) * 10 / 441;
    if (play.report.late_ms < late) {
        play.report.late_ms = late;
    }
}

static void on_interrupt(void)
{
    if (!(in32(STATUS) & STATUS_INTR)) {
        return;
    }
    out32(SCTL, FORMAT);
    out32(SCTL, FORMAT | DAC2_INT);
    look();
    judge();
    fill();
}

static void write_codec(unsigned reg, unsigned value)
{
    while (in32(STATUS) & CODEC_BUSY) {
    }
    out16(CODEC, (uint16_t)(reg << 8 | value));
}

bool card_init(void)
{
    if (!machine_take_pci(ES1370_ID, PORT, LINE, on_interrupt)) {
        return false;
    }
    out32(CONTROL, CONTROL_44100);
    out8(UART_CONTROL, 0);
    out32(SCTL, FORMAT);
    write_codec(0x16, 0x02); /* reset */
    write_codec(0x16, 0x03);
    write_codec(0x17, 0x00); /* the clock of all drivers */
    write_codec(0x00, 0x00); /* master: 0 dB */
    write_codec(0x01, 0x00);
    write_codec(0x02, 0x06); /* voice, which is the second DAC: 0 dB */
    write_codec(0x03, 0x06);
    write_codec(0x11, 0x0c); /* and to the output */
    return true;
}

void card_play(uint32_t first, uint32_t frames)
{
    out32(CONTROL, CONTROL_44100);
    out32(SCTL, FORMAT);
    play = (__typeof__(play)){.next = first, .end = first + frames};
    fill();
    out32(MEM_PAGE, DAC2_PAGE);
    out32(DAC2_ADDRESS, (uint32_t)buffer);
    out32(DAC2_SIZE, BUFFER - 1);
    out32(DAC2_COUNT, PERIOD - 1);
    play.started = play.looked = machine_ticks();
    out32(SCTL, FORMAT | DAC2_INT);
    out32(CONTROL, CONTROL_44100 | DAC2_EN);
}

void card_wait(uint32_t seconds)
{
    uint32_t until = play.played + seconds * PATTERN_RATE;

    while (play.played < until) {
        machine_sleep();
    }
}

void card_finish(void)
{
    while (play.ended == 0 || play.played < play.ended) {
        machine_sleep();
    }
}

struct card_report card_report(void)
{
    return play.report;
}
