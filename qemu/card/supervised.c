/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "card/supervised.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "audio/driver.h"
#include "base/clock.h"
#include "base/log.h"
#include "engine/saved_state.h"
#include "xen/domain.h"

/* So many processes are lost before the card is given up, where each has died so soon after the one
 * before it: a guest that can end its card at will, or a library that always fails, shall not cost
 * the host a process each moment. */
enum { MAX_DEATHS = 3 };
#define IN_A_ROW_NS (10 * NS_PER_S)

static void set_still(struct supervised_card *c, bool still)
{
    struct err err;

    if (c->process.pid &&
        !(still ? card_process_pause(&c->process, &err) : card_process_resume(&c->process, &err))) {
        log_error("%s", err.text);
    }
}

void supervised_card_stopped(void *card)
{
    struct supervised_card *c = card;

    pauses_on_stop(&c->pauses);
    set_still(c, true);
}

void supervised_card_continued(void *card)
{
    struct supervised_card *c = card;

    set_still(c, pauses_on_cont(&c->pauses, domain_state(c->domid), clock_now_ns()));
}

void supervised_card_saved(void *card, int fd)
{
    static uint8_t state[CONTROL_MAX_BYTES];
    struct supervised_card *c = card;
    size_t size;
    struct err err, cut;
    bool saved = card_process_save(&c->process, state, sizeof(state), &size, &err);

    if (!saved && !saved_state_cut(fd, &cut)) {
        log_warn("%s", cut.text);
    }
    if (saved && saved_state_append(fd, state, size, &err)) {
        log_info("the sound card is saved with the domain, %zu bytes", size);
    } else {
        log_error("the domain is saved without its sound card, which will be as at power on: %s",
                  err.text);
    }
}

void supervised_card_loaded(void *card, int fd)
{
    struct supervised_card *c = card;
    struct err err;
    size_t size;
    void *state = saved_state_read(fd, &size, &err);

    if (state && card_process_load(&c->process, state, size, &err)) {
        log_info("the sound card goes on from where it was saved");
    } else if (state || *err.text) {
        log_error("the sound card is as at power on: %s", err.text);
    } else {
        log_warn("the domain was saved without this sound card, which is as at power on: what the "
                 "guest plays will be heard when it has been started anew");
    }
    free(state);
}

void supervised_card_start(struct supervised_card *c, const struct plan *plan,
                           const struct audio_settings *settings, const struct user *user)
{
    struct err err;

    c->domid = plan->domid;
    pauses_begin(&c->pauses, plan->incoming);
    if (!card_process_start(&c->process, settings, user, plan->domid, plan->domain_name,
                            plan->card_slot, plan->incoming, &err)) {
        log_error("the guest will have a silent sound card: %s", err.text);
        return;
    }
    log_info("es1370 in slot %u of domain %u (%s), to %s", plan->card_slot, plan->domid,
             plan->domain_name, settings->driver->name);
    if (plan->incoming_fd >= 0) {
        supervised_card_loaded(c, plan->incoming_fd);
    } else if (plan->incoming) {
        log_warn("the domain does not come in by -incoming fd:N, so its sound card is as at power "
                 "on: what the guest plays will be heard when it has been started anew");
    }
}

void supervised_card_hear(struct supervised_card *c)
{
    if (card_process_hear(&c->process)) {
        supervised_card_look(c);
    }
}

uint64_t supervised_card_wake(const struct supervised_card *c)
{
    return c->process.pid ? pauses_wake(&c->pauses) : UINT64_MAX;
}

void supervised_card_look(struct supervised_card *c)
{
    set_still(c, pauses_look(&c->pauses, domain_state(c->domid), clock_now_ns()));
}

/* As "by signal 11 (Segmentation fault)". */
static void describe_end(char *text, size_t size, int status)
{
    if (WIFSIGNALED(status)) {
        snprintf(text, size, "by signal %d (%s)", WTERMSIG(status), strsignal(WTERMSIG(status)));
    } else {
        snprintf(text, size, "with exit status %d", WEXITSTATUS(status));
    }
}

static void give_up(struct supervised_card *c)
{
    struct err err;

    log_error("the sound card has died %u times in a row and is unplugged: the guest will have "
              "one again at its next start. That is a fault of this program, or of a library that "
              "it plays through; please report what stands above",
              c->deaths);
    if (!card_process_retire(&c->process, &err)) {
        log_error("%s", err.text);
    }
}

bool supervised_card_died(struct supervised_card *c, int status)
{
    uint64_t now = clock_now_ns();
    struct err err;
    char how[80];

    describe_end(how, sizeof(how), status);
    c->deaths = now - c->died_ns <= IN_A_ROW_NS ? c->deaths + 1 : 1;
    c->died_ns = now;
    card_process_died(&c->process);
    for (; c->deaths < MAX_DEATHS; c->deaths++) {
        if (card_process_restart(&c->process, pauses_still(&c->pauses), &err)) {
            log_error("the sound card's process has ended %s; another has taken its place after "
                      "%u ms, and goes on where it was",
                      how, (unsigned)((clock_now_ns() - now) / NS_PER_MS));
            return true;
        }
        log_error("the sound card's process has ended %s, and none can take its place: %s", how,
                  err.text);
    }
    give_up(c);
    return false;
}
