/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Messages for the person who reads /var/log/xen/qemu-dm-DOMAIN.log: one line
 * each on standard error, with the process that speaks and the seconds since
 * the program started.
 *
 * Any thread but a realtime path (functions named rt_): those count, and
 * somebody else reports the counters.
 */
#ifndef BASE_LOG_H
#define BASE_LOG_H

enum log_level { LOG_LEVEL_ERROR, LOG_LEVEL_WARN, LOG_LEVEL_INFO, LOG_LEVEL_DEBUG };

/* Names the speaker ("qemu-dm", "card"); a string that lives as long as the process. The first
 * call is the time from which seconds are counted, in forked processes too. */
void log_set_name(const char *name);

/* Messages less important than level are left out; LOG_LEVEL_INFO to begin with. */
void log_set_level(enum log_level level);

void log_at(enum log_level level, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

#define log_error(...) log_at(LOG_LEVEL_ERROR, __VA_ARGS__)
#define log_warn(...)  log_at(LOG_LEVEL_WARN, __VA_ARGS__)
#define log_info(...)  log_at(LOG_LEVEL_INFO, __VA_ARGS__)
#define log_debug(...) log_at(LOG_LEVEL_DEBUG, __VA_ARGS__)

#endif
