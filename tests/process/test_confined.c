/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a process can still do that has been confined as a card is: each thing is
 * tried in one of its own, by a thread that was there before. What takes root to
 * arrange is skipped for others.
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/io_uring.h>
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/log.h"
#include "sandbox/confine.h"
#include "sandbox/in_force.h"

static const struct user nobody = {
    .change = true, .uid = 65534, .gid = 65534, .home = "/", .runtime = "/run/user/65534"};
static const struct user as_we_are = {.change = false};
static char folder[] = "/var/tmp/qemu-dm-test-XXXXXX"; /* not in /tmp */

/* --- a process to try things in --- */

/* Returns an errno; 0: it worked. */
typedef int attempt(void);

struct trial {
    attempt *attempt;
    pthread_barrier_t confined;
};

static void *try_it(void *opaque)
{
    struct trial *trial = opaque;

    pthread_barrier_wait(&trial->confined);
    return (void *)(intptr_t)trial->attempt();
}

static _Noreturn void confined_child(const struct user *user, attempt *attempt)
{
    struct trial trial = {.attempt = attempt};
    void *result;
    pthread_t thread;
    struct err err;

    pthread_barrier_init(&trial.confined, NULL, 2);
    if (!confine_process(user, folder, &err) ||
        pthread_create(&thread, NULL, try_it, &trial) != 0 || !user_become(user, &err)) {
        _exit(255);
    }
    confine_calls();
    pthread_barrier_wait(&trial.confined);
    pthread_join(thread, &result);
    _exit((int)(intptr_t)result);
}

/* waitpid's status. */
static int outcome(const struct user *user, attempt *attempt)
{
    int status;
    pid_t pid = fork();

    assert_true(pid >= 0);
    if (pid == 0) {
        confined_child(user, attempt);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    return status;
}

/* The errno that it comes to, the process being its own end. */
static int result_of(const struct user *user, attempt *attempt)
{
    int status = outcome(user, attempt);

    if (!WIFEXITED(status) || WEXITSTATUS(status) == 255) {
        fail_msg("waitpid says 0x%x", (unsigned)status);
    }
    return WEXITSTATUS(status);
}

static int errno_if(bool failed)
{
    return failed ? errno : 0;
}

/* --- what is refused --- */

static int execute(void)
{
    char *const nothing[] = {NULL};

    execve("/bin/true", nothing, nothing);
    return errno;
}

static int fork_by_the_library(void)
{
    pid_t pid = fork();

    if (pid == 0) {
        _exit(0);
    }
    return errno_if(pid < 0);
}

static int fork_by_number(void)
{
    long pid = syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0);

    if (pid == 0) {
        _exit(0);
    }
    return errno_if(pid < 0);
}

static int map_to_write_and_run(void)
{
    return errno_if(mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC,
                         MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED);
}

static int map_nothing_to_run(void)
{
    return errno_if(mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) ==
                    MAP_FAILED);
}

static int run_what_was_written(void)
{
    void *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    return errno_if(page == MAP_FAILED || mprotect(page, 4096, PROT_READ | PROT_EXEC) < 0);
}

static int open_packet_socket(void)
{
    return errno_if(socket(AF_PACKET, SOCK_RAW, 0) < 0);
}

static int open_bluetooth_socket(void)
{
    return errno_if(socket(AF_BLUETOOTH, SOCK_STREAM, 0) < 0);
}

/* The kernel takes 32 bits of it. */
static int open_packet_socket_in_disguise(void)
{
    return errno_if(syscall(SYS_socket, UINT64_C(0x100000000) | AF_PACKET, SOCK_RAW, 0) < 0);
}

static int change_user(void)
{
    return errno_if(setresuid(0, 0, 0) < 0);
}

static int end_another_process(void)
{
    return errno_if(kill(getppid(), SIGTERM) < 0);
}

static int end_another_thread(void)
{
    return errno_if(syscall(SYS_tgkill, getppid(), getppid(), SIGTERM) < 0);
}

static int become_dumpable(void)
{
    return errno_if(prctl(PR_SET_DUMPABLE, 1, 0, 0, 0) < 0);
}

static int listen_to_others(void)
{
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);

    return errno_if(listen(fd, 1) < 0);
}

static int lift_the_limits_of_another(void)
{
    return errno_if(syscall(SYS_prlimit64, getppid(), 0, NULL, NULL) < 0);
}

static void what_a_card_does_not_do_is_refused(void **state)
{
    static const struct {
        const char *what;
        attempt *attempt;
    } refused[] = {
        {"execve", execute},
        {"fork", fork_by_the_library},
        {"clone without a thread", fork_by_number},
        {"memory to write and run", map_to_write_and_run},
        {"memory to run", map_nothing_to_run},
        {"memory to run, later", run_what_was_written},
        {"a packet socket", open_packet_socket},
        {"a packet socket in disguise", open_packet_socket_in_disguise},
        {"a bluetooth socket", open_bluetooth_socket},
        {"to be root", change_user},
        {"kill", end_another_process},
        {"tgkill", end_another_thread},
        {"debuggers", become_dumpable},
        {"listen", listen_to_others},
        {"another's limits", lift_the_limits_of_another},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
        int error = result_of(&as_we_are, refused[i].attempt);

        if (error != EPERM) {
            fail_msg("%s: %s", refused[i].what, error ? strerror(error) : "done");
        }
    }
}

/* --- what ends it --- */

static int trace(void)
{
    return errno_if(ptrace(PTRACE_ATTACH, getppid(), NULL, NULL) < 0);
}

static int read_another_process(void)
{
    return errno_if(syscall(SYS_process_vm_readv, getppid(), NULL, 0, NULL, 0, 0) < 0);
}

static int mount_something(void)
{
    return errno_if(mount("none", "/mnt", "tmpfs", 0, NULL) < 0);
}

static int unshare_something(void)
{
    return errno_if(unshare(CLONE_NEWUSER) < 0);
}

static int load_a_program_into_the_kernel(void)
{
    return errno_if(syscall(SYS_bpf, 0, NULL, 0) < 0);
}

static int have_a_ring(void)
{
    struct io_uring_params params = {.flags = 0};

    return errno_if(syscall(SYS_io_uring_setup, 1, &params) < 0);
}

static void what_only_an_intruder_does_ends_it(void **state)
{
    static attempt *const deadly[] = {
        trace,
        read_another_process,
        mount_something,
        unshare_something,
        load_a_program_into_the_kernel,
        have_a_ring,
    };

    (void)state;
    for (size_t i = 0; i < sizeof(deadly) / sizeof(deadly[0]); i++) {
        int status = outcome(&as_we_are, deadly[i]);

        if (!WIFSIGNALED(status) || WTERMSIG(status) != SIGSYS) {
            fail_msg("number %zu: waitpid says 0x%x", i, (unsigned)status);
        }
    }
}

static int abort_it(void)
{
    abort();
}

/* How a fault that the program itself finds is told from one of the filter's. */
static void it_may_abort(void **state)
{
    int status = outcome(&as_we_are, abort_it);

    (void)state;
    assert_true(WIFSIGNALED(status));
    assert_int_equal(WTERMSIG(status), SIGABRT);
    assert_false(WCOREDUMP(status));
}

/* --- what works --- */

static void *nothing(void *opaque)
{
    return opaque;
}

static int start_a_thread(void)
{
    pthread_t thread;
    int error = pthread_create(&thread, NULL, nothing, NULL);

    return error ? error : pthread_join(thread, NULL);
}

static int read_a_file(void)
{
    char byte;
    int fd = open("/proc/self/maps", O_RDONLY | O_CLOEXEC);

    return errno_if(fd < 0 || read(fd, &byte, 1) != 1);
}

static int use_much_memory(void)
{
    enum { SIZE = 64 << 20 };
    char *memory = malloc(SIZE);

    if (memory) {
        memset(memory, 1, SIZE);
        free(memory);
    }
    return memory ? 0 : ENOMEM;
}

static int share_memory(void)
{
    int fd = memfd_create("test", MFD_CLOEXEC);

    return errno_if(fd < 0 || ftruncate(fd, 4096) < 0 ||
                    mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0) == MAP_FAILED);
}

static int share_memory_by_name(void)
{
    int fd = shm_open("/qemu-dm-test-confined", O_RDWR | O_CREAT, 0600);

    return errno_if(fd < 0 || shm_unlink("/qemu-dm-test-confined") < 0);
}

static int share_memory_as_system_v_did(void)
{
    int id = shmget(IPC_PRIVATE, 4096, IPC_CREAT | 0600);

    return errno_if(id < 0 || shmctl(id, IPC_RMID, NULL) < 0);
}

static int talk_by_sockets(void)
{
    int ends[2];

    return errno_if(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) < 0 ||
                    send(ends[0], "", 1, 0) != 1 || socket(AF_UNIX, SOCK_STREAM, 0) < 0 ||
                    socket(AF_INET, SOCK_STREAM, 0) < 0);
}

static int load_a_library(void)
{
    return dlopen("libresolv.so.2", RTLD_NOW) ? 0 : ELIBACC;
}

static void what_sound_needs_works(void **state)
{
    static attempt *const needed[] = {
        start_a_thread, read_a_file,          use_much_memory,
        share_memory,   share_memory_by_name, share_memory_as_system_v_did,
        load_a_library, talk_by_sockets,
    };

    (void)state;
    for (size_t i = 0; i < sizeof(needed) / sizeof(needed[0]); i++) {
        int error = result_of(geteuid() == 0 ? &nobody : &as_we_are, needed[i]);

        if (error) {
            fail_msg("number %zu: %s", i, strerror(error));
        }
    }
}

/* --- what takes root --- */

static void root_only(void)
{
    if (geteuid() != 0) {
        print_message("only root has privileges to lose\n");
        skip();
    }
}

static int all_in_force(void)
{
    return (int)in_force();
}

static int mounts_as_this_host_lets_us(void)
{
    /* Not where the root is a folder of another mount: in a plain chroot. */
    return unshare(CLONE_NEWNS) == 0 && mount(NULL, "/", NULL, MS_REC | MS_SLAVE, NULL) == 0
               ? IN_FORCE_FILES_READ_ONLY
               : 0;
}

/* In a process of its own. */
static int mounts_in_force(void)
{
    int status;
    pid_t pid = fork();

    if (pid == 0) {
        _exit(mounts_as_this_host_lets_us());
    }
    waitpid(pid, &status, 0);
    return WEXITSTATUS(status);
}

static void the_kernel_says_so(void **state)
{
    int expected = IN_FORCE_NO_CAPABILITIES | IN_FORCE_NO_NEW_PRIVILEGES |
                   IN_FORCE_SYSCALLS_FILTERED | mounts_in_force();

    (void)state;
    root_only();
    assert_int_equal(result_of(&nobody, all_in_force), expected);
#ifndef __SANITIZE_THREAD__ /* which has a thread of its own, from before */
    assert_int_equal(result_of(&as_we_are, all_in_force), expected);
#endif
    /* And where nothing has been done, none of it. */
    assert_int_equal(in_force() & ~(IN_FORCE_MEMORY_LOCKED | IN_FORCE_FILES_READ_ONLY), 0);
}

static int write_to(const char *where)
{
    char path[96];

    snprintf(path, sizeof(path), "%s/test-confined", where);
    return errno_if(open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600) < 0 || unlink(path) < 0);
}

static int write_to_root(void)
{
    return write_to("/root");
}

static int write_to_the_kernel(void)
{
    return errno_if(open("/proc/sys/kernel/core_pattern", O_WRONLY | O_CLOEXEC) < 0);
}

static int write_to_var_tmp(void)
{
    return write_to("/var/tmp");
}

static int write_to_the_folder(void)
{
    return write_to(folder);
}

static int write_to_tmp(void)
{
    return write_to("/tmp");
}

static int write_to_a_device(void)
{
    int fd = open("/dev/null", O_WRONLY | O_CLOEXEC);

    return errno_if(fd < 0 || write(fd, "", 1) != 1);
}

static void files_are_read_only(void **state)
{
    (void)state;
    root_only();
    if (!mounts_in_force()) {
        print_message("this host allows no mounts\n");
        skip();
    }
    assert_int_equal(result_of(&as_we_are, write_to_root), EROFS);
    assert_int_equal(result_of(&as_we_are, write_to_the_kernel), EROFS);
    assert_int_equal(result_of(&nobody, write_to_var_tmp), EROFS);
    assert_int_equal(result_of(&as_we_are, write_to_the_folder), 0);
    assert_int_equal(result_of(&nobody, write_to_tmp), 0);
    assert_int_equal(result_of(&nobody, write_to_a_device), 0);
}

static int look_into_init(void)
{
    return errno_if(open("/proc/1/mem", O_RDONLY | O_CLOEXEC) < 0);
}

static int open_raw_socket(void)
{
    return errno_if(socket(AF_INET, SOCK_RAW, 1) < 0);
}

static int have_the_users_number(void)
{
    uid_t uid[3] = {0, 0, 0};

    return getresuid(&uid[0], &uid[1], &uid[2]) == 0 && uid[0] == nobody.uid &&
                   uid[1] == nobody.uid && uid[2] == nobody.uid
               ? 0
               : EINVAL;
}

static void root_is_not_what_it_was(void **state)
{
    (void)state;
    root_only();
    assert_int_equal(result_of(&as_we_are, look_into_init), EACCES);
    assert_int_equal(result_of(&nobody, look_into_init), EACCES);
    assert_int_equal(result_of(&as_we_are, open_raw_socket), EPERM);
    assert_int_equal(result_of(&nobody, have_the_users_number), 0);
    assert_int_equal(result_of(&nobody, change_user), EPERM);
}

static int make_folder(void **state)
{
    (void)state;
    log_set_level(LOG_LEVEL_ERROR);
    return mkdtemp(folder) ? 0 : -1;
}

static int remove_folder(void **state)
{
    (void)state;
    return rmdir(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_a_card_does_not_do_is_refused),
        cmocka_unit_test(what_only_an_intruder_does_ends_it),
        cmocka_unit_test(it_may_abort),
        cmocka_unit_test(what_sound_needs_works),
        cmocka_unit_test(the_kernel_says_so),
        cmocka_unit_test(files_are_read_only),
        cmocka_unit_test(root_is_not_what_it_was),
    };

    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
