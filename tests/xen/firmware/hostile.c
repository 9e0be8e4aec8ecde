/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "hostile.h"

#include <stdbool.h>

#include "machine.h"

enum {
    LINE = 5,
    FIRST_PORT = 0xc000, /* from here on, 4 KiB are nobody else's */
    PLACES = 64,
    PORTS = 64,
    COMMAND_IO = 0x01,
    CONFIG_COMMAND = 0x04,
    CONFIG_BAR = 0x10,
    /* Registers. */
    CONTROL = 0x00,
    MEM_PAGE = 0x0c,
    SCTL = 0x20,
    WINDOW = 0x30,
    CHANNELS_EN = 0x70,
    /* Of a buffer's address, the byte that says in which 16 MiB it lies. */
    ADDRESS_TOP = WINDOW + 3,
    MAX_LINGER_MS = 40,
};
#define ES1370_ID UINT32_C(0x50001274)

/*
 * Where the card may write, which reaches 256 KiB from a buffer's address on: anywhere but in the
 * first 16 MiB, where this program is; so the top byte of the address of the ADC's buffer is never
 * 0. Of the lab's domains of 32 MB, the rest is nobody's.
 */
#define SCRATCH      UINT32_C(0x01000000)
#define END_OF_RAM   UINT32_C(0x02000000)
#define BUFFER_BYTES UINT32_C(0x00040000)

static struct {
    uint32_t random;
    unsigned function; /* the card's, on the PCI bus */
    uint16_t port;
    struct hostile_report report;
} self;

/* G. Marsaglia, "Xorshift RNGs". */
static uint32_t any(void)
{
    self.random ^= self.random << 13;
    self.random ^= self.random >> 17;
    self.random ^= self.random << 5;
    return self.random;
}

static uint32_t below(uint32_t limit)
{
    return (uint32_t)((uint64_t)any() * limit >> 32);
}

static bool one_in(uint32_t n)
{
    return below(n) == 0;
}

static unsigned any_size(void)
{
    return 1u << below(3);
}

/* What programs get wrong is at the limits. */
static uint32_t any_value(void)
{
    switch (below(6)) {
    case 0:
        return 0;
    case 1:
        return UINT32_MAX;
    case 2:
        return UINT32_C(1) << below(32);
    case 3:
        return below(256);
    default:
        return any();
    }
}

/* Of a buffer; never in the first 16 MiB. */
static uint32_t any_address(void)
{
    switch (below(6)) {
    case 0: /* across the end of memory */
        return END_OF_RAM - BUFFER_BYTES + below(2 * BUFFER_BYTES);
    case 1: /* above it */
        return END_OF_RAM + below(UINT32_MAX - END_OF_RAM);
    case 2: /* across 4 GiB */
        return UINT32_MAX - below(BUFFER_BYTES);
    default:
        return SCRATCH + below(END_OF_RAM - SCRATCH);
    }
}

/* --- single accesses --- */

static void access(uint16_t port, unsigned size, bool write, uint32_t value)
{
    self.report.accesses++;
    switch (size) {
    case 1:
        write ? out8(port, (uint8_t)value) : (void)in8(port);
        break;
    case 2:
        write ? out16(port, (uint16_t)value) : (void)in16(port);
        break;
    default:
        write ? out32(port, value) : (void)in32(port);
        break;
    }
}

static bool reaches_address_top(unsigned offset, unsigned size)
{
    return offset <= ADDRESS_TOP && ADDRESS_TOP < offset + size;
}

static void write_register(unsigned offset, unsigned size, uint32_t value)
{
    unsigned shift = 8 * (ADDRESS_TOP - offset);

    if (reaches_address_top(offset, size) && (value >> shift & 0xff) == 0) {
        value |= UINT32_C(1) << shift;
    }
    access((uint16_t)(self.port + offset), size, true, value);
}

static void access_register(void)
{
    unsigned size = any_size();
    unsigned offset = below(PORTS);

    offset = one_in(8) ? offset : offset & ~(size - 1);
    if (one_in(2)) {
        access((uint16_t)(self.port + offset), size, false, 0);
    } else {
        write_register(offset, size, any_value());
    }
}

static void write_config(unsigned offset, unsigned size, uint32_t value)
{
    machine_select_pci(self.function, offset);
    access((uint16_t)(MACHINE_PCI_DATA + offset % 4), size, true, value);
}

/* Where nothing else answers, with I/O on and the rest of the command at random: one that is no bus
 * master fetches silence. */
static void place(void)
{
    self.port = (uint16_t)(FIRST_PORT + PORTS * below(PLACES));
    write_config(CONFIG_COMMAND, 2, one_in(4) ? any() | COMMAND_IO : 5);
    write_config(CONFIG_BAR, 4, self.port);
}

static void linger(void)
{
    uint32_t start = machine_ticks(), ms = below(MAX_LINGER_MS);

    while (machine_ms(machine_ticks() - start) < ms) {
    }
}

/* Until the card is back at its place, its ports may be in other devices' way: none is used. */
static void access_config(void)
{
    for (unsigned n = below(8); n > 0; n--) {
        unsigned size = any_size();
        unsigned offset = one_in(2) ? below(0x40) : below(0x100);

        offset &= ~(size - 1);
        if (one_in(3)) {
            machine_select_pci(self.function, offset);
            access((uint16_t)(MACHINE_PCI_DATA + offset % 4), size, false, 0);
        } else {
            write_config(offset, size, any_value());
        }
    }
    if (one_in(4)) {
        linger();
    }
    place();
}

/* --- many at once --- */

/* Upwards from address, or downwards. */
#define STRING(instruction, reg)                                                                   \
    __asm__ volatile("testl %3, %3; jz 1f; std; 1: rep " instruction "; cld"                       \
                     : "+" reg(address), "+c"(count)                                               \
                     : "d"(port), "r"(down)                                                        \
                     : "memory", "cc")

static void string_in(uint16_t port, unsigned size, uint32_t address, uint32_t count, uint32_t down)
{
    if (size == 1) {
        STRING("insb", "D");
    } else if (size == 2) {
        STRING("insw", "D");
    } else {
        STRING("insl", "D");
    }
}

static void string_out(uint16_t port, unsigned size, uint32_t address, uint32_t count,
                       uint32_t down)
{
    if (size == 1) {
        STRING("outsb", "S");
    } else if (size == 2) {
        STRING("outsw", "S");
    } else {
        STRING("outsl", "S");
    }
}

/* Memory that the processor can reach without another device in the way: the scratch area, what is
 * beyond it, and the hole below 1 MiB. */
static uint32_t any_string_address(void)
{
    switch (below(4)) {
    case 0:
        return END_OF_RAM - 4 * 1024 + 4 * below(2 * 1024);
    case 1:
        return 0x000a4000 + 4 * below(0x4000);
    default:
        return SCRATCH + BUFFER_BYTES + 4 * below((END_OF_RAM - SCRATCH - 2 * BUFFER_BYTES) / 4);
    }
}

/* What is written comes from memory that the card may have filled: that is not for the top byte. */
static void access_by_string(void)
{
    unsigned size = any_size(), offset = below(PORTS) & ~(size - 1);
    uint32_t count = below(one_in(16) ? 512 : 32), address = any_string_address();
    uint16_t port = (uint16_t)(self.port + offset);
    uint32_t down = one_in(4);

    self.report.strings++;
    self.report.repeats += count;
    if (one_in(2) || reaches_address_top(offset, size)) {
        string_in(port, size, address, count, down);
    } else {
        string_out(port, size, address, count, down);
    }
}

/* --- channels and their interrupts --- */

/* Each has a buffer somewhere, of any size, or of one that goes round soon. */
static void start_channels(void)
{
    self.report.starts++;
    for (unsigned ch = 0; ch < 3; ch++) {
        unsigned window = WINDOW + ch % 2 * 8;

        write_register(MEM_PAGE, 4, 0x0c + ch / 2);
        write_register(window, 4, any_address());
        write_register(window + 4, 4, one_in(2) ? any() : below(64));
        write_register(SCTL + 4 + ch * 4, 4, one_in(2) ? any() : below(4096));
    }
    write_register(SCTL, 4, any());
    write_register(CONTROL, 4, any() | CHANNELS_EN);
    if (one_in(2)) {
        linger();
    }
}

/* The line may stay asserted for ever: the next interrupt is for glance() to allow. Nothing here is
 * at random, for when it happens is not the seed's doing. */
static void on_interrupt(void)
{
    machine_mask_line(LINE, true);
    if (self.report.interrupts++ % 2 == 0) {
        write_register(SCTL, 4, 0);
    }
}

static void glance(void)
{
    machine_mask_line(LINE, false);
    machine_glance();
    machine_mask_line(LINE, true);
}

static void do_harm(void)
{
    switch (below(32)) {
    case 0:
        access_config();
        break;
    case 1:
        start_channels();
        break;
    case 2:
        glance();
        break;
    case 3:
        access_by_string();
        break;
    default:
        access_register();
        break;
    }
}

/*
 * The lab's dom0 is twenty times slower than it is on hardware, so that interrupts and strings as
 * fast as they can come take all the time it has, and a guest that plays beside this one has none:
 * after each round the card may rest for as long as that took, more often than not with its
 * channels stopped. Returns the ticks of both.
 */
static uint32_t do_round(void)
{
    uint32_t start = machine_ticks(), took;

    for (unsigned n = below(32); n > 0; n--) {
        do_harm();
    }
    if (!one_in(4)) {
        write_register(CONTROL, 4, any() & ~(uint32_t)CHANNELS_EN);
    }
    took = machine_ticks() - start;
    while (machine_ticks() - start < 2 * took) {
    }
    return 2 * took;
}

struct hostile_report hostile(uint32_t seconds, uint32_t seed)
{
    uint32_t ms = 0, ticks = 0;

    self = (__typeof__(self)){.random = seed > 0 ? seed : 1};
    self.function = machine_find_pci(ES1370_ID);
    machine_take_pci(ES1370_ID, FIRST_PORT, LINE, on_interrupt);
    place();
    while (ms < seconds * 1000) {
        ticks += do_round();
        if (machine_ms(ticks) >= 1000) { /* before they go round */
            ms += machine_ms(ticks);
            ticks = 0;
        }
    }
    return self.report;
}
