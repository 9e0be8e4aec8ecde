/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "audio/settings_environment.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"

/* How a value is turned into the option's. Sizes are of sound at 44100 Hz, 16 bits, stereo, which
 * is what QEMU takes for granted where nothing else is said. */
enum form {
    SAME,
    LETTERS, /* in capitals or not */
    SWITCH,  /* 0, or another number */
    FRAMES,
    SAMPLES, /* two a frame */
    BYTES,   /* four a frame */
};

struct variable {
    const char *name;
    const char *driver; /* that it is for; NULL: every one */
    enum form form;
    const char *option;  /* that it stands for */
    const char *also;    /* another; NULL: none */
    const char *in_usec; /* the switch by which FRAMES are microseconds; NULL: there is none */
};

static const struct variable variables[] = {
    {"QEMU_DM_USER", NULL, SAME, "user", NULL, NULL},

    {"QEMU_PA_SERVER", "pa", SAME, "server", NULL, NULL},
    {"QEMU_PA_SINK", "pa", SAME, "out.name", NULL, NULL},
    {"QEMU_PA_SOURCE", "pa", SAME, "in.name", NULL, NULL},
    {"QEMU_PA_SAMPLES", "pa", SAMPLES, "out.buffer-length", "in.buffer-length", NULL},
    {"QEMU_ALSA_DAC_DEV", "alsa", SAME, "out.dev", NULL, NULL},
    {"QEMU_ALSA_ADC_DEV", "alsa", SAME, "in.dev", NULL, NULL},
    {"QEMU_ALSA_DAC_BUFFER_SIZE", "alsa", FRAMES, "out.buffer-length", NULL,
     "QEMU_ALSA_DAC_SIZE_IN_USEC"},
    {"QEMU_ALSA_ADC_BUFFER_SIZE", "alsa", FRAMES, "in.buffer-length", NULL,
     "QEMU_ALSA_ADC_SIZE_IN_USEC"},
    {"QEMU_ALSA_DAC_PERIOD_SIZE", "alsa", FRAMES, "out.period-length", NULL,
     "QEMU_ALSA_DAC_SIZE_IN_USEC"},
    {"QEMU_ALSA_ADC_PERIOD_SIZE", "alsa", FRAMES, "in.period-length", NULL,
     "QEMU_ALSA_ADC_SIZE_IN_USEC"},
    {"QEMU_OSS_DAC_DEV", "oss", SAME, "out.dev", NULL, NULL},
    {"QEMU_OSS_ADC_DEV", "oss", SAME, "in.dev", NULL, NULL},
    {"QEMU_OSS_FRAGSIZE", "oss", BYTES, "out.buffer-length", "in.buffer-length", NULL},
    {"QEMU_OSS_NFRAGS", "oss", SAME, "out.buffer-count", "in.buffer-count", NULL},
    {"QEMU_WAV_PATH", "wav", SAME, "path", NULL, NULL},

    /* For options without effect; checked all the same. */
    {"QEMU_AUDIO_TIMER_PERIOD", NULL, SAME, "timer-period", NULL, NULL},
    {"QEMU_AUDIO_DAC_FIXED_SETTINGS", NULL, SWITCH, "out.fixed-settings", NULL, NULL},
    {"QEMU_AUDIO_DAC_FIXED_FREQ", NULL, SAME, "out.frequency", NULL, NULL},
    {"QEMU_AUDIO_DAC_FIXED_FMT", NULL, LETTERS, "out.format", NULL, NULL},
    {"QEMU_AUDIO_DAC_FIXED_CHANNELS", NULL, SAME, "out.channels", NULL, NULL},
    {"QEMU_AUDIO_DAC_VOICES", NULL, SAME, "out.voices", NULL, NULL},
    {"QEMU_AUDIO_DAC_TRY_POLL", "oss", SWITCH, "out.try-poll", NULL, NULL},
    {"QEMU_AUDIO_ADC_FIXED_SETTINGS", NULL, SWITCH, "in.fixed-settings", NULL, NULL},
    {"QEMU_AUDIO_ADC_FIXED_FREQ", NULL, SAME, "in.frequency", NULL, NULL},
    {"QEMU_AUDIO_ADC_FIXED_FMT", NULL, LETTERS, "in.format", NULL, NULL},
    {"QEMU_AUDIO_ADC_FIXED_CHANNELS", NULL, SAME, "in.channels", NULL, NULL},
    {"QEMU_AUDIO_ADC_VOICES", NULL, SAME, "in.voices", NULL, NULL},
    {"QEMU_AUDIO_ADC_TRY_POLL", "oss", SWITCH, "in.try-poll", NULL, NULL},
    {"QEMU_ALSA_DAC_TRY_POLL", "alsa", SWITCH, "out.try-poll", NULL, NULL},
    {"QEMU_ALSA_ADC_TRY_POLL", "alsa", SWITCH, "in.try-poll", NULL, NULL},
    {"QEMU_ALSA_THRESHOLD", "alsa", SAME, "threshold", NULL, NULL},
    {"QEMU_OSS_MMAP", "oss", SWITCH, "try-mmap", NULL, NULL},
    {"QEMU_OSS_EXCLUSIVE", "oss", SWITCH, "exclusive", NULL, NULL},
    {"QEMU_OSS_POLICY", "oss", SAME, "dsp-policy", NULL, NULL},
    {"QEMU_WAV_FREQUENCY", "wav", SAME, "out.frequency", NULL, NULL},
    {"QEMU_WAV_FORMAT", "wav", LETTERS, "out.format", NULL, NULL},
    {"QEMU_WAV_DAC_FIXED_CHANNELS", "wav", SAME, "out.channels", NULL, NULL},
};

static bool read_number(const char *name, const char *value, uint32_t *number, struct err *err)
{
    unsigned long read;
    char *end;

    errno = 0;
    read = strtoul(value, &end, 10);
    if (*value < '0' || *value > '9' || *end || errno || read > UINT32_MAX) {
        return err_set(err, "%s=%.40s is not a whole number", name, value);
    }
    *number = (uint32_t)read;
    return true;
}

/* QEMU takes numbers only; who writes on or off is understood. */
static bool read_switch(const char *name, const char *value, bool *on, struct err *err)
{
    uint32_t number;

    if (strcmp(value, "on") == 0 || strcmp(value, "off") == 0) {
        *on = value[1] == 'n';
        return true;
    }
    if (!read_number(name, value, &number, NULL)) {
        return err_set(err, "%s=%.40s is neither 1 (on) nor 0 (off)", name, value);
    }
    *on = number != 0;
    return true;
}

/* The value of a variable as the option's. */
static bool convert(const struct variable *v, const char *value, char *to, size_t size,
                    struct err *err)
{
    const char *in_usec = v->in_usec ? getenv(v->in_usec) : NULL;
    uint32_t number;
    bool on = false;

    switch (v->form) {
    case SAME:
        snprintf(to, size, "%s", value);
        return strlen(value) < size || err_set(err, "%s is too long a text", v->name);
    case LETTERS:
        snprintf(to, size, "%s", value);
        for (char *c = to; *c; c++) {
            *c = (char)tolower((unsigned char)*c);
        }
        return true;
    case SWITCH:
        if (!read_switch(v->name, value, &on, err)) {
            return false;
        }
        snprintf(to, size, on ? "on" : "off");
        return true;
    case FRAMES:
    case SAMPLES:
    case BYTES:
        if (!read_number(v->name, value, &number, err) ||
            (in_usec && !read_switch(v->in_usec, in_usec, &on, err))) {
            return false;
        }
        if (!on) {
            uint64_t frames = v->form == FRAMES    ? number
                              : v->form == SAMPLES ? number / 2
                                                   : number / 4;
            uint64_t us = (frames * 1000000 + 44100 / 2) / 44100;

            number = us < UINT32_MAX ? (uint32_t)us : UINT32_MAX;
        }
        snprintf(to, size, "%" PRIu32, number);
        return true;
    }
    return false;
}

static bool note(struct audio_answers *answers, const struct audio_driver *driver,
                 const struct variable *v, const char *option, const char *value, struct err *err)
{
    int number = audio_option_find(driver, option);

    return audio_option_check(number, driver, v->name, value, err) &&
           audio_answers_note(answers, number, value, err);
}

bool audio_environment_read(struct audio_answers *answers, const struct audio_driver *driver,
                            bool overruled, struct err *err)
{
    char used[512] = "", unused[512] = "";

    if (!overruled && getenv(AUDIO_DRIVER_VARIABLE)) {
        audio_list_add(used, sizeof(used), AUDIO_DRIVER_VARIABLE);
    }
    for (unsigned i = 0; i < sizeof(variables) / sizeof(variables[0]); i++) {
        const struct variable *v = &variables[i];
        const char *text = getenv(v->name);
        bool of_ours = strncmp(v->name, "QEMU_DM_", 8) == 0;
        char value[1024];

        if (!text || (overruled && !of_ours) || audio_option_find(driver, v->option) < 0 ||
            (v->driver && strcmp(v->driver, driver->name) != 0)) {
            continue;
        }
        if (!convert(v, text, value, sizeof(value), err) ||
            !note(answers, driver, v, v->option, value, err) ||
            (v->also && !note(answers, driver, v, v->also, value, err))) {
            return false;
        }
        if (audio_option_has_effect(audio_option_find(driver, v->option))) {
            audio_list_add(used, sizeof(used), v->name);
        } else {
            audio_list_add(unused, sizeof(unused), v->name);
        }
    }
    if (*used) {
        log_info("used of the environment: %s", used);
    }
    if (*unused) {
        log_info("of the environment, without effect here: %s", unused);
    }
    return true;
}
