/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "toolstack/plan.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "toolstack/arguments.h"
#include "toolstack/audiodevs.h"
#include "toolstack/engine_cards.h"
#include "toolstack/es1370_option.h"
#include "toolstack/migration.h"
#include "toolstack/option.h"
#include "toolstack/pci_slots.h"

/* Xen's ids from DOMID_FIRST_RESERVED on are no domains (xen/include/public/xen.h). */
#define DOMID_MAX 0x7fef

/* --- the options that concern us --- */

/* The value of the last -NAME; NULL if there is none. */
static const char *last_value(const struct option *options, size_t count, const char *name)
{
    const char *value = NULL;

    for (size_t i = 0; i < count; i++) {
        if (option_is(&options[i], name))
            value = options[i].value;
    }
    return value;
}

static bool read_domid(uint16_t *domid, const char *text, struct err *err)
{
    char *end;
    long number;

    errno = 0;
    number = strtol(text, &end, 10);
    if (end == text || *end != '\0' || errno != 0 || number < 1 || number > DOMID_MAX)
        return err_set(err, "-xen-domid %.100s: not the number of a domain, which is from 1 to %d",
                       text, DOMID_MAX);
    *domid = (uint16_t)number;
    return true;
}

static bool read_domain_name(char **domain_name, const struct option *options, size_t count,
                             struct err *err)
{
    const char *text = last_value(options, count, "name");

    *domain_name = NULL;
    if (text && !option_text_get(text, "guest", "guest", domain_name))
        return option_no_memory(err);
    if (!*domain_name && !(*domain_name = strdup("")))
        return option_no_memory(err);
    return true;
}

/* Whether the words of the command line ask for help, the version or the status of qemu-dm itself:
 * with two dashes anywhere, or with one dash as the only word. (-help among other options is
 * QEMU's.) */
static bool asks_for_us(enum plan_action *action, const struct option *options, size_t count,
                        size_t arg_count)
{
    bool asks = false;

    for (size_t i = 0; i < count; i++) {
        const struct option *option = &options[i];

        if (!option->name || (arg_count > 1 && option->args[0][1] != '-'))
            continue;
        if (strcmp(option->name, "help") == 0 || strcmp(option->name, "h") == 0) {
            *action = PLAN_SHOW_HELP;
            return true;
        }
        if (strcmp(option->name, "version") == 0) {
            *action = PLAN_SHOW_VERSION;
            return true;
        }
        if (strcmp(option->name, "status") == 0) {
            *action = PLAN_SHOW_STATUS; /* but for help, which may follow */
            asks = true;
        }
    }
    return asks;
}

/* --- the engine's command line --- */

/* qmp: the option of the QMP socket, or NULL. */
static bool make_engine_argv(struct plan *plan, const char *engine, const struct arguments *head,
                             const struct option *options, size_t count, const struct option *qmp,
                             struct err *err)
{
    struct arguments arguments = {.list = NULL};
    bool ok = arguments_add(&arguments, engine) &&
              arguments_add_all(&arguments, (const char *const *)head->list, head->count);

    for (size_t i = 0; ok && i < count; i++) {
        if (&options[i] == qmp)
            plan->qmp_argument = arguments.count + 1;
        ok = option_add_to(&options[i], &arguments);
    }
    plan->engine_argv = arguments.list;
    return ok || option_no_memory(err);
}

/* --- the plan --- */

/* What the supervisor has to know for saving and restoring; *qmp is the option of the QMP socket.
 */
static bool read_migration(struct plan *plan, const struct option **qmp,
                           const struct option *options, size_t count, struct err *err)
{
    const char *incoming = last_value(options, count, "incoming");
    struct qmp_socket socket;
    bool ok = qmp_socket_find(&socket, options, count, err);

    *qmp = socket.option;
    plan->qmp_path = socket.path;
    plan->qmp_fd = socket.fd;
    plan->incoming = incoming != NULL;
    plan->incoming_fd = incoming ? incoming_fd(incoming) : -1;
    return ok;
}

/* Adds a sentence, made as by printf, to the plan's note. */
static bool add_note(struct plan *plan, struct err *err, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static bool add_note(struct plan *plan, struct err *err, const char *format, ...)
{
    char *sentence, *note;
    va_list values;
    int length;

    va_start(values, format);
    length = vasprintf(&sentence, format, values);
    va_end(values);
    if (length < 0)
        return option_no_memory(err);
    if (!plan->note) {
        plan->note = sentence;
        return true;
    }
    length = asprintf(&note, "%s; %s", plan->note, sentence);
    free(sentence);
    if (length < 0)
        return option_no_memory(err);
    free(plan->note);
    plan->note = note;
    return true;
}

/* Gives the engine's cards an audiodev, and notes what could not be had of them. */
static bool connect_cards(struct plan *plan, struct arguments *head, struct option *options,
                          size_t count, const char *id, struct err *err)
{
    char *unknown;
    bool ok = engine_cards_connect(head, &unknown, options, count, id, err);

    if (ok && unknown)
        ok = add_note(plan, err, "there is no sound card %.100s: it is left out", unknown);
    free(unknown);
    return ok;
}

/* other: the model of a card that is the engine's, or NULL. */
static bool run_card(struct plan *plan, struct arguments *head, struct option *options,
                     size_t count, const struct machine *machine, struct option *card,
                     const char *other, struct err *err)
{
    bool shared;

    plan->action = PLAN_RUN_CARD;
    return read_domid(&plan->domid, last_value(options, count, "xen-domid"), err) &&
           read_domain_name(&plan->domain_name, options, count, err) &&
           es1370_place(&plan->card_slot, &plan->note, machine, options, count, card, err) &&
           (es1370_id(&plan->card_id, card) || option_no_memory(err)) &&
           audiodev_choose(&plan->audiodev, &shared, options, count, card, err) &&
           es1370_replace(head, card, plan->card_slot, shared ? plan->audiodev : NULL, err) &&
           connect_cards(plan, head, options, count, SILENT_AUDIODEV_ID, err) &&
           (!other || add_note(plan, err,
                               "sound card %.100s is silent: beside es1370 the engine's cards are "
                               "not heard; leave one of them out",
                               other));
}

/* Whether somebody has said what the machine's speaker plays to. */
static bool speaker_is_joined(bool *joined, const struct option *options, size_t count)
{
    *joined = false;
    for (size_t i = 0; i < count; i++) {
        char *id = NULL;

        if ((option_is(&options[i], "machine") || option_is(&options[i], "M")) &&
            !option_text_get(options[i].value, "type", "pcspk-audiodev", &id))
            return false;
        *joined = *joined || id;
        free(id);
    }
    return true;
}

/* The place of its descriptor is left open: see plan_set_pipe_fd. */
static bool add_pipe(struct arguments *head, const struct option *options, size_t count,
                     const char *id, struct err *err)
{
    bool joined;
    bool ok = arguments_add(head, "-audiodev") &&
              arguments_add_made(head,
                                 "wav,id=%s,out.frequency=48000,out.channels=2,out.format=s16,"
                                 "out.fixed-settings=on",
                                 id) &&
              speaker_is_joined(&joined, options, count);

    if (ok && !joined)
        ok = arguments_add(head, "-machine") && arguments_add_made(head, "pcspk-audiodev=%s", id);
    return ok || option_no_memory(err);
}

/* With at least one card that is the engine's, model being its first. */
static bool run_engine_sound(struct plan *plan, struct arguments *head, struct option *options,
                             size_t count, const char *model, struct err *err)
{
    struct arguments more = {.list = NULL};
    char *id = NULL, *silenced = NULL;
    bool pipe = false, ok;

    ok = audiodev_take_hosts(&plan->audiodev, &id, &silenced, &more, options, count, err);
    if (ok && (plan->audiodev || !id)) {
        pipe = true;
        ok = add_pipe(head, options, count, id ? id : PIPE_AUDIODEV_ID, err);
    }
    ok = ok && connect_cards(plan, &more, options, count, id ? id : PIPE_AUDIODEV_ID, err) &&
         (arguments_add_all(head, (const char *const *)more.list, more.count) ||
          option_no_memory(err));
    if (ok && pipe) {
        plan->action = PLAN_RUN_ENGINE_SOUND;
        plan->pipe_argument = 2; /* head comes right behind the engine's path */
        ok = read_domid(&plan->domid, last_value(options, count, "xen-domid"), err) &&
             read_domain_name(&plan->domain_name, options, count, err) &&
             add_note(plan, err,
                      "sound card %.100s is emulated by the engine: it is heard later than es1370 "
                      "(soundhw=\"es1370\") would be, and records nothing",
                      model);
    } else if (ok) {
        ok = add_note(plan, err,
                      "sound card %.100s plays to the engine's own -audiodev %.100s: only pa, "
                      "pipewire, alsa and oss are played by qemu-dm",
                      model, id);
    }
    if (ok && silenced)
        ok = add_note(plan, err,
                      "-audiodev %.100s is silent: the engine's sound cards share one; give each "
                      "the same",
                      silenced);
    arguments_free(&more);
    free(id);
    free(silenced);
    return ok;
}

/* Whether this is one of the options that stand alone. */
static bool has_word(const struct option *options, size_t count, const char *name)
{
    for (size_t i = 0; i < count; i++) {
        if (options[i].name && strcmp(options[i].name, name) == 0)
            return true;
    }
    return false;
}

/* libxl calls the stubdomain of DOMAIN so; the device model inside is another program. */
static bool is_stubdomain(const char *domain_name)
{
    size_t length = strlen(domain_name);

    return length > 3 && strcmp(domain_name + length - 3, "-dm") == 0;
}

/* -xen-attach: a backend for a domain without an emulated machine, which a stubdomain is, too. The
 * engine would refuse an -audiodev that it does not know, such as one in device_model_args, which
 * libxl gives to backends as well. */
static bool serve_backend(struct plan *plan, struct option *options, size_t count, struct err *err)
{
    struct arguments none = {.list = NULL};
    char *audiodev, *id, *silenced, *name = NULL;
    bool ok = audiodev_take_hosts(&audiodev, &id, &silenced, &none, options, count, err) &&
              read_domain_name(&name, options, count, err);

    if (ok && audiodev)
        ok = add_note(plan, err,
                      "-audiodev %.100s is left out: this domain has no emulated sound card; for "
                      "one that has, write it in device_model_args_hvm",
                      audiodev);
    if (ok && is_stubdomain(name))
        ok = add_note(plan, err,
                      "%.100s looks like a stubdomain: what its domain plays is not heard; for "
                      "sound write device_model_stubdomain_override=0",
                      name);
    arguments_free(&none);
    free(audiodev);
    free(id);
    free(silenced);
    free(name);
    return ok;
}

/* Decides what is to be done, changes the options accordingly and says what goes before them. */
static bool decide(struct plan *plan, struct arguments *head, const struct option **qmp,
                   struct option *options, size_t count, struct err *err)
{
    struct option *card;
    struct machine machine;
    struct err unfit;
    char *other = NULL;
    bool ok = read_migration(plan, qmp, options, count, err) &&
              es1370_find(&card, options, count, err) &&
              engine_cards_find(&other, options, count, err);

    if (ok && card) {
        ok = machine_read(&machine, options, count, err);
        if (ok && machine.kind != MACHINE_NONE)
            ok = run_card(plan, head, options, count, &machine, card, other, err);
    } else if (ok && has_word(options, count, "xen-attach")) {
        ok = serve_backend(plan, options, count, err);
    } else if (ok && other && machine_read(&machine, options, count, &unfit) &&
               machine.kind != MACHINE_NONE) {
        ok = run_engine_sound(plan, head, options, count, other, err);
    }
    free(other);
    return ok;
}

/* A plan that asks for nothing. */
static const struct plan empty_plan = {
    .action = PLAN_BECOME_ENGINE, .qmp_fd = -1, .incoming_fd = -1};

bool plan_make(struct plan *plan, int argc, const char *const argv[], const char *engine,
               struct err *err)
{
    size_t arg_count = argc > 1 ? (size_t)argc - 1 : 0, count;
    const char *const *args = argc > 1 ? argv + 1 : argv;
    struct option *options = calloc(arg_count + 1, sizeof(*options));
    const struct option *qmp = NULL;
    struct arguments head = {.list = NULL};
    bool ok = true;

    *plan = empty_plan;
    if (!options)
        return option_no_memory(err);
    count = options_read(options, args, arg_count);
    if (!asks_for_us(&plan->action, options, count, arg_count)) {
        if (last_value(options, count, "xen-domid"))
            ok = decide(plan, &head, &qmp, options, count, err);
        ok = ok && make_engine_argv(plan, engine, &head, options, count, qmp, err);
    }
    arguments_free(&head);
    options_clear(options, count);
    free(options);
    if (!ok)
        plan_free(plan);
    return ok;
}

/* Takes text over as the new word, unless it is NULL. */
static bool set_argument(struct plan *plan, size_t argument, char *text, struct err *err)
{
    if (!text)
        return option_no_memory(err);
    free(plan->engine_argv[argument]);
    plan->engine_argv[argument] = text;
    return true;
}

bool plan_set_qmp_fd(struct plan *plan, int fd, struct err *err)
{
    return set_argument(plan, plan->qmp_argument,
                        qmp_socket_text(plan->engine_argv[plan->qmp_argument], fd), err);
}

bool plan_set_pipe_fd(struct plan *plan, int fd, struct err *err)
{
    static const char *const path[] = {"path", NULL};
    char *rest = option_text_without(plan->engine_argv[plan->pipe_argument], "driver", path);
    char *text = NULL;

    if (rest && asprintf(&text, "%s,path=/dev/fd/%d", rest, fd) < 0)
        text = NULL;
    free(rest);
    return set_argument(plan, plan->pipe_argument, text, err);
}

void plan_free(struct plan *plan)
{
    for (size_t i = 0; plan->engine_argv && plan->engine_argv[i]; i++)
        free(plan->engine_argv[i]);
    free(plan->engine_argv);
    free(plan->domain_name);
    free(plan->audiodev);
    free(plan->card_id);
    free(plan->qmp_path);
    free(plan->note);
    *plan = empty_plan;
}
