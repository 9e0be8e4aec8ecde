/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The process that the toolstack knows, where there is anything to do beside the
 * engine: it forks the card, then the engine (the distribution's device model),
 * stands in the toolstack's conversation with it, so that the card is stopped,
 * saved and restored with the machine, hands the toolstack's signals on and ends
 * as the engine ends.
 */
#ifndef SUPERVISOR_H
#define SUPERVISOR_H

#include <stdint.h>

#include "base/conf.h"
#include "toolstack/plan.h"

/* Runs what the plan asks for, with the host's defaults: the card or what plays the engine's sound
 * (PLAN_RUN_...), and the engine. old_domid is the domain of a toolstack that talks over xenstore
 * (traditional.h), 0 for any other. Returns the exit status if it could not be started, and else
 * ends as the engine ends. Not from a process with threads. */
int supervisor_run(struct plan *plan, const struct conf *conf, uint16_t old_domid);

#endif
