/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a host's owner writes about its sound: an input is qemu-dm.conf, but for lines that begin
 * with '!', which are variables of the environment (QEMU_NAME=value), '@', an -audiodev, and '%', a
 * domain's name.
 *
 * Whatever it is, a line is taken or left out with a message, and settings are whole and within
 * their ranges or refused with a reason.
 */
#include <stdarg.h>
#include <stdbool.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "audio/settings.h"
#include "base/log.h"
#include "fuzz/shared/expect.h"
#include "host_conf.h"
#include "sandbox/find_user.h"

enum { LINES_MAX = 512 };

static unsigned errors_logged;

void log_at(enum log_level level, const char *fmt, ...)
{
    char line[1024];
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(line, sizeof(line), fmt, ap);
    va_end(ap);
    expect(strlen(line) > 10, "a message");
    errors_logged += level == LOG_LEVEL_ERROR;
}

/* The users of this machine are none of an input's business. */
struct user_host user_host_here(void)
{
    return (struct user_host){.seat = -1};
}

bool user_check(const char *text, const struct user_host *host, struct err *err)
{
    (void)host;
    return strlen(text) < 8 || err_set(err, "there is no user %.40s", text);
}

/* --- what an input says --- */

struct input {
    char *variables[LINES_MAX]; /* NAME=value */
    unsigned variable_count;
    const char *audiodev; /* NULL: none */
    const char *domain;   /* likewise */
    unsigned lines;       /* of the file */
};

static bool is_variable(const char *text)
{
    return strncmp(text, "QEMU_", 5) == 0 && strncmp(text, "QEMU_DM_CONF=", 13) != 0 &&
           strchr(text, '=');
}

/* text is changed; the lines of the file are written to file. */
static void read_input(struct input *input, char *text, size_t size, int file)
{
    char *line = text, *stop = text + size;

    *input = (struct input){.audiodev = NULL};
    while (line < stop) {
        char *end = memchr(line, '\n', (size_t)(stop - line));
        size_t length = (size_t)((end ? end : stop) - line);

        line[length] = '\0';
        if (*line == '!' && is_variable(line + 1) && input->variable_count < LINES_MAX) {
            input->variables[input->variable_count++] = line + 1;
        } else if (*line == '@') {
            input->audiodev = line + 1;
        } else if (*line == '%') {
            input->domain = line + 1;
        } else {
            line[length] = '\n';
            expect(write(file, line, length + 1) == (ssize_t)length + 1, "a file can be written");
            line[length] = '\0';
            input->lines++;
        }
        line += length + 1;
    }
}

static void set_variables(const struct input *input, bool there)
{
    for (unsigned i = 0; i < input->variable_count; i++) {
        char *equals = strchr(input->variables[i], '=');

        *equals = '\0';
        if (there) {
            setenv(input->variables[i], equals + 1, 1);
        } else {
            unsetenv(input->variables[i]);
        }
        *equals = '=';
    }
}

/* --- what becomes of it --- */

static bool is_latency(uint32_t us)
{
    return us >= 1000 && us <= 1000000;
}

static bool is_text(const char *text)
{
    return !text || *text;
}

static void check_settings(bool chosen, struct audio_settings *s, const struct err *err)
{
    static const struct audio_settings nothing;

    if (!chosen) {
        expect(strlen(err->text) > 10, "a reason");
        expect(memcmp(s, &nothing, sizeof(nothing)) == 0, "nothing to free");
        return;
    }
    expect(s->driver && s->id && is_text(s->id), "a driver and an id");
    expect(is_latency(s->out_latency_us) && is_latency(s->in_latency_us), "latencies that can be");
    expect(is_text(s->server) && is_text(s->sink) && is_text(s->stream_name) && is_text(s->path) &&
               is_text(s->source) && is_text(s->in_stream_name) && is_text(s->user),
           "texts that say something");
    audio_settings_free(s);
}

static void check_conf(const struct conf *conf, const struct input *input)
{
    expect(conf->count + errors_logged <= input->lines, "a line is taken, or left out, once");
    for (size_t i = 0; i < conf->count; i++) {
        const struct conf_line *line = &conf->lines[i];
        struct err err;
        bool known;

        expect(*line->key && (!line->domain || *line->domain),
               "a key, and a domain that has a name");
        expect(
            audio_settings_check(line, &known, &err) ||
                (!known && (strcmp(line->key, "engine") == 0 || strcmp(line->key, "debug") == 0)),
            "what is taken is right");
        expect(conf_value(conf, line->domain, line->key) != NULL, "what is taken is found");
    }
}

static void choose(const struct input *input)
{
    struct audio_settings settings;
    struct err err = {""};
    struct conf conf;
    bool chosen;

    errors_logged = 0;
    host_conf_read(&conf);
    check_conf(&conf, input);
    host_conf_debug(&conf);
    chosen = audio_settings_choose(&settings, input->audiodev, &conf, input->domain, &err);
    check_settings(chosen, &settings, &err);
    chosen = audio_settings_choose(&settings, NULL, &conf, input->domain, &err);
    check_settings(chosen, &settings, &err);
    if (input->audiodev) {
        chosen = audio_settings_parse(&settings, input->audiodev, &err);
        check_settings(chosen, &settings, &err);
    }
    conf_free(&conf);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static int file = -1;
    static struct input input;
    char *text = malloc(size + 1);

    if (file < 0) {
        char path[32];

        file = memfd_create("qemu-dm.conf", MFD_CLOEXEC);
        snprintf(path, sizeof(path), "/proc/self/fd/%d", file);
        setenv("QEMU_DM_CONF", path, 1);
    }
    expect(text && ftruncate(file, 0) == 0 && lseek(file, 0, SEEK_SET) == 0, "there is a file");
    memcpy(text, data, size);
    read_input(&input, text, size, file);
    set_variables(&input, true);
    choose(&input);
    set_variables(&input, false);
    free(text);
    return 0;
}
