builder = 'ia64'
name = open('/etc/hostname').read()
memory = 'much'
vcpus = [ 1 ]
disk = [ 'phy:/dev/vg/a', 'vmdk:/srv/a.vmdk,hda,w', 'file:a.img,hda,w', 'phy:/dev/vg/a,hda,x' ]
vif = 'bridge=xenbr0'
pci = [ '01:00.0-3' ]
on_crash = 'explode'
if os.path.exists('/etc/xen/big'):
    memory = 4096
for i in range(2):
    vif += [ '' ]
tsc_mode = 9
uuid = 'a\nb'
