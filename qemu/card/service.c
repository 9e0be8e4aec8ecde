/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "card/service.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "base/clock.h"
#include "card/control.h"
#include "card/doubt.h"
#include "xen/guest.h"

static bool set_timer(int timer, uint64_t at_ns)
{
    struct itimerspec when = {
        .it_value = {.tv_sec = (time_t)(at_ns / NS_PER_S), .tv_nsec = (long)(at_ns % NS_PER_S)},
    };

    return timerfd_settime(timer, TFD_TIMER_ABSTIME, &when, NULL) == 0;
}

/* --- the supervisor's requests --- */

static bool save(struct card *card, uint8_t *bytes, size_t *size, struct err *err)
{
    *size = card_save(card, clock_now_ns(), bytes, CONTROL_MAX_BYTES);
    return *size <= CONTROL_MAX_BYTES ||
           err_set(err,
                   "its state takes %zu bytes, above the %d of a message: too much still waits for "
                   "the host's sound. Pause the domain first",
                   *size, CONTROL_MAX_BYTES);
}

/* The answer's bytes take the place of the request's. */
static bool carry_out(struct card *card, uint32_t request, uint8_t *bytes, size_t *size,
                      struct err *err)
{
    size_t given = *size;

    *size = 0;
    switch (request) {
    case CONTROL_PAUSE:
        rt_card_pause(card, clock_now_ns());
        return true;
    case CONTROL_RESUME:
        rt_card_resume(card, clock_now_ns());
        return true;
    case CONTROL_SAVE:
        return save(card, bytes, size, err);
    case CONTROL_LOAD:
        return card_load(card, clock_now_ns(), bytes, given, err);
    default:
        return err_set(err, "it does not know the request %u", request);
    }
}

/* False: the supervisor has closed its end. */
static bool serve_supervisor(struct card *card, int control, struct doubt *doubt)
{
    static uint8_t bytes[CONTROL_MAX_BYTES];
    struct control_head head;
    ssize_t received = control_receive(control, &head, bytes);
    size_t size = (size_t)received;
    struct err err;

    if (received < 0) {
        return received == -EAGAIN || received == -EINTR;
    }
    /* A question that was on its way has been passed over by whoever waits for an answer. */
    rt_doubt_heard(doubt);
    if (head.kind == CONTROL_HEARD) {
        return true;
    }
    /* An answer that finds no room is for a supervisor that has long stopped waiting for it. */
    if (carry_out(card, head.kind, bytes, &size, &err)) {
        (void)control_send(control, CONTROL_DONE, head.number, bytes, size);
    } else {
        (void)control_send(control, CONTROL_FAILED, head.number, err.text, strlen(err.text));
    }
    return true;
}

/* Asks whether the domain stands still, if it is time to. Returns when it will be. */
static uint64_t ask_supervisor(struct card *card, int control, struct doubt *doubt, uint64_t now_ns)
{
    uint64_t patience_ns = 0;
    uint64_t unheard_ns = rt_card_unheard(card, &patience_ns);
    uint64_t due = rt_doubt_due(doubt, unheard_ns, patience_ns);

    if (due <= now_ns) {
        bool sent = control_send(control, CONTROL_IS_STOPPED, 0, NULL, 0) == 0;

        rt_doubt_ask(doubt, now_ns, sent);
        due = rt_doubt_due(doubt, unheard_ns, patience_ns);
    }
    return due;
}

/* --- the loop: nothing in here but poll waits --- */

bool service_run(struct card *card, int control, struct err *err)
{
    enum { GUEST, TIMER, EVENT, CONTROL, COUNT };
    struct pollfd fds[COUNT] = {
        [GUEST] = {.fd = guest_fd(card_guest(card)), .events = POLLIN},
        [TIMER] = {.fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK),
                   .events = POLLIN},
        [EVENT] = {.fd = card_event_fd(card), .events = POLLIN},
        [CONTROL] = {.fd = control, .events = POLLIN},
    };
    struct doubt doubt = {.asked = false};
    uint64_t armed = UINT64_MAX;

    if (fds[TIMER].fd < 0) {
        return err_set(err, "cannot make a timer: %s", strerror(errno));
    }
    for (;;) {
        uint64_t now = clock_now_ns();
        uint64_t wake = rt_card_advance(card, now);
        uint64_t ask = ask_supervisor(card, control, &doubt, now);
        uint64_t times;

        rt_card_keep(card);
        wake = ask < wake ? ask : wake;
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
        if (fds[CONTROL].revents && !serve_supervisor(card, control, &doubt)) {
            return true;
        }
    }
}
