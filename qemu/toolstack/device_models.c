/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What is known of QEMU's device models: facts of `qemu-system-x86_64 -device help`, 7.2 to 10.0.
 */
#include "toolstack/device_models.h"

#include <fnmatch.h>
#include <stddef.h>
#include <strings.h>

/* The first pattern that fits decides. */
static const struct {
    const char *pattern;
    enum model_bus bus;
} buses[] = {
    /* those that a pattern below would get wrong */
    {"usb-ehci", MODEL_ON_PCI},
    {"virtio-mem", MODEL_ELSEWHERE},
    {"virtio-pmem", MODEL_ELSEWHERE},

    /* on USB, ISA, SCSI, IDE, HD audio, I2C, virtio and virtio-serial buses */
    {"usb-*", MODEL_ELSEWHERE},
    {"u2f-*", MODEL_ELSEWHERE},
    {"ccid-*", MODEL_ELSEWHERE},
    {"isa-*", MODEL_ELSEWHERE},
    {"scsi-*", MODEL_ELSEWHERE},
    {"ide-*", MODEL_ELSEWHERE},
    {"hda-*", MODEL_ELSEWHERE},
    {"i2c-*", MODEL_ELSEWHERE},
    {"smbus-*", MODEL_ELSEWHERE},
    {"tpm-*", MODEL_ELSEWHERE},
    {"virtserialport", MODEL_ELSEWHERE},
    {"virtconsole", MODEL_ELSEWHERE},
    {"virtio-*-device", MODEL_ELSEWHERE},
    {"vhost-*-device", MODEL_ELSEWHERE},
    {"ne2k_isa", MODEL_ELSEWHERE},
    {"sb16", MODEL_ELSEWHERE},
    {"gus", MODEL_ELSEWHERE},
    {"adlib", MODEL_ELSEWHERE},
    {"cs4231a", MODEL_ELSEWHERE},
    {"pvpanic", MODEL_ELSEWHERE},
    {"ib700", MODEL_ELSEWHERE},
    {"i8042", MODEL_ELSEWHERE},
    {"vmmouse", MODEL_ELSEWHERE},
    {"sga", MODEL_ELSEWHERE},
    {"floppy", MODEL_ELSEWHERE},
    {"nvme-ns", MODEL_ELSEWHERE},
    {"nvme-subsys", MODEL_ELSEWHERE},
    {"sd-card", MODEL_ELSEWHERE},
    {"xen-disk", MODEL_ELSEWHERE},
    {"xen-cdrom", MODEL_ELSEWHERE},
    {"xen-console", MODEL_ELSEWHERE},
    {"xen-net-device", MODEL_ELSEWHERE},

    /* on no bus at all */
    {"*-cpu", MODEL_ELSEWHERE},
    {"pc-dimm", MODEL_ELSEWHERE},
    {"nvdimm", MODEL_ELSEWHERE},
    {"loader", MODEL_ELSEWHERE},
    {"guest-loader", MODEL_ELSEWHERE},
    {"ramfb", MODEL_ELSEWHERE},
    {"vmgenid", MODEL_ELSEWHERE},
    {"vmcoreinfo", MODEL_ELSEWHERE},
    {"ipmi-bmc-*", MODEL_ELSEWHERE},

    {"*-pci", MODEL_ON_PCI},
    {"*_pci", MODEL_ON_PCI},
    {"pci-*", MODEL_ON_PCI},
    {"virtio-*", MODEL_ON_PCI},
    {"vfio-pci*", MODEL_ON_PCI},
    {"xen-pvdevice", MODEL_ON_PCI},
    {"xen-platform", MODEL_ON_PCI},
    {"xen-pci-passthrough", MODEL_ON_PCI},
    {"VGA", MODEL_ON_PCI},
    {"*-vga", MODEL_ON_PCI},
    {"vmware-svga", MODEL_ON_PCI},
    {"bochs-display", MODEL_ON_PCI},
    {"qxl", MODEL_ON_PCI},
    {"rtl8139", MODEL_ON_PCI},
    {"e1000", MODEL_ON_PCI},
    {"e1000-*", MODEL_ON_PCI},
    {"e1000e", MODEL_ON_PCI},
    {"igb", MODEL_ON_PCI},
    {"i825*", MODEL_ON_PCI},
    {"i82801*", MODEL_ON_PCI},
    {"pcnet", MODEL_ON_PCI},
    {"tulip", MODEL_ON_PCI},
    {"vmxnet3", MODEL_ON_PCI},
    {"lsi*", MODEL_ON_PCI},
    {"megasas*", MODEL_ON_PCI},
    {"mptsas1068", MODEL_ON_PCI},
    {"am53c974", MODEL_ON_PCI},
    {"dc390", MODEL_ON_PCI},
    {"pvscsi", MODEL_ON_PCI},
    {"nvme", MODEL_ON_PCI},
    {"ahci", MODEL_ON_PCI},
    {"ich9-*", MODEL_ON_PCI},
    {"piix*", MODEL_ON_PCI},
    {"nec-usb-xhci", MODEL_ON_PCI},
    {"qemu-xhci", MODEL_ON_PCI},
    {"intel-hda", MODEL_ON_PCI},
    {"AC97", MODEL_ON_PCI},
    {"ac97", MODEL_ON_PCI},
    {"ivshmem-*", MODEL_ON_PCI},
    {"i6300esb", MODEL_ON_PCI},
    {"edu", MODEL_ON_PCI},
};

enum model_bus model_bus(const char *model)
{
    for (size_t i = 0; i < sizeof(buses) / sizeof(buses[0]); i++) {
        if (fnmatch(buses[i].pattern, model, 0) == 0)
            return buses[i].bus;
    }
    return MODEL_UNKNOWN;
}

static bool is_one_of(const char *model, const char *const patterns[], int flags)
{
    for (size_t i = 0; patterns[i]; i++) {
        if (fnmatch(patterns[i], model, flags) == 0)
            return true;
    }
    return false;
}

bool model_is_display(const char *model)
{
    static const char *const displays[] = {
        "VGA",     "isa-vga",    "cirrus-vga",    "isa-cirrus-vga", "vmware-svga", "qxl-vga",
        "ati-vga", "virtio-vga", "virtio-vga-gl", "vhost-user-vga", NULL,
    };

    return is_one_of(model, displays, 0);
}

const char *model_that_plays(unsigned number)
{
    static const char *const models[] = {
        "AC97",      "ES1370",           "sb16",       "gus",
        "adlib",     "cs4231a",          "hda-duplex", "hda-micro",
        "usb-audio", "virtio-sound-pci", "hda-output",
    };

    return number < sizeof(models) / sizeof(models[0]) ? models[number] : NULL;
}

bool model_plays(const char *model)
{
    for (unsigned i = 0; model_that_plays(i); i++) {
        if (strcasecmp(model, model_that_plays(i)) == 0)
            return true;
    }
    return false;
}

const char *const *model_devices(const char *name)
{
    static const struct {
        const char *name;
        const char *devices[3];
    } cards[] = {
        {"ac97", {"AC97"}},           {"hda", {"intel-hda", "hda-duplex"}},
        {"sb16", {"sb16"}},           {"gus", {"gus"}},
        {"adlib", {"adlib"}},         {"cs4231a", {"cs4231a"}},
        {"usb-audio", {"usb-audio"}}, {"virtio", {"virtio-sound-pci"}},
    };

    for (size_t i = 0; i < sizeof(cards) / sizeof(cards[0]); i++) {
        if (strcasecmp(name, cards[i].name) == 0)
            return cards[i].devices;
    }
    return NULL;
}

bool model_is_es1370(const char *model)
{
    return strcasecmp(model, "es1370") == 0;
}
