/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/conf.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"

enum { MOST_BYTES = 1 << 20 };

#define BLANK " \t\r"

/* --- the file --- */

/* The whole file at path as a string, to be freed; NULL with err set, and errno. */
static char *read_file(const char *path, struct err *err)
{
    char *text = malloc(MOST_BYTES + 1);
    int fd = text ? open(path, O_RDONLY | O_CLOEXEC) : -1;
    ssize_t got = 1;
    size_t used = 0;
    int error;

    while (fd >= 0 && got > 0 && used < MOST_BYTES) {
        got = read(fd, text + used, MOST_BYTES - used);
        used += got > 0 ? (size_t)got : 0;
    }
    error = errno;
    if (fd >= 0 && got == 0) {
        text[used] = '\0';
        close(fd);
        return text;
    }
    if (fd >= 0) {
        close(fd);
    }
    free(text);
    errno = got > 0 && fd >= 0 ? EFBIG : error;
    err_set(err, "cannot read %s: %s", path, strerror(errno));
    return NULL;
}

/* --- one line --- */

/* Cuts white space off both ends, in place. */
static char *trim(char *text)
{
    char *end = text + strlen(text);

    while (end > text && strchr(BLANK, end[-1])) {
        *--end = '\0';
    }
    return text + strspn(text, BLANK);
}

/* Cuts a comment off: '#' at the beginning or behind white space. */
static void cut_comment(char *text)
{
    for (char *at = text; (at = strchr(at, '#')); at++) {
        if (at == text || strchr(BLANK, at[-1])) {
            *at = '\0';
            return;
        }
    }
}

static char *unquote(char *text)
{
    size_t length = strlen(text);

    if (length >= 2 && text[0] == '"' && text[length - 1] == '"') {
        text[length - 1] = '\0';
        text++;
    }
    return text;
}

/* The name in "[domain NAME]", in place; NULL with err set. */
static char *read_section(char *text, struct err *err)
{
    size_t length = strlen(text);
    char *name;

    if (text[length - 1] == ']' && strncmp(text, "[domain", 7) == 0 && strchr(BLANK, text[7])) {
        text[length - 1] = '\0';
        name = unquote(trim(text + 7));
        if (*name) {
            return name;
        }
    }
    err_set(err, "%.60s is no section: write [domain NAME]", text);
    return NULL;
}

static bool read_setting(char *text, struct conf_line *line, struct err *err)
{
    char *value = strchr(text, '=');

    if (!value) {
        return err_set(err, "'%.60s' is none: write key = value", text);
    }
    *value++ = '\0';
    line->key = trim(text);
    line->value = unquote(trim(value));
    return *line->key || err_set(err, "there is no key before the =");
}

/* --- all of them --- */

static bool add(struct conf *conf, const struct conf_line *line)
{
    struct conf_line *more = realloc(conf->lines, (conf->count + 1) * sizeof(*more));

    if (!more) {
        return false;
    }
    conf->lines = more;
    conf->lines[conf->count++] = *line;
    return true;
}

/* False: no memory. */
static bool read_lines(struct conf *conf, const char *path,
                       bool (*check)(const struct conf_line *line, struct err *err))
{
    char *rest = conf->text, *text;
    struct conf_line line = {0};
    bool lost = false; /* in a section whose name is wrong, whose lines are for nobody */

    for (unsigned number = 1; (text = strsep(&rest, "\n")); number++) {
        struct err err;
        bool good = true;

        cut_comment(text);
        text = trim(text);
        if (*text == '[') {
            line.domain = read_section(text, &err);
            good = line.domain != NULL;
            lost = !good;
        } else if (*text && !lost) {
            good = read_setting(text, &line, &err) && check(&line, &err);
            if (good && !add(conf, &line)) {
                return false;
            }
        }
        if (!good) {
            log_error("%s:%u: %s (left out%s)", path, number, err.text,
                      lost ? ", with all up to the next section" : "");
        }
    }
    return true;
}

bool conf_read(struct conf *conf, const char *path,
               bool (*check)(const struct conf_line *line, struct err *err), struct err *err)
{
    *conf = (struct conf){.text = read_file(path, err)};
    if (!conf->text) {
        return false;
    }
    if (!read_lines(conf, path, check)) {
        conf_free(conf);
        errno = ENOMEM;
        return err_set(err, "cannot read %s: no memory", path);
    }
    return true;
}

const char *conf_value(const struct conf *conf, const char *domain, const char *key)
{
    const char *of_all = NULL, *of_domain = NULL;

    for (size_t i = 0; conf && i < conf->count; i++) {
        const struct conf_line *line = &conf->lines[i];

        if (strcmp(line->key, key) != 0) {
            continue;
        }
        if (!line->domain) {
            of_all = line->value;
        } else if (domain && strcmp(line->domain, domain) == 0) {
            of_domain = line->value;
        }
    }
    return of_domain ? of_domain : of_all;
}

void conf_free(struct conf *conf)
{
    free(conf->lines);
    free(conf->text);
    *conf = (struct conf){0};
}
