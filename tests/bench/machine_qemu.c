/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * QEMU's ES1370, with a real clock and without a guest: the processor's
 * firmware halts it for good, and the driver here reaches the ports through the
 * qtest protocol and the guest's memory through a mapping that both share.
 *
 * QEMU is an ordinary process, as its users run it. Only the driver's side has
 * the card's realtime priority, so that it is not the driver that is late.
 */
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/realtime.h"
#include "bench/machine.h"

enum {
    RAM_MB = 16,
    RAM_BYTES = RAM_MB << 20,
    BIOS_BYTES = 65536,
    RESET_VECTOR = 0xfff0, /* in the last 64 KiB below 4 GiB */

    PORT = 0xc000,
    SLOT = 4,
    PIIX3 = 1 << 11, /* the bridge that routes interrupts: slot 1 of the "pc" machine */
    PIRQ_ROUTES = 0x60,
    IRQ = 11,
    CONFIG_ADDRESS = 0xcf8,
    CONFIG_DATA = 0xcfc,
    ES1370_ID = 0x50001274,

    ANSWER_MS = 10000,
};

struct qemu {
    struct machine machine;
    pid_t pid;
    clockid_t cpu_clock;
    int socket;
    bool irq;
    char in[4096]; /* received and not yet understood: the beginning of a line */
    size_t in_len;
};

static _Noreturn void die(const char *what, const char *why)
{
    fprintf(stderr, "measure: QEMU: %s: %s\n", what, why);
    exit(1);
}

static struct qemu *qemu_of(struct machine *m)
{
    return (struct qemu *)m;
}

/* --- the qtest protocol: a command is a line, and so is its answer; interrupts come between --- */

/* Takes one line from what has been received; false: there is none yet. */
static bool take_line(struct qemu *q, char *line, size_t size)
{
    char *end = memchr(q->in, '\n', q->in_len);
    size_t len;

    if (!end) {
        if (q->in_len == sizeof(q->in)) {
            die("qtest", "a line without an end");
        }
        return false;
    }
    len = (size_t)(end - q->in);
    snprintf(line, size, "%.*s", (int)len, q->in);
    q->in_len -= len + 1;
    memmove(q->in, end + 1, q->in_len);
    return true;
}

/* Receives until a time; false: nothing has come. */
static bool receive(struct qemu *q, uint64_t until_ns)
{
    struct pollfd fd = {.fd = q->socket, .events = POLLIN};
    uint64_t now = clock_now_ns(), left = until_ns > now ? until_ns - now : 0;
    const struct timespec timeout = {(time_t)(left / NS_PER_S), (long)(left % NS_PER_S)};
    ssize_t n;

    if (ppoll(&fd, 1, &timeout, NULL) <= 0) {
        return false;
    }
    n = read(q->socket, q->in + q->in_len, sizeof(q->in) - q->in_len);
    if (n <= 0) {
        die("the qtest socket", n < 0 ? strerror(errno) : "closed");
    }
    q->in_len += (size_t)n;
    return true;
}

/* Takes the lines that tell of interrupts; an answer, if there is one, is left in line. */
static bool take_answer(struct qemu *q, char *line, size_t size)
{
    while (take_line(q, line, size)) {
        char level[8];
        int irq;

        if (sscanf(line, "IRQ %7s %d", level, &irq) != 2) {
            return true;
        }
        if (irq == IRQ) {
            q->irq = strcmp(level, "raise") == 0;
        }
    }
    return false;
}

/* Sends a command; the value that its answer carries, or 0. */
static uint32_t ask(struct qemu *q, const char *command)
{
    uint64_t until = clock_now_ns() + ANSWER_MS * NS_PER_MS;
    size_t len = strlen(command);
    char line[128];
    uint32_t value = 0;

    if (write(q->socket, command, len) != (ssize_t)len) {
        die("the qtest socket", strerror(errno));
    }
    while (!take_answer(q, line, sizeof(line))) {
        if (!receive(q, until)) {
            die(command, "no answer in ten seconds");
        }
    }
    if (strncmp(line, "OK", 2) != 0) {
        die(command, line);
    }
    sscanf(line, "OK 0x%" SCNx32, &value);
    return value;
}

static char width(unsigned bytes)
{
    return bytes == 1 ? 'b' : bytes == 2 ? 'w' : 'l';
}

static void port_write(struct qemu *q, unsigned port, unsigned bytes, uint32_t value)
{
    char command[64];

    snprintf(command, sizeof(command), "out%c 0x%x 0x%" PRIx32 "\n", width(bytes), port, value);
    ask(q, command);
}

static uint32_t port_read(struct qemu *q, unsigned port, unsigned bytes)
{
    char command[64];

    snprintf(command, sizeof(command), "in%c 0x%x\n", width(bytes), port);
    return ask(q, command);
}

/* function: of bus 0, its slot in bits 15:11. */
static void config_write(struct qemu *q, unsigned function, unsigned offset, unsigned bytes,
                         uint32_t value)
{
    port_write(q, CONFIG_ADDRESS, 4, 1u << 31 | function | offset);
    port_write(q, CONFIG_DATA, bytes, value);
}

/* --- the machine --- */

static void qemu_write(struct machine *m, unsigned reg, unsigned bytes, uint32_t value)
{
    port_write(qemu_of(m), PORT + reg, bytes, value);
}

static uint32_t qemu_read(struct machine *m, unsigned reg, unsigned bytes)
{
    return port_read(qemu_of(m), PORT + reg, bytes);
}

static bool qemu_wait(struct machine *m, uint64_t until_ns)
{
    struct qemu *q = qemu_of(m);
    char line[128];

    do {
        if (take_answer(q, line, sizeof(line))) {
            die("an answer to nothing", line);
        }
    } while (!q->irq && receive(q, until_ns));
    return q->irq;
}

static uint64_t qemu_cpu(struct machine *m)
{
    struct timespec t;

    if (clock_gettime(qemu_of(m)->cpu_clock, &t) < 0) {
        die("its processor time", strerror(errno));
    }
    return (uint64_t)t.tv_sec * NS_PER_S + (uint64_t)t.tv_nsec;
}

static void qemu_close(struct machine *m)
{
    struct qemu *q = qemu_of(m);

    kill(q->pid, SIGTERM);
    waitpid(q->pid, NULL, 0);
    close(q->socket);
    munmap(m->ram, RAM_BYTES);
    free(q);
}

/* A file in memory which QEMU can open by the name of the descriptor it inherits. */
static int make_file(const char *name, size_t size, uint8_t **content)
{
    int fd = memfd_create(name, 0);

    if (fd < 0 || ftruncate(fd, (off_t)size) < 0 ||
        (*content = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0)) == MAP_FAILED) {
        die(name, strerror(errno));
    }
    return fd;
}

static int make_bios(void)
{
    static const uint8_t halt[] = {0xfa, 0xf4, 0xeb, 0xfd}; /* cli; again: hlt; jmp again */
    uint8_t *bios;
    int fd = make_file("firmware", BIOS_BYTES, &bios);

    memcpy(bios + RESET_VECTOR, halt, sizeof(halt));
    munmap(bios, BIOS_BYTES);
    return fd;
}

static _Noreturn void become_qemu(const char *audiodev, int ram, int bios, int socket)
{
    const char *id = strstr(audiodev, ",id="),
               *server = strncmp(audiodev, "pa,", 3) == 0 ? getenv("PULSE_SERVER") : NULL;
    char memory[128], firmware[64], device[128], chardev[64], audio[512];

    snprintf(memory, sizeof(memory),
             "memory-backend-file,id=ram,size=%dM,share=on,mem-path=/proc/self/fd/%d", RAM_MB, ram);
    snprintf(firmware, sizeof(firmware), "/proc/self/fd/%d", bios);
    snprintf(device, sizeof(device), "ES1370,addr=%d,audiodev=%.*s", SLOT,
             id ? (int)strcspn(id + 4, ",") : 0, id ? id + 4 : "");
    /* It does not look for a PulseAudio that only the environment names. */
    snprintf(audio, sizeof(audio), "%s%s%s", audiodev, server ? ",server=" : "",
             server ? server : "");
    snprintf(chardev, sizeof(chardev), "socket,id=qtest,fd=%d", socket);
    execlp("qemu-system-x86_64", "qemu-system-x86_64", "-nodefaults", "-no-user-config", "-display",
           "none", "-m", "16", "-object", memory, "-machine", "pc,accel=tcg,memory-backend=ram",
           "-bios", firmware, "-audiodev", audio, "-device", device, "-chardev", chardev, "-qtest",
           "chardev:qtest", "-qtest-log", "/dev/null", (char *)NULL);
    die("cannot start it", strerror(errno));
}

static void start(struct qemu *q, const char *audiodev)
{
    int ram = make_file("guest memory", RAM_BYTES, &q->machine.ram);
    int bios = make_bios();
    int pair[2];

    if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair) < 0) {
        die("no socket", strerror(errno));
    }
    q->pid = fork();
    if (q->pid < 0) {
        die("cannot fork", strerror(errno));
    }
    if (q->pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        close(pair[0]);
        become_qemu(audiodev, ram, bios, pair[1]);
    }
    close(pair[1]);
    close(ram);
    close(bios);
    q->socket = pair[0];
    if (clock_getcpuclockid(q->pid, &q->cpu_clock) != 0) {
        die("its processor time", "not to be had");
    }
}

static void set_up(struct qemu *q)
{
    ask(q, "irq_intercept_in ioapic\n");
    port_write(q, CONFIG_ADDRESS, 4, 1u << 31 | SLOT << 11);
    if (port_read(q, CONFIG_DATA, 4) != ES1370_ID) {
        die("its slot", "no ES1370 there");
    }
    config_write(q, PIIX3, PIRQ_ROUTES, 4, IRQ * 0x01010101u); /* all four pins */
    config_write(q, SLOT << 11, 0x10, 4, PORT);
    config_write(q, SLOT << 11, 0x04, 2, 0x0005); /* ports, bus master */
}

struct machine *machine_qemu(const char *audiodev)
{
    struct qemu *q = calloc(1, sizeof(*q));
    struct err err;

    if (!q) {
        die("no memory", "");
    }
    start(q, audiodev);
    if (!realtime_enter(&err)) {
        fprintf(stderr, "measure: %s\n", err.text);
    }
    set_up(q);
    q->machine.smooth = false;
    q->machine.write = qemu_write;
    q->machine.read = qemu_read;
    q->machine.wait = qemu_wait;
    q->machine.cpu = qemu_cpu;
    q->machine.close = qemu_close;
    return &q->machine;
}
