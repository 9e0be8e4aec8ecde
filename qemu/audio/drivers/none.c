/* SPDX-License-Identifier: GPL-2.0-or-later */
/* -audiodev none: the guest plays, nobody hears. The card's own clock sets the pace. */
#include "audio/driver.h"

static void *none_open(const struct audio_settings *settings, const char *name,
                       const struct pcm_format *format, struct err *err)
{
    static char sink; /* nothing but an address: there is no state */

    (void)settings;
    (void)name;
    (void)format;
    (void)err;
    return &sink;
}

static long none_write(void *sink, const void *data, size_t frames, struct err *err)
{
    (void)sink;
    (void)data;
    (void)err;
    return (long)frames;
}

/* Nothing is ever heard, so there is no delay that the card's clock could follow. */
static bool none_state(void *sink, struct audio_sink_state *state)
{
    (void)sink;
    (void)state;
    return false;
}

static void none_close(void *sink)
{
    (void)sink;
}

const struct audio_driver audio_driver_none = {
    .name = "none",
    .default_latency_us = 10000,
    .open = none_open,
    .write = none_write,
    .state = none_state,
    .close = none_close,
};
