/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Command lines of any kind: an argument a line, as in tests/unit/golden/. Whatever comes, the plan
 * is whole or refused with a reason, options that are to be kept arrive in their order, and no
 * memory is misused. One of the old program's is translated first, for a domain of which xenstore
 * knows this or that.
 */
#include <string.h>

#include "fuzz/shared/expect.h"
#include "toolstack/old_line.h"
#include "toolstack/option.h"
#include "toolstack/plan.h"

enum { ARGS_MAX = 256, SAVED_STATE_FD = 35 };

static int split(char *text, const char *args[ARGS_MAX])
{
    int count = 0;

    for (char *arg; count < ARGS_MAX && (arg = strsep(&text, "\n")) != NULL;) {
        args[count++] = arg;
    }
    return count;
}

/* Each option that is kept is in the engine's line, behind the one before it. */
static void check_kept(char **engine_argv, const char *const args[], size_t count)
{
    /* A line that was translated may have more words than the input's. */
    struct option *options = calloc(count + 1, sizeof(*options));
    char **at = engine_argv + 1;
    size_t option_count;

    expect(options != NULL, "memory");
    option_count = options_read(options, args, count);
    for (size_t i = 0; i < option_count; i++) {
        if (options[i].use != OPTION_KEPT) {
            continue;
        }
        for (size_t j = 0; j < options[i].arg_count; j++) {
            while (*at && strcmp(*at, options[i].args[j]) != 0) {
                at++;
            }
            expect(*at != NULL, "what is kept arrives");
            at++;
        }
    }
    free(options);
}

static void check(struct plan *plan, const char *const args[], int count)
{
    struct err err;

    if (plan->action == PLAN_SHOW_HELP || plan->action == PLAN_SHOW_VERSION ||
        plan->action == PLAN_SHOW_STATUS) {
        expect(!plan->engine_argv, "no engine");
        return;
    }
    expect(strcmp(plan->engine_argv[0], "/engine") == 0, "an engine");
    check_kept(plan->engine_argv, args + 1, count > 0 ? (size_t)count - 1 : 0);
    expect(!plan->qmp_argument == !(plan->qmp_path || plan->qmp_fd >= 0), "where QMP is expected");
    if (plan->qmp_argument) {
        expect(plan_set_qmp_fd(plan, 33, &err), "a descriptor for QMP");
        expect(strstr(plan->engine_argv[plan->qmp_argument], "fd=33") != NULL, "it is there");
    }
    expect(!plan->pipe_argument == (plan->action != PLAN_RUN_ENGINE_SOUND), "a pipe");
    if (plan->pipe_argument) {
        expect(plan_set_pipe_fd(plan, 34, &err), "a descriptor for the pipe");
        expect(strstr(plan->engine_argv[plan->pipe_argument], "/dev/fd/34") != NULL, "it is there");
    }
    if (plan->action != PLAN_BECOME_ENGINE) {
        expect(plan->domid > 0 && plan->domain_name, "a domain");
    }
    if (plan->action == PLAN_RUN_CARD) {
        expect(plan->card_slot >= 2 && plan->card_slot < 32, "a slot");
        expect(plan->card_id != NULL, "an id");
    }
}

static void plan_and_check(const char *const args[], int count, uint16_t domid)
{
    struct err err = {""};
    struct plan plan;

    if (plan_make(&plan, count, args, "/engine", &err)) {
        check(&plan, args, count);
        expect(!domid || !plan.domid || plan.domid == domid, "the same domain");
    } else {
        expect(strlen(err.text) > 10, "a reason");
        expect(!plan.engine_argv && !plan.audiodev && !plan.note, "nothing else");
    }
    plan_free(&plan);
}

/* --- an old command line --- */

/* The next of numbers that an input always leads to. */
static uint32_t pick(uint32_t *state, uint32_t below)
{
    *state = *state * 1664525 + 1013904223;
    return (uint32_t)((uint64_t)*state * below >> 32);
}

static void make_disk(struct old_disk *disk, const char *const args[], int count, uint32_t *state)
{
    static const char *const formats[] = {"raw", "qcow2", "vpc", "vhdx"};

    disk->vbd = pick(state, 1 << 16);
    disk->is_scsi = pick(state, 2);
    disk->unit = pick(state, disk->is_scsi ? 7 : 4);
    disk->is_cdrom = pick(state, 2);
    disk->is_read_only = pick(state, 2);
    disk->format = formats[pick(state, 4)];
    if (!disk->is_cdrom || pick(state, 2)) {
        snprintf(disk->path, sizeof(disk->path), "/%s", args[pick(state, (uint32_t)count)]);
    }
}

static void make_facts(struct old_facts *facts, const char *const args[], int count, uint32_t state)
{
    static const uint64_t sizes[] = {0, 1, 4096, 1 << 20, UINT64_C(1) << 32, UINT64_MAX};

    memset(facts, 0, sizeof(*facts));
    facts->memory_kib = sizes[pick(&state, 6)];
    facts->videoram_kib = sizes[pick(&state, 6)];
    facts->mmio_hole_bytes = sizes[pick(&state, 6)];
    facts->vcpus_online = pick(&state, 2 * OLD_VCPUS_MAX);
    facts->no_platform_device = pick(&state, 2);
    facts->disk_count = pick(&state, OLD_DISKS_MAX + 1);
    for (unsigned i = 0; i < facts->disk_count; i++) {
        make_disk(&facts->disks[i], args, count, &state);
    }
    if (pick(&state, 2)) {
        snprintf(facts->vnc_password_path, sizeof(facts->vnc_password_path), "/vm/%s",
                 args[pick(&state, (uint32_t)count)]);
    }
}

static void translate(const char *const args[], int count, uint32_t seed)
{
    static struct old_line line;
    static struct old_facts facts;
    struct err err = {""};
    char **modern = NULL;
    int modern_count = 0;

    make_facts(&facts, args, count, seed);
    if (old_line_read(&line, count, args, &err)) {
        modern = old_line_translate(&line, &facts, line.loadvm ? SAVED_STATE_FD : -1, &err);
    }
    if (!modern) {
        expect(strlen(err.text) > 10, "a reason");
        return;
    }
    while (modern[modern_count]) {
        modern_count++;
    }
    expect(modern_count > 0 && strcmp(modern[0], "qemu-dm") == 0, "a name");
    expect(!old_line_is(modern_count, (const char *const *)modern), "it is modern");
    plan_and_check((const char *const *)modern, modern_count, line.domid);
    old_argv_free(modern);
}

/* --- */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *args[ARGS_MAX];
    char *text = malloc(size + 1);
    uint32_t seed = 1;
    int count;

    if (!text) {
        return 0;
    }
    memcpy(text, data, size);
    text[size] = '\0';
    for (size_t i = 0; i < size; i++) {
        seed = seed * 31 + data[i];
    }
    count = split(text, args);
    if (old_line_is(count, args)) {
        translate(args, count, seed);
    }
    plan_and_check(args, count, 0);
    free(text);
    return 0;
}
