/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "machine.h"

#include <stdarg.h>

enum {
    SERIAL = 0x3f8,
    PIC1 = 0x20,
    PIC2 = 0xa0,
    PIC_EDGE_LEVEL = 0x4d0,
    PIT_CHANNEL_2 = 0x42,
    PIT_MODE = 0x43,
    SPEAKER = 0x61, /* bit 0 is channel 2's gate, bit 5 its output */
    RESET_CONTROL = 0xcf9,
    PCI_ADDRESS = 0xcf8,
    PM_BASE = 0xb000, /* where hvmloader puts it */
    PM_CONTROL = PM_BASE + 4,
    CODE_SEGMENT = 0x08, /* start.S */
    PIC_VECTOR = 0x20,
};
#define PIIX3_ID    UINT32_C(0x70008086)
#define PIIX4_PM_ID UINT32_C(0x71138086)

/* --- the serial line --- */

static void put(char c)
{
    while (!(in8(SERIAL + 5) & 0x20)) {
    }
    out8(SERIAL, (uint8_t)c);
}

static void put_text(const char *text)
{
    while (*text) {
        put(*text++);
    }
}

static void put_number(unsigned number)
{
    char digits[11];
    char *p = digits + sizeof digits;

    *--p = '\0';
    do {
        *--p = (char)('0' + number % 10);
    } while ((number /= 10) > 0);
    put_text(p);
}

void say(const char *format, ...)
{
    va_list values;

    va_start(values, format);
    for (; *format; format++) {
        if (*format != '%') {
            put(*format);
        } else if (*++format == 'u') {
            put_number(va_arg(values, unsigned));
        } else {
            put_text(va_arg(values, const char *));
        }
    }
    va_end(values);
    put('\n');
}

static void init_serial(void)
{
    out8(SERIAL + 3, 0x80); /* the divisor: 115200 baud */
    out8(SERIAL, 1);
    out8(SERIAL + 1, 0);
    out8(SERIAL + 3, 0x03); /* 8n1 */
    out8(SERIAL + 1, 0);
}

/* --- interrupts --- */

/* start.S; the first calls machine_on_device(). */
void device_entry(void);
void spurious_entry(void);
void machine_on_device(void);

/* None for exceptions: they end in a triple fault, of which Xen tells with all registers. */
static struct {
    uint16_t offset_low, segment, type, offset_high;
} gates[PIC_VECTOR + 16];

static void (*device_handler)(void);

void machine_on_device(void)
{
    device_handler();
    out8(PIC1, 0x20);
}

static void set_gate(unsigned vector, void (*entry)(void))
{
    uint32_t offset = (uint32_t)entry;

    gates[vector].offset_low = (uint16_t)offset;
    gates[vector].offset_high = (uint16_t)(offset >> 16);
    gates[vector].segment = CODE_SEGMENT;
    gates[vector].type = 0x8e00; /* a 32-bit interrupt gate, present */
}

static void init_pic(uint16_t pic, uint8_t vector, uint8_t cascade)
{
    out8(pic, 0x11);
    out8(pic + 1, vector);
    out8(pic + 1, cascade);
    out8(pic + 1, 0x01);
    out8(pic + 1, 0xff); /* every line masked */
}

static void init_interrupts(void)
{
    struct __attribute__((packed)) {
        uint16_t limit;
        uint32_t base;
    } table = {sizeof gates - 1, (uint32_t)gates};
    volatile uint32_t *local_apic = (volatile uint32_t *)0xfee00000;

    for (unsigned line = 0; line < 16; line++) {
        set_gate(PIC_VECTOR + line, spurious_entry);
    }
    __asm__ volatile("lidt %0" : : "m"(table));
    init_pic(PIC1, PIC_VECTOR, 0x04);
    init_pic(PIC2, PIC_VECTOR + 8, 0x02);
    local_apic[0xf0 / 4] = 0x1ff;  /* on */
    local_apic[0x350 / 4] = 0x700; /* LINT0: the 8259s */
}

void machine_sleep(void)
{
    __asm__ volatile("sti; hlt; cli" : : : "memory");
}

void machine_glance(void)
{
    __asm__ volatile("sti; nop; cli" : : : "memory");
}

void machine_mask_line(unsigned line, bool masked)
{
    uint8_t others = (uint8_t)(in8(PIC1 + 1) & ~(1u << line));

    out8(PIC1 + 1, (uint8_t)(others | (unsigned)masked << line));
}

/* --- the clock --- */

static uint32_t ticks_per_ms;

uint32_t machine_ticks(void)
{
    uint32_t low, high;

    __asm__ volatile("rdtsc" : "=a"(low), "=d"(high));
    return low >> 8 | high << 24;
}

/* By 50 ms of the timer's channel 2. */
static uint32_t measure_ticks_per_ms(void)
{
    const unsigned count = 1193182 / 20;
    uint32_t start;

    out8(SPEAKER, 0x01);
    out8(PIT_MODE, 0xb0); /* channel 2, both bytes, output high at the end */
    out8(PIT_CHANNEL_2, count & 0xff);
    out8(PIT_CHANNEL_2, count >> 8);
    start = machine_ticks();
    while (!(in8(SPEAKER) & 0x20)) {
    }
    return (machine_ticks() - start) / 50;
}

/* The shortest of some measurements, for the processor may stand still in one. */
static void init_clock(void)
{
    ticks_per_ms = UINT32_MAX;
    for (unsigned i = 0; i < 3; i++) {
        uint32_t measured = measure_ticks_per_ms();

        ticks_per_ms = measured < ticks_per_ms ? measured : ticks_per_ms;
    }
    if (ticks_per_ms == 0) {
        ticks_per_ms = 1;
    }
}

uint32_t machine_ms(uint32_t ticks)
{
    return ticks / ticks_per_ms;
}

/* --- PCI --- */

void machine_select_pci(unsigned function, unsigned offset)
{
    out32(PCI_ADDRESS, UINT32_C(0x80000000) | function << 8 | (offset & 0xfc));
}

static uint32_t config_read(unsigned function, unsigned offset)
{
    machine_select_pci(function, offset);
    return in32(MACHINE_PCI_DATA);
}

static void config_write(unsigned function, unsigned offset, uint32_t value)
{
    machine_select_pci(function, offset);
    out32(MACHINE_PCI_DATA, value);
}

unsigned machine_find_pci(uint32_t id)
{
    for (unsigned function = 0xff; function > 0; function--) {
        if (config_read(function, 0x00) == id) {
            return function;
        }
    }
    return 0;
}

bool machine_take_pci(uint32_t id, uint16_t port, unsigned line, void (*handler)(void))
{
    unsigned function = machine_find_pci(id), bridge = machine_find_pci(PIIX3_ID);

    if (function == 0 || bridge == 0 || line > 7) {
        return false;
    }
    device_handler = handler;
    set_gate(PIC_VECTOR + line, device_entry);
    /* All four PIRQs. Under Xen, QEMU 10 takes them from four bytes further up when these are
     * written: the bridge's own slot is added to them. */
    config_write(bridge, 0x64, line * UINT32_C(0x01010101));
    config_write(bridge, 0x60, line * UINT32_C(0x01010101));
    out8(PIC_EDGE_LEVEL, (uint8_t)(1u << line));
    out8(PIC1 + 1, (uint8_t) ~(1u << line));

    config_write(function, 0x04, 0);
    config_write(function, 0x10, port);
    config_write(function, 0x3c, (config_read(function, 0x3c) & 0xffffff00) | line);
    config_write(function, 0x04, 0x0005); /* I/O ports, bus master */
    return true;
}

/* --- the end --- */

/* As ACPI's S5, of which QEMU's PIIX4 has the type 0. */
void machine_off(void)
{
    unsigned power = machine_find_pci(PIIX4_PM_ID);

    config_write(power, 0x40, PM_BASE | 1);
    config_write(power, 0x80, 1);
    out16(PM_CONTROL, 0x2000);
    for (;;) {
        __asm__ volatile("cli; hlt");
    }
}

void machine_reset(void)
{
    out8(RESET_CONTROL, 0x06);
    for (;;) {
        __asm__ volatile("cli; hlt");
    }
}

void machine_init(void)
{
    init_serial();
    init_interrupts();
    init_clock();
}
