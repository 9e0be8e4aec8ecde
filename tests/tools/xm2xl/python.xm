"""A docstring"""
import os; memory = 512
# -*- comment
vg = 'phy:/dev/vg/'; name = 'odd'
builder = 'hvm'
if 1: vcpus = 2; maxmem = 4*512
base = [ vg + 'a,hda,w' ]
disk = base + [ # first
   'file:/x,hdb,w', # second
   ]
disk += [ ',hdc:cdrom,r', 'drbd:r0,hdd,w', 'tap:qcow2:/v/q.img,xvde,w!', 'tap2:tapdisk:aio:/v/r.img,ioemu:sda,r' ]  # more
vif = [ '',
        'bridge=' \
        'br0', "mac=00:16:3e:0:0:1,type=netfront,policy=x" ]
rtc_timeoffset = -3600
cpus = ["0", 1]
ioports = ['2f8-2ff']
cpuid = ['1:ecx=xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx']
soundhw = ''
sdl = True
opengl = None
vnc = 0
usbdevice = "host:046d:c52b"
videoram=4
stdvga=1
localtime='yes'
vcpu_avail=1
vncpaswd='x'
pci=['00:02.0']
gfx_passthru=1
acpi = 1; apic = 1
keymap = 'de';
extra = "a\\b \"q\" é"
irq = 7
