/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/log_budget.h"

#include "base/clock.h"

enum { BURST = 20 };

void log_budget_init(struct log_budget *b)
{
    *b = (struct log_budget){.lines = BURST};
}

bool log_budget_take(struct log_budget *b, uint64_t now_ns)
{
    uint64_t seconds = (now_ns - b->raised_at) / NS_PER_S;

    b->raised_at += seconds * NS_PER_S;
    b->lines = seconds < BURST - b->lines ? b->lines + (unsigned)seconds : BURST;
    if (b->lines == 0) {
        return false;
    }
    b->lines--;
    return true;
}
