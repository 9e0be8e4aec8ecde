kernel = "/usr/lib/xen-4.1/boot/hvmloader"
builder = 'hvm'
device_model = '/usr/lib/xen-4.1/bin/stubdom-dm'
memory = 1024
name = "stubbed"
disk = [ 'phy:/dev/vg/stubbed,hda,w' ]
vfb = [ 'type=vnc, vnclisten=0.0.0.0, vncpasswd=secret, serial=pty' ]
vif = [ 'model=e1000' ]
