/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sandbox/limits.h"

#include <errno.h>
#include <sched.h>
#include <stdbool.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/log.h"

static bool set(__rlimit_resource_t what, rlim_t to)
{
    const struct rlimit limit = {to, to};

    return setrlimit(what, &limit) == 0;
}

static bool is_unlimited(__rlimit_resource_t what)
{
    struct rlimit limit;

    return getrlimit(what, &limit) == 0 && limit.rlim_cur == RLIM_INFINITY;
}

/* All memory is locked (base/realtime.c), that mapped from now on too. Beyond the limit, which is
 * none for root until it has lost CAP_IPC_LOCK, mapping it would fail. */
static void keep_memory_locked(void)
{
    if (geteuid() != 0 || is_unlimited(RLIMIT_MEMLOCK) || set(RLIMIT_MEMLOCK, RLIM_INFINITY)) {
        return;
    }
    log_warn("memory is not locked: %s. Sound may break while the host swaps; CAP_SYS_RESOURCE or "
             "'ulimit -Hl unlimited' would allow it",
             strerror(errno));
    munlockall();
}

void limits_set(void)
{
    struct sched_param param;

    /* A core holds the guest's sound, and whatever else of its memory was mapped. */
    set(RLIMIT_CORE, 0);
    keep_memory_locked();
    /* dm_restrict allows no process more, which counts threads but never root's. The sound
     * libraries make threads after we have become another user; processes they cannot make
     * (sandbox/syscalls.c). */
    set(RLIMIT_NPROC, RLIM_INFINITY);
    /* Threads that the sound libraries make may set themselves as urgent as ours are, and not more.
     * Where that is not allowed, they are as urgent as who made them. */
    if (sched_getparam(0, &param) == 0 && param.sched_priority > 0) {
        set(RLIMIT_RTPRIO, (rlim_t)param.sched_priority);
    }
}
