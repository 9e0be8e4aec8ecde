/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A domain, as one of its emulated devices sees it: an ioreq server of the
 * device's own, the guest's memory, an interrupt line.
 *
 * Everything but guest_open, guest_close and guest_retire belongs to the one
 * thread that serves the guest. A fake of this interface drives the card in
 * tests.
 */
#ifndef XEN_GUEST_H
#define XEN_GUEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

struct guest;

/* What the guest asks of the device. bytes is 1, 2 or 4; values beyond bytes are ignored. */
struct guest_device {
    void *opaque;
    uint32_t (*config_read)(void *opaque, unsigned offset, unsigned bytes);
    void (*config_write)(void *opaque, unsigned offset, unsigned bytes, uint32_t value);
    uint32_t (*port_read)(void *opaque, uint16_t port, unsigned bytes);
    void (*port_write)(void *opaque, uint16_t port, unsigned bytes, uint32_t value);
};

/*
 * Joins domain domid as the emulator of PCI function 00:slot.0. To be called
 * while the domain is still paused, and best before its other device model
 * starts. On return this process's Xen handles can touch no other domain.
 * device is copied. NULL with err set.
 */
struct guest *guest_open(uint16_t domid, uint8_t slot, const struct guest_device *device,
                         struct err *err);

/* Leaves the domain: interrupt released, ioreq server destroyed, nothing mapped. */
void guest_close(struct guest *g);

/* The number of the guest's ioreq server, for guest_retire. */
uint16_t guest_server_id(const struct guest *g);

/* Destroys an ioreq server whose process has died, so that the guest's accesses no longer wait
 * for it. For another process than the one that made it. */
bool guest_retire(uint16_t domid, uint16_t server_id, struct err *err);

/* Readable when guest_serve has something to do. */
int guest_fd(const struct guest *g);

/* Answers every request that is waiting, without blocking. */
void guest_serve(struct guest *g);

/* I/O ports first .. first + count - 1 become the device's (or stop being so). False when Xen
 * refuses; errno says why. */
bool guest_map_ports(struct guest *g, uint16_t first, uint16_t count);
bool guest_unmap_ports(struct guest *g, uint16_t first, uint16_t count);

/* Guest-physical memory. Where there is no RAM a read gives zeros and a write goes nowhere; both
 * then return false. Pages stay mapped until the guest gives them up; what is written is reported
 * to Xen as dirty. */
bool guest_read(struct guest *g, uint64_t address, void *data, size_t len);
bool guest_write(struct guest *g, uint64_t address, const void *data, size_t len);

/* INTA# of the device. */
void guest_set_intx(struct guest *g, bool asserted);

#endif
