/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The card's state, saved and loaded: at any moment, without a trace; and bytes that are no card's
 * state, which must not become one's. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "fakes/es1370_machine.h"
#include "hw/es1370_state.h"

static struct machine machine, reference;
static struct machine *const m = &machine;

static uint8_t state_bytes[2048];
static size_t state_size;

static int set_up(void **state)
{
    (void)state;
    machine_power_on(m);
    machine_power_on(&reference);
    return 0;
}

static void save(void)
{
    state_size = es1370_save(&m->card, state_bytes, sizeof(state_bytes));
    assert_in_range(state_size, 1, sizeof(state_bytes));
}

/* The computer stays, the card is pulled and a new one put in, which knows nothing. */
static void change_card(void)
{
    const struct es1370_host host = m->card.host;

    m->irq = false;
    m->midi.listened_to = false;
    for (unsigned ch = 0; ch < ES1370_CHANNELS; ch++) {
        m->stream[ch].running = false;
    }
    es1370_init(&m->card, &host);
}

static void save_and_load(void)
{
    save();
    change_card();
    assert_null(es1370_load(&m->card, state_bytes, state_size));
}

static uint32_t random_state;

static uint32_t random32(void)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 17;
    random_state ^= random_state << 5;
    return random_state;
}

/* All three channels, in three formats and with periods that end anywhere. */
static void start_all(struct machine *to)
{
    outw(to, CODEC, 0x0207);
    outl(to, LEGACY, 0x12345678);
    outl(to, MEM_PAGE, 0x9);
    outl(to, 0x34, 0x89abcdef);
    outl(to, CONTROL, WTSRSEL(1) | PCLKDIV(37) | CDC_EN | UART_EN);
    outb(to, UART_STATUS, RXINTEN);
    outb(to, UART_RES, 0x01);
    memset(to->midi.in, 0x5c, sizeof(to->midi.in));
    to->midi.waiting = 1000;
    machine_prepare(to, ES1370_DAC1, MACHINE_RAM, 1000, U8_MONO, 77);
    machine_prepare(to, ES1370_DAC2, MACHINE_RAM + 0x10000, 3000, S16_STEREO, 129);
    machine_prepare(to, ES1370_ADC, MACHINE_RAM + 0x20000, 2000, S16_MONO, 200);
    outl(to, CONTROL, inl(to, CONTROL) | DAC1_EN | DAC2_EN | ADC_EN);
}

/* A guest that is late, pauses, changes formats and starts anew: the same in each run. */
static void guest(struct machine *to, unsigned step)
{
    if (step % 3 != 0 || step % 64 < 50) {
        for (unsigned ch = 0; ch < ES1370_CHANNELS; ch++) {
            if (inl(to, STATUS) & machine_channels[ch].status) {
                machine_acknowledge(to, ch);
            }
        }
    }
    if (step % 7 == 0) {
        outb(to, UART_DATA, (uint8_t)step);
    }
    if (step % 100 == 0) {
        outb(to, UART_STATUS, step % 300 == 0 ? RXINTEN : TXINTEN);
    }
    switch (step % 1000) {
    case 200:
    case 260:
        outl(to, SCTL, inl(to, SCTL) ^ P2_PAUSE);
        break;
    case 300:
        outl(to, SCTL, inl(to, SCTL) & ~(P1_INT_EN | P2_INT_EN)); /* half of an acknowledgement */
        break;
    case 301:
        outl(to, SCTL, inl(to, SCTL) | P1_INT_EN | P2_INT_EN);
        break;
    case 400:
        outl(to, SCTL, inl(to, SCTL) ^ P1_MODE(S16_STEREO));
        break;
    case 500:
        machine_enable(to, ES1370_ADC, false);
        outl(to, machine_channels[ES1370_ADC].count, 150);
        break;
    case 520:
        machine_enable(to, ES1370_ADC, true);
        break;
    case 600:
        outl(to, CONTROL, inl(to, CONTROL) ^ PCLKDIV(37 ^ 52));
        break;
    case 650:
        outl(to, CONTROL, inl(to, CONTROL) & ~UART_EN);
        break;
    case 660:
        outl(to, CONTROL, inl(to, CONTROL) | UART_EN);
        to->midi.waiting += 1000;
        break;
    case 700:
        outl(to, SCTL, inl(to, SCTL) ^ R1_LOOP_SEL);
        break;
    case 900:
        machine_enable(to, ES1370_ADC, false);
        machine_enable(to, ES1370_ADC, true);
        break;
    }
}

static void assert_same_registers(void)
{
    unsigned page = inb(m, MEM_PAGE);

    assert_int_equal(page, inb(&reference, MEM_PAGE));
    for (unsigned p = 0; p < 16; p++) {
        outb(m, MEM_PAGE, (uint8_t)p);
        outb(&reference, MEM_PAGE, (uint8_t)p);
        for (unsigned reg = p == 0 ? 0 : 0x30; reg < 0x40; reg += 4) {
            assert_int_equal(inl(m, reg), inl(&reference, reg));
        }
    }
    outb(m, MEM_PAGE, (uint8_t)page);
    outb(&reference, MEM_PAGE, (uint8_t)page);
}

static void assert_same_run(void)
{
    for (unsigned ch = 0; ch < ES1370_CHANNELS; ch++) {
        struct machine_stream *a = &m->stream[ch], *b = &reference.stream[ch];

        assert_int_equal(a->bytes, b->bytes);
        assert_memory_equal(a->sound, b->sound, ch == ES1370_ADC ? 0 : a->bytes);
        assert_int_equal(a->running, b->running);
        assert_true(!a->running || pcm_format_equal(&a->format, &b->format));
    }
    assert_int_equal(m->midi.sent, reference.midi.sent);
    assert_memory_equal(m->midi.out, reference.midi.out, m->midi.sent);
    assert_int_equal(m->midi.taken, reference.midi.taken);
    assert_memory_equal(m->ram, reference.ram, MACHINE_RAM_BYTES);
    assert_memory_equal(m->card.codec.reg, reference.card.codec.reg, AK4531_REGISTERS);
}

/* Steps of ticks each, or of a random part of them. */
static void run_both(unsigned steps, uint32_t ticks, bool anywhere)
{
    random_state = 0x5a7e5a7e;
    start_all(m);
    start_all(&reference);
    for (unsigned step = 0; step < steps; step++) {
        uint32_t more = anywhere ? random32() % ticks : ticks;

        save_and_load();
        assert_int_equal(m->irq, reference.irq);
        assert_int_equal(es1370_next_event(&m->card), es1370_next_event(&reference.card));
        machine_run(m, more);
        machine_run(&reference, more);
        guest(m, step);
        guest(&reference, step);
        assert_same_registers();
    }
    assert_true(m->stream[ES1370_DAC1].bytes > steps / 16);
    assert_true(m->midi.sent > 100 && m->midi.taken > 100);
    assert_same_run();
}

static void goes_on_from_any_frame(void **state)
{
    (void)state;
    run_both(5000, 3120, false); /* each of DAC2's first frames */
}

static void goes_on_from_any_tick(void **state)
{
    (void)state;
    run_both(10000, 10240, true);
}

/* Between the two writes of an acknowledgement, in which a period ends. */
static void goes_on_from_half_an_acknowledgement(void **state)
{
    (void)state;
    outl(m, CONTROL, PCLKDIV(30));
    machine_prepare(m, ES1370_DAC2, MACHINE_RAM, 4096, S16_STEREO, 100);
    machine_enable(m, ES1370_DAC2, true);
    machine_run(m, 100 * TICKS_44100);
    assert_true(m->irq);
    outl(m, SCTL, inl(m, SCTL) & ~P2_INT_EN);
    save_and_load();
    machine_run(m, 100 * TICKS_44100);
    assert_false(m->irq);
    save_and_load();
    outl(m, SCTL, inl(m, SCTL) | P2_INT_EN);
    assert_true(m->irq);
}

/* What the host is told by loading. */
static void the_host_is_told(void **state)
{
    (void)state;
    start_all(m);
    machine_enable(m, ES1370_DAC2, false);
    machine_enable(m, ES1370_ADC, false);
    outl(m, ADC_COUNT, 99);
    machine_run(m, 77 * 10240);
    assert_true(m->irq);
    save();
    change_card();
    assert_int_equal(es1370_read(&m->card, SCTL, 4), 0);
    m->mixer_changes = m->irqs = 0;
    for (unsigned ch = 0; ch < ES1370_CHANNELS; ch++) {
        m->stream[ch].starts = m->stream[ch].stops = m->stream[ch].prepares = 0;
    }

    assert_null(es1370_load(&m->card, state_bytes, state_size));
    assert_true(m->irq);
    assert_int_equal(m->mixer_changes, 1);
    assert_int_equal(m->stream[ES1370_DAC1].starts, 1);
    assert_int_equal(m->stream[ES1370_DAC1].format.rate, 11025);
    assert_int_equal(m->stream[ES1370_DAC2].starts + m->stream[ES1370_DAC2].prepares, 0);
    assert_int_equal(m->stream[ES1370_ADC].starts, 0);
    assert_int_equal(m->stream[ES1370_ADC].prepares, 1);
    assert_true(m->card.pci.bars[0].mapped);
    assert_int_equal(m->card.pci.bars[0].base, MACHINE_PORT);

    /* Into a card that is running: what ran ends first (else the machine aborts). */
    machine_power_on(m);
    start_all(m);
    machine_run(m, 1000 * 10240);
    assert_null(es1370_load(&m->card, state_bytes, state_size));
    assert_int_equal(m->stream[ES1370_DAC1].stops, 1);
    assert_int_equal(m->stream[ES1370_DAC1].starts, 2);
    assert_false(m->stream[ES1370_DAC2].running);
}

static void too_small_a_buffer(void **state)
{
    uint8_t guard[64];

    (void)state;
    save();
    assert_int_equal(es1370_save(&m->card, NULL, 0), state_size);
    memset(guard, 0xa5, sizeof(guard));
    assert_int_equal(es1370_save(&m->card, guard, 32), state_size);
    for (unsigned i = 32; i < sizeof(guard); i++) {
        assert_int_equal(guard[i], 0xa5);
    }
}

/* Either the bytes are refused and the card is as before; or it takes them, and keeps its promises
 * (else the machine aborts). Returns whether it took them. */
static bool try(const uint8_t *bytes, size_t size)
{
    static struct es1370 before;
    const char *why;

    change_card();
    memcpy(&before, &m->card, sizeof(before));
    why = es1370_load(&m->card, bytes, size);
    if (why) {
        assert_true(strlen(why) > 20);
        assert_memory_equal(&before, &m->card, sizeof(before));
        assert_false(m->irq);
        return false;
    }
    for (unsigned i = 0; i < 6; i++) {
        machine_run(m, 40000u * i);
        machine_acknowledge(m, i % ES1370_CHANNELS);
    }
    return true;
}

static void wrong_lengths(void **state)
{
    (void)state;
    start_all(m);
    save();
    memset(state_bytes + state_size, 0, sizeof(state_bytes) - state_size);
    for (size_t size = 0; size < sizeof(state_bytes); size++) {
        assert_int_equal(try(state_bytes, size), size == state_size);
    }
}

static void any_bit_wrong(void **state)
{
    unsigned taken = 0;

    (void)state;
    start_all(m);
    machine_run(m, 100 * 10240 + 1234);
    save();
    for (size_t bit = 0; bit < 8 * state_size; bit++) {
        state_bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
        taken += try(state_bytes, state_size);
        state_bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    assert_in_range(taken, 1000, 8 * state_size - 1000); /* addresses, counts and memory are free */
}

/* Many bits wrong, in a state of which some is right. */
static void random_states(void **state)
{
    static uint8_t bytes[sizeof(state_bytes)];
    unsigned taken = 0;

    (void)state;
    random_state = 0xbadcab1e;
    start_all(m);
    machine_run(m, 100 * 10240 + 1234);
    save();
    for (unsigned i = 0; i < 20000; i++) {
        memcpy(bytes, state_bytes, state_size);
        for (unsigned n = random32() % 16; n > 0; n--) {
            size_t at = 260 + random32() % (state_size - 260); /* after the PCI configuration */
            uint32_t value = random32();

            bytes[at] = random32() % 2 ? (uint8_t)value : value % 2 ? 0x00 : 0x01;
        }
        taken += try(bytes, state_size);
    }
    assert_in_range(taken, 2000, 19000);
}

/* States that no sequence of writes leads to, saved as if one had. */
static void impossible_states(void **state)
{
    enum {
        COUNT,
        ADDRESS,
        LONGWORD,
        HALF_FRAME,
        PHASE,
        RUNNING,
        PENDING,
        OWED,
        LOST,
        SCTL_BITS,
        PAGE,
        UART_OFF,
        SENT,
        RECEIVED,
        HELD,
        FIFO_READ,
        FIFO_WRITE,
        CASES
    };

    for (unsigned i = 0; i < CASES; i++) {
        struct es1370_dma *d = &m->card.channel[ES1370_DAC2];

        set_up(state);
        start_all(m);
        machine_run(m, 10 * 3120);
        switch (i) {
        case COUNT:
            d->count = (uint16_t)(d->size + 1);
            break;
        case ADDRESS:
            d->frame_address |= 2;
            break;
        case LONGWORD:
            d->longword_used = 4;
            break;
        case HALF_FRAME:
            d->longword_used = 2;
            break;
        case PHASE:
            d->phase = 3120;
            break;
        case RUNNING:
            m->card.control &= ~DAC2_EN;
            break;
        case PENDING:
            d->pending = true;
            m->card.sctl &= ~P2_INT_EN;
            break;
        case OWED:
            d->pending = true;
            d->owed = 33;
            break;
        case LOST:
            d->owed = 1;
            break;
        case SCTL_BITS:
            m->card.sctl |= 0x00400000;
            break;
        case PAGE:
            m->card.mem_page = 16;
            break;
        case UART_OFF:
            m->card.control &= ~UART_EN;
            break;
        case SENT:
            m->card.uart.sent_ticks = 36127;
            break;
        case RECEIVED:
            m->card.uart.received_ticks = 36127;
            break;
        case HELD:
            m->card.uart.held = true;
            break;
        case FIFO_READ:
            m->card.uart.fifo_read = 8;
            break;
        case FIFO_WRITE:
            m->card.uart.fifo_write = 8;
            break;
        }
        save();
        assert_false(try(state_bytes, state_size));
    }
}

static void another_version_or_card(void **state)
{
    (void)state;
    save();
    state_bytes[0]++;
    assert_non_null(strstr(es1370_load(&m->card, state_bytes, state_size), "version"));
    state_bytes[0]--;
    state_bytes[4] ^= 1; /* its vendor */
    assert_non_null(strstr(es1370_load(&m->card, state_bytes, state_size), "another"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(goes_on_from_any_frame, set_up),
        cmocka_unit_test_setup(goes_on_from_any_tick, set_up),
        cmocka_unit_test_setup(goes_on_from_half_an_acknowledgement, set_up),
        cmocka_unit_test_setup(the_host_is_told, set_up),
        cmocka_unit_test_setup(too_small_a_buffer, set_up),
        cmocka_unit_test_setup(wrong_lengths, set_up),
        cmocka_unit_test_setup(any_bit_wrong, set_up),
        cmocka_unit_test_setup(random_states, set_up),
        cmocka_unit_test_setup(impossible_states, set_up),
        cmocka_unit_test_setup(another_version_or_card, set_up),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
