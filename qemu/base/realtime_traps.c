/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * For builds that were configured with --enable-debug: the C library's
 * functions that allocate, lock, wait or do file I/O, in place of its own. Called
 * from the realtime path, by us or by a library that we call, they end the
 * program and name the function; from elsewhere they do what they always do.
 *
 * Not here are read and write, which on an event descriptor neither wait nor
 * allocate, and ioctl and mmap, by which Xen is called.
 */
#include "base/realtime.h"

#ifdef CONFIG_REALTIME_TRAPS

#include <dlfcn.h>
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

_Thread_local const char *rt_function;

static void say(const char *text)
{
    if (write(STDERR_FILENO, text, strlen(text)) < 0) {
        return; /* the program ends, with or without its last words */
    }
}

void rt_forbid(const char *what)
{
    const char *function = rt_function;

    if (function) {
        rt_function = NULL; /* abort may do what it likes */
        say("realtime: ");
        say(what);
        say(" called in ");
        say(function);
        say(", whose path neither allocates, locks, logs nor waits\n");
        abort();
    }
}

/* --- memory: glibc's own names for it, for dlsym allocates --- */

extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t count, size_t size);
extern void *__libc_realloc(void *old, size_t size);
extern void *__libc_memalign(size_t alignment, size_t size);
extern void __libc_free(void *memory);

void *malloc(size_t size)
{
    rt_forbid("malloc");
    return __libc_malloc(size);
}

void *calloc(size_t count, size_t size)
{
    rt_forbid("calloc");
    return __libc_calloc(count, size);
}

void *realloc(void *old, size_t size)
{
    rt_forbid("realloc");
    return __libc_realloc(old, size);
}

void *aligned_alloc(size_t alignment, size_t size)
{
    rt_forbid("aligned_alloc");
    return __libc_memalign(alignment, size);
}

int posix_memalign(void **memory, size_t alignment, size_t size)
{
    void *new;

    rt_forbid("posix_memalign");
    new = __libc_memalign(alignment, size);
    if (!new) {
        return ENOMEM;
    }
    *memory = new;
    return 0;
}

void free(void *memory)
{
    if (memory) {
        rt_forbid("free");
    }
    __libc_free(memory);
}

/* --- everything else: the next definition after ours, looked up at its first use --- */

/* TRAP(what it returns, its name, (its parameters), (their names)) */
#define TRAP(result, name, parameters, arguments)                                                  \
    result name parameters                                                                         \
    {                                                                                              \
        static result(*_Atomic real) parameters;                                                   \
        rt_forbid(#name);                                                                          \
        if (!real) {                                                                               \
            real = (result(*) parameters)dlsym(RTLD_NEXT, #name);                                  \
        }                                                                                          \
        return real arguments;                                                                     \
    }

/* clang-format off */

TRAP(int, pthread_mutex_lock, (pthread_mutex_t *m), (m))
TRAP(int, pthread_cond_wait, (pthread_cond_t *restrict c, pthread_mutex_t *restrict m), (c, m))
TRAP(int, pthread_cond_timedwait, (pthread_cond_t *restrict c, pthread_mutex_t *restrict m,
                                   const struct timespec *restrict until), (c, m, until))
TRAP(int, pthread_create, (pthread_t *restrict thread, const pthread_attr_t *restrict attributes,
                           void *(*run)(void *), void *restrict opaque),
     (thread, attributes, run, opaque))
TRAP(int, pthread_join, (pthread_t thread, void **result), (thread, result))
TRAP(int, sem_wait, (sem_t *s), (s))

TRAP(int, nanosleep, (const struct timespec *time, struct timespec *left), (time, left))
TRAP(int, clock_nanosleep, (clockid_t id, int flags, const struct timespec *time,
                            struct timespec *left), (id, flags, time, left))
TRAP(int, usleep, (useconds_t time), (time))
TRAP(unsigned, sleep, (unsigned seconds), (seconds))
TRAP(int, poll, (struct pollfd *fds, nfds_t count, int timeout), (fds, count, timeout))
TRAP(int, ppoll, (struct pollfd *fds, nfds_t count, const struct timespec *timeout,
                  const sigset_t *mask), (fds, count, timeout, mask))

TRAP(FILE *, fopen, (const char *restrict path, const char *restrict mode), (path, mode))
TRAP(int, fclose, (FILE *f), (f))
TRAP(int, fflush, (FILE *f), (f))
TRAP(size_t, fread, (void *restrict to, size_t size, size_t count, FILE *restrict f),
     (to, size, count, f))
TRAP(size_t, fwrite, (const void *restrict from, size_t size, size_t count, FILE *restrict f),
     (from, size, count, f))
TRAP(int, fputs, (const char *restrict text, FILE *restrict f), (text, f))
TRAP(int, puts, (const char *text), (text))
TRAP(int, vfprintf, (FILE *restrict f, const char *restrict format, va_list ap), (f, format, ap))

/* clang-format on */

int fprintf(FILE *restrict f, const char *restrict format, ...)
{
    va_list ap;
    int n;

    va_start(ap, format);
    n = vfprintf(f, format, ap);
    va_end(ap);
    return n;
}

int printf(const char *restrict format, ...)
{
    va_list ap;
    int n;

    va_start(ap, format);
    n = vfprintf(stdout, format, ap);
    va_end(ap);
    return n;
}

#endif
