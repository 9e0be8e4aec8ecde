/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The names and arities are those of vl.c in qemu-xen-traditional (qemu_options), and, at the end,
 * of the device models of Xen 3.0 and 3.1, which xend gave -isa, -vnclisten and -vncviewer.
 */
#include "toolstack/old_options.h"

#include <stddef.h>
#include <string.h>

#define NO_WINDOW   "the engine opens no window on the host; ask for VNC (vnc=1) to see the display"
#define NO_SLIRP    "the engine has no such option; write it in -net user,..."
#define NO_GEOMETRY "the engine guesses the disk's geometry itself"

static const struct old_option options[] = {
    /* what the toolstacks write */
    {"d", OLD_VALUE, OLD_DOMID, NULL},
    {"domid", OLD_VALUE, OLD_DOMID, NULL},
    {"domain-name", OLD_VALUE, OLD_NAME, NULL},
    {"name", OLD_VALUE, OLD_NAME, NULL},
    {"vnc", OLD_VALUE, OLD_VNC, NULL},
    {"vncunused", OLD_ALONE, OLD_VNCUNUSED, NULL},
    {"nographic", OLD_ALONE, OLD_CONSUMED, NULL}, /* without -vnc there is no display */
    {"sdl", OLD_ALONE, OLD_CONSUMED, NO_WINDOW},
    {"disable-opengl", OLD_ALONE, OLD_CONSUMED, NULL},
    {"k", OLD_VALUE, OLD_KEYMAP, NULL},
    {"kernel", OLD_VALUE, OLD_KERNEL, NULL},
    {"initrd", OLD_VALUE, OLD_INITRD, NULL},
    {"append", OLD_VALUE, OLD_APPEND, NULL},
    {"serial", OLD_VALUE, OLD_SERIAL, NULL},
    {"videoram", OLD_VALUE, OLD_VIDEORAM, NULL},
    {"std-vga", OLD_ALONE, OLD_STD_VGA, NULL},
    {"vga", OLD_VALUE, OLD_VGA, NULL},
    {"boot", OLD_VALUE, OLD_BOOT, NULL},
    {"usb", OLD_ALONE, OLD_USB, NULL},
    {"usbdevice", OLD_VALUE, OLD_USBDEVICE, NULL},
    {"soundhw", OLD_VALUE, OLD_SOUNDHW, NULL},
    {"acpi", OLD_ALONE, OLD_ACPI, NULL},
    {"no-acpi", OLD_ALONE, OLD_NO_ACPI, NULL},
    {"vcpus", OLD_VALUE, OLD_VCPUS, NULL},
    {"vcpu_avail", OLD_VALUE, OLD_VCPU_AVAIL, NULL},
    {"net", OLD_VALUE, OLD_NET, NULL},
    {"gfx_passthru", OLD_NUMBER_MAYBE, OLD_GFX_PASSTHRU, NULL},
    {"loadvm", OLD_VALUE, OLD_LOADVM, NULL},
    {"M", OLD_VALUE, OLD_MACHINE, NULL},
    {"m", OLD_VALUE, OLD_MEMORY, NULL},
    {"localtime", OLD_ALONE, OLD_LOCALTIME, NULL},
    {"startdate", OLD_VALUE, OLD_STARTDATE, NULL},
    {"fda", OLD_VALUE, OLD_FDA, NULL},
    {"fdb", OLD_VALUE, OLD_FDB, NULL},
    {"monitor", OLD_VALUE, OLD_PASSED, NULL},
    {"parallel", OLD_VALUE, OLD_PASSED, NULL},

    /* which the engine still has */
    {"L", OLD_VALUE, OLD_PASSED, NULL},
    {"S", OLD_ALONE, OLD_PASSED, NULL},
    {"acpitable", OLD_VALUE, OLD_PASSED, NULL},
    {"bios", OLD_VALUE, OLD_PASSED, NULL},
    {"cdrom", OLD_VALUE, OLD_PASSED, NULL},
    {"chroot", OLD_VALUE, OLD_PASSED, NULL},
    {"cpu", OLD_VALUE, OLD_PASSED, NULL},
    {"drive", OLD_VALUE, OLD_PASSED, NULL},
    {"echr", OLD_VALUE, OLD_PASSED, NULL},
    {"g", OLD_VALUE, OLD_PASSED, NULL},
    {"h", OLD_ALONE, OLD_PASSED, NULL},
    {"hda", OLD_VALUE, OLD_PASSED, NULL},
    {"hdb", OLD_VALUE, OLD_PASSED, NULL},
    {"hdc", OLD_VALUE, OLD_PASSED, NULL},
    {"hdd", OLD_VALUE, OLD_PASSED, NULL},
    {"help", OLD_ALONE, OLD_PASSED, NULL},
    {"icount", OLD_VALUE, OLD_PASSED, NULL},
    {"incoming", OLD_VALUE, OLD_PASSED, NULL},
    {"mtdblock", OLD_VALUE, OLD_PASSED, NULL},
    {"no-reboot", OLD_ALONE, OLD_PASSED, NULL},
    {"option-rom", OLD_VALUE, OLD_PASSED, NULL},
    {"pflash", OLD_VALUE, OLD_PASSED, NULL},
    {"pidfile", OLD_VALUE, OLD_PASSED, NULL},
    {"prom-env", OLD_VALUE, OLD_PASSED, NULL},
    {"runas", OLD_VALUE, OLD_PASSED, NULL},
    {"s", OLD_ALONE, OLD_PASSED, NULL},
    {"sd", OLD_VALUE, OLD_PASSED, NULL},
    {"smp", OLD_VALUE, OLD_PASSED, NULL},
    {"snapshot", OLD_ALONE, OLD_PASSED, NULL},
    {"uuid", OLD_VALUE, OLD_PASSED, NULL},
    {"win2k-hack", OLD_ALONE, OLD_PASSED, NULL},

    /* which went without a loss: Xen or the engine does it, or there is nothing left to switch */
    {"alt-grab", OLD_ALONE, OLD_CONSUMED, NULL},
    {"audio-help", OLD_ALONE, OLD_CONSUMED, NULL},
    {"clock", OLD_VALUE, OLD_CONSUMED, NULL},
    {"direct_pci", OLD_VALUE, OLD_CONSUMED, NULL}, /* the old one read and ignored it */
    {"enable-kvm", OLD_ALONE, OLD_CONSUMED, NULL},
    {"full-screen", OLD_ALONE, OLD_CONSUMED, NULL},
    {"kernel-kqemu", OLD_ALONE, OLD_CONSUMED, NULL},
    {"no-fd-bootchk", OLD_ALONE, OLD_CONSUMED, NULL},
    {"no-frame", OLD_ALONE, OLD_CONSUMED, NULL},
    {"no-hpet", OLD_ALONE, OLD_CONSUMED, NULL},
    {"no-kqemu", OLD_ALONE, OLD_CONSUMED, NULL},
    {"no-quit", OLD_ALONE, OLD_CONSUMED, NULL},
    {"no-shutdown", OLD_ALONE, OLD_CONSUMED, NULL}, /* it is always written */
    {"old-param", OLD_ALONE, OLD_CONSUMED, NULL},
    {"portrait", OLD_ALONE, OLD_CONSUMED, NULL},
    {"rtc-td-hack", OLD_ALONE, OLD_CONSUMED, NULL},
    {"semihosting", OLD_ALONE, OLD_CONSUMED, NULL},
    {"show-cursor", OLD_ALONE, OLD_CONSUMED, NULL},
    {"tb-size", OLD_VALUE, OLD_CONSUMED, NULL},
    {"xen-attach", OLD_ALONE, OLD_CONSUMED, NULL},
    {"xen-create", OLD_ALONE, OLD_CONSUMED, NULL},

    /* which went */
    {"bootp", OLD_VALUE, OLD_CONSUMED, NO_SLIRP},
    {"bt", OLD_VALUE, OLD_CONSUMED, "the engine has no Bluetooth any more"},
    {"curses", OLD_ALONE, OLD_CONSUMED, NO_WINDOW},
    {"daemonize", OLD_ALONE, OLD_CONSUMED, "the toolstack knows qemu-dm by the process it started"},
    {"hdachs", OLD_VALUE, OLD_CONSUMED, NO_GEOMETRY},
    {"p", OLD_VALUE, OLD_CONSUMED, "for a debugger write -gdb tcp::PORT"},
    {"pciemulation", OLD_VALUE, OLD_CONSUMED, "the engine has no such devices"},
    {"redir", OLD_VALUE, OLD_CONSUMED, NO_SLIRP},
    {"smb", OLD_VALUE, OLD_CONSUMED, NO_SLIRP},
    {"tftp", OLD_VALUE, OLD_CONSUMED, NO_SLIRP},
    {"virtioconsole", OLD_VALUE, OLD_CONSUMED, "write -device virtio-serial -device virtconsole"},

    /* of Xen 3.0 and 3.1 */
    {"isa", OLD_ALONE, OLD_CONSUMED, "a domain has PCI always"},
    {"vnclisten", OLD_VALUE, OLD_VNCLISTEN, NULL},
    {"vncviewer", OLD_ALONE, OLD_CONSUMED, "start the VNC viewer yourself"},
};

const struct old_option *old_option_find(const char *name)
{
    for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++) {
        if (strcmp(options[i].name, name) == 0)
            return &options[i];
    }
    return NULL;
}
