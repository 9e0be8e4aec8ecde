#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# ./configure on machines that it has never seen: the real compiler, with an include path and a
# pkg-config that have been tampered with.

# shellcheck disable=SC1091,SC2317  # the cases are called by run_cases

set -eu

# The make and the configuration that this test runs under are not those under test.
unset MAKEFLAGS MFLAGS MAKELEVEL MAKEOVERRIDES CC CFLAGS CPPFLAGS LDFLAGS PKG_CONFIG 2>/dev/null || true
. "$SRC/tests/configure/lib.sh"

pkg-config --exists libpulse libpipewire-0.3 alsa xendevicemodel || {
    echo "the packages of scripts/deps/build.txt are not all installed: scripts/install-deps build"
    exit 77
}

# A tree with every driver and nothing else, in ./tree.
make_tree()
{
    mkdir -p tree/qemu/audio/drivers tree/scripts
    cp "$SRC/configure" "$SRC/Makefile" tree
    cp "$SRC"/qemu/*.8 "$SRC"/qemu/qemu-dm.conf* "$SRC"/qemu/*.bash-completion tree/qemu
    cp -r "$SRC/scripts/xm2xl" "$SRC/scripts/xm2xl.d" "$SRC/scripts/pci-stub" tree/scripts
    for name in pa pipewire alsa oss midi_alsa wav none; do
        echo "int driver_$name;" >"tree/qemu/audio/drivers/$name.c"
    done
    echo 'int main(void) { return 0; }' >tree/qemu/main.c
    mkdir build
}

# configure OPTION...: in ./build, with what it said in ./said.
configure()
{
    (cd build && ../tree/configure "$@") >said 2>&1
}

# A machine that can be tampered with: from here on the compiler finds this machine's headers by the
# links in ./include, and pkg-config its modules by those in ./pc.
other_machine()
{
    mkdir -p include/arch pc
    ln -s /usr/include/* include
    ln -s "/usr/include/$(cc -print-multiarch)"/* include/arch
    for dir in $(pkg-config --variable pc_path pkg-config | tr ':' ' '); do
        for file in "$dir"/*.pc; do
            [ ! -f "$file" ] || ln -sf "$file" pc
        done
    done
    CC="cc -nostdinc -isystem $(cc -print-file-name=include) -isystem $PWD/include/arch"
    CC="$CC -isystem $PWD/include"
    PKG_CONFIG_LIBDIR="$PWD/pc"
    export CC PKG_CONFIG_LIBDIR
}

pa_is_found()
{
    make_tree
    configure --audio-drv-list=pa
    expect said 'sound drivers   pa, wav and none'
    expect build/config.h '#define CONFIG_AUDIO_PA 1'
    expect build/config.h '#define CONFIG_AUDIO_DRIVERS(X) X(pa)'
    expect_not build/config.h CONFIG_AUDIO_ALSA
}

pa_is_found_without_pkg_config()
{
    make_tree
    PKG_CONFIG=/nonexistent configure --audio-drv-list=pa
    expect build/config.mak 'LIBS_pa := -lpulse'
}

pa_not_installed()
{
    make_tree
    other_machine
    rm -r include/pulse pc/libpulse*
    fails configure --audio-drv-list=alsa,pa
    expect said 'pa: not installed: apt install libpulse-dev'
    expect_not said 'alsa:'
    expect_not said 'the probe failed'
    expect build/config.log 'pulse/pulseaudio.h: No such file or directory'
}

pa_left_out_of_the_default_list()
{
    make_tree
    other_machine
    rm -r include/pulse pc/libpulse*
    configure
    expect said 'pa: not installed: apt install libpulse-dev'
    expect build/config.h '#define CONFIG_AUDIO_DRIVERS(X) X(pipewire) X(alsa) X(oss)'
    expect_not build/config.h CONFIG_AUDIO_PA
}

pa_installed_but_does_not_compile()
{
    make_tree
    other_machine
    rm -r include/pulse
    mkdir include/pulse
    echo 'this is not a header;' >include/pulse/pulseaudio.h
    fails configure --audio-drv-list=pa
    expect said 'pa: installed, but the probe failed to compile: see config.log'
    expect_not said 'not installed'
    # The program, the command and the compiler's answer
    expect build/config.log 'pa_context_get_state(c);'
    expect build/config.log 'probe.c'
    expect build/config.log 'include/pulse/pulseaudio.h:1:'
    expect build/config.log 'error: '
}

pa_known_to_the_compiler_alone()
{
    make_tree
    other_machine
    rm -r pc/libpulse*
    configure --audio-drv-list=pa
    expect build/config.mak 'LIBS_pa := -lpulse'
}

pa_known_to_pkg_config_alone()
{
    make_tree
    other_machine
    rm -r include/pulse
    fails configure --audio-drv-list=pa
    expect said 'pa: installed, but the probe failed to compile: see config.log'
}

pa_installed_but_does_not_link()
{
    make_tree
    cat >pkg-config <<'EOF'
#!/bin/sh
case $* in
"--libs libpulse") echo -lno-such-library ;;
*) exec pkg-config "$@" ;;
esac
EOF
    chmod +x pkg-config
    PKG_CONFIG=$PWD/pkg-config fails configure --audio-drv-list=pa
    expect said 'pa: installed, but the probe failed to link: see config.log'
    expect build/config.log 'cannot find -lno-such-library'
}

# The fault that this project was born from: a <pulse/pulseaudio.h> that does not declare NULL, and a
# probe that used it. The library is there all the while.
the_historical_probe()
{
    make_tree
    other_machine
    rm -r include/pulse
    mkdir include/pulse
    cat >include/pulse/pulseaudio.h <<'EOF'
typedef struct pa_context pa_context;
int pa_context_get_state(const pa_context *c);
EOF
    configure --audio-drv-list=pa # with 0, as it is
    expect build/config.h '#define CONFIG_AUDIO_PA 1'

    sed -i 's/pa_context \*c = 0;/pa_context *c = NULL;/' tree/configure
    expect tree/configure 'pa_context *c = NULL;'
    fails configure --audio-drv-list=pa
    expect said 'pa: installed, but the probe failed to compile: see config.log'
    expect_not said 'not installed'
    expect build/config.log "'NULL' undeclared"
}

all_that_is_missing_is_told_at_once()
{
    make_tree
    other_machine
    rm -r include/pulse pc/libpulse* include/xen* pc/xen* include/jansson.h pc/jansson.pc
    fails configure --audio-drv-list=pa
    expect said 'pa: not installed: apt install libpulse-dev'
    for name in xendevicemodel xenforeignmemory xenevtchn xentoolcore xenstore; do
        expect said "$name: not installed: apt install libxen-dev"
    done
    expect said 'jansson: not installed: apt install libjansson-dev'
}

# A machine that has everything: pkg-config knows all, every program compiles.
order_of_the_default_list()
{
    make_tree
    PKG_CONFIG=true configure --cc=true
    expect build/config.h '#define CONFIG_AUDIO_DRIVERS(X) X(pa) X(pipewire) X(alsa) X(oss)'
}

order_of_a_given_list()
{
    make_tree
    PKG_CONFIG=true configure --cc=true --audio-drv-list=oss,wav,pa,oss
    expect build/config.h '#define CONFIG_AUDIO_DRIVERS(X) X(oss) X(pa)'
}

no_driver_but_wav_and_none()
{
    make_tree
    configure --audio-drv-list=
    expect said 'sound drivers   wav and none'
    make -C build qemu-dm
    [ -f build/qemu/audio/drivers/none.o ]
    [ ! -e build/qemu/audio/drivers/pa.o ]
}

driver_that_this_tree_lacks()
{
    make_tree
    rm tree/qemu/audio/drivers/oss.c
    fails configure --audio-drv-list=pa,oss
    expect said "this tree has no driver 'oss'; it has: pa pipewire alsa"
    fails configure --audio-drv-list=jack
    expect said "this tree has no driver 'jack'"
    PKG_CONFIG=true configure --cc=true
    expect build/config.h '#define CONFIG_AUDIO_DRIVERS(X) X(pa) X(pipewire) X(alsa)'
}

unknown_options()
{
    make_tree
    fails configure --audio-drvlist=pa
    expect said 'unknown option --audio-drvlist=pa; the nearest is --audio-drv-list'
    fails configure --enable-sanitizer=address
    expect said 'the nearest is --enable-sanitizers'
    fails configure --prefix
    expect said '--prefix needs a value'
    fails configure --prefix=here
    expect said 'paths must be absolute'
    fails configure --enable-sanitizers=address,thread
    expect said 'give address, undefined, address,undefined or thread'
    [ ! -e build/config.mak ]
}

help_names_every_option()
{
    make_tree
    configure --help
    for option in --prefix --libexecdir --sbindir --xenbindir --sysconfdir --rundir --audio-drv-list \
        --disable-midi --with-engine --cc --cflags --ldflags --enable-debug --enable-sanitizers --help; do
        expect said "  $option"
    done
}

options_reach_the_program()
{
    make_tree
    configure --prefix=/usr --with-engine=/opt/engine --libexecdir=/usr/libexec/qemu-dm \
        --xenbindir=/usr/lib/xen-4.9/bin \
        --audio-drv-list=
    expect build/config.h '#define CONFIG_ENGINE_PATH "/opt/engine"'
    expect build/config.h '#define CONFIG_SYSCONFDIR "/etc"'
    expect build/config.h '#define CONFIG_RUNDIR "/run/qemu-dm"'
    make -C build DESTDIR="$PWD/root" install
    [ -x root/usr/libexec/qemu-dm/qemu-dm ]
    root/usr/libexec/qemu-dm/qemu-dm
    [ "$(readlink root/usr/sbin/qemu-dm)" = /usr/libexec/qemu-dm/qemu-dm ]
    [ "$(readlink root/usr/lib/xen-4.9/bin/qemu-dm)" = /usr/libexec/qemu-dm/qemu-dm ]
    cmp root/etc/xen/qemu-dm.conf "$SRC/qemu/qemu-dm.conf"
    for page in "$SRC"/qemu/*.[1-9]; do
        expect "root/usr/share/man/man${page##*.}/${page##*/}" '.Sh SEE ALSO'
    done
    expect root/usr/share/man/man8/qemu-dm.8 'override = "/usr/libexec/qemu-dm/qemu-dm"'
    expect root/usr/share/man/man8/qemu-dm.8 '.Pa /etc/xen/qemu-dm.conf'
    for command in qemu-dm qemu-dm-xm2xl qemu-dm-pci-stub; do
        expect "root/usr/share/bash-completion/completions/$command" "complete -F _qemu_dm"
    done
    [ -f root/usr/libexec/qemu-dm/xm2xl/rules.py ]
    # Where it will be, it is not yet.
    expect root/usr/sbin/qemu-dm-xm2xl 'PARTS = "/usr/libexec/qemu-dm/xm2xl"'
    sed -i "s,^PARTS = \",&$PWD/root," root/usr/sbin/qemu-dm-xm2xl
    root/usr/sbin/qemu-dm-xm2xl "$SRC/tests/tools/xm2xl/example-hvm.xm" >said
    expect said 'device_model_override = "/usr/libexec/qemu-dm/qemu-dm"'
    root/usr/sbin/qemu-dm-xm2xl --version >said
    expect said 'qemu-dm-xm2xl 0.1'
    root/usr/sbin/qemu-dm-pci-stub --version >said
    expect said 'qemu-dm-pci-stub 0.1'
    echo 'driver = none' >root/etc/xen/qemu-dm.conf
    make -C build DESTDIR="$PWD/root" install
    expect root/etc/xen/qemu-dm.conf 'driver = none'
}

# -Werror on the command line turns remarks about the program into errors, not those about probes.
werror_does_not_reach_the_probes()
{
    make_tree
    CFLAGS='-Werror -Wmissing-declarations -Waggregate-return -Wsystem-headers -Wall -Wextra -Wpedantic' \
        configure --audio-drv-list=pa
    expect build/config.mak '-Werror'
}

debug_traps_the_realtime_path()
{
    make_tree
    configure --audio-drv-list=
    expect_not build/config.h CONFIG_REALTIME_TRAPS
    configure --audio-drv-list= --enable-debug
    expect build/config.h '#define CONFIG_REALTIME_TRAPS 1'
    expect build/config.mak 'CFLAGS := -O0 -g'
    expect said 'traps in the realtime path'
    configure --audio-drv-list= --enable-debug --enable-sanitizers=undefined
    expect_not build/config.h CONFIG_REALTIME_TRAPS
}

midi_is_found()
{
    make_tree
    configure --audio-drv-list=
    expect said 'midi            yes (ALSA sequencer)'
    expect build/config.h '#define CONFIG_MIDI 1'
    expect build/config.mak 'LIBS_midi_alsa := -lasound'
    make -C build qemu-dm
    [ -f build/qemu/audio/drivers/midi_alsa.o ]
}

midi_not_wanted()
{
    make_tree
    configure --audio-drv-list= --disable-midi
    expect said 'midi            no (--disable-midi)'
    expect_not build/config.h CONFIG_MIDI
    make -C build qemu-dm
    [ ! -e build/qemu/audio/drivers/midi_alsa.o ]
}

midi_not_installed()
{
    make_tree
    other_machine
    rm -r include/alsa pc/alsa.pc
    configure --audio-drv-list=
    expect said 'midi            no (not installed: apt install libasound2-dev)'
    expect_not build/config.h CONFIG_MIDI
}

midi_installed_but_does_not_compile()
{
    make_tree
    other_machine
    rm -r include/alsa
    configure --audio-drv-list=
    expect said 'midi            no (installed, but the probe failed to compile: see config.log)'
    expect build/config.log 'snd_midi_event_new(64'
}

compiler_that_does_not_work()
{
    make_tree
    fails configure --cc=no-such-compiler
    expect said "cannot run the C compiler 'no-such-compiler'"
    fails configure --cflags=--no-such-flag
    expect said 'see config.log'
}

out_of_tree_build_leaves_the_tree_alone()
{
    make_tree
    (cd tree && find . | sort) >before
    configure --audio-drv-list=pa
    make -C build
    [ -x build/qemu-dm ]
    (cd tree && find . | sort) >after
    cmp before after
}

in_tree_build_goes_to_build()
{
    make_tree
    cd tree
    ./configure --audio-drv-list=
    make
    build/qemu-dm
    [ "$(echo *)" = 'Makefile build configure qemu scripts' ]
    touch build/lab
    make clean
    [ ! -e build/qemu-dm ]
    [ -e build/config.mak ]
    [ -e build/lab ]
    make distclean
    [ ! -e build ]
    fails make 2>said
    expect said 'run ./configure first'
}

dependencies_are_tracked()
{
    make_tree
    mkdir tree/qemu/base
    echo 'int main(void); ' >tree/qemu/base/main.h
    printf '#include "base/main.h"\nint main(void) { return 0; }\n' >tree/qemu/main.c
    configure --audio-drv-list=
    make -C build
    make -C build -q
    echo '#error changed' >tree/qemu/base/main.h
    fails make -C build 2>said
    expect said '#error changed'
}

configure_is_asked_again_when_a_driver_comes()
{
    make_tree
    rm tree/qemu/audio/drivers/pa.c
    configure --prefix=/opt/x
    expect_not build/config.h CONFIG_AUDIO_PA
    echo 'int driver_pa;' >tree/qemu/audio/drivers/pa.c
    make -C build
    expect build/config.h '#define CONFIG_AUDIO_PA 1'
    expect build/config.mak 'prefix := /opt/x'
    make -C build -q
}

run_cases pa_is_found pa_is_found_without_pkg_config pa_not_installed \
    pa_left_out_of_the_default_list pa_installed_but_does_not_compile \
    pa_known_to_the_compiler_alone pa_known_to_pkg_config_alone pa_installed_but_does_not_link \
    the_historical_probe all_that_is_missing_is_told_at_once order_of_the_default_list \
    order_of_a_given_list no_driver_but_wav_and_none driver_that_this_tree_lacks unknown_options \
    help_names_every_option options_reach_the_program werror_does_not_reach_the_probes \
    midi_is_found midi_not_wanted midi_not_installed midi_installed_but_does_not_compile \
    debug_traps_the_realtime_path compiler_that_does_not_work \
    out_of_tree_build_leaves_the_tree_alone in_tree_build_goes_to_build dependencies_are_tracked \
    configure_is_asked_again_when_a_driver_comes
