/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "hw/pci.h"

enum {
    BAR_IO_SPACE = 0x1, /* bit 0 of a BAR: it lies in I/O space */
    LOWEST_IO_BIT = 2,  /* bits below hold flags, not the address */
    LOWEST_MEMORY_BIT = 4,
    IO_PORTS = 0x10000, /* a PC's */
};

static bool access_is_legal(unsigned offset, unsigned bytes)
{
    return (bytes == 1 || bytes == 2 || bytes == 4) && offset < PCI_CONFIG_BYTES &&
           offset % 4 + bytes <= 4;
}

static void put_bytes(uint8_t *to, unsigned bytes, uint32_t value)
{
    for (unsigned i = 0; i < bytes; i++) {
        to[i] = (uint8_t)(value >> (8 * i));
    }
}

void pci_set(struct pci_function *f, unsigned offset, unsigned bytes, uint32_t value)
{
    put_bytes(f->config + offset, bytes, value);
}

void pci_set_writable(struct pci_function *f, unsigned offset, unsigned bytes, uint32_t mask)
{
    put_bytes(f->writable + offset, bytes, mask);
}

uint16_t pci_command(const struct pci_function *f)
{
    return (uint16_t)pci_config_read(f, PCI_COMMAND, 2);
}

void pci_add_bar(struct pci_function *f, unsigned index, bool io, uint32_t bytes)
{
    unsigned offset = PCI_BAR0 + 4 * index;
    uint32_t flags = (1u << (io ? LOWEST_IO_BIT : LOWEST_MEMORY_BIT)) - 1;

    f->bars[index] = (struct pci_bar){.bytes = bytes, .io = io};
    pci_set(f, offset, 4, io ? BAR_IO_SPACE : 0);
    pci_set_writable(f, offset, 4, ~(bytes - 1) & ~flags);
}

/* Where the registers say that the BAR lies now. */
static struct pci_bar decode_bar(const struct pci_function *f, unsigned index)
{
    struct pci_bar bar = f->bars[index];
    uint32_t address_bits = ~(bar.bytes - 1);
    uint32_t base = pci_config_read(f, PCI_BAR0 + 4 * index, 4) & address_bits;
    bool enabled = pci_command(f) & (bar.io ? PCI_COMMAND_IO : PCI_COMMAND_MEMORY);

    bar.mapped = enabled && base != 0 && base != address_bits && (!bar.io || base < IO_PORTS);
    bar.base = bar.mapped ? base : 0;
    return bar;
}

static void update_bars(struct pci_function *f)
{
    for (unsigned i = 0; i < PCI_BARS; i++) {
        struct pci_bar bar;

        if (f->bars[i].bytes == 0) {
            continue;
        }
        bar = decode_bar(f, i);
        if (bar.mapped != f->bars[i].mapped || bar.base != f->bars[i].base) {
            f->bars[i] = bar;
            if (f->bar_changed) {
                f->bar_changed(f->opaque, i, &f->bars[i]);
            }
        }
    }
}

uint32_t pci_config_read(const struct pci_function *f, unsigned offset, unsigned bytes)
{
    uint32_t value = 0;

    if (!access_is_legal(offset, bytes)) {
        return UINT32_MAX;
    }
    for (unsigned i = 0; i < bytes; i++) {
        value |= (uint32_t)f->config[offset + i] << (8 * i);
    }
    return value;
}

void pci_config_write(struct pci_function *f, unsigned offset, unsigned bytes, uint32_t value)
{
    if (!access_is_legal(offset, bytes)) {
        return;
    }
    for (unsigned i = offset; i < offset + bytes; i++, value >>= 8) {
        f->config[i] = (uint8_t)((f->config[i] & ~f->writable[i]) | (value & f->writable[i]));
    }
    update_bars(f);
}

void pci_config_restore(struct pci_function *f, const uint8_t config[PCI_CONFIG_BYTES])
{
    for (unsigned i = 0; i < PCI_CONFIG_BYTES; i++) {
        f->config[i] = (uint8_t)((f->config[i] & ~f->writable[i]) | (config[i] & f->writable[i]));
    }
    update_bars(f);
}

void pci_reset(struct pci_function *f)
{
    static const uint8_t zeros[PCI_CONFIG_BYTES];

    pci_config_restore(f, zeros);
}
