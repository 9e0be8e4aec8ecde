/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "card/status_page.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "card/status_view.h"
#include "config.h"
#include "sandbox/in_force.h"

/* Another process reads them while we write: nothing may be guarded by a lock of the library's. */
_Static_assert(ATOMIC_INT_LOCK_FREE == 2 && ATOMIC_LLONG_LOCK_FREE == 2,
               "32 and 64 bits must be written at once");

const char *status_page_folder(void)
{
    const char *folder = getenv("QEMU_DM_RUNDIR");

    return folder && *folder ? folder : CONFIG_RUNDIR;
}

uint64_t status_process_started(int32_t pid)
{
    char path[32], text[1024] = "";
    const char *at;
    uint64_t started;
    char state;
    FILE *f;

    snprintf(path, sizeof(path), "/proc/%" PRId32 "/stat", pid);
    f = fopen(path, "re");
    if (!f) {
        return 0;
    }
    text[fread(text, 1, sizeof(text) - 1, f)] = '\0';
    fclose(f);
    /* The name, in parentheses, may hold anything, parentheses too. (proc(5): the third field, the
     * state, follows; the start is the 22nd.) */
    at = strrchr(text, ')');
    if (!at || sscanf(at + 1, " %c%*d%*d%*d%*d%*d%*d%*d%*d%*d%*d%*d%*d%*d%*d%*d%*d%*d%*d%" SCNu64,
                      &state, &started) != 2) {
        return 0;
    }
    return state == 'Z' || state == 'X' ? 0 : started;
}

static void fill(struct status_head *head, uint16_t domid, const char *domain_name,
                 const char *driver)
{
    head->version = STATUS_PAGE_VERSION;
    head->size = sizeof(struct status_page);
    head->domid = domid;
    head->pid = getpid();
    head->pid_started = status_process_started(head->pid);
    head->started_s = (uint64_t)time(NULL);
    head->started_ns = clock_now_ns();
    snprintf(head->domain_name, sizeof(head->domain_name), "%s", domain_name);
    snprintf(head->driver, sizeof(head->driver), "%s", driver);
    atomic_store_explicit(&head->magic, STATUS_PAGE_MAGIC, memory_order_release);
}

/* -1 with errno set. */
static int make_file(const char *folder, uint16_t domid)
{
    char name[8];
    int dir, fd = -1, error;

    if (mkdir(folder, 0755) == 0 && chmod(folder, 0755) < 0) {
        return -1;
    }
    status_views_sweep(folder);
    dir = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (dir < 0) {
        return -1;
    }
    snprintf(name, sizeof(name), "%u", domid);
    if (unlinkat(dir, name, 0) == 0 || errno == ENOENT) {
        fd = openat(dir, name, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644);
    }
    /* Readable whatever the umask: it holds no sound, and the one who looks for it may not be root.
     * With its memory there from the start, a full file system cannot end the card later. */
    if (fd >= 0 && (fchmod(fd, 0644) < 0 ||
                    (errno = posix_fallocate(fd, 0, sizeof(struct status_page))) != 0)) {
        error = errno;
        unlinkat(dir, name, 0);
        close(fd);
        errno = error;
        fd = -1;
    }
    error = errno;
    close(dir);
    errno = error;
    return fd;
}

struct status_page *status_page_create(uint16_t domid, const char *domain_name, const char *driver,
                                       struct err *err)
{
    const char *folder = status_page_folder();
    int fd = make_file(folder, domid);
    struct status_page *page = MAP_FAILED;

    if (fd >= 0) {
        page = mmap(NULL, sizeof(struct status_page), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    }
    if (page == MAP_FAILED) {
        err_set(err,
                "cannot make %s/%u: %s. Sound is not affected, but qemu-dm --status will not "
                "show it; the folder must be one that this user may write to",
                folder, domid, strerror(errno));
        if (fd >= 0) {
            close(fd);
            status_page_remove(domid);
        }
        return NULL;
    }
    close(fd);
    fill(&page->head, domid, domain_name, driver);
    return page;
}

void status_page_set_confined(struct status_page *page)
{
    status_set(&page->uid, getuid());
    /* A card that Xen does not hold to its domain is not plugged in. */
    status_set(&page->in_force, in_force() | IN_FORCE_ONE_DOMAIN);
}

void status_page_remove(uint16_t domid)
{
    char path[4096];

    snprintf(path, sizeof(path), "%s/%u", status_page_folder(), domid);
    unlink(path);
}
