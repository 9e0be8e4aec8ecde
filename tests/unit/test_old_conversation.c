/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The old toolstack's conversation between a fake xenstore and an engine that answers as it is
 * told: what the engine hears, in order with what the card is told, and what the toolstack reads.
 */
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/log.h"
#include "fakes/fake_store.h"
#include "traditional/conversation.h"

#define D        "/local/domain/0/device-model/7/"
#define GUEST    "/local/domain/7/"
#define CD       "/local/domain/0/backend/qdisk/7/5632/"
#define VM       "/vm/0f2dd0ae-6d8c-4d6e-9a7b-112233445566"
#define GREETING "{\"QMP\": {\"version\": {}, \"capabilities\": []}}\r\n"

/* Instead of CLOCK_MONOTONIC. */
static uint64_t now;

uint64_t clock_now_ns(void)
{
    return now;
}

/* Instead of standard error. */
static char logged[4096]; /* the last complaint */
static unsigned log_lines /* that complain */, all_log_lines;

void log_at(enum log_level level, const char *format, ...)
{
    va_list ap;

    if (level <= LOG_LEVEL_WARN) {
        va_start(ap, format);
        vsnprintf(logged, sizeof(logged), format, ap);
        va_end(ap);
        log_lines++;
    }
    all_log_lines++;
}

/* --- what has happened --- */

static pthread_mutex_t happened_lock = PTHREAD_MUTEX_INITIALIZER;
static char happened[16384];

static void happens(const char *format, ...)
{
    va_list ap;

    pthread_mutex_lock(&happened_lock);
    size_t used = strlen(happened);

    va_start(ap, format);
    vsnprintf(happened + used, sizeof(happened) - used, format, ap);
    va_end(ap);
    pthread_mutex_unlock(&happened_lock);
}

/* --- the engine --- */

enum { ANSWERS_MAX = 16 };

static struct {
    const char *command;
    const char *answer; /* "return" and its value, "error" and its value; "" to fall over */
} answers[ANSWERS_MAX];
static unsigned answer_count;
static bool engine_gone, engine_asleep, engine_writes_nothing;
static int engine_end = -1, engine_file = -1;
static pthread_t engine;
static bool engine_runs;

static void answers_with(const char *command, const char *answer)
{
    answers[answer_count].command = command;
    answers[answer_count++].answer = answer;
}

static void refuses(const char *command)
{
    answers_with(command, "\"error\": {\"class\": \"GenericError\", \"desc\": \"it will not\"}");
}

/* The latest that has been said about a command counts. */
static const char *answer_to(const char *line)
{
    char start[80];

    for (unsigned i = answer_count; i-- > 0;) {
        snprintf(start, sizeof(start), "{\"execute\":\"%s\"", answers[i].command);
        if (strncmp(line, start, strlen(start)) == 0) {
            return answers[i].answer;
        }
    }
    return strncmp(line, "{\"execute\":\"add-fd\"", 19) == 0
               ? "\"return\": {\"fdset-id\": 3, \"fd\": 9}"
               : "\"return\": {}";
}

/* One line, without its end, and a descriptor that came with it. False: the other side is gone. */
static bool hear_line(int fd, char *line, size_t size)
{
    char control[CMSG_SPACE(sizeof(int))];
    size_t used = 0;

    for (;;) {
        struct iovec part = {line + used, 1};
        struct msghdr message = {.msg_iov = &part,
                                 .msg_iovlen = 1,
                                 .msg_control = control,
                                 .msg_controllen = sizeof(control)};

        if (recvmsg(fd, &message, MSG_CMSG_CLOEXEC) <= 0 || used + 1 == size) {
            return false;
        }
        if (CMSG_FIRSTHDR(&message)) {
            memcpy(&engine_file, CMSG_DATA(CMSG_FIRSTHDR(&message)), sizeof(engine_file));
        }
        if (line[used] == '\n') {
            line[used - 1] = '\0'; /* \r */
            return true;
        }
        used++;
    }
}

static void *play_engine(void *unused)
{
    char line[4096], answer[4096];
    const char *value, *id;

    (void)unused;
    while (hear_line(engine_end, line, sizeof(line))) {
        id = strrchr(line, ',');
        value = answer_to(line);
        if (!strstr(line, "qmp_capabilities")) {
            /* {"execute":"X","arguments":{...},"id":N} as X{...} */
            const char *command = line + strlen("{\"execute\":\"");
            const char *arguments = strstr(line, "\"arguments\":");

            happens("%.*s", (int)strcspn(command, "\""), command);
            if (arguments) {
                arguments += strlen("\"arguments\":");
                happens("%.*s", (int)(id - arguments), arguments);
            }
            happens("\n");
        }
        if (value[0] == '\0') {
            break;
        }
        if (strstr(line, "\"xen-save-devices-state\"") && !engine_writes_nothing &&
            write(engine_file, "QEVM", 4) != 4) {
            break;
        }
        snprintf(answer, sizeof(answer), "{%s%s\r\n", value, id);
        if (send(engine_end, answer, strlen(answer), MSG_NOSIGNAL) < 0) {
            break;
        }
    }
    if (engine_file >= 0) {
        close(engine_file);
        engine_file = -1;
    }
    close(engine_end);
    return NULL;
}

/* The engine of the connection before has heard its end. */
static void join_engine(void)
{
    if (engine_runs) {
        pthread_join(engine, NULL);
        engine_runs = false;
    }
}

static void wake_engine(void)
{
    assert_int_equal(write(engine_end, GREETING, strlen(GREETING)), strlen(GREETING));
    assert_int_equal(pthread_create(&engine, NULL, play_engine, NULL), 0);
    engine_runs = true;
}

/* --- the card, as far as the conversation knows it --- */

static int card;

static int connect_engine(void *opaque, struct err *err)
{
    int ends[2];

    assert_ptr_equal(opaque, &card);
    if (engine_gone) {
        err_set(err, "the engine is gone");
        return -1;
    }
    join_engine();
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
    engine_end = ends[1];
    if (!engine_asleep) {
        wake_engine();
    }
    return ends[0];
}

static void card_stops(void *opaque)
{
    assert_ptr_equal(opaque, &card);
    happens("[card stops]\n");
}

static void card_is_saved(void *opaque, int fd)
{
    assert_ptr_equal(opaque, &card);
    happens("[card is saved at %ld]\n", (long)lseek(fd, 0, SEEK_CUR));
    assert_int_equal(write(fd, "card", 4), 4);
}

static void card_continues(void *opaque)
{
    assert_ptr_equal(opaque, &card);
    happens("[card continues]\n");
}

/* --- the domain --- */

static char save_dir[] = "/tmp/qemu-dm-test-XXXXXX";
static char save_prefix[64], save_path[80];
static struct conversation *conversation;
static struct err err;

static const char *saved(void)
{
    static char text[64];
    FILE *f = fopen(save_path, "r");
    size_t n = f ? fread(text, 1, sizeof(text) - 1, f) : 0;

    if (f) {
        fclose(f);
    }
    text[n] = '\0';
    return text;
}

static void has_happened(const char *what)
{
    join_engine();
    if (strcmp(happened, what) != 0) {
        fail_msg("expected:\n%s\nbut this has happened:\n%s", what, happened);
    }
    happened[0] = '\0';
}

static void store_says(const char *path, const char *text)
{
    const char *there = fake_store_get(path);

    if (!text != !there || (text && strcmp(text, there) != 0)) {
        fail_msg("%s is %s, not %s", path, there ? there : "nowhere", text ? text : "nowhere");
    }
}

static void was_logged(const char *what)
{
    if (!strstr(logged, what)) {
        fail_msg("\"%s\" is not in the log, but \"%s\"", what, logged);
    }
}

static void open_conversation(void)
{
    const struct conversation_settings settings = {
        .domid = 7,
        .save_prefix = save_prefix,
        .hooks = {.opaque = &card,
                  .connect = connect_engine,
                  .stopped = card_stops,
                  .saved = card_is_saved,
                  .continued = card_continues},
    };

    conversation = conversation_open(&settings, &err);
    assert_non_null(conversation);
}

static void begin(void)
{
    open_conversation();
    conversation_serve(conversation);
    join_engine();
}

/* A domain with one CD drive whose conversation is to begin. */
static int new_domain(void **state)
{
    (void)state;
    now = 1000 * NS_PER_S;
    logged[0] = happened[0] = '\0';
    log_lines = all_log_lines = answer_count = 0;
    engine_gone = engine_asleep = engine_writes_nothing = false;
    fake_store_reset();
    fake_store_set(GUEST "vm", VM);
    fake_store_set(GUEST "device/vbd/5632/backend", "/local/domain/0/backend/qdisk/7/5632");
    fake_store_set(CD "frontend", GUEST "device/vbd/5632");
    fake_store_set(CD "device-type", "cdrom");
    fake_store_set(CD "type", "qdisk");
    fake_store_set(CD "params", "aio:/iso/first.iso");
    conversation = NULL;
    return 0;
}

static int running_domain(void **state)
{
    new_domain(state);
    begin();
    has_happened("query-vnc\nquery-chardev\n[card continues]\ncont\n");
    fake_store_set(D "state", "running"); /* the engine's */
    return 0;
}

static int end_domain(void **state)
{
    (void)state;
    conversation_close(conversation);
    join_engine();
    unlink(save_path);
    return 0;
}

/* The toolstack writes a node; the conversation hears it. */
static void toolstack_writes(const char *path, const char *text)
{
    fake_store_set(path, text);
    conversation_serve(conversation);
    join_engine();
}

static void toolstack_says(const char *command, const char *parameter)
{
    fake_store_set(D "parameter", parameter);
    toolstack_writes(D "command", command);
    store_says(D "command", NULL);
}

/* --- the beginning --- */

static void says_where_the_consoles_are(void **state)
{
    (void)state;
    fake_store_set(VM "/vncpasswd", "secret");
    answers_with("query-vnc", "\"return\": {\"enabled\": true, \"host\": \"127.0.0.1\", "
                              "\"service\": \"5907\", \"auth\": \"vnc\"}");
    answers_with("query-chardev",
                 "\"return\": [{\"label\": \"libxl-cmd\", \"filename\": \"unix:/x\"},"
                 "{\"label\": \"serial0\", \"filename\": \"pty:/dev/pts/4\"},"
                 "{\"label\": \"serial1\", \"filename\": \"null\"},"
                 "{\"label\": \"serial2\", \"filename\": \"pty:/dev/pts/5\"},"
                 "{\"label\": \"serial3x\", \"filename\": \"pty:/dev/pts/6\"}, 5]");
    begin();
    has_happened("query-vnc\nchange-vnc-password{\"password\":\"secret\"}\nquery-chardev\n"
                 "[card continues]\ncont\n");
    store_says(GUEST "console/vnc-port", "5907");
    store_says(GUEST "console/vnc-listen", "127.0.0.1");
    store_says(GUEST "console/vnc-pass", "secret");
    store_says(VM "/vncpasswd", "");
    store_says(GUEST "serial/0/tty", "/dev/pts/4");
    store_says(GUEST "serial/1/tty", NULL);
    store_says(GUEST "serial/2/tty", "/dev/pts/5");
    store_says(GUEST "serial/3/tty", NULL);
    store_says(D "state", NULL); /* the engine's to write */
    assert_int_equal(log_lines, 0);
}

static void waits_for_the_engine(void **state)
{
    (void)state;
    engine_asleep = true;
    open_conversation();
    fake_store_set(D "command", "save");
    conversation_serve(conversation);
    conversation_serve(conversation);
    has_happened("");
    store_says(D "command", "save");
    engine_asleep = false;
    wake_engine();
    conversation_serve(conversation);
    has_happened("query-vnc\nquery-chardev\n[card continues]\ncont\n"
                 "stop\n[card stops]\nadd-fd\nxen-save-devices-state{\"filename\":\"/dev/fdset/3\","
                 "\"live\":true}\n[card is saved at 4]\n");
}

static void starts_without_a_display(void **state)
{
    (void)state;
    fake_store_set(VM "/vncpasswd", "");
    answers_with("query-vnc", "\"return\": {\"enabled\": false, \"auth\": \"none\"}");
    refuses("query-chardev");
    begin();
    has_happened("query-vnc\nquery-chardev\n[card continues]\ncont\n");
    store_says(GUEST "console/vnc-port", NULL);
    was_logged("serial ports are cannot be told: the engine refuses query-chardev: it will not");
}

static void warns_of_an_open_display(void **state)
{
    (void)state;
    fake_store_set(VM "/vncpasswd", "secret");
    answers_with("query-vnc", "\"return\": {\"enabled\": true, \"host\": \"0.0.0.0\", "
                              "\"service\": \"5900\", \"auth\": \"none\"}");
    begin();
    was_logged("anybody can connect");
    store_says(GUEST "console/vnc-pass", NULL);
    store_says(GUEST "console/vnc-port", "5900");
}

static void tells_of_a_password_that_is_refused(void **state)
{
    (void)state;
    fake_store_set(VM "/vncpasswd", "secret");
    answers_with("query-vnc", "\"return\": {\"enabled\": true, \"host\": \"0.0.0.0\", "
                              "\"service\": \"5900\", \"auth\": \"vnc\"}");
    refuses("change-vnc-password");
    begin();
    was_logged("lets nobody in");
    store_says(GUEST "console/vnc-pass", NULL);
    store_says(VM "/vncpasswd", "");
    store_says(GUEST "console/vnc-port", "5900");
}

static void wipes_nobody_elses_password(void **state)
{
    static const char *const elsewhere[] = {"/local/domain/0", "/vm/", "/vm/../tool", "/vm/0/1",
                                            ""};

    (void)state;
    for (size_t i = 0; i < sizeof(elsewhere) / sizeof(elsewhere[0]); i++) {
        char path[100];

        snprintf(path, sizeof(path), "%s/vncpasswd", elsewhere[i]);
        fake_store_set(path, "theirs");
        fake_store_set(GUEST "vm", elsewhere[i]);
        begin();
        store_says(path, "theirs");
        conversation_close(conversation);
        conversation = NULL;
        join_engine();
    }
}

static void says_that_an_engine_does_not_start(void **state)
{
    (void)state;
    refuses("cont");
    begin();
    has_happened("query-vnc\nquery-chardev\n[card continues]\ncont\n");
    was_logged("destroy the domain: the engine refuses cont");
}

static void says_that_an_engine_falls_over(void **state)
{
    (void)state;
    answers_with("query-vnc", "");
    begin();
    has_happened("query-vnc\n[card continues]\n");
    was_logged("the machine cannot be started");
}

static void needs_an_engine_and_xenstore(void **state)
{
    const struct conversation_settings settings = {
        .domid = 7, .hooks = {.opaque = &card, .connect = connect_engine}};

    (void)state;
    engine_gone = true;
    assert_null(conversation_open(&settings, &err));
    assert_string_equal(err.text, "the engine is gone");
    fake_store_refuse(D "command");
    assert_null(conversation_open(&settings, &err));
    fake_store_refuse(NULL);
}

/* --- save and continue --- */

static void saves_and_continues(void **state)
{
    struct stat st;

    (void)state;
    toolstack_writes(D "command", "save");
    has_happened("stop\n[card stops]\nadd-fd\nxen-save-devices-state{\"filename\":\"/dev/fdset/3\","
                 "\"live\":true}\n[card is saved at 4]\n");
    store_says(D "state", "paused");
    store_says(D "command", NULL);
    assert_string_equal(saved(), "QEVMcard");
    assert_int_equal(stat(save_path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    toolstack_writes(D "command", "continue");
    has_happened("[card continues]\ncont\n");
    store_says(D "state", "running");
}

static void replaces_an_older_save(void **state)
{
    FILE *f = fopen(save_path, "w");

    (void)state;
    fputs("something longer of another time", f);
    fclose(f);
    toolstack_writes(D "command", "save");
    assert_string_equal(saved(), "QEVMcard");
}

static void goes_on_after_a_failed_save(const char *command, const char *expected)
{
    FILE *f = fopen(save_path, "w");

    fputs("of another time", f);
    fclose(f);
    refuses(command);
    toolstack_writes(D "command", "save");
    has_happened(expected);
    store_says(D "state", "running");
    assert_int_equal(access(save_path, F_OK), -1);
    was_logged("cannot be saved and goes on: the engine refuses");
}

static void goes_on_if_the_engine_does_not_stop(void **state)
{
    (void)state;
    goes_on_after_a_failed_save("stop", "stop\n[card continues]\ncont\n");
}

static void goes_on_if_the_engine_takes_no_file(void **state)
{
    (void)state;
    goes_on_after_a_failed_save("add-fd", "stop\n[card stops]\nadd-fd\n[card continues]\ncont\n");
}

static void goes_on_if_the_engine_does_not_save(void **state)
{
    (void)state;
    goes_on_after_a_failed_save("xen-save-devices-state",
                                "stop\n[card stops]\nadd-fd\nxen-save-devices-state{\"filename\":"
                                "\"/dev/fdset/3\",\"live\":true}\n[card continues]\ncont\n");
}

static void goes_on_if_nothing_is_saved(void **state)
{
    (void)state;
    engine_writes_nothing = true;
    toolstack_writes(D "command", "save");
    store_says(D "state", "running");
    assert_int_equal(access(save_path, F_OK), -1);
    was_logged("has written nothing");
}

static void goes_on_if_there_is_no_place_for_the_file(void **state)
{
    (void)state;
    mkdir(save_path, 0700);
    toolstack_writes(D "command", "save");
    has_happened("stop\n[card stops]\n[card continues]\ncont\n");
    rmdir(save_path);
    store_says(D "state", "running");
    was_logged("cannot make");
}

static void says_that_the_engine_is_gone(void **state)
{
    static const char *const commands[][2] = {
        {"save", ""},
        {"continue", ""},
        {"pci-ins", "0000:01:00.0"},
        {"pci-rem", "0000:01:00.0"},
        {"usb-add", "tablet"},
        {"usb-del", "tablet"},
    };

    (void)state;
    engine_gone = true;
    for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
        logged[0] = '\0';
        toolstack_says(commands[i][0], commands[i][1]);
        was_logged("the engine is gone");
    }
    toolstack_writes(D "logdirty/cmd", "enable");
    store_says(D "logdirty/ret", "failed");
    logged[0] = '\0';
    toolstack_writes(CD "params", "");
    was_logged("the engine is gone");
    logged[0] = '\0';
    toolstack_writes(GUEST "cpu/1/availability", "online");
    was_logged("the engine is gone");
}

static void says_that_the_engine_falls_over_while_saving(void **state)
{
    (void)state;
    answers_with("xen-save-devices-state", "");
    toolstack_writes(D "command", "save");
    store_says(D "state", "running");
    assert_int_equal(access(save_path, F_OK), -1);
    was_logged("it cannot go on");
}

static void switches_log_dirty(void **state)
{
    (void)state;
    toolstack_writes(D "logdirty/cmd", "enable");
    has_happened("xen-set-global-dirty-log{\"enable\":true}\n");
    store_says(D "logdirty/ret", "enable");
    store_says(D "logdirty/cmd", "enable");
    toolstack_writes(D "logdirty/ret", NULL);
    toolstack_writes(D "logdirty/cmd", NULL);
    toolstack_writes(D "logdirty/cmd", "disable");
    has_happened("xen-set-global-dirty-log{\"enable\":false}\n");
    store_says(D "logdirty/ret", "disable");
    toolstack_writes(D "logdirty/ret", NULL);
    toolstack_writes(D "logdirty/cmd", "maybe");
    has_happened("");
    store_says(D "logdirty/ret", NULL);
    refuses("xen-set-global-dirty-log");
    toolstack_writes(D "logdirty/cmd", "enable");
    store_says(D "logdirty/ret", "failed");
    was_logged("cannot be migrated");
}

/* --- devices --- */

#define PCI_DEVICE(slot, function, id)                                                             \
    "{\"bus\": 0, \"slot\": " #slot ", \"function\": " #function ", \"qdev_id\": \"" id "\"}"
#define PCI_BUS(devices) "\"return\": [{\"bus\": 0, \"devices\": [" devices "]}]"
#define BRIDGE           PCI_DEVICE(0, 0, "")

static void inserts_pci_devices(void **state)
{
    (void)state;
    answers_with("query-pci", PCI_BUS(BRIDGE "," PCI_DEVICE(5, 0, "pci-pt-0000_01_00.0")));
    toolstack_says("pci-ins", "0000:01:00.0,msitranslate=0,power_mgmt=0");
    has_happened("device_add{\"driver\":\"xen-pci-passthrough\",\"id\":\"pci-pt-0000_01_00.0\","
                 "\"hostaddr\":\"0000:01:00.0\"}\nquery-pci\n");
    store_says(D "parameter", "0x28");
    store_says(D "state", "pci-inserted");
    answers_with("query-pci", PCI_BUS(BRIDGE "," PCI_DEVICE(6, 3, "pci-pt-0000_0b_1f.3")));
    toolstack_says("pci-ins", "0000:0b:1f.3@33,msitranslate=1,power_mgmt=0");
    has_happened("device_add{\"driver\":\"xen-pci-passthrough\",\"id\":\"pci-pt-0000_0b_1f.3\","
                 "\"hostaddr\":\"0000:0b:1f.3\",\"addr\":\"6.3\",\"multifunction\":true}\n"
                 "query-pci\n");
    store_says(D "parameter", "0x33");
    /* xend's "anywhere". */
    toolstack_says("pci-ins", "0000:0b:1f.3@100");
    has_happened("device_add{\"driver\":\"xen-pci-passthrough\",\"id\":\"pci-pt-0000_0b_1f.3\","
                 "\"hostaddr\":\"0000:0b:1f.3\"}\nquery-pci\n");
    assert_int_equal(log_lines, 0);
}

static void says_that_pci_devices_are_not_inserted(void **state)
{
    static const char *const nonsense[] = {
        "",          "0000:01:00",    "0000:01:00.8",  "01:00.0",       "0000:01:20.0",
        "zz",        "00000:01:00.0", "0000:01:00.0@", "@:.",           "0000:01:00.0@1000",
        ",,,,,,,,,", "0000: 1:00.0",  "0000:01:-1.0",  "0000:01:00.0x",
    };

    (void)state;
    for (size_t i = 0; i < sizeof(nonsense) / sizeof(nonsense[0]); i++) {
        fake_store_set(D "state", "running");
        now += NS_PER_S;
        toolstack_says("pci-ins", nonsense[i]);
        store_says(D "state", "pci-insert-failed");
        was_logged("should read like 0000:01:00.0@28");
    }
    toolstack_says("pci-ins", NULL);
    store_says(D "state", "pci-insert-failed");
    has_happened("");
    answers_with("query-pci", PCI_BUS(BRIDGE));
    toolstack_says("pci-ins", "0000:01:00.0");
    store_says(D "state", "pci-insert-failed");
    refuses("query-pci");
    toolstack_says("pci-ins", "0000:01:00.0");
    store_says(D "parameter", "the engine refuses query-pci: it will not");
    refuses("device_add");
    fake_store_set(D "state", "running");
    toolstack_says("pci-ins", "0000:01:00.0");
    store_says(D "parameter", "the engine refuses device_add: it will not");
    store_says(D "state", "pci-insert-failed");
    was_logged("xl pci-assignable-list");
}

static void removes_pci_devices(void **state)
{
    (void)state;
    answers_with("query-pci", PCI_BUS(BRIDGE "," PCI_DEVICE(5, 0, "pci-pt-0000_01_00.0") "," //
                                      PCI_DEVICE(5, 1, "pci-pt-0000_01_00.1")));
    toolstack_says("pci-rem", "0000:01:00.0");
    has_happened("query-pci\ndevice_del{\"id\":\"pci-pt-0000_01_00.0\"}\n");
    conversation_serve(conversation);
    has_happened("query-pci\n");
    conversation_serve(conversation);
    has_happened(""); /* too soon to look again */
    store_says(D "state", "running");
    answers_with("query-pci", PCI_BUS(BRIDGE "," PCI_DEVICE(5, 1, "pci-pt-0000_01_00.1")));
    now += NS_PER_S;
    conversation_serve(conversation);
    store_says(D "state", "running");
    answers_with("query-pci", PCI_BUS(BRIDGE));
    now += NS_PER_S;
    conversation_serve(conversation);
    has_happened("query-pci\nquery-pci\n");
    store_says(D "state", "pci-removed");
    now += NS_PER_S;
    conversation_serve(conversation);
    has_happened("");
    assert_int_equal(log_lines, 0);
    /* Once more: it is away. */
    fake_store_set(D "state", "running");
    toolstack_says("pci-rem", "0000:01:00.0");
    store_says(D "state", "pci-removed");
    has_happened("query-pci\n");
}

static void gives_up_on_what_the_guest_keeps(void **state)
{
    (void)state;
    answers_with("query-pci", PCI_BUS(BRIDGE "," PCI_DEVICE(5, 0, "pci-pt-0000_01_00.0")));
    toolstack_says("pci-rem", "0000:01:00.0");
    for (unsigned i = 0; i < 70; i++) {
        now += NS_PER_S;
        conversation_serve(conversation);
        join_engine();
    }
    was_logged("has to let go of it first");
    assert_int_equal(log_lines, 1);
    store_says(D "state", "running");
    happened[0] = '\0';
    toolstack_says("pci-rem", "first");
    was_logged("\"first\" is no PCI device");
    now += NS_PER_S;
    conversation_serve(conversation);
    has_happened("");
    /* Asked for again, QEMU says that it has asked already; then the guest complies. */
    refuses("device_del");
    toolstack_says("pci-rem", "0000:01:00.0");
    was_logged("the guest may keep PCI device 0000:01:00.0: the engine refuses device_del");
    answers_with("query-pci", PCI_BUS(BRIDGE));
    now += NS_PER_S;
    conversation_serve(conversation);
    store_says(D "state", "pci-removed");
    refuses("query-pci");
    toolstack_says("pci-rem", "0000:01:00.0");
    was_logged("no PCI device is taken away: the engine refuses query-pci");
}

static void unplugs_a_device_for_its_owner(void **state)
{
    (void)state;
    conversation_unplug(conversation, "qemu-dm-card");
    join_engine();
    has_happened("device_del{\"id\":\"qemu-dm-card\"}\n");
    store_says(D "state", "running");
    assert_int_equal(log_lines, 0);
    refuses("device_del");
    conversation_unplug(conversation, "qemu-dm-card");
    was_logged("cannot be unplugged: the engine refuses device_del: it will not");
    engine_gone = true;
    conversation_unplug(conversation, "qemu-dm-card");
    was_logged("cannot be unplugged: the engine is gone");
}

static void unplugs_nothing_before_the_engine_talks(void **state)
{
    (void)state;
    engine_asleep = true;
    open_conversation();
    conversation_unplug(conversation, "qemu-dm-card");
    was_logged("cannot be unplugged: the engine is still starting");
    has_happened("");
    engine_asleep = false;
    wake_engine();
}

static void plugs_usb_devices(void **state)
{
    static const struct {
        const char *parameter, *driver_and_more;
    } devices[] = {
        {"tablet", "\"usb-tablet\",\"id\":\"%s\""},
        {"mouse", "\"usb-mouse\",\"id\":\"%s\""},
        {"keyboard", "\"usb-kbd\",\"id\":\"%s\""},
        {"wacom-tablet", "\"usb-wacom-tablet\",\"id\":\"%s\""},
        {"host:1.12", "\"usb-host\",\"id\":\"%s\",\"hostbus\":1,\"hostaddr\":12"},
        {"host:046d:c52b", "\"usb-host\",\"id\":\"%s\",\"vendorid\":1133,\"productid\":50475"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(devices) / sizeof(devices[0]); i++) {
        char id[32] = "", device[200], expected[300];

        fake_store_set(D "state", "running");
        toolstack_says("usb-add", devices[i].parameter);
        store_says(D "state", "usb-added");
        assert_int_equal(sscanf(strstr(happened, "\"id\":\""), "\"id\":\"%31[^\"]", id), 1);
        snprintf(device, sizeof(device), devices[i].driver_and_more, id);
        snprintf(expected, sizeof(expected), "device_add{\"driver\":%s}\n", device);
        has_happened(expected);
        toolstack_says("usb-del", devices[i].parameter);
        store_says(D "state", "usb-deleted");
        snprintf(expected, sizeof(expected), "device_del{\"id\":\"%s\"}\n", id);
        has_happened(expected);
    }
    assert_int_equal(log_lines, 0);
}

static void plugs_usb_disks(void **state)
{
    (void)state;
    toolstack_says("usb-add", "disk:/images/stick.img");
    has_happened("blockdev-add{\"driver\":\"raw\",\"node-name\":\"usb-69812e580959f097\",\"file\":"
                 "{\"driver\":\"file\",\"filename\":\"/images/stick.img\"}}\n"
                 "device_add{\"driver\":\"usb-storage\",\"id\":\"usb-69812e580959f097\","
                 "\"drive\":\"usb-69812e580959f097\"}\n");
    store_says(D "state", "usb-added");
    refuses("blockdev-del");
    toolstack_says("usb-del", "disk:/images/stick.img");
    now += NS_PER_S;
    conversation_serve(conversation);
    has_happened("device_del{\"id\":\"usb-69812e580959f097\"}\n"
                 "blockdev-del{\"node-name\":\"usb-69812e580959f097\"}\n");
    store_says(D "state", "usb-added");
    answers_with("blockdev-del", "\"return\": {}");
    now += NS_PER_S;
    conversation_serve(conversation);
    store_says(D "state", "usb-deleted");
}

static void says_that_usb_devices_are_not_plugged(void **state)
{
    static const char *const unknown[] = {
        "",           "net:1",    "disk:relative",     "host:", "1.2",
        "host:1.2.3", "host:g:1", "serial:/dev/ttyS0", "tabl",  "disk:"};

    (void)state;
    for (size_t i = 0; i < sizeof(unknown) / sizeof(unknown[0]); i++) {
        now += 120 * NS_PER_S; /* enough for the log to say all */
        logged[0] = '\0';
        toolstack_says("usb-add", unknown[i]);
        was_logged("is no USB device; it should read like");
    }
    has_happened("");
    toolstack_says("usb-add", NULL);
    was_logged("not said which");
    toolstack_says("usb-del", NULL);
    was_logged("not said which");
    refuses("device_add");
    refuses("device_del");
    toolstack_says("usb-add", "tablet");
    was_logged("no USB device is added (has the guest USB, usb=1?): the engine refuses");
    toolstack_says("usb-del", "1.2");
    was_logged("no USB device is taken away");
    happened[0] = '\0';
    toolstack_says("usb-add", "disk:/dev/sdb");
    assert_non_null(strstr(happened, "\"driver\":\"host_device\""));
    assert_non_null(strstr(happened, "\nblockdev-del{"));
    store_says(D "state", "running");
}

static void changes_cds(void **state)
{
    (void)state;
    toolstack_writes(CD "params", "");
    has_happened("eject{\"id\":\"ide-5632\",\"force\":true}\n");
    toolstack_writes(CD "params", "qcow2:/iso/second.qcow2");
    has_happened("eject{\"id\":\"ide-5632\",\"force\":true}\n"
                 "blockdev-change-medium{\"id\":\"ide-5632\",\"filename\":\"/iso/second.qcow2\","
                 "\"format\":\"qcow2\",\"read-only-mode\":\"read-only\"}\n");
    /* The same again is no change. */
    toolstack_writes(CD "params", "qcow2:/iso/second.qcow2");
    has_happened("");
    fake_store_set(CD "type", "phy");
    toolstack_writes(CD "params", "cdrom");
    has_happened("eject{\"id\":\"ide-5632\",\"force\":true}\n"
                 "blockdev-change-medium{\"id\":\"ide-5632\",\"filename\":\"/dev/cdrom\","
                 "\"format\":\"raw\",\"read-only-mode\":\"read-only\"}\n");
    toolstack_writes(CD "params", "/iso/plain:with,marks.iso");
    has_happened("eject{\"id\":\"ide-5632\",\"force\":true}\n"
                 "blockdev-change-medium{\"id\":\"ide-5632\",\"filename\":"
                 "\"/iso/plain:with,marks.iso\","
                 "\"format\":\"raw\",\"read-only-mode\":\"read-only\"}\n");
    /* The domain is being destroyed. */
    toolstack_writes("/local/domain/0/backend/qdisk/7", NULL);
    has_happened("");
    assert_int_equal(log_lines, 0);
}

static void changes_cds_after_a_save_only(void **state)
{
    (void)state;
    toolstack_writes(D "command", "save");
    happened[0] = '\0';
    toolstack_writes(CD "params", "aio:/iso/second.iso");
    has_happened("");
    toolstack_writes(D "command", "continue");
    has_happened("[card continues]\ncont\neject{\"id\":\"ide-5632\",\"force\":true}\n"
                 "blockdev-change-medium{\"id\":\"ide-5632\",\"filename\":\"/iso/second.iso\","
                 "\"format\":\"raw\",\"read-only-mode\":\"read-only\"}\n");
}

static void says_that_cds_are_not_changed(void **state)
{
    static const char *const media[] = {
        "vmdk:/x", "aio:x", "nbd:localhost:10809", "aio:json:{}", "json:{}", "aio:", ":/x"};

    (void)state;
    for (size_t i = 0; i < sizeof(media) / sizeof(media[0]); i++) {
        logged[0] = '\0';
        toolstack_writes(CD "params", media[i]);
        was_logged("is no medium; it should read like");
        has_happened("eject{\"id\":\"ide-5632\",\"force\":true}\n");
    }
    toolstack_writes(CD "params", "aio:/\xff\xfe");
    was_logged("cannot ask the engine for blockdev-change-medium");
    refuses("blockdev-change-medium");
    toolstack_writes(CD "params", "aio:/x");
    was_logged("has not been changed: the engine refuses");
    happened[0] = '\0';
    refuses("eject");
    toolstack_writes(CD "params", "aio:/y");
    has_happened("eject{\"id\":\"ide-5632\",\"force\":true}\n");
}

static void knows_cds_by_what_dom0_says(void **state)
{
    (void)state;
    /* A disk that the guest calls a CD drive, another guest's drive, and no drives at all. */
    fake_store_set("/local/domain/0/backend/vbd/7/768/frontend", GUEST "device/vbd/768");
    fake_store_set("/local/domain/0/backend/vbd/7/768/device-type", "disk");
    fake_store_set("/local/domain/0/backend/vbd/7/768/params", "a");
    fake_store_set(GUEST "device/vbd/768/device-type", "cdrom");
    fake_store_set("/local/domain/0/backend/vbd/7/832/frontend", "/local/domain/8/device/vbd/832");
    fake_store_set("/local/domain/0/backend/vbd/7/832/device-type", "cdrom");
    fake_store_set("/local/domain/0/backend/vbd/7/832/params", "a");
    fake_store_set("/local/domain/0/backend/tap/7/no number/device-type", "cdrom");
    fake_store_set("/local/domain/0/backend/tap/7/123456789012345/device-type", "cdrom");
    begin();
    happened[0] = '\0';
    fake_store_set("/local/domain/0/backend/vbd/7/768/params", "b");
    toolstack_writes("/local/domain/0/backend/vbd/7/832/params", "b");
    has_happened("");
    toolstack_writes(CD "params", "");
    has_happened("eject{\"id\":\"ide-5632\",\"force\":true}\n");
}

static void finds_an_old_toolstacks_cds(void **state)
{
    (void)state;
    fake_store_set("/local/domain/0/backend/tap/7/5696/frontend", GUEST "device/vbd/5696");
    fake_store_set("/local/domain/0/backend/tap/7/5696/type", "tap");
    fake_store_set("/local/domain/0/backend/tap/7/5696/params", "aio:/a");
    fake_store_set(GUEST "device/vbd/5696/device-type", "cdrom");
    begin();
    happened[0] = '\0';
    toolstack_writes("/local/domain/0/backend/tap/7/5696/params", "");
    has_happened("eject{\"id\":\"ide-5696\",\"force\":true}\n");
}

static void adds_vcpus(void **state)
{
    (void)state;
    /* As xenfv has them, each a socket, and as pc has them, each a core; the last first. */
    answers_with("query-hotpluggable-cpus",
                 "\"return\": [{\"props\": {\"socket-id\": 1, \"core-id\": 0, \"thread-id\": 0}, "
                 "\"type\": \"qemu64\"}, {\"props\": {\"socket-id\": 0, \"core-id\": 0, "
                 "\"thread-id\": 0}, \"qom-path\": \"/machine/x\", \"type\": \"qemu64\"}]");
    toolstack_writes(GUEST "cpu/0/availability", "online");
    has_happened("query-hotpluggable-cpus\n");
    toolstack_writes(GUEST "cpu/1/availability", "online");
    has_happened("query-hotpluggable-cpus\ndevice_add{\"id\":\"cpu-1\",\"driver\":\"qemu64\","
                 "\"socket-id\":1,\"core-id\":0,\"thread-id\":0}\n");
    toolstack_writes(GUEST "cpu/1/availability", "online");
    has_happened("");
    answers_with("query-hotpluggable-cpus",
                 "\"return\": [{\"props\": {\"socket-id\": 0, \"core-id\": 2, \"thread-id\": 0}, "
                 "\"type\": \"max\"}, {\"props\": {\"socket-id\": 0, \"core-id\": 1, "
                 "\"thread-id\": 0}, \"type\": \"max\"}, {\"props\": {\"socket-id\": 0, "
                 "\"core-id\": 0, \"thread-id\": 0}, \"type\": \"max\"}]");
    toolstack_writes(GUEST "cpu/2/availability", "online");
    has_happened("query-hotpluggable-cpus\ndevice_add{\"id\":\"cpu-2\",\"driver\":\"max\","
                 "\"socket-id\":0,\"core-id\":2,\"thread-id\":0}\n");
    assert_int_equal(log_lines, 0);
    toolstack_writes(GUEST "cpu/3/availability", "online");
    was_logged("not made with so many");
    toolstack_writes(GUEST "cpu/2/availability", "offline");
    was_logged("the guest keeps vCPU 2");
    happened[0] = '\0';
    toolstack_writes(GUEST "cpu/999/availability", "online");
    toolstack_writes(GUEST "cpu/1000/availability", "online");
    toolstack_writes(GUEST "cpu/-1/availability", "online");
    toolstack_writes(GUEST "cpu/2/availability/x", "online");
    toolstack_writes(GUEST "cpu/2/availability", "perhaps");
    has_happened("");
    answers_with("query-hotpluggable-cpus", "\"return\": [{}]");
    toolstack_writes(GUEST "cpu/4/availability", "online");
    refuses("query-hotpluggable-cpus");
    toolstack_writes(GUEST "cpu/4/availability", "online");
    was_logged("does not get vCPU 4: the engine refuses");
}

/* --- nonsense --- */

static void ignores_unknown_commands(void **state)
{
    (void)state;
    toolstack_says("dance", "");
    was_logged("\"dance\" is not known");
    toolstack_writes(D "command", "");
    has_happened("");
    assert_int_equal(log_lines, 1);
    store_says(D "state", "running");
}

static void does_not_flood_the_log(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 500; i++) {
        toolstack_says(i % 2 ? "dance" : "pci-ins", "nowhere");
    }
    assert_in_range(all_log_lines, 5, 30);
    now += 5 * NS_PER_S;
    toolstack_says("dance", "");
    assert_in_range(all_log_lines, 5, 33);
}

static void hears_all_however_much_it_is(void **state)
{
    struct pollfd fd = {.fd = conversation_fd(conversation), .events = POLLIN};
    unsigned turns = 0;

    (void)state;
    for (unsigned i = 0; i < 200; i++) {
        fake_store_set(GUEST "cpu/1/availability", "perhaps");
    }
    fake_store_set(D "command", "dance");
    while (poll(&fd, 1, 0) > 0) {
        conversation_serve(conversation);
        turns++;
    }
    store_says(D "command", NULL);
    assert_in_range(turns, 2, 20);
}

static void removes_one_device_at_a_time(void **state)
{
    (void)state;
    answers_with("query-pci", PCI_BUS(BRIDGE "," PCI_DEVICE(5, 0, "pci-pt-0000_01_00.0") "," //
                                      PCI_DEVICE(6, 0, "pci-pt-0000_02_00.0")));
    toolstack_says("pci-rem", "0000:01:00.0");
    toolstack_says("pci-rem", "0000:02:00.0");
    was_logged("before another is gone");
    answers_with("query-pci", PCI_BUS(BRIDGE "," PCI_DEVICE(5, 0, "pci-pt-0000_01_00.0")));
    now += NS_PER_S;
    conversation_serve(conversation);
    store_says(D "state", "pci-removed");
}

static void says_what_cannot_be_written(void **state)
{
    (void)state;
    fake_store_refuse(D "state");
    toolstack_says("usb-add", "tablet");
    was_logged("will wait for \"usb-added\" in vain");
    fake_store_refuse(NULL);
}

static void survives_noise(void **state)
{
    static const char *const nodes[] = {
        D "command",  D "parameter", D "logdirty/cmd",           D "state",
        CD "params",  CD "type",     GUEST "cpu/1/availability", GUEST "cpu",
        D "logdirty",
    };
    static const char *const words[] = {
        "save",    "continue", "pci-ins", "pci-rem",           "usb-add", "usb-del", "enable",
        "disable", "online",   "offline", "0000:01:00.0",      "tablet",  "",        "aio:/x",
        "phy",     "disk:/x",  "host:",   "0000:01:00.0@100,", "%s%n",    NULL,
    };
    static const char *const engine_words[] = {
        "\"return\": {}",
        "\"return\": []",
        "\"return\": [[], {}, 1, null]",
        "\"return\": [{\"devices\": 1}]",
        "\"return\": [{\"devices\": [{}, {\"qdev_id\": 1}]}]",
        "\"return\": [{\"devices\": [{\"qdev_id\": \"pci-pt-0000_01_00.0\"}]}]",
        "\"return\": [{\"props\": [], \"type\": {}}, {\"props\": {\"core-id\": -9000000000}}]",
        "\"return\": 1",
        "\"return\": null",
        "\"error\": []",
        "\"return\": {\"fdset-id\": \"x\"}",
    };
    static const char *const commands[] = {
        "query-pci",   "query-hotpluggable-cpus", "add-fd", "device_add", "device_del", "eject",
        "blockdev-del"};
    unsigned seed = 5;

    (void)state;
    for (unsigned i = 0; i < 3000; i++) {
        const char *text = words[(size_t)rand_r(&seed) % (sizeof(words) / sizeof(words[0]))];
        char noise[300];

        if (rand_r(&seed) % 4 == 0) {
            size_t length = (size_t)rand_r(&seed) % sizeof(noise);

            for (size_t j = 0; j < length; j++) {
                noise[j] = (char)(rand_r(&seed) % 255 + 1);
            }
            noise[length ? length - 1 : 0] = '\0';
            text = noise;
        }
        if (i % 10 == 0) {
            answer_count = 0;
            answers_with(commands[(size_t)rand_r(&seed) % (sizeof(commands) / sizeof(*commands))],
                         engine_words[(size_t)rand_r(&seed) %
                                      (sizeof(engine_words) / sizeof(*engine_words))]);
        }
        now += NS_PER_S / 3;
        toolstack_writes(nodes[(size_t)rand_r(&seed) % (sizeof(nodes) / sizeof(nodes[0]))], text);
        happened[0] = '\0';
    }
    assert_in_range(all_log_lines, 1, 2100); /* one a second, the burst, and what was left out */
}

static int make_save_dir(void **state)
{
    (void)state;
    if (!mkdtemp(save_dir)) {
        return -1;
    }
    snprintf(save_prefix, sizeof(save_prefix), "%s/qemu-save.", save_dir);
    snprintf(save_path, sizeof(save_path), "%s7", save_prefix);
    return 0;
}

static int remove_save_dir(void **state)
{
    (void)state;
    return rmdir(save_dir);
}

#define new_one(test)     cmocka_unit_test_setup_teardown(test, new_domain, end_domain)
#define running_one(test) cmocka_unit_test_setup_teardown(test, running_domain, end_domain)

int main(void)
{
    const struct CMUnitTest tests[] = {
        new_one(says_where_the_consoles_are),
        new_one(waits_for_the_engine),
        new_one(unplugs_nothing_before_the_engine_talks),
        new_one(starts_without_a_display),
        new_one(warns_of_an_open_display),
        new_one(tells_of_a_password_that_is_refused),
        new_one(wipes_nobody_elses_password),
        new_one(says_that_an_engine_does_not_start),
        new_one(says_that_an_engine_falls_over),
        new_one(needs_an_engine_and_xenstore),
        running_one(saves_and_continues),
        running_one(replaces_an_older_save),
        running_one(goes_on_if_the_engine_does_not_stop),
        running_one(goes_on_if_the_engine_takes_no_file),
        running_one(goes_on_if_the_engine_does_not_save),
        running_one(goes_on_if_nothing_is_saved),
        running_one(goes_on_if_there_is_no_place_for_the_file),
        running_one(says_that_the_engine_is_gone),
        running_one(says_that_the_engine_falls_over_while_saving),
        running_one(switches_log_dirty),
        running_one(inserts_pci_devices),
        running_one(says_that_pci_devices_are_not_inserted),
        running_one(removes_pci_devices),
        running_one(unplugs_a_device_for_its_owner),
        running_one(gives_up_on_what_the_guest_keeps),
        running_one(plugs_usb_devices),
        running_one(plugs_usb_disks),
        running_one(says_that_usb_devices_are_not_plugged),
        running_one(changes_cds),
        running_one(changes_cds_after_a_save_only),
        running_one(says_that_cds_are_not_changed),
        new_one(knows_cds_by_what_dom0_says),
        new_one(finds_an_old_toolstacks_cds),
        running_one(adds_vcpus),
        running_one(ignores_unknown_commands),
        running_one(does_not_flood_the_log),
        running_one(hears_all_however_much_it_is),
        running_one(removes_one_device_at_a_time),
        running_one(says_what_cannot_be_written),
        running_one(survives_noise),
    };

    return cmocka_run_group_tests(tests, make_save_dir, remove_save_dir);
}
