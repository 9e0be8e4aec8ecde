/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What xenstore knows of a domain, as the old device model looked it up: memory, vCPUs, disks.
 *
 * What stands in the guest's own part of xenstore may be the guest's invention: from there nothing
 * is taken but the names of its disks, each checked against the backend that only the toolstack
 * writes.
 */
#ifndef TRADITIONAL_FACTS_H
#define TRADITIONAL_FACTS_H

#include "toolstack/old_line.h"
#include "xen/store.h"

/* Reads what there is about domain domid; what is missing or makes no sense is zero, and disks
 * that the guest cannot see as emulated ones are left out and noted. False with err: no memory. */
bool facts_read(struct old_facts *facts, struct store *s, uint16_t domid, struct err *err);

/* The backend of the disk with this name in /local/domain/DOMID/device/vbd, checked that it is
 * dom0's and this domain's; to be freed. NULL: there is none (or no memory). */
char *facts_disk_backend(struct store *s, uint16_t domid, const char *name);

/* The medium that a disk's backend holds: the path of a file or a block device, "" for none, and
 * its format as QEMU calls it. False with err if the backend says nothing that QEMU could open. */
bool facts_disk_medium(struct store *s, const char *backend, char path[OLD_PATH_MAX],
                       const char **format, struct err *err);

/* Tells the domain's firmware that its machine is the modern QEMU's. To be called before the
 * domain first runs: hvmloader chooses the ACPI tables (DSDT) by this
 * (tools/firmware/hvmloader/util.c, hvmloader_acpi_build_tables), and the old device model's have
 * other ports for hotplug than QEMU has. */
bool facts_announce_engine(struct store *s, uint16_t domid, struct err *err);

#endif
