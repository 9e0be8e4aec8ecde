/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The system calls of a card: what it and the sound libraries call on all that
 * `make check-drivers` does to them, and what stands beside that in the
 * libraries' sources. With SCMP_ACT_LOG in the place of EPERM the kernel's log
 * shows what is called and not listed: then that was nothing.
 */
#include "sandbox/syscalls.h"

#include <errno.h>
#include <sched.h>
#include <stddef.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <seccomp.h>

#define CALLS(name) static const int name[]

CALLS(allowed) = {
    /* Descriptors. ioctl is how sound devices and Xen are called. */
    SCMP_SYS(read),
    SCMP_SYS(readv),
    SCMP_SYS(pread64),
    SCMP_SYS(preadv),
    SCMP_SYS(preadv2),
    SCMP_SYS(write),
    SCMP_SYS(writev),
    SCMP_SYS(pwrite64),
    SCMP_SYS(pwritev),
    SCMP_SYS(pwritev2),
    SCMP_SYS(lseek),
    SCMP_SYS(_llseek),
    SCMP_SYS(close),
    SCMP_SYS(close_range),
    SCMP_SYS(dup),
    SCMP_SYS(dup2),
    SCMP_SYS(dup3),
    SCMP_SYS(fcntl),
    SCMP_SYS(fcntl64),
    SCMP_SYS(ioctl),
    SCMP_SYS(pipe),
    SCMP_SYS(pipe2),

    /* Files: what may be read and written, the user and the mounts say. Libraries look for their
     * configuration and their plugins at each connection; shared memory and WAV files are made. */
    SCMP_SYS(open),
    SCMP_SYS(openat),
    SCMP_SYS(access),
    SCMP_SYS(faccessat),
    SCMP_SYS(faccessat2),
    SCMP_SYS(stat),
    SCMP_SYS(stat64),
    SCMP_SYS(lstat),
    SCMP_SYS(lstat64),
    SCMP_SYS(fstat),
    SCMP_SYS(fstat64),
    SCMP_SYS(newfstatat),
    SCMP_SYS(fstatat64),
    SCMP_SYS(statx),
    SCMP_SYS(statfs),
    SCMP_SYS(statfs64),
    SCMP_SYS(fstatfs),
    SCMP_SYS(fstatfs64),
    SCMP_SYS(readlink),
    SCMP_SYS(readlinkat),
    SCMP_SYS(getcwd),
    SCMP_SYS(getdents),
    SCMP_SYS(getdents64),
    SCMP_SYS(mkdir),
    SCMP_SYS(mkdirat),
    SCMP_SYS(unlink),
    SCMP_SYS(unlinkat),
    SCMP_SYS(fchmod),
    SCMP_SYS(fchown),
    SCMP_SYS(ftruncate),
    SCMP_SYS(ftruncate64),
    SCMP_SYS(fallocate),
    SCMP_SYS(fsync),
    SCMP_SYS(fdatasync),
    SCMP_SYS(flock),
    SCMP_SYS(umask),
    SCMP_SYS(inotify_init1),
    SCMP_SYS(inotify_add_watch),
    SCMP_SYS(inotify_rm_watch),

    /* Memory: PipeWire shares it by memfd, ALSA's dmix by System V's calls. mmap and mprotect are
     * further down. */
    SCMP_SYS(brk),
    SCMP_SYS(munmap),
    SCMP_SYS(mremap),
    SCMP_SYS(madvise),
    SCMP_SYS(msync),
    SCMP_SYS(mincore),
    SCMP_SYS(mlock),
    SCMP_SYS(mlock2),
    SCMP_SYS(munlock),
    SCMP_SYS(membarrier),
    SCMP_SYS(memfd_create),
    SCMP_SYS(shmget),
    SCMP_SYS(shmat),
    SCMP_SYS(shmdt),
    SCMP_SYS(shmctl),
    SCMP_SYS(semget),
    SCMP_SYS(semop),
    SCMP_SYS(semtimedop),
    SCMP_SYS(semctl),

    /* Threads. How urgent they may be, a limit says (sandbox/limits.c). */
    SCMP_SYS(futex),
    SCMP_SYS(futex_time64),
    SCMP_SYS(set_robust_list),
    SCMP_SYS(get_robust_list),
    SCMP_SYS(rseq),
    SCMP_SYS(set_tid_address),
    SCMP_SYS(gettid),
    SCMP_SYS(exit),
    SCMP_SYS(exit_group),
    SCMP_SYS(sched_yield),
    SCMP_SYS(sched_getaffinity),
    SCMP_SYS(sched_setaffinity),
    SCMP_SYS(sched_getparam),
    SCMP_SYS(sched_setparam),
    SCMP_SYS(sched_getscheduler),
    SCMP_SYS(sched_setscheduler),
    SCMP_SYS(sched_getattr),
    SCMP_SYS(sched_setattr),
    SCMP_SYS(sched_get_priority_max),
    SCMP_SYS(sched_get_priority_min),
    SCMP_SYS(getpriority),
    SCMP_SYS(setpriority),
    SCMP_SYS(getcpu),

    /* Signals. */
    SCMP_SYS(rt_sigaction),
    SCMP_SYS(rt_sigprocmask),
    SCMP_SYS(rt_sigreturn),
    SCMP_SYS(sigreturn),
    SCMP_SYS(rt_sigpending),
    SCMP_SYS(rt_sigsuspend),
    SCMP_SYS(rt_sigtimedwait),
    SCMP_SYS(rt_sigtimedwait_time64),
    SCMP_SYS(sigaltstack),
    SCMP_SYS(signalfd4),
    SCMP_SYS(restart_syscall),

    /* Time, and waiting for it. */
    SCMP_SYS(time),
    SCMP_SYS(gettimeofday),
    SCMP_SYS(clock_gettime),
    SCMP_SYS(clock_gettime64),
    SCMP_SYS(clock_getres),
    SCMP_SYS(clock_getres_time64),
    SCMP_SYS(nanosleep),
    SCMP_SYS(clock_nanosleep),
    SCMP_SYS(clock_nanosleep_time64),
    SCMP_SYS(timerfd_create),
    SCMP_SYS(timerfd_settime),
    SCMP_SYS(timerfd_settime64),
    SCMP_SYS(timerfd_gettime),
    SCMP_SYS(timerfd_gettime64),
    SCMP_SYS(poll),
    SCMP_SYS(ppoll),
    SCMP_SYS(ppoll_time64),
    SCMP_SYS(select),
    SCMP_SYS(_newselect),
    SCMP_SYS(pselect6),
    SCMP_SYS(pselect6_time64),
    SCMP_SYS(epoll_create),
    SCMP_SYS(epoll_create1),
    SCMP_SYS(epoll_ctl),
    SCMP_SYS(epoll_wait),
    SCMP_SYS(epoll_pwait),
    SCMP_SYS(epoll_pwait2),
    SCMP_SYS(eventfd2),

    /* Sockets, once there is one: which there may be, is further down. Nobody connects to us. */
    SCMP_SYS(connect),
    SCMP_SYS(bind),
    SCMP_SYS(getsockname),
    SCMP_SYS(getpeername),
    SCMP_SYS(getsockopt),
    SCMP_SYS(setsockopt),
    SCMP_SYS(sendto),
    SCMP_SYS(send),
    SCMP_SYS(recvfrom),
    SCMP_SYS(recv),
    SCMP_SYS(sendmsg),
    SCMP_SYS(recvmsg),
    SCMP_SYS(sendmmsg),
    SCMP_SYS(recvmmsg),
    SCMP_SYS(recvmmsg_time64),
    SCMP_SYS(shutdown),

    /* Who we are, and where. */
    SCMP_SYS(getpid),
    SCMP_SYS(getppid),
    SCMP_SYS(getpgrp),
    SCMP_SYS(getpgid),
    SCMP_SYS(getsid),
    SCMP_SYS(getuid),
    SCMP_SYS(getuid32),
    SCMP_SYS(geteuid),
    SCMP_SYS(geteuid32),
    SCMP_SYS(getgid),
    SCMP_SYS(getgid32),
    SCMP_SYS(getegid),
    SCMP_SYS(getegid32),
    SCMP_SYS(getresuid),
    SCMP_SYS(getresuid32),
    SCMP_SYS(getresgid),
    SCMP_SYS(getresgid32),
    SCMP_SYS(getgroups),
    SCMP_SYS(getgroups32),
    SCMP_SYS(capget),
    SCMP_SYS(getrlimit),
    SCMP_SYS(ugetrlimit),
    SCMP_SYS(getrusage),
    SCMP_SYS(sysinfo),
    SCMP_SYS(times),
    SCMP_SYS(uname),
    SCMP_SYS(getrandom),
};

/* What no sound library ever calls, but whoever has taken over a card would: other processes, the
 * kernel itself, mounts and namespaces, and the large interfaces in which the kernel's own faults
 * were found. It ends the process, so that there is no second attempt. */
CALLS(deadly) = {
    SCMP_SYS(ptrace),
    SCMP_SYS(process_vm_readv),
    SCMP_SYS(process_vm_writev),
    SCMP_SYS(process_madvise),
    SCMP_SYS(pidfd_getfd),
    SCMP_SYS(kcmp),

    SCMP_SYS(init_module),
    SCMP_SYS(finit_module),
    SCMP_SYS(delete_module),
    SCMP_SYS(kexec_load),
    SCMP_SYS(kexec_file_load),
    SCMP_SYS(reboot),
    SCMP_SYS(iopl),
    SCMP_SYS(ioperm),
    SCMP_SYS(swapon),
    SCMP_SYS(swapoff),
    SCMP_SYS(acct),
    SCMP_SYS(quotactl),
    SCMP_SYS(modify_ldt),

    SCMP_SYS(mount),
    SCMP_SYS(umount),
    SCMP_SYS(umount2),
    SCMP_SYS(pivot_root),
    SCMP_SYS(chroot),
    SCMP_SYS(open_tree),
    SCMP_SYS(move_mount),
    SCMP_SYS(fsopen),
    SCMP_SYS(fsconfig),
    SCMP_SYS(fsmount),
    SCMP_SYS(fspick),
    SCMP_SYS(mount_setattr),
    SCMP_SYS(setns),
    SCMP_SYS(unshare),
    SCMP_SYS(name_to_handle_at),
    SCMP_SYS(open_by_handle_at),

    SCMP_SYS(bpf),
    SCMP_SYS(perf_event_open),
    SCMP_SYS(userfaultfd),
    SCMP_SYS(io_uring_setup),
    SCMP_SYS(io_uring_enter),
    SCMP_SYS(io_uring_register),
    SCMP_SYS(keyctl),
    SCMP_SYS(add_key),
    SCMP_SYS(request_key),
    SCMP_SYS(vmsplice),
    SCMP_SYS(fanotify_init),
    SCMP_SYS(memfd_secret),
};

/* Calls that are allowed with some arguments only. A rule compares at most three of them; NONE
 * takes any. Whatever the kernel takes as an int has 32 bits that count. */
struct rule {
    int call;
    struct scmp_arg_cmp cmp[3];
    unsigned count;
};

#define INT UINT64_C(0xffffffff)
#define RULE(call, n, ...)                                                                         \
    {                                                                                              \
        SCMP_SYS(call), {__VA_ARGS__}, n                                                           \
    }
/* Bits that must be so, in an argument. */
#define BITS(arg, mask, value) SCMP_CMP64(arg, SCMP_CMP_MASKED_EQ, mask, value)
#define IS(arg, value)         BITS(arg, INT, value)

static const struct rule rules[] = {
    /* A thread, not a process: nothing that is not a sound card can be run from here. */
    RULE(clone, 1, BITS(0, CLONE_THREAD, CLONE_THREAD)),

    /* Memory is written or run, never both, and what has been written is not run: only a file's
     * is, which is how libraries load their plugins. */
    RULE(mmap, 1, BITS(2, PROT_EXEC, 0)),
    RULE(mmap, 2, BITS(2, PROT_EXEC | PROT_WRITE, PROT_EXEC), BITS(3, MAP_ANONYMOUS, 0)),
    RULE(mmap2, 1, BITS(2, PROT_EXEC, 0)),
    RULE(mmap2, 2, BITS(2, PROT_EXEC | PROT_WRITE, PROT_EXEC), BITS(3, MAP_ANONYMOUS, 0)),
    RULE(mprotect, 1, BITS(2, PROT_EXEC, 0)),

    /* Sound servers, here and elsewhere; how to reach elsewhere, the resolver asks by NETLINK. */
    RULE(socket, 1, IS(0, AF_UNIX)),
    RULE(socket, 1, IS(0, AF_INET)),
    RULE(socket, 1, IS(0, AF_INET6)),
    RULE(socket, 1, IS(0, AF_NETLINK)),
    RULE(socketpair, 1, IS(0, AF_UNIX)),

    /* Names of threads, and what is in force here. */
    RULE(prctl, 1, IS(0, PR_SET_NAME)),
    RULE(prctl, 1, IS(0, PR_GET_NAME)),
    RULE(prctl, 1, IS(0, PR_GET_DUMPABLE)),
    RULE(prctl, 1, IS(0, PR_GET_NO_NEW_PRIVS)),
    RULE(prctl, 1, IS(0, PR_GET_SECCOMP)),
    RULE(prctl, 1, IS(0, PR_CAPBSET_READ)),

    /* PulseAudio's library asks whether the owner of a piece of shared memory still lives. */
    RULE(kill, 1, IS(1, 0)),
};

static bool add_all(scmp_filter_ctx filter, const int calls[], size_t count, uint32_t action)
{
    for (size_t i = 0; i < count; i++) {
        if (seccomp_rule_add(filter, action, calls[i], 0) < 0) {
            return false;
        }
    }
    return true;
}

static bool add_rules(scmp_filter_ctx filter)
{
    for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++) {
        const struct rule *r = &rules[i];

        if (seccomp_rule_add_array(filter, SCMP_ACT_ALLOW, r->call, r->count, r->cmp) < 0) {
            return false;
        }
    }
    return true;
}

/* Those that depend on the process's number. */
static bool add_own(scmp_filter_ctx filter)
{
    uint64_t pid = (uint64_t)getpid();

    /* abort says so to the thread itself. */
    return seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(tgkill), 1, IS(0, pid)) == 0 &&
           seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(prlimit64), 1, IS(0, 0)) == 0 &&
           seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(prlimit64), 1, IS(0, pid)) == 0;
}

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static bool fill(scmp_filter_ctx filter)
{
    return seccomp_attr_set(filter, SCMP_FLTATR_CTL_TSYNC, 1) == 0 &&
           /* Another architecture's calls have other numbers. */
           seccomp_attr_set(filter, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS) == 0 &&
           add_all(filter, allowed, COUNT(allowed), SCMP_ACT_ALLOW) &&
           add_all(filter, deadly, COUNT(deadly), SCMP_ACT_KILL_PROCESS) && add_rules(filter) &&
           add_own(filter) &&
           /* Its arguments are out of a filter's sight, and as in an old kernel clone takes its
            * place. */
           seccomp_rule_add(filter, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3), 0) == 0;
}

bool syscalls_filter(struct err *err)
{
    /* An error is what a library that knows more than this file can live with. */
    scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ERRNO(EPERM));
    int error = filter && fill(filter) ? -seccomp_load(filter) : EINVAL;

    if (filter) {
        seccomp_release(filter);
    }
    return error == 0 ||
           err_set(err,
                   "system calls are not filtered: %s. The kernel has to have seccomp "
                   "(CONFIG_SECCOMP_FILTER), and what runs qemu-dm to allow it",
                   strerror(error));
}
