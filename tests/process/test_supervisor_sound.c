/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The whole program with sound cards that the engine emulates: a shell script in
 * its place plays into the pipe, and a WAV file is the host's sound.
 */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "process/program.h"

enum {
    HEADER_BYTES = 44,
    FRAMES = 4800,
    MORE_THAN_A_PIPE = 10, /* holds, of such sounds */
};

static char sound_path[64]; /* what the engine writes: a WAV file */
static char heard_path[64]; /* what the host hears: another */
static char play[80], play_on[80];
static pid_t domain;

static const char *const with_ac97[] = {
    "-xen-domid", "7",        "-nodefaults", "-name", "dom", "-device",
    "AC97",       "-machine", "xenfv",       "-m",    "512", NULL,
};

/* The header that QEMU writes into a pipe, and numbered frames: from 1, on both sides. */
static void make_sound(void)
{
    static const uint8_t header[HEADER_BYTES] = {
        'R', 'I', 'F', 'F', 0,  0, 0,   0,   'W', 'A',  'V',  'E', 'f', 'm',  't',
        ' ', 16,  0,   0,   0,  1, 0,   2,   0,   0x80, 0xbb, 0,   0,   0x00, 0xee,
        2,   0,   4,   0,   16, 0, 'd', 'a', 't', 'a',  0,    0,   0,   0};
    FILE *f = fopen(sound_path, "w");

    assert_non_null(f);
    fwrite(header, sizeof(header), 1, f);
    for (unsigned i = 1; i <= FRAMES; i++) {
        const uint8_t frame[] = {i & 255, i >> 8, i & 255, i >> 8};

        fwrite(frame, sizeof(frame), 1, f);
    }
    assert_int_equal(fclose(f), 0);
}

/* How many frames of what was heard follow the one before: one less than were played, if all of
 * them are there. */
static unsigned frames_in_order(void)
{
    static uint16_t heard[1 << 16][2];
    FILE *f = fopen(heard_path, "r");
    unsigned count = 0;
    size_t frames;

    assert_non_null(f);
    assert_int_equal(fseek(f, HEADER_BYTES, SEEK_SET), 0);
    frames = fread(heard, sizeof(heard[0]), sizeof(heard) / sizeof(heard[0]), f);
    fclose(f);
    for (size_t i = 1; i < frames; i++) {
        count +=
            heard[i][0] == heard[i][1] && heard[i - 1][0] > 0 && heard[i][0] == heard[i - 1][0] + 1;
    }
    return count;
}

static unsigned times_logged(const char *what)
{
    unsigned count = 0;

    for (const char *at = slurp(log_path); (at = strstr(at, what)) != NULL; at++) {
        count++;
    }
    return count;
}

static void engine_goes_on(void)
{
    unsigned before = times_logged("played\n");

    for (unsigned ms = 0; times_logged("played\n") < before + MORE_THAN_A_PIPE; ms += 5) {
        assert_true(ms < DEADLINE_MS);
        pause_ms(5);
    }
}

/* The process that plays: the one that is no engine; not the one before. */
static pid_t player(pid_t before)
{
    long engine_pid = number_after("engine pid=");
    char path[64];

    snprintf(path, sizeof(path), "/proc/%d/task/%d/children", domain, domain);
    for (unsigned ms = 0; ms < DEADLINE_MS; ms += 5) {
        char *at = slurp(path);

        for (long pid; (pid = strtol(at, &at, 10)) > 0;) {
            if (pid != engine_pid && pid != before) {
                return (pid_t)pid;
            }
        }
        pause_ms(5);
    }
    fail_msg("nobody plays");
    return -1;
}

static void what_the_engine_plays_is_heard(void **state)
{
    (void)state;
    domain = start(play, with_ac97);
    assert_int_equal(end_of(domain), 0);
    assert_int_equal(frames_in_order(), FRAMES - 1);
    assert_null(strstr(slurp(stderr_path), "does not end by itself"));
}

static void the_engine_goes_on_without_who_plays(void **state)
{
    pid_t dead = 0;

    (void)state;
    domain = start(play_on, with_ac97);
    engine_goes_on();
    for (unsigned i = 0; i < 2; i++) {
        dead = player(dead);
        assert_int_equal(kill(dead, SIGKILL), 0);
        assert_true(gone(dead));
        engine_goes_on();
    }
    kill(domain, SIGTERM);
    assert_int_equal(end_of(domain), 0);
    assert_true(file_says(log_path, "signal TERM"));
}

static void ends_as_the_engine_does(void **state)
{
    int status = end_of(start("exit 7", with_ac97));

    (void)state;
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 7);
}

static void a_host_without_sound_is_no_hindrance(void **state)
{
    (void)state;
    setenv("QEMU_WAV_PATH", "/nowhere/host.wav", 1);
    assert_int_equal(end_of(start(play, with_ac97)), 0);
    setenv("QEMU_WAV_PATH", heard_path, 1);
    assert_true(file_says(stderr_path, "/nowhere/host.wav"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(what_the_engine_plays_is_heard, fresh_logs),
        cmocka_unit_test_setup(the_engine_goes_on_without_who_plays, fresh_logs),
        cmocka_unit_test_setup(ends_as_the_engine_does, fresh_logs),
        cmocka_unit_test_setup(a_host_without_sound_is_no_hindrance, fresh_logs),
    };
    int failed;

    if (!prepare_program("fake-engine")) {
        return 1;
    }
    snprintf(sound_path, sizeof(sound_path), "%s/engine.wav", dir);
    snprintf(heard_path, sizeof(heard_path), "%s/host.wav", dir);
    snprintf(play, sizeof(play), "play %s", sound_path);
    snprintf(play_on, sizeof(play_on), "play-on %s", sound_path);
    setenv("QEMU_AUDIO_DRV", "wav", 1);
    setenv("QEMU_WAV_PATH", heard_path, 1);
    make_sound();
    failed = cmocka_run_group_tests(tests, NULL, NULL);
    unlink(sound_path);
    unlink(heard_path);
    clear_up_program();
    return failed;
}
