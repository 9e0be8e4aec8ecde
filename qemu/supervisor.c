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

#include "audio/settings.h"
#include "base/clock.h"
#include "base/log.h"
#include "card/engine_sound.h"
#include "card/sound_user.h"
#include "card/status_page.h"
#include "card/supervised.h"
#include "engine/engine.h"
#include "engine/engine_guard.h"
#include "engine/engine_socket.h"
#include "engine/qmp_relay.h"
#include "engine/unplug.h"
#include "traditional/conversation.h"

/* What a toolstack or a person may send: the engine knows what to do with it. */
static const int relayed_signals[] = {SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGUSR1, SIGUSR2};

struct supervisor {
    struct supervised_card card;
    struct engine_sound sound;

    struct engine_socket engine_socket;
    struct qmp_relay *relay;           /* between a modern toolstack and the engine; or NULL */
    const char *qmp_path;              /* of the relay's socket, if it has one; or NULL */
    struct conversation *conversation; /* with an old one; or NULL */
    const char *card_id;               /* by which the engine knows the card in our card's slot */
    struct unplug unplug;              /* of that one, when ours is no more */

    int signals;
    struct engine_bounds bounds;
    pid_t engine;
    int engine_status; /* waitpid's, once it has ended */
    struct engine_guard guard;
};

/* --- starting --- */

/* dm_restrict bounds each of the engine's files by 256 KiB, and whoever exceeds that is killed. We
 * have the card's state to write behind the engine's, and its process the memory that it shares
 * with a sound server. Should it stay at that, a write fails, no more. */
static void lift_file_limit(struct engine_bounds *old)
{
    const struct rlimit unlimited = {RLIM_INFINITY, RLIM_INFINITY};

    getrlimit(RLIMIT_FSIZE, &old->file_size);
    old->on_file_limit = signal(SIGXFSZ, SIG_IGN);
    setrlimit(RLIMIT_FSIZE, &unlimited);
}

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

/* What is to be heard: our card, or what the engine's own play into a pipe. The card joins the
 * domain before the engine does: see create_above_the_engines in xen/ioreq_server.c. */
static bool start_sound(struct supervisor *s, struct plan *plan, const struct conf *conf,
                        struct err *err)
{
    static struct audio_settings settings;
    struct user user;
    int ends[2];

    if (plan->action == PLAN_BECOME_ENGINE) {
        return true;
    }
    if (!audio_settings_choose(&settings, plan->audiodev, conf, plan->domain_name, err) ||
        !sound_user_find(&user, &settings, err)) {
        return false;
    }
    if (plan->action == PLAN_RUN_CARD) {
        supervised_card_start(&s->card, plan, &settings, &user);
        return true;
    }
    if (pipe(ends) < 0) {
        return err_set(err, "cannot make a pipe: %s", strerror(errno));
    }
    if (!engine_sound_start(&s->sound, &settings, &user, ends[0], err)) {
        log_error("the guest's sound card will be silent: %s", err->text);
        close(ends[1]);
        ends[1] = open("/dev/null", O_WRONLY);
    }
    return plan_set_pipe_fd(plan, ends[1], err);
}

/* From here on the toolstack's QMP socket is ours, and the engine has another, where we are alone.
 * If that fails the engine's arguments are as they were. */
static bool join_qmp(struct supervisor *s, struct plan *plan, struct err *err)
{
    const struct qmp_relay_hooks hooks = {
        .opaque = &s->card,
        .stopped = supervised_card_stopped,
        .continued = supervised_card_continued,
        .saved = supervised_card_saved,
        .loaded = supervised_card_loaded,
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
        s->qmp_path = plan->qmp_path;
        return true;
    }
    qmp_relay_close(s->relay);
    s->relay = NULL;
    engine_socket_close(&s->engine_socket);
    return false;
}

/* What does not end with the processes. */
static void remove_files(const void *opaque)
{
    const struct supervisor *s = opaque;

    if (s->qmp_path) {
        unlink(s->qmp_path); /* as QEMU removes its own */
    }
    status_page_remove(s->card.domid);
}

static bool start_engine(struct supervisor *s, const struct plan *plan, struct err *err)
{
    struct err warning;
    struct pollfd relay[QMP_RELAY_FDS]; /* before there is a toolstack: where it is to come */
    int keep[4 + QMP_RELAY_FDS] = {s->signals, s->card.process.control, s->sound.pipe,
                                   s->engine_socket.place};
    unsigned count = 4, sockets = s->relay ? qmp_relay_poll(s->relay, relay) : 0;

    for (unsigned i = 0; i < sockets; i++) {
        keep[count++] = relay[i].fd;
    }
    for (char **arg = plan->engine_argv; *arg; arg++) {
        log_debug("engine: %s", *arg);
    }
    s->engine = engine_start(plan->engine_argv, &s->bounds, keep, count, err);
    s->engine_socket.listener = -1; /* closed, with all that is the engine's */
    if (s->engine < 0) {
        return false;
    }
    if (!engine_guard_start(&s->guard, s->engine, remove_files, s, &warning)) {
        log_warn("should qemu-dm be killed, the engine may stay: %s", warning.text);
    }
    return true;
}

/* --- an old toolstack --- */

static int connect_engine(void *opaque, struct err *err)
{
    struct supervisor *s = opaque;

    return engine_socket_connect(&s->engine_socket, err);
}

static void old_stopped(void *opaque)
{
    supervised_card_stopped(&((struct supervisor *)opaque)->card);
}

static void old_saved(void *opaque, int fd)
{
    supervised_card_saved(&((struct supervisor *)opaque)->card, fd);
}

static void old_continued(void *opaque)
{
    supervised_card_continued(&((struct supervisor *)opaque)->card);
}

/* Once the engine has been started: xenstore's library has a thread. */
static bool begin_conversation(struct supervisor *s, uint16_t domid, struct err *err)
{
    const struct conversation_settings settings = {
        .domid = domid,
        .hooks = {.opaque = s,
                  .connect = connect_engine,
                  .stopped = old_stopped,
                  .saved = old_saved,
                  .continued = old_continued},
    };

    s->conversation = conversation_open(&settings, err);
    return s->conversation != NULL;
}

/* --- running --- */

/* Our card has been taken from the guest, whose operating system is told by way of the engine's. */
static void unplug_card(struct supervisor *s)
{
    struct err err;

    if (s->conversation) {
        conversation_unplug(s->conversation, s->card_id);
    } else if (!unplug_begin(&s->unplug, &s->engine_socket, s->card_id, &err)) {
        log_warn("the guest is not told that its sound card is unplugged: %s", err.text);
    }
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
        if (pid == s->card.process.pid) {
            if (!supervised_card_died(&s->card, status)) {
                unplug_card(s);
            }
        } else if (pid == s->sound.pid) {
            engine_sound_died(&s->sound);
        } else if (pid == s->guard.pid) {
            engine_guard_died(&s->guard);
        }
    }
    return false;
}

static int wait_ms(const struct supervisor *s)
{
    uint64_t card = supervised_card_wake(&s->card), unplug = unplug_wake(&s->unplug);
    uint64_t wake = card < unplug ? card : unplug;
    uint64_t now = clock_now_ns();

    if (wake == UINT64_MAX) {
        return -1;
    }
    return wake <= now ? 0 : (int)((wake - now) / NS_PER_MS) + 1;
}

/* Until the engine has ended. */
static void supervise(struct supervisor *s)
{
    enum { SIGNALS, CARD, OLD_TOOLSTACK, UNPLUG, RELAY, COUNT = RELAY + QMP_RELAY_FDS };

    for (;;) {
        struct pollfd fds[COUNT] = {
            [SIGNALS] = {.fd = s->signals, .events = POLLIN},
            [CARD] = {.fd = card_process_fd(&s->card.process), .events = POLLIN},
            [OLD_TOOLSTACK] = {.fd = s->conversation ? conversation_fd(s->conversation) : -1,
                               .events = POLLIN},
            [UNPLUG] = {.fd = unplug_fd(&s->unplug), .events = POLLIN},
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
        if (fds[CARD].revents) {
            supervised_card_hear(&s->card);
        }
        if (clock_now_ns() >= supervised_card_wake(&s->card)) {
            supervised_card_look(&s->card);
        }
        if (fds[OLD_TOOLSTACK].revents) {
            conversation_serve(s->conversation);
        }
        if (count > 0) {
            qmp_relay_serve(s->relay, fds + RELAY, count);
        }
        if (fds[UNPLUG].revents || clock_now_ns() >= unplug_wake(&s->unplug)) {
            unplug_serve(&s->unplug);
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

/* The conversation that the card has to follow. An old toolstack's is nobody else's. */
static bool join_conversation(struct supervisor *s, struct plan *plan, uint16_t old_domid,
                              struct err *err)
{
    if (old_domid) {
        return engine_socket_open(&s->engine_socket, err) &&
               plan_set_qmp_fd(plan, s->engine_socket.listener, err);
    }
    if (s->card.process.pid && plan->qmp_argument && !join_qmp(s, plan, err)) {
        log_error("the sound card cannot be saved with the domain: %s", err->text);
    }
    return true;
}

static bool start(struct supervisor *s, struct plan *plan, const struct conf *conf,
                  uint16_t old_domid, struct err *err)
{
    lift_file_limit(&s->bounds);
    s->signals = catch_signals(&s->bounds.mask, err);
    return s->signals >= 0 && start_sound(s, plan, conf, err) &&
           join_conversation(s, plan, old_domid, err) && start_engine(s, plan, err) &&
           (!old_domid || begin_conversation(s, old_domid, err));
}

int supervisor_run(struct plan *plan, const struct conf *conf, uint16_t old_domid)
{
    struct supervisor s = {.card.process.control = -1,
                           .sound.pipe = -1,
                           .engine_socket = {-1, -1},
                           .engine = -1,
                           .card_id = plan->card_id};
    struct err err;
    bool started = start(&s, plan, conf, old_domid, &err);

    if (started) {
        supervise(&s);
        pass_last_words(&s);
    } else {
        log_error("%s", err.text);
        if (s.engine > 0) {
            kill(s.engine, SIGTERM);
            waitpid(s.engine, NULL, 0);
        }
    }
    unplug_end(&s.unplug);
    conversation_close(s.conversation);
    remove_files(&s);
    qmp_relay_close(s.relay);
    card_process_stop(&s.card.process);
    engine_sound_stop(&s.sound);
    engine_guard_dismiss(&s.guard);
    if (!started) {
        return EXIT_FAILURE;
    }
    engine_end_alike(s.engine_status);
}
