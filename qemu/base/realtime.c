/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/realtime.h"

#include <errno.h>
#include <sched.h>
#include <string.h>
#include <sys/mman.h>

/* Below a sound server's own threads (PulseAudio's run at 5), whom ours must not keep from playing
 * what they have; in turns with each other's, or a card that its guest keeps busy would keep
 * another's from its own for as long as it likes. The kernel's limit on realtime threads
 * (sched_rt_runtime_us) leaves the host a share of each processor whatever a guest makes the card
 * do. */
enum { PRIORITY = 4 };

bool realtime_enter(struct err *err)
{
    const struct sched_param param = {.sched_priority = PRIORITY};

    if (sched_setscheduler(0, SCHED_RR, &param) < 0) {
        return err_set(err,
                       "no realtime scheduling: %s. Sound may break while the host is busy; root, "
                       "CAP_SYS_NICE or 'ulimit -r %d' would allow it",
                       strerror(errno), PRIORITY);
    }
    /* Each page from its first use on: libraries map far more than they touch. */
    if (mlockall(MCL_CURRENT | MCL_FUTURE | MCL_ONFAULT) < 0) {
        return err_set(err,
                       "memory is not locked: %s. Sound may break while the host swaps; root, "
                       "CAP_IPC_LOCK or 'ulimit -l unlimited' would allow it",
                       strerror(errno));
    }
    return true;
}
