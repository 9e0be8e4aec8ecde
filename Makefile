# SPDX-License-Identifier: GPL-2.0-or-later
#
# Sources are found by their folders: every qemu/PART/*.c is in the program, every
# tests/KIND/test_*.c is a test. `make help` lists what can be made.

ifneq ($(origin SRC),file)

# At the top of the tree: the work is done in build/, where ./configure left its results. (In a
# build folder, configure's one-line Makefile sets SRC and includes this file.)

GOALS := $(or $(MAKECMDGOALS),all)

.PHONY: $(GOALS) build-folder
$(filter-out help distclean,$(GOALS)): build-folder
	@:

build-folder:
	@test -f build/config.mak || { echo "run ./configure first" >&2; exit 1; }
	@$(MAKE) --no-print-directory -C build $(filter-out help distclean,$(GOALS))

distclean:
	rm -rf build

help:
	@awk -F ' *## *' '/^[a-z-]+:.*##/ { sub(/:.*/, "", $$1); printf "  make %-14s %s\n", $$1, $$2 }' \
		Makefile

else

.PHONY: all
all: qemu-dm ## build the program

include config.mak

config.mak: $(SRC)/configure
	@echo "configure has changed, or a driver came or went: asking again"
	@./config.status

# The default list of drivers depends on which there are.
DRIVER_FILES_NOW := $(notdir $(wildcard $(SRC)/qemu/audio/drivers/*.c))
ifneq ($(sort $(filter %.c,$(DRIVER_FILES))),$(sort $(DRIVER_FILES_NOW)))
config.mak: $(if $(MAKE_RESTARTS),,FORCE)
endif

.PHONY: FORCE
FORCE:
.DELETE_ON_ERROR:
.SUFFIXES:

# say WHAT: the one line that stands for a command, unless V=1 shows the command itself.
ifneq ($(V),1)
say = @printf '  %-8s%s\n' $1 $@;
endif

# --- flags ---

STANDARD := -std=gnu11 -D_GNU_SOURCE -pthread -MMD -MP -fmacro-prefix-map=$(SRC)/=
WARNINGS := -Wall -Wextra -Wmissing-prototypes -Wstrict-prototypes -Wundef -Wwrite-strings -Wvla
# Ours first, so that the user's can take any of them back.
COMPILE = $(CC) $(STANDARD) $(WARNINGS) $(HARDENING_CFLAGS) $(CPPFLAGS) $(CFLAGS) \
	$(SANITIZER_FLAGS) -I. -I$(SRC)/qemu
LINK = $(CC) -pthread $(CFLAGS) $(SANITIZER_FLAGS) $(HARDENING_LDFLAGS) -Wl,--as-needed $(LDFLAGS)

# --- the program ---

PARTS := toolstack engine card traditional hw xen audio sandbox base
PART_SOURCES := $(filter-out %/main.c,$(wildcard $(SRC)/qemu/*.c)) $(foreach part,$(PARTS),$(wildcard $(SRC)/qemu/$(part)/*.c))
# A driver is drivers/NAME.c, and NAME_*.c if it has them.
DRIVER_SOURCES := $(sort $(wildcard $(foreach name,$(AUDIO_DRIVERS) $(MIDI_DRIVER) wav none, \
	$(SRC)/qemu/audio/drivers/$(name).c $(SRC)/qemu/audio/drivers/$(name)_*.c)))
PART_OBJECTS := $(patsubst $(SRC)/%.c,%.o,$(PART_SOURCES) $(DRIVER_SOURCES))
PURE_OBJECTS := $(filter-out qemu/xen/%,$(PART_OBJECTS))
CARD_LIBS := $(ZLIB_LIBS) $(JANSSON_LIBS) $(SANDBOX_LIBS)
# Who is logged in counts with the drivers: it is their servers' user.
DRIVER_LIBS := $(foreach name,$(AUDIO_DRIVERS) $(MIDI_DRIVER),$(LIBS_$(name))) $(LOGIND_LIBS)

# A part sees the headers of its own libraries, and the devices mix register widths too much to
# do without -Wconversion.
qemu/xen/%.o: PART_CFLAGS = $(XEN_CFLAGS)
qemu/engine/%.o: PART_CFLAGS = $(JANSSON_CFLAGS)
qemu/traditional/%.o: PART_CFLAGS = $(JANSSON_CFLAGS)
qemu/card/%.o: PART_CFLAGS = $(ZLIB_CFLAGS) $(JANSSON_CFLAGS)
qemu/sandbox/%.o: PART_CFLAGS = $(LOGIND_CFLAGS) $(SANDBOX_CFLAGS)
qemu/audio/drivers/%.o: PART_CFLAGS = \
	$(or $(CFLAGS_$(notdir $*)),$(CFLAGS_$(firstword $(subst _, ,$(notdir $*)))))
qemu/hw/%.o: PART_CFLAGS = -Wconversion

qemu/%.o: $(SRC)/qemu/%.c config.mak $(SRC)/Makefile
	@mkdir -p $(@D)
	$(call say,CC)$(COMPILE) $(PART_CFLAGS) -c -o $@ $<

qemu-dm: qemu/main.o $(PART_OBJECTS)
	$(call say,LINK)$(LINK) -o $@ $^ $(DRIVER_LIBS) $(XEN_LIBS) $(CARD_LIBS) -lm

.PHONY: install
install: all ## install it (DESTDIR=... for a package)
	install -d $(DESTDIR)$(libexecdir) $(DESTDIR)$(sbindir) $(DESTDIR)$(sysconfdir)/xen \
		$(DESTDIR)$(mandir)/man5 $(DESTDIR)$(mandir)/man8 $(DESTDIR)$(completiondir)
	install -m 755 qemu-dm $(DESTDIR)$(libexecdir)/qemu-dm
	ln -sf $(libexecdir)/qemu-dm $(DESTDIR)$(sbindir)/qemu-dm
	@# Never over a device model that somebody else has put there.
	$(if $(xenbindir),install -d $(DESTDIR)$(xenbindir) && \
		if test -L $(DESTDIR)$(xenbindir)/qemu-dm || ! test -e $(DESTDIR)$(xenbindir)/qemu-dm; \
		then ln -sf $(libexecdir)/qemu-dm $(DESTDIR)$(xenbindir)/qemu-dm; \
		else echo "$(xenbindir)/qemu-dm is another device model and stays"; fi)
	install -d $(DESTDIR)$(libexecdir)/xm2xl
	install -m 644 $(SRC)/scripts/xm2xl.d/*.py $(DESTDIR)$(libexecdir)/xm2xl
	sed -e 's,^PARTS = .*,PARTS = "$(libexecdir)/xm2xl",' \
		-e 's,^DEVICE_MODEL = .*,DEVICE_MODEL = "$(libexecdir)/qemu-dm",' \
		-e "s,^VERSION = .*,VERSION = $$(sed -n 's/^#define CONFIG_VERSION //p' config.h)," \
		$(SRC)/scripts/xm2xl >$(DESTDIR)$(sbindir)/qemu-dm-xm2xl
	sed "s,^VERSION = .*,VERSION = $$(sed -n 's/^#define CONFIG_VERSION //p' config.h)," \
		$(SRC)/scripts/pci-stub >$(DESTDIR)$(sbindir)/qemu-dm-pci-stub
	chmod 755 $(DESTDIR)$(sbindir)/qemu-dm-xm2xl $(DESTDIR)$(sbindir)/qemu-dm-pci-stub
	@# The pages of the tree tell of the folders that are usual.
	set -e; for page in $(notdir $(wildcard $(SRC)/qemu/*.[58])); do \
		sed -e 's,/usr/local/lib/qemu-dm,$(libexecdir),' \
			-e 's,/etc/xen/qemu-dm\.conf,$(sysconfdir)/xen/qemu-dm.conf,' \
			$(SRC)/qemu/$$page >$(DESTDIR)$(mandir)/man$${page##*.}/$$page; \
		chmod 644 $(DESTDIR)$(mandir)/man$${page##*.}/$$page; done
	install -m 644 $(SRC)/qemu/qemu-dm.bash-completion $(DESTDIR)$(completiondir)/qemu-dm
	ln -sf qemu-dm $(DESTDIR)$(completiondir)/qemu-dm-xm2xl
	ln -sf qemu-dm $(DESTDIR)$(completiondir)/qemu-dm-pci-stub
	@# The host's owner may have changed it.
	test -e $(DESTDIR)$(sysconfdir)/xen/qemu-dm.conf || \
		install -m 644 $(SRC)/qemu/qemu-dm.conf $(DESTDIR)$(sysconfdir)/xen

# --- the tests ---
#
# A test is linked with what it needs of the program, tests/fakes/ standing in for qemu/xen/; the
# whole program with the fakes is tests/qemu-dm-fake. The program itself runs with tests/fake-xen.so,
# which stands in for Xen's libraries.

TEST_DIRS := unit device process tools configure
C_TESTS := $(patsubst $(SRC)/%.c,%,$(foreach dir,$(TEST_DIRS),$(wildcard $(SRC)/tests/$(dir)/test_*.c)))
SH_TESTS := $(patsubst $(SRC)/%,%,$(foreach dir,$(TEST_DIRS),$(wildcard $(SRC)/tests/$(dir)/test_*.sh)))
TOOLS := $(patsubst $(SRC)/%.c,%,$(filter-out %/test_%,$(wildcard $(SRC)/tests/tools/*.c)))
FAKE_OBJECTS := $(patsubst $(SRC)/%.c,%.o,$(filter-out %/xen_libraries.c,$(wildcard $(SRC)/tests/fakes/*.c)))
TEST_LIBS := libqemu-dm.a libfakes.a
# Those that start the program, and look at it from the outside.
PROGRAM_TESTS := $(addprefix tests/process/test_, killed shortages supervisor supervisor_saving supervisor_sound)
# And do so with the program itself and fake-xen.so, which is no sanitizer's.
REAL_RESULTS := $(if $(SANITIZERS),,$(addsuffix .real.result,$(filter $(PROGRAM_TESTS),$(C_TESTS))))
# Seconds, for a loaded machine; sanitizers are slow.
TEST_TIMEOUT := $(if $(SANITIZERS),240,120)

tests/%.o: $(SRC)/tests/%.c config.mak $(SRC)/Makefile
	@mkdir -p $(@D)
	$(call say,CC)$(COMPILE) $(CMOCKA_CFLAGS) -I$(SRC)/tests -c -o $@ $<

tests/unit/test_midi_alsa.o: CPPFLAGS += $(CFLAGS_midi_alsa)
tests/unit/test_status_output.o tests/unit/test_qmp_client.o tests/process/test_unplug_qemu.o: CPPFLAGS += $(JANSSON_CFLAGS)

libqemu-dm.a: $(PURE_OBJECTS)
libfakes.a: $(FAKE_OBJECTS)
libqemu-dm.a libfakes.a:
	$(call say,AR)rm -f $@ && $(AR) rcs $@ $^

tests/unit/test_bench_analysis: tests/bench/analysis.o
tests/process/test_card_process tests/process/test_shortages tests/process/test_supervisor_saving: \
	tests/process/playing_guest.o
$(PROGRAM_TESTS): tests/process/program.o
$(C_TESTS): %: %.o $(TEST_LIBS)
	$(call say,LINK)$(LINK) -o $@ $(filter %.o,$^) -Wl,--start-group $(TEST_LIBS) -Wl,--end-group \
		$(DRIVER_LIBS) $(CMOCKA_LIBS) $(CARD_LIBS) -lm

tests/qemu-dm-fake: qemu/main.o $(PURE_OBJECTS) $(FAKE_OBJECTS)
	$(call say,LINK)$(LINK) -o $@ $^ $(DRIVER_LIBS) $(CARD_LIBS) -lm

# For a program that another compiler may have built: with nothing of the sanitizers.
FAKE_XEN_SOURCES := $(addprefix $(SRC)/tests/fakes/, xen_libraries.c fake_domain.c told.c)
tests/fake-xen.so: SANITIZER_FLAGS =
tests/fake-xen.so: $(FAKE_XEN_SOURCES) $(wildcard $(SRC)/tests/fakes/*.h) config.mak $(SRC)/Makefile
	@mkdir -p $(@D)
	$(call say,LINK)$(filter-out -MMD -MP,$(COMPILE)) $(XEN_CFLAGS) -I$(SRC)/tests -fPIC -shared -o $@ $(FAKE_XEN_SOURCES)

$(TOOLS): %: %.o
	$(call say,LINK)$(LINK) -o $@ $< -lm

.PHONY: cmocka check-build
cmocka:
	@test "$(CMOCKA)" = yes || { echo "no tests: cmocka is $(CMOCKA)" >&2; exit 1; }
check-build: cmocka $(C_TESTS) $(TOOLS) tests/qemu-dm-fake $(if $(REAL_RESULTS),qemu-dm tests/fake-xen.so) ## build the tests without running them

$(REAL_RESULTS): %.real.result: % tests/fake-xen.so FORCE | $(if $(filter check,$(MAKECMDGOALS)),check-build,$(PROGRAM_TESTS) $(if $(PROGRAM),,qemu-dm))
	@BUILD=$(CURDIR) SRC=$(SRC_ABS) TEST_TIMEOUT=$(TEST_TIMEOUT) SANITIZERS= \
		QEMU_DM_PROGRAM=$(or $(PROGRAM),$(CURDIR)/qemu-dm) $(SRC)/tests/run one $< $@

RESULTS := $(addsuffix .result,$(C_TESTS) $(SH_TESTS))
$(addsuffix .result,$(SH_TESTS)): %.result: $(SRC)/% FORCE | check-build
$(addsuffix .result,$(C_TESTS)): %.result: % FORCE | $(if $(TEST),,check-build)
$(RESULTS):
	@mkdir -p $(@D)
	@BUILD=$(CURDIR) SRC=$(SRC_ABS) TEST_TIMEOUT=$(TEST_TIMEOUT) SANITIZERS=$(SANITIZERS) \
		$(SRC)/tests/run one $< $@

# The xl that reads what xm2xl writes, and the examples, where this machine has none: it needs not be
# installed, and the tests say so where it cannot be had.
tests/tools/test_xm2xl.sh.result tests/tools/test_examples.sh.result: | tests/tools/xl
tests/tools/xl:
	@mkdir -p $@
	@command -v xl >/dev/null || { cd $@ && version=$$(dpkg-query -W -f '$${Version}' libxen-dev) && \
		apt-get -q -o Acquire::Retries=0 -o Acquire::http::Timeout=10 download \
		xen-utils-$$(echo "$$version" | cut -d. -f1,2) libyajl2 && \
		for package in *.deb; do dpkg -x $$package . || exit 1; done; } >$@/log 2>&1 || :

# Likewise the program that shares a keyboard, without what it needs for its windows.
tests/tools/test_examples.sh.result: | tests/tools/barrier
tests/tools/barrier:
	@mkdir -p $@
	@command -v barriers deskflow-server >/dev/null || { cd $@ && \
		apt-get -q -o Acquire::Retries=0 -o Acquire::http::Timeout=10 download barrier && \
		dpkg -x barrier_*.deb .; } >$@/log 2>&1 || :

.PHONY: check check-program check-unit check-asan check-tsan
check: $(RESULTS) $(REAL_RESULTS) $(MORE_RESULTS) ## run the tests (TEST_DIRS="unit device ..." for some of them)
	@$(SRC)/tests/run total $^

check-program: $(REAL_RESULTS) ## run those that start the program with another (PROGRAM=/usr/lib/qemu-dm/qemu-dm)
	@$(SRC)/tests/run total $^

# Those that others would disturb come last.
ifneq ($(MORE_RESULTS),)
$(MORE_RESULTS): | $(RESULTS)
endif

# Against the sound servers of this machine: for scripts/check, not for `make check`.
DRIVER_HOSTS := pa pa-pipewire pipewire alsa-pulse alsa-pipewire alsa-null alsa-file oss-padsp oss-aoss wav none
DRIVER_TESTS := $(DRIVER_HOSTS:%=tests/drivers/hosts/%.sh.result) \
	$(patsubst $(SRC)/%,%.result,$(wildcard $(SRC)/tests/drivers/test_*.sh))
DRIVER_TOOLS := $(patsubst $(SRC)/%.c,%,$(wildcard $(SRC)/tests/drivers/*.c))
$(DRIVER_TOOLS): %: %.o $(TEST_LIBS)
	$(call say,LINK)$(LINK) -o $@ $< -Wl,--start-group $(TEST_LIBS) -Wl,--end-group $(DRIVER_LIBS) \
		$(CARD_LIBS) -lm
$(DRIVER_TESTS): %.result: $(SRC)/% FORCE | $(DRIVER_TOOLS) tests/tools/pattern tests/tools/level \
		tests/qemu-dm-fake
	@mkdir -p $(@D)
	@BUILD=$(CURDIR) SRC=$(SRC_ABS) TEST_TIMEOUT=180 SANITIZERS=$(SANITIZERS) \
		$(SRC)/tests/run one $< $@
# It cannot be installed beside pulseaudio. The row is skipped where it cannot be had.
tests/drivers/hosts/alsa-pipewire.sh.result: | tests/drivers/pipewire-alsa
tests/drivers/pipewire-alsa:
	@mkdir -p $@
	@cd $@ && apt-get -q download pipewire-alsa >log 2>&1 && dpkg -x pipewire-alsa_*.deb . || :
.PHONY: check-drivers
check-drivers: $(DRIVER_TESTS) ## run the drivers' tests against real sound servers
	@BUILD=$(CURDIR) $(SRC)/tests/drivers/table $(DRIVER_HOSTS)
	@$(SRC)/tests/run total $^

# Of the Debian packages, which scripts/package makes: for scripts/check. Each has roots of its own.
PACKAGE_TESTS := $(patsubst $(SRC)/%,%.result,$(wildcard $(SRC)/tests/package/test_*.sh))
$(PACKAGE_TESTS): %.result: $(SRC)/% FORCE
	@mkdir -p $(@D)
	@BUILD=$(CURDIR) SRC=$(SRC_ABS) TEST_TIMEOUT=1500 $(SRC)/tests/run one $< $@
.PHONY: check-packages
check-packages: $(PACKAGE_TESTS) ## build, install, upgrade and remove the Debian packages
	@$(SRC)/tests/run total $^

# --- the fuzzers ---
#
# tests/fuzz/NAME.c is linked as a test is, twice: with libFuzzer, in the build folder fuzz/, and
# with AFL++, in fuzz-afl/.

FUZZERS := $(patsubst $(SRC)/%.c,%,$(wildcard $(SRC)/tests/fuzz/*.c))
FUZZ_SECONDS := 12

tests/fuzz/registers tests/fuzz/saved_card: tests/fuzz/shared/virtual_host.o
$(FUZZERS): %: %.o $(TEST_LIBS)
	$(call say,LINK)$(LINK) -fsanitize=fuzzer -o $@ $(filter %.o,$^) -Wl,--start-group $(TEST_LIBS) \
		-Wl,--end-group $(DRIVER_LIBS) $(CARD_LIBS) -lm

FUZZ_RESULTS := $(addsuffix .result,$(FUZZERS))
$(FUZZ_RESULTS): %.result: % FORCE
	@SRC=$(SRC_ABS) FUZZ_SECONDS=$(FUZZ_SECONDS) $(SRC)/tests/fuzz/run $< $@
.PHONY: fuzz-here
fuzz-here: $(FUZZ_RESULTS)
	@$(SRC)/tests/run total $^

fuzz: FUZZ_CONFIG := --cc=clang --cflags='-g -O2 -fsanitize=fuzzer-no-link'
fuzz-afl: FUZZ_CONFIG := --cc=afl-clang-fast --cflags='-g -O2'
.PHONY: fuzz fuzz-afl
fuzz: ## throw whatever input at the program, for FUZZ_SECONDS each
fuzz-afl: ## likewise, with AFL++
fuzz fuzz-afl:
	@mkdir -p $@
	@cd $@ && { test config.mak -nt ../config.mak || \
		../config.status $(FUZZ_CONFIG) --enable-sanitizers=address,undefined; }
	@$(MAKE) --no-print-directory -C $@ fuzz-here

# --- the bench ---

BENCH_LISTENERS := $(filter pa pipewire,$(AUDIO_DRIVERS))
BENCH_OBJECTS := $(addprefix tests/bench/, analysis.o floor_writer.o guest_driver.o listener.o \
	$(BENCH_LISTENERS:%=listener_%.o) machine_ours.o machine_qemu.o stall_watch.o)
tests/bench/listener_pipewire.o: CPPFLAGS += $(CFLAGS_pipewire)

.PHONY: bench-tools
bench-tools: tests/bench/measure tests/bench/skewed_clock.so ## build what scripts/bench uses
tests/bench/measure: tests/bench/measure.o $(BENCH_OBJECTS) $(TEST_LIBS)
	$(if $(filter pa,$(AUDIO_DRIVERS)),,$(error the bench plays to PulseAudio: configure with the driver pa))
	$(call say,LINK)$(LINK) -o $@ $(filter %.o,$^) -Wl,--start-group $(TEST_LIBS) -Wl,--end-group \
		-lpulse-simple -lpulse $(DRIVER_LIBS) $(CARD_LIBS) -lm

# They measure: one after the other, and with nothing else at work.
LATENCY_TESTS := tests/bench/test_latency.result tests/bench/test_latency_tells.result
$(LATENCY_TESTS): %.result: $(SRC)/%.sh FORCE | bench-tools
	@mkdir -p $(@D)
	@BUILD=$(CURDIR) SRC=$(SRC_ABS) TEST_TIMEOUT=300 LATENCY_FACTOR=$(LATENCY_FACTOR) \
		$(SRC)/tests/run one $< $@
.PHONY: check-latency check-latency-tells
check-latency: tests/bench/test_latency.result ## hold the card's delay to its limits (LATENCY_FACTOR=4 must fail)
	@grep '^ok' tests/bench/test_latency.log
	@$(SRC)/tests/run total $<
check-latency-tells: tests/bench/test_latency_tells.result ## see that it fails for a deeper ring
	@$(SRC)/tests/run total $<

tests/bench/skewed_clock.so: $(SRC)/tests/bench/skewed_clock.c config.mak $(SRC)/Makefile
	@mkdir -p $(@D)
	$(call say,LINK)$(COMPILE) -fPIC -shared -o $@ $<

# While other parts do not compile, one test can be built from those that do.
.PHONY: part-objects
part-objects: $(PURE_OBJECTS) $(FAKE_OBJECTS)
	@:
check-unit: cmocka ## run one test: make check-unit TEST=tests/unit/test_NAME
	@test -f $(SRC)/$(TEST).c || { echo "say which: make check-unit TEST=tests/unit/test_NAME" >&2; exit 1; }
	-@$(MAKE) --no-print-directory -k part-objects
	@rm -f libpartial.a; $(AR) rcs libpartial.a $$(ls $(PURE_OBJECTS) $(FAKE_OBJECTS) 2>/dev/null)
	@$(MAKE) --no-print-directory TEST_LIBS=libpartial.a $(TEST).result
	@$(SRC)/tests/run total $(TEST).result

check-asan: LIST := address,undefined
check-tsan: LIST := thread
check-asan: ## run them under AddressSanitizer and UBSan
check-tsan: ## run them under ThreadSanitizer
check-asan check-tsan: check-%:
	@mkdir -p $*
	@cd $* && { test config.mak -nt ../config.mak || ../config.status --enable-sanitizers=$(LIST); }
	@$(MAKE) --no-print-directory -C $* check TEST_DIRS="$(filter-out configure,$(TEST_DIRS))"

check-realtime: ## run them, and the card into a real sound server, with traps in the realtime path
	@mkdir -p realtime
	@cd realtime && { test config.mak -nt ../config.mak || ../config.status --enable-debug; }
	@$(MAKE) --no-print-directory -C realtime check TEST_DIRS="$(filter-out configure,$(TEST_DIRS))" \
		MORE_RESULTS=tests/drivers/test_card.sh.result

# --- the rest ---

.PHONY: clean distclean help
clean: ## remove what was built
	rm -rf qemu tests asan tsan realtime fuzz fuzz-afl qemu-dm libqemu-dm.a libfakes.a libpartial.a
distclean: clean ## remove everything that was generated, the lab's images too
	rm -rf lab config.mak config.h config.log config.status Makefile
help: ## this list
	@$(MAKE) --no-print-directory -C $(SRC) help

-include $(patsubst %.o,%.d,qemu/main.o $(PART_OBJECTS) $(FAKE_OBJECTS) $(addsuffix .o,$(C_TESTS) $(TOOLS) $(FUZZERS)) \
	tests/fuzz/shared/virtual_host.o tests/process/playing_guest.o tests/process/program.o tests/bench/measure.o $(BENCH_OBJECTS))

endif
