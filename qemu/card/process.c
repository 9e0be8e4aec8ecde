/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "card/process.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "audio/driver.h"
#include "base/clock.h"
#include "base/log.h"
#include "card/card.h"
#include "card/checkpoint.h"
#include "card/control.h"
#include "card/service.h"
#include "card/sound_process.h"
#include "card/status_page.h"
#include "sandbox/confine.h"
#include "xen/domain.h"
#include "xen/guest.h"
#include "xen/store.h"

/* How long the card may take to be plugged in, and to answer. */
#define START_TIMEOUT_MS 10000
#define ANSWER_NS        (2 * NS_PER_S)

/* Messages from it: after so many the supervisor looks after its other business first. */
enum { MAX_HEARD_AT_ONCE = 16 };

/* What the card tells the supervisor, once. */
struct report {
    bool plugged_in;
    uint16_t server_id;
    struct err err; /* why not */
};

/* --- the card's side --- */

/* What the child needs of its parent. */
struct orders {
    const struct card_process *process;
    bool paused;
    bool takes_over; /* the place of one that has died */
    int control;
};

static bool plug(struct card *card, const struct orders *o, struct err *err)
{
    const struct card_process *p = o->process;

    card_keep_in(card, p->checkpoint);
    if (o->paused) {
        rt_card_pause(card, clock_now_ns());
    }
    return o->takes_over
               ? card_take_over(card, p->domid, p->slot, p->server_id, clock_now_ns(), err)
               : card_plug(card, p->domid, p->slot, err);
}

static int run(const struct orders *o)
{
    const struct card_process *p = o->process;
    struct report report = {.plugged_in = false};
    struct card *card = NULL;
    struct err err;

    if (sound_process_confine(p->settings, &p->user, &report.err)) {
        card = card_create(p->settings, p->page, clock_now_ns(), &report.err);
    }
    /* Xen's descriptors are root's to get, the sound server the user's to talk to. Until the guest
     * is served, all threads sleep. */
    if (card && plug(card, o, &report.err) && user_become(&p->user, &report.err)) {
        confine_calls();
        status_page_set_confined(p->page);
        report.plugged_in = true;
        report.server_id = guest_server_id(card_guest(card));
    }
    if (write(o->control, &report, sizeof(report)) != sizeof(report) || !report.plugged_in) {
        if (!o->takes_over) {
            card_destroy(card);
        }
        return EXIT_FAILURE;
    }
    if (!service_run(card, o->control, &err)) {
        /* It stays plugged in, for another to take over. */
        log_error("%s", err.text);
        return EXIT_FAILURE;
    }
    card_destroy(card);
    return EXIT_SUCCESS;
}

/* The child's side of the fork. */
static _Noreturn void child(const struct orders *o)
{
    store_forget();
    sound_process_begin(o->control);
    /* _exit: a driver's thread that hangs in its library must not hold up the end. */
    _exit(run(o));
}

/* --- the supervisor's side --- */

/* Waits for the card's word. */
static bool hear_report(int control, struct report *report)
{
    struct pollfd fd = {.fd = control, .events = POLLIN};
    uint64_t end = clock_now_ns() + START_TIMEOUT_MS * NS_PER_MS;

    for (;;) {
        uint64_t now = clock_now_ns();
        int n = poll(&fd, 1, now < end ? (int)((end - now) / NS_PER_MS) + 1 : 0);

        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n == 0) {
            return err_set(&report->err, "the card has not answered for %d seconds",
                           START_TIMEOUT_MS / 1000);
        }
        if (n < 0 || read(control, report, sizeof(*report)) != sizeof(*report)) {
            return err_set(&report->err, "the card's process has died; its last words are above");
        }
        return report->plugged_in;
    }
}

/* There is no process any more. */
static void forget(struct card_process *p)
{
    p->pid = 0;
    p->silent = false;
    if (p->control >= 0) {
        close(p->control);
        p->control = -1;
    }
}

/* Tells it to end, and sees to it. */
static void end(struct card_process *p)
{
    close(p->control);
    p->control = -1;
    sound_process_end(p->pid, "the card");
    forget(p);
}

/* A process that does as it is ordered, once it is plugged in. */
static bool begin(struct card_process *p, struct orders *orders, struct err *err)
{
    struct report report;
    int ends[2];

    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0) {
        return err_set(err, "cannot make a socket for the card: %s", strerror(errno));
    }
    orders->process = p;
    orders->control = ends[1];
    domain_close();
    p->pid = fork();
    if (p->pid == 0) {
        close(ends[0]);
        child(orders);
    }
    close(ends[1]);
    p->control = ends[0];
    if (p->pid < 0) {
        forget(p);
        return err_set(err, "cannot fork the card's process: %s", strerror(errno));
    }
    if (!hear_report(p->control, &report)) {
        *err = report.err;
        end(p);
        return false;
    }
    p->server_id = report.server_id;
    return true;
}

bool card_process_start(struct card_process *p, const struct audio_settings *settings,
                        const struct user *user, uint16_t domid, const char *domain_name,
                        uint8_t slot, bool paused, struct err *err)
{
    static struct status_page nobodys;
    struct orders orders = {.paused = paused};
    struct err warning;

    *p = (struct card_process){
        .control = -1, .settings = settings, .user = *user, .domid = domid, .slot = slot};
    p->checkpoint = checkpoint_create(err);
    if (!p->checkpoint) {
        return false;
    }
    p->page = status_page_create(domid, domain_name, settings->driver->name, &warning);
    if (!p->page) {
        log_warn("%s", warning.text);
        p->page = &nobodys;
    }
    if (!begin(p, &orders, err)) {
        status_page_remove(domid);
        return false;
    }
    return true;
}

bool card_process_restart(struct card_process *p, bool paused, struct err *err)
{
    struct orders orders = {.paused = paused, .takes_over = true};

    /* The new card's streams begin anew. */
    memset(p->page->streams, 0, sizeof(p->page->streams));
    status_set(&p->page->restarts, status_get(&p->page->restarts) + 1);
    return begin(p, &orders, err);
}

/* --- the conversation --- */

/* The last message of a card's. */
static uint8_t heard[CONTROL_MAX_BYTES];

/* The next message: its bytes, or as control_receive, -ETIMEDOUT after end_ns. */
static ssize_t receive_until(int control, struct control_head *head, uint64_t end_ns)
{
    struct pollfd fd = {.fd = control, .events = POLLIN};

    for (;;) {
        ssize_t n = control_receive(control, head, heard);
        uint64_t now = clock_now_ns();

        if (n != -EAGAIN && n != -EINTR) {
            return n;
        }
        if (now >= end_ns) {
            return -ETIMEDOUT;
        }
        poll(&fd, 1, (int)((end_ns - now) / NS_PER_MS) + 1);
    }
}

/* To request p->requests; *size bytes of it are in heard. */
static bool hear_answer(struct card_process *p, size_t *size, struct err *err)
{
    uint64_t end = clock_now_ns() + ANSWER_NS;
    struct control_head head;
    ssize_t n;

    do {
        /* Passed over are answers to what has been given up, and a question: the card asks it
         * again, if it still is one. Not without end: a guest may have taken over the card. */
        n = clock_now_ns() < end ? receive_until(p->control, &head, end) : -ETIMEDOUT;
    } while (n >= 0 && head.number != p->requests);
    if (n == -ETIMEDOUT) {
        return err_set(err, "it has not answered for %d seconds", (int)(ANSWER_NS / NS_PER_S));
    }
    if (n == -EPIPE) {
        return err_set(err, "its process has died; its last words are above");
    }
    if (n < 0) {
        return err_set(err, "cannot read its answer: %s", strerror((int)-n));
    }
    if (head.kind != CONTROL_DONE) {
        return err_set(err, "%.*s", (int)n, (const char *)heard);
    }
    *size = (size_t)n;
    return true;
}

/* what: "cannot ...", for err. *answer bytes of the answer are in heard. */
static bool request(struct card_process *p, enum control_kind kind, const char *what,
                    const void *bytes, size_t size, size_t *answer, struct err *err)
{
    struct err why;
    int error;

    if (!p->pid) {
        return err_set(err, "%s: there is none", what);
    }
    p->requests = p->requests < UINT32_MAX ? p->requests + 1 : 1;
    error = control_send(p->control, kind, p->requests, bytes, size);
    if (error) {
        return err_set(err, "%s: its process cannot be told: %s", what, strerror(error));
    }
    return hear_answer(p, answer, &why) || err_set(err, "%s: %s", what, why.text);
}

bool card_process_pause(struct card_process *p, struct err *err)
{
    size_t answer;

    return request(p, CONTROL_PAUSE, "cannot pause the sound card", NULL, 0, &answer, err);
}

bool card_process_resume(struct card_process *p, struct err *err)
{
    size_t answer;

    return request(p, CONTROL_RESUME, "cannot let the sound card go on", NULL, 0, &answer, err);
}

bool card_process_load(struct card_process *p, const void *bytes, size_t size, struct err *err)
{
    size_t answer;

    return request(p, CONTROL_LOAD, "cannot restore the sound card", bytes, size, &answer, err);
}

/* Its end of the socket is closed with its death alone. */
static bool has_died(const struct card_process *p)
{
    struct pollfd fd = {.fd = p->control};

    return p->pid && poll(&fd, 1, 0) == 1 && fd.revents & POLLHUP;
}

bool card_process_save(struct card_process *p, void *buffer, size_t size, size_t *used,
                       struct err *err)
{
    static const char what[] = "cannot save the sound card";

    if (!request(p, CONTROL_SAVE, what, NULL, 0, used, err)) {
        *used = has_died(p) ? checkpoint_read(p->checkpoint, heard, NULL) : 0;
        if (*used == 0) {
            return false;
        }
    }
    if (*used > size) {
        return err_set(err, "%s: it takes %zu bytes, and there is room for %zu", what, *used, size);
    }
    memcpy(buffer, heard, *used);
    return true;
}

int card_process_fd(const struct card_process *p)
{
    return p->pid && !p->silent ? p->control : -1;
}

bool card_process_hear(struct card_process *p)
{
    struct control_head head;
    bool asked = false;

    if (card_process_fd(p) < 0) {
        return false;
    }
    /* Late answers may be before it. */
    for (unsigned i = 0; i < MAX_HEARD_AT_ONCE && !asked; i++) {
        ssize_t n = control_receive(p->control, &head, heard);

        if (n < 0) {
            /* What has ended is for waitpid to say. */
            p->silent = n != -EAGAIN && n != -EINTR;
            return false;
        }
        asked = head.kind == CONTROL_IS_STOPPED;
    }
    if (asked) {
        /* A card that does not take it asks no more until a request comes, and has other worries.
         */
        (void)control_send(p->control, CONTROL_HEARD, 0, NULL, 0);
    }
    return asked;
}

void card_process_died(struct card_process *p)
{
    forget(p);
}

bool card_process_retire(struct card_process *p, struct err *err)
{
    status_page_remove(p->domid);
    return guest_retire(p->domid, p->slot, p->server_id, err);
}

void card_process_stop(struct card_process *p)
{
    if (p->pid) {
        end(p);
        status_page_remove(p->domid);
    }
}
