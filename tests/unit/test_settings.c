/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * -audiodev as people write it, and mistype it. It is tested with the two
 * drivers that every build has; "pa" only where it is built in.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "audio/driver.h"
#include "audio/settings.h"
#include "base/log.h"

static char logged[512];

void log_at(enum log_level level, const char *fmt, ...)
{
    va_list ap;

    (void)level;
    va_start(ap, fmt);
    vsnprintf(logged, sizeof(logged), fmt, ap);
    va_end(ap);
}

/* The text is refused, and the message says each of these. */
static void refused_n(const char *text, const char *const says[], unsigned n)
{
    struct audio_settings s;
    struct err err = {""};

    if (audio_settings_parse(&s, text, &err)) {
        fail_msg("'%s' was accepted", text);
    }
    assert_null(s.id);
    for (unsigned i = 0; i < n; i++) {
        if (!strstr(err.text, says[i])) {
            fail_msg("'%s' is not in: %s", says[i], err.text);
        }
    }
}

#define refused(text, ...)                                                                         \
    do {                                                                                           \
        static const char *const says[] = {__VA_ARGS__};                                           \
        refused_n(text, says, sizeof(says) / sizeof(says[0]));                                     \
    } while (0)

static void test_nothing_said(void **state)
{
    struct audio_settings s;

    (void)state;
    assert_true(audio_settings_parse(&s, NULL, NULL));
    assert_ptr_equal(s.driver, audio_drivers[0]);
    assert_int_equal(s.out_latency_us, audio_drivers[0]->default_latency_us);
    assert_non_null(s.id);
    assert_null(s.server);
    assert_null(s.path);
    audio_settings_free(&s);
}

static void test_drivers_in_order(void **state)
{
    unsigned n = 0;

    (void)state;
    while (audio_drivers[n]) {
        assert_ptr_equal(audio_driver_find(audio_drivers[n]->name), audio_drivers[n]);
        n++;
    }
    assert_true(n >= 2);
    assert_string_equal(audio_drivers[n - 2]->name, "none");
    assert_string_equal(audio_drivers[n - 1]->name, "wav");
    assert_null(audio_driver_find("coreaudio"));
}

static void test_options(void **state)
{
    struct audio_settings s;
    struct err err = {""};

    (void)state;
    assert_true(audio_settings_parse(&s, "wav,id=snd0,path=/tmp/a,,b.wav,out.latency=20000", &err));
    assert_string_equal(s.driver->name, "wav");
    assert_string_equal(s.id, "snd0");
    assert_string_equal(s.path, "/tmp/a,b.wav");
    assert_int_equal(s.out_latency_us, 20000);
    audio_settings_free(&s);
    assert_null(s.path);

    assert_true(audio_settings_parse(&s, "driver=none,id=first,id=second", &err));
    assert_string_equal(s.id, "second");
    audio_settings_free(&s);

    if (audio_driver_find("pa")) {
        assert_true(audio_settings_parse(
            &s, "pa,id=a,server=unix:/run/user/1000/pulse/native,out.name=hall,out.stream-name=xp",
            &err));
        assert_string_equal(s.server, "unix:/run/user/1000/pulse/native");
        assert_string_equal(s.sink, "hall");
        assert_string_equal(s.stream_name, "xp");
        assert_null(s.source);
        assert_null(s.in_stream_name);
        assert_int_equal(s.in_latency_us, s.driver->default_latency_us);
        audio_settings_free(&s);

        *logged = '\0';
        assert_true(audio_settings_parse(
            &s, "pa,id=a,in.name=desk,in.stream-name=xp,in.latency=15000,out.latency=9000", &err));
        assert_string_equal(s.source, "desk");
        assert_string_equal(s.in_stream_name, "xp");
        assert_int_equal(s.in_latency_us, 15000);
        assert_int_equal(s.out_latency_us, 9000);
        assert_string_equal(logged, "");
        audio_settings_free(&s);
    }
}

/* QEMU's options that mean nothing here are taken, and one line says so. */
static void test_without_effect(void **state)
{
    struct audio_settings s;

    (void)state;
    *logged = '\0';
    assert_true(audio_settings_parse(&s, "none,id=a", NULL));
    assert_string_equal(logged, "");
    audio_settings_free(&s);
    assert_true(audio_settings_parse(
        &s, "none,id=a,timer-period=1000,out.fixed-settings=off,in.format=s16", NULL));
    assert_string_equal(logged, "-audiodev none: without effect here: timer-period, "
                                "out.fixed-settings, in.format");
    audio_settings_free(&s);
}

static void test_mistakes(void **state)
{
    (void)state;
    refused("none", "id=", "audiodev=snd0");
    refused("", "none, wav");
    refused("none,id=a,out.latncy=5", "out.latncy", "did you mean 'out.latency'");
    refused("wav,id=a,pth=x", "did you mean 'path'");
    refused("none,id=a,path=x", "there is no option 'path'");
    refused("wav,id=a,colour=blue", "'colour'", "there are id, out.latency, path");
    refused("none,id=a,out.latency", "'out.latency' has no value");
    refused("none,id=a,", "has no value");
    refused("none,id=", "id= is empty");
    refused("none,id=a,timer-period=soon", "timer-period=soon", "whole number");
    refused("none,id=a,timer-period=-1", "whole number");
    refused("none,id=a,timer-period=99999999999999999999", "whole number");
    refused("none,id=a,out.mixing-engine=onn", "none of on, off", "did you mean on?");
    refused("none,id=a,out.format=s61", "u8, s8, u16, s16", "did you mean s16?");
    refused("none,id=a,out.latency=15", "15", "1000", "1000000", "microseconds");
    refused("none,id=a,out.latency=1000001", "1000001");
    refused("none,id=a,out.latency=15ms", "whole number");
}

static void test_drivers_not_built_in(void **state)
{
    (void)state;
    refused("coreaudio,id=a", "'coreaudio'", "none, wav", "--audio-drv-list");
    refused("wave,id=a", "did you mean 'wav'?");
    if (!audio_driver_find("pa")) {
        refused("pa,id=a", "no sound driver 'pa'", "none, wav");
    }
}

/* Whatever is written, it is an answer and not a crash. */
static void test_random_text(void **state)
{
    static const char *const words[] = {"none",  "wav", "pa", ",", ",,", "=",    "id=x",
                                        "path=", "out", ".",  "",  "id", "\xff", "latency"};
    uint32_t random = 3;

    (void)state;
    for (int i = 0; i < 20000; i++) {
        char text[256] = "";
        struct audio_settings s;
        struct err err = {""};

        for (int n = 0; n < 12; n++) {
            random = random * 1664525 + 1013904223;
            strcat(text, words[(random >> 16) % (sizeof(words) / sizeof(words[0]))]);
        }
        if (audio_settings_parse(&s, text, &err)) {
            assert_non_null(s.id);
            audio_settings_free(&s);
        } else {
            assert_true(strlen(err.text) > 10);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_nothing_said), cmocka_unit_test(test_drivers_in_order),
        cmocka_unit_test(test_options),      cmocka_unit_test(test_without_effect),
        cmocka_unit_test(test_mistakes),     cmocka_unit_test(test_drivers_not_built_in),
        cmocka_unit_test(test_random_text),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
