/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "supervisor.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "audio/driver.h"
#include "audio/settings.h"
#include "base/clock.h"
#include "base/log.h"
#include "card/pauses.h"
#include "card/process.h"
#include "card/sound_user.h"
#include "engine/engine.h"
#include "engine/engine_socket.h"
#include "engine/qmp_relay.h"
#include "engine/saved_state.h"

/* What a toolstack or a person may send: the engine knows what to do with it. */
static const int relayed_signals[] = {SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGUSR1, SIGUSR2};

struct supervisor {
    const struct plan *plan;
    struct card_process card;
    struct pauses pauses;

    struct engine_socket engine_socket;
    struct qmp_relay *relay; /* NULL: the toolstack and the engine are by themselves */

    int signals;
    pid_t engine;
    int engine_status; /* waitpid's, once it has ended */
};

/* --- the card, as the toolstack's conversation with the engine wants it --- */

static void set_still(struct supervisor *s, bool still)
{
    struct err err;

    if (s->card.pid &&
        !(still ? card_process_pause(&s->card, &err) : card_process_resume(&s->card, &err))) {
        log_error("the sound card does not %s: %s", still ? "stand still" : "go on", err.text);
    }
}

static void on_stopped(void *opaque)
{
    struct supervisor *s = opaque;

    pauses_on_stop(&s->pauses);
    set_still(s, true);
}

static void on_continued(void *opaque)
{
    struct supervisor *s = opaque;

    set_still(s, pauses_on_cont(&s->pauses, domain_state(s->plan->domid), clock_now_ns()));
}

/* A domain whose card is not in its file is restored with one at power on: no reason to keep it
 * from being saved. */
static void on_saved(void *opaque, int fd)
{
    static uint8_t state[CONTROL_MAX_BYTES];
    struct supervisor *s = opaque;
    size_t size;
    struct err err;

    if (!card_process_save(&s->card, state, sizeof(state), &size, &err) ||
        !saved_state_append(fd, state, size, &err)) {
        log_error("the domain is saved without the state of its sound card, which will be as at "
                  "power on: %s",
                  err.text);
        return;
    }
    log_info("the sound card's state is saved, %zu bytes", size);
}

static void load_card(struct supervisor *s, int fd)
{
    struct err err;
    size_t size;
    void *state = saved_state_read(fd, &size, &err);

    if (state && card_process_load(&s->card, state, size, &err)) {
        log_info("the sound card goes on from its saved state");
    } else if (state || *err.text) {
        log_error("the sound card is as at power on: %s", err.text);
    } else {
        log_warn("what is restored was saved without this sound card, which is as at power on: "
                 "the guest will be heard when it has been started anew");
    }
    free(state);
}

static void on_loaded(void *opaque, int fd)
{
    load_card(opaque, fd);
}

static void look_at_domain(struct supervisor *s)
{
    set_still(s, pauses_look(&s->pauses, domain_state(s->plan->domid), clock_now_ns()));
}

/* --- starting --- */

/* Signals become something to read, so that none is lost between two waits. Returns the
 * descriptor; old is the mask as it was. */
static int catch_signals(sigset_t *old, struct err *err)
{
    sigset_t set;
    int fd;

    sigemptyset(&set);
    sigaddset(&set, SIGCHLD);
    for (size_t i = 0; i < sizeof(relayed_signals) / sizeof(relayed_signals[0]); i++) {
        sigaddset(&set, relayed_signals[i]);
    }
    sigprocmask(SIG_BLOCK, &set, old);
    fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    if (fd < 0) {
        err_set(err, "cannot make a signalfd: %s", strerror(errno));
    }
    return fd;
}

/* The card joins the domain before the engine does: see create_above_the_engines in
 * xen/ioreq_server.c. One that cannot is no reason to refuse the guest its machine. */
static void start_card(struct supervisor *s, const struct audio_settings *settings,
                       const struct user *user)
{
    const struct plan *plan = s->plan;
    struct err err;

    pauses_begin(&s->pauses, plan->incoming);
    if (!card_process_start(&s->card, settings, user, plan->domid, plan->domain_name,
                            plan->card_slot, plan->incoming, &err)) {
        log_error("the guest will have a silent sound card: %s", err.text);
        return;
    }
    log_info("es1370 in slot %u of domain %u (%s), to %s", plan->card_slot, plan->domid,
             plan->domain_name, settings->driver->name);
    if (plan->incoming_fd >= 0) {
        load_card(s, plan->incoming_fd);
    } else if (plan->incoming) {
        log_warn("what comes in is not a file (-incoming fd:N): the sound card is as at power on");
    }
}

/* From here on the toolstack's QMP socket is ours, and the engine has another, where we are alone.
 * If that fails the engine's arguments are as they were. */
static bool join_conversation(struct supervisor *s, struct plan *plan, struct err *err)
{
    const struct qmp_relay_hooks hooks = {
        .opaque = s,
        .stopped = on_stopped,
        .continued = on_continued,
        .saved = on_saved,
        .loaded = on_loaded,
    };
    int listener;

    if (!engine_socket_open(&s->engine_socket, err)) {
        return false;
    }
    if (plan->qmp_path) {
        listener = qmp_listen(plan->qmp_path, err);
    } else if ((listener = fcntl(plan->qmp_fd, F_DUPFD_CLOEXEC, 3)) < 0) {
        err_set(err, "-chardev socket,id=libxl-cmd,fd=%d: %s", plan->qmp_fd, strerror(errno));
    }
    if (listener >= 0) {
        s->relay = qmp_relay_open(listener, &s->engine_socket, &hooks, err);
    }
    if (s->relay && plan_set_qmp_fd(plan, s->engine_socket.listener, err)) {
        if (!plan->qmp_path) {
            fcntl(plan->qmp_fd, F_SETFD, FD_CLOEXEC); /* not for the engine any more */
        }
        return true;
    }
    qmp_relay_close(s->relay);
    s->relay = NULL;
    engine_socket_close(&s->engine_socket);
    return false;
}

static bool start_engine(struct supervisor *s, const sigset_t *mask, struct err *err)
{
    const struct rlimit unlimited = {RLIM_INFINITY, RLIM_INFINITY};
    struct pollfd relay[QMP_RELAY_FDS];
    int keep[3 + QMP_RELAY_FDS] = {s->signals, s->card.control, s->engine_socket.place};
    unsigned count = 3;

    if (s->relay) {
        for (unsigned n = qmp_relay_poll(s->relay, relay), i = 0; i < n; i++) {
            keep[count++] = relay[i].fd;
        }
    }
    for (char **arg = s->plan->engine_argv; *arg; arg++) {
        log_debug("engine: %s", *arg);
    }
    s->engine = engine_start(s->plan->engine_argv, mask, keep, count, err);
    s->engine_socket.listener = -1; /* closed, with all that is the engine's */
    /* What dm_restrict allows the engine (256 KiB a file) may be too little for its state and ours;
     * should it stay at that, a write that fails is not to end this process. */
    setrlimit(RLIMIT_FSIZE, &unlimited);
    signal(SIGXFSZ, SIG_IGN);
    return s->engine >= 0;
}

/* --- running --- */

static void card_ended(struct supervisor *s, int status)
{
    log_error("the sound card's process has ended (status 0x%x): the guest goes on without sound "
              "until its next start",
              (unsigned)status);
    card_process_died(&s->card);
}

/* Hands on what came; true when the engine has ended. */
static bool hear_signals(struct supervisor *s)
{
    struct signalfd_siginfo info;
    int status;
    pid_t pid;

    while (read(s->signals, &info, sizeof(info)) == sizeof(info)) {
        if (info.ssi_signo != SIGCHLD) {
            kill(s->engine, (int)info.ssi_signo);
        }
    }
    while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
        if (pid == s->engine) {
            s->engine_status = status;
            return true;
        }
        if (pid == s->card.pid) {
            card_ended(s, status);
        }
    }
    return false;
}

static int wait_ms(const struct supervisor *s)
{
    uint64_t wake = s->card.pid ? pauses_wake(&s->pauses) : UINT64_MAX;
    uint64_t now = clock_now_ns();

    if (wake == UINT64_MAX) {
        return -1;
    }
    return wake <= now ? 0 : (int)((wake - now) / NS_PER_MS) + 1;
}

/* Until the engine has ended. */
static void supervise(struct supervisor *s)
{
    enum { SIGNALS, CARD, RELAY, COUNT = RELAY + QMP_RELAY_FDS };

    for (;;) {
        struct pollfd fds[COUNT] = {
            [SIGNALS] = {.fd = s->signals, .events = POLLIN},
            [CARD] = {.fd = card_process_fd(&s->card), .events = POLLIN},
        };
        unsigned count = s->relay ? qmp_relay_poll(s->relay, fds + RELAY) : 0;

        if (poll(fds, RELAY + count, wait_ms(s)) < 0 && errno != EINTR) {
            log_error("cannot wait for signals: %s; the engine is told to end", strerror(errno));
            kill(s->engine, SIGTERM);
            waitpid(s->engine, &s->engine_status, 0);
            return;
        }
        if (fds[SIGNALS].revents && hear_signals(s)) {
            return;
        }
        if (fds[CARD].revents && card_process_hear(&s->card)) {
            look_at_domain(s);
        }
        if (count > 0) {
            qmp_relay_serve(s->relay, fds + RELAY, count);
        }
        if (clock_now_ns() >= pauses_wake(&s->pauses)) {
            look_at_domain(s);
        }
    }
}

/* What the engine has said last, if the toolstack takes it at once. */
static void pass_last_words(struct supervisor *s)
{
    struct pollfd fds[QMP_RELAY_FDS];

    for (unsigned rounds = 0; s->relay && rounds < 100; rounds++) {
        unsigned count = qmp_relay_poll(s->relay, fds);

        if (poll(fds, count, 0) <= 0) {
            break;
        }
        qmp_relay_serve(s->relay, fds, count);
    }
}

int supervisor_run(struct plan *plan, const struct conf *conf)
{
    struct supervisor s = {.plan = plan, .engine_socket = {-1, -1}};
    struct audio_settings settings;
    struct user user;
    struct err err;
    sigset_t mask;

    if (!audio_settings_choose(&settings, plan->audiodev, conf, plan->domain_name, &err) ||
        !sound_user_find(&user, &settings, &err) || (s.signals = catch_signals(&mask, &err)) < 0) {
        log_error("%s", err.text);
        return EXIT_FAILURE;
    }
    start_card(&s, &settings, &user);
    if (s.card.pid && plan->qmp_argument && !join_conversation(&s, plan, &err)) {
        log_error("the sound card cannot be saved with the domain: %s", err.text);
    }
    if (!start_engine(&s, &mask, &err)) {
        log_error("%s", err.text);
    } else {
        supervise(&s);
        pass_last_words(&s);
    }
    qmp_relay_close(s.relay);
    if (s.relay && plan->qmp_path) {
        unlink(plan->qmp_path); /* as QEMU removes its own */
    }
    card_process_stop(&s.card);
    if (s.engine < 0) {
        return EXIT_FAILURE;
    }
    engine_end_alike(s.engine_status);
}
