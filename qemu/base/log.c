/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/log.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/realtime.h"

static const char *log_name = "qemu-dm";
static enum log_level log_threshold = LOG_LEVEL_INFO;
static uint64_t log_start_ns;

static void start_time(uint64_t now)
{
    if (!log_start_ns) {
        log_start_ns = now;
    }
}

void log_set_name(const char *name)
{
    log_name = name;
    start_time(clock_now_ns());
}

void log_set_level(enum log_level level)
{
    log_threshold = level;
}

void log_at(enum log_level level, const char *fmt, ...)
{
    static const char *const prefix[] = {"error: ", "warning: ", "", "debug: "};
    char line[1024];
    uint64_t now = clock_now_ns();
    va_list ap;
    int n;

    rt_forbid("log_at");
    if (level > log_threshold) {
        return;
    }
    start_time(now);
    n = snprintf(line, sizeof(line), "%s[%.3f]: %s", log_name,
                 (double)(now - log_start_ns) / (double)NS_PER_S, prefix[level]);
    va_start(ap, fmt);
    vsnprintf(line + n, sizeof(line) - (size_t)n - 1, fmt, ap);
    va_end(ap);
    /* What a toolstack or a server has named may hold anything; a line stays a line. */
    for (char *c = line; *c; c++) {
        if ((unsigned char)*c < ' ' || *c == 0x7f) {
            *c = '?';
        }
    }
    strcat(line, "\n");
    /* One write a line, so that the supervisor's, the card's and the engine's lines stay
     * whole; a log that cannot be written has nowhere to complain. */
    if (write(STDERR_FILENO, line, strlen(line)) < 0) {
        return;
    }
}
