/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "card/process.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "audio/driver.h"
#include "base/clock.h"
#include "base/fds.h"
#include "base/log.h"
#include "base/realtime.h"
#include "card/card.h"
#include "card/status_page.h"
#include "xen/guest.h"

/* How long the card may take to be plugged in, and to end. */
#define START_TIMEOUT_MS 10000
#define STOP_TIMEOUT_NS  (3 * NS_PER_S)

/* What the card tells the supervisor, once. */
struct report {
    bool plugged_in;
    uint16_t server_id;
    struct err err; /* why not */
};

static bool set_timer(int timer, uint64_t at_ns)
{
    struct itimerspec when = {
        .it_value = {.tv_sec = (time_t)(at_ns / NS_PER_S), .tv_nsec = (long)(at_ns % NS_PER_S)},
    };

    return timerfd_settime(timer, TFD_TIMER_ABSTIME, &when, NULL) == 0;
}

/* Serves the guest until the supervisor closes its end of the socket. Nothing in here but poll
 * waits. */
static bool serve(struct card *card, int control, struct err *err)
{
    enum { GUEST, TIMER, EVENT, CONTROL, COUNT };
    struct pollfd fds[COUNT] = {
        [GUEST] = {.fd = guest_fd(card_guest(card)), .events = POLLIN},
        [TIMER] = {.fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK),
                   .events = POLLIN},
        [EVENT] = {.fd = card_event_fd(card), .events = POLLIN},
        [CONTROL] = {.fd = control, .events = POLLIN},
    };
    uint64_t armed = UINT64_MAX;

    if (fds[TIMER].fd < 0) {
        return err_set(err, "cannot make a timer: %s", strerror(errno));
    }
    for (;;) {
        uint64_t wake = rt_card_advance(card, clock_now_ns());
        uint64_t times;

        if (wake != armed) {
            /* A time of 0 disarms, which is what "never" asks for. */
            if (!set_timer(fds[TIMER].fd, wake == UINT64_MAX ? 0 : wake)) {
                return err_set(err, "cannot set the card's timer: %s", strerror(errno));
            }
            armed = wake;
        }
        if (poll(fds, COUNT, -1) < 0 && errno != EINTR) {
            return err_set(err, "cannot wait for the guest: %s", strerror(errno));
        }
        if (fds[TIMER].revents & POLLIN) {
            /* Emptied; the time itself is looked up. EAGAIN does no harm. */
            if (read(fds[TIMER].fd, &times, sizeof(times)) > 0) {
                armed = UINT64_MAX;
            }
        }
        if (fds[EVENT].revents & POLLIN && read(fds[EVENT].fd, &times, sizeof(times)) < 0 &&
            errno != EAGAIN) {
            return err_set(err, "cannot read the card's event descriptor: %s", strerror(errno));
        }
        if (fds[GUEST].revents & POLLIN) {
            rt_card_serve(card);
        }
        if (fds[GUEST].revents & (POLLERR | POLLNVAL)) {
            return err_set(err, "the event channels of the domain are gone");
        }
        if (fds[CONTROL].revents) {
            return true;
        }
    }
}

static int run(const struct audio_settings *settings, const struct user *user,
               struct status_page *page, uint16_t domid, uint8_t slot, int control)
{
    struct report report = {.plugged_in = false};
    struct card *card;
    struct err err;
    bool ended_well;

    if (!realtime_enter(&err)) {
        log_warn("%s", err.text);
    }
    card = card_create(settings, page, clock_now_ns(), &report.err);
    /* Xen's descriptors and realtime scheduling are root's to get, the sound server the user's to
     * talk to. Until the guest is served, all threads sleep. */
    if (card && card_plug(card, domid, slot, &report.err) && user_become(user, &report.err)) {
        report.plugged_in = true;
        report.server_id = guest_server_id(card_guest(card));
    }
    if (write(control, &report, sizeof(report)) != sizeof(report) || !report.plugged_in) {
        card_destroy(card);
        return EXIT_FAILURE;
    }
    ended_well = serve(card, control, &err);
    if (!ended_well) {
        log_error("%s", err.text);
    }
    card_destroy(card);
    return ended_well ? EXIT_SUCCESS : EXIT_FAILURE;
}

/* The child's side of the fork. The toolstack's signals are for the supervisor; its descriptors
 * (the QMP listener, a saved state) for the engine. */
static _Noreturn void child(const struct audio_settings *settings, const struct user *user,
                            struct status_page *page, uint16_t domid, uint8_t slot, int control)
{
    sigset_t none;

    log_set_name("card");
    signal(SIGHUP, SIG_IGN);
    signal(SIGINT, SIG_IGN);
    signal(SIGPIPE, SIG_IGN); /* a sound server's death is reported by write */
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    /* Whatever the sound libraries start shall be no more than the card is: not by way of programs
     * that have a set-user-ID bit. Before there are threads, each of which has this for itself. */
    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    close_fds_except(&control, 1);
    /* _exit: a driver's thread that hangs in its library must not hold up the end. */
    _exit(run(settings, user, page, domid, slot, control));
}

/* Waits for the card's word. */
static bool hear(int control, struct report *report)
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

bool card_process_start(struct card_process *p, const struct audio_settings *settings,
                        const struct user *user, uint16_t domid, const char *domain_name,
                        uint8_t slot, struct err *err)
{
    static struct status_page nobodys;
    struct status_page *page;
    struct report report;
    struct err warning;
    int ends[2];

    *p = (struct card_process){.control = -1, .domid = domid};
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0) {
        return err_set(err, "cannot make a socket for the card: %s", strerror(errno));
    }
    page = status_page_create(domid, domain_name, settings->driver->name, &warning);
    if (!page) {
        log_warn("%s", warning.text);
        page = &nobodys;
    }
    p->pid = fork();
    if (p->pid == 0) {
        close(ends[0]);
        child(settings, user, page, domid, slot, ends[1]);
    }
    close(ends[1]);
    p->control = ends[0];
    if (p->pid < 0) {
        p->pid = 0;
        close(p->control);
        status_page_remove(domid);
        return err_set(err, "cannot fork the card's process: %s", strerror(errno));
    }
    if (!hear(p->control, &report)) {
        *err = report.err;
        card_process_stop(p);
        return false;
    }
    p->server_id = report.server_id;
    return true;
}

void card_process_died(struct card_process *p)
{
    struct err err;

    p->pid = 0;
    close(p->control);
    status_page_remove(p->domid);
    if (!guest_retire(p->domid, p->server_id, &err)) {
        log_debug("%s", err.text);
    }
}

void card_process_stop(struct card_process *p)
{
    uint64_t end = clock_now_ns() + STOP_TIMEOUT_NS;

    if (!p->pid) {
        return;
    }
    close(p->control);
    while (waitpid(p->pid, NULL, WNOHANG) == 0) {
        if (clock_now_ns() >= end) {
            log_warn("the card does not end by itself: killed");
            kill(p->pid, SIGKILL);
            waitpid(p->pid, NULL, 0);
            break;
        }
        usleep(1000);
    }
    p->pid = 0;
    status_page_remove(p->domid);
}
