/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "traditional.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "toolstack/old_line.h"
#include "traditional/facts.h"
#include "xen/store.h"

bool traditional_is(int argc, const char *const argv[])
{
    return old_line_is(argc, argv);
}

/* The store is closed again at once: the card's process, which is forked later, would cut it off.
 */
static bool ask_xenstore(struct old_facts *facts, uint16_t domid, struct err *err)
{
    struct store *store = store_open(err);
    bool ok =
        store && facts_read(facts, store, domid, err) && facts_announce_engine(store, domid, err);

    store_close(store);
    return ok;
}

/* *fd is -1 where nothing is to be loaded. The engine inherits it. */
static bool open_saved_state(int *fd, const char *path, struct err *err)
{
    *fd = path ? open(path, O_RDONLY) : -1;
    return !path || *fd >= 0 || err_set(err, "-loadvm %.200s: %s", path, strerror(errno));
}

static void note(const char *text)
{
    if (*text) {
        log_warn("%s", text);
    }
}

static char **add_word(char **argv, const char *word, struct err *err)
{
    size_t count = 0;
    char **longer;

    while (argv[count]) {
        count++;
    }
    longer = realloc(argv, (count + 2) * sizeof(*argv));
    if (longer) {
        longer[count + 1] = NULL;
        longer[count] = strdup(word);
    }
    if (!longer || !longer[count]) {
        old_argv_free(longer ? longer : argv);
        err_set(err, "out of memory while reading the command line");
        return NULL;
    }
    return longer;
}

char **traditional_translate(uint16_t *domid, int argc, const char *const argv[], struct err *err)
{
    struct old_line line;
    struct old_facts facts;
    char **modern;
    int incoming;

    if (!old_line_read(&line, argc, argv, err) || !ask_xenstore(&facts, line.domid, err) ||
        !open_saved_state(&incoming, line.loadvm, err)) {
        return NULL;
    }
    note(line.note);
    note(facts.note);
    *domid = line.domid;
    modern = old_line_translate(&line, &facts, incoming, err);
    return modern ? add_word(modern, "-S", err) : NULL;
}
