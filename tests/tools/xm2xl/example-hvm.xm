#  -*- mode: python; -*-
# An HVM domain as the examples of Xen 4.0 and 4.1 had it.

# The firmware; xend knows where it is.
kernel = "hvmloader"
builder='hvm'

# Megabytes
memory = 128
# shadow_memory = 8

name = "ExampleHVMDomain"
#uuid = "06ed00fe-1162-4fc4-b5d8-11993ee4a8b9"
#vcpus=1
#cpus = ""         # leave to Xen to pick

#vif = [ 'type=ioemu, mac=00:16:3e:00:00:11, bridge=xenbr0, model=ne2k_pci' ]
vif = [ 'type=ioemu, bridge=xenbr0' ]

#disk = [ 'phy:hda1,hda1,r' ]
disk = [ 'file:/var/images/min-el3-i386.img,hda,w', ',hdc:cdrom,r' ]

#on_crash    = 'restart'

device_model = 'qemu-dm'

# floppy (a), hard disk (c), network (n) or CD-ROM (d)
#boot="cda"
sdl=0
opengl=1
vnc=1
#vnclisten="127.0.0.1"
vncpasswd=''
stdvga=0
serial='pty'
tsc_mode=0
#soundhw='sb16'
#usbdevice='mouse'
