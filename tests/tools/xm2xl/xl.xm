# Nothing to do: this one is xl's.
type = "hvm"
name = "today"
memory = 1024
hpet = 0
on_crash = "destroy"
soundhw = "es1370"
device_model_version = "qemu-xen"
device_model_override = "/usr/local/lib/qemu-dm/qemu-dm"
disk = [ "format=raw,vdev=hda,access=rw,target=/dev/vg/today" ]
usbdevice = [ "tablet" ]
