/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a user asked of the host's sound, in QEMU's words and units: by
 * -audiodev, the environment and the host's configuration file. Strings are
 * owned by the struct.
 */
#ifndef AUDIO_SETTINGS_H
#define AUDIO_SETTINGS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/conf.h"
#include "base/err.h"

struct audio_driver;

struct audio_settings {
    const struct audio_driver *driver;
    char *id;
    char *server;            /* pa: server=; NULL: the library's own choice */
    char *sink;              /* out.name= or out.dev=; NULL: the host's default */
    char *stream_name;       /* out.stream-name=; NULL: the id */
    char *path;              /* wav: path= */
    uint32_t out_period_us;  /* alsa: out.period-length=; 0: as out.latency asks for */
    uint32_t in_period_us;   /* alsa: in.period-length=; 0: as in.latency asks for */
    uint32_t out_latency_us; /* out.latency=; from the card's clock to the sink's output */
    char *source;            /* in.name= or in.dev=; NULL: the host's default */
    char *in_stream_name;    /* in.stream-name=; NULL: the id */
    uint32_t in_latency_us;  /* in.latency=; from the source's input to the guest's memory */
    bool exclusive;          /* oss: exclusive= */
    int dsp_policy;          /* oss: dsp-policy=; negative: none was given */
    char *user;              /* user=; whose sound server it is, or "auto"; NULL: nobody's */
};

/* Reads "DRIVER,id=ID[,key=value...]", QEMU's syntax (a doubled comma is a comma), and nothing
 * else. text may be NULL: the first driver built in, with its defaults. False, with err naming the
 * option, what is wrong and what would be right, and nothing to free. */
bool audio_settings_parse(struct audio_settings *settings, const char *text, struct err *err);

/* The settings of a domain: what text, an -audiodev, says; of what it does not, or if it is NULL,
 * what conf says for the domain; and in place of an -audiodev first the environment, by the names
 * that QEMU gave it. Else the first driver built in, with its defaults. What has an effect, and
 * what has none, is logged. False as above, for text and the environment: conf has been checked
 * (audio_settings_check). Not while other threads change the environment. */
bool audio_settings_choose(struct audio_settings *settings, const char *text,
                           const struct conf *conf, const char *domain, struct err *err);

/* Whether a line of a configuration file is right: its key is "driver", or one of -audiodev's of
 * any driver. False with *known: err says what is wrong with the value; without: there is no such
 * key here. */
bool audio_settings_check(const struct conf_line *line, bool *known, struct err *err);

/* The keys that audio_settings_check knows: NULL after the last (number 0 is the first). */
const char *audio_settings_key(unsigned number);

void audio_settings_free(struct audio_settings *settings);

#endif
