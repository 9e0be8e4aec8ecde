/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The modern command line, in the form and the order of libxl in Xen 4.17
 * (tools/libs/light/libxl_dm.c, libxl__build_device_model_args_new), for QEMU 7.2 and later. Only
 * -no-acpi, which QEMU has dropped since, is the machine's acpi=off.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "toolstack/modern_line.h"

enum {
    CIRRUS_MIB = 4, /* what libxl gives the old device model's cards if nobody says */
    STD_MIB = 8,
};

static bool is_hvm(const struct old_line *line)
{
    return strcmp(line->machine, "xenpv") != 0;
}

static void add_name(struct modern_line *a, const char *name)
{
    char *escaped = name ? modern_escape(a, name) : NULL;

    modern_add_pair(a, "-name", escaped);
    free(escaped);
}

static void add_vga(struct modern_line *a, const struct old_line *line,
                    const struct old_facts *facts)
{
    uint64_t mib = line->videoram_mib ? line->videoram_mib : (facts->videoram_kib + 1023) / 1024;

    switch (line->vga) {
    case OLD_VGA_CIRRUS:
        /* QEMU's has 4, 8 or 16. */
        mib = mib == 0 ? CIRRUS_MIB : mib <= 4 ? 4 : mib <= 8 ? 8 : 16;
        modern_add(a, "-device");
        modern_add(a, "cirrus-vga,vgamem_mb=%u", (unsigned)mib);
        break;
    case OLD_VGA_STD_CARD:
        mib = mib == 0 ? STD_MIB : mib > 512 ? 512 : mib;
        modern_add(a, "-device");
        modern_add(a, "VGA,vgamem_mb=%u", (unsigned)mib);
        break;
    case OLD_VGA_VMWARE:
        modern_add_pair(a, "-device", "vmware-svga");
        break;
    case OLD_VGA_NO_CARD:
        break;
    }
}

/* QEMU no longer has -usbdevice host:BUS.ADDRESS and host:VENDOR:PRODUCT. */
static void add_usb_device(struct modern_line *a, const char *text)
{
    unsigned first, second;
    int length = 0;

    if (sscanf(text, "host:%3u.%3u%n", &first, &second, &length) == 2 && text[length] == '\0') {
        modern_add(a, "-device");
        modern_add(a, "usb-host,hostbus=%u,hostaddr=%u", first, second);
    } else if (sscanf(text, "host:%4x:%4x%n", &first, &second, &length) == 2 &&
               text[length] == '\0') {
        modern_add(a, "-device");
        modern_add(a, "usb-host,vendorid=0x%04x,productid=0x%04x", first, second);
    } else {
        modern_add_pair(a, "-usbdevice", text);
    }
}

static void add_usb(struct modern_line *a, const struct old_line *line)
{
    if (line->usb)
        modern_add(a, "-usb");
    for (unsigned i = 0; i < line->usb_devices.count; i++)
        add_usb_device(a, line->usb_devices.items[i]);
}

static void add_sound(struct modern_line *a, const char *card)
{
    if (card && strcmp(card, "hda") == 0) {
        modern_add_pair(a, "-device", "intel-hda");
        modern_add_pair(a, "-device", "hda-duplex");
    } else {
        modern_add_pair(a, "-device", card);
    }
}

/* How many of the vCPUs are there from the start, 1 .. line->vcpus. */
static unsigned vcpus_at_start(const struct old_line *line, const struct old_facts *facts)
{
    unsigned count = line->has_vcpu_avail ? 0 : facts->vcpus_online;

    for (unsigned i = 0; i < line->vcpus && line->has_vcpu_avail; i++)
        count += line->vcpu_avail[i / 64] >> i % 64 & 1;
    return count == 0 || count > line->vcpus ? line->vcpus : count;
}

static void add_hvm_devices(struct modern_line *a, const struct old_line *line,
                            const struct old_facts *facts)
{
    modern_add_pair(a, "-kernel", line->kernel);
    modern_add_pair(a, "-initrd", line->initrd);
    modern_add_pair(a, "-append", line->kernel ? line->append : NULL);
    modern_add_scsi_controller(a, facts);
    for (unsigned i = 0; i < line->serials.count; i++)
        modern_add_pair(a, "-serial", line->serials.items[i]);
    add_vga(a, line, facts);
    if (line->boot) {
        modern_add(a, "-boot");
        modern_add(a, "order=%s", line->boot);
    }
    add_usb(a, line);
    add_sound(a, line->sound);
    if (line->vcpus > 1) {
        modern_add(a, "-smp");
        modern_add(a, "%u,maxcpus=%u", vcpus_at_start(line, facts), line->vcpus);
    }
    modern_add_networks(a, line);
}

static void add_machine(struct modern_line *a, const struct old_line *line,
                        const struct old_facts *facts)
{
    char hole[60] = "";

    modern_add(a, "-machine");
    if (strcmp(line->machine, "xenfv") != 0) {
        modern_add(a, "%s", line->machine);
        return;
    }
    if (facts->mmio_hole_bytes > 0 && facts->mmio_hole_bytes < UINT64_C(1) << 32)
        snprintf(hole, sizeof(hole), ",max-ram-below-4g=%llu",
                 (1ull << 32) - (unsigned long long)facts->mmio_hole_bytes);
    modern_add(a, "%s,suppress-vmdesc=on%s%s%s",
               facts->no_platform_device ? "pc,accel=xen" : "xenfv", hole,
               line->gfx_passthru ? ",igd-passthru=on" : "", line->acpi ? "" : ",acpi=off");
}

/* What the guest has besides the video memory. 0: nobody says. */
static uint64_t memory_mib(const struct old_line *line, const struct old_facts *facts)
{
    uint64_t kib = facts->memory_kib;

    if (kib == 0)
        return line->memory_mib;
    if (facts->videoram_kib < kib)
        kib -= facts->videoram_kib;
    return (kib + 1023) / 1024;
}

static void add_all(struct modern_line *a, const struct old_line *line,
                    const struct old_facts *facts, int incoming_fd)
{
    modern_add(a, "qemu-dm");
    modern_add(a, "-xen-domid");
    modern_add(a, "%u", line->domid);
    modern_add(a, "-no-shutdown");
    modern_add(a, "-chardev");
    modern_add(a, "socket,id=libxl-cmd,path=/var/run/xen/qmp-libxl-%u,server=on,wait=off",
               line->domid);
    modern_add_pair(a, "-mon", "chardev=libxl-cmd,mode=control");
    modern_add(a, "-nodefaults");
    modern_add(a, "-no-user-config");
    if (!is_hvm(line))
        modern_add(a, "-xen-attach");
    add_name(a, line->name);
    modern_add_display(a, line);
    modern_add_pair(a, "-k", line->keymap);
    if (is_hvm(line))
        add_hvm_devices(a, line, facts);
    else if (!line->vnc && !line->vnc_unused)
        modern_add(a, "-nographic");
    if (line->clock) {
        modern_add(a, "-rtc");
        modern_add(a, "base=%s", line->clock);
    }
    if (incoming_fd >= 0) {
        modern_add(a, "-incoming");
        modern_add(a, "fd:%d", incoming_fd);
    }
    for (unsigned i = 0; i < line->passed_count; i++)
        modern_add(a, "%s", line->passed[i]);
    add_machine(a, line, facts);
    for (unsigned i = 0; i < line->passed_last_count; i++)
        modern_add(a, "%s", line->passed_last[i]);
    modern_add(a, "-m");
    modern_add(a, "%llu", (unsigned long long)memory_mib(line, facts));
    if (is_hvm(line))
        modern_add_disks(a, line, facts);
}

char **old_line_translate(const struct old_line *line, const struct old_facts *facts,
                          int incoming_fd, struct err *err)
{
    struct modern_line a = {0};

    if (memory_mib(line, facts) == 0) {
        err_set(err,
                "nobody says how much memory domain %u has: neither memory/static-max nor "
                "memory/target is in /local/domain/%u of xenstore, nor has qemu-dm been given -m",
                line->domid, line->domid);
        return NULL;
    }
    if (line->loadvm && incoming_fd < 0) {
        err_set(err, "-loadvm %.200s: this saved state has not been opened", line->loadvm);
        return NULL;
    }
    add_all(&a, line, facts, incoming_fd);
    if (!a.failed)
        return a.words.list;
    arguments_free(&a.words);
    err_set(err, "out of memory while translating the old command line");
    return NULL;
}

void old_argv_free(char **argv)
{
    for (char **arg = argv; arg && *arg; arg++)
        free(*arg);
    free(argv);
}
