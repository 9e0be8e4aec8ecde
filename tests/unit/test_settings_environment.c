/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * QEMU's names in the environment, for every driver whether it is built in or
 * not, and what comes of a place that says how long the host's queue is.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "audio/settings_environment.h"
#include "base/log.h"

static char logged[1024];

void log_at(enum log_level level, const char *fmt, ...)
{
    size_t used = strlen(logged);
    va_list ap;

    (void)level;
    va_start(ap, fmt);
    vsnprintf(logged + used, sizeof(logged) - used, fmt, ap);
    va_end(ap);
}

static const struct audio_driver pa = {.name = "pa", .default_latency_us = 5000};
static const struct audio_driver alsa = {.name = "alsa", .default_latency_us = 10000};
static const struct audio_driver oss = {.name = "oss", .default_latency_us = 10000};
static const struct audio_driver wav = {.name = "wav", .default_latency_us = 10000};

/* Sets "NAME=VALUE" and so on, up to NULL, and nothing else that begins with QEMU_. */
static void set_environment(const char *const variables[])
{
    for (char **at = environ; *at;) {
        char name[64] = "";

        if (strncmp(*at, "QEMU_", 5) == 0) {
            strncat(name, *at, strcspn(*at, "="));
            unsetenv(name);
            at = environ;
        } else {
            at++;
        }
    }
    for (unsigned i = 0; variables[i]; i++) {
        assert_int_equal(putenv((char *)variables[i]), 0);
    }
    *logged = '\0';
}

#define environment(...) set_environment((const char *const[]){__VA_ARGS__, NULL})

static struct audio_settings read_for(const struct audio_driver *driver)
{
    struct audio_answers answers = {{0}};
    struct audio_settings s = {.driver = driver,
                               .out_latency_us = driver->default_latency_us,
                               .in_latency_us = driver->default_latency_us};
    struct err err = {""};

    if (!audio_environment_read(&answers, driver, false, &err)) {
        fail_msg("%s", err.text);
    }
    audio_answers_apply(&answers, &s);
    audio_answers_free(&answers);
    return s;
}

static void refused(const struct audio_driver *driver, const char *says, const char *and_says)
{
    struct audio_answers answers = {{0}};
    struct err err = {""};

    assert_false(audio_environment_read(&answers, driver, false, &err));
    if (!strstr(err.text, says) || !strstr(err.text, and_says)) {
        fail_msg("'%s' and '%s' are not both in: %s", says, and_says, err.text);
    }
    audio_answers_free(&answers);
}

static void test_pulseaudio(void **state)
{
    struct audio_settings s;

    (void)state;
    environment("QEMU_AUDIO_DRV=pa", "QEMU_PA_SERVER=host", "QEMU_PA_SINK=hall",
                "QEMU_PA_SOURCE=desk", "QEMU_PA_SAMPLES=1764", "QEMU_ALSA_DAC_DEV=hw:0");
    s = read_for(&pa);
    assert_string_equal(s.server, "host");
    assert_string_equal(s.sink, "hall");
    assert_string_equal(s.source, "desk");
    assert_int_equal(s.out_latency_us, 20000);
    assert_int_equal(s.in_latency_us, 20000);
    assert_non_null(strstr(logged, "used of the environment: QEMU_AUDIO_DRV, QEMU_PA_SERVER, "
                                   "QEMU_PA_SINK, QEMU_PA_SOURCE, QEMU_PA_SAMPLES"));
    assert_non_null(strstr(logged, "out.latency is 20000 us"));
    assert_null(strstr(logged, "ALSA"));
    audio_settings_free(&s);
}

static void test_alsa_counts_frames_or_microseconds(void **state)
{
    struct audio_settings s;

    (void)state;
    environment("QEMU_ALSA_DAC_DEV=hw:1", "QEMU_ALSA_ADC_DEV=plughw:2",
                "QEMU_ALSA_DAC_BUFFER_SIZE=4410", "QEMU_ALSA_ADC_BUFFER_SIZE=30000",
                "QEMU_ALSA_ADC_SIZE_IN_USEC=1", "QEMU_ALSA_DAC_PERIOD_SIZE=88",
                "QEMU_ALSA_ADC_PERIOD_SIZE=2000", "QEMU_ALSA_THRESHOLD=0");
    s = read_for(&alsa);
    assert_string_equal(s.sink, "hw:1");
    assert_string_equal(s.source, "plughw:2");
    assert_int_equal(s.out_latency_us, 100000);
    assert_int_equal(s.in_latency_us, 30000);
    assert_int_equal(s.out_period_us, 1995);
    assert_int_equal(s.in_period_us, 2000);
    assert_non_null(strstr(logged, "without effect here: QEMU_ALSA_THRESHOLD"));
    audio_settings_free(&s);

    environment("QEMU_ALSA_DAC_BUFFER_SIZE=1000", "QEMU_ALSA_DAC_SIZE_IN_USEC=maybe");
    refused(&alsa, "QEMU_ALSA_DAC_SIZE_IN_USEC=maybe", "1 (on)");
}

static void test_oss_counts_bytes_and_fragments(void **state)
{
    struct audio_settings s;

    (void)state;
    environment("QEMU_OSS_DAC_DEV=/dev/dsp1", "QEMU_OSS_ADC_DEV=/dev/dsp2",
                "QEMU_OSS_FRAGSIZE=1764", "QEMU_OSS_NFRAGS=3", "QEMU_OSS_MMAP=1");
    s = read_for(&oss);
    assert_string_equal(s.sink, "/dev/dsp1");
    assert_string_equal(s.source, "/dev/dsp2");
    assert_int_equal(s.out_latency_us, 30000);
    assert_non_null(strstr(logged, "without effect here: QEMU_OSS_MMAP"));
    audio_settings_free(&s);

    environment("QEMU_OSS_FRAGSIZE=1764");
    s = read_for(&oss);
    assert_int_equal(s.out_latency_us, 40000);
    audio_settings_free(&s);

    environment("QEMU_OSS_NFRAGS=8");
    s = read_for(&oss);
    assert_int_equal(s.out_latency_us, 10000);
    audio_settings_free(&s);
}

static void test_a_latency_stays_in_its_range(void **state)
{
    struct audio_settings s;

    (void)state;
    environment("QEMU_PA_SAMPLES=2");
    s = read_for(&pa);
    assert_int_equal(s.out_latency_us, 1000);
    environment("QEMU_PA_SAMPLES=4294967295");
    s = read_for(&pa);
    assert_int_equal(s.out_latency_us, 1000000);
    environment("QEMU_OSS_FRAGSIZE=4294967295", "QEMU_OSS_NFRAGS=4294967295");
    s = read_for(&oss);
    assert_int_equal(s.in_latency_us, 1000000);
    audio_settings_free(&s);
}

static void test_without_effect(void **state)
{
    struct audio_settings s;

    (void)state;
    environment("QEMU_AUDIO_TIMER_PERIOD=100", "QEMU_AUDIO_DAC_FIXED_FMT=S16",
                "QEMU_AUDIO_ADC_VOICES=2", "QEMU_WAV_PATH=/tmp/x.wav", "QEMU_WAV_FORMAT=u8");
    s = read_for(&wav);
    assert_string_equal(s.path, "/tmp/x.wav");
    assert_string_equal(logged, "used of the environment: QEMU_WAV_PATH"
                                "of the environment, without effect here: QEMU_AUDIO_TIMER_PERIOD, "
                                "QEMU_AUDIO_DAC_FIXED_FMT, QEMU_AUDIO_ADC_VOICES, QEMU_WAV_FORMAT");
    audio_settings_free(&s);
}

static void test_mistakes_name_the_variable(void **state)
{
    (void)state;
    environment("QEMU_PA_SAMPLES=many");
    refused(&pa, "QEMU_PA_SAMPLES=many", "whole number");
    environment("QEMU_PA_SINK=");
    refused(&pa, "QEMU_PA_SINK=", "empty");
    environment("QEMU_AUDIO_DAC_FIXED_FMT=S61");
    refused(&pa, "QEMU_AUDIO_DAC_FIXED_FMT=s61", "did you mean s16?");
    environment("QEMU_AUDIO_DAC_FIXED_SETTINGS=perhaps");
    refused(&pa, "QEMU_AUDIO_DAC_FIXED_SETTINGS=perhaps", "1 (on)");
    environment("QEMU_AUDIO_TIMER_PERIOD=-1");
    refused(&pa, "QEMU_AUDIO_TIMER_PERIOD=-1", "whole number");
}

/* Beside an -audiodev QEMU looks at none of its variables. */
static void test_overruled(void **state)
{
    struct audio_answers answers = {{0}};

    (void)state;
    environment("QEMU_AUDIO_DRV=alsa", "QEMU_PA_SINK=hall", "QEMU_PA_SAMPLES=many",
                "QEMU_DM_USER=anna");
    assert_true(audio_environment_read(&answers, &pa, true, NULL));
    assert_null(answers.values[audio_option_find(NULL, "out.name")]);
    assert_string_equal(answers.values[audio_option_find(NULL, "user")], "anna");
    assert_string_equal(logged, "used of the environment: QEMU_DM_USER");
    audio_answers_free(&answers);

    /* Nothing goes to anybody's server. */
    assert_true(audio_environment_read(&answers, &wav, true, NULL));
    assert_null(answers.values[audio_option_find(NULL, "user")]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_pulseaudio),
        cmocka_unit_test(test_alsa_counts_frames_or_microseconds),
        cmocka_unit_test(test_oss_counts_bytes_and_fragments),
        cmocka_unit_test(test_a_latency_stays_in_its_range),
        cmocka_unit_test(test_without_effect),
        cmocka_unit_test(test_mistakes_name_the_variable),
        cmocka_unit_test(test_overruled),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
