/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The configuration space of one PCI function (type 0 header), as a table of
 * bytes and of what may be written to each bit.
 *
 * Source: PCI Local Bus Specification 3.0, chapter 6.
 */
#ifndef HW_PCI_H
#define HW_PCI_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { PCI_CONFIG_BYTES = 256, PCI_BARS = 6 };

enum pci_register {
    PCI_VENDOR_ID = 0x00,
    PCI_DEVICE_ID = 0x02,
    PCI_COMMAND = 0x04,
    PCI_STATUS = 0x06,
    PCI_REVISION = 0x08,
    PCI_CLASS = 0x09, /* three bytes: interface, subclass, class */
    PCI_LATENCY_TIMER = 0x0d,
    PCI_BAR0 = 0x10,
    PCI_SUBSYSTEM_VENDOR_ID = 0x2c,
    PCI_SUBSYSTEM_ID = 0x2e,
    PCI_INTERRUPT_LINE = 0x3c,
    PCI_INTERRUPT_PIN = 0x3d,
    PCI_MIN_GNT = 0x3e,
    PCI_MAX_LAT = 0x3f,
};

enum pci_command {
    PCI_COMMAND_IO = 0x0001,
    PCI_COMMAND_MEMORY = 0x0002,
    PCI_COMMAND_MASTER = 0x0004,
    PCI_COMMAND_SERR = 0x0100,
};

/* Where a BAR is decoded. mapped is false while the command register disables its kind of
 * decoding, or the address is one that firmware uses for sizing (all ones), has not set (0), or
 * that no PC can reach (I/O above its 64 Ki ports). */
struct pci_bar {
    uint32_t bytes; /* a power of two from 4 (I/O) or 16 (memory); 0: the BAR does not exist */
    bool io;
    bool mapped;
    uint32_t base; /* 0 while not mapped */
};

struct pci_function {
    uint8_t config[PCI_CONFIG_BYTES];
    uint8_t writable[PCI_CONFIG_BYTES]; /* 1: the bit takes what is written */
    struct pci_bar bars[PCI_BARS];

    void *opaque;
    /* A BAR's decoding has changed: bar is as it now is. May be NULL. */
    void (*bar_changed)(void *opaque, unsigned index, const struct pci_bar *bar);
};

/* Sets a 1-, 2- or 4-byte register's value without regard to what is writable. */
void pci_set(struct pci_function *f, unsigned offset, unsigned bytes, uint32_t value);

/* Lets a guest write the bits that are 1 in mask. */
void pci_set_writable(struct pci_function *f, unsigned offset, unsigned bytes, uint32_t mask);

uint16_t pci_command(const struct pci_function *f);

/* Declares a BAR and makes its address bits writable. index 0..5. */
void pci_add_bar(struct pci_function *f, unsigned index, bool io, uint32_t bytes);

/* A guest's access. offset and bytes are the guest's: anything outside 0..255 or not 1, 2 or
 * 4 bytes inside one aligned longword reads as all ones and is not written. */
uint32_t pci_config_read(const struct pci_function *f, unsigned offset, unsigned bytes);
void pci_config_write(struct pci_function *f, unsigned offset, unsigned bytes, uint32_t value);

/* All that a guest can write is as in config from here on, bar_changed told; the rest stays. */
void pci_config_restore(struct pci_function *f, const uint8_t config[PCI_CONFIG_BYTES]);

/* To the state after RST#: all that a guest can write is cleared, bar_changed told. */
void pci_reset(struct pci_function *f);

#endif
