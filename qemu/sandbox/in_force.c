/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sandbox/in_force.h"

#include <dirent.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/statvfs.h>

/* Of a thread's status, proc(5). What is not there is not in force. */
struct thread_status {
    uint64_t permitted, effective;
    unsigned no_new_privileges, seccomp; /* 2: there is a filter */
    unsigned long locked_kib;
};

static uint32_t bits_of(const struct thread_status *s)
{
    return (s->permitted == 0 && s->effective == 0 ? IN_FORCE_NO_CAPABILITIES : 0) |
           (s->no_new_privileges == 1 ? IN_FORCE_NO_NEW_PRIVILEGES : 0) |
           (s->seccomp == 2 ? IN_FORCE_SYSCALLS_FILTERED : 0) |
           (s->locked_kib > 0 ? IN_FORCE_MEMORY_LOCKED : 0);
}

static uint32_t in_thread(const char *number)
{
    struct thread_status s = {.permitted = 1};
    char path[sizeof("/proc/self/task//status") + sizeof(((struct dirent *)NULL)->d_name)];
    char line[256];
    FILE *f;

    snprintf(path, sizeof(path), "/proc/self/task/%s/status", number);
    f = fopen(path, "re");
    while (f && fgets(line, sizeof(line), f)) {
        sscanf(line, "CapPrm: %" SCNx64, &s.permitted);
        sscanf(line, "CapEff: %" SCNx64, &s.effective);
        sscanf(line, "NoNewPrivs: %u", &s.no_new_privileges);
        sscanf(line, "Seccomp: %u", &s.seccomp);
        sscanf(line, "VmLck: %lu", &s.locked_kib);
    }
    if (f) {
        fclose(f);
    }
    return bits_of(&s);
}

static uint32_t in_all_threads(void)
{
    DIR *dir = opendir("/proc/self/task");
    const struct dirent *entry;
    uint32_t bits = dir ? ~0u : 0;

    while (dir && (entry = readdir(dir))) {
        bits &= entry->d_name[0] == '.' ? ~0u : in_thread(entry->d_name);
    }
    if (dir) {
        closedir(dir);
    }
    return bits;
}

uint32_t in_force(void)
{
    struct statvfs root;
    bool read_only = statvfs("/", &root) == 0 && root.f_flag & ST_RDONLY;

    return in_all_threads() | (read_only ? IN_FORCE_FILES_READ_ONLY : 0);
}
