# SPDX-License-Identifier: GPL-2.0-or-later
"""The items of the lists disk, vif, vfb and pci.

Each function takes an item of xm's and returns it as xl wants it, with the reason if that is
something else. It refuses what xl has nothing for, with what to do instead, and warns by warn(text)
of what goes with the change.
"""

import re

from messages import Refused, shortened

FORMATS = ("raw", "qcow", "qcow2", "vhd", "qed")
SCRIPTS = ("nbd", "enbd", "iscsi", "drbd")
NAMELESS = ("phy", "file", "tap", "tap2", "tapdisk", "aio", "sync", "ioemu", "raw")


def item_disk(domain, spec, warn):
    parts = [part.strip() for part in spec.split(",")]
    if re.search(r"(^|,)\s*(target|vdev|format|access|devtype)\s*=", spec):
        return spec, None  # xl's own form
    if len(parts) > 2 and (parts[1] in FORMATS or parts[1] == "" and parts[2]):
        return spec, None  # and its short form
    if not 2 <= len(parts) <= 5 or not parts[1]:
        raise Refused(
            f"the disk '{shortened(spec)}' is not of the form 'phy:DEVICE,hda,w': write "
            "'format=raw,vdev=hda,access=rw,target=PATH'"
        )
    source, device = parts[0], parts[1]
    mode = parts[2] if len(parts) > 2 else "w"
    why = "xl names the parts of a disk"

    form, script, relative = "raw", None, ""
    while ":" in source and not source.startswith("/"):
        prefix, rest = source.split(":", 1)
        if prefix in SCRIPTS:
            script, source = prefix, rest
            break
        if prefix == "phy":
            relative = "/dev/"
        if prefix in FORMATS:
            form = prefix
        elif prefix not in NAMELESS:
            advice = {
                "vmdk": "convert it: qemu-img convert -O qcow2 OLD.vmdk NEW.qcow2",
                "ram": "use the image itself",
            }.get(prefix, "see xl-disk-configuration(5)")
            raise Refused(f"xl has no disks of the kind '{shortened(prefix)}:': {advice}")
        source = rest

    if device.startswith("ioemu:"):
        device = device[len("ioemu:") :]
    device, _, kind = device.partition(":")
    known_kind = kind in ("", "disk", "cdrom")
    if not known_kind or not re.fullmatch(r"[a-z]+[0-9]*|0x[0-9a-f]+|[0-9]+", device):
        name = shortened(parts[1])
        raise Refused(f"'{name}' is not a disk's name in the guest, like hda or hdc:cdrom")
    if mode.endswith("!"):
        warn(
            f"{device} was shared with other domains ({mode}): xl does not know of that; see to it "
            "that no two write to it"
        )
        mode = mode[:-1]
    if mode not in ("r", "ro", "w", "rw"):
        raise Refused(f"the disk's mode is r or w, not '{shortened(mode)}'")

    cdrom = kind == "cdrom"
    fields = [] if cdrom and not source else [f"format={form}"]
    fields.append(f"vdev={device}")
    fields.append("access=ro" if cdrom or mode in ("r", "ro") else "access=rw")
    if cdrom:
        fields.append("devtype=cdrom")
    if script:
        fields.append(f"script=block-{script}")
    if len(parts) > 3 and parts[3] not in ("", "0", "Domain-0", "None"):
        fields.append(f"backend={parts[3]}")
    if source:
        if not script and not source.startswith("/"):
            if not relative:
                raise Refused(f"'{shortened(source)}' is not a whole path: write it from / on")
            source = relative + source
        fields.append(f"target={source}")
    elif not cdrom:
        raise Refused(f"the disk {device} names no device and no file")
    return ",".join(fields), why


VIF_KEYS = (
    "mac bridge netdev gatewaydev ip script backend vifname model rate accel type devid mtu vlan "
    "trusted"
).split()


def item_vif(domain, spec, warn):
    fields, why = [], []
    for field in spec.split(","):
        key, equals, value = (part.strip() for part in field.partition("="))
        if not key and not equals:
            continue
        if key == "type" and value == "ioemu":
            why.append("an HVM domain's card is emulated (ioemu) unless told otherwise")
        elif key == "type" and value in ("netfront", "front", "paravirtualised"):
            fields.append("type=vif")
            why.append("xl calls it vif")
        elif key == "model" and value.endswith("_isa"):
            name = shortened(value)
            raise Refused(f"xl has no ISA cards: model=ne2k_pci or rtl8139 instead of {name}")
        elif key in VIF_KEYS:
            fields.append(f"{key}={value}")
        else:
            warn(f"xl has no '{shortened(key)}' of a network card: left out")
            why.append(f"xl has no {shortened(key)}")
    return (",".join(fields), "; ".join(why)) if why else (spec, None)


VFB_KEYS = (
    "vnc vnclisten vncpasswd vncdisplay vncunused keymap sdl opengl display xauthority"
).split()


def item_vfb(domain, spec, warn):
    fields, why = [], []
    for field in spec.split(","):
        key, equals, value = (part.strip() for part in field.partition("="))
        if key == "type" and value in ("vnc", "sdl"):
            key, value = value, "1"
            why.append(f"xl calls it {key}=1")
        if key == "sdl" and value != "0":
            key, value = "vnc", "1"
            why.append("the device models of Debian are built without SDL: VNC instead")
        if key in VFB_KEYS:
            if f"{key}={value}" not in fields:
                fields.append(f"{key}={value}")
        elif key:
            warn(f"xl has no '{shortened(key)}' of a vfb: left out")
            why.append(f"xl has no {shortened(key)}")
    return (",".join(fields), "; ".join(dict.fromkeys(why))) if why else (spec, None)


def item_pci(domain, spec, warn):
    match = re.fullmatch(
        r"\s*(?:([0-9a-fA-F]{1,4})[:,])?([0-9a-fA-F]{1,2})[:,]([0-9a-fA-F]{1,2})[.,]([0-7]|\*)"
        r"(@[01]?[0-9a-fA-F])?((?:,[a-z_]+=\w+)*)\s*",
        spec,
    )
    if not match:
        if re.match(r"name=|bdf=", spec):
            return spec, None
        raise Refused(
            f"the device '{shortened(spec)}' is not of the form 0000:01:00.0; of a device's "
            "functions each is an item of its own"
        )
    if "," in spec[: match.end(4)]:
        segment, bus, slot, function, place, options = match.groups(default="")
        spec = f"{segment or '0000'}:{bus}:{slot}.{function}{place}{options}"
        return spec, "xl separates the numbers by : and ."
    return spec, None


LISTS = {"disk": item_disk, "vif": item_vif, "vfb": item_vfb, "pci": item_pci}
