/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is put behind QEMU's saved state, and found again: in the files that libxl makes, in those
 * of a stock device model, and in damaged ones. */
#include <endian.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "engine/saved_state.h"

static const char engines[] = "QEVM and what follows, up to the end marker";
static const char card[] = "the sound card\0 and its voices";

/* The engine has written its part, and fd is behind it. */
static int engine_has_written(void)
{
    int fd = memfd_create("qemu-save", MFD_CLOEXEC);

    assert_true(fd >= 0);
    assert_int_equal(write(fd, engines, sizeof(engines)), sizeof(engines));
    return fd;
}

static off_t size_of(int fd)
{
    struct stat st;

    assert_int_equal(fstat(fd, &st), 0);
    return st.st_size;
}

static void assert_engines_alone(int fd)
{
    char bytes[sizeof(engines)];

    assert_int_equal(size_of(fd), sizeof(engines));
    assert_int_equal(pread(fd, bytes, sizeof(bytes), 0), sizeof(bytes));
    assert_memory_equal(bytes, engines, sizeof(engines));
}

static void assert_reads(int fd, const void *bytes, size_t size)
{
    struct err err;
    size_t found;
    void *block = saved_state_read(fd, &found, &err);

    assert_non_null(block);
    assert_string_equal(err.text, "");
    assert_int_equal(found, size);
    assert_memory_equal(block, bytes, size);
    free(block);
}

static void assert_none(int fd)
{
    struct err err = {"something"};
    size_t size = 1;

    assert_null(saved_state_read(fd, &size, &err));
    assert_int_equal(size, 0);
    assert_string_equal(err.text, "");
}

static void assert_damaged(int fd)
{
    struct err err = {""};
    size_t size = 1;

    assert_null(saved_state_read(fd, &size, &err));
    assert_int_equal(size, 0);
    assert_non_null(strstr(err.text, "damaged"));
}

static void comes_back_without_moving_the_offset(void **state)
{
    int fd = engine_has_written();
    struct err err;
    char bytes[sizeof(engines)];

    (void)state;
    assert_true(saved_state_append(fd, card, sizeof(card), &err));
    assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
    assert_reads(fd, card, sizeof(card));
    assert_int_equal(lseek(fd, 0, SEEK_CUR), 0);
    assert_int_equal(read(fd, bytes, sizeof(bytes)), sizeof(bytes));
    assert_memory_equal(bytes, engines, sizeof(engines));
    close(fd);
}

/* libxl opens its file without O_TRUNC. */
static void an_older_longer_file_is_cut(void **state)
{
    static char older[4096];
    int fd = memfd_create("qemu-save", MFD_CLOEXEC);
    struct err err;

    (void)state;
    assert_int_equal(write(fd, older, sizeof(older)), sizeof(older));
    assert_true(saved_state_append(fd, "an older card", 13, &err));
    assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
    assert_int_equal(write(fd, engines, sizeof(engines)), sizeof(engines));
    assert_true(saved_state_append(fd, card, sizeof(card), &err));
    assert_int_equal(size_of(fd), sizeof(engines) + sizeof(card) + 16);
    assert_reads(fd, card, sizeof(card));
    close(fd);
}

static void nothing_is_something_too(void **state)
{
    int fd = engine_has_written();
    struct err err;

    (void)state;
    assert_true(saved_state_append(fd, "", 0, &err));
    assert_reads(fd, "", 0);
    close(fd);
}

static void a_file_opened_to_append_will_do(void **state)
{
    char path[] = "/tmp/qemu-dm-test-XXXXXX";
    int fd = mkstemp(path);
    struct err err;

    (void)state;
    assert_true(fd >= 0);
    unlink(path);
    assert_int_equal(write(fd, engines, sizeof(engines)), sizeof(engines));
    assert_int_equal(fcntl(fd, F_SETFL, O_APPEND), 0);
    assert_true(saved_state_append(fd, card, sizeof(card), &err));
    assert_reads(fd, card, sizeof(card));
    close(fd);
}

static void a_stock_device_models_file_has_none(void **state)
{
    int fd = engine_has_written();

    (void)state;
    assert_none(fd);
    assert_int_equal(ftruncate(fd, 15), 0); /* shorter than a footer */
    assert_none(fd);
    assert_int_equal(ftruncate(fd, 0), 0);
    assert_none(fd);
    close(fd);
}

static void a_stream_has_none(void **state)
{
    int ends[2];
    struct err err = {""};

    (void)state;
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    assert_int_equal(write(ends[1], engines, sizeof(engines)), sizeof(engines));
    assert_none(ends[0]);
    assert_false(saved_state_append(ends[1], card, sizeof(card), &err));
    assert_non_null(strstr(err.text, "Illegal seek"));
    close(ends[0]);
    close(ends[1]);
}

static void what_cannot_be_written_is_said(void **state)
{
    int full = open("/dev/full", O_RDWR | O_CLOEXEC);
    struct err err = {""};

    (void)state;
    assert_false(saved_state_append(full, card, sizeof(card), &err));
    assert_string_not_equal(err.text, "");
    close(full);
    assert_false(saved_state_append(-1, card, sizeof(card), &err));
    assert_non_null(strstr(err.text, "Bad file descriptor"));
}

static void a_nonsensical_size_is_damage(void **state)
{
    static const uint64_t sizes[] = {sizeof(engines) + 1, SAVED_STATE_MAX, SAVED_STATE_MAX + 1,
                                     INT64_MAX,           UINT64_MAX - 15, UINT64_MAX};

    (void)state;
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        uint64_t size = htole64(sizes[i]);
        int fd = engine_has_written();
        struct err err;

        assert_true(saved_state_append(fd, "", 0, &err));
        assert_int_equal(pwrite(fd, &size, 8, sizeof(engines)), 8);
        assert_damaged(fd);
        close(fd);
    }
}

/* Whatever the last 16 bytes are, short of the magic. */
static void another_magic_is_none_of_ours(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 8; i++) {
        int fd = engine_has_written();
        struct err err;
        char byte;

        assert_true(saved_state_append(fd, card, sizeof(card), &err));
        assert_int_equal(pread(fd, &byte, 1, size_of(fd) - 1 - i), 1);
        byte ^= 0x20;
        assert_int_equal(pwrite(fd, &byte, 1, size_of(fd) - 1 - i), 1);
        assert_none(fd);
        close(fd);
    }
}

static void as_much_as_may_be_and_no_more(void **state)
{
    char *much = calloc(1, SAVED_STATE_MAX + 1);
    int fd = engine_has_written();
    struct err err = {""};

    (void)state;
    assert_non_null(much);
    much[SAVED_STATE_MAX - 1] = 'z';
    assert_false(saved_state_append(fd, much, SAVED_STATE_MAX + 1, &err));
    assert_non_null(strstr(err.text, "too many"));
    assert_engines_alone(fd);
    assert_true(saved_state_append(fd, much, SAVED_STATE_MAX, &err));
    assert_reads(fd, much, SAVED_STATE_MAX);
    free(much);
    close(fd);
}

/* As under dm_restrict: the limit is reached in the card's bytes, and in the footer. */
static void the_limit_of_dm_restrict_leaves_the_file_as_it_was(void **state)
{
    static char body[4096];
    char path[] = "/tmp/qemu-dm-test-XXXXXX";
    int fd = mkstemp(path);
    struct rlimit before, limit;
    struct err err = {""};

    (void)state;
    assert_true(fd >= 0);
    unlink(path);
    assert_int_equal(write(fd, engines, sizeof(engines)), sizeof(engines));
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    for (rlim_t room = 0; room <= sizeof(body) + 16; room += 8) {
        bool fits = room == sizeof(body) + 16;

        limit = (struct rlimit){sizeof(engines) + room, before.rlim_max};
        assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
        assert_int_equal(saved_state_append(fd, body, sizeof(body), &err), fits);
        setrlimit(RLIMIT_FSIZE, &before);
        if (!fits) {
            assert_non_null(strstr(err.text, "dm_restrict"));
            assert_engines_alone(fd);
        }
    }
    assert_reads(fd, body, sizeof(body));
    signal(SIGXFSZ, SIG_DFL);
    close(fd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(comes_back_without_moving_the_offset),
        cmocka_unit_test(an_older_longer_file_is_cut),
        cmocka_unit_test(nothing_is_something_too),
        cmocka_unit_test(a_file_opened_to_append_will_do),
        cmocka_unit_test(a_stock_device_models_file_has_none),
        cmocka_unit_test(a_stream_has_none),
        cmocka_unit_test(what_cannot_be_written_is_said),
        cmocka_unit_test(a_nonsensical_size_is_damage),
        cmocka_unit_test(another_magic_is_none_of_ours),
        cmocka_unit_test(as_much_as_may_be_and_no_more),
        cmocka_unit_test(the_limit_of_dm_restrict_leaves_the_file_as_it_was),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
