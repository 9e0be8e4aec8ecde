/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The plan for single cases: which card, which slot, which -audiodev, what is refused. (Whole
 * command lines are in test_plan_golden.c. The slots below were compared with QEMU's own `info
 * pci`.)
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "toolstack/device_models.h"
#include "toolstack/option.h"
#include "toolstack/pci_slots.h"
#include "toolstack/plan.h"

#define ENGINE "/engine"

/* Plans for "qemu-dm LINE", LINE's words being parted by single blanks. */
static bool plan_line(struct plan *plan, const char *line, struct err *err)
{
    const char *args[128] = {"qemu-dm"};
    char *copy = strdup(line);
    int count = 1;
    bool ok;

    assert_non_null(copy);
    for (char *rest = copy, *word; (word = strsep(&rest, " ")) != NULL;) {
        assert_in_range(count, 1, 127);
        args[count++] = word;
    }
    ok = plan_make(plan, *line ? count : 1, args, ENGINE, err);
    free(copy);
    return ok;
}

static struct plan plan_ok(const char *line)
{
    struct plan plan;
    struct err err;

    if (!plan_line(&plan, line, &err))
        fail_msg("%s: %s", line, err.text);
    return plan;
}

/* That LINE is refused, by a message with this in it. */
static void assert_refused(const char *line, const char *message)
{
    struct plan plan;
    struct err err;

    if (plan_line(&plan, line, &err))
        fail_msg("%s: not refused", line);
    if (!strstr(err.text, message))
        fail_msg("%s: '%s' is not in '%s'", line, message, err.text);
    assert_null(plan.engine_argv);
    assert_null(plan.domain_name);
    assert_null(plan.audiodev);
    assert_null(plan.note);
}

static void assert_action(const char *line, enum plan_action action)
{
    struct plan plan = plan_ok(line);

    if (plan.action != action)
        fail_msg("%s: action %d instead of %d", line, plan.action, action);
    plan_free(&plan);
}

/* That the engine is given these words. */
static void assert_engine(const struct plan *plan, const char *line)
{
    char words[2000] = "";

    assert_string_equal(plan->engine_argv[0], ENGINE);
    for (char **arg = plan->engine_argv + 1; *arg; arg++) {
        strncat(words, arg == plan->engine_argv + 1 ? "" : " ", sizeof(words) - strlen(words) - 1);
        strncat(words, *arg, sizeof(words) - strlen(words) - 1);
    }
    assert_string_equal(words, line);
}

static void assert_becomes_engine(const char *line)
{
    struct plan plan = plan_ok(line);

    assert_int_equal(plan.action, PLAN_BECOME_ENGINE);
    assert_engine(&plan, line);
    plan_free(&plan);
}

static void assert_slot(const char *line, unsigned slot)
{
    struct plan plan = plan_ok(line);

    assert_int_equal(plan.action, PLAN_RUN_CARD);
    if (plan.card_slot != slot)
        fail_msg("%s: slot %u instead of %u", line, plan.card_slot, slot);
    plan_free(&plan);
}

#define XENFV "-xen-domid 5 -nodefaults -machine xenfv "
#define PC    "-xen-domid 5 -nodefaults -machine pc,accel=xen "
#define HELD  "-audiodev none,id=qemu-dm-silent -device es1370,id=qemu-dm-card,addr=0x"
#define END   ",audiodev=qemu-dm-silent"

/* --- what is to be done --- */

static void test_no_card_is_the_engine(void **state)
{
    struct plan plan;
    struct err err;

    (void)state;
    assert_becomes_engine("");
    assert_becomes_engine("-S -machine none,accel=xen -chardev socket,id=x,fd=3");
    assert_becomes_engine("-xen-domid 5 -device rtl8139 -audiodev pa,id=x");
    assert_becomes_engine("-device es1370");
    assert_becomes_engine("-xen-domid 5 -machine none -device es1370");
    assert_becomes_engine("-xen-domid what -machine q35 disk.img  - -- -unheard-of x");

    assert_true(plan_make(&plan, 0, NULL, ENGINE, &err));
    assert_int_equal(plan.action, PLAN_BECOME_ENGINE);
    assert_engine(&plan, "");
    plan_free(&plan);
}

#define WAV(id)                                                                                    \
    "-audiodev wav,id=" id ",out.frequency=48000,out.channels=2,out.format=s16,"                   \
    "out.fixed-settings=on,path=/dev/fd/9 "
#define SPEAKER(id) "-machine pcspk-audiodev=" id " "
#define PIPE        WAV("qemu-dm-pipe") SPEAKER("qemu-dm-pipe")
#define TO_PIPE     ",audiodev=qemu-dm-pipe"

/* Cards that are the engine's play into our pipe. */
static void test_engine_cards(void **state)
{
    static const struct {
        const char *line;
        const char *audiodev; /* NULL: none */
        const char *head, *engine;
    } cases[] = {
        /* as libxl writes them */
        {"-device ac97", NULL, PIPE, "-device ac97" TO_PIPE},
        {"-device intel-hda -device hda-duplex", NULL, PIPE,
         "-device intel-hda -device hda-duplex" TO_PIPE},
        {"-device sb16", NULL, PIPE, "-device sb16" TO_PIPE},
        {"-device gus", NULL, PIPE, "-device gus" TO_PIPE},
        {"-device adlib", NULL, PIPE, "-device adlib" TO_PIPE},
        {"-device cs4231a", NULL, PIPE, "-device cs4231a" TO_PIPE},

        /* as people do */
        {"-device AC97,id=a -device usb-audio", NULL, PIPE,
         "-device AC97,id=a" TO_PIPE " -device usb-audio" TO_PIPE},
        {"-m 9 -soundhw ac97,hda -k de", NULL,
         PIPE "-device AC97" TO_PIPE " -device intel-hda -device hda-duplex" TO_PIPE " ",
         "-m 9 -k de"},
        {"-m 9 -audio pa,model=ac97,out.latency=9", "pa,out.latency=9,id=audiodev0",
         WAV("audiodev0") SPEAKER("audiodev0") "-device AC97,audiodev=audiodev0 ", "-m 9"},
        {"-audio pa -device sb16", "pa,id=audiodev0", WAV("audiodev0") SPEAKER("audiodev0"),
         "-device sb16,audiodev=audiodev0"},
        {"-device {\"driver\":\"AC97\"}", NULL, PIPE,
         "-device {\"driver\":\"AC97\"} -global AC97.audiodev=qemu-dm-pipe"},

        /* the user's -audiodev keeps its id, whatever names it */
        {"-device ac97,audiodev=x -audiodev pa,id=x,server=s", "pa,id=x,server=s",
         WAV("x") SPEAKER("x"), "-device ac97,audiodev=x"},
        {"-device ac97 -audiodev pa,id=x", "pa,id=x", WAV("x") SPEAKER("x"),
         "-device ac97,audiodev=x"},
        {"-device ac97 -audiodev alsa,id=x -global AC97.audiodev=x", "alsa,id=x",
         WAV("x") SPEAKER("x"), "-device ac97 -global AC97.audiodev=x"},
        {"-device ac97 -audiodev oss,id=x -machine pcspk-audiodev=x", "oss,id=x", WAV("x"),
         "-device ac97,audiodev=x -machine pcspk-audiodev=x"},
        {"-device {\"driver\":\"AC97\",\"audiodev\":\"x\"} -audiodev pipewire,id=x",
         "pipewire,id=x", WAV("x") SPEAKER("x"),
         "-device {\"driver\":\"AC97\",\"audiodev\":\"x\"}"},
        {"-device ac97 -audiodev pa,id=a,,b", "pa,id=a,,b", PIPE, "-device ac97" TO_PIPE},

        /* the engine's own beside ours */
        {"-device ac97 -device sb16,audiodev=s -audiodev spice,id=s -audiodev pa,id=x", "pa,id=x",
         WAV("x") SPEAKER("x"),
         "-device ac97,audiodev=x -device sb16,audiodev=s "
         "-audiodev spice,id=s"},
        {"-device ac97,audiodev=y -audiodev pa,id=x -audiodev oss,id=y", "pa,id=x",
         WAV("x") SPEAKER("x") "-audiodev none,id=y ", "-device ac97,audiodev=y"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char line[300] = XENFV, engine[600];
        struct plan plan = plan_ok(strcat(line, cases[i].line));
        struct err err;

        assert_int_equal(plan.action, PLAN_RUN_ENGINE_SOUND);
        assert_int_equal(plan.domid, 5);
        assert_non_null(strstr(plan.note, "es1370"));
        assert_true(plan_set_pipe_fd(&plan, 8, &err));
        assert_true(plan_set_pipe_fd(&plan, 9, &err));
        snprintf(engine, sizeof(engine), "%s" XENFV "%s", cases[i].head, cases[i].engine);
        assert_engine(&plan, engine);
        if (cases[i].audiodev)
            assert_string_equal(plan.audiodev, cases[i].audiodev);
        else
            assert_null(plan.audiodev);
        plan_free(&plan);
    }
}

/* Cards whose -audiodev is the engine's own are left to it. */
static void test_engine_cards_with_the_engines_audiodev(void **state)
{
    static const struct {
        const char *line, *engine;
    } cases[] = {
        {"-device ac97,audiodev=s -audiodev spice,id=s", "-device ac97,audiodev=s "
                                                         "-audiodev spice,id=s"},
        {"-device ac97 -audiodev none,id=n", "-device ac97,audiodev=n -audiodev none,id=n"},
        {"-audio spice,model=ac97", "-audio spice,model=ac97"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char line[300] = XENFV, engine[300] = XENFV;
        struct plan plan = plan_ok(strcat(line, cases[i].line));

        assert_int_equal(plan.action, PLAN_BECOME_ENGINE);
        assert_non_null(strstr(plan.note, "the engine's own"));
        assert_engine(&plan, strcat(engine, cases[i].engine));
        plan_free(&plan);
    }
    assert_becomes_engine("-xen-domid 5 -machine none -device ac97");
    assert_becomes_engine("-xen-domid 5 -M xenpv -xen-attach -device ac97");
    assert_becomes_engine("-device ac97");
}

/* PV domains, and the stubdomains among them. */
static void test_backends(void **state)
{
    struct plan plan;

    (void)state;
    plan = plan_ok("-xen-domid 5 -xen-attach -name web -M xenpv");
    assert_int_equal(plan.action, PLAN_BECOME_ENGINE);
    assert_null(plan.note);
    plan_free(&plan);

    plan = plan_ok("-xen-domid 5 -xen-attach -name web-dm -audiodev pa,id=x -audiodev none,id=y "
                   "-M xenpv");
    assert_int_equal(plan.action, PLAN_BECOME_ENGINE);
    assert_null(plan.audiodev);
    assert_non_null(strstr(plan.note, "device_model_args_hvm"));
    assert_non_null(strstr(plan.note, "device_model_stubdomain_override=0"));
    assert_engine(&plan, "-xen-domid 5 -xen-attach -name web-dm -audiodev none,id=y -M xenpv");
    plan_free(&plan);
}

static void test_unknown_cards_are_left_out(void **state)
{
    struct plan plan = plan_ok(XENFV "-soundhw ac97,theremin");
    struct err err;

    (void)state;
    assert_non_null(strstr(plan.note, "theremin"));
    assert_true(plan_set_pipe_fd(&plan, 9, &err));
    assert_engine(&plan, PIPE "-device AC97" TO_PIPE " -xen-domid 5 -nodefaults -machine xenfv");
    plan_free(&plan);
}

/* Beside an es1370 the engine's cards need an -audiodev, too, for some engines start with none. */
static void test_engine_cards_beside_es1370(void **state)
{
    struct plan plan = plan_ok(XENFV "-device sb16 -device es1370");

    (void)state;
    assert_int_equal(plan.action, PLAN_RUN_CARD);
    assert_int_equal(plan.pipe_argument, 0);
    assert_non_null(strstr(plan.note, "sb16"));
    assert_engine(&plan, XENFV "-device sb16" END " " HELD "03" END);
    plan_free(&plan);

    plan = plan_ok(XENFV "-soundhw ac97 -device es1370");
    assert_engine(&plan, "-device AC97" END " " XENFV HELD "03" END);
    plan_free(&plan);

    plan = plan_ok(XENFV "-device es1370");
    assert_null(plan.note);
    plan_free(&plan);
}

static void test_help_and_version(void **state)
{
    (void)state;
    assert_action("-h", PLAN_SHOW_HELP);
    assert_action("-help", PLAN_SHOW_HELP);
    assert_action("--help", PLAN_SHOW_HELP);
    assert_action("-version", PLAN_SHOW_VERSION);
    assert_action("--version", PLAN_SHOW_VERSION);
    assert_action(XENFV "-device es1370 --version", PLAN_SHOW_VERSION);
    assert_becomes_engine("-machine pc -version");
    assert_becomes_engine("-name --help");
}

static void test_status(void **state)
{
    (void)state;
    assert_action("--status", PLAN_SHOW_STATUS);
    assert_action("-status", PLAN_SHOW_STATUS);
    assert_action("--status web01", PLAN_SHOW_STATUS);
    assert_action("--watch web01 --json --status", PLAN_SHOW_STATUS);
    assert_action("--status --wacht", PLAN_SHOW_STATUS);
    assert_action("--status --help", PLAN_SHOW_HELP);
    assert_becomes_engine("-machine pc -status");
    assert_becomes_engine("-name --status");
}

static void test_values_are_not_options(void **state)
{
    struct plan plan;

    (void)state;
    assert_becomes_engine("-xen-domid 5 -name -device -k es1370");
    assert_becomes_engine("-xen-domid 5 -append -device -initrd es1370");
    assert_becomes_engine("-xen-domid 5 -device");

    plan = plan_ok("--xen-domid 5 --machine xenfv --nodefaults --device es1370");
    assert_int_equal(plan.action, PLAN_RUN_CARD);
    assert_engine(&plan, "--xen-domid 5 --machine xenfv --nodefaults " HELD "03" END);
    plan_free(&plan);

    /* of an option that nobody knows: what follows is an option of its own */
    plan = plan_ok(XENFV "-unheard-of -device es1370");
    assert_engine(&plan, XENFV "-unheard-of " HELD "03" END);
    plan_free(&plan);
}

/* --- the domain --- */

static void test_domain(void **state)
{
    static const struct {
        const char *line;
        const char *name;
    } names[] = {
        {XENFV "-device es1370", ""},
        {XENFV "-device es1370 -name web", "web"},
        {XENFV "-device es1370 -name guest=web,process=p", "web"},
        {XENFV "-device es1370 -name process=p,guest=web", "web"},
        {XENFV "-device es1370 -name a,,b,process=p", "a,b"},
        {XENFV "-device es1370 -name process=p", ""},
        {XENFV "-device es1370 -name old -name new", "new"},
    };
    struct plan plan;

    (void)state;
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        plan = plan_ok(names[i].line);
        assert_string_equal(plan.domain_name, names[i].name);
        assert_int_equal(plan.domid, 5);
        plan_free(&plan);
    }
    plan = plan_ok("-xen-domid 32751 -device es1370");
    assert_int_equal(plan.domid, 32751);
    plan_free(&plan);

    assert_refused("-xen-domid 0 -device es1370", "-xen-domid 0");
    assert_refused("-xen-domid 32752 -device es1370", "from 1 to 32751");
    assert_refused("-xen-domid -1 -device es1370", "-xen-domid -1");
    assert_refused("-xen-domid 5x -device es1370", "-xen-domid 5x");
    assert_refused("-xen-domid  -device es1370", "-xen-domid ");
    assert_refused("-xen-domid 99999999999999999999 -device es1370", "-xen-domid 9999");
}

/* --- the card's forms --- */

static void test_the_engines_card_has_an_id(void **state)
{
    static const char *const lines[][2] = {
        {XENFV "-device es1370", "qemu-dm-card"},
        {XENFV "-soundhw es1370", "qemu-dm-card"},
        {XENFV "-device es1370,id=snd", "snd"},
        {XENFV "-device id=a,,b,driver=es1370", "a,b"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
        struct plan plan = plan_ok(lines[i][0]);

        assert_string_equal(plan.card_id, lines[i][1]);
        plan_free(&plan);
    }
}

static void test_card_forms(void **state)
{
    static const struct {
        const char *line;
        const char *engine;
    } forms[] = {
        {"-device ES1370", HELD "03" END},
        {"-device Es1370", HELD "03" END},
        {"-device driver=es1370", HELD "03" END},
        {"-device id=snd,driver=es1370",
         "-audiodev none,id=qemu-dm-silent -device es1370,id=snd,addr=0x03" END},
        {"-device es1370,addr=0x10", HELD "10" END},
        {"-device es1370,addr=1f.0", HELD "1f" END},
        {"-device es1370,id=a,,b,audiodev=x,bus=pci.0,multifunction=on -audiodev pa,id=x",
         "-audiodev none,id=qemu-dm-silent "
         "-device es1370,id=a,,b,bus=pci.0,multifunction=on,addr=0x03" END},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
        char line[300] = XENFV, engine[300] = XENFV;
        struct plan plan;

        plan = plan_ok(strcat(line, forms[i].line));
        assert_int_equal(plan.action, PLAN_RUN_CARD);
        assert_engine(&plan, strcat(engine, forms[i].engine));
        plan_free(&plan);
    }

    assert_refused(XENFV "-device es1370 -device ES1370", "a second es1370");
    assert_refused(XENFV "-device es1370 -soundhw es1370", "a second es1370");
    assert_refused(XENFV "-device {\"driver\":\"ES1370\"}", "instead of JSON");
    assert_refused(XENFV "-device {\"x\":\"a=b\",\"driver\":\"es1370\"}", "instead of JSON");
    assert_refused(XENFV "-soundhw ac97,es1370", "-soundhw es1370");
    assert_refused(XENFV "-device es1370,bus=pci.1", "pci.0");
    assert_refused(XENFV "-device es1370,addr=3.1", "without a function");
    assert_refused(XENFV "-device es1370,addr=20", "from 0x2 to 0x1f");
    assert_refused(XENFV "-device es1370,addr=1", "from 0x2 to 0x1f");
    assert_refused(XENFV "-device es1370,addr=", "from 0x2 to 0x1f");
    assert_refused(XENFV "-device es1370,addr=-2", "from 0x2 to 0x1f");
    assert_refused("-xen-domid 5 -machine q35 -device es1370", "xenfv and pc");
    assert_refused("-xen-domid 5 -M xenpv -device es1370", "xenfv and pc");
    assert_refused("-xen-domid 5 -machine pc-q35-7.2 -device es1370", "xenfv and pc");
}

/* -soundhw and -audio make the card before any -device does. */
static void test_short_forms_come_first(void **state)
{
    struct plan plan;

    (void)state;
    plan = plan_ok(PC "-device rtl8139 -soundhw es1370 -m 64");
    assert_int_equal(plan.card_slot, 2);
    assert_null(plan.audiodev);
    assert_engine(&plan, HELD "02" END " " PC "-device rtl8139 -m 64");
    plan_free(&plan);

    plan = plan_ok(PC "-device rtl8139 -audio pa,model=es1370,out.latency=9000");
    assert_int_equal(plan.card_slot, 2);
    assert_string_equal(plan.audiodev, "pa,out.latency=9000,id=audiodev0");
    assert_engine(&plan, HELD "02" END " " PC "-device rtl8139");
    plan_free(&plan);

    plan = plan_ok(PC "-audio model=es1370,driver=pa,id=x -device usb-audio,audiodev=x");
    assert_string_equal(plan.audiodev, "driver=pa,id=x");
    assert_engine(&plan,
                  HELD "02" END " " PC "-audiodev driver=pa,id=x -device usb-audio,audiodev=x");
    plan_free(&plan);
}

/* --- the slot --- */

static void test_slots(void **state)
{
    (void)state;
    /* the machine's own */
    assert_slot("-xen-domid 5 -nodefaults -device es1370", 2);
    assert_slot(PC "-device es1370", 2);
    assert_slot(XENFV "-device es1370", 3);
    assert_slot("-xen-domid 5 -nodefaults -M xenfv-4.2 -device es1370", 3);
    assert_slot("-xen-domid 5 -nodefaults -M pc-i440fx-2.1 -device es1370", 2);
    assert_slot("-xen-domid 5 -nodefaults -M pc -machine type=xenfv -device es1370", 3);
    assert_slot("-xen-domid 5 -nodefaults -M q35 -M usb=on,type=pc -device es1370", 2);
    assert_slot(XENFV "-device es1370 -machine igd-passthru=on", 4);
    assert_slot(XENFV "-device es1370 -accel xen,igd-passthru=yes", 4);
    assert_slot(XENFV "-device es1370 -machine igd-passthru=off", 3);
    assert_slot(PC "-device es1370 -machine igd-passthru=on", 2);

    /* display and network cards that the machine makes */
    assert_slot(XENFV "-device es1370 -vga cirrus", 4);
    assert_slot(XENFV "-device es1370 -vga none", 3);
    assert_slot(XENFV "-device es1370 -net nic,model=e1000 -net tap -nic tap,model=rtl8139", 5);
    assert_slot(XENFV "-device es1370 -net nic,model=ne2k_isa -net none -nic none", 3);
    assert_slot(XENFV "-device es1370 -net nic,addr=3", 4);
    assert_slot("-xen-domid 5 -M pc -device es1370", 4);
    assert_slot("-xen-domid 5 -M pc -device es1370 -net none", 3);
    assert_slot("-xen-domid 5 -M pc -device es1370 -device VGA -netdev user,id=n", 2);

    /* devices before it */
    assert_slot(PC "-device VGA,vgamem_mb=16 -device es1370", 3);
    assert_slot(PC "-device es1370 -device VGA", 2);
    assert_slot(PC "-usb -usbdevice tablet -device usb-tablet -device es1370", 2);
    assert_slot(PC "-device lsi53c895a -device scsi-hd,drive=d -device cirrus-vga "
                   "-device ide-cd,drive=c -device es1370",
                4);
    assert_slot(PC "-device virtio-serial -device virtserialport,chardev=c -device es1370", 3);
    assert_slot(PC "-device intel-hda -device hda-duplex -device es1370", 3);
    assert_slot(PC "-device usb-ehci -device es1370", 3);
    assert_slot(PC "-virtfs local,path=/x -device es1370", 3);
    assert_slot(PC "-device rtl8139,bus=pci.0 -device es1370", 3);
    assert_slot(PC "-device rtl8139,bus=bridge -device es1370", 2);
    assert_slot(PC "-device {\"driver\":\"VGA\"} -device es1370", 2);

    /* addresses */
    assert_slot(PC "-device rtl8139,addr=2 -device es1370", 3);
    assert_slot(PC "-device rtl8139,addr=0x1d.0x7 -device es1370", 2);
    assert_slot(PC "-device rtl8139,addr=3 -device VGA -device es1370", 4);
    assert_slot(PC "-device rtl8139,addr=2.1 -device es1370", 2);
    assert_slot(PC "-device rtl8139,addr=junk -device es1370", 3);
}

static void test_doubt_takes_the_higher_slot(void **state)
{
    struct plan plan;

    (void)state;
    plan = plan_ok(PC "-device brand-new,x=y -device es1370");
    assert_int_equal(plan.card_slot, 3);
    assert_non_null(strstr(plan.note, "brand-new"));
    plan_free(&plan);

    plan = plan_ok(XENFV "-machine igd-passthru=on -device es1370");
    assert_int_equal(plan.card_slot, 4);
    assert_non_null(strstr(plan.note, "igd-passthru"));
    plan_free(&plan);

    plan = plan_ok(PC "-device brand-new -device es1370,addr=9");
    assert_int_equal(plan.card_slot, 9);
    assert_null(plan.note);
    plan_free(&plan);
}

static void test_full_bus(void **state)
{
    char line[1000] = PC;

    (void)state;
    for (int i = 2; i < 31; i++)
        strcat(line, "-device rtl8139 ");
    strcat(line, "-device es1370");
    assert_slot(line, 31);

    strcpy(line, PC);
    for (int i = 2; i < 32; i++)
        strcat(line, "-device rtl8139 ");
    strcat(line, "-device es1370");
    assert_refused(line, "no free PCI slot");
}

static void test_addresses(void **state)
{
    static const struct {
        const char *text;
        bool ok;
        unsigned slot, function;
    } cases[] = {
        {"3", true, 3, 0},     {"0x1d.0x7", true, 29, 7},
        {"1F.0", true, 31, 0}, {"10", true, 16, 0},
        {"20", false, 0, 0},   {"3.8", false, 0, 0},
        {"", false, 0, 0},     {"x", false, 0, 0},
        {"-1", false, 0, 0},   {" 3", false, 0, 0},
        {"3 ", false, 0, 0},   {"3.", false, 0, 0},
        {"+3", false, 0, 0},   {"3.1.2", false, 0, 0},
        {"0x", false, 0, 0},   {"fffffffffffffffff3", false, 0, 0},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        unsigned slot, function;

        if (pci_address_parse(cases[i].text, &slot, &function) != cases[i].ok)
            fail_msg("'%s'", cases[i].text);
        if (cases[i].ok) {
            assert_int_equal(slot, cases[i].slot);
            assert_int_equal(function, cases[i].function);
        }
    }
}

/* --- which -audiodev --- */

static void test_audiodev(void **state)
{
    static const struct {
        const char *line;
        const char *audiodev; /* NULL: none */
        const char *engine;   /* after the card */
    } cases[] = {
        {"", NULL, ""},
        {" -audiodev pa,id=x,server=s,,t", "pa,id=x,server=s,,t", ""},
        {" -audiodev pa", "pa", ""},
        {" -audiodev help", "help", ""},
        {" -audiodev driver=pa,id=x", "driver=pa,id=x", ""},
        {" -audio pa,out.latency=9000", "pa,out.latency=9000,id=audiodev0", ""},
        {" -audio pa,model=ac97", NULL, " -audio pa,model=ac97"},

        /* one that something else names stays with the engine */
        {" -audiodev none,id=u -device usb-audio,audiodev=u", NULL,
         " -audiodev none,id=u -device usb-audio,audiodev=u"},
        {" -audiodev none,id=u -machine pcspk-audiodev=u -audiodev pa,id=x", "pa,id=x",
         " -audiodev none,id=u -machine pcspk-audiodev=u"},
        {" -audiodev none,id=u -M pcspk-audiodev=u", NULL,
         " -audiodev none,id=u -M pcspk-audiodev=u"},
        {" -audiodev none,id=u -vnc :0,audiodev=u", NULL,
         " -audiodev none,id=u -vnc :0,audiodev=u"},
        {" -audiodev none,id=u -global AC97.audiodev=u", NULL,
         " -audiodev none,id=u -global AC97.audiodev=u"},

        /* one that the card names */
        {" -audiodev pa,id=x -audiodev oss,id=y -global ES1370.audiodev=y", "oss,id=y",
         " -audiodev pa,id=x"},
        {" -audiodev pa,id=x -device usb-audio,audiodev=x -global ES1370.audiodev=x", "pa,id=x",
         " -audiodev pa,id=x -device usb-audio,audiodev=x"},
        {" -global ES1370.audiodev=x -audiodev pa,id=y -audiodev pa,id=x", "pa,id=x",
         " -audiodev pa,id=y"},
        {" -audiodev pa,id=a,,b -global ES1370.audiodev=a,b", "pa,id=a,,b", ""},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char line[300] = XENFV "-device es1370", engine[300] = XENFV HELD "03" END;
        struct plan plan = plan_ok(strcat(line, cases[i].line));

        if (cases[i].audiodev) {
            assert_non_null(plan.audiodev);
            assert_string_equal(plan.audiodev, cases[i].audiodev);
        } else {
            assert_null(plan.audiodev);
        }
        assert_engine(&plan, strcat(engine, cases[i].engine));
        plan_free(&plan);
    }
}

static void test_audiodev_of_device(void **state)
{
    struct plan plan;

    (void)state;
    /* the card's own property goes before -global */
    plan = plan_ok(XENFV "-audiodev pa,id=x -audiodev oss,id=y -global ES1370.audiodev=y "
                         "-device es1370,audiodev=x");
    assert_string_equal(plan.audiodev, "pa,id=x");
    assert_engine(&plan, XENFV "-audiodev oss,id=y " HELD "03" END);
    plan_free(&plan);

    assert_refused(XENFV "-device es1370,audiodev=z -audiodev pa,id=x -audiodev oss,id=y", "x, y");
    assert_refused(XENFV "-device es1370,audiodev=z", "none");
    assert_refused(XENFV "-device es1370 -audiodev pa,id=x -audiodev oss", "several -audiodev");
    assert_refused(XENFV "-device es1370 -audiodev pa,id=qemu-dm-silent", "qemu-dm's own");
    assert_refused(XENFV "-device es1370,audiodev=x -device usb-audio,audiodev=x "
                         "-audiodev pa,id=x,user=anna",
                   "user= is es1370's alone");
    assert_refused(XENFV "-device es1370 -audiodev {\"driver\":\"pa\"}", "instead of JSON");
}

static void test_many_audiodevs(void **state)
{
    char line[1000] = XENFV "-device es1370,audiodev=x -audiodev pa,id=x";

    (void)state;
    for (int i = 1; i < 16; i++)
        strcat(line, " -audiodev pa,id=y");
    assert_action(line, PLAN_RUN_CARD);
    strcat(line, " -audiodev pa,id=y");
    assert_refused(line, "more than 16");
}

/* --- saving and restoring --- */

#define CMD "-chardev socket,id=libxl-cmd,"

static void test_qmp_socket(void **state)
{
    static const struct {
        const char *chardevs;
        const char *path; /* NULL: none */
        int fd;
        const char *rewritten; /* for descriptor 33; NULL: there is no such socket */
    } cases[] = {
        {CMD "path=/run/q,server=on,wait=off", "/run/q", -1, CMD "server=on,wait=off,fd=33"},
        {CMD "path=/run/a,,b,server,nowait", "/run/a,b", -1, CMD "server,nowait,fd=33"},
        {CMD "fd=20,server=on,wait=off", NULL, 20, CMD "server=on,wait=off,fd=33"},
        {"-mon chardev=a " CMD "fd=0,server=on -S", NULL, 0,
         "-mon chardev=a " CMD "server=on,fd=33 -S"},
        {"-chardev backend=socket,path=/q,server=on,id=libxl-cmd", "/q", -1,
         "-chardev backend=socket,server=on,id=libxl-cmd,fd=33"},

        {"-S", NULL, -1, NULL},
        {"-chardev socket,id=libxenstat-cmd,path=/q,server=on", NULL, -1, NULL},
        {"-chardev pty,id=libxl-cmd", NULL, -1, NULL},
        {CMD "path=/q,server=off", NULL, -1, NULL},
        {CMD "path=/q", NULL, -1, NULL},
        {CMD "path=/q,server=on,abstract=on", NULL, -1, NULL},
        {CMD "host=h,port=1,server=on", NULL, -1, NULL},
        {CMD "fd=name,server=on", NULL, -1, NULL},
        {CMD "fd=-3,server=on", NULL, -1, NULL},
        {CMD "fd=,server=on", NULL, -1, NULL},
        {CMD "fd=4294967296,server=on", NULL, -1, NULL},
        {CMD "fd=99999999999999999999999,server=on", NULL, -1, NULL},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char line[300] = XENFV "-device es1370 ", engine[300] = XENFV HELD "03" END " ";
        struct plan plan = plan_ok(strcat(line, cases[i].chardevs));
        struct err err;

        assert_int_equal(plan.qmp_argument != 0, cases[i].rewritten != NULL);
        assert_int_equal(plan.qmp_fd, cases[i].fd);
        if (cases[i].path)
            assert_string_equal(plan.qmp_path, cases[i].path);
        else
            assert_null(plan.qmp_path);
        if (cases[i].rewritten)
            assert_true(plan_set_qmp_fd(&plan, 33, &err));
        assert_engine(&plan,
                      strcat(engine, cases[i].rewritten ? cases[i].rewritten : cases[i].chardevs));
        plan_free(&plan);
    }
}

static void test_qmp_fd_can_be_set_again(void **state)
{
    struct plan plan = plan_ok(XENFV CMD "path=/q,server=on -device es1370");
    struct err err;

    (void)state;
    assert_true(plan_set_qmp_fd(&plan, 7, &err));
    assert_true(plan_set_qmp_fd(&plan, 8, &err));
    assert_engine(&plan, XENFV CMD "server=on,fd=8 " HELD "03" END);
    plan_free(&plan);
}

static void test_incoming(void **state)
{
    static const struct {
        const char *options;
        bool incoming;
        int fd;
    } cases[] = {
        {"-S", false, -1},
        {"-incoming fd:19", true, 19},
        {"-incoming fd:0", true, 0},
        {"--incoming fd:19", true, 19},
        {"-incoming defer", true, -1},
        {"-incoming tcp:0:4444", true, -1},
        {"-incoming exec:fd:3", true, -1},
        {"-incoming {\"channel-type\":\"main\"}", true, -1},
        {"-incoming fd:name", true, -1},
        {"-incoming fd:-1", true, -1},
        {"-incoming fd:", true, -1},
        {"-incoming fd:2147483648", true, -1},
        {"-incoming fd:3 -incoming fd:4", true, 4},
        {"-incoming fd:3 -incoming defer", true, -1},
        {"-incoming", false, -1}, /* QEMU will complain */
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char line[300] = XENFV "-device es1370 ", engine[300] = XENFV HELD "03" END " ";
        struct plan plan = plan_ok(strcat(line, cases[i].options));

        if (plan.incoming != cases[i].incoming || plan.incoming_fd != cases[i].fd)
            fail_msg("%s: %d, descriptor %d", cases[i].options, plan.incoming, plan.incoming_fd);
        assert_engine(&plan, strcat(engine, cases[i].options));
        plan_free(&plan);
    }
}

static void test_no_card_has_no_migration(void **state)
{
    struct plan plan = plan_ok(CMD "path=/q,server=on -incoming fd:3");

    (void)state;
    assert_int_equal(plan.qmp_argument, 0);
    assert_null(plan.qmp_path);
    assert_int_equal(plan.qmp_fd, -1);
    assert_int_equal(plan.incoming_fd, -1);
    plan_free(&plan);
}

/* --- the parts --- */

static void test_option_text(void **state)
{
    static const struct {
        const char *text, *key, *value;
    } gets[] = {
        {"a,b=1,c=2", "b", "1"},
        {"a,b=1,b=2", "b", "2"},
        {"a,b=1", "kind", "a"},
        {"kind=a,b=1", "kind", "a"},
        {"b=1,kind=a", "kind", "a"},
        {"a,b", "b", "on"},
        {"a,b=", "b", ""},
        {"a,b=x,,y,,", "b", "x,y,"},
        {"a,,b,c=1", "kind", "a,b"},
        {"a,b=1,", "b", "1"},
        {"", "b", NULL},
        {",", "kind", ""},
        {",b=1", "b", "1"},
        {"a,bb=1", "b", NULL},
        {"a,b=c=d", "b", "c=d"},
        {"=,=", "b", NULL},
        {"a,,", "kind", "a,"},
        {"a,,,b=1", "b", "1"},
    };
    static const char *const left_out[] = {"b", "kind", NULL};
    static const struct {
        const char *text, *without;
    } outs[] = {
        {"a,b=1,c=2", "c=2"},
        {"c=2,b=1", "c=2"},
        {"c=2,b", "c=2"},
        {"b=1,c=2,d", "c=2,d"},
        {"b=1", ""},
        {"", ""},
        {"a", ""},
        {"c=x,,,b=1", "c=x,,"},
        {"c=x,,y,b=,,,d=1", "c=x,,y,d=1"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(gets) / sizeof(gets[0]); i++) {
        char *value;

        assert_true(option_text_get(gets[i].text, "kind", gets[i].key, &value));
        if (gets[i].value) {
            assert_non_null(value);
            assert_string_equal(value, gets[i].value);
        } else {
            assert_null(value);
        }
        free(value);
    }
    for (size_t i = 0; i < sizeof(outs) / sizeof(outs[0]); i++) {
        char *text = option_text_without(outs[i].text, "kind", left_out);

        assert_non_null(text);
        assert_string_equal(text, outs[i].without);
        free(text);
    }
}

static bool takes_value(const char *name)
{
    const struct known_option *known = option_find(name);

    return known && known->takes_value;
}

static void test_option_table(void **state)
{
    static const char *const with[] = {
        "D",     "M",        "audiodev",  "chardev", "chroot",    "device",
        "drive", "incoming", "machine",   "name",    "run-with",  "runas",
        "spice", "vnc",      "usbdevice", "virtfs",  "xen-domid", "watchdog-action",
    };
    static const char *const without[] = {
        "",
        "S",
        "enable-kvm",
        "no-acpi",
        "no-shutdown",
        "nodefaults",
        "no-user-config",
        "usb",
        "nographic",
        "xen-attach",
        "devic",
        "xen-domid-restrict",
        "devicee",
        "zzz",
    };

    (void)state;
    for (size_t i = 0; i < sizeof(with) / sizeof(with[0]); i++) {
        if (!takes_value(with[i]))
            fail_msg("-%s takes a value", with[i]);
    }
    for (size_t i = 0; i < sizeof(without) / sizeof(without[0]); i++) {
        if (takes_value(without[i]))
            fail_msg("-%s takes no value", without[i]);
    }
    /* each can be found, so they are in their order */
    for (size_t i = 0; i < known_option_count; i++) {
        if (option_find(known_options[i].name) != &known_options[i])
            fail_msg("-%s is at the wrong place", known_options[i].name);
    }
}

/* An option that is marked as kept reaches the engine whatever it says, and so does one that
 * nobody knows. */
static void test_kept_options_are_kept(void **state)
{
    static const char *const values[] = {
        "es1370",
        "ac97",
        "pa,id=x",
        "pa,model=es1370",
        "ES1370.audiodev=x",
        "socket,id=libxl-cmd,path=/q,server=on",
        "pc,audiodev=x",
        "-device",
    };
    static const struct known_option unknown = {"unheard-of", false, OPTION_KEPT};
    unsigned kept = 0;

    (void)state;
    for (size_t i = 0; i <= known_option_count; i++) {
        const struct known_option *known = i < known_option_count ? &known_options[i] : &unknown;

        if (known->use != OPTION_KEPT)
            continue;
        for (size_t j = 0; j < sizeof(values) / sizeof(values[0]); j++) {
            char line[300], expected[300], last[100];
            struct plan plan;
            struct err err;

            snprintf(last, sizeof(last), "-%s%s%s", known->name, known->takes_value ? " " : "",
                     known->takes_value ? values[j] : "");
            snprintf(line, sizeof(line), XENFV "-device es1370,addr=9 %s", last);
            if (!plan_line(&plan, line, &err)) /* a machine or domain that is none */
                continue;
            if (plan.action == PLAN_RUN_CARD) {
                snprintf(expected, sizeof(expected), XENFV HELD "09" END " %s", last);
                assert_engine(&plan, expected);
                kept++;
            }
            plan_free(&plan);
        }
    }
    assert_true(kept > 8 * (known_option_count - 20));
}

/* And the program does something to each of those that are marked otherwise. */
static void test_other_options_are_not(void **state)
{
    static const struct {
        const char *name, *option;
    } changed[] = {
        {"audio", "-audio pa,model=es1370"},
        {"audiodev", "-audiodev pa,id=x -device es1370"},
        {"chardev", "-chardev socket,id=libxl-cmd,path=/q,server=on -device es1370"},
        {"device", "-device es1370"},
        {"global", "-global ES1370.audiodev=x -audiodev pa,id=x -device es1370"},
        {"soundhw", "-soundhw es1370"},
        {"h", "--h"},
        {"help", "--help"},
        {"status", "--status"},
        {"version", "--version"},
    };
    size_t marked = 0;

    (void)state;
    for (size_t i = 0; i < known_option_count; i++)
        marked += known_options[i].use != OPTION_KEPT;
    assert_int_equal(marked, sizeof(changed) / sizeof(changed[0]));

    for (size_t i = 0; i < sizeof(changed) / sizeof(changed[0]); i++) {
        const struct known_option *known = option_find(changed[i].name);
        char line[300] = XENFV, *value = strchr(changed[i].option, ' ');
        struct plan plan = plan_ok(strcat(line, changed[i].option));
        struct err err;

        assert_non_null(known);
        assert_int_not_equal(known->use, OPTION_KEPT);
        if (plan.qmp_argument)
            assert_true(plan_set_qmp_fd(&plan, 3, &err));
        for (char **arg = plan.engine_argv; arg && *arg; arg++) {
            size_t length = value ? strcspn(value + 1, " ") : 0;

            if (strlen(*arg) == length && memcmp(*arg, value + 1, length) == 0)
                fail_msg("-%s is as it was", changed[i].name);
        }
        plan_free(&plan);
    }
}

static void test_device_models(void **state)
{
    static const char *const pci[] = {
        "VGA",
        "cirrus-vga",
        "qxl-vga",
        "lsi53c895a",
        "virtio-serial",
        "rtl8139",
        "e1000",
        "ahci",
        "piix3-usb-uhci",
        "ich9-usb-ehci1",
        "ich9-usb-uhci3",
        "nec-usb-xhci",
        "ac97",
        "intel-hda",
        "xen-pvdevice",
        "usb-ehci",
        "vfio-pci",
        "virtio-net-pci",
    };
    static const char *const elsewhere[] = {
        "ide-cd",
        "ide-hd",
        "scsi-hd",
        "usb-tablet",
        "usb-redir",
        "virtserialport",
        "hda-duplex",
        "isa-serial",
        "sb16",
        "gus",
        "virtio-net-device",
        "qemu64-x86_64-cpu",
    };

    (void)state;
    for (size_t i = 0; i < sizeof(pci) / sizeof(pci[0]); i++) {
        if (model_bus(pci[i]) != MODEL_ON_PCI)
            fail_msg("%s is a PCI device", pci[i]);
    }
    for (size_t i = 0; i < sizeof(elsewhere) / sizeof(elsewhere[0]); i++) {
        if (model_bus(elsewhere[i]) != MODEL_ELSEWHERE)
            fail_msg("%s is no PCI device", elsewhere[i]);
    }
    assert_int_equal(model_bus("brand-new"), MODEL_UNKNOWN);
    assert_int_equal(model_bus(""), MODEL_UNKNOWN);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_no_card_is_the_engine),
        cmocka_unit_test(test_engine_cards),
        cmocka_unit_test(test_engine_cards_with_the_engines_audiodev),
        cmocka_unit_test(test_backends),
        cmocka_unit_test(test_unknown_cards_are_left_out),
        cmocka_unit_test(test_engine_cards_beside_es1370),
        cmocka_unit_test(test_help_and_version),
        cmocka_unit_test(test_status),
        cmocka_unit_test(test_values_are_not_options),
        cmocka_unit_test(test_domain),
        cmocka_unit_test(test_the_engines_card_has_an_id),
        cmocka_unit_test(test_card_forms),
        cmocka_unit_test(test_short_forms_come_first),
        cmocka_unit_test(test_slots),
        cmocka_unit_test(test_doubt_takes_the_higher_slot),
        cmocka_unit_test(test_full_bus),
        cmocka_unit_test(test_addresses),
        cmocka_unit_test(test_audiodev),
        cmocka_unit_test(test_audiodev_of_device),
        cmocka_unit_test(test_many_audiodevs),
        cmocka_unit_test(test_qmp_socket),
        cmocka_unit_test(test_qmp_fd_can_be_set_again),
        cmocka_unit_test(test_incoming),
        cmocka_unit_test(test_no_card_has_no_migration),
        cmocka_unit_test(test_option_text),
        cmocka_unit_test(test_option_table),
        cmocka_unit_test(test_kept_options_are_kept),
        cmocka_unit_test(test_other_options_are_not),
        cmocka_unit_test(test_device_models),
    };

    return cmocka_run_group_tests_name("plan", tests, NULL, NULL);
}
