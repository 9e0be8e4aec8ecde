builder = 'hvm'
kernel = 'hvmloader'
name = 'tv'
memory = 2048
disk = [ 'tap2:tapdisk:aio:/srv/tv.img,hda,w' ]
pci = [ '0000:00:02.0', '00:1b.0@7,msitranslate=0', '00,1d,0' ]
gfx_passthru = 1
soundhw = 'ac97'
on_crash = 'preserve'
hpet = 1
