/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Where messages end, in what libxl and QEMU say and in what nobody should. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "engine/qmp_stream.h"

static struct qmp_stream s;

static int start(void **state)
{
    (void)state;
    memset(&s, 0, sizeof(s));
    return 0;
}

/* What is found in size bytes: "<MESSAGE>" for each, "!" for one that is illegible, "+" if one has
 * not ended. */
static const char *found_in(const char *bytes, size_t size)
{
    static char found[4096];
    size_t used = 0;

    for (size_t i = 0; i < size; i++) {
        switch (qmp_stream_next(&s, bytes[i])) {
        case QMP_STREAM_MESSAGE:
            assert_false(qmp_stream_within(&s));
            used +=
                (size_t)snprintf(found + used, sizeof(found) - used, "<%.*s>", (int)s.size, s.text);
            break;
        case QMP_STREAM_ILLEGIBLE:
            used += (size_t)snprintf(found + used, sizeof(found) - used, "!");
            break;
        case QMP_STREAM_NOTHING:
            break;
        }
        assert_true(used < sizeof(found));
    }
    snprintf(found + used, sizeof(found) - used, "%s", qmp_stream_within(&s) ? "+" : "");
    return found;
}

struct example {
    const char *bytes, *found;
};

static void check(const struct example *examples, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        start(NULL);
        assert_string_equal(found_in(examples[i].bytes, strlen(examples[i].bytes)),
                            examples[i].found);
    }
}

static void messages(void **state)
{
    static const struct example examples[] = {
        {"", ""},
        {" \r\n\t", ""},
        {"{}", "<{}>"},
        {"{\"execute\":\"stop\"}\r\n", "<{\"execute\":\"stop\"}>"},
        {"{}{}\n[]", "<{}><{}><[]>"},
        {"{\"a\":{\"b\":[{},[1,2.5e+3],null]}} {", "<{\"a\":{\"b\":[{},[1,2.5e+3],null]}}>+"},
        {"{\n  \"a\": true\n}", "<{\n  \"a\": true\n}>"},
        {"{\"a\":\"}{][\"}", "<{\"a\":\"}{][\"}>"},
        {"{\"a\":\"\\\"}\"}", "<{\"a\":\"\\\"}\"}>"},
        {"{\"a\":\"\\\\\"}{}", "<{\"a\":\"\\\\\"}><{}>"},
        {"{\"a\":\"it's\"}{}", "<{\"a\":\"it's\"}><{}>"},
        {"{'a':'say \"}\"'}{}", "<{'a':'say \"}\"'}><{}>"},
        {"{\"\xc3\xa9\":\"\xf0\x9f\x94\x8a\"}", "<{\"\xc3\xa9\":\"\xf0\x9f\x94\x8a\"}>"},
    };

    (void)state;
    check(examples, sizeof(examples) / sizeof(examples[0]));
}

/* As QEMU 7.2 gives them up, and what comes after each is understood again. */
static void what_cannot_be_json(void **state)
{
    static const struct example examples[] = {
        {"42 {}", "!<{}>"},
        {"hello, world{}", "!!<{}>"},
        {"\"a{\"{}", "!<{}>"},
        {"}{}", "!<{}>"},
        {"]]{}", "!!<{}>"},
        {"{]{}", "!<{}>"},
        {"[}[]", "!<[]>"},
        {"{\"a\":1 & {}", "!<{}>"},
        {"{\"a\":\"unfinished\n{}", "!<{}>"},
        {"{\"a\":\"\\\n{}", "!<{}>"},
        {"{\"a\xff{}", "!<{}>"},
        {"{\xff{}", "!<{}>"},
        {"\xff\xfe\x80{}", "!<{}>"},
        {"\"", "+"},
    };

    (void)state;
    check(examples, sizeof(examples) / sizeof(examples[0]));
}

static void a_zero_byte_is_nothing_special(void **state)
{
    (void)state;
    assert_string_equal(found_in("\0{}\0{\"\0{}", 9), "!<{}>!!<{}>");
}

static void as_deep_as_qemu_goes(void **state)
{
    char deep[1025];

    (void)state;
    memset(deep, '[', sizeof(deep));
    assert_string_equal(found_in(deep, 1024), "+");
    memset(deep, ']', sizeof(deep));
    for (unsigned i = 0; i < 1023; i++) {
        assert_int_equal(qmp_stream_next(&s, ']'), QMP_STREAM_NOTHING);
    }
    assert_int_equal(qmp_stream_next(&s, ']'), QMP_STREAM_MESSAGE);
    assert_int_equal(s.size, 2048);

    memset(deep, '{', sizeof(deep));
    assert_string_equal(found_in(deep, 1025), "!");
    assert_string_equal(found_in("{}", 2), "<{}>");
}

/* A string of so many bytes in an object; the object is 4 bytes longer. */
static enum qmp_stream_found object_of(size_t string)
{
    assert_string_equal(found_in("{\"", 2), "+");
    for (size_t i = 0; i < string; i++) {
        assert_int_equal(qmp_stream_next(&s, 'x'), QMP_STREAM_NOTHING);
        assert_int_equal(qmp_stream_within(&s), i + 3 <= QMP_MESSAGE_MAX);
    }
    assert_int_equal(qmp_stream_next(&s, '"'), QMP_STREAM_NOTHING);
    return qmp_stream_next(&s, '}');
}

static void as_long_as_is_kept(void **state)
{
    (void)state;
    assert_int_equal(object_of(QMP_MESSAGE_MAX - 4), QMP_STREAM_MESSAGE);
    assert_int_equal(s.size, QMP_MESSAGE_MAX);
    assert_int_equal(s.text[QMP_MESSAGE_MAX - 1], '}');
    assert_int_equal(object_of(QMP_MESSAGE_MAX - 3), QMP_STREAM_ILLEGIBLE);
    assert_int_equal(object_of(3 * QMP_MESSAGE_MAX), QMP_STREAM_ILLEGIBLE);
    assert_int_equal(object_of(1), QMP_STREAM_MESSAGE);
}

/* A string without an end costs no memory, and ends with the line. */
static void a_string_without_end(void **state)
{
    (void)state;
    assert_string_equal(found_in("{\"", 2), "+");
    for (unsigned i = 0; i < 10000000; i++) {
        if (qmp_stream_next(&s, '\\') != QMP_STREAM_NOTHING) {
            fail();
        }
    }
    assert_false(qmp_stream_within(&s));
    assert_string_equal(found_in("\n{}", 3), "!<{}>");
}

/* From anywhere, a line end and a closed bracket too many lead back to where a message is found. */
static void recovers_from_anything(void **state)
{
    static const char alphabet[] = "{}[]\"'\\,:e1 \n\x80\xff&\0";

    (void)state;
    srand(5);
    for (unsigned i = 0; i < 20000; i++) {
        unsigned length = (unsigned)rand() % 40;

        for (unsigned j = 0; j < length; j++) {
            qmp_stream_next(&s, alphabet[(size_t)rand() % (sizeof(alphabet) - 1)]);
        }
        found_in("\xff", 1);
        assert_string_equal(found_in("{\"a\":1}", 7), "<{\"a\":1}>");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(messages, start),
        cmocka_unit_test_setup(what_cannot_be_json, start),
        cmocka_unit_test_setup(a_zero_byte_is_nothing_special, start),
        cmocka_unit_test_setup(as_deep_as_qemu_goes, start),
        cmocka_unit_test_setup(as_long_as_is_kept, start),
        cmocka_unit_test_setup(a_string_without_end, start),
        cmocka_unit_test_setup(recovers_from_anything, start),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
