/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Whose sound server is meant, on hosts that are made up of a few files. */
#include <errno.h>
#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#include "sandbox/find_user.h"

static char folder[] = "/tmp/test_find_user.XXXXXX";
static char runtimes[64], system_run[64], passwd[64], login_defs[64];
static char why[160];

static void write_file(const char *path, const char *text)
{
    FILE *f = fopen(path, "w");

    assert_non_null(f);
    fputs(text, f);
    fclose(f);
}

static void make_socket(const char *parent, const char *name)
{
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);

    assert_true(snprintf(at.sun_path, sizeof(at.sun_path), "%s/%s", parent, name) <
                (int)sizeof(at.sun_path));
    for (char *slash = at.sun_path + strlen(folder) + 1; (slash = strchr(slash, '/')); slash++) {
        *slash = '\0';
        assert_true(mkdir(at.sun_path, 0700) == 0 || errno == EEXIST);
        *slash = '/';
    }
    assert_int_equal(bind(fd, (struct sockaddr *)&at, sizeof(at)), 0);
    close(fd);
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *at)
{
    (void)st;
    (void)type;
    (void)at;
    return remove(path);
}

/* A host on which nobody is logged in, and anna is the only person. */
static struct user_host new_host(void)
{
    nftw(folder, remove_one, 8, FTW_DEPTH | FTW_PHYS);
    assert_int_equal(mkdir(folder, 0700), 0);
    assert_int_equal(mkdir(runtimes, 0700), 0);
    assert_int_equal(mkdir(system_run, 0700), 0);
    write_file(passwd, "root:x:0:0:root:/root:/bin/bash\n"
                       "pulse:x:102:106::/run/pulse:/usr/sbin/nologin\n"
                       "anna:x:1000:1007:Anna,,,:/home/anna:/bin/bash\n"
                       "nonsense\n"
                       "backup:x:1001:1001::/srv:/usr/sbin/nologin\n"
                       "nobody:x:65534:65534:nobody:/nonexistent:/bin/sh\n");
    write_file(login_defs, "# UID_MIN 1\nUID_MIN\t\t 1000\nUID_MAX 60000\n");
    return (struct user_host){.root = true,
                              .runtimes = runtimes,
                              .system = system_run,
                              .passwd = passwd,
                              .login_defs = login_defs,
                              .seat = -1};
}

static struct user find(const struct user_host *host, struct user_wish wish)
{
    struct user user;
    struct err err = {""};

    if (!user_find(&user, &wish, host, why, sizeof(why), &err)) {
        fail_msg("%s", err.text);
    }
    return user;
}

static void becomes(const struct user_host *host, struct user_wish wish, uid_t uid,
                    const char *because)
{
    struct user user = find(host, wish);
    char runtime[80];

    snprintf(runtime, sizeof(runtime), "%s/%u", runtimes, uid);
    assert_true(user.change);
    assert_int_equal(user.uid, uid);
    assert_string_equal(user.runtime, runtime);
    if (!strstr(why, because)) {
        fail_msg("'%s' is not in: %s", because, why);
    }
}

static void stays(const struct user_host *host, struct user_wish wish, const char *because)
{
    assert_false(find(host, wish).change);
    if (!strstr(why, because)) {
        fail_msg("'%s' is not in: %s", because, why);
    }
}

static const struct user_wish automatic = {.user = "auto"};
static const struct user_wish automatic_running = {.user = "auto", .running = true};

static void test_named(void **state)
{
    struct user_host host = new_host();
    struct user user = find(&host, (struct user_wish){.user = "anna"});

    (void)state;
    assert_true(user.change);
    assert_int_equal(user.uid, 1000);
    assert_int_equal(user.gid, 1007);
    assert_string_equal(user.name, "anna");
    assert_string_equal(user.home, "/home/anna");
    user = find(&host, (struct user_wish){.user = "1000"});
    assert_string_equal(user.name, "anna");
    assert_int_equal(user.gid, 1007);

    /* Whose number has no account has no group of root's either. */
    user = find(&host, (struct user_wish){.user = "12345"});
    assert_true(user.change);
    assert_int_equal(user.uid, 12345);
    assert_int_not_equal(user.gid, 0);
    assert_string_equal(user.name, "");
    assert_string_equal(user.home, "/");

    assert_false(find(&host, (struct user_wish){.user = "none"}).change);
    assert_string_equal(why, "");
    assert_false(find(&host, (struct user_wish){.user = "root"}).change);
    assert_false(find(&host, (struct user_wish){.user = "0"}).change);
}

static void test_named_wrongly(void **state)
{
    static const struct {
        const char *user, *says;
    } cases[] = {
        {"ana", "user=ana: this host has no such user (did you mean 'anna'?)"},
        {"4294967295", "no such user"},
        {"99999999999999999999", "no such user"},
        {"-1", "no such user"},
        {"", "no such user"},
        {"1000x", "no such user"},
    };
    struct user_host host = new_host();
    struct user user;
    struct err err;

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        assert_false(user_find(&user, &(struct user_wish){.user = cases[i].user}, &host, why,
                               sizeof(why), &err));
        if (!strstr(err.text, cases[i].says)) {
            fail_msg("'%s' is not in: %s", cases[i].says, err.text);
        }
        assert_false(user.change);
        assert_false(user_check(cases[i].user, &host, &err));
    }
    assert_true(user_check("auto", &host, &err));
    assert_true(user_check("none", &host, &err));
    assert_true(user_check("anna", &host, &err));
    assert_true(user_check("12345", &host, &err));
}

static void test_only_root_becomes_others(void **state)
{
    struct user_host host = new_host();
    struct user user;
    struct err err;

    (void)state;
    host.root = false;
    host.seat = 1000;
    stays(&host, automatic, "");
    assert_false(
        user_find(&user, &(struct user_wish){.user = "54321"}, &host, why, sizeof(why), &err));
    assert_non_null(strstr(err.text, "only root"));
}

static void add_own_account(void)
{
    FILE *f = fopen(passwd, "a");

    assert_non_null(f);
    fputs("qemu-dm:x:998:29::/nonexistent:/usr/sbin/nologin\n", f);
    fclose(f);
}

static void test_devices_are_for_an_account_of_our_own(void **state)
{
    const struct user_wish hardware = {
        .user = "auto", .place = "hw:0", .device = true, .running = true};
    const struct user_wish library = {.user = "auto", .running = true};
    struct user_host host = new_host();

    (void)state;
    stays(&host, hardware, "it goes to hw:0"); /* where there is none */
    stays(&host, library, "no user's sound server runs");
    add_own_account();
    becomes(&host, hardware, 998, "it goes to hw:0");
    assert_int_equal(find(&host, hardware).gid, 29);
    becomes(&host, library, 998, "no user's sound server runs");
    stays(&host, (struct user_wish){.user = "none", .place = "hw:0", .device = true}, "");
    make_socket(system_run, "pulse/native"); /* a server, which does not know it */
    stays(&host, library, "root, or the system, has a server");
    make_socket(runtimes, "1000/pulse/native");
    becomes(&host, library, 1000, "whose server runs");
    becomes(&host, hardware, 998, "it goes to hw:0");
}

static void test_the_owner_of_a_file(void **state)
{
    struct user_host host = new_host();
    struct user user;

    (void)state;
    user_of_file(&user, "/nonexistent", &host);
    assert_false(user.change);
    user_of_file(&user, "/", &host);
    assert_false(user.change);
    if (chown(folder, 1000, 0) == 0) {
        user_of_file(&user, folder, &host);
        assert_true(user.change);
        assert_int_equal(user.uid, 1000);
        assert_string_equal(user.name, "anna");
        host.root = false;
        user_of_file(&user, folder, &host);
        assert_false(user.change);
    }
}

static void test_nobody(void **state)
{
    struct user_host host = new_host();
    struct user user;

    (void)state;
    user_nobody(&user, &host);
    assert_true(user.change);
    assert_int_equal(user.uid, 65534);
    assert_int_equal(user.gid, 65534);
    host.root = false;
    user_nobody(&user, &host);
    assert_false(user.change);
}

static void test_a_place_that_is_given(void **state)
{
    struct user_host host = new_host();
    char place[200];

    (void)state;
    snprintf(place, sizeof(place), "unix:%s/1234/pulse/native", runtimes);
    becomes(&host, (struct user_wish){.user = "auto", .place = place}, 1234, "it goes to unix:");
    snprintf(place, sizeof(place), "%s/1234/pulse/native", runtimes);
    becomes(&host, (struct user_wish){.user = "auto", .place = place}, 1234, "it goes to /");
    snprintf(place, sizeof(place), "{0123abcd}unix:%s/1234/pulse/native", runtimes);
    becomes(&host, (struct user_wish){.user = "auto", .place = place}, 1234, "it goes to {");

    /* And elsewhere root goes as root, whoever is in front of the screen. */
    host.seat = 1000;
    stays(&host, (struct user_wish){.user = "auto", .place = "tcp:host"}, "it goes to tcp:host");
    stays(&host, (struct user_wish){.user = "auto", .place = "unix:/tmp/s"}, "unix:/tmp/s");
    stays(&host, (struct user_wish){.user = "auto", .place = "{"}, "it goes to {");
    snprintf(place, sizeof(place), "%s/0/pulse/native", runtimes);
    stays(&host, (struct user_wish){.user = "auto", .place = place}, "");
    snprintf(place, sizeof(place), "%s/1234x/pulse/native", runtimes);
    stays(&host, (struct user_wish){.user = "auto", .place = place}, "");
    /* But for who is named. */
    becomes(&host, (struct user_wish){.user = "anna", .place = "tcp:host"}, 1000, "as configured");
}

static void test_the_seat(void **state)
{
    struct user_host host = new_host();

    (void)state;
    make_socket(runtimes, "1500/pulse/native");
    host.seat = 1600;
    becomes(&host, automatic, 1600, "in front of the screen");
    becomes(&host, automatic_running, 1500, "whose server runs");
    make_socket(runtimes, "1600/pipewire-0");
    becomes(&host, automatic_running, 1600, "in front of the screen");
    host.seat = 117; /* a greeter */
    becomes(&host, automatic, 1500, "the first of 2 whose servers run");
}

static void test_running_servers(void **state)
{
    struct user_host host = new_host();
    char file[128];

    (void)state;
    make_socket(runtimes, "1500/pulse/native");
    make_socket(runtimes, "117/pulse/native");
    make_socket(runtimes, "x1000/pulse/native");
    make_socket(runtimes, "1001x/pulse/native");
    becomes(&host, automatic, 1500, "the only one whose server runs");
    make_socket(runtimes, "1200/pipewire-0");
    becomes(&host, automatic, 1200, "the first of 2 whose servers run");
    /* A folder without a server. */
    snprintf(file, sizeof(file), "%s/1100", runtimes);
    assert_int_equal(mkdir(file, 0700), 0);
    snprintf(file, sizeof(file), "%s/1100/pipewire-0", runtimes);
    write_file(file, "");
    becomes(&host, automatic, 1200, "the first of 2 whose servers run");
}

static void test_roots_own_server(void **state)
{
    struct user_host host = new_host();

    (void)state;
    make_socket(system_run, "pulse/native");
    stays(&host, automatic, "of its own");
    host.seat = 1000;
    stays(&host, automatic, "of its own");
    make_socket(runtimes, "1000/pulse/native");
    becomes(&host, automatic, 1000, "in front of the screen");

    host = new_host();
    make_socket(runtimes, "0/pulse/native");
    stays(&host, automatic, "of its own");
}

static void test_nobody_is_logged_in(void **state)
{
    struct user_host host = new_host();

    (void)state;
    becomes(&host, automatic, 1000, "nobody is logged in yet");
    stays(&host, automatic_running, "user=NAME says");

    write_file(passwd, "a:x:1000:1000::/home/a:/bin/sh\nb:x:1001:1001::/home/b:/bin/sh\n");
    stays(&host, automatic, "user=NAME says");
    write_file(login_defs, "UID_MIN 1001\n");
    becomes(&host, automatic, 1001, "nobody is logged in yet");
    write_file(passwd, "");
    stays(&host, automatic, "user=NAME says");
}

static void test_a_host_without_any_of_it(void **state)
{
    struct user_host host = new_host();
    struct user user;
    struct err err;

    (void)state;
    host.runtimes = host.system = host.passwd = host.login_defs = "/nonexistent";
    assert_true(user_find(&user, &automatic, &host, why, sizeof(why), &err));
    assert_false(user.change);
    assert_false(
        user_find(&user, &(struct user_wish){.user = "anna"}, &host, why, sizeof(why), &err));
    assert_non_null(strstr(err.text, "/nonexistent"));
    assert_true(
        user_find(&user, &(struct user_wish){.user = "1000"}, &host, why, sizeof(why), &err));
    assert_true(user.change);
}

static int setup(void **state)
{
    (void)state;
    if (!mkdtemp(folder)) {
        return -1;
    }
    snprintf(runtimes, sizeof(runtimes), "%s/user", folder);
    snprintf(system_run, sizeof(system_run), "%s/run", folder);
    snprintf(passwd, sizeof(passwd), "%s/passwd", folder);
    snprintf(login_defs, sizeof(login_defs), "%s/login.defs", folder);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    return nftw(folder, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_named),
        cmocka_unit_test(test_named_wrongly),
        cmocka_unit_test(test_only_root_becomes_others),
        cmocka_unit_test(test_devices_are_for_an_account_of_our_own),
        cmocka_unit_test(test_the_owner_of_a_file),
        cmocka_unit_test(test_nobody),
        cmocka_unit_test(test_a_place_that_is_given),
        cmocka_unit_test(test_the_seat),
        cmocka_unit_test(test_running_servers),
        cmocka_unit_test(test_roots_own_server),
        cmocka_unit_test(test_nobody_is_logged_in),
        cmocka_unit_test(test_a_host_without_any_of_it),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
