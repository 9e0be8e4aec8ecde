/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The whole program as a toolstack starts it, with the fakes instead of Xen:
 * for tests that look at it from the outside. It is tests/qemu-dm-fake, or what
 * QEMU_DM_PROGRAM names, such as the installed one, with tests/fake-xen.so.
 */
#ifndef PROCESS_PROGRAM_H
#define PROCESS_PROGRAM_H

#include <stdbool.h>
#include <sys/types.h>

/* Everything here happens within milliseconds; this long means never. */
enum { DEADLINE_MS = 8000 };

extern char dir[32];         /* the test's own */
extern char log_path[64];    /* what the fakes saw */
extern char stderr_path[64]; /* what the user would read */
extern char run_path[64];    /* QEMU_DM_RUNDIR */
extern char program[512];    /* its path */
extern char engine[512];     /* QEMU_DM_ENGINE */

/* Called in each process that is to become the program, until the next fresh_logs; NULL: nothing
 * is. False: then it ends instead. */
extern bool (*before_start)(void);

/* Makes the folder and the environment. engine_name: a file of tests/process. False, with a
 * message, if that cannot be. */
bool prepare_program(const char *engine_name);
void clear_up_program(void);

/* Whether the fakes are in the program, instead of qemu/xen/. */
bool program_is_fake(void);

/* A cmocka setup: logs that say nothing yet, and no fake told to do anything. */
int fresh_logs(void **state);

/* behaviour: what FAKE_ENGINE says. args: ended by NULL. */
pid_t start(const char *behaviour, const char *const args[]);

/* Waits for its end, and returns waitpid's status. */
int end_of(pid_t pid);

void pause_ms(unsigned ms);
char *slurp(const char *path);                      /* a text; good until the next call */
bool file_says(const char *path, const char *what); /* sooner or later */
long number_after(const char *what);                /* where the fakes' log says it last */
bool gone(pid_t pid);                               /* sooner or later */
pid_t child_named(pid_t parent, const char *name);  /* likewise; by what ps calls it */

#endif
