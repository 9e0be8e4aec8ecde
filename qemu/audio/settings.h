/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a user asked of the host's sound: one -audiodev option, in QEMU's words
 * and units. Strings are owned by the struct.
 */
#ifndef AUDIO_SETTINGS_H
#define AUDIO_SETTINGS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

struct audio_driver;

struct audio_settings {
    const struct audio_driver *driver;
    char *id;
    char *server;            /* pa: server=; NULL: the library's own choice */
    char *sink;              /* out.name= or out.dev=; NULL: the host's default */
    char *stream_name;       /* out.stream-name=; NULL: the id */
    char *path;              /* wav: path= */
    uint32_t out_latency_us; /* out.latency=; from the card's clock to the sink's output */
    char *source;            /* in.name= or in.dev=; NULL: the host's default */
    char *in_stream_name;    /* in.stream-name=; NULL: the id */
    uint32_t in_latency_us;  /* in.latency=; from the source's input to the guest's memory */
};

/* Reads "DRIVER,id=ID[,key=value...]", QEMU's syntax (a doubled comma is a comma). text may be
 * NULL: the first driver built in, with its defaults. False, with err naming the option, what is
 * wrong and what would be right, and nothing to free. */
bool audio_settings_parse(struct audio_settings *settings, const char *text, struct err *err);

void audio_settings_free(struct audio_settings *settings);

#endif
