/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "card/status_view.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "audio/meter.h"
#include "audio/volume.h"
#include "base/clock.h"
#include "sandbox/in_force.h"

/* Beyond what any card writes, and small enough to reckon with. */
enum { DOMID_LIMIT = 0x7ff0, RATE_LIMIT = 1000000, PPB_LIMIT = 1000000000 };
#define NS_LIMIT (UINT64_MAX / 4)

static const char *const stream_name[STATUS_STREAMS] = {"dac1", "dac2", "adc"};

/* What a terminal may be shown. */
static void take_text(char *to, const char *from, size_t size)
{
    size_t i = 0;

    for (; i < size - 1 && from[i]; i++) {
        to[i] = from[i] >= ' ' && from[i] <= '~' ? from[i] : '?';
    }
    to[i] = '\0';
}

static bool read_format(struct pcm_format *format, const struct stream_status *s)
{
    uint32_t rate = status_get(&s->rate), channels = status_get(&s->channels);
    uint32_t bits = status_get(&s->bits);

    *format = (struct pcm_format){rate, (uint8_t)channels, (uint8_t)bits};
    /* They come one after the other: before the first start is over, some may still be 0. */
    return rate < RATE_LIMIT && channels <= 2 && (bits == 0 || bits == 8 || bits == 16);
}

static bool read_clock(struct stream_view *v, const struct stream_status *s, uint64_t now_ns)
{
    int32_t clock = status_get(&s->clock_ppb), drift = status_get(&s->drift_ppb);
    uint64_t lost = status_get(&s->lost_ns);

    v->clock_ppm = clock / 1000.0;
    v->drift_ppm = drift / 1000.0;
    v->target_ns = status_get(&s->target_ns);
    /* Lost a moment after now was read, or just now: it is lost all the same. */
    v->lost_for_ns = lost == 0 ? 0 : lost < now_ns ? now_ns - lost : 1;
    return abs(clock / 2) < PPB_LIMIT && abs(drift / 2) < PPB_LIMIT && v->target_ns < NS_LIMIT &&
           lost < NS_LIMIT;
}

/* False: no card has written this. */
static bool read_stream(struct stream_view *v, const struct stream_status *s, uint64_t now_ns)
{
    char error[STATUS_TEXT_BYTES];
    uint32_t running = status_get(&s->running), open = status_get(&s->host_open);
    bool good = read_format(&v->format, s) && read_clock(v, s, now_ns);

    for (unsigned side = 0; side < 2; side++) {
        v->gain[side] = status_get(&s->gain[side]);
        v->level[side] = status_get(&s->level[side]);
        good = good && v->gain[side] <= VOLUME_MAX && v->level[side] <= METER_FULL;
    }
    v->running = running && v->format.rate && v->format.channels && v->format.bits;
    v->host_open = open;
    v->ring_frames = status_get(&s->ring_frames);
    v->interrupts_late = status_get(&s->interrupts_late);
    v->interrupts_merged = status_get(&s->interrupts_merged);
    v->frames = status_get(&s->frames);
    v->silent = status_get(&s->silent);
    v->repeated = status_get(&s->repeated);
    v->dropped = status_get(&s->dropped_by_card) + status_get(&s->dropped_by_host);
    v->underruns = status_get(&s->underruns);
    v->overruns = status_get(&s->overruns);
    v->reopened = status_get(&s->reopened);
    v->delays_us = recent_summary(&s->delays_us);
    status_text_get(&s->error, error);
    take_text(v->error, error, sizeof(v->error));
    return good && running <= 1 && open <= 1;
}

static void take_user_name(struct card_view *v)
{
    const struct passwd *account = getpwuid(v->uid);

    take_text(v->user_name, account ? account->pw_name : "", sizeof(v->user_name));
}

/* The head is a copy; the page goes on changing. */
static bool read_card(struct card_view *v, const struct status_head *head,
                      const struct status_page *page, uint64_t now_ns)
{
    uint32_t paused = status_get(&page->paused);
    bool good = head->domid > 0 && head->domid < DOMID_LIMIT && head->started_s < NS_LIMIT &&
                head->started_ns < NS_LIMIT;

    *v = (struct card_view){
        .domid = (uint16_t)head->domid,
        .pid = head->pid,
        .card_pid = status_get(&page->card_pid),
        .paused = paused,
        .uid = status_get(&page->uid),
        .in_force = status_get(&page->in_force),
        .restarts = status_get(&page->restarts),
        .started_s = head->started_s,
        .up_ns = head->started_ns < now_ns ? now_ns - head->started_ns : 0,
        .interrupts_late_us = recent_summary(&page->interrupts_late_us),
    };
    take_text(v->domain_name, head->domain_name, sizeof(v->domain_name));
    take_text(v->driver, head->driver, sizeof(v->driver));
    take_user_name(v);
    for (unsigned i = 0; i < STATUS_STREAMS; i++) {
        v->streams[i].name = stream_name[i];
        good = read_stream(&v->streams[i], &page->streams[i], now_ns) && good;
    }
    return good && v->card_pid >= 0 && paused <= 1 && v->in_force < 1u << IN_FORCE_BITS;
}

static enum status_verdict unfit(struct err *err, const char *name, const char *why)
{
    err_set(err, "%s/%.64s: %s", status_page_folder(), name, why);
    return STATUS_UNFIT;
}

/* Of a file of qemu-dm's: whether it is such a page, and whose. */
static enum status_verdict judge_head(const struct status_head *head, off_t size, const char *name,
                                      struct err *err)
{
    uint64_t started;

    if (head->version != STATUS_PAGE_VERSION || head->size != sizeof(struct status_page) ||
        size != sizeof(struct status_page)) {
        return unfit(err, name,
                     "written by another version of qemu-dm: look at it with the --status of that "
                     "one");
    }
    started = head->pid > 0 ? status_process_started(head->pid) : 0;
    return started != 0 && started == head->pid_started ? STATUS_LIVE : STATUS_DEAD;
}

static enum status_verdict read_file(struct card_view *view, int fd, const char *name,
                                     uint64_t now_ns, struct err *err)
{
    struct status_head head = {.version = 0};
    enum status_verdict verdict;
    struct stat st;
    void *page;
    bool good;

    if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) || pread(fd, &head, sizeof(head), 0) < 8 ||
        head.magic != STATUS_PAGE_MAGIC) {
        return unfit(err, name, "not one of qemu-dm's: remove it");
    }
    verdict = judge_head(&head, st.st_size, name, err);
    if (verdict != STATUS_LIVE) {
        return verdict;
    }
    page = mmap(NULL, sizeof(struct status_page), PROT_READ, MAP_SHARED, fd, 0);
    if (page == MAP_FAILED) {
        return unfit(err, name, strerror(errno));
    }
    good = read_card(view, &head, page, now_ns);
    munmap(page, sizeof(struct status_page));
    return good ? STATUS_LIVE : unfit(err, name, "damaged; a restart of the domain makes it anew");
}

enum status_verdict status_view_read(struct card_view *view, int dir, const char *name,
                                     uint64_t now_ns, struct err *err)
{
    /* Not waiting for the writer of a pipe. */
    int fd = openat(dir, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    enum status_verdict verdict;

    if (fd < 0) {
        return errno == ENOENT ? STATUS_DEAD : unfit(err, name, strerror(errno));
    }
    verdict = read_file(view, fd, name, now_ns, err);
    close(fd);
    return verdict;
}

/* A page's name is the number of its domain. */
static bool is_number(const char *name)
{
    return *name && name[strspn(name, "0123456789")] == '\0';
}

static int compare(const void *a, const void *b)
{
    const struct card_view *x = a, *y = b;

    return (x->domid > y->domid) - (x->domid < y->domid);
}

static bool add(struct status_views *views, const struct card_view *view)
{
    struct card_view *more = realloc(views->cards, (views->count + 1) * sizeof(*more));

    if (!more) {
        return false;
    }
    more[views->count++] = *view;
    views->cards = more;
    return true;
}

bool status_views_read(struct status_views *views, const char *folder, uint64_t now_ns,
                       void (*complain)(const struct err *why), struct err *err)
{
    DIR *dir = opendir(folder);
    bool ok = true;

    *views = (struct status_views){.count = 0};
    if (!dir) {
        return errno == ENOENT || err_set(err, "cannot read %s: %s", folder, strerror(errno));
    }
    for (const struct dirent *entry; ok && (entry = readdir(dir)) != NULL;) {
        struct card_view view;
        struct err why;

        if (!is_number(entry->d_name)) {
            continue;
        }
        switch (status_view_read(&view, dirfd(dir), entry->d_name, now_ns, &why)) {
        case STATUS_LIVE:
            ok = add(views, &view) || err_set(err, "no memory for what is heard");
            break;
        case STATUS_UNFIT:
            complain(&why);
            break;
        case STATUS_DEAD:
            break;
        }
    }
    closedir(dir);
    if (!ok) {
        status_views_free(views);
    } else if (views->count > 1) {
        qsort(views->cards, views->count, sizeof(*views->cards), compare);
    }
    return ok;
}

void status_views_free(struct status_views *views)
{
    free(views->cards);
    *views = (struct status_views){.count = 0};
}

void status_views_sweep(const char *folder)
{
    DIR *dir = opendir(folder);

    if (!dir) {
        return;
    }
    for (const struct dirent *entry; (entry = readdir(dir)) != NULL;) {
        struct card_view view;
        struct err why;

        if (is_number(entry->d_name) && status_view_read(&view, dirfd(dir), entry->d_name,
                                                         clock_now_ns(), &why) == STATUS_DEAD) {
            unlinkat(dirfd(dir), entry->d_name, 0);
        }
    }
    closedir(dir);
}
