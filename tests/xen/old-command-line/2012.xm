#  -*- mode: python; -*-
# Windows 7 for games: the graphics card and its sound function are the guest's.

import os, re
arch = os.uname()[4]
if re.search('64', arch):
    arch_libdir = 'lib64'
else:
    arch_libdir = 'lib'

kernel = "/usr/lib/xen-4.0/boot/hvmloader"
builder='hvm'
memory = 4096
shadow_memory = 8   # the wiki says 8
name = "games"
uuid = "06ed00fe-1162-4fc4-b5d8-11993ee4a8b9"
vcpus = 4
vif = [ 'type=ioemu, mac=00:16:3e:12:34:56, bridge=eth0, model=e1000' ]
disk = [ 'phy:/dev/vg0/games,hda,w',
         'phy:vg0/steam,hdb,w',          # the library
         'file:/srv/iso/win7.iso,hdc:cdrom,r' ]

on_poweroff = 'destroy'
on_reboot   = 'restart'
on_crash    = 'restart'

device_model = '/usr/' + arch_libdir + '/xen-4.0/bin/qemu-dm'

boot="cd"
sdl=0
vnc=1
vnclisten="127.0.0.1"
vncdisplay=1
vncpasswd=''
vncviewer=1
vncconsole=1
stdvga=0
serial='pty'
tsc_mode=0
timer_mode=2
usb=1
usbdevice='tablet'
soundhw='all'
localtime=True
acpi=1
apic=1
xen_platform_pci=1
viridian=1

# 01:00.0 graphics, 01:00.1 its sound
pci = [ '01:00.0', '01:00.1' ]
gfx_passthru=1
pci_msitranslate=0
pci_power_mgmt=1
