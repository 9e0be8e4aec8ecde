/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "audio/drivers/pipewire_connection.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <spa/param/audio/format-utils.h>
#include <spa/utils/result.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"

/* A server that is well answers, and a session manager that is well has found the stream its place,
 * in much less. Short against the second that a stream's thread is given to end in. */
#define OPEN_NS (700 * NS_PER_MS)
/* While it opens: how often to see whether a round has come, which is no event of the loop's. */
#define LOOK_NS (NS_PER_MS / 2)
/* The graph runs a stream that is linked to something this often, at the least. */
#define STILL_NS (500 * NS_PER_MS)

/* The library is ready for threads, but for some of what it does to begin and to end a connection:
 * it asks for the user's name in a way that serves one thread at a time. None of that waits. */
static pthread_mutex_t library = PTHREAD_MUTEX_INITIALIZER;

/* --- what went wrong --- */

static bool cannot_connect(const char *why, struct err *err)
{
    const char *dir = getenv("PIPEWIRE_RUNTIME_DIR");
    const char *remote = getenv("PIPEWIRE_REMOTE");

    dir = dir ? dir : getenv("XDG_RUNTIME_DIR");
    remote = remote ? remote : "pipewire-0";
    return err_set(err, "PipeWire does not answer at %s%s%s: %s. Is it running?%s%s",
                   remote[0] == '/' ? ""
                   : dir            ? dir
                                    : "(no XDG_RUNTIME_DIR)",
                   remote[0] == '/' ? "" : "/", remote, why,
                   geteuid() != 0 ? ""
                                  : " As root, set XDG_RUNTIME_DIR (or PIPEWIRE_RUNTIME_DIR) "
                                    "to the folder of the user whose server it is, "
                                    "/run/user/1000",
                   geteuid() != 0 ? "" : ", and PIPEWIRE_REMOTE if its socket is not pipewire-0");
}

/* There is none, or not this one. */
static bool no_device(const struct pipewire_connection *c, struct err *err)
{
    return c->target
               ? err_set(err,
                         "PipeWire has no %s '%s'; 'wpctl status' and 'pw-cli ls Node' list "
                         "them (by number, and node.name), or leave the name away for the "
                         "default one",
                         c->device, c->target)
               : err_set(err, "PipeWire has no %s ('wpctl status' lists what it has)", c->device);
}

static void lose(struct pipewire_connection *c, const char *why)
{
    if (!c->gone) {
        c->gone = true;
        err_set(&c->why, "%s", why);
    }
}

/* --- events, in the stream's thread --- */

static void core_has_failed(void *opaque, uint32_t id, int seq, int res, const char *message)
{
    struct pipewire_connection *c = opaque;

    (void)seq;
    if (id == PW_ID_CORE) {
        lose(c, res == -EPIPE ? "PipeWire has gone away" : message ? message : spa_strerror(res));
    }
}

static const struct pw_core_events core_events = {
    PW_VERSION_CORE_EVENTS,
    .error = core_has_failed,
};

static void state_has_changed(void *opaque, enum pw_stream_state old, enum pw_stream_state state,
                              const char *message)
{
    struct pipewire_connection *c = opaque;

    (void)old;
    if (c->gone) {
        return;
    }
    if (state == PW_STREAM_STATE_UNCONNECTED && c->target && atomic_load(&c->round_ns) == 0) {
        c->gone = true;
        no_device(c, &c->why); /* a stream that may be linked to nothing else is ended */
    } else if (state == PW_STREAM_STATE_UNCONNECTED) {
        lose(c, "PipeWire has ended the stream: its device was removed, or somebody has closed it "
                "there");
    } else if (state == PW_STREAM_STATE_ERROR) {
        /* A session manager that finds nothing to link the stream to says so in this way. */
        c->gone = true;
        if (message && strstr(message, "no node available")) {
            no_device(c, &c->why);
        } else {
            err_set(&c->why, "PipeWire refuses the stream: %s", message ? message : "unknown");
        }
    }
}

static const struct pw_stream_events stream_events = {
    PW_VERSION_STREAM_EVENTS,
    .state_changed = state_has_changed,
};

/* --- opening --- */

/* Once for all streams, and never undone. */
static void init_library(void)
{
    pw_init(NULL, NULL);
    if (!getenv("PIPEWIRE_DEBUG")) {
        pw_log_set_level(SPA_LOG_LEVEL_NONE); /* each failure would be logged twice, and each try */
    }
}

/* What a sink plays is recorded under PulseAudio's name for it. */
static void set_target(struct pw_properties *props, const char *target, bool records)
{
    static const char suffix[] = ".monitor";
    size_t len = strlen(target), cut = len > strlen(suffix) ? len - strlen(suffix) : 0;

    if (records && cut > 0 && strcmp(target + cut, suffix) == 0) {
        pw_properties_setf(props, PW_KEY_TARGET_OBJECT, "%.*s", (int)cut, target);
        pw_properties_set(props, PW_KEY_STREAM_CAPTURE_SINK, "true");
    } else {
        pw_properties_set(props, PW_KEY_TARGET_OBJECT, target);
    }
}

static struct pw_properties *describe(const struct pipewire_request *request)
{
    bool plays = request->direction == PW_DIRECTION_OUTPUT;
    struct pw_properties *props = pw_properties_new(
        PW_KEY_APP_NAME, "qemu-dm", PW_KEY_NODE_NAME, request->name, PW_KEY_MEDIA_TYPE, "Audio",
        PW_KEY_MEDIA_CATEGORY, plays ? "Playback" : "Capture",
        /* Unlinked, it would otherwise be run by any device's clock, and play to nobody. */
        PW_KEY_NODE_WANT_DRIVER, "false", NULL);

    if (!props) {
        return NULL;
    }
    pw_properties_setf(props, PW_KEY_NODE_RATE, "1/%u", request->format.rate);
    pw_properties_setf(props, PW_KEY_NODE_LATENCY, "%u/%u",
                       (unsigned)(request->block_ns * request->format.rate / NS_PER_S),
                       request->format.rate);
    if (request->target) {
        set_target(props, request->target, !plays);
    }
    return props;
}

static bool make_stream(struct pipewire_connection *c, const struct pipewire_request *request,
                        void *opaque)
{
    struct pw_properties *props = describe(request);

    c->stream = props ? pw_stream_new(c->core, request->name, props) : NULL;
    if (!c->stream) {
        return false;
    }
    pw_stream_add_listener(c->stream, &c->process_hook, &c->process_events, opaque);
    pw_stream_add_listener(c->stream, &c->stream_hook, &stream_events, c);
    return true;
}

static int connect_stream(struct pipewire_connection *c, const struct pipewire_request *request)
{
    const struct pcm_format *f = &request->format;
    struct spa_audio_info_raw info = {
        .format = f->bits == 8 ? SPA_AUDIO_FORMAT_U8 : SPA_AUDIO_FORMAT_S16_LE,
        .rate = f->rate,
        .channels = f->channels,
        .position = {f->channels == 1 ? SPA_AUDIO_CHANNEL_MONO : SPA_AUDIO_CHANNEL_FL,
                     SPA_AUDIO_CHANNEL_FR},
    };
    uint8_t buffer[1024];
    struct spa_pod_builder builder = SPA_POD_BUILDER_INIT(buffer, sizeof(buffer));
    const struct spa_pod *params[] = {
        spa_format_audio_raw_build(&builder, SPA_PARAM_EnumFormat, &info),
    };
    enum pw_stream_flags flags =
        PW_STREAM_FLAG_AUTOCONNECT | PW_STREAM_FLAG_MAP_BUFFERS | PW_STREAM_FLAG_RT_PROCESS;

    /* A device that was named is not to be replaced by another. */
    if (request->target) {
        flags |= PW_STREAM_FLAG_DONT_RECONNECT;
    }
    return pw_stream_connect(c->stream, request->direction, PW_ID_ANY, flags, params, 1);
}

/* Until the first round has come. */
static bool wait_for_graph(struct pipewire_connection *c, struct err *err)
{
    uint64_t deadline = clock_now_ns() + OPEN_NS, now;

    while (atomic_load(&c->round_ns) == 0) {
        now = clock_now_ns();
        if (now >= deadline) {
            return pw_stream_get_state(c->stream, NULL) < PW_STREAM_STATE_PAUSED
                       ? cannot_connect("no answer in time", err)
                       : err_set(err,
                                 "PipeWire links the stream to no %s: it has none, the %s does not "
                                 "work, or no session manager (wireplumber) is running",
                                 c->device, c->device);
        }
        if (!pipewire_connection_wait(c, -1, -1, now + LOOK_NS, err)) {
            return false;
        }
    }
    return true;
}

/* Under the lock. */
static bool open_parts(struct pipewire_connection *c, const struct pipewire_request *request,
                       void *opaque, struct err *err)
{
    int res;

    c->loop = pw_loop_new(NULL);
    if (!c->loop) {
        return err_set(err, "cannot make a loop for PipeWire: %s", strerror(errno));
    }
    pw_loop_enter(c->loop);
    c->context = pw_context_new(c->loop, pw_properties_new(PW_KEY_APP_NAME, "qemu-dm", NULL), 0);
    if (!c->context) {
        return err_set(err,
                       "PipeWire's library does not start: %s (are its modules installed? apt "
                       "install libpipewire-0.3-modules)",
                       strerror(errno));
    }
    c->core = pw_context_connect(c->context, NULL, 0);
    if (!c->core) {
        return cannot_connect(errno == EHOSTDOWN ? "no such socket" : strerror(errno), err);
    }
    pw_core_add_listener(c->core, &c->core_hook, &core_events, c);
    if (!make_stream(c, request, opaque)) {
        return err_set(err, "no memory for a stream to PipeWire");
    }
    res = connect_stream(c, request);
    if (res < 0) {
        return err_set(err, "PipeWire takes no stream: %s", spa_strerror(res));
    }
    return true;
}

bool pipewire_connection_open(struct pipewire_connection *c, const struct pipewire_request *request,
                              void (*process)(void *opaque), void *opaque, struct err *err)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    bool open;

    pthread_once(&once, init_library);
    memset(c, 0, sizeof(*c));
    c->device = request->direction == PW_DIRECTION_OUTPUT ? "sink" : "source";
    c->target = request->target;
    c->process_events = (struct pw_stream_events){PW_VERSION_STREAM_EVENTS, .process = process};
    pthread_mutex_lock(&library);
    open = open_parts(c, request, opaque, err);
    pthread_mutex_unlock(&library);
    if (!open || !wait_for_graph(c, err)) {
        pipewire_connection_close(c);
        return false;
    }
    return true;
}

/* --- open --- */

/* When to believe that no round will come any more. */
static uint64_t patience_ns(const struct pipewire_connection *c)
{
    uint64_t round_ns = atomic_load_explicit(&c->round_ns, memory_order_relaxed);

    return round_ns == 0 ? UINT64_MAX : round_ns + STILL_NS;
}

bool pipewire_connection_alive(const struct pipewire_connection *c, struct err *err)
{
    if (c->gone) {
        return err_set(err, "%s", c->why.text);
    }
    return clock_now_ns() < patience_ns(c) ||
           err_set(err,
                   "PipeWire does not run the stream any more: its %s was removed and there is no "
                   "other, or the server hangs",
                   c->device);
}

bool pipewire_connection_wait(struct pipewire_connection *c, int fd, int other_fd,
                              uint64_t until_ns, struct err *err)
{
    struct pollfd fds[] = {
        {.fd = pw_loop_get_fd(c->loop), .events = POLLIN},
        {.fd = fd, .events = POLLIN},
        {.fd = other_fd, .events = POLLIN},
    };

    do {
        uint64_t now = clock_now_ns(), patience = patience_ns(c);
        uint64_t end = until_ns < patience ? until_ns : patience;
        uint64_t left = end > now ? end - now : 0;
        struct timespec wait_for = {(time_t)(left / NS_PER_S), (long)(left % NS_PER_S)};

        if (ppoll(fds, 3, end == UINT64_MAX ? NULL : &wait_for, NULL) < 0) {
            break; /* a signal */
        }
        if (fds[0].revents && pw_loop_iterate(c->loop, 0) < 0) {
            lose(c, "the connection to PipeWire does not work any more");
        }
        if (!pipewire_connection_alive(c, err)) {
            return false;
        }
    } while (!fds[1].revents && !fds[2].revents && clock_now_ns() < until_ns);
    return true;
}

void pipewire_connection_close(struct pipewire_connection *c)
{
    pthread_mutex_lock(&library);
    if (c->stream) {
        pw_stream_destroy(c->stream);
    }
    if (c->core) {
        spa_hook_remove(&c->core_hook);
        pw_core_disconnect(c->core);
    }
    if (c->context) {
        pw_context_destroy(c->context);
    }
    if (c->loop) {
        pw_loop_leave(c->loop);
        pw_loop_destroy(c->loop);
    }
    pthread_mutex_unlock(&library);
}

void rt_pipewire_round(struct pipewire_connection *c, uint64_t now)
{
    atomic_store_explicit(&c->round_ns, now, memory_order_release);
}
