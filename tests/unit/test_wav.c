/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The files that -audiodev wav writes, as a program that reads WAV sees them. */
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

static const struct pcm_format cd = {44100, 2, 16}, telephone = {8000, 1, 8};

static char folder[] = "/tmp/test_wav.XXXXXX";
static char path[64];
static struct audio_settings settings = {.path = path};
static const struct audio_driver *wav;

static uint32_t le(const uint8_t *from, unsigned bytes)
{
    uint32_t value = 0;

    while (bytes-- > 0) {
        value = value << 8 | from[bytes];
    }
    return value;
}

/* The file has this format, and this sound in it. */
static void assert_file(const char *name, const struct pcm_format *f, const char *sound)
{
    char full[128];
    uint8_t bytes[256];
    FILE *file;
    size_t length, expected = strlen(sound);

    snprintf(full, sizeof(full), "%s/%s", folder, name);
    file = fopen(full, "rb");
    assert_non_null(file);
    length = fread(bytes, 1, sizeof(bytes), file);
    fclose(file);
    assert_int_equal(length, 44 + expected);
    assert_memory_equal(bytes, "RIFF", 4);
    assert_int_equal(le(bytes + 4, 4), length - 8);
    assert_memory_equal(bytes + 8, "WAVEfmt ", 8);
    assert_int_equal(le(bytes + 16, 4), 16);
    assert_int_equal(le(bytes + 20, 2), 1);
    assert_int_equal(le(bytes + 22, 2), f->channels);
    assert_int_equal(le(bytes + 24, 4), f->rate);
    assert_int_equal(le(bytes + 28, 4), f->rate * pcm_frame_bytes(f));
    assert_int_equal(le(bytes + 32, 2), pcm_frame_bytes(f));
    assert_int_equal(le(bytes + 34, 2), f->bits);
    assert_memory_equal(bytes + 36, "data", 4);
    assert_int_equal(le(bytes + 40, 4), expected);
    assert_memory_equal(bytes + 44, sound, expected);
}

static void remove_file(const char *name)
{
    char full[128];

    snprintf(full, sizeof(full), "%s/%s", folder, name);
    unlink(full);
}

static int setup(void **state)
{
    (void)state;
    wav = audio_driver_find("wav");
    if (!mkdtemp(folder)) {
        return -1;
    }
    snprintf(path, sizeof(path), "%s/a.b.wav", folder);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    remove_file("a.b.wav");
    remove_file("a.b-2.wav");
    remove_file("a.b-3.wav");
    return rmdir(folder);
}

static void test_a_file_for_each_voice_and_format(void **state)
{
    void *first, *second;

    (void)state;
    first = wav->open(&settings, "snd0 dac1", &cd, NULL);
    assert_non_null(first);
    assert_file("a.b.wav", &cd, "");
    assert_int_equal(wav->write(first, "AAAABBBB", 2, NULL), 2);
    assert_file("a.b.wav", &cd, "AAAABBBB"); /* right while it is being written */

    second = wav->open(&settings, "snd0 dac2", &cd, NULL);
    assert_non_null(second);
    assert_int_equal(wav->write(second, "CCCC", 1, NULL), 1);
    wav->close(first);
    wav->close(second);

    first = wav->open(&settings, "snd0 dac1", &telephone, NULL);
    assert_non_null(first);
    assert_int_equal(wav->write(first, "xyz", 3, NULL), 3);
    wav->close(first);

    /* And on with the first, at its end. */
    first = wav->open(&settings, "snd0 dac1", &cd, NULL);
    assert_non_null(first);
    assert_int_equal(wav->write(first, "DDDD", 1, NULL), 1);
    wav->close(first);

    assert_file("a.b.wav", &cd, "AAAABBBBDDDD");
    assert_file("a.b-2.wav", &cd, "CCCC");
    assert_file("a.b-3.wav", &telephone, "xyz");
}

static void test_a_path_that_is_none(void **state)
{
    struct audio_settings bad = {.path = (char *)"/no/such/folder/a.wav"};
    struct err err = {""};

    (void)state;
    assert_null(wav->open(&bad, "snd1 dac1", &cd, &err));
    assert_non_null(strstr(err.text, "/no/such/folder/a"));
    assert_non_null(strstr(err.text, "No such file"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_file_for_each_voice_and_format),
        cmocka_unit_test(test_a_path_that_is_none),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
