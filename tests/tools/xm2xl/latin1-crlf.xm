name = "dos"
# café
builder = "hvm"
memory = 64
disk = [ "phy:/dev/vg/dos,hda,w" ]