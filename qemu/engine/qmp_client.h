/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A QMP conversation of our own with the engine, one command at a time.
 *
 * One thread at a time. Every call returns within the time that an answer may take: the engine is
 * another program, and whoever waits for it here has other things to do.
 */
#ifndef ENGINE_QMP_CLIENT_H
#define ENGINE_QMP_CLIENT_H

#include <stdint.h>

#include <jansson.h>

#include "base/err.h"

struct qmp_client;

/* Takes over a connected socket (closed on failure too), reads the greeting and negotiates; NULL
 * with err set. */
struct qmp_client *qmp_client_open(int fd, struct err *err);

/* c may be NULL. */
void qmp_client_close(struct qmp_client *c);

/* From now on an answer may take ns nanoseconds; 10 seconds to begin with. */
void qmp_client_allow(struct qmp_client *c, uint64_t ns);

/* The value of "return", a new reference; NULL with err set: the engine's own words, or that it has
 * not answered in time, or is gone. After one of the latter two, or an answer that cannot be
 * understood, every further command fails. arguments are stolen and may be NULL. fd is passed along
 * and stays the caller's; -1: none. Events are skipped. */
json_t *qmp_client_ask(struct qmp_client *c, const char *command, json_t *arguments, int fd,
                       struct err *err);

#endif
