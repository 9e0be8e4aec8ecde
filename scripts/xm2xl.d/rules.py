# SPDX-License-Identifier: GPL-2.0-or-later
"""The settings: what becomes of each, and why.

What xl reads, and which of it makes it complain: xl.cfg(5), xl-disk-configuration(5),
xl-network-configuration(5).
"""

import os
import re

from messages import Refused, shortened


class Domain:
    """All that a rule may look at beside its own value."""

    def __init__(self, settings, device_model):
        self.settings = settings
        self.device_model = device_model
        self.hvm = settings.get("builder") == "hvm" or settings.get("type") == "hvm"

    def number(self, name, default=0):
        try:
            return int(self.settings.get(name, default))
        except (TypeError, ValueError):
            return default

    def items(self, name):
        value = self.settings.get(name)
        return value if isinstance(value, (list, tuple)) else []


class Outcome:
    """What becomes of an assignment: settings is None while it stays, else what takes its place."""

    def __init__(self, settings=None, why=(), warnings=()):
        self.settings = settings
        self.why = list(why)
        self.warnings = list(warnings)


def kept():
    return Outcome()


def changed(name, value, *why, warn=None):
    return Outcome([(name, value)], why, [warn] if warn else [])


def left_out(why, warn=None):
    return Outcome([], [why], [warn] if warn else [])


def rule_kernel(domain, value):
    if not domain.hvm:
        if re.match(r"/usr/lib(64)?/xen", value):
            warning = f"{value} came with a Xen of that time: see where it is today"
            return Outcome(warnings=[warning])
        return kept()
    if "hvmloader" not in os.path.basename(value):
        return kept()
    return left_out("xl finds the hvmloader of its own version")


def rule_loader(domain, value):
    return left_out("xl finds the hvmloader of its own version")


def rule_builder(domain, value):
    types = {"hvm": "hvm", "linux": "pv", "generic": "pv"}
    if value not in types:
        name = shortened(value)
        raise Refused(f"no Xen of today builds a '{name}': builder = 'hvm' or 'linux'")
    if "type" in domain.settings:
        return left_out("type says it")
    return changed("type", types[value], "xl calls it type")


def rule_device_model(domain, value):
    if not domain.hvm:
        return left_out("xl chooses it for a paravirtualised domain")
    warn = None
    if "stubdom" in value:
        warn = "the device model ran in a domain of its own: qemu-dm runs in dom0"
    elif os.path.basename(value) not in ("qemu-dm", "qemu-system-i386", "qemu-system-x86_64"):
        warn = f"{value} is started no more: what it did beside qemu-dm's work must be done anew"
    outcome = changed(
        "device_model_version",
        "qemu-xen",
        "xl's words for it; qemu-dm starts the device model of the distribution and adds the sound",
        warn=warn,
    )
    outcome.settings.append(("device_model_override", domain.device_model))
    return outcome


def rule_device_model_version(domain, value):
    if value == "qemu-xen":
        return kept()
    return changed("device_model_version", "qemu-xen", "the only one that xl has kept")


def rule_device_model_override(domain, value):
    if value == domain.device_model:
        return kept()
    return changed("device_model_override", domain.device_model, "qemu-dm, where it is installed")


def rule_soundhw(domain, value):
    if value == "es1370":
        return kept()
    return changed(
        "soundhw",
        "es1370",
        "the card that qemu-dm plays; in the guest it is another one, an Ensoniq AudioPCI",
    )


def rule_sdl(domain, value):
    if not int(value):
        return kept()
    why = "the device models of Debian are built without SDL and would not start: VNC instead"
    warn = "sdl=1 opened a window: xl create -V opens a VNC viewer's"
    if "vnc" in domain.settings:
        return left_out(why, warn)
    return changed("vnc", 1, why, warn=warn)


def rule_vnc(domain, value):
    if not int(value) and domain.number("sdl"):
        return changed("vnc", 1, "in place of SDL")
    return kept()


def rule_viewer(domain, value):
    return left_out(
        "an option of the command: xl create -V",
        "the viewer is opened by xl create -V" if int(value) else None,
    )


def rule_gfx_passthru(domain, value):
    if str(value) in ("0", "igd"):
        return kept()
    if any(re.match(r"(0000:)?00:02\.[0*]", str(item)) for item in domain.items("pci")):
        return changed("gfx_passthru", "igd", "xl does it for Intel's on-board graphics only")
    return left_out(
        "xl does it for Intel's on-board graphics only, and the domain would not start",
        "another graphics card is given by pci = [ ... ] alone, as the guest's second: the guest's "
        "driver brings it up, after a boot that is seen by VNC",
    )


def rule_videoram(domain, value):
    least = 16 if domain.number("stdvga") or domain.settings.get("vga") == "stdvga" else 8
    if domain.hvm and int(value) < least:
        return changed("videoram", least, "the least that xl takes")
    return kept()


def rule_shadow_memory(domain, value):
    # xend took the larger of the two; libxl's own figure is this one, too.
    memory = max(domain.number("memory", 128), domain.number("maxmem"))
    if int(value) * 1024 < 1024 * domain.number("vcpus", 1) + 8 * memory:
        return left_out("less than the domain needs: xm took it as a minimum, xl takes it as it is")
    return kept()


TIMER_MODES = [
    "delay_for_missed_ticks",
    "no_delay_for_missed_ticks",
    "no_missed_ticks_pending",
    "one_missed_tick_pending",
]
TSC_MODES = ["default", "always_emulate", "native", "native_paravirt"]


def named(names, name, value):
    if value in names:
        return kept()
    if not str(value).isdecimal() or int(value) >= len(names):
        raise Refused(f"it is a number from 0 to {len(names) - 1}")
    return changed(name, names[int(value)], "xl has names for them")


def rule_timer_mode(domain, value):
    if not domain.hvm:
        return left_out("for HVM domains only")
    return named(TIMER_MODES, "timer_mode", value)


def rule_tsc_mode(domain, value):
    if value == "0":
        return left_out("it is the default, of xl too")
    return named(TSC_MODES, "tsc_mode", value)


def rule_usbdevice(domain, value):
    if isinstance(value, list):
        return kept()
    host = re.fullmatch(r"host:([0-9]+)\.([0-9]+)", value)
    if host:
        spec = f"type=hostdev,hostbus={host[1]},hostaddr={host[2]}"
        return changed("usbdev", [spec], "a device of the host's has a key of its own")
    if value.startswith("host:"):
        return left_out(
            "xl knows a device of the host's by its bus and address",
            "lsusb shows the device's; then "
            'usbdev = [ "type=hostdev,hostbus=BUS,hostaddr=ADDRESS" ]',
        )
    return changed("usbdevice", [value], "a list")


def rule_action(domain, value):
    known = "destroy restart rename-restart preserve coredump-destroy coredump-restart soft-reset"
    if value not in known.split():
        raise Refused(f"it is one of: {known}")
    return kept()


def rule_restart(domain, value):
    actions = {
        "onreboot": ("destroy", "restart", "destroy"),
        "always": ("restart", "restart", "restart"),
        "never": ("destroy", "destroy", "destroy"),
    }
    if value not in actions:
        raise Refused("restart is 'onreboot', 'always' or 'never'")
    names = ("on_poweroff", "on_reboot", "on_crash")
    return Outcome(list(zip(names, actions[value])), ["xl has one action for each end"])


def rule_cpu(domain, value):
    return changed("cpus", [str(value)], "the first virtual processor's, as the first of a list")


def rule_cpu_cap(domain, value):
    return changed("cap", value, "xl calls it cap")


def rule_irq(domain, value):
    return changed("irqs", value if isinstance(value, list) else [value], "xl calls it irqs")


def rule_vcpus(domain, value):
    available = domain.number("vcpu_avail")
    if available <= 0:
        return kept()
    online = bin(available & ((1 << min(int(value), 1024)) - 1)).count("1")
    outcome = changed("vcpus", online, "vcpu_avail had so many of them running at the start")
    outcome.settings.append(("maxvcpus", int(value)))
    return outcome


def rule_vcpu_avail(domain, value):
    if "vcpus" in domain.settings:
        return left_out("xl has vcpus and maxvcpus")
    return left_out("there is one virtual processor")


def rule_bootloader(domain, value):
    if domain.hvm:
        return left_out("an HVM domain has none")
    name = os.path.basename(value)
    if name == "pygrub" and name != value:
        return changed("bootloader", name, "xl finds the one of its own version")
    return kept()


def rule_bootargs(domain, value):
    return changed("bootloader_args", value.split(), "xl calls it bootloader_args, a list")


def rule_nics(domain, value):
    missing = int(value) - len(domain.items("vif"))
    if missing <= 0:
        return left_out("the list vif has them")
    if "vif" in domain.settings:
        return left_out("the list vif says it", f"add '' to the list vif, {missing} times")
    return changed("vif", [""] * min(missing, 32), "a list with an item for each")


# --- the tables ---

NUMBERS = set(
    """memory maxmem shadow_memory vcpus maxvcpus vcpu_avail videoram vncdisplay rtc_timeoffset
    cpu_weight cpu_cap cpu nics acpi apic pae hpet hap nx oos localtime vnc vncunused vncviewer
    vncconsole sdl opengl stdvga usb nographic viridian xen_platform_pci nomigrate vpt_align
    pci_msitranslate pci_power_mgmt monitor""".split()
)
BOOLEANS = {"yes": 1, "on": 1, "true": 1, "no": 0, "off": 0, "false": 0}

# Unset where they are empty; an empty vncpasswd or extra says something.
NOT_EMPTY = set(
    """bootloader bootargs cpus display xauthority features keymap kernel loader ramdisk serial
    soundhw usbdevice uuid vnclisten boot device_model""".split()
) | NUMBERS

RULES = {
    "kernel": rule_kernel,
    "loader": rule_loader,
    "builder": rule_builder,
    "device_model": rule_device_model,
    "device_model_version": rule_device_model_version,
    "device_model_override": rule_device_model_override,
    "soundhw": rule_soundhw,
    "sdl": rule_sdl,
    "vnc": rule_vnc,
    "vncviewer": rule_viewer,
    "vncconsole": rule_viewer,
    "gfx_passthru": rule_gfx_passthru,
    "videoram": rule_videoram,
    "shadow_memory": rule_shadow_memory,
    "timer_mode": rule_timer_mode,
    "tsc_mode": rule_tsc_mode,
    "usbdevice": rule_usbdevice,
    "on_poweroff": rule_action,
    "on_reboot": rule_action,
    "on_crash": rule_action,
    "restart": rule_restart,
    "cpu": rule_cpu,
    "cpu_cap": rule_cpu_cap,
    "irq": rule_irq,
    "vcpus": rule_vcpus,
    "vcpu_avail": rule_vcpu_avail,
    "bootloader": rule_bootloader,
    "bootargs": rule_bootargs,
    "nics": rule_nics,
}

# What xl has nothing for, and what to do about it, with the VALUE; None where nothing is lost.
LEFT_OUT = {
    "monitor": ("xl qemu-monitor-command talks to the device model", None),
    "monitor_path": ("xl qemu-monitor-command talks to the device model", None),
    "features": ("it asked a kernel of that time for its features", None),
    "guest_os_type": ("it was for Itanium", None),
    "vhpt": ("it was for Itanium", None),
    "machine_address_size": ("xl has nothing for it", None),
    "suppress_spurious_page_faults": ("xl has nothing for it", None),
    "s3_integrity": ("it was for trusted boot", None),
    "xen_extended_power_mgmt": ("xl has nothing for it", None),
    "memory_sharing": ("xl has nothing for it", None),
    "superpages": ("xl decides for itself", None),
    "target": ("it was for the device model's domain", None),
    "description": ("xl has no place for a description", None),
    "isa": ("there are no machines without PCI", "the guest's machine has PCI: it was an ISA one"),
    "cpuid_check": ("xl does not check", "xl does not check the host's processor"),
    "on_xend_start": ("there is no xend", "a link in /etc/xen/auto starts it with the host"),
    "on_xend_stop": ("there is no xend", "/etc/default/xendomains says what happens at shutdown"),
    "bootentry": ("xl has bootloader_args", 'write bootloader_args = [ "--entry=VALUE" ]'),
    "parallel": ("xl has none", 'write device_model_args_hvm = [ "-parallel", "VALUE" ]'),
    "fda": ("xl has no floppies", 'write device_model_args_hvm = [ "-fda", "VALUE" ]'),
    "fdb": ("xl has no floppies", 'write device_model_args_hvm = [ "-fdb", "VALUE" ]'),
    "snapshot": ("xl has none", "writes go to the disk: take a snapshot of the volume first"),
    "blkif": ("xl calls it driver_domain", "write driver_domain = 1"),
    "netif": ("xl calls it driver_domain", "write driver_domain = 1"),
    "tpmif": ("xl has its own kind", "see xen-vtpm(7)"),
    "access_control": ("xl has seclabel", 'write seclabel = "LABEL"'),
    "vscsi": ("xl has none", "give the disk by disk = [ ... ], or its controller by pci = [ ... ]"),
    "vusb": ("xl has its own", "see usbctrl and usbdev in xl.cfg(5)"),
    "vif2": ("xl has none", "give the card by vif = [ ... ]"),
}
IP_KEYS = ("ip", "netmask", "gateway", "hostname", "interface", "dhcp", "nfs_server", "nfs_root")
for key in IP_KEYS:
    LEFT_OUT[key] = (
        "xm put it on the kernel's command line",
        'write it into extra, as in extra = "ip=:::::eth0:dhcp"',
    )
OFF = (0, "0", "", None, "none", "off", "no", "ignore", "default")

XL_KEYS = set(
    """acpi acpi_firmware acpi_laptop_slate acpi_s3 acpi_s4 altp2m altp2mhvm apic bios
    bios_path_override boot bootloader bootloader_args bootloader_restrict bootloader_user cap
    channel claim_mode cmdline cpu_weight cpuid cpus cpus_soft device_model_args
    device_model_args_hvm device_model_args_pv device_model_override
    device_model_stubdomain_override device_model_stubdomain_seclabel device_model_user
    device_model_version device_tree disk display dm_restrict driver_domain e820_host extra
    extratime firmware firmware_override gfx_passthru hap hdtype hpet hvm_pirq init_seclabel iomem
    ioports irqs kernel keymap latency localtime max_event_channels max_grant_frames
    max_grant_version max_maptrack_frames maxmem maxvcpus mca_caps memory mmio_hole ms_vm_genid
    msr_relaxed name nestedhvm nographic nomigrate nx on_crash on_poweroff on_reboot on_soft_reset
    on_watchdog oos opengl p9 pae passthrough pci pci_msitranslate pci_permissive pci_power_mgmt
    pci_seize period pool pvh pvshim pvshim_cmdline pvshim_extra pvshim_path ramdisk rdm
    rdm_mem_boundary root rtc_timeoffset sdl seclabel serial shadow_memory slice smbios
    smbios_firmware soundhw spice spice_clipboard_sharing spice_image_compression
    spice_streaming_video spiceagent_mouse spicedisable_ticketing spicehost spicepasswd spiceport
    spicetls_port spiceusbredirection spicevdagent stdvga timer_mode tsc_mode type usb usbctrl
    usbdev usbdevice usbversion uuid vcpus vendor_device vfb vga videoram vif viridian vkb
    vkb_device vnc vncdisplay vnclisten vncpasswd vncunused vnuma vpmu vpt_align vtpm xauthority
    xen_platform_pci""".split()
)
KNOWN = XL_KEYS | set(RULES) | set(LEFT_OUT)

# xm's defaults that are not xl's.
DEFAULTS = {"memory": 128, "on_crash": "restart"}
HVM_DEFAULTS = {"hpet": 0}


def plain(name, value):
    """A value of Python as one that xl could have: text, a number of 0 or more, a list of these."""
    if isinstance(value, bool):
        return int(value)
    if isinstance(value, float):
        if not value.is_integer():
            raise Refused("xl takes whole numbers only")
        return int(value)
    if isinstance(value, (list, tuple)):
        items = [plain(name, item) for item in value]
        if any(isinstance(item, list) or item is None for item in items):
            raise Refused("a list of lists")
        return items
    if isinstance(value, str) and name in NUMBERS:
        value = BOOLEANS.get(value.strip().lower(), value)
        if isinstance(value, str) and value:
            if not re.fullmatch(r"-?[0-9]{1,18}", value):
                raise Refused(f"not a number: '{shortened(value)}'")
            if re.match(r"-?0[0-9]", value):
                return int(value)  # xl would take it for octal
    if isinstance(value, str) and "\0" in value:
        raise Refused("the value has a control character")
    return value


def convert(domain, name, value):
    """The outcome for one assignment, whose value is not an item-wise list."""
    if value is None or value == "" and name in NOT_EMPTY:
        return left_out("empty: it is not set")
    if name in LEFT_OUT:
        why, advice = LEFT_OUT[name]
        off = value in OFF if not isinstance(value, list) else not value
        return left_out(why, None if off or not advice else advice.replace("VALUE", str(value)))
    if name in RULES:
        if isinstance(value, list) and name not in ("usbdevice", "irq"):
            raise Refused("it is a list, and should be one value")
        if name not in NUMBERS and isinstance(value, int):
            value = str(value)
        return RULES[name](domain, value)
    return kept()
