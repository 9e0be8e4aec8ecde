/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "audio/drivers/pa_connection.h"

#include <stdlib.h>
#include <unistd.h>

#include "audio/driver.h"
#include "base/clock.h"

#define CONNECT_NS (3 * NS_PER_S)

static bool cannot_connect(const struct pa_connection *c, const char *why, struct err *err)
{
    return err_set(err, "PulseAudio does not answer at %s: %s. Is it running?%s", c->server, why,
                   geteuid() != 0 ? ""
                                  : " It is asked by root; say whose server it is: "
                                    "-audiodev pa,id=ID,user=NAME, or user=NAME in qemu-dm.conf");
}

/* One round of the loop, which ends at the time at the latest. False: it has failed. */
static bool iterate(struct pa_connection *c, uint64_t until_ns)
{
    uint64_t now = clock_now_ns();
    uint64_t left_us = until_ns > now ? (until_ns - now + NS_PER_US - 1) / NS_PER_US : 0;
    int timeout = until_ns == UINT64_MAX ? -1 : left_us > 1000000000 ? 1000000000 : (int)left_us;

    return pa_mainloop_prepare(c->loop, timeout) >= 0 && pa_mainloop_poll(c->loop) >= 0 &&
           pa_mainloop_dispatch(c->loop) >= 0;
}

bool pa_connection_open(struct pa_connection *c, const struct audio_settings *settings,
                        const char *name, const struct pcm_format *format, struct err *err)
{
    const pa_sample_spec spec = {
        .format = format->bits == 8 ? PA_SAMPLE_U8 : PA_SAMPLE_S16LE,
        .rate = format->rate,
        .channels = format->channels,
    };
    const char *env = getenv("PULSE_SERVER");
    uint64_t deadline = clock_now_ns() + CONNECT_NS;
    pa_context_state_t state;

    *c = (struct pa_connection){.fd = -1};
    c->server = settings->server ? settings->server : env ? env : "its usual socket";
    if (!pa_sample_spec_valid(&spec)) {
        return err_set(err, "PulseAudio cannot play %u Hz", format->rate);
    }
    if (!settings->server && !env && !getenv("PULSE_RUNTIME_PATH") && !audio_user_is_here(err)) {
        return false;
    }
    c->loop = pa_mainloop_new();
    c->context = c->loop ? pa_context_new(pa_mainloop_get_api(c->loop), "qemu-dm") : NULL;
    if (!c->context) {
        pa_connection_close(c);
        return err_set(err, "no memory for a connection to PulseAudio");
    }
    if (pa_context_connect(c->context, settings->server, PA_CONTEXT_NOAUTOSPAWN, NULL) < 0) {
        cannot_connect(c, pa_strerror(pa_context_errno(c->context)), err);
        pa_connection_close(c);
        return false;
    }
    while ((state = pa_context_get_state(c->context)) != PA_CONTEXT_READY) {
        bool good = PA_CONTEXT_IS_GOOD(state);

        if (!good || clock_now_ns() >= deadline || !iterate(c, deadline)) {
            cannot_connect(
                c, good ? "no answer in time" : pa_strerror(pa_context_errno(c->context)), err);
            pa_connection_close(c);
            return false;
        }
    }
    c->stream = pa_stream_new(c->context, name, &spec, NULL);
    if (!c->stream) {
        err_set(err, "PulseAudio at %s gives no stream: %s", c->server,
                pa_strerror(pa_context_errno(c->context)));
        pa_connection_close(c);
        return false;
    }
    return true;
}

bool pa_connection_ready(struct pa_connection *c, const char *kind, const char *device,
                         struct err *err)
{
    uint64_t deadline = clock_now_ns() + CONNECT_NS;
    pa_stream_state_t state;

    while ((state = pa_stream_get_state(c->stream)) != PA_STREAM_READY) {
        bool good = state == PA_STREAM_CREATING;
        int error = pa_context_errno(c->context);

        if (good && clock_now_ns() < deadline && iterate(c, deadline)) {
            continue;
        }
        if (!good && error == PA_ERR_NOENTITY) {
            err_set(err,
                    "PulseAudio at %s has no %s '%s'; 'pactl list short %ss' lists them, or leave "
                    "the name away for the default one",
                    c->server, kind, device ? device : "(default)", kind);
        } else {
            cannot_connect(c, good ? "no answer in time" : pa_strerror(error), err);
        }
        pa_connection_close(c);
        return false;
    }
    return true;
}

bool pa_connection_alive(const struct pa_connection *c, struct err *err)
{
    if (pa_context_get_state(c->context) != PA_CONTEXT_READY) {
        return err_set(err, "PulseAudio has gone away: %s",
                       pa_strerror(pa_context_errno(c->context)));
    }
    return pa_stream_get_state(c->stream) == PA_STREAM_READY ||
           err_set(err, "PulseAudio has ended the stream: its device was removed, or somebody has "
                        "closed it there");
}

static void fd_is_ready(pa_mainloop_api *api, pa_io_event *event, int fd, pa_io_event_flags_t flags,
                        void *opaque)
{
    struct pa_connection *c = opaque;

    (void)api;
    (void)event;
    (void)fd;
    (void)flags;
    pa_connection_wake(c);
}

static bool work(struct pa_connection *c, uint64_t until_ns, struct err *err)
{
    if (!iterate(c, until_ns)) {
        return err_set(err, "the connection to PulseAudio does not work any more");
    }
    return pa_connection_alive(c, err);
}

bool pa_connection_work(struct pa_connection *c, struct err *err)
{
    return work(c, 0, err);
}

bool pa_connection_wait(struct pa_connection *c, int fd, uint64_t until_ns, struct err *err)
{
    if (c->fd != fd) {
        pa_mainloop_api *api = pa_mainloop_get_api(c->loop);

        c->fd_event = api->io_new(api, fd, PA_IO_EVENT_INPUT, fd_is_ready, c);
        c->fd = fd;
    }
    c->woken = false;
    do {
        if (!work(c, until_ns, err)) {
            return false;
        }
    } while (!c->woken && clock_now_ns() < until_ns);
    return true;
}

void pa_connection_wake(struct pa_connection *c)
{
    c->woken = true;
}

void pa_connection_close(struct pa_connection *c)
{
    if (c->fd_event) {
        pa_mainloop_get_api(c->loop)->io_free(c->fd_event);
    }
    if (c->stream) {
        pa_stream_disconnect(c->stream);
        pa_stream_unref(c->stream);
    }
    if (c->context) {
        pa_context_disconnect(c->context);
        pa_context_unref(c->context);
    }
    if (c->loop) {
        pa_mainloop_free(c->loop);
    }
    *c = (struct pa_connection){.fd = -1};
}
