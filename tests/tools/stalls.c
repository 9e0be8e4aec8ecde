/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Tells when a machine stood still: a thread on each processor, with realtime
 * priority, wakes ten times a second and looks how late it is.
 *
 *     stalls FILE COMMAND...
 *
 * Appends a line "SECONDS MS" to FILE for each time that a thread was late by
 * MS milliseconds, a quarter of a second at least, at SECONDS since power-on.
 * The command runs with realtime priority too, below the threads'; its exit
 * status is this program's.
 */
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { PRIORITY = 50, COMMAND_PRIORITY = 10, EVERY_MS = 100, LATE_MS = 250 };

static FILE *file;

static int64_t now_ms(clockid_t clock)
{
    struct timespec t;

    clock_gettime(clock, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static void *watch(void *opaque)
{
    int64_t due = now_ms(CLOCK_MONOTONIC);

    (void)opaque;
    for (;;) {
        struct timespec t;
        int64_t late;

        due += EVERY_MS;
        t = (struct timespec){due / 1000, due % 1000 * 1000000};
        clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, NULL);
        late = now_ms(CLOCK_MONOTONIC) - due;
        if (late >= LATE_MS) {
            fprintf(file, "%.2f %d\n", (double)now_ms(CLOCK_BOOTTIME) / 1000, (int)late);
        }
        if (late > 0) {
            due += late;
        }
    }
    return NULL;
}

static void start_watch(int cpu)
{
    struct sched_param priority = {.sched_priority = PRIORITY};
    pthread_attr_t attr;
    pthread_t thread;
    cpu_set_t cpus;
    int error;

    CPU_ZERO(&cpus);
    CPU_SET(cpu, &cpus);
    pthread_attr_init(&attr);
    pthread_attr_setinheritsched(&attr, PTHREAD_EXPLICIT_SCHED);
    pthread_attr_setschedpolicy(&attr, SCHED_FIFO);
    pthread_attr_setschedparam(&attr, &priority);
    pthread_attr_setaffinity_np(&attr, sizeof(cpus), &cpus);
    error = pthread_create(&thread, &attr, watch, NULL);
    if (error) {
        fprintf(stderr, "stalls: cannot start a realtime thread on processor %d: %s\n", cpu,
                strerror(error));
        exit(2);
    }
    pthread_attr_destroy(&attr);
}

static int run(char *argv[])
{
    struct sched_param priority = {.sched_priority = COMMAND_PRIORITY};
    int status;
    pid_t pid = fork();

    if (pid == 0) {
        sched_setscheduler(0, SCHED_FIFO, &priority);
        execvp(argv[0], argv);
        fprintf(stderr, "stalls: cannot run %s: %s\n", argv[0], strerror(errno));
        _exit(127);
    }
    if (pid < 0) {
        perror("stalls: fork");
        return 2;
    }
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR) {
    }
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

int main(int argc, char *argv[])
{
    file = argc > 2 ? fopen(argv[1], "a") : NULL;
    if (!file) {
        fprintf(stderr, "usage: stalls FILE COMMAND...\n");
        return 2;
    }
    setvbuf(file, NULL, _IOLBF, 0);
    for (int cpu = 0; cpu < (int)sysconf(_SC_NPROCESSORS_ONLN); cpu++) {
        start_watch(cpu);
    }
    return run(argv + 2);
}
