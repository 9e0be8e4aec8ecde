#!/usr/bin/python3 -IB
# SPDX-License-Identifier: GPL-2.0-or-later
"""scripts/pci-stub on a made sysfs that does as the kernel's: kernel.py PCI-STUB ARGUMENT...

What the program writes arrives here, in its function write(). Beside the kernel's own files a
function may have "native" (the driver of the host's that is for it), "ids" (a stub that takes it by
itself), and "errno" (what each write to it ends with). Each write is noted in the file "written".
"""

import errno
import importlib.machinery
import importlib.util
import os
import sys

SYSFS = os.environ["PCI_STUB_SYSFS"]
DEVICES = f"{SYSFS}/bus/pci/devices"
DRIVERS = f"{SYSFS}/bus/pci/drivers"


def fail(name):
    raise OSError(getattr(errno, name), os.strerror(getattr(errno, name)))


def content(function, name):
    path = f"{DEVICES}/{function}/{name}"
    if not os.path.exists(path):
        return ""
    with open(path, encoding="ascii") as file:
        return file.read().strip()


def bind(function, driver):
    override = content(function, "driver_override")
    if override not in ("(null)", driver) or os.path.lexists(f"{DEVICES}/{function}/driver"):
        fail("ENODEV")
    os.symlink(f"../../../bus/pci/drivers/{driver}", f"{DEVICES}/{function}/driver")


def probe(function):
    override = content(function, "driver_override").replace("(null)", "")
    for driver in filter(None, [override, content(function, "ids"), content(function, "native")]):
        if os.path.isdir(f"{DRIVERS}/{driver}"):
            bind(function, driver)
            break


def write(path, text):
    with open(f"{SYSFS}/../written", "a", encoding="ascii") as file:
        print(text, path.removeprefix(SYSFS), file=file)
    where, _, name = path.rpartition("/")
    function = text if name in ("bind", "unbind", "drivers_probe") else os.path.basename(where)
    if not os.path.isdir(f"{DEVICES}/{function}"):
        fail("ENODEV")
    if content(function, "errno"):
        fail(content(function, "errno"))
    if name == "driver_override":
        with open(path, "w", encoding="ascii") as file:
            print(text or "(null)", file=file)
    elif name == "unbind" and os.path.exists(where):
        os.unlink(f"{DEVICES}/{function}/driver")
    elif name == "bind" and os.path.isdir(where):
        bind(function, os.path.basename(where))
    elif path == f"{SYSFS}/bus/pci/drivers_probe":
        probe(function)
    else:
        fail("ENOENT")


loader = importlib.machinery.SourceFileLoader("pci_stub", sys.argv[1])
program = importlib.util.module_from_spec(importlib.util.spec_from_loader("pci_stub", loader))
loader.exec_module(program)
program.write = write
sys.argv = sys.argv[1:]
sys.exit(program.main(sys.argv[1:]))
