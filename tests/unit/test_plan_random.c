/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Command lines put together at random from words that matter and from noise: whatever comes, the
 * plan is whole or refused with a reason, and the same each time. Built with sanitizers, this also
 * looks for memory misused and leaked.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "toolstack/plan.h"

#define ROUNDS    20000
#define WORDS_MAX 24

/* Numerical Recipes' generator: the same numbers on every machine. */
static uint32_t seed;

static uint32_t draw(uint32_t limit)
{
    seed = seed * 1664525u + 1013904223u;
    return (seed >> 8) % limit;
}

static const char *const words[] = {
    "-device",
    "--device",
    "-device",
    "-device",
    "-audiodev",
    "-audio",
    "-soundhw",
    "-machine",
    "-M",
    "-global",
    "-name",
    "-vga",
    "-net",
    "-nic",
    "-virtfs",
    "-nodefaults",
    "-xen-domid",
    "-S",
    "-chardev",
    "-incoming",
    "socket,id=libxl-cmd,path=/q,server=on",
    "socket,id=libxl-cmd,fd=3,server=on",
    "fd:7",
    "es1370",
    "ES1370",
    "es1370,addr=0x1f",
    "es1370,addr=,audiodev=x",
    "driver=es1370,id=q",
    "ac97",
    "hda-duplex,audiodev=y",
    "sb16,hda",
    "rtl8139,addr=3",
    "rtl8139",
    "VGA",
    "brand-new",
    "ide-cd,bus=ide.0",
    "pa,id=x",
    "none,id=y",
    "pa,model=es1370",
    "pa,model=es1370,id=x",
    "xenfv",
    "pc,accel=xen",
    "none",
    "q35",
    "std",
    "nic",
    "ES1370.audiodev=x",
    "AC97.audiodev=y",
    "pcspk-audiodev=x",
    "{\"driver\":\"es1370\"}",
    "help",
    "",
    "-",
    "--",
    "=",
    ",",
    ",,",
    ",,,=,,",
    "=,=,",
    "5",
    "-1",
    "\xff\xfe",
    "%n%s",
    "--help",
};

/* A word of the list, one with bytes changed, or a long one; to be freed. */
static char *make_word(void)
{
    const char *from = words[draw(sizeof(words) / sizeof(words[0]))];
    char *word;

    if (draw(50) == 0) {
        size_t length = draw(100000);

        word = malloc(length + 1);
        assert_non_null(word);
        memset(word, ",=-a"[draw(4)], length);
        word[length] = '\0';
        return word;
    }
    word = strdup(from);
    assert_non_null(word);
    if (*word && draw(10) == 0)
        word[draw((uint32_t)strlen(word))] = (char)(1 + draw(255));
    return word;
}

static void assert_whole(const struct plan *plan)
{
    if (plan->action == PLAN_SHOW_HELP || plan->action == PLAN_SHOW_VERSION) {
        assert_null(plan->engine_argv);
        return;
    }
    assert_string_equal(plan->engine_argv[0], "/engine");
    if (plan->action == PLAN_BECOME_ENGINE) {
        assert_null(plan->audiodev);
        return;
    }
    assert_in_range(plan->domid, 1, 32751);
    if (plan->action == PLAN_RUN_ENGINE_SOUND) {
        assert_int_equal(plan->pipe_argument, 2);
        assert_int_equal(strncmp(plan->engine_argv[2], "wav,id=", 7), 0);
        return;
    }
    assert_int_equal(plan->action, PLAN_RUN_CARD);
    assert_in_range(plan->card_slot, 2, 31);
    assert_non_null(plan->domain_name);
    assert_non_null(plan->card_id);

    /* exactly one silent card holds the slot */
    int holders = 0;
    for (char **arg = plan->engine_argv; *arg; arg++)
        holders +=
            strncmp(*arg, "es1370,", 7) == 0 && strstr(*arg, ",audiodev=qemu-dm-silent") != NULL;
    assert_int_equal(holders, 1);
}

static void assert_same(const struct plan *a, const struct plan *b)
{
    size_t i = 0;

    assert_int_equal(a->action, b->action);
    assert_int_equal(a->card_slot, b->card_slot);
    for (; a->engine_argv && a->engine_argv[i]; i++)
        assert_string_equal(a->engine_argv[i], b->engine_argv[i]);
    assert_true(!b->engine_argv || !b->engine_argv[i]);
}

static void set_descriptors(struct plan *plan)
{
    struct err err;

    if (plan->qmp_argument) {
        assert_true(plan_set_qmp_fd(plan, 33, &err));
        assert_non_null(strstr(plan->engine_argv[plan->qmp_argument], ",fd=33"));
    }
    if (plan->pipe_argument) {
        assert_true(plan_set_pipe_fd(plan, 34, &err));
        assert_non_null(strstr(plan->engine_argv[plan->pipe_argument], ",path=/dev/fd/34"));
    }
}

static void test_random_lines(void **state)
{
    int refused = 0, cards = 0, engine_cards = 0, sockets = 0;

    (void)state;
    seed = 1370;
    for (int round = 0; round < ROUNDS; round++) {
        char *made[WORDS_MAX];
        const char *args[WORDS_MAX + 5] = {"qemu-dm", "-xen-domid", "5", "-device", "es1370"};
        int head = (int[]){1, 3, 5, 5}[draw(4)]; /* how many of these are there */
        int count = (int)draw(WORDS_MAX);
        struct plan plan, again;
        struct err err = {""};

        for (int i = 0; i < count; i++)
            args[head + i] = made[i] = make_word();
        if (plan_make(&plan, head + count, args, "/engine", &err)) {
            assert_whole(&plan);
            assert_true(plan_make(&again, head + count, args, "/engine", &err));
            assert_same(&plan, &again);
            cards += plan.action == PLAN_RUN_CARD;
            engine_cards += plan.action == PLAN_RUN_ENGINE_SOUND;
            sockets += plan.qmp_argument != 0;
            set_descriptors(&plan);
            plan_free(&again);
        } else {
            assert_true(strlen(err.text) > 10);
            refused++;
        }
        plan_free(&plan);
        for (int i = 0; i < count; i++)
            free(made[i]);
    }
    /* the words are such that every way was gone often */
    assert_in_range(cards, ROUNDS / 50, ROUNDS);
    assert_in_range(refused, ROUNDS / 50, ROUNDS);
    assert_in_range(engine_cards, ROUNDS / 100, ROUNDS);
    assert_in_range(sockets, ROUNDS / 1000, ROUNDS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_random_lines),
    };

    return cmocka_run_group_tests_name("plan_random", tests, NULL, NULL);
}
