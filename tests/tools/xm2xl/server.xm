builder = "hvm"
name = "w2k8"
memory = 4096
maxmem = 8192
shadow_memory = 128
vcpus = 4
cpus = [ "2", "3", "4-5", "4-5,^5" ]
hap = 1
nx = True
viridian = 1
timer_mode = 0
tsc_mode = 2
hpet = 1
cpuid = [ '1:ecx=xxxxxxxxxxx00xxxxxxxxxxxxxxxxxxx',
          '0x80000001:ecx=xxxxxxxxxxxxxxxxxxxxxxxxxxxxxx1x' ]
rtc_timeoffset = -3600
nomigrate = 1
pool = 'windows'
disk = [ 'phy:/dev/vg/w2k8,hda,w' ]
vif = [ 'type=ioemu, mac=00:16:3e:00:00:01, bridge=br0, rate=10Mb/s', '' ]
serial = 'pty'
xen_platform_pci = 1
device_model = "/opt/xen/bin/qemu-dm-with-sound"
on_crash = 'coredump-restart'
