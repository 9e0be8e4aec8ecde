/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sandbox/mounts.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <string.h>
#include <sys/mount.h>
#include <unistd.h>

static bool change(const char *path, uint64_t set, uint64_t clear, unsigned flags)
{
    struct mount_attr attr = {.attr_set = set, .attr_clr = clear};

    return mount_setattr(AT_FDCWD, path, flags, &attr, sizeof(attr)) == 0;
}

/* What is written there cannot be run. A folder that there is not needs nothing. */
static bool keep_writable(const char *folder)
{
    const uint64_t set = MOUNT_ATTR_NOEXEC, clear = MOUNT_ATTR_RDONLY;

    if (change(folder, set, clear, 0) || errno == ENOENT) {
        return true;
    }
    /* EINVAL: it is part of another mount. */
    return errno == EINVAL && mount(folder, folder, NULL, MS_BIND | MS_REC, NULL) == 0 &&
           change(folder, set, clear, 0);
}

/* A working folder is that of the mount below, even if it has been mounted over. */
static bool find_working_folder_again(void)
{
    char path[PATH_MAX];

    return !getcwd(path, sizeof(path)) || chdir(path) == 0;
}

static bool make_read_only(const char *folder)
{
    /* A slave of the host's: a user's runtime folder is mounted when the user logs in, which may be
     * long after a domain's start, and the sound server's socket is in it. */
    return unshare(CLONE_NEWNS) == 0 && mount(NULL, "/", NULL, MS_REC | MS_SLAVE, NULL) == 0 &&
           /* Not nodev: a sound card is a device, as is what Xen is called by. */
           change("/", MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID, 0, AT_RECURSIVE) &&
           /* PulseAudio's shared memory. */
           keep_writable("/dev/shm") &&
           /* Where libraries have what is temporary, and ALSA's plugins may be told to write. */
           keep_writable("/tmp") && (!folder || keep_writable(folder)) &&
           find_working_folder_again();
}

bool mounts_make_read_only(const char *folder, struct err *err)
{
    return make_read_only(folder) ||
           err_set(err,
                   "the host's files are not read-only for the sound card: %s. Where qemu-dm runs "
                   "as root with CAP_SYS_ADMIN, on Linux 5.12 or later, they are",
                   strerror(errno));
}
