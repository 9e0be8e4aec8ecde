/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The whole program where the host lacks something: the domain runs all the
 * same, and the log says what is missing. A fake domain instead of Xen, whose
 * guest this test plays, and a shell script instead of the engine.
 */
#include <fcntl.h>
#include <linux/capability.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "process/playing_guest.h"
#include "process/program.h"

static const char *const domain[] = {
    "-xen-domid", "7",         "-nodefaults", "-name", "dom", "-device", "es1370",
    "-audiodev",  "none,id=s", "-machine",    "xenfv", "-m",  "512",     NULL,
};

static char guest_path[64];

static pid_t start_domain(void)
{
    pid_t pid = start("wait", domain);

    assert_true(file_says(log_path, "arg 512"));
    return pid;
}

static void end_domain(pid_t pid)
{
    kill(pid, SIGTERM);
    assert_int_equal(end_of(pid), 0);
}

/* The guest notices nothing. */
static void the_card_plays(void)
{
    join_guest(guest_path);
    play(441);
    wait_for_interrupt();
    leave_guest();
}

/* --- memory --- */

/* Bytes of address space: enough for the supervisor, and too few for the card's threads. */
static rlim_t enough_for_the_supervisor;

static bool limit_memory(void)
{
    const struct rlimit limit = {enough_for_the_supervisor, enough_for_the_supervisor};

    return setrlimit(RLIMIT_AS, &limit) == 0;
}

static rlim_t most_memory(pid_t pid)
{
    char path[64];
    const char *peak;

    snprintf(path, sizeof(path), "/proc/%d/status", (int)pid);
    peak = strstr(slurp(path), "VmPeak:");
    assert_non_null(peak);
    return (rlim_t)strtoull(peak + strlen("VmPeak:"), NULL, 10) << 10;
}

static void a_card_without_memory_is_silent(void **state)
{
    pid_t pid;

    if (*getenv("SANITIZERS")) {
        skip(); /* whose own memory has no bounds */
    }
    pid = start_domain();
    enough_for_the_supervisor = most_memory(pid) + (1 << 20);
    end_domain(pid);

    fresh_logs(state);
    before_start = limit_memory;
    pid = start_domain();
    assert_true(file_says(stderr_path, "the guest will have a silent sound card: "));
    assert_true(file_says(stderr_path, "Memory or processes are short: see free, and ulimit -v"));
    assert_null(strstr(slurp(stderr_path), "es1370 in slot"));
    end_domain(pid);
}

/* --- realtime --- */

static bool forbid_realtime(void)
{
    const struct rlimit none = {0, 0};

    return (geteuid() != 0 || prctl(PR_CAPBSET_DROP, CAP_SYS_NICE, 0, 0, 0) == 0) &&
           setrlimit(RLIMIT_RTPRIO, &none) == 0;
}

static void a_card_without_realtime_plays(void **state)
{
    pid_t pid;

    (void)state;
    before_start = forbid_realtime;
    pid = start_domain();
    assert_true(file_says(stderr_path, "warning: no realtime scheduling: "));
    assert_true(file_says(stderr_path, "'ulimit -r 4' would allow it"));
    assert_true(file_says(stderr_path, "es1370 in slot"));
    the_card_plays();
    end_domain(pid);
}

/* --- a full disk --- */

/* The program, and nobody else, sees a disk of one page there, which is taken. */
static bool fill_run(void)
{
    static const char page[4096];
    char file[80];
    int fd;

    snprintf(file, sizeof(file), "%s/full", run_path);
    mkdir(run_path, 0755);
    if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
        mount("run", run_path, "tmpfs", 0, "size=4k") < 0) {
        return false;
    }
    fd = open(file, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    return fd >= 0 && write(fd, page, sizeof(page)) == sizeof(page);
}

static bool can_fill_run(void)
{
    pid_t pid = fork();
    int status;

    if (pid == 0) {
        _exit(fill_run() ? EXIT_SUCCESS : EXIT_FAILURE);
    }
    waitpid(pid, &status, 0);
    return status == 0;
}

static void a_card_without_a_page_plays(void **state)
{
    pid_t pid;

    (void)state;
    if (!can_fill_run()) {
        skip(); /* that is root's to do */
    }
    before_start = fill_run;
    pid = start_domain();
    assert_true(file_says(stderr_path, "No space left on device. Sound is not affected, but "
                                       "qemu-dm --status will not show it"));
    assert_true(file_says(stderr_path, "es1370 in slot"));
    the_card_plays();
    end_domain(pid);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup(name, fresh_logs)
    const struct CMUnitTest tests[] = {
        TEST(a_card_without_memory_is_silent),
        TEST(a_card_without_realtime_plays),
        TEST(a_card_without_a_page_plays),
    };
    int failed;

    if (!prepare_program("fake-engine")) {
        return 1;
    }
    snprintf(guest_path, sizeof(guest_path), "%s/guest", dir);
    setenv("FAKE_GUEST_SOCKET", guest_path, 1);
    setenv("SANITIZERS", "", 0);
    failed = cmocka_run_group_tests(tests, NULL, NULL);
    unlink(guest_path);
    clear_up_program();
    return failed;
}
