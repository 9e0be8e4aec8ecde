/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which of QEMU's options are followed by a value.
 *
 * Without knowing that, a domain named "-device" would be read as a device. The names are those
 * of QEMU 7.2 to 10.0 (their `-h`), and -soundhw and -watchdog of before. Every other option is
 * taken to stand alone: if a later QEMU has one with a value, the value reads as a bare word or as
 * an option of its own, and both reach the engine as they came.
 */
#include "toolstack/option.h"

#include <stdlib.h>
#include <string.h>

/* In the order of strcmp. */
static const char *const with_value[] = {
    "D",          "L",
    "M",          "accel",
    "acpitable",  "action",
    "add-fd",     "append",
    "audio",      "audiodev",
    "bios",       "blockdev",
    "boot",       "cdrom",
    "chardev",    "chroot",
    "compat",     "cpu",
    "d",          "debugcon",
    "device",     "dfilter",
    "display",    "drive",
    "dtb",        "dump-vmstate",
    "echr",       "fda",
    "fdb",        "fsdev",
    "fw_cfg",     "g",
    "gdb",        "global",
    "hda",        "hdb",
    "hdc",        "hdd",
    "icount",     "incoming",
    "initrd",     "iscsi",
    "k",          "kernel",
    "loadvm",     "m",
    "machine",    "mem-path",
    "mon",        "monitor",
    "msg",        "mtdblock",
    "name",       "net",
    "netdev",     "nic",
    "numa",       "object",
    "option-rom", "overcommit",
    "parallel",   "pflash",
    "pidfile",    "plugin",
    "prom-env",   "qmp",
    "qmp-pretty", "qtest",
    "qtest-log",  "readconfig",
    "rotate",     "rtc",
    "run-with",   "runas",
    "sandbox",    "sd",
    "seed",       "semihosting-config",
    "serial",     "set",
    "shim",       "smbios",
    "smp",        "soundhw",
    "spice",      "tpmdev",
    "trace",      "usbdevice",
    "uuid",       "vga",
    "virtfs",     "vnc",
    "watchdog",   "watchdog-action",
    "xen-domid",
};

static int compare_names(const void *key, const void *element)
{
    return strcmp(key, *(const char *const *)element);
}

bool option_takes_value(const char *name)
{
    return bsearch(name, with_value, sizeof(with_value) / sizeof(with_value[0]),
                   sizeof(with_value[0]), compare_names) != NULL;
}
