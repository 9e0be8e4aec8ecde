/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What people and programs are shown of a card, letter by letter. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

#include "audio/meter.h"
#include "audio/volume.h"
#include "base/clock.h"
#include "card/status.h"
#include "sandbox/in_force.h"

/* A card that plays with one side turned down, and records while its source is away. */
static const struct card_view card = {
    .domid = 7,
    .domain_name = "web01",
    .driver = "pa",
    .pid = 4242,
    .card_pid = 4243,
    .uid = 1000,
    .user_name = "anna",
    .in_force = (1 << IN_FORCE_BITS) - 1,
    .started_s = 1795356145,
    .up_ns = 62 * NS_PER_S,
    .interrupts_late_us = {.count = 2667, .last = 12, .median = 11, .p99 = 85, .max = 412},
    .streams =
        {
            {.name = "dac1", .target_ns = 5 * NS_PER_MS},
            {
                .name = "dac2",
                .running = true,
                .format = {44100, 2, 16},
                .gain = {VOLUME_0DB, VOLUME_0DB / 4},
                .level = {METER_FULL / 2, 33},
                .ring_frames = 120,
                .interrupts_late = 3,
                .frames = 2734200,
                .dropped = 441,
                .underruns = 1,
                .reopened = 2,
                .target_ns = 5 * NS_PER_MS,
                .clock_ppm = 13.5,
                .drift_ppm = 12.4,
                .host_open = true,
                .delays_us =
                    {.count = 3000, .last = 4612, .median = 4580, .p99 = 5011, .max = 5120},
                .error = "PulseAudio has gone away: Connection terminated",
            },
            {
                .name = "adc",
                .running = true,
                .format = {8000, 1, 8},
                .gain = {0, 0},
                .interrupts_merged = 40,
                .frames = 8000,
                .silent = 8000,
                .repeated = 1,
                .overruns = 2,
                .target_ns = 20 * NS_PER_MS,
                .lost_for_ns = 12300 * NS_PER_MS,
                .delays_us = {.count = 1, .last = 20000, .median = 20000, .max = 20000},
                .error = "PulseAudio does not answer at unix:/run/user/1000/pulse/native: "
                         "Connection refused. Is it running? As root, name the socket of the user",
            },
        },
};

static json_t *json_of(const struct card_view *cards, size_t count, bool one_line);

static const char *text_of(const struct card_view *view)
{
    static char text[8192];
    FILE *f = fmemopen(text, sizeof(text), "w");

    assert_non_null(f);
    status_print_text(f, view);
    assert_int_equal(fclose(f), 0);
    return text;
}

static void a_card_as_people_see_it(void **state)
{
    (void)state;
    assert_string_equal(
        text_of(&card),
        "domain 7 (web01)   es1370 to pa   pid 4242, card 4243   since Nov 22 14:02\n"
        "  confined  user 1000 (anna), no capabilities, no new privileges, system calls\n"
        "            filtered, memory locked, files read-only, domain 7 only\n"
        "  irq late     12 us now        11 us median     85 us p99       412 us max\n"
        "  dac1    idle    sink not open\n"
        "\n"
        "  dac2    PLAYS   44100 Hz   16 bits   stereo   sink open\n"
        "    left     -6.0 dB   |###########################---|   volume   0.0 dB\n"
        "    right   -59.9 dB   |------------------------------|   volume -12.0 dB\n"
        "    delay     4.6 ms now       4.6 ms median    5.1 ms max       5.0 ms aim\n"
        "    ring      2.7 ms           120 frames\n"
        "    drift   +12.4 ppm\n"
        "    host        1 underruns      0 overruns     441 dropped        2 sink lost\n"
        "    guest       3 irqs late      0 merged\n"
        "\n"
        "  adc     RECORDS   8000 Hz   8 bits   mono   source not open\n"
        "    left     -inf dB   |------------------------------|   volume muted\n"
        "    right    -inf dB   |------------------------------|   volume muted\n"
        "    delay       - ms, not known                                 20.0 ms aim\n"
        "    ring      0.0 ms             0 frames\n"
        "    drift    +0.0 ppm\n"
        "    host        0 underruns      2 overruns       0 dropped        1 source lost\n"
        "    guest       0 irqs late     40 merged      8000 silent         1 repeated\n"
        "    NO SOURCE for 12.3 s; it is tried again all the time:\n"
        "          PulseAudio does not answer at unix:/run/user/1000/pulse/native:\n"
        "          Connection refused. Is it running? As root, name the socket of the\n"
        "          user\n");
}

static void a_paused_card_says_so(void **state)
{
    struct card_view view = card;
    json_t *all;

    (void)state;
    assert_null(strstr(text_of(&card), "PAUSED"));
    view.paused = true;
    assert_non_null(strstr(text_of(&view), "since Nov 22 14:02\n  PAUSED, as the guest is\n"));
    assert_non_null(strstr(text_of(&view), "\n  dac1    idle"));
    assert_non_null(strstr(text_of(&view), "\n  dac2    PAUSED   44100 Hz"));
    assert_non_null(strstr(text_of(&view), "\n  adc     PAUSED   8000 Hz"));
    all = json_of(&view, 1, true);
    assert_true(
        json_is_true(json_object_get(json_array_get(json_object_get(all, "cards"), 0), "paused")));
    json_decref(all);
}

static void what_is_not_in_force_is_named(void **state)
{
    struct card_view view = card;
    const json_t *confined;
    json_t *all;

    (void)state;
    view.uid = 0;
    view.user_name[0] = '\0';
    view.in_force = IN_FORCE_NO_CAPABILITIES | IN_FORCE_ONE_DOMAIN;
    assert_non_null(strstr(text_of(&view),
                           "  confined  user 0, no capabilities, domain 7 only\n"
                           "       NOT: no new privileges, system calls filtered, memory "
                           "locked, files\n"
                           "            read-only\n"
                           "  irq late"));
    all = json_of(&view, 1, true);
    confined = json_object_get(json_array_get(json_object_get(all, "cards"), 0), "confined");
    assert_int_equal(json_integer_value(json_object_get(confined, "uid")), 0);
    assert_true(json_is_true(json_object_get(confined, "no_capabilities")));
    assert_true(json_is_false(json_object_get(confined, "no_new_privileges")));
    assert_true(json_is_false(json_object_get(confined, "system_calls_filtered")));
    assert_true(json_is_false(json_object_get(confined, "memory_locked")));
    assert_true(json_is_false(json_object_get(confined, "files_read_only")));
    assert_true(json_is_true(json_object_get(confined, "one_domain")));
    json_decref(all);
    view.in_force = 0;
    assert_non_null(strstr(text_of(&view), "  confined  user 0\n       NOT: no capabilities,"));
}

static void a_card_that_was_started_again_says_so(void **state)
{
    struct card_view view = card;
    json_t *all;

    (void)state;
    assert_null(strstr(text_of(&card), "restarted"));
    view.restarts = 2;
    assert_non_null(strstr(text_of(&view), "  restarted 2 times: the log says why\n"));
    all = json_of(&view, 1, true);
    assert_int_equal(json_integer_value(json_object_get(
                         json_array_get(json_object_get(all, "cards"), 0), "restarts")),
                     2);
    json_decref(all);
}

static void no_line_is_longer_than_a_terminal(void **state)
{
    (void)state;
    for (const char *at = text_of(&card); *at; at += strcspn(at, "\n") + 1) {
        assert_true(strcspn(at, "\n") <= 80);
    }
}

static void a_bar_has_its_ends(void **state)
{
    static const struct {
        uint32_t level;
        const char *bar;
    } bars[] = {
        {METER_FULL, "    0.0 dB   |##############################|"},
        {METER_FULL - 1, "   -0.0 dB   |##############################|"},
        {10362, "  -10.0 dB   |#########################-----|"},
        {41, "  -58.1 dB   |#-----------------------------|"},
        {1, "  -90.3 dB   |------------------------------|"},
        {0, "   -inf dB   |------------------------------|"},
    };
    struct card_view view = card;

    (void)state;
    for (size_t i = 0; i < sizeof(bars) / sizeof(bars[0]); i++) {
        char line[128];

        view.streams[1].level[0] = bars[i].level;
        snprintf(line, sizeof(line), "    left  %s", bars[i].bar);
        if (!strstr(text_of(&view), line)) {
            fail_msg("no \"%s\" in\n%s", line, text_of(&view));
        }
    }
}

/* Numbers that have outgrown their columns, and texts without a space, cost nothing but looks. */
static void extremes_are_shown(void **state)
{
    struct card_view view = card;
    struct stream_view *s = &view.streams[1];

    (void)state;
    memset(view.domain_name, 'x', sizeof(view.domain_name) - 1);
    memset(view.streams[2].error, 'y', sizeof(view.streams[2].error) - 1);
    s->format.rate = 1;
    s->ring_frames = UINT32_MAX;
    s->frames = s->silent = s->dropped = s->underruns = s->overruns = UINT64_MAX;
    s->reopened = s->interrupts_late = s->interrupts_merged = UINT64_MAX;
    s->delays_us =
        (struct recent_summary){UINT64_MAX, UINT32_MAX, UINT32_MAX, UINT32_MAX, UINT32_MAX};
    s->target_ns = UINT64_MAX / 4;
    s->drift_ppm = -1e6;
    view.started_s = UINT64_MAX / 4;
    view.domain_name[0] = '\0';
    assert_non_null(strstr(text_of(&view), "(no name)"));
    assert_non_null(strstr(text_of(&view), "18446744073709551615 underruns"));
    assert_non_null(strstr(text_of(&view), "since ?"));
}

/* --- for programs --- */

static char json_text[65536];

static json_t *json_of(const struct card_view *cards, size_t count, bool one_line)
{
    struct card_view copy[2];
    struct status_views views = {copy, count};
    FILE *f = fmemopen(json_text, sizeof(json_text), "w");
    json_error_t error;
    json_t *all;

    memcpy(copy, cards, count * sizeof(*cards));
    assert_non_null(f);
    assert_true(status_print_json(f, &views, 1795356207, one_line));
    assert_int_equal(fclose(f), 0);
    all = json_loads(json_text, JSON_REJECT_DUPLICATES, &error);
    if (!all) {
        fail_msg("%s in line %d of\n%s", error.text, error.line, json_text);
    }
    return all;
}

/* What is written, without what is only written to be read. */
static void a_card_as_programs_see_it(void **state)
{
    static const char expected[] =
        "{'time':1795356207,'cards':[{'domain_id':7,'domain_name':'web01','card':'es1370',"
        "'driver':'pa','pid':4242,'card_pid':4243,'started':1795356145,'up_seconds':62,"
        "'paused':false,"
        "'confined':{'uid':1000,'no_capabilities':true,'no_new_privileges':true,"
        "'system_calls_filtered':true,'memory_locked':true,'files_read_only':true,"
        "'one_domain':true},'restarts':0,"
        "'interrupts_late_us':{'count':2667,'last':12,'median':11,'p99':85,'max':412},"
        "'streams':["
        "{'name':'dac1','running':false,'format':null,'volume_db':[null,null],"
        "'level_dbfs':[null,null],'ring':{'frames':0,'us':0},'delay_us':null,"
        "'delay_target_us':5000,'clock_ppm':0.0,'drift_ppm':0.0,'counts':{'frames':0,'silent':0,"
        "'dropped':0,'repeated':0,'underruns':0,'overruns':0},"
        "'guest':{'interrupts_late':0,'interrupts_merged':0},"
        "'host':{'open':false,'lost_for_ms':null,'reopened':0,'last_error':null}},"
        "{'name':'dac2','running':true,'format':{'rate_hz':44100,'bits':16,'channels':2},"
        "'volume_db':[0.0,-12.0412],'level_dbfs':[-6.0206,-59.9387],"
        "'ring':{'frames':120,'us':2721},"
        "'delay_us':{'count':3000,'last':4612,'median':4580,'p99':5011,'max':5120},"
        "'delay_target_us':5000,'clock_ppm':13.5,'drift_ppm':12.4,'counts':{'frames':2734200,"
        "'silent':0,'dropped':441,'repeated':0,'underruns':1,'overruns':0},"
        "'guest':{'interrupts_late':3,'interrupts_merged':0},"
        "'host':{'open':true,'lost_for_ms':null,'reopened':2,"
        "'last_error':'PulseAudio has gone away: Connection terminated'}},"
        "{'name':'adc','running':true,'format':{'rate_hz':8000,'bits':8,'channels':1},"
        "'volume_db':[null,null],'level_dbfs':[null,null],'ring':{'frames':0,'us':0},"
        "'delay_us':{'count':1,'last':20000,'median':20000,'p99':0,'max':20000},"
        "'delay_target_us':20000,'clock_ppm':0.0,'drift_ppm':0.0,'counts':{'frames':8000,'silent':"
        "8000,"
        "'dropped':0,'repeated':1,'underruns':0,'overruns':2},"
        "'guest':{'interrupts_late':0,'interrupts_merged':40},"
        "'host':{'open':false,'lost_for_ms':12300,'reopened':0,"
        "'last_error':'PulseAudio does not answer at unix:/run/user/1000/pulse/native: "
        "Connection refused. Is it running? As root, name the socket of the user'}}]}]}\n";
    char plain[sizeof(expected)];

    (void)state;
    json_decref(json_of(&card, 1, true));
    for (size_t i = 0; i < sizeof(expected); i++) {
        plain[i] = expected[i] == '\'' ? '"' : expected[i];
    }
    assert_string_equal(json_text, plain);
}

static void one_line_or_many_say_the_same(void **state)
{
    json_t *one = json_of(&card, 1, true), *many;

    (void)state;
    assert_string_equal(strchr(json_text, '\n'), "\n");
    many = json_of(&card, 1, false);
    assert_true(strchr(json_text, '\n')[1] != '\0');
    assert_true(json_equal(one, many));
    json_decref(one);
    json_decref(many);
}

static void none_and_two(void **state)
{
    struct card_view two[2] = {card, card};
    json_t *all;

    (void)state;
    all = json_of(two, 0, true);
    assert_int_equal(json_array_size(json_object_get(all, "cards")), 0);
    json_decref(all);
    two[1].domid = 8;
    two[1].domain_name[0] = '\0';
    all = json_of(two, 2, false);
    assert_int_equal(json_array_size(json_object_get(all, "cards")), 2);
    two[1].interrupts_late_us.count = 0;
    json_decref(all);
    all = json_of(two + 1, 1, false);
    assert_true(json_is_null(
        json_object_get(json_array_get(json_object_get(all, "cards"), 0), "domain_name")));
    assert_true(json_is_null(
        json_object_get(json_array_get(json_object_get(all, "cards"), 0), "interrupts_late_us")));
    json_decref(all);
}

/* Quotes and backslashes; numbers at their limits come back as they were, as far as JSON's go. */
static void what_is_hard_to_write_comes_back(void **state)
{
    struct card_view view = card;
    json_t *all, *c, *delays;

    (void)state;
    strcpy(view.domain_name, "a\"b\\c/d");
    view.streams[1].delays_us.max = UINT32_MAX;
    view.streams[1].ring_frames = UINT32_MAX;
    view.streams[1].frames = INT64_MAX;
    all = json_of(&view, 1, true);
    c = json_array_get(json_object_get(all, "cards"), 0);
    assert_string_equal(json_string_value(json_object_get(c, "domain_name")), "a\"b\\c/d");
    c = json_array_get(json_object_get(c, "streams"), 1);
    delays = json_object_get(c, "delay_us");
    assert_int_equal(json_integer_value(json_object_get(delays, "max")), UINT32_MAX);
    assert_int_equal(json_integer_value(json_object_get(json_object_get(c, "ring"), "frames")),
                     UINT32_MAX);
    assert_int_equal(json_integer_value(json_object_get(json_object_get(c, "counts"), "frames")),
                     INT64_MAX);
    json_decref(all);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_card_as_people_see_it),
        cmocka_unit_test(a_paused_card_says_so),
        cmocka_unit_test(what_is_not_in_force_is_named),
        cmocka_unit_test(a_card_that_was_started_again_says_so),
        cmocka_unit_test(no_line_is_longer_than_a_terminal),
        cmocka_unit_test(a_bar_has_its_ends),
        cmocka_unit_test(extremes_are_shown),
        cmocka_unit_test(a_card_as_programs_see_it),
        cmocka_unit_test(one_line_or_many_say_the_same),
        cmocka_unit_test(none_and_two),
        cmocka_unit_test(what_is_hard_to_write_comes_back),
    };

    setenv("TZ", "UTC", 1);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
