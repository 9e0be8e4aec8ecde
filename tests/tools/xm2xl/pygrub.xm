name = "centos5"
bootloader = "/usr/bin/pygrub"
bootargs = "--entry=1 -q"
maxmem = 1024
memory = 512
vcpus = 1
cpu_cap = 50
cpu_weight = 512
features = "auto_translated_physmap"
vfb = [ "type=vnc,vncunused=1,keymap=en-us", 'type=sdl' ]
disk = [ "tap:aio:/var/lib/xen/images/centos5.img,xvda,w" ]
vif = [ "mac=00:16:3e:2a:2b:2c,bridge=xenbr0,script=vif-bridge" ]
timer_mode = 1
extra = "console=xvc0"
