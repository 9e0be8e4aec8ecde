/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The options of the old device model, qemu-dm of 2006 to 2024 (qemu-xen-traditional), and what
 * becomes of each.
 */
#ifndef TOOLSTACK_OLD_OPTIONS_H
#define TOOLSTACK_OLD_OPTIONS_H

enum old_arity {
    OLD_ALONE,
    OLD_VALUE,
    OLD_NUMBER_MAYBE, /* xend wrote -gfx_passthru 1, libxl -gfx_passthru */
};

enum old_fate {
    OLD_PASSED,   /* to the engine, as it came */
    OLD_CONSUMED, /* it means nothing to the engine, or nothing any more */

    /* The others are translated. */
    OLD_DOMID,
    OLD_NAME,
    OLD_VNC,
    OLD_VNCLISTEN,
    OLD_VNCUNUSED,
    OLD_KEYMAP,
    OLD_KERNEL,
    OLD_INITRD,
    OLD_APPEND,
    OLD_SERIAL,
    OLD_VIDEORAM,
    OLD_STD_VGA,
    OLD_VGA,
    OLD_GFX_PASSTHRU,
    OLD_BOOT,
    OLD_USB,
    OLD_USBDEVICE,
    OLD_SOUNDHW,
    OLD_ACPI,
    OLD_NO_ACPI,
    OLD_VCPUS,
    OLD_VCPU_AVAIL,
    OLD_NET,
    OLD_LOADVM,
    OLD_MACHINE,
    OLD_MEMORY,
    OLD_LOCALTIME,
    OLD_STARTDATE,
    OLD_FDA,
    OLD_FDB,
};

struct old_option {
    const char *name; /* without its dash */
    enum old_arity arity;
    enum old_fate fate;
    const char *note; /* for the log, if its owner will miss something; or NULL */
};

/* NULL: none of the old program's. */
const struct old_option *old_option_find(const char *name);

#endif
