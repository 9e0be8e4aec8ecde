/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The whole program as a toolstack sees it, with a fake domain instead of Xen
 * and a shell script instead of the engine: pids, signals, exit status,
 * descriptors, and what is left behind.
 */
#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <pty.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "process/program.h"

/* As libxl does, shortened: host bridge, PIIX3 and xen-platform are in slots 0 to 2. */
static const char *const with_card[] = {
    "-xen-domid", "7",         "-nodefaults", "-name", "dom", "-device", "es1370",
    "-audiodev",  "none,id=s", "-machine",    "xenfv", "-m",  "512",     NULL,
};
static const char *const without_card[] = {"-xen-domid", "7", "-machine", "xenfv", NULL};

static void becomes_the_engine_without_a_card(void **state)
{
    pid_t pid = start("exit 0", without_card);

    (void)state;
    assert_int_equal(end_of(pid), 0);
    assert_int_equal(number_after("engine pid="), pid);
    assert_non_null(strstr(slurp(log_path), "arg -xen-domid\narg 7\narg -machine\narg xenfv\n"));
    assert_null(strstr(slurp(log_path), "open domid"));
}

static void joins_the_domain_before_the_engine_does(void **state)
{
    const char *log, *opened, *engine_started;
    pid_t pid = start("exit 0", with_card);

    (void)state;
    assert_int_equal(end_of(pid), 0);
    log = slurp(log_path);
    opened = strstr(log, "open domid=7 slot=3");
    engine_started = strstr(log, "engine pid=");
    assert_non_null(opened);
    assert_non_null(engine_started);
    assert_true(opened < engine_started);
    assert_true(number_after("engine pid=") != pid);
}

static void takes_the_sound_out_of_the_engines_hands(void **state)
{
    (void)state;
    end_of(start("exit 0", with_card));
    assert_null(strstr(slurp(log_path), "id=s\n"));
    assert_non_null(strstr(slurp(log_path), "arg -m\narg 512\n"));
}

static void ends_with_the_engines_status(void **state)
{
    int status = end_of(start("exit 7", with_card));

    (void)state;
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 7);
    assert_true(file_says(log_path, "close domid=7"));
}

static void ends_by_the_engines_signal(void **state)
{
    int status = end_of(start("kill KILL", with_card));

    (void)state;
    assert_true(WIFSIGNALED(status));
    assert_int_equal(WTERMSIG(status), SIGKILL);
    assert_true(file_says(log_path, "close domid=7"));
}

static void hands_signals_on(void **state)
{
    static const struct {
        int number;
        const char *line;
    } signals[] = {{SIGHUP, "signal HUP"},
                   {SIGTERM, "signal TERM"},
                   {SIGINT, "signal INT"},
                   {SIGUSR1, "signal USR1"}};

    for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++) {
        pid_t pid;

        fresh_logs(state);
        pid = start("wait", with_card);
        assert_true(file_says(log_path, "arg 512"));
        kill(pid, signals[i].number);
        assert_int_equal(end_of(pid), 0);
        assert_true(file_says(log_path, signals[i].line));
        assert_true(file_says(log_path, "close domid=7"));
    }
}

static void a_card_that_cannot_start_does_not_stop_the_machine(void **state)
{
    static const char *const ways[] = {"fail", "die"};

    for (size_t i = 0; i < 2; i++) {
        fresh_logs(state);
        setenv("FAKE_GUEST_OPEN", ways[i], 1);
        assert_int_equal(end_of(start("exit 0", with_card)), 0);
        assert_true(file_says(log_path, "engine pid="));
        assert_true(file_says(stderr_path, "silent"));
    }
}

static unsigned count(const char *path, const char *what)
{
    unsigned n = 0;

    for (const char *at = slurp(path); (at = strstr(at, what)); at++) {
        n++;
    }
    return n;
}

/* Kills the card, and waits for the one in its place, which is plugged in. */
static pid_t kill_card(pid_t card, int signal)
{
    unsigned before = count(stderr_path, "another has taken its place");

    kill(card, signal);
    for (unsigned ms = 0; count(stderr_path, "another has taken its place") == before; ms++) {
        assert_true(ms < DEADLINE_MS);
        pause_ms(1);
    }
    assert_true(gone(card));
    return (pid_t)number_after("take-over pid=");
}

static void another_card_takes_a_dead_ones_place(void **state)
{
    pid_t pid = start("wait", with_card);
    pid_t card;

    (void)state;
    assert_true(file_says(log_path, "arg 512"));
    card = (pid_t)number_after("open domid=7 slot=3 pid=");
    card = kill_card(card, SIGKILL);
    assert_true(file_says(log_path, " domid=7 slot=3 server=1"));
    if (program_is_fake()) {
        assert_true(file_says(log_path, " server=1 answered=-1")); /* of which Xen knows nothing */
    }
    assert_true(file_says(stderr_path, "by signal 9 (Killed)"));
    card = kill_card(card, SIGABRT);
    assert_null(strstr(slurp(log_path), "retire"));
    kill(pid, SIGTERM);
    assert_int_equal(end_of(pid), 0);
    assert_true(gone(card));
    assert_true(file_says(log_path, "close domid=7"));
}

static void a_card_that_dies_three_times_is_unplugged(void **state)
{
    pid_t pid = start("wait", with_card);
    pid_t card;

    (void)state;
    assert_true(file_says(log_path, "arg 512"));
    card = (pid_t)number_after("open domid=7 slot=3 pid=");
    card = kill_card(kill_card(card, SIGKILL), SIGKILL);
    assert_null(strstr(slurp(log_path), "retire"));
    kill(card, SIGKILL);
    assert_true(file_says(log_path, "retire domid=7 slot=3 server=1"));
    assert_true(file_says(stderr_path, "died 3 times in a row and is unplugged"));
    /* Its command line has no QMP. */
    assert_true(file_says(stderr_path, "the guest is not told that its sound card is unplugged"));
    assert_int_equal(kill(pid, 0), 0);
    kill(pid, SIGTERM);
    assert_int_equal(end_of(pid), 0);
}

static void so_is_one_whose_place_none_can_take(void **state)
{
    static const char *const ways[] = {"fail", "die"};

    for (size_t i = 0; i < 2; i++) {
        pid_t pid;

        fresh_logs(state);
        setenv("FAKE_GUEST_TAKE_OVER", ways[i], 1);
        pid = start("wait", with_card);
        assert_true(file_says(log_path, "arg 512"));
        kill((pid_t)number_after("open domid=7 slot=3 pid="), SIGKILL);
        assert_true(file_says(log_path, "retire domid=7 slot=3 server=1"));
        assert_true(file_says(stderr_path, "none can take its place"));
        assert_null(strstr(slurp(log_path), "close domid=7")); /* its ioreq server is not theirs */
        kill(pid, SIGTERM);
        assert_int_equal(end_of(pid), 0);
    }
}

static void holds_none_of_the_toolstacks_descriptors(void **state)
{
    struct pollfd p;
    int ends[2];
    char c;
    pid_t pid;

    (void)state;
    assert_int_equal(pipe(ends), 0);
    assert_int_equal(dup2(ends[1], 9), 9);
    close(ends[1]);
    fcntl(ends[0], F_SETFD, FD_CLOEXEC);
    pid = start("wait", with_card); /* the engine closes its descriptor 9 */
    close(9);
    p = (struct pollfd){.fd = ends[0], .events = POLLIN};
    assert_int_equal(poll(&p, 1, DEADLINE_MS), 1);
    assert_int_equal(read(ends[0], &c, 1), 0);
    close(ends[0]);
    kill(pid, SIGTERM);
    assert_int_equal(end_of(pid), 0);
}

static void a_mistyped_audiodev_is_refused_before_anything_starts(void **state)
{
    static const char *const args[] = {"-xen-domid", "7",          "-device", "es1370",
                                       "-audiodev",  "nonee,id=s", NULL};
    int status = end_of(start("exit 0", args));

    (void)state;
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 1);
    assert_true(file_says(stderr_path, "nonee"));
    assert_string_equal(slurp(log_path), "");
}

static const char *const no_audiodev[] = {"-xen-domid", "7",      "-name", "dom",
                                          "-device",    "es1370", NULL};

static void a_mistyped_variable_is_refused_too(void **state)
{
    int status;

    (void)state;
    setenv("QEMU_AUDIO_DRV", "nonne", 1);
    status = end_of(start("exit 0", no_audiodev));
    unsetenv("QEMU_AUDIO_DRV");
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 1);
    assert_true(file_says(stderr_path, "QEMU_AUDIO_DRV: this build has no sound driver 'nonne' "
                                       "(did you mean 'none'?)"));
    assert_string_equal(slurp(log_path), "");
}

static void a_mistake_in_the_hosts_file_is_told_and_the_machine_runs(void **state)
{
    char path[64];
    FILE *f;

    (void)state;
    snprintf(path, sizeof(path), "%s/conf", dir);
    f = fopen(path, "w");
    assert_non_null(f);
    fprintf(f, "engine = %s\ndebug = on\n[domain dom]\ndriver = none\ndirver = none\n", engine);
    fclose(f);
    setenv("QEMU_DM_CONF", path, 1);
    unsetenv("QEMU_DM_ENGINE");
    assert_int_equal(end_of(start("exit 0", no_audiodev)), 0);
    unsetenv("QEMU_DM_CONF");
    setenv("QEMU_DM_ENGINE", engine, 1);
    unlink(path);
    assert_true(file_says(stderr_path, "conf:5: there is no key 'dirver'; did you mean 'driver'?"));
    assert_true(file_says(stderr_path, "of domain 7 (dom), to none"));
    assert_true(file_says(stderr_path, "debug: engine: -xen-domid"));
    assert_true(file_says(log_path, "engine pid="));
}

static void a_missing_engine_is_named(void **state)
{
    int status;

    (void)state;
    setenv("QEMU_DM_ENGINE", "/nonexistent/engine", 1);
    status = end_of(start("exit 0", with_card));
    setenv("QEMU_DM_ENGINE", engine, 1);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 1);
    assert_true(file_says(stderr_path, "/nonexistent/engine"));
    assert_true(file_says(log_path, "close domid=7"));
}

/* As where its package has put it in the distribution's place, and that is gone. */
static void is_not_its_own_engine(void **state)
{
    char itself[64];
    int status;

    (void)state;
    snprintf(itself, sizeof(itself), "%s/itself", dir);
    assert_int_equal(symlink(program, itself), 0);
    setenv("QEMU_DM_ENGINE", itself, 1);
    status = end_of(start("exit 0", with_card));
    setenv("QEMU_DM_ENGINE", engine, 1);
    unlink(itself);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 1);
    assert_true(file_says(stderr_path, "itself is qemu-dm itself"));
}

static void says_more_when_asked(void **state)
{
    (void)state;
    end_of(start("exit 0", with_card));
    assert_true(file_says(stderr_path, "es1370 in slot 3 of domain 7 (dom), to none"));
    assert_null(strstr(slurp(stderr_path), "debug: engine: -machine"));
    setenv("QEMU_DM_DEBUG", "1", 1);
    end_of(start("exit 0", with_card));
    unsetenv("QEMU_DM_DEBUG");
    assert_true(file_says(stderr_path, "debug: engine: -machine"));
}

static void explains_itself(void **state)
{
    static const char *const help[] = {"--help", NULL}, *const version[] = {"--version", NULL};

    (void)state;
    assert_int_equal(end_of(start("exit 9", help)), 0);
    assert_true(file_says(stderr_path, "-audiodev"));
    assert_int_equal(end_of(start("exit 9", version)), 0);
    assert_true(file_says(stderr_path, "qemu-dm "));
    assert_string_equal(slurp(log_path), "");
}

/* --- the view of what is heard --- */

static bool has_page(const char *domid)
{
    char path[96];

    snprintf(path, sizeof(path), "%s/%s", run_path, domid);
    return access(path, F_OK) == 0;
}

/* Runs qemu-dm with these words, and returns its exit status; what it says is in
 * stderr_path. */
static int ask(const char *const args[])
{
    int status;

    unlink(stderr_path);
    status = end_of(start("exit 9", args));
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

static const char *const status_of_all[] = {"--status", NULL};

static pid_t start_with_card(void)
{
    pid_t pid = start("wait", with_card);

    assert_true(file_says(log_path, "arg 512"));
    return pid;
}

static void shows_the_card_while_it_runs(void **state)
{
    static const char *const json[] = {"--json", "7", "--status", NULL};
    static const char *const name[] = {"dom", "--status", NULL};
    static const char *const other[] = {"--status", "8", NULL};
    pid_t pid = start_with_card();
    pid_t card = (pid_t)number_after("open domid=7 slot=3 pid=");
    char pids[64];

    (void)state;
    snprintf(pids, sizeof(pids), "pid %d, card %d", (int)pid, (int)card);
    assert_int_equal(ask(status_of_all), 0);
    assert_true(file_says(stderr_path, "domain 7 (dom)   es1370 to none"));
    assert_true(file_says(stderr_path, pids));
    assert_int_equal(ask(name), 0);
    assert_true(file_says(stderr_path, pids));
    assert_int_equal(ask(json), 0);
    assert_true(file_says(stderr_path, "\"domain_id\": 7"));
    assert_int_equal(ask(other), 1);
    assert_true(file_says(stderr_path, "for the domain 8"));

    kill(pid, SIGTERM);
    assert_int_equal(end_of(pid), 0);
    assert_false(has_page("7"));
    assert_int_equal(ask(status_of_all), 1);
    assert_true(file_says(stderr_path, "soundhw"));
}

/* What the kernel says of each of the card's threads: the value of a key, the same for all. */
static void assert_threads_have(pid_t card, const char *key, const char *value)
{
    char path[64], expected[64];
    struct dirent *entry;
    unsigned threads = 0;
    DIR *dir;

    snprintf(path, sizeof(path), "/proc/%d/task", (int)card);
    snprintf(expected, sizeof(expected), "\n%s:\t%s", key, value);
    dir = opendir(path);
    assert_non_null(dir);
    while ((entry = readdir(dir))) {
        if (entry->d_name[0] != '.') {
            char status[350];

            snprintf(status, sizeof(status), "%s/%s/status", path, entry->d_name);
            assert_non_null(strstr(slurp(status), expected));
            threads++;
        }
    }
    closedir(dir);
    assert_true(threads > 2);
}

static void the_card_has_no_privileges(void **state)
{
    static const char *const json[] = {"--json", "--status", NULL};
    pid_t pid = start_with_card();
    pid_t card = (pid_t)number_after("open domid=7 slot=3 pid=");
    unsigned user = geteuid() == 0 ? 65534 : geteuid();
    char uid[64];

    (void)state;
    snprintf(uid, sizeof(uid), "%u\t%u\t%u\t%u\n", user, user, user, user);
    assert_threads_have(card, "Uid", uid);
    assert_threads_have(card, "CapPrm", "0000000000000000\n");
    assert_threads_have(card, "CapEff", "0000000000000000\n");
    assert_threads_have(card, "NoNewPrivs", "1\n");
    assert_threads_have(card, "Seccomp", "2\n");

    snprintf(uid, sizeof(uid), "\"uid\": %u", user);
    assert_int_equal(ask(json), 0);
    assert_true(file_says(stderr_path, uid));
    assert_true(file_says(stderr_path, "\"no_capabilities\": true"));
    assert_true(file_says(stderr_path, "\"no_new_privileges\": true"));
    assert_true(file_says(stderr_path, "\"system_calls_filtered\": true"));
    kill(pid, SIGTERM);
    assert_int_equal(end_of(pid), 0);
}

static void a_mistyped_question_is_answered(void **state)
{
    static const char *const wrong[] = {"--status", "--wach", NULL};
    static const char *const many[] = {"--status", "a", "b", NULL};

    (void)state;
    assert_int_equal(ask(wrong), 2);
    assert_true(file_says(stderr_path, "no option --wach"));
    assert_true(file_says(stderr_path, "--watch"));
    assert_int_equal(ask(many), 2);
    assert_true(file_says(stderr_path, "b is one too many"));
    assert_string_equal(slurp(log_path), "");
}

static void a_dead_card_is_not_shown(void **state)
{
    pid_t pid = start_with_card();

    (void)state;
    assert_true(has_page("7"));
    kill_card((pid_t)number_after("open domid=7 slot=3 pid="), SIGKILL);
    assert_true(has_page("7"));
    kill_card((pid_t)number_after("take-over pid="), SIGKILL);
    kill((pid_t)number_after("take-over pid="), SIGKILL);
    assert_true(file_says(log_path, "retire domid=7 slot=3 server=1"));
    assert_false(has_page("7"));
    kill(pid, SIGTERM);
    assert_int_equal(end_of(pid), 0);
}

static void nor_is_one_that_could_not_start(void **state)
{
    (void)state;
    setenv("FAKE_GUEST_OPEN", "fail", 1);
    assert_int_equal(end_of(start("exit 0", with_card)), 0);
    assert_false(has_page("7"));
}

/* If the supervisor is killed and its guard, too; whatever the domain of the next. */
static void the_next_start_clears_up(void **state)
{
    static const char *const another[] = {"-xen-domid", "8",         "-machine",
                                          "xenfv",      "-device",   "es1370",
                                          "-audiodev",  "none,id=s", NULL};
    pid_t pid = start_with_card();

    (void)state;
    kill(child_named(pid, "qemu-dm guard"), SIGKILL);
    kill(pid, SIGKILL);
    end_of(pid);
    assert_true(file_says(log_path, "close domid=7"));
    assert_true(has_page("7"));
    assert_int_equal(ask(status_of_all), 1);
    assert_int_equal(end_of(start("exit 0", another)), 0);
    assert_false(has_page("7"));
    assert_false(has_page("8"));
}

static void watches_until_it_is_told_to_stop(void **state)
{
    static const char *const watch[] = {"--watch", "--json", "--status", NULL};
    pid_t pid = start("exit 9", watch);
    int status;

    (void)state;
    assert_true(file_says(stderr_path, "\"cards\":[]}\n"));
    kill(pid, SIGTERM);
    status = end_of(pid);
    assert_true(WIFSIGNALED(status));
}

/* Reads what a terminal gets until there is this text. */
static bool terminal_shows(int terminal, const char *what)
{
    struct pollfd p = {.fd = terminal, .events = POLLIN};
    char seen[8192];
    size_t length = 0;

    while (length < sizeof(seen) - 1 && poll(&p, 1, DEADLINE_MS) == 1) {
        ssize_t n = read(terminal, seen + length, sizeof(seen) - 1 - length);

        if (n <= 0) {
            break;
        }
        length += (size_t)n;
        seen[length] = '\0';
        if (strstr(seen, what)) {
            return true;
        }
    }
    seen[length] = '\0';
    print_error("the terminal never showed \"%s\", but\n%s\n", what, seen);
    return false;
}

/* Drawn again and again from the top, and never more than there is room for. */
static void watches_on_a_terminal(void **state)
{
    struct winsize size = {.ws_row = 3, .ws_col = 80};
    char *const argv[] = {program, (char *)"--status", (char *)"--watch", NULL};
    pid_t pid = start_with_card();
    int terminal;
    pid_t viewer = forkpty(&terminal, NULL, NULL, &size);

    (void)state;
    assert_true(viewer >= 0);
    if (viewer == 0) {
        execv(program, argv);
        _exit(127);
    }
    assert_true(terminal_shows(terminal, "\033[H\033[?7ldomain 7 (dom)"));
    assert_true(terminal_shows(terminal, "(there is more: name a DOMAIN)\033[J\033[?7h\033[H"));
    kill(pid, SIGTERM);
    assert_int_equal(end_of(pid), 0);
    assert_true(terminal_shows(terminal, "No sound card"));
    kill(viewer, SIGTERM);
    end_of(viewer);
    close(terminal);
}

/* It only takes the view away. */
static void plays_without_a_place_for_its_page(void **state)
{
    (void)state;
    setenv("QEMU_DM_RUNDIR", "/proc/nothing/here", 1);
    assert_int_equal(end_of(start("exit 3", with_card)) >> 8, 3);
    assert_true(file_says(log_path, "open domid=7"));
    assert_true(file_says(stderr_path, "/proc/nothing/here/7"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(becomes_the_engine_without_a_card, fresh_logs),
        cmocka_unit_test_setup(joins_the_domain_before_the_engine_does, fresh_logs),
        cmocka_unit_test_setup(takes_the_sound_out_of_the_engines_hands, fresh_logs),
        cmocka_unit_test_setup(ends_with_the_engines_status, fresh_logs),
        cmocka_unit_test_setup(ends_by_the_engines_signal, fresh_logs),
        cmocka_unit_test_setup(hands_signals_on, fresh_logs),
        cmocka_unit_test_setup(a_card_that_cannot_start_does_not_stop_the_machine, fresh_logs),
        cmocka_unit_test_setup(another_card_takes_a_dead_ones_place, fresh_logs),
        cmocka_unit_test_setup(a_card_that_dies_three_times_is_unplugged, fresh_logs),
        cmocka_unit_test_setup(so_is_one_whose_place_none_can_take, fresh_logs),
        cmocka_unit_test_setup(holds_none_of_the_toolstacks_descriptors, fresh_logs),
        cmocka_unit_test_setup(a_mistyped_audiodev_is_refused_before_anything_starts, fresh_logs),
        cmocka_unit_test_setup(a_mistyped_variable_is_refused_too, fresh_logs),
        cmocka_unit_test_setup(a_mistake_in_the_hosts_file_is_told_and_the_machine_runs,
                               fresh_logs),
        cmocka_unit_test_setup(a_missing_engine_is_named, fresh_logs),
        cmocka_unit_test_setup(is_not_its_own_engine, fresh_logs),
        cmocka_unit_test_setup(says_more_when_asked, fresh_logs),
        cmocka_unit_test_setup(explains_itself, fresh_logs),
        cmocka_unit_test_setup(shows_the_card_while_it_runs, fresh_logs),
        cmocka_unit_test_setup(the_card_has_no_privileges, fresh_logs),
        cmocka_unit_test_setup(a_mistyped_question_is_answered, fresh_logs),
        cmocka_unit_test_setup(a_dead_card_is_not_shown, fresh_logs),
        cmocka_unit_test_setup(nor_is_one_that_could_not_start, fresh_logs),
        cmocka_unit_test_setup(the_next_start_clears_up, fresh_logs),
        cmocka_unit_test_setup(watches_until_it_is_told_to_stop, fresh_logs),
        cmocka_unit_test_setup(watches_on_a_terminal, fresh_logs),
        cmocka_unit_test_setup(plays_without_a_place_for_its_page, fresh_logs),
    };
    int failed;

    if (!prepare_program("fake-engine")) {
        return 1;
    }
    failed = cmocka_run_group_tests(tests, NULL, NULL);
    clear_up_program();
    return failed;
}
