/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Where QEMU would put the sound card on PCI bus 0.
 *
 * A device without addr= gets the lowest free device number when it is created. The machine comes
 * first: host bridge 0, PIIX3 1, then the -vga card, the -net and -nic cards, xen-platform (xenfv
 * only); then -soundhw's card; then the -device ones in their order. (QEMU 7.2 to 10.0:
 * hw/i386/pc_piix.c, softmmu/vl.c or system/vl.c, hw/pci/pci.c.) What is created later, disks and
 * -usbdevice and PCI devices that come over QMP, takes no part.
 */
#ifndef TOOLSTACK_PCI_SLOTS_H
#define TOOLSTACK_PCI_SLOTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "toolstack/option.h"

enum machine_kind {
    MACHINE_NONE, /* "none", or a request for help: nothing will run */
    MACHINE_PC,
    MACHINE_XENFV, /* pc with xen-platform */
};

struct machine {
    enum machine_kind kind;
    bool igd_passthru;
};

/* Reads -machine, -M and -accel. False with err if the machine is not one of the above. */
bool machine_read(struct machine *machine, const struct option *options, size_t count,
                  struct err *err);

/* Reads "SLOT" or "SLOT.FUNCTION", both hexadecimal as QEMU reads addr=; false if it is not that
 * or out of range. */
bool pci_address_parse(const char *text, unsigned *slot, unsigned *function);

/*
 * Sets *slot to the lowest number free for the card, which is one of options, or NULL for a card
 * that QEMU makes before every -device. *doubt becomes a sentence for the log if QEMU itself might
 * have chosen another number, else NULL; the caller frees it. Wherever there is doubt the higher
 * number is chosen: too high leaves a gap, too low clashes with a device.
 *
 * False with err if there is no free number or no memory; then *doubt is NULL.
 */
bool pci_slot_for_card(uint8_t *slot, char **doubt, const struct machine *machine,
                       const struct option *options, size_t count, const struct option *card,
                       struct err *err);

#endif
