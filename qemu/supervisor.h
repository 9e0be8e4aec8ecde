/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The process that the toolstack knows, where there is a sound card of ours:
 * it forks the card, then the engine (the distribution's device model), hands
 * the toolstack's signals on to the engine and ends as the engine ends.
 */
#ifndef SUPERVISOR_H
#define SUPERVISOR_H

#include "base/conf.h"
#include "toolstack/plan.h"

/* Runs what the plan (PLAN_RUN_CARD) asks for, with the host's defaults; returns the exit status
 * if it could not be started, and else ends as the engine ends. Not from a process with threads. */
int supervisor_run(struct plan *plan, const struct conf *conf);

#endif
