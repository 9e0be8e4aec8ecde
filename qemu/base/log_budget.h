/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How much may be logged of what a guest, or a server that comes and goes, can
 * make happen without end: twenty lines at once, then one a minute, so that a day of it is some
 * hundred KiB. What a line that is left out would have counted is added to the next.
 */
#ifndef BASE_LOG_BUDGET_H
#define BASE_LOG_BUDGET_H

#include <stdbool.h>
#include <stdint.h>

struct log_budget {
    unsigned lines; /* that may be logged now */
    uint64_t raised_at;
};

void log_budget_init(struct log_budget *b);

/* Whether a line may be logged now; if so, it is taken off. */
bool log_budget_take(struct log_budget *b, uint64_t now_ns);

#endif
