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

static bool none_write(void *sink, const void *data, size_t frames, struct err *err)
{
    (void)sink;
    (void)data;
    (void)frames;
    (void)err;
    return true;
}

/* Nothing is ever heard, so there is no delay that the card's clock could follow. */
static bool none_delay(void *sink, uint64_t *ns)
{
    (void)sink;
    (void)ns;
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
    .delay = none_delay,
    .close = none_close,
};
