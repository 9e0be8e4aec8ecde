# Every kind of disk that was
builder = 'hvm'
name = 'images'
memory = 512
disk = [ 'phy:vg/a,hda,w',            # below /dev
         'tap:qcow2:/srv/b.qcow2,hdb,w', # copy on write
         "tap2:vhd:/srv/c.vhd,hdd,r",
         'file:/srv/shared.img,xvde,w!',
         'drbd:r0,xvdf,w',
         'phy:/dev/vg/g,xvdg,w,storage',
         '/dev/vg/h,raw,xvdh,rw',
         'format=raw, vdev=xvdi, access=ro, target=/srv/i,j.img',
         ',hdc:cdrom,r' ]
soundhw = 'all'
