/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "card/status.h"

#include <getopt.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"

/* How often a terminal is drawn anew, and how often there is a block, or an object, for others. */
enum { REDRAW_MS = 250, REPEAT_MS = 1000 };

enum { NOTHING_TO_SHOW = 1, WRONG_USAGE = 2 };

struct wish {
    bool watch, json;
    const char *domain; /* number or name; NULL: all */
};

static const char usage[] = "Usage: qemu-dm --status [--watch] [--json] [DOMAIN]\n"
                            "DOMAIN is the number or the name of a domain, as in `xl list`.\n";

static bool read_wish(struct wish *wish, int argc, char *argv[])
{
    static const struct option options[] = {{"status", no_argument, NULL, 's'},
                                            {"watch", no_argument, NULL, 'w'},
                                            {"json", no_argument, NULL, 'j'},
                                            {NULL, 0, NULL, 0}};
    int option;

    *wish = (struct wish){.watch = false};
    opterr = 0;
    while ((option = getopt_long_only(argc, argv, "", options, NULL)) != -1) {
        wish->watch |= option == 'w';
        wish->json |= option == 'j';
        if (option == '?') {
            fprintf(stderr, "qemu-dm: --status has no option %s\n%s", argv[optind - 1], usage);
            return false;
        }
    }
    if (argc - optind > 1) {
        fprintf(stderr, "qemu-dm: --status shows one domain, or all: %s is one too many\n%s",
                argv[optind + 1], usage);
        return false;
    }
    wish->domain = argv[optind];
    return true;
}

static void complain(const struct err *why)
{
    log_warn("%s", why->text);
}

static bool is_wanted(const struct card_view *card, const char *domain)
{
    char *end;
    unsigned long domid = strtoul(domain, &end, 10);

    /* As xl has it: what is a number is not a name. */
    return *domain && *end == '\0' ? domid == card->domid : strcmp(domain, card->domain_name) == 0;
}

static void leave_out_others(struct status_views *views, const char *domain)
{
    size_t kept = 0;

    for (size_t i = 0; i < views->count; i++) {
        if (is_wanted(&views->cards[i], domain)) {
            views->cards[kept++] = views->cards[i];
        }
    }
    views->count = kept;
}

/* Why there is nothing to see, and what to do. */
static void explain(FILE *to, const char *domain)
{
    if (domain) {
        fprintf(to,
                "No sound card of qemu-dm's runs for the domain %s. `xl list` shows the domains,\n"
                "`qemu-dm --status` those that have one, and the domain's log,\n"
                "/var/log/xen/qemu-dm-NAME.log, why one has ended.\n",
                domain);
    } else {
        fprintf(to,
                "No sound card of qemu-dm's runs on this host (none is in %s).\n"
                "A domain has one with soundhw = \"es1370\" and device_model_override set to "
                "qemu-dm.\n",
                status_page_folder());
    }
}

/* One look at all that is wanted. Nothing to show is explained on complaints. */
static int show(const struct wish *wish, FILE *to, FILE *complaints)
{
    struct status_views views;
    struct err err;
    bool ok = true;

    if (!status_views_read(&views, status_page_folder(), clock_now_ns(), complain, &err)) {
        log_error("%s", err.text);
        return NOTHING_TO_SHOW;
    }
    if (wish->domain) {
        leave_out_others(&views, wish->domain);
    }
    if (wish->json) {
        ok = status_print_json(to, &views, time(NULL), wish->watch);
    }
    for (size_t i = 0; !wish->json && i < views.count; i++) {
        fputs(i > 0 ? "\n" : "", to);
        status_print_text(to, &views.cards[i]);
    }
    if (!ok) {
        log_error("no memory for what is heard");
    } else if (views.count == 0) {
        explain(complaints, wish->domain);
    }
    ok = ok && views.count > 0;
    status_views_free(&views);
    return ok ? EXIT_SUCCESS : NOTHING_TO_SHOW;
}

/* Over what is on the terminal, without a flicker; what does not fit is left out. */
static void draw(const char *text)
{
    struct winsize size = {.ws_row = 0};
    unsigned rows = ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_row ? size.ws_row : 24;

    fputs("\033[H\033[?7l", stdout); /* home; long lines are cut */
    for (; *text && --rows > 0; text += strcspn(text, "\n") + 1) {
        printf("%.*s\033[K\n", (int)strcspn(text, "\n"), text);
    }
    fputs(*text ? "(there is more: name a DOMAIN)" : "", stdout);
    fputs("\033[J\033[?7h", stdout);
}

static bool redraw(const struct wish *wish)
{
    char *text = NULL;
    size_t size;
    FILE *to = open_memstream(&text, &size);
    bool ok = to != NULL;

    if (to) {
        show(wish, to, to);
        ok = fclose(to) == 0;
    }
    if (ok) {
        draw(text);
    } else {
        log_error("no memory for what is heard");
    }
    free(text);
    return ok;
}

/* Domains come and go meanwhile: it goes on until a signal, or until nobody reads any more. */
static int watch(const struct wish *wish)
{
    bool terminal = isatty(STDOUT_FILENO) && !wish->json;
    bool ok = true;

    if (terminal) {
        fputs("\033[2J", stdout);
    }
    while (ok) {
        if (terminal) {
            ok = redraw(wish);
        } else {
            show(wish, stdout, stderr);
            fputs(wish->json ? "" : "\n", stdout);
        }
        ok = ok && fflush(stdout) == 0;
        usleep((terminal ? REDRAW_MS : REPEAT_MS) * 1000);
    }
    return NOTHING_TO_SHOW;
}

int status_main(int argc, char *argv[])
{
    struct wish wish;
    int status;

    if (!read_wish(&wish, argc, argv)) {
        return WRONG_USAGE;
    }
    if (wish.watch) {
        return watch(&wish);
    }
    status = show(&wish, stdout, stderr);
    return fflush(stdout) == 0 ? status : NOTHING_TO_SHOW;
}
