/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The traps of a debug build: what a realtime path may not do ends the program
 * with a message, in a realtime path and nowhere else.
 */
#include <pthread.h>
#include <semaphore.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <poll.h>

#include <cmocka.h>

#include "audio/ring.h"
#include "base/log.h"
#include "base/realtime.h"

static void *volatile memory;
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t condition = PTHREAD_COND_INITIALIZER;
static const struct timespec no_time;
static const char *volatile text = "text"; /* compilers know what to do with less */

static void *nothing(void *opaque)
{
    return opaque;
}

/* What is trapped, each in a way that ends soon where it is not. */

static void call_malloc(void)
{
    memory = malloc(1);
}

static void call_calloc(void)
{
    memory = calloc(1, 1);
}

static void call_realloc(void)
{
    memory = realloc(memory, 2);
}

static void call_aligned_alloc(void)
{
    memory = aligned_alloc(64, 64);
}

static void call_posix_memalign(void)
{
    void *aligned = NULL;

    if (posix_memalign(&aligned, 64, 64) == 0) {
        memory = aligned;
    }
}

static void call_free(void)
{
    free(memory);
    memory = NULL;
}

/* Within the C library. */
static void call_strdup(void)
{
    memory = strdup(text);
}

static void call_mutex_lock(void)
{
    pthread_mutex_lock(&mutex);
    pthread_mutex_unlock(&mutex);
}

static void call_cond_wait(void)
{
    pthread_cond_wait(&condition, &mutex);
}

static void call_cond_timedwait(void)
{
    pthread_cond_timedwait(&condition, &mutex, &no_time);
}

static void call_pthread_create(void)
{
    pthread_t thread;

    pthread_create(&thread, NULL, nothing, NULL);
    pthread_join(thread, NULL);
}

static void call_pthread_join(void)
{
    pthread_join(pthread_self(), NULL);
}

static void call_sem_wait(void)
{
    sem_t s;

    sem_init(&s, 0, 1);
    sem_wait(&s);
}

static void call_nanosleep(void)
{
    nanosleep(&no_time, NULL);
}

static void call_clock_nanosleep(void)
{
    clock_nanosleep(CLOCK_MONOTONIC, 0, &no_time, NULL);
}

static void call_usleep(void)
{
    usleep(1);
}

static void call_sleep(void)
{
    sleep(0);
}

static void call_poll(void)
{
    poll(NULL, 0, 0);
}

static void call_ppoll(void)
{
    ppoll(NULL, 0, &no_time, NULL);
}

static void call_log(void)
{
    log_debug("not even a line that is left out");
}

static void call_fopen(void)
{
    memory = fopen("/dev/null", "r");
}

static void call_fclose(void)
{
    fclose(stdin);
}

static void call_fflush(void)
{
    fflush(stdout);
}

static void call_fread(void)
{
    char c;

    memory = fread(&c, 1, 0, stdin) ? &c : NULL;
}

static void call_fwrite(void)
{
    fwrite(text, 1, 4, stderr);
}

static void call_fputs(void)
{
    fputs(text, stderr);
}

static void call_puts(void)
{
    puts(text);
}

static void call_printf(void)
{
    printf("%d%s", 1, text);
}

static void call_fprintf(void)
{
    fprintf(stderr, "%d%s", 1, text);
}

/* In a realtime path, in a process of its own, whose last words it takes. Returns its status. */
static int status_of(void (*call)(void), bool realtime, char *words, size_t size)
{
    int ends[2], status;
    ssize_t n, length = 0;
    pid_t pid;

    assert_int_equal(pipe(ends), 0);
    fflush(NULL);
    pid = fork();
    if (pid == 0) {
        const struct rlimit no_core = {0, 0};

        setrlimit(RLIMIT_CORE, &no_core);
        dup2(ends[1], STDERR_FILENO);
        close(ends[0]);
        close(ends[1]);
        call_malloc();
        if (realtime) {
            RT_PATH();

            call();
        } else {
            call();
        }
        _exit(0);
    }
    close(ends[1]);
    while ((n = read(ends[0], words + length, size - 1 - (size_t)length)) > 0) {
        length += n;
    }
    words[length] = '\0';
    close(ends[0]);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    return status;
}

static void each_is_trapped(void **state)
{
    static const struct {
        const char *name;
        void (*call)(void);
    } kinds[] = {
        {"malloc", call_malloc},
        {"calloc", call_calloc},
        {"realloc", call_realloc},
        {"aligned_alloc", call_aligned_alloc},
        {"posix_memalign", call_posix_memalign},
        {"free", call_free},
        {"malloc", call_strdup},
        {"pthread_mutex_lock", call_mutex_lock},
        {"pthread_cond_wait", call_cond_wait},
        {"pthread_cond_timedwait", call_cond_timedwait},
        {"pthread_create", call_pthread_create},
        {"pthread_join", call_pthread_join},
        {"sem_wait", call_sem_wait},
        {"nanosleep", call_nanosleep},
        {"clock_nanosleep", call_clock_nanosleep},
        {"usleep", call_usleep},
        {"sleep", call_sleep},
        {"poll", call_poll},
        {"ppoll", call_ppoll},
        {"log_at", call_log},
        {"fopen", call_fopen},
        {"fclose", call_fclose},
        {"fflush", call_fflush},
        {"fread", call_fread},
        {"fwrite", call_fwrite},
        {"fputs", call_fputs},
        {"puts", call_puts},
        {"vfprintf", call_printf},
        {"vfprintf", call_fprintf},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        char words[256], expected[256];
        int status = status_of(kinds[i].call, true, words, sizeof(words));

        snprintf(expected, sizeof(expected),
                 "realtime: %s called in status_of, whose path neither allocates, locks, logs nor "
                 "waits\n",
                 kinds[i].name);
        assert_string_equal(words, expected);
        assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
    }
}

static void exempted(void)
{
    RT_EXEMPT("a test");

    call_malloc();
    call_log();
}

static void calls_the_exempted(void)
{
    exempted();
    call_free(); /* after it the path is what it was */
}

static void allowed(void)
{
    static struct ring ring;
    uint64_t one = 1;
    int fd = eventfd(0, EFD_CLOEXEC);
    size_t len;

    rt_ring_write_block(&ring, &len);
    if (write(fd, &one, sizeof(one)) != sizeof(one)) {
        _exit(2);
    }
    free(NULL); /* Xen's library does */
}

static void *allocates(void *opaque)
{
    call_malloc();
    call_log();
    return opaque;
}

/* One thread's realtime path is not another's. */
static void while_another_allocates(void)
{
    pthread_t thread;
    RT_EXEMPT("to start the other");

    pthread_create(&thread, NULL, allocates, NULL);
    pthread_join(thread, NULL);
}

static void only_where_it_should_be(void **state)
{
    static void (*const calls[])(void) = {exempted, allowed, while_another_allocates};
    static void (*const outside[])(void) = {call_malloc,     call_log,    call_fopen,
                                            call_mutex_lock, call_usleep, call_sem_wait,
                                            call_fprintf,    allowed};
    char words[256];
    int status;

    (void)state;
    for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++) {
        assert_int_equal(status_of(calls[i], true, words, sizeof(words)), 0);
    }
    for (size_t i = 0; i < sizeof(outside) / sizeof(outside[0]); i++) {
        assert_int_equal(status_of(outside[i], false, words, sizeof(words)), 0);
    }
    status = status_of(calls_the_exempted, true, words, sizeof(words));
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
    assert_non_null(strstr(words, "free called in status_of"));
}

int main(void)
{
#ifdef CONFIG_REALTIME_TRAPS
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_is_trapped),
        cmocka_unit_test(only_where_it_should_be),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
#else
    (void)each_is_trapped;
    (void)only_where_it_should_be;
    puts("no traps in this build: make check-realtime");
    return 77;
#endif
}
