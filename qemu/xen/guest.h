/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A domain, as one of its emulated devices sees it: an ioreq server of the
 * device's own, the guest's memory, an interrupt line.
 *
 * Everything but the functions that join and leave belongs to the one thread
 * that serves the guest. A fake of this interface drives the card in tests.
 */
#ifndef XEN_GUEST_H
#define XEN_GUEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

struct guest;

/* A request that has been carried out, and what the guest is told. */
struct guest_answer {
    int32_t vcpu; /* 0..; -1: none */
    uint64_t value;
};

/* What the guest asks of the device. bytes is 1, 2 or 4; values beyond bytes are ignored. */
struct guest_device {
    void *opaque;
    uint32_t (*config_read)(void *opaque, unsigned offset, unsigned bytes);
    void (*config_write)(void *opaque, unsigned offset, unsigned bytes, uint32_t value);
    uint32_t (*port_read)(void *opaque, uint16_t port, unsigned bytes);
    void (*port_write)(void *opaque, uint16_t port, unsigned bytes, uint32_t value);

    /* For a device that another process may have to go on with (guest_take_over); else NULL. Each
     * request is begun, carried out by one of the above or more, and done; then the guest is
     * told. */
    void (*begun)(void *opaque);
    void (*done)(void *opaque, const struct guest_answer *answer);
};

/*
 * Joins domain domid as the emulator of PCI function 00:slot.0. To be called
 * while the domain is still paused, and best before its other device model
 * starts. On return this process's Xen handles can touch no other domain.
 * device is copied. NULL with err set.
 */
struct guest *guest_open(uint16_t domid, uint8_t slot, const struct guest_device *device,
                         struct err *err);

/*
 * Goes on for a process that has died without leaving the domain, with its ioreq server: PCI
 * function and ports are the device's still, and the interrupt line is as it was. What the guest
 * has asked meanwhile waits for guest_serve. A request that the dead process was at is answered as
 * last says if that is about it, and else carried out, once more or for the first time. last is
 * what was done last, or none if another request has begun since. NULL with err set; the server is
 * then as it was.
 */
struct guest *guest_take_over(uint16_t domid, uint8_t slot, uint16_t server_id,
                              const struct guest_device *device, const struct guest_answer *last,
                              struct err *err);

/* Leaves the domain: interrupt released, ioreq server destroyed, nothing mapped. */
void guest_close(struct guest *g);

/* The number of the guest's ioreq server, for guest_take_over and guest_retire. */
uint16_t guest_server_id(const struct guest *g);

/*
 * Takes the device of a process that has died from the guest: its interrupt line is released, what
 * was asked of it reads as all ones, and its ioreq server is destroyed. (A vCPU that waited for an
 * answer from a server that is merely destroyed would wait for ever.) For another process than the
 * one that made it; waits a few hundredths of a second. False with err set.
 */
bool guest_retire(uint16_t domid, uint8_t slot, uint16_t server_id, struct err *err);

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
