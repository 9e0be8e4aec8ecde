/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The old device model's command line: what makes it one, what is refused and in which words, and
 * that nothing put together at random does harm. What becomes of real ones is in
 * test_old_golden.c.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "toolstack/old_line.h"
#include "toolstack/plan.h"

#define ROUNDS   20000
#define ARGS_MAX 40

static const struct old_facts some_facts = {.memory_kib = 1048576, .videoram_kib = 8192};

/* Cuts text at its spaces into args, behind argv[0]; returns argc. */
static int split(char *text, const char *args[ARGS_MAX])
{
    int count = 1;

    args[0] = "qemu-dm";
    for (char *word; (word = strsep(&text, " ")) != NULL;) {
        assert_true(count < ARGS_MAX);
        args[count++] = word;
    }
    return count;
}

static bool is_old(const char *line)
{
    char *text = strdup(line);
    const char *args[ARGS_MAX];
    bool answer;

    assert_non_null(text);
    answer = old_line_is(split(text, args), args);
    free(text);
    return answer;
}

static void test_is(void **state)
{
    (void)state;
    assert_true(is_old("-d 5 -domain-name x -M xenfv"));
    assert_true(is_old("-M xenfv -domain-name x"));
    assert_true(is_old("-d 5"));
    assert_true(is_old("-domid 5"));
    assert_true(is_old("--domain-name x"));

    assert_false(is_old("-xen-domid 5 -name x -machine xenfv"));
    assert_false(is_old("-xen-domid 5 -d 7 -domain-name x"));
    assert_false(is_old("-d int,cpu -machine pc")); /* QEMU's log */
    assert_false(is_old("-name -domain-name"));
    assert_false(is_old("-append -d 5"));
    assert_false(is_old("-d"));
    assert_false(is_old("--status"));
    assert_false(old_line_is(0, NULL));
}

static char **translate(const char *line, const struct old_facts *facts, int incoming_fd,
                        struct err *err)
{
    char *text = strdup(line);
    const char *args[ARGS_MAX];
    struct old_line old;
    char **argv = NULL;
    int count;

    assert_non_null(text);
    count = split(text, args);
    err->text[0] = '\0';
    if (old_line_read(&old, count, args, err))
        argv = old_line_translate(&old, facts, incoming_fd, err);
    free(text);
    return argv;
}

static void expect_refused(const char *line, const char *words)
{
    struct err err;

    assert_null(translate(line, &some_facts, -1, &err));
    if (!strstr(err.text, words))
        fail_msg("%s: %s (no \"%s\")", line, err.text, words);
}

static void test_refused(void **state)
{
    (void)state;
    expect_refused("-M xenfv", "no -d: say the number");
    expect_refused("-d 0", "-d 0: not the number of a domain, which is from 1 to 32751");
    expect_refused("-d 99999999999999999999", "not the number");
    expect_refused("-d 5x", "-d 5x: not");
    expect_refused("-d 5 -vnc", "-vnc is the last word and needs a value");
    expect_refused("-d 5 -vnc foo", "HOST:DISPLAY must be a number");
    expect_refused("-d 5 -vnc 127.0.0.1:x,password", "as in 127.0.0.1:0");
    expect_refused("-d 5 -vnc 127.0.0.1:70000", "from 0 to 59635");
    expect_refused("-d 5 -vnc ,password", "HOST:DISPLAY");
    expect_refused("-d 5 -vga wonder", "must be std, cirrus, vmware, passthrough or none");
    expect_refused("-d 5 -videoram 8M", "-videoram 8M: must be a number of megabytes up to 512");
    expect_refused("-d 5 -videoram -1", "up to 512");
    expect_refused("-d 5 -boot cz", "must be letters");
    expect_refused("-d 5 -boot cdc", "has c twice");
    expect_refused("-d 5 -vcpus 0", "from 1 to 128");
    expect_refused("-d 5 -vcpus 129", "from 1 to 128");
    expect_refused("-d 5 -vcpu_avail 0x", "hexadecimal");
    expect_refused("-d 5 -vcpu_avail 0x1ffffffffffffffffffffffffffffffff", "up to 128 vCPUs");
    expect_refused("-d 5 -vcpu_avail 3Lx", "hexadecimal");
    expect_refused("-d 5 -m lots", "number of megabytes, as in 1024, or 1G");
    expect_refused("-d 5 -m 0", "number of megabytes");
    expect_refused("-d 5 -net ", "must begin with nic, tap or none");
    expect_refused("-d 5 -net nic,vlan=x", "vlan= must be a number");
    expect_refused("-d 5 -net nic,vlan=1,macaddr=00:16:3e", "macaddr= must be like");
    expect_refused("-d 5 -net nic,model=a,,b", "model= must be the name of a card");
    expect_refused("-d 5 -net nic,vlan=1 -net nic,vlan=1", "a vlan= of its own");
    expect_refused("-d 5 -M x,y", "must be xenfv, or xenpv");
    expect_refused("-d 5 -M ", "must be xenfv, or xenpv");
    expect_refused("-d 5 -loadvm /x", "has not been opened");
}

static void test_too_much(void **state)
{
    static const char *many[OLD_WORDS_MAX + 1];
    char *long_text = malloc(5001);
    const char *args[] = {"qemu-dm", "-d", "5", "-append", long_text};
    const char *serials[2 * OLD_LIST_MAX + 5] = {"qemu-dm", "-d", "5"};
    struct old_line line;
    struct err err;

    (void)state;
    for (int i = 0; i <= OLD_WORDS_MAX; i++)
        many[i] = "-usb";
    assert_false(old_line_read(&line, OLD_WORDS_MAX + 1, many, &err));
    assert_non_null(strstr(err.text, "513 words"));

    assert_non_null(long_text);
    memset(long_text, 'a', 5000);
    long_text[5000] = '\0';
    assert_false(old_line_read(&line, 5, args, &err));
    assert_non_null(strstr(err.text, "longer than the 4096 bytes"));
    free(long_text);

    for (int i = 3; i < 2 * OLD_LIST_MAX + 5; i++)
        serials[i] = i % 2 ? "-serial" : "pty";
    assert_false(old_line_read(&line, 2 * OLD_LIST_MAX + 5, serials, &err));
    assert_non_null(strstr(err.text, "more than 32 -serial options"));
}

/* --- single translations --- */

/* Whether the words of expected follow each other somewhere in argv. */
static bool has(char **argv, const char *expected)
{
    char *text = strdup(expected);
    const char *words[ARGS_MAX];
    int count;
    bool found = false;

    assert_non_null(text);
    count = split(text, words);
    for (char **arg = argv; *arg && !found; arg++) {
        int i = 1;

        while (i < count && arg[i - 1] && strcmp(arg[i - 1], words[i]) == 0)
            i++;
        found = i == count;
    }
    free(text);
    return found;
}

static void expect(const char *line, const char *expected)
{
    struct err err;
    char **argv = translate(line, &some_facts, -1, &err);

    if (!argv)
        fail_msg("%s: %s", line, err.text);
    if (!has(argv, expected))
        fail_msg("%s: no %s", line, expected);
    old_argv_free(argv);
}

static void expect_not(const char *line, const char *unexpected)
{
    struct err err;
    char **argv = translate(line, &some_facts, -1, &err);

    if (!argv)
        fail_msg("%s: %s", line, err.text);
    if (has(argv, unexpected))
        fail_msg("%s: has %s", line, unexpected);
    old_argv_free(argv);
}

static void test_translations(void **state)
{
    (void)state;
    expect("-d 5", "-vnc none -display none");
    expect("-d 5 -vnc none -vncunused", "-vnc none -display none");
    expect("-d 5 -vnc :1", "-vnc :1");
    expect("-d 5 -vnc ::1:1", "-vnc ::1:1");
    expect("-d 5 -vnc unix:/run/vnc -vncunused", "-vnc unix:/run/vnc");
    expect("-d 5 -vnc 2,password", "-vnc 127.0.0.1:2,password=on");
    expect("-d 5 -vnc 2 -vnclisten 10.0.0.1", "-vnc 10.0.0.1:2");
    expect("-d 5 -vncunused", "-vnc 127.0.0.1:0,to=99");
    expect("-d 5 -vnc h:1,tls", "-object tls-creds-anon,id=qemu-dm-vnc,endpoint=server -vnc "
                                "h:1,tls-creds=qemu-dm-vnc");
    expect("-d 5 -vnc h:1,tls,x509=/a", "-object tls-creds-x509,id=qemu-dm-vnc,dir=/a,endpoint="
                                        "server,verify-peer=off");
    expect("-d 5 -vnc h:1,switchbpp,lossy=on", "-vnc h:1,lossy=on");

    expect("-d 5 -videoram 32", "-device cirrus-vga,vgamem_mb=16");
    expect("-d 5 -videoram 1", "-device cirrus-vga,vgamem_mb=4");
    expect("-d 5", "-device cirrus-vga,vgamem_mb=8"); /* the facts' */
    expect("-d 5 -vga std,retrace=dumb", "-device VGA,vgamem_mb=8");
    expect("-d 5 -vga vmware", "-device vmware-svga");
    expect_not("-d 5 -vga none", "-device");
    expect_not("-d 5 -vga passthrough", "-device");
    expect("-d 5 -gfx_passthru", "-machine xenfv,suppress-vmdesc=on,igd-passthru=on,acpi=off");
    expect("-d 5 -gfx_passthru 0 -acpi", "-machine xenfv,suppress-vmdesc=on");

    expect("-d 5 -vcpus 4", "-smp 4,maxcpus=4");
    expect("-d 5 -vcpus 4 -vcpu_avail 0x100000001", "-smp 1,maxcpus=4");
    expect("-d 5 -vcpus 4 -vcpu_avail 0", "-smp 4,maxcpus=4");
    expect("-d 5 -vcpus 128 -vcpu_avail 0x80000000000000000000000000000001", "-smp 2,maxcpus=128");
    expect_not("-d 5 -vcpus 1", "-smp");

    expect("-d 5", "-machine xenfv,suppress-vmdesc=on,acpi=off");
    expect("-d 5 -acpi", "-machine xenfv,suppress-vmdesc=on");
    expect("-d 5 -acpi -no-acpi", "-machine xenfv,suppress-vmdesc=on,acpi=off");
    expect("-d 5 -localtime", "-rtc base=localtime");
    expect("-d 5 -startdate 2006-06-17", "-rtc base=2006-06-17");
    expect("-d 5 -kernel /boot/vmlinuz -append ro", "-kernel /boot/vmlinuz -append ro");
    expect_not("-d 5 -kernel /usr/lib/xen/boot/hvmloader -append ro", "-kernel");
    expect_not("-d 5 -kernel hvmloader -append ro", "-append");

    expect("-d 5 -soundhw es1370", "-device es1370");
    expect("-d 5 -soundhw sb16,ES1370", "-device es1370");
    expect("-d 5 -soundhw sb16,ac97", "-device sb16");
    expect("-d 5 -soundhw hda", "-device intel-hda -device hda-duplex");
    expect_not("-d 5 -soundhw nonsense -vga none", "-device");
    expect_not("-d 5 -soundhw , -vga none", "-device");

    expect("-d 5 -usbdevice tablet", "-usb -usbdevice tablet");
    expect("-d 5 -usbdevice host:1.12", "-usb -device usb-host,hostbus=1,hostaddr=12");
    expect("-d 5 -usbdevice host:46d:c52b",
           "-usb -device usb-host,vendorid=0x046d,productid=0xc52b");
    expect("-d 5 -usbdevice host:x", "-usb -usbdevice host:x");

    expect("-d 5", "-net none");
    expect("-d 5 -net none", "-net none");
    expect("-d 5 -net nic", "-device rtl8139,id=nic0");
    expect("-d 5 -net nic -net user,restrict=on",
           "-device rtl8139,id=nic0,netdev=net0 -netdev type=user,id=net0,restrict=on");
    expect("-d 5 -net tap,vlan=3,fd=7", "-netdev type=tap,id=net3,fd=7");
    expect("-d 5 -net nic,vlan=1 -net tap,vlan=1",
           "-netdev type=tap,id=net1,ifname=tap5.0,script=no,downscript=no");

    expect("-d 5 -acpi -hda /x -M xenfv -snapshot",
           "-hda /x -machine xenfv,suppress-vmdesc=on -snapshot");
    expect("-d 5 -future -stuff", "-future -stuff -machine");
    expect("-d 5 disk.img", "disk.img -machine");
    expect_not("-d 5 -daemonize -sdl -curses -full-screen", "-daemonize");
}

static void test_notes(void **state)
{
    const char *args[] = {"qemu-dm", "-d", "5", "-sdl", "-daemonize", "-soundhw", "all"};
    const char *lines[] = {"qemu-dm", "-d", "5", "-soundhw", "a\nb"};
    const char *quiet[] = {"qemu-dm", "-d", "5", "-soundhw", "es1370", "-disable-opengl"};
    struct old_line line;
    struct err err;

    (void)state;
    assert_true(old_line_read(&line, 7, args, &err));
    assert_non_null(strstr(line.note, "-sdl: the engine opens no window"));
    assert_non_null(strstr(line.note, "; -daemonize: "));
    assert_non_null(strstr(line.note, "-soundhw all: a domain has one sound card"));
    assert_true(old_line_read(&line, 5, lines, &err));
    assert_non_null(strstr(line.note, "-soundhw a?b: there is no such card"));
    assert_true(old_line_read(&line, 6, quiet, &err));
    assert_string_equal(line.note, "");
}

static void test_memory(void **state)
{
    static const struct old_facts none = {0};
    static const struct old_facts odd = {.memory_kib = 1025, .videoram_kib = 2000};
    struct err err;
    char **argv;

    (void)state;
    assert_null(translate("-d 5", &none, -1, &err));
    assert_non_null(strstr(err.text, "memory/static-max"));
    assert_non_null(strstr(err.text, "/local/domain/5"));

    argv = translate("-d 5 -m 2G", &none, -1, &err);
    assert_non_null(argv);
    assert_true(has(argv, "-m 2048"));
    old_argv_free(argv);

    argv = translate("-d 5 -m 2G", &odd, -1, &err); /* xenstore knows better */
    assert_non_null(argv);
    assert_true(has(argv, "-m 2"));
    old_argv_free(argv);

    argv = translate("-d 5 -loadvm /x", &some_facts, 0, &err);
    assert_non_null(argv);
    assert_true(has(argv, "-incoming fd:0"));
    old_argv_free(argv);
}

/* --- at random --- */

/* Numerical Recipes' generator: the same numbers on every machine. */
static uint32_t seed;

static uint32_t draw(uint32_t limit)
{
    seed = seed * 1664525u + 1013904223u;
    return (seed >> 8) % limit;
}

static const char *const words[] = {
    "-d",
    "5",
    "-domid",
    "-domain-name",
    "a,b",
    "-name",
    "-vnc",
    "127.0.0.1:0,password",
    "3",
    "none",
    "unix:/x",
    "0.0.0.0:1,tls,x509verify=/etc,x",
    ":0,=,=",
    "-vnclisten",
    "-vncunused",
    "-nographic",
    "-sdl",
    "-k",
    "de",
    "-kernel",
    "/hvmloader",
    "-append",
    "-initrd",
    "-serial",
    "pty",
    "-videoram",
    "8",
    "-std-vga",
    "-vga",
    "std",
    "passthrough",
    "-gfx_passthru",
    "1",
    "-boot",
    "cd",
    "-usb",
    "-usbdevice",
    "host:1.2",
    "host:1:2",
    "host:",
    "-soundhw",
    "es1370",
    "sb16,es1370,",
    "all",
    ",,,",
    "-acpi",
    "-no-acpi",
    "-vcpus",
    "128",
    "-vcpu_avail",
    "0xfL",
    "0xffffffffffffffffffffffffffffffff",
    "-net",
    "nic,vlan=1,macaddr=00:16:3e:00:00:01",
    "tap,vlan=1,bridge=x,,y",
    "nic",
    "tap,fd=3",
    "user",
    "none,",
    "-loadvm",
    "/x",
    "-M",
    "xenfv",
    "xenpv",
    "-m",
    "512",
    "1g",
    "-localtime",
    "-startdate",
    "-fda",
    "-fdb",
    "-hda",
    "-p",
    "-bt",
    "-device",
    "es1370",
    "-xen-domid",
    "-chardev",
    "socket,id=libxl-cmd",
    "-machine",
    "-incoming",
    "fd:3",
    "",
    "-",
    "--",
    "=",
    ",",
    "%n%s",
    "\xff\xfe",
};

/* A word of the list, one with a byte changed, or a long one; to be freed. */
static char *make_word(void)
{
    char *word;

    if (draw(100) == 0) {
        size_t length = draw(6000);

        word = malloc(length + 1);
        assert_non_null(word);
        memset(word, ",=-a"[draw(4)], length);
        word[length] = '\0';
        return word;
    }
    word = strdup(words[draw(sizeof(words) / sizeof(words[0]))]);
    assert_non_null(word);
    if (*word && draw(10) == 0)
        word[draw((uint32_t)strlen(word))] = (char)(1 + draw(255));
    return word;
}

static void make_facts(struct old_facts *facts)
{
    static const char *const formats[] = {"raw", "qcow2", "vpc"};

    *facts = (struct old_facts){
        .memory_kib = draw(3) ? draw(1u << 23) : UINT64_C(1) << draw(64),
        .videoram_kib = draw(3) ? draw(1u << 16) : UINT64_C(1) << draw(64),
        .vcpus_online = draw(200),
        .no_platform_device = draw(2),
        .mmio_hole_bytes = draw(2) ? 0 : UINT64_C(1) << draw(64),
        .disk_count = draw(OLD_DISKS_MAX + 1),
    };
    for (unsigned i = 0; i < facts->disk_count; i++) {
        struct old_disk *disk = &facts->disks[i];

        *disk = (struct old_disk){.vbd = draw(70000),
                                  .is_scsi = draw(2),
                                  .unit = draw(7),
                                  .is_cdrom = draw(2),
                                  .is_read_only = draw(2),
                                  .format = formats[draw(3)]};
        memset(disk->path, "a,/="[draw(4)], draw(OLD_PATH_MAX));
    }
}

static void assert_same(char **a, char **b)
{
    assert_int_equal(a == NULL, b == NULL);
    for (size_t i = 0; a && (a[i] || b[i]); i++) {
        assert_non_null(a[i]);
        assert_non_null(b[i]);
        assert_string_equal(a[i], b[i]);
    }
}

/* What has been translated is a modern command line, which is planned for or refused. */
static void assert_modern(char **argv)
{
    struct plan plan;
    struct err err = {.text = ""};
    int argc = 0;

    while (argv[argc])
        argc++;
    assert_string_equal(argv[0], "qemu-dm");
    assert_string_equal(argv[1], "-xen-domid");
    assert_false(old_line_is(argc, (const char *const *)argv));
    if (plan_make(&plan, argc, (const char *const *)argv, "/engine", &err))
        plan_free(&plan);
    else
        assert_true(err.text[0] != '\0');
}

static unsigned run_round(void)
{
    char *made[ARGS_MAX];
    const char *args[ARGS_MAX] = {"qemu-dm", "-d", "5"};
    int count = 3 + (int)draw(20);
    struct old_facts facts;
    struct old_line line;
    struct err err = {.text = ""};
    char **argv = NULL, **again = NULL;
    unsigned translated;

    for (int i = 3; i < count; i++)
        args[i] = made[i] = make_word();
    make_facts(&facts);
    if (old_line_read(&line, count, args, &err)) {
        int fd = (int)draw(2) - 1;

        assert_null(memchr(line.note, '\n', strlen(line.note)));
        argv = old_line_translate(&line, &facts, fd, &err);
        again = old_line_translate(&line, &facts, fd, &err);
    }
    assert_same(argv, again);
    if (argv)
        assert_modern(argv);
    else
        assert_true(err.text[0] != '\0');
    translated = argv != NULL;
    old_argv_free(argv);
    old_argv_free(again);
    for (int i = 3; i < count; i++)
        free(made[i]);
    return translated;
}

static void test_random(void **state)
{
    unsigned translated = 0;

    (void)state;
    seed = 1;
    for (int i = 0; i < ROUNDS; i++)
        translated += run_round();
    assert_in_range(translated, ROUNDS / 20, ROUNDS); /* they are not all refused at once */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_is),       cmocka_unit_test(test_refused),
        cmocka_unit_test(test_too_much), cmocka_unit_test(test_translations),
        cmocka_unit_test(test_notes),    cmocka_unit_test(test_memory),
        cmocka_unit_test(test_random),
    };

    return cmocka_run_group_tests_name("old_line", tests, NULL, NULL);
}
