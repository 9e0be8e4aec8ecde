/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "process/program.h"

#include <dirent.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

/* Preloaded into the program, where that has not the fakes in it. */
static char xen_libraries[512];

char dir[32], log_path[64], stderr_path[64], run_path[64], program[512], engine[512];
bool (*before_start)(void);

void pause_ms(unsigned ms)
{
    struct timespec t = {.tv_sec = ms / 1000, .tv_nsec = (long)(ms % 1000) * 1000000};

    nanosleep(&t, NULL);
}

char *slurp(const char *path)
{
    static char text[65536];
    FILE *f = fopen(path, "r");
    size_t n = f ? fread(text, 1, sizeof(text) - 1, f) : 0;

    if (f) {
        fclose(f);
    }
    text[n] = '\0';
    return text;
}

bool file_says(const char *path, const char *what)
{
    for (int ms = 0; ms < DEADLINE_MS; ms += 5) {
        if (strstr(slurp(path), what)) {
            return true;
        }
        pause_ms(5);
    }
    print_error("%s never said \"%s\"; it says:\n%s\n", path, what, slurp(path));
    return false;
}

long number_after(const char *what)
{
    const char *at = "";

    assert_true(file_says(log_path, what));
    for (const char *next = slurp(log_path); (next = strstr(next, what)); next++) {
        at = next;
    }
    return *at ? strtol(at + strlen(what), NULL, 10) : -1;
}

pid_t start(const char *behaviour, const char *const args[])
{
    const char *argv[32] = {program};
    pid_t pid;

    for (unsigned i = 0; args[i]; i++) {
        argv[i + 1] = args[i];
    }
    pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        int err = open(stderr_path, O_CREAT | O_WRONLY | O_APPEND, 0600);

        dup2(err, STDERR_FILENO);
        dup2(err, STDOUT_FILENO);
        setenv("FAKE_ENGINE", behaviour, 1);
        if (before_start && !before_start()) {
            _exit(126);
        }
        if (!program_is_fake()) {
            setenv("LD_PRELOAD", xen_libraries, 1);
        }
        execv(program, (char *const *)argv);
        _exit(127);
    }
    return pid;
}

int end_of(pid_t pid)
{
    int status;

    for (int ms = 0; ms < DEADLINE_MS; ms += 5) {
        if (waitpid(pid, &status, WNOHANG) == pid) {
            return status;
        }
        pause_ms(5);
    }
    kill(pid, SIGKILL);
    waitpid(pid, &status, 0);
    fail_msg("the program did not end");
    return -1;
}

bool gone(pid_t pid)
{
    for (int ms = 0; ms < DEADLINE_MS; ms += 5) {
        if (kill(pid, 0) < 0) {
            return true;
        }
        pause_ms(5);
    }
    return false;
}

static pid_t find_child(pid_t parent, const char *name)
{
    DIR *proc = opendir("/proc");
    struct dirent *entry;
    pid_t found = 0;

    assert_non_null(proc);
    while (!found && (entry = readdir(proc))) {
        char path[32], start[64];
        int pid = atoi(entry->d_name);
        const char *stat;

        snprintf(path, sizeof(path), "/proc/%d/stat", pid);
        snprintf(start, sizeof(start), "%d (%s) ", pid, name);
        stat = slurp(path);
        /* Behind the name come a letter for its state and its parent. */
        if (strncmp(stat, start, strlen(start)) == 0 &&
            strtol(stat + strlen(start) + 2, NULL, 10) == parent) {
            found = pid;
        }
    }
    closedir(proc);
    return found;
}

pid_t child_named(pid_t parent, const char *name)
{
    for (int ms = 0; ms < DEADLINE_MS; ms += 5) {
        pid_t child = find_child(parent, name);

        if (child) {
            return child;
        }
        pause_ms(5);
    }
    fail_msg("there is no %s", name);
    return 0;
}

bool program_is_fake(void)
{
    return !getenv("QEMU_DM_PROGRAM");
}

int fresh_logs(void **state)
{
    (void)state;
    before_start = NULL;
    unlink(log_path);
    unlink(stderr_path);
    unsetenv("FAKE_GUEST_OPEN");
    unsetenv("FAKE_GUEST_TAKE_OVER");
    setenv("QEMU_DM_RUNDIR", run_path, 1);
    return 0;
}

bool prepare_program(const char *engine_name)
{
    const char *build = getenv("BUILD"), *src = getenv("SRC");

    snprintf(dir, sizeof(dir), "/tmp/qemu-dm-test-XXXXXX");
    if (!mkdtemp(dir)) {
        perror(dir);
        return false;
    }
    if (program_is_fake()) {
        snprintf(program, sizeof(program), "%s/tests/qemu-dm-fake", build ? build : "build");
    } else {
        snprintf(program, sizeof(program), "%s", getenv("QEMU_DM_PROGRAM"));
        snprintf(xen_libraries, sizeof(xen_libraries), "%s/tests/fake-xen.so",
                 build ? build : "build");
    }
    snprintf(engine, sizeof(engine), "%s/tests/process/%s", src ? src : ".", engine_name);
    snprintf(log_path, sizeof(log_path), "%s/seen", dir);
    snprintf(stderr_path, sizeof(stderr_path), "%s/stderr", dir);
    snprintf(run_path, sizeof(run_path), "%s/run", dir);
    unsetenv("QEMU_AUDIO_DRV");
    setenv("QEMU_DM_ENGINE", engine, 1);
    setenv("FAKE_ENGINE_LOG", log_path, 1);
    setenv("FAKE_GUEST_LOG", log_path, 1);
    return true;
}

void clear_up_program(void)
{
    unlink(log_path);
    unlink(stderr_path);
    rmdir(run_path);
    rmdir(dir);
}
