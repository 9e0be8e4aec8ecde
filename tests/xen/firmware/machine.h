/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The PC that Xen and its device model make: i440FX, PIIX3 and PIIX4 as QEMU's, interrupts by the
 * two 8259s. One processor, no timer.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

static inline void out8(uint16_t port, uint8_t value)
{
    __asm__ volatile("outb %0, %1" : : "a"(value), "Nd"(port) : "memory");
}

static inline void out16(uint16_t port, uint16_t value)
{
    __asm__ volatile("outw %0, %1" : : "a"(value), "Nd"(port) : "memory");
}

static inline void out32(uint16_t port, uint32_t value)
{
    __asm__ volatile("outl %0, %1" : : "a"(value), "Nd"(port) : "memory");
}

static inline uint8_t in8(uint16_t port)
{
    uint8_t value;

    __asm__ volatile("inb %1, %0" : "=a"(value) : "Nd"(port) : "memory");
    return value;
}

static inline uint16_t in16(uint16_t port)
{
    uint16_t value;

    __asm__ volatile("inw %1, %0" : "=a"(value) : "Nd"(port) : "memory");
    return value;
}

static inline uint32_t in32(uint16_t port)
{
    uint32_t value;

    __asm__ volatile("inl %1, %0" : "=a"(value) : "Nd"(port) : "memory");
    return value;
}

/* Serial line, interrupt controllers and clock. Interrupts are off until machine_sleep(). */
void machine_init(void);

/* Writes to the serial line; of printf's conversions it knows %u and %s. */
void say(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* The processor's time stamp counter, 256 of it a tick: it goes round after some minutes, so only
 * differences tell. And how many milliseconds a difference is. */
uint32_t machine_ticks(void);
uint32_t machine_ms(uint32_t ticks);

/* A device on bus 0 by the word "device << 16 | vendor": its device and function number; 0, which
 * is the host bridge, if there is none. */
unsigned machine_find_pci(uint32_t id);

/* Configuration space: shows the longword around that offset at the four ports from
 * MACHINE_PCI_DATA on. */
enum { MACHINE_PCI_DATA = 0xcfc };
void machine_select_pci(unsigned function, unsigned offset);

/* Looks for a device as above, and gives it the I/O ports from
 * that one on by its first BAR, and the interrupt line for its INTA#. False: there is none. */
bool machine_take_pci(uint32_t id, uint16_t port, unsigned line, void (*handler)(void));

/* Waits for an interrupt, and lets its handler run. */
void machine_sleep(void);

/* Lets the handler run if there is an interrupt now. */
void machine_glance(void);

/* Whether the interrupt line, of the first eight, is heard. */
void machine_mask_line(unsigned line, bool masked);

_Noreturn void machine_off(void);
_Noreturn void machine_reset(void);
