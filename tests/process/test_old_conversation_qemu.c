/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The old toolstack's conversation with a real QEMU, as far as that goes without Xen: no PCI
 * device is passed through, and the machine is called pc.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/log.h"
#include "engine/qmp_client.h"
#include "fakes/fake_store.h"
#include "traditional/conversation.h"

#define D         "/local/domain/0/device-model/7/"
#define GUEST     "/local/domain/7/"
#define CD        "/local/domain/0/backend/qdisk/7/5632/"
#define VM        "/vm/0f2dd0ae-6d8c-4d6e-9a7b-112233445566"
#define QEMU      "qemu-system-x86_64"
#define CARD_SAYS "the card's own state"

/* Seconds; this long means never, on the slowest of machines. */
enum { DEADLINE = 60 };

static char dir[] = "/tmp/qemu-dm-test-XXXXXX";
static char socket_path[64], save_path[64], save_prefix[64], disk[2][64], usb_disk[64];
static pid_t qemu;
static struct conversation *conversation;
static unsigned stops, saves, continues;
static struct err err;

/* --- QEMU --- */

static int listen_at(struct sockaddr_un *at)
{
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);

    *at = (struct sockaddr_un){.sun_family = AF_UNIX};
    snprintf(at->sun_path, sizeof(at->sun_path), "%s", socket_path);
    unlink(socket_path);
    assert_int_equal(bind(fd, (struct sockaddr *)at, sizeof(*at)), 0);
    assert_int_equal(listen(fd, 4), 0);
    return fd;
}

/* Paused, as the conversation wants it; state_file: what it is to begin with, -1: nothing. */
static void start_qemu(int state_file)
{
    char chardev[80], drive[160], incoming[20];
    struct sockaddr_un at;
    int fd = listen_at(&at);
    const char *argv[] = {
        QEMU,
        "-S",
        "-nodefaults",
        "-no-user-config",
        "-display",
        "none",
        "-machine",
        "pc,accel=tcg,suppress-vmdesc=on",
        "-m",
        "32",
        "-smp",
        state_file < 0 ? "1,maxcpus=3" : "2,maxcpus=3", /* adds_a_vcpu */
        "-global",
        "migration.send-configuration=off", /* as Xen's machines have it, with the next two */
        "-global",
        "migration.store-global-state=off",
        "-global",
        "migration.send-section-footer=off",
        "-global",
        "apic-common.vapic=off", /* it would look for the guest's BIOS in memory */
        "-usb",
        "-vnc",
        "127.0.0.1:0,to=99,password=on",
        "-serial",
        "pty",
        "-chardev",
        chardev,
        "-mon",
        "chardev=libxl-cmd,mode=control",
        "-drive",
        drive,
        "-device",
        "ide-cd,id=ide-5632,drive=ide-5632,bus=ide.1,unit=0",
        state_file < 0 ? NULL : "-incoming",
        incoming,
        NULL,
    };

    snprintf(chardev, sizeof(chardev), "socket,id=libxl-cmd,fd=%d,server=on,wait=off", fd);
    snprintf(drive, sizeof(drive), "if=none,readonly=on,id=ide-5632,file=%s,format=raw", disk[0]);
    snprintf(incoming, sizeof(incoming), "fd:%d", state_file);
    qemu = fork();
    assert_true(qemu >= 0);
    if (qemu == 0) {
        int null = open("/dev/null", O_WRONLY);

        dup2(null, STDOUT_FILENO); /* where it tells its pty */
        execvp(argv[0], (char *const *)argv);
        _exit(127);
    }
    close(fd);
}

static void stop_qemu(void)
{
    conversation_close(conversation);
    conversation = NULL;
    kill(qemu, SIGKILL);
    waitpid(qemu, NULL, 0);
}

static int connect_qemu(void *opaque, struct err *why)
{
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    (void)opaque;
    snprintf(at.sun_path, sizeof(at.sun_path), "%s", socket_path);
    if (connect(fd, (struct sockaddr *)&at, sizeof(at)) < 0) {
        err_set(why, "cannot connect to QEMU: %s", strerror(errno));
        close(fd);
        return -1;
    }
    return fd;
}

/* What QEMU itself says. */
static json_t *qemu_says(const char *command)
{
    struct qmp_client *client = qmp_client_open(connect_qemu(NULL, &err), &err);
    json_t *value;

    assert_non_null(client);
    value = qmp_client_ask(client, command, NULL, -1, &err);
    assert_non_null(value);
    qmp_client_close(client);
    return value;
}

static bool qemu_runs(void)
{
    json_t *status = qemu_says("query-status");
    bool running = json_is_true(json_object_get(status, "running"));

    json_decref(status);
    return running;
}

/* The file in the CD drive; "": none. */
static const char *medium(void)
{
    static char file[128];
    json_t *drives = qemu_says("query-block");
    const char *name = json_string_value(
        json_object_get(json_object_get(json_array_get(drives, 0), "inserted"), "file"));

    snprintf(file, sizeof(file), "%s", name ? name : "");
    json_decref(drives);
    return file;
}

/* --- the conversation --- */

static void count_stop(void *opaque)
{
    (void)opaque;
    stops++;
}

static void count_save(void *opaque, int fd)
{
    (void)opaque;
    saves++;
    assert_int_equal(write(fd, CARD_SAYS, strlen(CARD_SAYS)), strlen(CARD_SAYS));
}

static void count_continue(void *opaque)
{
    (void)opaque;
    continues++;
}

/* Serves until the node holds the text. */
static void wait_for(const char *path, const char *text)
{
    uint64_t deadline = clock_now_ns() + DEADLINE * NS_PER_S;
    const char *there;

    while (!(there = fake_store_get(path)) || strcmp(there, text) != 0) {
        struct pollfd fd = {.fd = conversation_fd(conversation), .events = POLLIN};

        if (clock_now_ns() > deadline || poll(&fd, 1, DEADLINE * 1000) <= 0) {
            fail_msg("%s is %s, never %s", path, there ? there : "nowhere", text);
        }
        conversation_serve(conversation);
    }
}

static void begin(void)
{
    const struct conversation_settings settings = {
        .domid = 7,
        .save_prefix = save_prefix,
        .hooks = {.connect = connect_qemu,
                  .stopped = count_stop,
                  .saved = count_save,
                  .continued = count_continue},
    };
    unsigned before = continues;

    conversation = conversation_open(&settings, &err);
    assert_non_null(conversation);
    while (continues == before) {
        struct pollfd fd = {.fd = conversation_fd(conversation), .events = POLLIN};

        assert_int_equal(poll(&fd, 1, DEADLINE * 1000), 1);
        conversation_serve(conversation);
    }
}

static void toolstack_says(const char *command, const char *parameter, const char *answer)
{
    fake_store_set(D "parameter", parameter);
    fake_store_set(D "command", command);
    wait_for(D "state", answer);
}

static void has_told_where_the_consoles_are(void **state)
{
    char tty[64];

    (void)state;
    assert_in_range(atoi(fake_store_get(GUEST "console/vnc-port")), 5900, 5999);
    assert_string_equal(fake_store_get(GUEST "console/vnc-listen"), "127.0.0.1");
    assert_string_equal(fake_store_get(GUEST "console/vnc-pass"), "secret");
    assert_string_equal(fake_store_get(VM "/vncpasswd"), "");
    snprintf(tty, sizeof(tty), "%s", fake_store_get(GUEST "serial/0/tty"));
    assert_int_equal(access(tty, R_OK | W_OK), 0);
    assert_true(qemu_runs());
}

static void changes_cds(void **state)
{
    char params[80];

    (void)state;
    assert_string_equal(medium(), disk[0]);
    fake_store_set(CD "params", "");
    conversation_serve(conversation);
    assert_string_equal(medium(), "");
    snprintf(params, sizeof(params), "aio:%s", disk[1]);
    fake_store_set(CD "params", params);
    conversation_serve(conversation);
    assert_string_equal(medium(), disk[1]);
    fake_store_set(CD "params", "aio:/nowhere");
    conversation_serve(conversation);
    assert_string_equal(medium(), "");
    fake_store_set(CD "params", params);
    conversation_serve(conversation);
    assert_string_equal(medium(), disk[1]);
}

static void plugs_usb_devices(void **state)
{
    char parameter[80];

    (void)state;
    snprintf(parameter, sizeof(parameter), "disk:%s", usb_disk);
    /* Twice: nothing of the first is left. */
    for (unsigned i = 0; i < 2; i++) {
        toolstack_says("usb-add", "tablet", "usb-added");
        toolstack_says("usb-del", "tablet", "usb-deleted");
        toolstack_says("usb-add", parameter, "usb-added");
        toolstack_says("usb-del", parameter, "usb-deleted");
    }
}

static void adds_a_vcpu(void **state)
{
    json_t *cpus;

    (void)state;
    fake_store_set(GUEST "cpu/1/availability", "online");
    conversation_serve(conversation);
    cpus = qemu_says("query-cpus-fast");
    assert_int_equal(json_array_size(cpus), 2);
    json_decref(cpus);
}

static void refuses_a_pci_device(void **state)
{
    (void)state;
    toolstack_says("pci-ins", "0000:ff:1f.7", "pci-insert-failed");
    assert_non_null(strstr(fake_store_get(D "parameter"), "the engine refuses device_add"));
}

static void saves_and_continues(void **state)
{
    unsigned before = continues;

    (void)state;
    stops = saves = 0;
    toolstack_says("save", "", "paused");
    assert_int_equal(stops, 1);
    assert_int_equal(saves, 1);
    assert_false(qemu_runs());
    toolstack_says("continue", "", "running");
    assert_int_equal(continues, before + 1);
    assert_true(qemu_runs());
    assert_string_equal(medium(), disk[1]);
}

/* The file as it is, with the card's state behind QEMU's, in a new QEMU. */
static void is_restored(void **state)
{
    static char text[1 << 20];
    uint64_t deadline = clock_now_ns() + DEADLINE * NS_PER_S;
    size_t tail = strlen(CARD_SAYS);
    int fd = open(save_path, O_RDONLY);
    ssize_t size = read(fd, text, sizeof(text));

    (void)state;
    assert_true(size > (ssize_t)tail);
    assert_memory_equal(text, "QEVM", 4);
    assert_memory_equal(text + size - tail, CARD_SAYS, tail);
    lseek(fd, 0, SEEK_SET);
    stop_qemu();
    start_qemu(fd);
    begin();
    while (!qemu_runs() && clock_now_ns() < deadline) {
        poll(NULL, 0, 10);
    }
    assert_true(qemu_runs());
    close(fd);
}

/* --- */

static void make_file(const char *path)
{
    int fd = open(path, O_WRONLY | O_CREAT, 0600);

    assert_int_equal(ftruncate(fd, 1 << 20), 0);
    close(fd);
}

static int begin_all(void **state)
{
    (void)state;
    assert_non_null(mkdtemp(dir));
    snprintf(socket_path, sizeof(socket_path), "%s/qmp", dir);
    snprintf(save_prefix, sizeof(save_prefix), "%s/qemu-save.", dir);
    snprintf(save_path, sizeof(save_path), "%s/qemu-save.7", dir);
    snprintf(usb_disk, sizeof(usb_disk), "%s/usb.img", dir);
    make_file(usb_disk);
    for (unsigned i = 0; i < 2; i++) {
        snprintf(disk[i], sizeof(disk[i]), "%s/%u.iso", dir, i);
        make_file(disk[i]);
    }
    fake_store_set(GUEST "vm", VM);
    fake_store_set(VM "/vncpasswd", "secret");
    fake_store_set(CD "frontend", GUEST "device/vbd/5632");
    fake_store_set(CD "device-type", "cdrom");
    fake_store_set(CD "type", "qdisk");
    fake_store_set(CD "params", "aio:as it was started");
    start_qemu(-1);
    begin();
    return 0;
}

static int end_all(void **state)
{
    (void)state;
    stop_qemu();
    unlink(socket_path);
    unlink(save_path);
    unlink(usb_disk);
    unlink(disk[0]);
    unlink(disk[1]);
    return rmdir(dir);
}

static void needs_qemu(void **state)
{
    (void)state;
    print_message("no " QEMU " here: apt install qemu-system-x86\n");
    skip();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(has_told_where_the_consoles_are),
        cmocka_unit_test(changes_cds),
        cmocka_unit_test(plugs_usb_devices),
        cmocka_unit_test(adds_a_vcpu),
        cmocka_unit_test(refuses_a_pci_device),
        cmocka_unit_test(saves_and_continues),
        cmocka_unit_test(is_restored),
    };
    const struct CMUnitTest none[] = {cmocka_unit_test(needs_qemu)};

    if (system("command -v " QEMU " >/dev/null") != 0) {
        return cmocka_run_group_tests(none, NULL, NULL);
    }
    return cmocka_run_group_tests(tests, begin_all, end_all);
}
