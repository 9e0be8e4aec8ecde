/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The command line of the old device model, qemu-dm of 2006 to 2024 (qemu-xen-traditional), as
 * xend, xm and libxl with device_model_version="qemu-xen-traditional" write it, and the one that
 * libxl of Xen 4.17 writes for the same machine when the device model is a modern one.
 *
 * The old one says nothing of disks and memory, which the old device model looked up in xenstore:
 * they are a struct old_facts.
 *
 * Pure; any thread.
 */
#ifndef TOOLSTACK_OLD_LINE_H
#define TOOLSTACK_OLD_LINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

enum {
    OLD_VCPUS_MAX = 128, /* what Xen gives an HVM domain */
    OLD_WORDS_MAX = 512, /* of a command line */
    OLD_LIST_MAX = 32,
    OLD_DISKS_MAX = 16,
    OLD_PATH_MAX = 1024,
    OLD_NOTE_MAX = 1000,
};

enum old_vga { OLD_VGA_CIRRUS, OLD_VGA_STD_CARD, OLD_VGA_VMWARE, OLD_VGA_NO_CARD };

struct old_list {
    const char *items[OLD_LIST_MAX];
    unsigned count;
};

/* One -net nic,... or -net tap,... */
struct old_net {
    bool is_nic;
    unsigned vlan;
    const char *text; /* all of it */
};

/* What was asked. The strings are those of the command line that was read. */
struct old_line {
    uint16_t domid;
    const char *name; /* NULL: none */

    const char *vnc;        /* HOST:DISPLAY or DISPLAY, with its options; NULL: no -vnc */
    const char *vnc_listen; /* where a DISPLAY alone listens; NULL: 127.0.0.1 */
    bool vnc_unused;        /* take the next free display */
    const char *keymap;

    const char *kernel, *initrd, *append; /* of a direct boot */
    struct old_list serials;

    enum old_vga vga;
    unsigned videoram_mib; /* 0: not said */
    bool gfx_passthru;

    const char *boot;
    bool usb;
    struct old_list usb_devices;
    const char
        *sound; /* one card, as -device has it ("hda" for intel-hda with its codec), or NULL */
    bool acpi;
    unsigned vcpus; /* 1 .. OLD_VCPUS_MAX */
    bool has_vcpu_avail;
    uint64_t vcpu_avail[2]; /* bit n of the whole: vCPU n is there from the start */

    struct old_net nets[OLD_LIST_MAX];
    unsigned net_count;

    const char *loadvm;  /* the file of a saved state, for the caller to open; or NULL */
    const char *machine; /* "xenfv" unless it says otherwise */
    unsigned memory_mib; /* 0: not said, as is usual */
    const char *clock;   /* "localtime" or a date; NULL: UTC */
    const char *floppies[2];

    /* For the engine as they are: those before -M and those behind it. */
    const char *passed[OLD_WORDS_MAX], *passed_last[OLD_WORDS_MAX];
    unsigned passed_count, passed_last_count;

    char note[OLD_NOTE_MAX]; /* what its owner should read in the log, one line; may be "" */
};

struct old_disk {
    unsigned vbd;  /* its number in xenstore */
    bool is_scsi;  /* sda .. sdg, else hda .. hdd */
    unsigned unit; /* hda, sda: 0 */
    bool is_cdrom;
    bool is_read_only;       /* a SCSI disk; IDE disks cannot be, CD-ROMs are */
    char path[OLD_PATH_MAX]; /* absolute; "": an empty CD-ROM drive */
    const char *format;      /* as QEMU calls it */
};

/* What xenstore knows of the domain. */
struct old_facts {
    uint64_t memory_kib; /* the most it can have, with the video memory; 0: xenstore doesn't say */
    uint64_t videoram_kib; /* of those; 0: xenstore doesn't say */
    unsigned vcpus_online; /* 0: xenstore doesn't say */
    bool no_platform_device;
    uint64_t mmio_hole_bytes; /* below 4 GiB; 0: as usual */
    struct old_disk disks[OLD_DISKS_MAX];
    unsigned disk_count;
    char vnc_password_path[256]; /* the node with the password for VNC; "": there is none */
    char note[OLD_NOTE_MAX];     /* as in struct old_line */
};

/* Whether this is the old program's command line: it has -domain-name, or -d with the number of a
 * domain, and no -xen-domid. */
bool old_line_is(int argc, const char *const argv[]);

/* Reads such a command line (argv[0] is not read), which has to outlive line. False with err
 * naming the option, what is wrong and what would be right. */
bool old_line_read(struct old_line *line, int argc, const char *const argv[], struct err *err);

/* The modern command line, ended by NULL; [0] is "qemu-dm". incoming_fd is the open file of
 * line->loadvm, -1 without one. NULL with err set. */
char **old_line_translate(const struct old_line *line, const struct old_facts *facts,
                          int incoming_fd, struct err *err);

/* argv may be NULL. */
void old_argv_free(char **argv);

#endif
