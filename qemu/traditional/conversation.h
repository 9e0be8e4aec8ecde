/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a toolstack of qemu-xen-traditional's days says over xenstore, said on to
 * the modern engine over QMP, and the engine's answers written where that
 * toolstack reads them. D is /local/domain/0/device-model/DOMID:
 *
 *   D/command         save, continue, pci-ins, pci-rem, usb-add, usb-del; removed once it is read
 *   D/parameter       what pci-* and usb-* are about; pci-ins: its address in the guest, or why not
 *   D/state           paused, running, pci-inserted, pci-insert-failed, pci-removed, usb-added,
 *                     usb-deleted
 *   D/logdirty/cmd    enable, disable; echoed into D/logdirty/ret
 *   params            of a CD drive's backend: another medium
 *   cpu/N/availability   of the domain: a vCPU more
 *
 * The engine is to be started with -S. It is let go (`cont`) once the display's and the serial
 * ports' places are in xenstore, and itself writes "running" into D/state when it goes: the
 * toolstack, which waits for that word alone, finds them there.
 *
 * The protocol: xen.org's qemu-xen-traditional (xenstore.c) and libxl 4.17. One thread.
 */
#ifndef TRADITIONAL_CONVERSATION_H
#define TRADITIONAL_CONVERSATION_H

#include "base/err.h"

struct conversation;

/* As those of engine/qmp_relay.h, but for continued: that comes before the engine is told, because
 * the engine itself tells the toolstack, which may let the guest run before it has told us. */
struct conversation_hooks {
    void *opaque;
    /* A connection to the engine's QMP, opened for an operation and closed after it; -1 with err
     * set. At conversation_open it need not be answered yet. */
    int (*connect)(void *opaque, struct err *err);
    void (*stopped)(void *opaque); /* the engine has stopped; the toolstack does not know it yet */
    void (*saved)(void *opaque, int fd); /* likewise; fd is for writing only, its offset behind the
                                            engine's last byte */
    void (*continued)(void *opaque);     /* the machine is about to run, the guest not before */
};

struct conversation_settings {
    unsigned domid;
    const char *save_prefix; /* behind it DOMID: the file for the engine's state; NULL:
                                "/var/lib/xen/qemu-save." */
    struct conversation_hooks hooks;
};

/* Watches xenstore, and waits for the engine to begin its talk. The media that are in the drives
 * now are taken for those that the engine was started with. NULL with err set. */
struct conversation *conversation_open(const struct conversation_settings *settings,
                                       struct err *err);

/* Readable when conversation_serve has something to do. */
int conversation_fd(const struct conversation *c);

/* Does what has been asked for. Waits for nothing but the engine's answers: 10 seconds each at
 * most, 60 where it stops, saves or goes on. */
void conversation_serve(struct conversation *c);

/* Asks the guest to let go of a device of the engine's, by its id, as pci-rem does; the toolstack
 * hears nothing of it. Waits as above. How that went is logged. */
void conversation_unplug(struct conversation *c, const char *device);

/* c may be NULL. */
void conversation_close(struct conversation *c);

#endif
