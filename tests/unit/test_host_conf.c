/* SPDX-License-Identifier: GPL-2.0-or-later */
/* qemu-dm.conf as people write it, and mistype it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "audio/driver.h"
#include "audio/settings.h"
#include "base/log.h"
#include "host_conf.h"

static char logged[4096];
static unsigned errors;
static char path[] = "/tmp/test_host_conf.XXXXXX";

void log_at(enum log_level level, const char *fmt, ...)
{
    size_t used = strlen(logged);
    va_list ap;

    errors += level == LOG_LEVEL_ERROR;
    va_start(ap, fmt);
    vsnprintf(logged + used, sizeof(logged) - used, fmt, ap);
    va_end(ap);
}

static struct conf read_bytes(const void *text, size_t length)
{
    FILE *f = fopen(path, "w");
    struct conf conf;

    assert_non_null(f);
    assert_int_equal(fwrite(text, 1, length, f), length);
    fclose(f);
    *logged = '\0';
    errors = 0;
    host_conf_read(&conf);
    return conf;
}

static struct conf read_text(const char *text)
{
    return read_bytes(text, strlen(text));
}

static void test_lines(void **state)
{
    struct conf conf = read_text("# the host's\n"
                                 "\n"
                                 "driver = wav # a comment\r\n"
                                 "  path=\"/tmp/a b#c.wav\"  \n"
                                 "out.latency = 10000\n"
                                 "out.latency = 20000\n"
                                 "debug = on\n"
                                 "engine = /usr/bin/engine");

    (void)state;
    assert_string_equal(logged, "");
    assert_string_equal(conf_value(&conf, NULL, "driver"), "wav");
    assert_string_equal(conf_value(&conf, "any", "path"), "/tmp/a b#c.wav");
    assert_string_equal(conf_value(&conf, NULL, "out.latency"), "20000");
    assert_string_equal(conf_value(&conf, NULL, "engine"), "/usr/bin/engine");
    assert_null(conf_value(&conf, NULL, "server"));
    assert_true(host_conf_debug(&conf));
    conf_free(&conf);
    assert_false(host_conf_debug(&conf));
}

static void test_sections(void **state)
{
    struct conf conf = read_text("out.latency = 10000\n"
                                 "[domain winxp]\n"
                                 "out.latency = 30000\n"
                                 "[ domain  two ]\n"
                                 "out.latency = 40000\n"
                                 "[domain \"with blanks\"]\n"
                                 "out.latency = 50000\n"
                                 "[domain winxp]\n"
                                 "in.latency = 31000\n");

    (void)state;
    assert_int_equal(errors, 1); /* "[ domain" */
    assert_string_equal(conf_value(&conf, NULL, "out.latency"), "10000");
    assert_string_equal(conf_value(&conf, "two", "out.latency"), "10000");
    assert_string_equal(conf_value(&conf, "winxp", "out.latency"), "30000");
    assert_string_equal(conf_value(&conf, "winxp", "in.latency"), "31000");
    assert_string_equal(conf_value(&conf, "with blanks", "out.latency"), "50000");
    conf_free(&conf);
}

/* Each is answered with the line's number and the nearest right one, and left out. */
static void test_mistakes(void **state)
{
    static const struct {
        const char *text, *says[3];
    } cases[] = {
        {"\nout.latncy = 5000\n", {":2: ", "out.latncy", "did you mean 'out.latency'"}},
        {"divrer = pa\n", {":1: ", "did you mean 'driver'", "left out"}},
        {"dbug = on\n", {":1: ", "did you mean 'debug'", "left out"}},
        {"colour = blue\n", {":1: ", "'colour'", "qemu-dm.conf"}},
        {"driver = wave\n", {":1: ", "'wave'", "did you mean 'wav'"}},
        {"out.latency = soon\n", {":1: ", "out.latency=soon", "whole number"}},
        {"out.latency = 15\n", {":1: ", "1000000", "microseconds"}},
        {"out.format = s61\n", {":1: ", "out.format=s61", "did you mean s16?"}},
        {"server =\n", {":1: ", "server=", "empty"}},
        {"server\n", {":1: ", "'server'", "key = value"}},
        {"= pa\n", {":1: ", "no key", "left out"}},
        {"debug = 1\n", {":1: ", "debug=1", "neither on nor off"}},
        {"engine = qemu\n", {":1: ", "engine=qemu", "absolute path"}},
        {"[domain a]\nengine = /q\n", {":2: ", "'engine' is for all domains", "above"}},
        {"[audio]\nout.latency = 20000\n", {":1: ", "[audio]", "all up to the next section"}},
        {"[domain]\nout.latency = 20000\n", {":1: ", "[domain]", "[domain NAME]"}},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct conf conf = read_text(cases[i].text);

        assert_int_equal(errors, 1);
        assert_int_equal(conf.count, 0);
        assert_non_null(strstr(logged, path));
        for (unsigned n = 0; n < 3; n++) {
            if (!strstr(logged, cases[i].says[n])) {
                fail_msg("'%s' is not in: %s", cases[i].says[n], logged);
            }
        }
        conf_free(&conf);
    }
}

static void test_what_is_right_beside_a_mistake_counts(void **state)
{
    struct conf conf = read_text("nonsense\nout.latency = 20000\ndriver = nonsense\n");

    (void)state;
    assert_int_equal(errors, 2);
    assert_string_equal(conf_value(&conf, NULL, "out.latency"), "20000");
    assert_null(conf_value(&conf, NULL, "driver"));
    conf_free(&conf);
}

static void test_a_file_that_is_not_there(void **state)
{
    struct conf conf;

    (void)state;
    *logged = '\0';
    setenv("QEMU_DM_CONF", "/nonexistent/qemu-dm.conf", 1);
    host_conf_read(&conf);
    setenv("QEMU_DM_CONF", path, 1);
    assert_non_null(strstr(logged, "/nonexistent/qemu-dm.conf: No such file"));
    assert_null(conf_value(&conf, NULL, "driver"));
    conf_free(&conf);
}

/* The command line, then the environment, then the file's section, then the rest of the file. */
static void test_who_wins(void **state)
{
    struct conf conf = read_text("driver = wav\n"
                                 "path = /tmp/of-all.wav\n"
                                 "server = unused\n"
                                 "out.latency = 20000\n"
                                 "[domain xp]\n"
                                 "path = /tmp/of-xp.wav\n");
    struct audio_settings s;
    struct err err = {""};

    (void)state;
    assert_true(audio_settings_choose(&s, NULL, &conf, "other", &err));
    assert_string_equal(s.driver->name, "wav");
    assert_string_equal(s.id, "audio0");
    assert_string_equal(s.path, "/tmp/of-all.wav");
    assert_int_equal(s.out_latency_us, 20000);
    assert_null(s.server);
    assert_string_equal(logged, "used of the configuration file: out.latency, path");
    audio_settings_free(&s);

    assert_true(audio_settings_choose(&s, NULL, &conf, "xp", &err));
    assert_string_equal(s.path, "/tmp/of-xp.wav");
    audio_settings_free(&s);

    setenv("QEMU_WAV_PATH", "/tmp/of-environment.wav", 1);
    assert_true(audio_settings_choose(&s, NULL, &conf, "xp", &err));
    assert_string_equal(s.path, "/tmp/of-environment.wav");
    assert_int_equal(s.out_latency_us, 20000);
    audio_settings_free(&s);

    assert_true(audio_settings_choose(&s, "wav,id=a", &conf, "xp", &err));
    assert_string_equal(s.path, "/tmp/of-xp.wav");
    audio_settings_free(&s);
    assert_true(
        audio_settings_choose(&s, "wav,id=a,path=b.wav,out.buffer-length=7000", &conf, "xp", &err));
    assert_string_equal(s.path, "b.wav");
    assert_int_equal(s.out_latency_us, 7000);
    audio_settings_free(&s);

    /* The latency, where both are given in one place. */
    assert_true(audio_settings_choose(&s, "wav,id=a,out.latency=8000,out.buffer-length=7000", &conf,
                                      NULL, &err));
    assert_int_equal(s.out_latency_us, 8000);
    audio_settings_free(&s);

    setenv("QEMU_AUDIO_DRV", "none", 1);
    assert_true(audio_settings_choose(&s, NULL, &conf, "xp", &err));
    assert_string_equal(s.driver->name, "none");
    audio_settings_free(&s);
    assert_true(audio_settings_choose(&s, "wav,id=a", &conf, "xp", &err));
    assert_string_equal(s.driver->name, "wav");
    audio_settings_free(&s);
    setenv("QEMU_AUDIO_DRV", "sdl", 1);
    assert_false(audio_settings_choose(&s, NULL, &conf, "xp", &err));
    assert_non_null(strstr(err.text, "QEMU_AUDIO_DRV: this build has no sound driver 'sdl'"));
    unsetenv("QEMU_AUDIO_DRV");
    unsetenv("QEMU_WAV_PATH");
    conf_free(&conf);
}

/* Whatever the file holds, it is read to its end, and what is kept has been checked. */
static void test_random_bytes(void **state)
{
    static const char *const words[] = {"\n",  "=", "[domain ", "]",     "#",    " ",
                                        "\"",  "x", "driver",   "wav",   "path", "out.latency",
                                        "999", "[", "\r",       "debug", "on",   "\xff"};
    uint32_t random = 5;

    (void)state;
    for (int i = 0; i < 2000; i++) {
        char text[512] = "";
        struct audio_settings s;
        struct conf conf;

        for (int n = 0; n < 40; n++) {
            random = random * 1664525 + 1013904223;
            strcat(text, words[(random >> 16) % (sizeof(words) / sizeof(words[0]))]);
        }
        text[random % 300] ^= (char)(random >> 24 & 1 ? random >> 8 : 0);
        conf = read_bytes(text, 300);
        assert_true(audio_settings_choose(&s, NULL, &conf, "x", NULL));
        audio_settings_free(&s);
        conf_free(&conf);
    }
}

/* The example that is installed: nothing in it is in force, and all of it would be right. */
static void test_the_example(void **state)
{
    char example[512], text[16384], *from = text, *to = text;
    const char *src = getenv("SRC");
    struct conf conf;
    const char *key;
    size_t length;
    FILE *f;

    (void)state;
    snprintf(example, sizeof(example), "%s/qemu/qemu-dm.conf", src ? src : ".");
    f = fopen(example, "r");
    assert_non_null(f);
    length = fread(text, 1, sizeof(text) - 1, f);
    fclose(f);
    text[length] = '\0';
    conf = read_text(text);
    assert_string_equal(logged, "");
    assert_int_equal(conf.count, 0);
    conf_free(&conf);

    /* "#key = value" without its mark; "# text" is text. */
    for (; *from; from++) {
        if (*from != '#' || from[1] == ' ' || from[1] == '\n') {
            *to++ = *from;
        }
    }
    *to = '\0';
    conf = read_text(text);
    /* Which drivers there are is the build's. */
    assert_true(errors == 0 || (errors == 1 && strstr(logged, "no sound driver")));
    for (unsigned i = 1; (key = audio_settings_key(i)); i++) {
        if (strstr(key, "latency") || strstr(key, "name") || strstr(key, "dev") ||
            strcmp(key, "server") == 0 || strcmp(key, "user") == 0 || strcmp(key, "path") == 0) {
            assert_non_null(conf_value(&conf, "winxp", key));
        }
    }
    conf_free(&conf);
}

static int setup(void **state)
{
    int fd = mkstemp(path);

    (void)state;
    unsetenv("QEMU_AUDIO_DRV");
    setenv("QEMU_DM_CONF", path, 1);
    return fd < 0 ? -1 : close(fd);
}

static int teardown(void **state)
{
    (void)state;
    return unlink(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lines),
        cmocka_unit_test(test_sections),
        cmocka_unit_test(test_mistakes),
        cmocka_unit_test(test_what_is_right_beside_a_mistake_counts),
        cmocka_unit_test(test_a_file_that_is_not_there),
        cmocka_unit_test(test_who_wins),
        cmocka_unit_test(test_random_bytes),
        cmocka_unit_test(test_the_example),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
