#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# scripts/pci-stub, on a made machine: folders as in /sys and /proc (make_machine), commands that
# act on them (pci_stub/command), and a kernel's answer to what is written (pci_stub/kernel.py).

# shellcheck disable=SC1091,SC2154,SC2317  # the cases are called by run_cases, lib.sh sets work

set -eu

. "$SRC/tests/configure/lib.sh"

program=$SRC/scripts/pci-stub
parts=$SRC/tests/tools/pci_stub

# function_of ADDRESS CLASS DRIVER GROUP: a PCI function; - for no driver, no group.
function_of()
{
    path=sys/devices/pci0000:00/$1
    mkdir -p "$path" sys/bus/pci/devices
    ln -s "../../../devices/pci0000:00/$1" "sys/bus/pci/devices/$1"
    echo "0x$2" >"$path/class"
    echo '(null)' >"$path/driver_override"
    echo 0x10de >"$path/vendor"
    echo 0x1b80 >"$path/device"
    echo "pci:$1" >"$path/modalias"
    : >"$path/reset"
    if [ "$3" != - ]; then
        echo "$3" >"$path/native"
        mkdir -p "sys/bus/pci/drivers/$3"
        ln -s "../../../bus/pci/drivers/$3" "$path/driver"
    fi
    if [ "$4" != - ]; then
        mkdir -p "sys/kernel/iommu_groups/$4"
        ln -s "../../../kernel/iommu_groups/$4" "$path/iommu_group"
    fi
}

# class_device FUNCTION PATH CLASS: a disk, a partition or a network interface on a function.
class_device()
{
    mkdir -p "sys/devices/pci0000:00/$1/$2"
    ln -s "/sys/class/$3" "sys/devices/pci0000:00/$1/$2/subsystem"
}

# A bridge, a graphics card with its sound behind it, two network cards, a disk, and a function that
# has no driver. Nothing is in use.
make_machine()
{
    mkdir -p bin sys/kernel/iommu_groups proc/self proc/net
    function_of 0000:00:01.0 060400 pcieport 1
    function_of 0000:01:00.0 030000 nvidia 1
    function_of 0000:01:00.1 040300 snd_hda_intel 1
    function_of 0000:02:00.0 020000 e1000e 2
    function_of 0000:03:00.0 020000 e1000e 3
    function_of 0000:04:00.0 010802 nvme 4
    function_of 0001:05:1f.3 118000 - 5
    cat >lspci <<END
0000:00:01.0 PCI bridge: Intel Corporation Device 1901
0000:01:00.0 VGA compatible controller: NVIDIA Corporation GP104 [GeForce GTX 1080] (rev a1)
0000:01:00.1 Audio device: NVIDIA Corporation GP104 High Definition Audio Controller (rev a1)
0000:02:00.0 Ethernet controller: Intel Corporation 82574L Gigabit
0000:03:00.0 Ethernet controller: Intel Corporation 82574L Gigabit
0000:04:00.0 Non-Volatile memory controller: Samsung NVMe SSD
0001:05:1f.3 Signal processing controller: Intel Corporation Device
END
    for name in lspci modprobe xl xenstore-ls; do
        ln -s "$parts/command" "bin/$name"
    done
    : >xenstore-ls
    : >calls
    : >written
    : >aliases
    PATH=$PWD/bin:$PATH
    PCI_STUB_SYSFS=$PWD/sys
    PCI_STUB_PROC=$PWD/proc
    export PATH PCI_STUB_SYSFS PCI_STUB_PROC
}

make_xen_machine()
{
    make_machine
    rm -r sys/kernel/iommu_groups sys/bus/pci/devices/*/iommu_group
    mkdir -p sys/hypervisor
    echo xen >sys/hypervisor/type
    echo 'virt_caps              : pv hvm hvm_directio pv_directio hap' >xl
}

# pci_stub ARGUMENT...: into ./out and ./err; its status must be $expected.
expected=0
pci_stub()
{
    status=0
    "$parts/kernel.py" "$program" "$@" >out 2>err || status=$?
    cat out err
    [ "$status" = "$expected" ]
}

# refused TEXT ARGUMENT...: it says so, and changes nothing.
refused()
{
    text=$1
    shift
    : >written
    : >calls
    expected=1
    pci_stub "$@"
    expected=0
    expect err "$text"
    [ ! -s written ]
    [ ! -s calls ]
}

# has FUNCTION DRIVER OVERRIDE: as it is now, - for no driver.
has()
{
    path=sys/bus/pci/devices/$1
    now=$(readlink "$path/driver" || echo -)
    [ "${now##*/} $(cat "$path/driver_override")" = "$2 $3" ]
}

already()
{
    : >written
    : >calls
    pci_stub "$@"
    [ "$(grep -c ', already$' out)" = "$(wc -l <out)" ]
    [ ! -s written ]
    [ ! -s calls ]
}

a_slot_to_pci_stub_and_back()
{
    make_machine
    pci_stub pci-stub 01:00
    expect out '0000:01:00.0: pci-stub, was nvidia'
    [ ! -s err ]
    has 0000:01:00.0 pci-stub pci-stub
    has 0000:01:00.1 pci-stub pci-stub
    has 0000:02:00.0 e1000e '(null)'
    [ "$(cat calls)" = 'modprobe pci-stub' ]
    already pci-stub 01:00
    pci_stub host 01:00
    has 0000:01:00.0 nvidia '(null)'
    has 0000:01:00.1 snd_hda_intel '(null)'
    already host 01:00
}

to_xen_pciback_and_back()
{
    make_xen_machine
    pci_stub pci-stub 01:00
    : >calls
    pci_stub xen-pciback 01:00
    has 0000:01:00.0 pciback '(null)'
    has 0000:01:00.1 pciback '(null)'
    printf '%s\n' 'modprobe xen-pciback' 'xl pci-assignable-add 0000:01:00.0' \
        'xl pci-assignable-add 0000:01:00.1' | diff - calls
    already xen-pciback 01:00
    pci_stub host 01:00.0
    expect calls 'xl pci-assignable-remove 0000:01:00.0'
    has 0000:01:00.0 nvidia '(null)'
    has 0000:01:00.1 pciback '(null)'
    pci_stub pci-stub 01:00.1
    has 0000:01:00.1 pci-stub pci-stub
}

hidden_at_boot()
{
    make_xen_machine
    pci_stub xen-pciback 02:00.0
    : >hidden_at_boot
    : >calls
    pci_stub none 02:00.0
    printf 'xl pci-assignable-%s 0000:02:00.0\n' remove add remove | diff - calls
    has 0000:02:00.0 - '(null)'
}

no_driver_at_all()
{
    make_machine
    pci_stub none 02:00.0
    has 0000:02:00.0 - '(null)'
    already none 02:00.0
    pci_stub pci-stub 02:00.0
    pci_stub none 02:00.0
    has 0000:02:00.0 - '(null)'
    # What somebody else has reserved for another driver.
    echo vfio-pci >sys/bus/pci/devices/0000:02:00.0/driver_override
    pci_stub none 02:00.0
    has 0000:02:00.0 - '(null)'
    pci_stub host 02:00.0
    has 0000:02:00.0 e1000e '(null)'
    echo vfio-pci >sys/bus/pci/devices/0000:02:00.0/driver_override
    pci_stub host 02:00.0
    has 0000:02:00.0 e1000e '(null)'
}

# chosen ADDRESSES WORD...
chosen()
{
    wanted=$1
    shift
    pci_stub --list "$@"
    [ "$(sed -n 's/^\([0-9a-f]\).*/&/p' out | cut -d' ' -f1 | tr '\n' ' ')" = "$wanted " ]
}

devices_are_found()
{
    make_machine
    card='0000:01:00.0 0000:01:00.1'
    chosen 0000:01:00.1 01:00.1
    chosen 0000:01:00.1 0000:01:00.1
    chosen 0000:01:00.1 1:0.1
    chosen "$card" 01:00
    chosen "$card" '0000:01:00.*'
    chosen "$card" 01:00.1 01:00.0 01:00.1
    chosen 0001:05:1f.3 1:05:1F
    chosen "$card" GeForce
    chosen "$card" 'nvidia corp'
    chosen "$card 0000:04:00.0" samsung 01:00
    refused "there is no function 05:1f.3: --list shows what there is" pci-stub 05:1f.3
    refused "there is no function 01:00.7" --list 01:00.7
    refused "lspci shows no 'Radeon'" pci-stub Radeon
    refused "'Ethernet' may be any of these" pci-stub Ethernet
    expect err '    0000:02:00 Ethernet controller: Intel Corporation 82574L Gigabit'
    expect err '    0000:03:00 '
    echo 'lspci: Cannot open' >lspci.fails
    chosen "$card" 01:00
    expect out '0000:01:00.0 class 0300, 10de:1b80'
    refused 'apt install pciutils' pci-stub GeForce
}

a_list()
{
    make_machine
    echo 1 >sys/bus/pci/devices/0000:01:00.0/boot_vga
    rm sys/bus/pci/devices/0000:01:00.1/reset
    pci_stub --list 01:00 1:05:1f
    cat >wanted <<END
0000:01:00.0 VGA compatible controller: NVIDIA Corporation GP104 [GeForce GTX 1080] (rev a1)
    driver nvidia, group 1, reset yes, used: it is the console's display
0000:01:00.1 Audio device: NVIDIA Corporation GP104 High Definition Audio Controller (rev a1)
    driver snd_hda_intel, group 1, reset no, used: -
0001:05:1f.3 Signal processing controller: Intel Corporation Device
    driver -, group 5, reset yes, used: -
END
    diff wanted out
    pci_stub --list
    [ "$(wc -l <out)" = 14 ]
}

# What a dry run prints a shell can do.
a_dry_run()
{
    make_machine
    find sys -printf '%p %l %s\n' | sort >before
    pci_stub --dry-run pci-stub 01:00.0 02:00 --force
    cat >wanted <<END
modprobe pci-stub
echo pci-stub >$PWD/sys/bus/pci/devices/0000:01:00.0/driver_override
echo 0000:01:00.0 >$PWD/sys/bus/pci/devices/0000:01:00.0/driver/unbind
echo 0000:01:00.0 >$PWD/sys/bus/pci/drivers/pci-stub/bind
echo pci-stub >$PWD/sys/bus/pci/devices/0000:02:00.0/driver_override
echo 0000:02:00.0 >$PWD/sys/bus/pci/devices/0000:02:00.0/driver/unbind
echo 0000:02:00.0 >$PWD/sys/bus/pci/drivers/pci-stub/bind
END
    diff wanted out
    pci_stub --dry-run none 02:00
    pci_stub --dry-run xen-pciback 02:00
    expect out 'xl pci-assignable-add 0000:02:00.0'
    find sys -printf '%p %l %s\n' | sort | diff before -
    [ ! -s written ]
    [ ! -s calls ]
    pci_stub pci-stub 02:00
    : >written
    : >calls
    pci_stub --dry-run host 02:00
    expect out "echo >$PWD/sys/bus/pci/devices/0000:02:00.0/driver_override"
    expect out "echo 0000:02:00.0 >$PWD/sys/bus/pci/drivers_probe"
    [ ! -s written ]
    [ ! -s calls ]
}

no_module()
{
    make_machine
    echo 'modprobe: FATAL: Module not found' >modprobe.fails
    refused 'the module pci-stub cannot be loaded (modprobe: FATAL: Module not found): is it in' \
        pci-stub 02:00
    refused 'boot with Xen' xen-pciback 02:00
    rm bin/modprobe modprobe.fails
    printf '#!/bin/sh\n' >bin/modprobe
    chmod +x bin/modprobe
    refused 'modprobe pci-stub left no driver pci-stub' pci-stub 02:00
}

a_display_in_use()
{
    make_machine
    echo 1 >sys/bus/pci/devices/0000:01:00.0/boot_vga
    refused "0000:01:00.0: in use: it is the console's display" pci-stub 01:00
    expect err 'nothing was changed; --force does it nevertheless'
    refused "it is the console's display" none 01:00.0
    echo 0 >sys/bus/pci/devices/0000:01:00.0/boot_vga
    mkdir -p sys/bus/pci/devices/0000:01:00.0/drm/card0/card0-HDMI-A-1
    echo enabled >sys/bus/pci/devices/0000:01:00.0/drm/card0/card0-HDMI-A-1/enabled
    refused '0000:01:00.0: in use: it shows a picture on HDMI-A-1' pci-stub 01:00
    pci_stub --force pci-stub 01:00
    expect err 'it shows a picture'
    has 0000:01:00.0 pci-stub pci-stub
    # It is the host's no longer.
    echo 1 >sys/bus/pci/devices/0000:01:00.0/boot_vga
    pci_stub none 01:00
}

a_disk_in_use()
{
    make_machine
    nvme=sys/devices/pci0000:00/0000:04:00.0/nvme/nvme0
    class_device 0000:04:00.0 nvme/nvme0/nvme0n1 block
    class_device 0000:04:00.0 nvme/nvme0/nvme0n1/nvme0n1p2 block
    echo 259:2 >$nvme/nvme0n1/nvme0n1p2/dev
    pci_stub --dry-run pci-stub 04:00
    echo '25 1 259:2 / / rw,relatime shared:1 - ext4 /dev/root rw' >proc/self/mountinfo
    refused '0000:04:00.0: in use: nvme0n1p2 is mounted at /' pci-stub 04:00
    echo '25 1 0:30 /@ /home rw shared:1 - btrfs /dev/nvme0n1p2 rw' >proc/self/mountinfo
    refused 'nvme0n1p2 is mounted at /home' pci-stub 04:00
    : >proc/self/mountinfo
    printf 'Filename Type Size Used Priority\n/dev/nvme0n1p2 partition 1 0 -2\n' >proc/swaps
    refused 'nvme0n1p2 is swapped to' pci-stub 04:00
    rm proc/swaps
    mkdir -p $nvme/nvme0n1/nvme0n1p2/holders/dm-0
    refused 'nvme0n1p2 is part of dm-0' pci-stub 04:00
    rm -r $nvme/nvme0n1
    # One path of a disk that is elsewhere.
    class_device 0000:04:00.0 nvme/nvme0/nvme0c1n1 block
    mkdir -p sys/block sys/devices/virtual/nvme0n1
    ln -s ../devices/virtual/nvme0n1 sys/block/nvme0n1
    ln -s /sys/class/block sys/devices/virtual/nvme0n1/subsystem
    echo '25 1 0:30 / /srv rw - ext4 /dev/nvme0n1 rw' >proc/self/mountinfo
    refused 'nvme0n1 is mounted at /srv' pci-stub 04:00
}

a_network_in_use()
{
    make_machine
    class_device 0000:02:00.0 net/eth0 net
    pci_stub --dry-run pci-stub 02:00
    heading='Iface Destination Gateway Flags RefCnt Use Metric Mask MTU Window IRTT'
    printf '%s\n' "$heading" 'eth0 0002A8C0 00000000 0001 0 0 0 00FFFFFF 0 0 0' \
        'eth1 00000000 0102A8C0 0003 0 0 0 00000000 0 0 0' >proc/net/route
    refused '0000:02:00.0: in use: eth0 has an address' pci-stub 02:00
    printf '%s\n' "$heading" 'eth0 00000000 0102A8C0 0003 0 0 0 00000000 0 0 0' >proc/net/route
    refused 'eth0 has the default route' pci-stub 02:00
    rm proc/net/route
    zero=00000000000000000000000000000000
    echo "fe800000000000000000000000000001 02 40 20 80 eth0" >proc/net/if_inet6
    echo "$zero 00 $zero 00 $zero ffffffff 00000001 00000000 00200200 eth0" >proc/net/ipv6_route
    pci_stub --dry-run pci-stub 02:00
    echo "20010db8000000000000000000000001 02 40 00 80 eth0" >>proc/net/if_inet6
    refused 'eth0 has an address' pci-stub 02:00
    echo "$zero 00 $zero 00 $zero 00000400 00000001 00000000 00000003 eth0" >>proc/net/ipv6_route
    refused 'eth0 has the default route' pci-stub 02:00
    rm proc/net/*
    ln -s ../../../../virtual/net/xenbr0 sys/devices/pci0000:00/0000:02:00.0/net/eth0/master
    refused 'eth0 is part of xenbr0' pci-stub 02:00
}

a_bridge()
{
    make_machine
    refused '0000:00:01.0: in use: it is a bridge' none 00:01
}

no_iommu()
{
    make_machine
    rm -r sys/kernel/iommu_groups sys/bus/pci/devices/*/iommu_group
    refused 'there is no IOMMU: turn on VT-d or AMD-Vi' pci-stub 02:00
    pci_stub none 02:00
    pci_stub --force pci-stub 02:00
}

no_iommu_of_xens()
{
    make_xen_machine
    echo 'virt_caps              : pv hvm hap' >xl
    refused 'Xen has no IOMMU: turn on VT-d or AMD-Vi' xen-pciback 02:00
    echo 'xencall: error: Could not obtain handle' >xl.fails
    refused 'xl cannot tell whether Xen has an IOMMU (xencall: error: ' xen-pciback 02:00
}

a_shared_group()
{
    make_machine
    refused '0000:01:00.0: the IOMMU cannot tell it from 0000:01:00.1 (group 1): name them' \
        pci-stub 01:00.0
    pci_stub pci-stub 01:00.0 01:00.1
    pci_stub host 01:00.1
    pci_stub none 01:00.1
    pci_stub host 01:00.0
    # The other one has no driver that could meet with a domain's doings.
    pci_stub pci-stub 01:00.0
    [ ! -s err ]
}

half_a_slot_under_xen()
{
    make_xen_machine
    pci_stub xen-pciback 01:00.0
    expect err '0000:01:00.0: the host keeps 0000:01:00.1 of the same slot'
    has 0000:01:00.0 pciback '(null)'
}

no_reset()
{
    make_machine
    rm sys/bus/pci/devices/0000:02:00.0/reset
    pci_stub pci-stub 02:00
    expect err '0000:02:00.0: it cannot be reset by itself'
    has 0000:02:00.0 pci-stub pci-stub
}

a_domain_has_it()
{
    make_xen_machine
    pci_stub xen-pciback 02:00
    echo '/local/domain/0/backend/pci/7/0/dev-0 = "0000:02:00.0"' >xenstore-ls
    pci_stub --list 02:00
    expect out 'used: domain 7 has it'
    refused '0000:02:00.0: domain 7 has it: shut that down, or xl pci-detach 7 0000:02:00.0' \
        --force host 02:00
}

a_stub_that_takes_it_again()
{
    make_machine
    pci_stub pci-stub 02:00
    echo pci-stub >sys/bus/pci/devices/0000:02:00.0/ids
    expected=1
    pci_stub host 02:00
    expect err '0000:02:00.0: pci-stub took it again: its option ids or hide'
}

no_driver_to_go_back_to()
{
    make_machine
    pci_stub pci-stub 02:00
    rm sys/bus/pci/devices/0000:02:00.0/native
    pci_stub host 02:00
    expect out '0000:02:00.0: no driver, was pci-stub'
    echo e1000e >aliases
    expected=1
    pci_stub host 02:00
    expect err '0000:02:00.0: e1000e would be its driver and does not take it'
}

xl_fails()
{
    make_xen_machine
    mkdir sys/bus/pci/drivers/pciback
    rm bin/xl
    # shellcheck disable=SC2016
    printf '%s\n' '#!/bin/sh' '[ "$1" != info ] || exec echo virt_caps: hvm_directio' \
        'echo no such luck >&2' 'exit 1' >bin/xl
    chmod +x bin/xl
    refused '0000:02:00.0: xl pci-assignable-add fails: no such luck' xen-pciback 02:00
    ln -sfn ../../../bus/pci/drivers/pciback sys/bus/pci/devices/0000:02:00.0/driver
    refused '0000:02:00.0: xl pci-assignable-remove fails: no such luck' none 02:00
}

a_write_that_fails()
{
    make_machine
    expected=1
    echo EACCES >sys/bus/pci/devices/0000:02:00.0/errno
    pci_stub none 02:00
    expect err '/driver/unbind cannot be written: do it as root, in dom0'
    echo EBUSY >sys/bus/pci/devices/0000:02:00.0/errno
    pci_stub pci-stub 02:00
    expect err '/driver_override: Device or resource busy; dmesg may say more'
}

# Files to which nothing happens: it writes what it should, and sees that it was to no end.
a_kernel_that_does_nothing()
{
    make_machine
    mkdir sys/bus/pci/drivers/pci-stub
    touch sys/bus/pci/drivers/e1000e/unbind
    fails "$program" pci-stub 02:00 2>err
    [ "$(cat sys/bus/pci/devices/0000:02:00.0/driver_override)" = pci-stub ]
    [ "$(cat sys/bus/pci/drivers/e1000e/unbind)" = 0000:02:00.0 ]
    expect err 'pci-stub: 0000:02:00.0: no driver was to have it, but e1000e has: dmesg may say why'
    rm sys/bus/pci/devices/0000:02:00.0/driver_override
    fails "$program" pci-stub 02:00 2>err
    expect err '/driver_override: No such file or directory'
}

its_own_options()
{
    make_machine
    pci_stub --help
    expect out 'Exit status: 0 done, or already so'
    pci_stub --version
    expect out ' 0.1'
    pci_stub none --dry-run 02:00.0 --force 03:00.0
    expect out '0000:03:00.0/driver/unbind'
    expected=2
    for arguments in '' 02:00 pci-stub 'vfio-pci 02:00' '--frobnicate host 02:00'; do
        # shellcheck disable=SC2086
        pci_stub $arguments
        expect err usage:
    done
    pci_stub pci-stub ''
    expect err "a device's name is empty"
}

run_cases a_slot_to_pci_stub_and_back to_xen_pciback_and_back hidden_at_boot no_driver_at_all \
    devices_are_found a_list a_dry_run no_module a_display_in_use a_disk_in_use a_network_in_use \
    a_bridge no_iommu no_iommu_of_xens a_shared_group half_a_slot_under_xen no_reset \
    a_domain_has_it a_stub_that_takes_it_again no_driver_to_go_back_to xl_fails \
    a_write_that_fails a_kernel_that_does_nothing its_own_options
