/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * QEMU's AC97, without Xen and without a guest, on its way through the engine's pipe to a host: the
 * whole of what `soundhw="ac97"` does but for the toolstack.
 *
 *     engine_play AUDIODEV [die] < raw
 *
 * AUDIODEV is the value of -audiodev. Plays S16LE stereo at 48000 Hz from standard input, at most
 * 20 seconds, and what has been added to push it through QEMU's buffer. With "die" the process that
 * plays is killed in the middle. Prints one line "key=value ..." at the end:
 *   start_ns   when the card was started, since 1970
 *   took_ms    from then until the card had played all; more than the sound is long: the engine was
 *              held up
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
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

#include "audio/settings.h"
#include "base/clock.h"
#include "base/log.h"
#include "card/engine_sound.h"
#include "toolstack/plan.h"

enum {
    RATE = 48000,
    RAM_BYTES = 16 << 20,
    SOUND = 1 << 20, /* where the sound lies in the guest's memory, */
    LIST = 0x8000,   /* and the list of its parts: 32 of an address and a length each */
    PARTS = 32,
    PART_FRAMES = 30000, /* samples are counted in 16 bits */
    PUSH = 4096,         /* frames of silence behind it */

    BIOS_BYTES = 65536,
    RESET_VECTOR = 0xfff0, /* in the last 64 KiB below 4 GiB */

    SLOT = 4,
    MIXER = 0xc000, /* the card's two ranges of ports */
    MASTER = 0xc100,
    MIXER_MASTER_VOLUME = MIXER + 0x02,
    MIXER_PCM_VOLUME = MIXER + 0x18,
    OUT_LIST = MASTER + 0x10,
    OUT_CURRENT = MASTER + 0x14,
    OUT_LAST = MASTER + 0x15,
    OUT_STATUS = MASTER + 0x16, /* bit 0: halted */
    OUT_CONTROL = MASTER + 0x1b,
};

static _Noreturn void die(const char *what, const char *why)
{
    fprintf(stderr, "engine_play: %s: %s\n", what, why);
    exit(1);
}

static void sleep_ms(unsigned ms)
{
    usleep(ms * 1000);
}

/* --- the engine --- */

/* A file in memory which QEMU can open by the name of the descriptor it inherits. */
static int make_file(size_t size, uint8_t **content)
{
    int fd = memfd_create("engine_play", 0);

    if (fd < 0 || ftruncate(fd, (off_t)size) < 0 ||
        (*content = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0)) == MAP_FAILED) {
        die("memory", strerror(errno));
    }
    return fd;
}

/* This machine's QEMU knows nothing of Xen. */
static void leave_xen_out(char **argv)
{
    while (strcmp(*argv, "-xen-domid") != 0) {
        argv++;
    }
    free(argv[0]);
    free(argv[1]);
    do {
        argv[0] = argv[2];
    } while (*argv++);
}

/* The command line as for a domain, which the plan makes into the engine's. */
static void make_plan(struct plan *plan, const char *audiodev, int ram, int bios, int qtest,
                      int pipe)
{
    char memory[128], firmware[64], chardev[64];
    const char *const argv[] = {"qemu-dm",
                                "-xen-domid",
                                "5",
                                "-nodefaults",
                                "-no-user-config",
                                "-display",
                                "none",
                                "-m",
                                "16",
                                "-object",
                                memory,
                                "-machine",
                                "pc,accel=tcg,memory-backend=ram",
                                "-bios",
                                firmware,
                                "-audiodev",
                                audiodev,
                                "-device",
                                "ac97,addr=4",
                                "-chardev",
                                chardev,
                                "-qtest",
                                "chardev:qtest",
                                "-qtest-log",
                                "/dev/null"};
    struct err err;

    snprintf(memory, sizeof(memory),
             "memory-backend-file,id=ram,size=16M,share=on,mem-path=/proc/self/fd/%d", ram);
    snprintf(firmware, sizeof(firmware), "/proc/self/fd/%d", bios);
    snprintf(chardev, sizeof(chardev), "socket,id=qtest,fd=%d", qtest);
    if (!plan_make(plan, sizeof(argv) / sizeof(argv[0]), argv, "qemu-system-x86_64", &err) ||
        plan->action != PLAN_RUN_ENGINE_SOUND || !plan_set_pipe_fd(plan, pipe, &err)) {
        die("the plan", err.text);
    }
    leave_xen_out(plan->engine_argv);
}

static pid_t start_engine(char **argv)
{
    pid_t pid = fork();

    if (pid < 0) {
        die("cannot fork", strerror(errno));
    }
    if (pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        execvp(argv[0], argv);
        die(argv[0], strerror(errno));
    }
    return pid;
}

/* --- the qtest protocol: a command is a line, and so is its answer --- */

static uint32_t ask(FILE *to, FILE *from, const char *command)
{
    char line[128];
    uint32_t value = 0;

    if (fprintf(to, "%s\n", command) < 0 || fflush(to) != 0 || !fgets(line, sizeof(line), from) ||
        strncmp(line, "OK", 2) != 0) {
        die("qtest", command);
    }
    sscanf(line, "OK 0x%" SCNx32, &value);
    return value;
}

static FILE *qtest_to, *qtest_from;

static void out(char width, unsigned port, uint32_t value)
{
    char command[64];

    snprintf(command, sizeof(command), "out%c 0x%x 0x%" PRIx32, width, port, value);
    ask(qtest_to, qtest_from, command);
}

static uint32_t in(char width, unsigned port)
{
    char command[64];

    snprintf(command, sizeof(command), "in%c 0x%x", width, port);
    return ask(qtest_to, qtest_from, command);
}

static void configure(unsigned offset, char width, uint32_t value)
{
    out('l', 0xcf8, 1u << 31 | SLOT << 11 | offset);
    out(width, 0xcfc, value);
}

/* --- the card --- */

static void set_up_card(void)
{
    configure(0x10, 'l', MIXER);
    configure(0x14, 'l', MASTER);
    configure(0x04, 'w', 0x0005); /* ports, bus master */
    out('l', MASTER + 0x2c, 2);   /* out of the cold reset */
    out('w', MIXER_MASTER_VOLUME, 0);
    out('w', MIXER_PCM_VOLUME, 0);
}

/* Puts the sound, of so many frames, on the card's list; returns the last part's number. */
static uint32_t lay_out(uint8_t *ram, uint32_t frames)
{
    uint32_t part = 0;

    for (uint32_t at = 0; at < frames; at += PART_FRAMES, part++) {
        uint32_t count = frames - at < PART_FRAMES ? frames - at : PART_FRAMES;
        uint32_t entry[2] = {SOUND + 4 * at, 2 * count};

        if (part == PARTS) {
            die("standard input", "longer than 20 seconds");
        }
        memcpy(ram + LIST + part * sizeof(entry), entry, sizeof(entry));
    }
    return part - 1;
}

/* The supervisor's part: whoever plays has died. */
static void kill_player(struct engine_sound *sound)
{
    kill(sound->pid, SIGKILL);
    waitpid(sound->pid, NULL, 0);
    engine_sound_died(sound);
}

/* victim: whoever plays is to die in the middle; or NULL. */
static void play(uint8_t *ram, uint32_t frames, struct engine_sound *victim)
{
    struct timespec start;
    uint64_t began, now;

    out('l', OUT_LIST, LIST);
    out('b', OUT_LAST, lay_out(ram, frames));
    clock_gettime(CLOCK_REALTIME, &start);
    began = now = clock_now_ns();
    out('b', OUT_CONTROL, 1);
    while (!(in('w', OUT_STATUS) & 1)) {
        sleep_ms(5);
        now = clock_now_ns();
        if (victim && now - began > frames / 2 * NS_PER_S / RATE) {
            kill_player(victim);
            victim = NULL;
        }
        if (now - began > 40 * NS_PER_S) {
            die("the card", "it does not come to the end");
        }
    }
    printf("start_ns=%lld%09ld took_ms=%llu\n", (long long)start.tv_sec, start.tv_nsec,
           (unsigned long long)((now - began) / NS_PER_MS));
}

int main(int argc, char **argv)
{
    static const uint8_t halt[] = {0xfa, 0xf4, 0xeb, 0xfd}; /* cli; again: hlt; jmp again */
    struct audio_settings settings;
    struct user user = {.change = false};
    struct engine_sound sound;
    struct plan plan;
    struct err err;
    uint8_t *ram, *bios;
    int ram_fd = make_file(RAM_BYTES, &ram), bios_fd = make_file(BIOS_BYTES, &bios);
    bool dies = argc == 3 && strcmp(argv[2], "die") == 0;
    int qtest[2], pipe_ends[2];
    size_t frames;
    pid_t engine;

    if (argc != 2 && !dies) {
        fprintf(stderr, "usage: engine_play AUDIODEV [die] < raw\n");
        return 2;
    }
    log_set_name("engine_play");
    memcpy(bios + RESET_VECTOR, halt, sizeof(halt));
    frames = fread(ram + SOUND, 4, (RAM_BYTES - SOUND) / 4 - PUSH, stdin);
    if (socketpair(AF_UNIX, SOCK_STREAM, 0, qtest) < 0 || pipe(pipe_ends) < 0) {
        die("no socket", strerror(errno));
    }
    make_plan(&plan, argv[1], ram_fd, bios_fd, qtest[1], pipe_ends[1]);
    if (!audio_settings_parse(&settings, plan.audiodev, &err) ||
        !engine_sound_start(&sound, &settings, &user, pipe_ends[0], &err)) {
        die("the sound", err.text);
    }
    fcntl(qtest[0], F_SETFD, FD_CLOEXEC);
    engine = start_engine(plan.engine_argv);
    close(qtest[1]);
    close(pipe_ends[1]);
    qtest_to = fdopen(qtest[0], "w");
    qtest_from = fdopen(dup(qtest[0]), "r");
    if (!qtest_to || !qtest_from) {
        die("qtest", strerror(errno));
    }
    set_up_card();
    play(ram, (uint32_t)frames + PUSH, dies ? &sound : NULL);
    sleep_ms(1000);
    kill(engine, SIGTERM);
    waitpid(engine, NULL, 0);
    engine_sound_stop(&sound);
    audio_settings_free(&settings);
    plan_free(&plan);
    return 0;
}
