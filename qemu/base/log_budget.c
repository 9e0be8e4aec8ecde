/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/log_budget.h"

#include "base/clock.h"

enum { BURST = 20 };
#define LINE_NS (60 * NS_PER_S)

void log_budget_init(struct log_budget *b)
{
    *b = (struct log_budget){.lines = BURST};
}

bool log_budget_take(struct log_budget *b, uint64_t now_ns)
{
    uint64_t more = (now_ns - b->raised_at) / LINE_NS;

    b->raised_at += more * LINE_NS;
    b->lines = more < BURST - b->lines ? b->lines + (unsigned)more : BURST;
    if (b->lines == 0) {
        return false;
    }
    b->lines--;
    return true;
}
