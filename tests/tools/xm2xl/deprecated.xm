# What was deprecated even then
builder = 'hvm'
loader = '/usr/lib/xen-3.4/boot/hvmloader'
kernel = '/usr/lib/xen-3.4/boot/hvmloader'
name = 'old'
memory = 256
restart = 'onreboot'
nics = 2
cpu = 1
irq = [ 7, 5 ]
usb = 1
usbdevice = 'host:1.4'
vcpus = 4
vcpu_avail = 3
parallel = 'none'
blkif = 0
guest_os_type = 'default'
xen_extended_power_mgmt = 0
