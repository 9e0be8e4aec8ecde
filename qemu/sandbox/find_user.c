/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sandbox/find_user.h"

#include <dirent.h>
#include <errno.h>
#include <pwd.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/nearest.h"
#include "sandbox/seat.h"

/* The account of whoever plays to the host's devices, if there is one. */
#define OWN_ACCOUNT "qemu-dm"

enum { NOBODY = 65534 };

/* In the place of a number. */
enum { STAY = -1, OWN = -2 };

/* More than that of either, and something is wrong with the host, which is not ours to wait for. */
enum { MOST_FOLDERS = 4096, MOST_ACCOUNTS = 65536 };

struct user_host user_host_here(void)
{
    const char *runtimes = getenv("QEMU_DM_RUN_USER");

    return (struct user_host){
        .root = geteuid() == 0,
        .runtimes = runtimes ? runtimes : "/run/user",
        .system = "/run",
        .login_defs = "/etc/login.defs",
        .seat = seat_user(),
    };
}

/* The number at the beginning of text, up to one of the letters of ends or the end; -1: there is
 * none, or none that a user can have. */
static long read_uid(const char *text, const char *ends)
{
    unsigned long number;
    char *end;

    if (*text < '0' || *text > '9') {
        return -1;
    }
    errno = 0;
    number = strtoul(text, &end, 10);
    return errno || (*end && !strchr(ends, *end)) || number >= UINT32_MAX ? -1 : (long)number;
}

/* --- accounts --- */

struct accounts {
    FILE *file; /* NULL: the system's */
    unsigned left;
    long first, last; /* the numbers that people have */
};

/* The numbers that login.defs sets aside for people. */
static void read_range(struct accounts *all, const char *path)
{
    FILE *f = fopen(path, "re");
    char line[256];

    all->first = 1000;
    all->last = 60000;
    while (f && fgets(line, sizeof(line), f)) {
        long number;

        if (sscanf(line, " UID_MIN %9ld", &number) == 1) {
            all->first = number;
        } else if (sscanf(line, " UID_MAX %9ld", &number) == 1) {
            all->last = number;
        }
    }
    if (f) {
        fclose(f);
    }
}

static bool open_accounts(struct accounts *all, const struct user_host *host, struct err *err)
{
    *all = (struct accounts){.left = MOST_ACCOUNTS};
    read_range(all, host->login_defs);
    if (host->passwd) {
        all->file = fopen(host->passwd, "re");
        return all->file || err_set(err, "cannot read %s: %s", host->passwd, strerror(errno));
    }
    setpwent();
    return true;
}

static const struct passwd *next_account(struct accounts *all)
{
    if (all->left == 0) {
        return NULL;
    }
    all->left--;
    return all->file ? fgetpwent(all->file) : getpwent();
}

static void close_accounts(struct accounts *all)
{
    if (all->file) {
        fclose(all->file);
    } else {
        endpwent();
    }
}

static bool is_person(const struct accounts *all, const struct passwd *account)
{
    const char *shell = strrchr(account->pw_shell, '/');

    shell = shell ? shell + 1 : account->pw_shell;
    return account->pw_uid >= all->first && account->pw_uid <= all->last &&
           strcmp(shell, "nologin") != 0 && strcmp(shell, "false") != 0;
}

/* Fills user with an account, as far as it fits; without one, with what a user has all the same. */
static void fill(struct user *user, const struct user_host *host, uid_t uid,
                 const struct passwd *account)
{
    struct stat folder;

    *user = (struct user){.change = uid != 0, .uid = uid};
    snprintf(user->runtime, sizeof(user->runtime), "%s/%u", host->runtimes, uid);
    if (account) {
        user->gid = account->pw_gid;
        snprintf(user->name, sizeof(user->name), "%s", account->pw_name);
        snprintf(user->home, sizeof(user->home), "%s", account->pw_dir);
    } else {
        /* Nobody's group, where the user's own folder does not tell; never root's. */
        user->gid =
            stat(user->runtime, &folder) == 0 && folder.st_gid != 0 ? folder.st_gid : NOBODY;
        snprintf(user->home, sizeof(user->home), "/");
    }
}

/* The user of this number, who need not have an account. The system is asked for the one, for not
 * all that it knows can be listed. */
static void fill_by_number(struct user *user, const struct user_host *host, uid_t uid)
{
    struct accounts all;
    const struct passwd *account = NULL;

    if (!host->passwd) {
        fill(user, host, uid, getpwuid(uid));
        return;
    }
    if (open_accounts(&all, host, NULL)) {
        do {
            account = next_account(&all);
        } while (account && account->pw_uid != uid);
        fill(user, host, uid, account);
        close_accounts(&all);
        return;
    }
    fill(user, host, uid, NULL);
}

/* Of a name, or the nearest there is in err. */
static bool fill_by_name(struct user *user, const struct user_host *host, const char *name,
                         struct err *err)
{
    const struct passwd *account = host->passwd ? NULL : getpwnam(name);
    struct nearest nearest = {.typed = name};
    bool found = account != NULL;
    char guess[64] = "";
    struct accounts all;

    if (found) {
        fill(user, host, account->pw_uid, account);
        return true;
    }
    if (!open_accounts(&all, host, err)) {
        return false;
    }
    while (!found && (account = next_account(&all))) {
        struct nearest this = {.typed = name};

        found = strcmp(account->pw_name, name) == 0;
        if (found) {
            fill(user, host, account->pw_uid, account);
        }
        /* The words do not outlive the next account. */
        nearest_try(&this, account->pw_name);
        if (is_person(&all, account) && this.word &&
            (!*guess || this.mistakes < nearest.mistakes)) {
            nearest.mistakes = this.mistakes;
            snprintf(guess, sizeof(guess), "%s", account->pw_name);
        }
    }
    close_accounts(&all);
    return found || err_set(err,
                            "user=%.40s: this host has no such user%s%s%s; give a name, a number, "
                            "auto or none",
                            name, *guess ? " (did you mean '" : "", guess, *guess ? "'?)" : "");
}

/* The one person who has an account; the number, or -1: there are more, or none. */
static long only_person(const struct user_host *host)
{
    const struct passwd *account;
    struct accounts all;
    long person = -1;
    bool more = false;

    if (!open_accounts(&all, host, NULL)) {
        return -1;
    }
    while (!more && (account = next_account(&all))) {
        if (is_person(&all, account)) {
            more = person >= 0 && person != (long)account->pw_uid;
            person = (long)account->pw_uid;
        }
    }
    close_accounts(&all);
    return more ? -1 : person;
}

/* --- running servers --- */

static bool is_socket(const char *folder, const char *name)
{
    char path[512];
    struct stat at;
    int length = snprintf(path, sizeof(path), "%s/%s", folder, name);

    return length > 0 && (size_t)length < sizeof(path) && stat(path, &at) == 0 &&
           S_ISSOCK(at.st_mode);
}

static bool has_server(const struct user_host *host, long uid)
{
    char folder[300];

    snprintf(folder, sizeof(folder), "%s/%ld", host->runtimes, uid);
    return is_socket(folder, "pulse/native") || is_socket(folder, "pipewire-0");
}

/* How many people have a server; *lowest is the lowest of their numbers. */
static unsigned servers(const struct user_host *host, long first, long *lowest)
{
    DIR *dir = opendir(host->runtimes);
    const struct dirent *entry;
    unsigned count = 0;

    for (unsigned i = 0; dir && i < MOST_FOLDERS && (entry = readdir(dir)); i++) {
        long uid = read_uid(entry->d_name, "");

        if (uid >= first && has_server(host, uid)) {
            *lowest = count == 0 || uid < *lowest ? uid : *lowest;
            count++;
        }
    }
    if (dir) {
        closedir(dir);
    }
    return count;
}

/* --- auto --- */

/* Whose folder a server's address lies in: "unix:PATH" or a PATH, perhaps behind "{MACHINE}". -1:
 * nobody's. */
static long owner_of_place(const struct user_host *host, const char *place)
{
    size_t length = strlen(host->runtimes);
    const char *path = *place == '{' && strchr(place, '}') ? strchr(place, '}') + 1 : place;

    path += strncmp(path, "unix:", 5) == 0 ? 5 : 0;
    if (strncmp(path, host->runtimes, length) != 0 || path[length] != '/') {
        return -1;
    }
    return read_uid(path + length + 1, "/");
}

/* The user's number, STAY, or OWN for the hardware. why as in user_find. */
static long find_by_itself(const struct user_wish *wish, const struct user_host *host, char *why,
                           size_t size)
{
    struct accounts range;
    long lowest = -1, person;
    unsigned count;

    if (wish->place) {
        snprintf(why, size, "it goes to %.100s", wish->place);
        return wish->device ? OWN : owner_of_place(host, wish->place);
    }
    read_range(&range, host->login_defs);
    count = servers(host, range.first, &lowest);
    if (count == 0 && (has_server(host, 0) || is_socket(host->system, "pulse/native"))) {
        snprintf(why, size, "root, or the system, has a server of its own, and no user has");
        return STAY;
    }
    if (host->seat >= range.first && (!wish->running || has_server(host, host->seat))) {
        snprintf(why, size, "in front of the screen");
        return host->seat;
    }
    if (count > 0) {
        snprintf(why, size,
                 count == 1 ? "the only one whose server runs"
                            : "the first of %u whose servers run; user=NAME chooses",
                 count);
        return lowest;
    }
    person = wish->running ? -1 : only_person(host);
    if (person >= 0) {
        snprintf(why, size, "nobody is logged in yet, and nobody else has an account");
        return person;
    }
    snprintf(why, size, "no user's sound server runs; user=NAME says whose it will be");
    return wish->running ? OWN : STAY;
}

bool user_find(struct user *user, const struct user_wish *wish, const struct user_host *host,
               char *why, size_t size, struct err *err)
{
    long uid = read_uid(wish->user, "");

    *user = (struct user){.change = false};
    *why = '\0';
    if (strcmp(wish->user, "none") == 0) {
        return true;
    }
    if (strcmp(wish->user, "auto") == 0) {
        uid = host->root ? find_by_itself(wish, host, why, size) : -1;
        if (uid > 0) {
            fill_by_number(user, host, (uid_t)uid);
        } else if (uid == OWN) {
            fill_by_name(user, host, OWN_ACCOUNT, NULL);
        }
        return true;
    }
    if (uid >= 0) {
        fill_by_number(user, host, (uid_t)uid);
    } else if (!fill_by_name(user, host, wish->user, err)) {
        return false;
    }
    if (user->change && !host->root) {
        user->change = false;
        return user->uid == geteuid() ||
               err_set(err, "user=%.40s: only root can become another user", wish->user);
    }
    snprintf(why, size, "as configured");
    return true;
}

void user_of_file(struct user *user, const char *path, const struct user_host *host)
{
    struct stat st;

    *user = (struct user){.change = false};
    if (host->root && stat(path, &st) == 0 && st.st_uid != 0) {
        fill_by_number(user, host, st.st_uid);
    }
}

void user_nobody(struct user *user, const struct user_host *host)
{
    *user = (struct user){.change = false};
    if (host->root) {
        fill(user, host, NOBODY, NULL);
    }
}

bool user_check(const char *text, const struct user_host *host, struct err *err)
{
    struct user user;

    return strcmp(text, "auto") == 0 || strcmp(text, "none") == 0 || read_uid(text, "") >= 0 ||
           fill_by_name(&user, host, text, err);
}
