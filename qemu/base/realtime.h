/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The realtime path: what is done between a guest's access, or the card's
 * timer, and its answer. Its functions are named rt_, and neither allocate,
 * lock, log nor wait. What they may do is compute, use atomics and memory that
 * is there, read the clock, write to an event descriptor, and call Xen, which
 * answers at once.
 *
 * Where ./configure --enable-debug was given, whoever breaks this is stopped:
 * see realtime_traps.c.
 */
#ifndef BASE_REALTIME_H
#define BASE_REALTIME_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "config.h"

/*
 * Makes the calling thread, and the threads that it starts from now on,
 * SCHED_RR, and keeps the process's memory from being paged out: both are
 * what a sound's thread needs to be on time beside a busy host. False, with err
 * saying what is missing and how to allow it, where the system does not let it;
 * the process goes on as it was.
 */
bool realtime_enter(struct err *err);

#ifdef CONFIG_REALTIME_TRAPS

/* The realtime function that the thread is in; NULL: in none. */
extern _Thread_local const char *rt_function;

/* Ends the program, with what (the name of a function) in its last words, in a realtime function.
 */
void rt_forbid(const char *what);

static inline const char *rt_enter(const char *function)
{
    const char *before = rt_function;

    rt_function = function;
    return before;
}

static inline void rt_leave(const char **before)
{
    rt_function = *before;
}

#define RT_SCOPE(function)                                                                         \
    const char *rt_before __attribute__((unused, cleanup(rt_leave))) = rt_enter(function)

/* At the top of a function, as a declaration: this is the realtime path, until it returns. */
#define RT_PATH() RT_SCOPE(__func__)

/* Likewise: this function is reached from the realtime path and does what that may not do, for the
 * reason given (a string). */
#define RT_EXEMPT(reason) RT_SCOPE(NULL)

#else

static inline void rt_forbid(const char *what)
{
    (void)what;
}

#define RT_PATH()         _Static_assert(true, "")
#define RT_EXEMPT(reason) _Static_assert(true, reason)

#endif

#endif
