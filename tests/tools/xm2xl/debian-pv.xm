#
# Configuration file for the Xen instance web1, created by xen-tools
#

#  Kernel + memory size
kernel      = '/boot/vmlinuz-2.6.32-5-xen-amd64'
ramdisk     = '/boot/initrd.img-2.6.32-5-xen-amd64'
vcpus       = '2'
memory      = '256'

#  Disk device(s).
root        = '/dev/xvda2 ro'
disk        = [
                  'file:/srv/domains/web1/disk.img,xvda2,w',
                  'file:/srv/domains/web1/swap.img,xvda1,w',
              ]

#  Hostname
name        = 'web1'

#  Networking
dhcp        = 'dhcp'
vif         = [ 'ip=10.0.0.5,mac=00:16:3E:11:22:33' ]

#  Behaviour
on_poweroff = 'destroy'
on_reboot   = 'restart'
on_crash    = 'restart'
