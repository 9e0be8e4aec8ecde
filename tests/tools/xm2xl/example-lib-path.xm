#  -*- mode: python; -*-
import os, re
arch = os.uname()[4]
if re.search('64', arch):
    arch_libdir = 'lib64'
else:
    # 32 bits
    arch_libdir = 'lib'

kernel = "/usr/lib/xen/boot/hvmloader"
builder='hvm'
memory = 512
shadow_memory = 16
name = "xp"
vif = [ 'type=ioemu, bridge=xenbr0, model=rtl8139' ]
disk = [ 'phy:/dev/vg/xp,ioemu:hda,w', 'file:/srv/iso/xp.iso,ioemu:hdc:cdrom,r' ]
device_model = '/usr/' + arch_libdir + '/xen/bin/qemu-dm'
boot='d'
vnc=1
vncunused=1
vncconsole=0
vncviewer=0
ne2000=0
soundhw='es1370'
monitor=0
pae=0
