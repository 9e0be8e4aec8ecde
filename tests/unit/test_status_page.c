/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The page that a card writes, and the reader that believes nothing: what was
 * written is read, and whatever is stale, damaged or somebody else's is not.
 */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "audio/meter.h"
#include "audio/volume.h"
#include "base/clock.h"
#include "card/status_page.h"
#include "card/status_view.h"
#include "sandbox/in_force.h"

static char work[] = "/tmp/qemu-dm-test-XXXXXX";
static char folder[64]; /* does not exist to begin with */
static uint64_t now;
static struct status_page *page;
static struct card_view view;
static struct err err;

uint64_t clock_now_ns(void)
{
    return now;
}

static void in_folder(char path[128], const char *name)
{
    snprintf(path, 128, "%s/%s", folder, name);
}

static bool exists(const char *name)
{
    char path[128];
    struct stat st;

    in_folder(path, name);
    return lstat(path, &st) == 0;
}

static void put_file(const char *name, const void *data, size_t size)
{
    char path[128];
    FILE *f;

    in_folder(path, name);
    unlink(path);
    f = fopen(path, "w");
    assert_non_null(f);
    assert_int_equal(fwrite(data, 1, size, f), size);
    assert_int_equal(fclose(f), 0);
}

static enum status_verdict read_page(const char *name)
{
    int dir = open(folder, O_RDONLY | O_DIRECTORY);
    enum status_verdict verdict;

    assert_true(dir >= 0);
    err.text[0] = '\0';
    verdict = status_view_read(&view, dir, name, now, &err);
    close(dir);
    return verdict;
}

static void assert_unfit(const char *name, const char *why)
{
    assert_int_equal(read_page(name), STATUS_UNFIT);
    if (!strstr(err.text, why)) {
        fail_msg("\"%s\" does not say \"%s\"", err.text, why);
    }
}

static unsigned complaints;

static void complain(const struct err *why)
{
    assert_true(why->text[0] != '\0');
    complaints++;
}

static size_t live_pages(void)
{
    struct status_views views;
    size_t count;

    complaints = 0;
    assert_true(status_views_read(&views, folder, now, complain, &err));
    count = views.count;
    status_views_free(&views);
    return count;
}

static int begin(void **state)
{
    (void)state;
    now = 1000 * NS_PER_S;
    page = status_page_create(7, "web01", "pa", &err);
    return page ? 0 : -1;
}

static int end(void **state)
{
    (void)state;
    status_page_remove(7);
    return 0;
}

static void what_is_written_is_read(void **state)
{
    struct stream_status *s = &page->streams[2];

    (void)state;
    status_set(&page->card_pid, 4243);
    status_set(&page->paused, 1);
    status_set(&page->uid, 0);
    status_set(&page->in_force, IN_FORCE_MEMORY_LOCKED | IN_FORCE_ONE_DOMAIN);
    status_set(&page->restarts, 3);
    rt_recent_add(&page->interrupts_late_us, 12);
    status_set(&s->running, 1);
    status_set(&s->rate, 22050);
    status_set(&s->channels, 1);
    status_set(&s->bits, 8);
    status_set(&s->gain[1], VOLUME_0DB);
    status_set(&s->level[0], METER_FULL);
    status_set(&s->ring_frames, 100);
    status_set(&s->interrupts_late, 1);
    status_set(&s->interrupts_merged, 2);
    status_set(&s->frames, 3);
    status_set(&s->silent, 4);
    status_set(&s->repeated, 5);
    status_set(&s->dropped_by_card, 6);
    status_set(&s->dropped_by_host, 70);
    status_set(&s->underruns, 8);
    status_set(&s->overruns, 9);
    status_set(&s->reopened, 10);
    status_set(&s->target_ns, 5 * NS_PER_MS);
    status_set(&s->clock_ppb, -1500);
    status_set(&s->drift_ppb, 2500);
    status_set(&s->host_open, 1);
    status_set(&s->lost_ns, now);
    status_text_set(&s->error, "it has gone");
    rt_recent_add(&s->delays_us, 4600);
    now += 3 * NS_PER_S;

    assert_int_equal(read_page("7"), STATUS_LIVE);
    assert_int_equal(view.domid, 7);
    assert_string_equal(view.domain_name, "web01");
    assert_string_equal(view.driver, "pa");
    assert_int_equal(view.pid, getpid());
    assert_int_equal(view.card_pid, 4243);
    assert_true(view.paused);
    assert_int_equal(view.uid, 0);
    assert_string_equal(view.user_name, "root");
    assert_int_equal(view.in_force, IN_FORCE_MEMORY_LOCKED | IN_FORCE_ONE_DOMAIN);
    assert_int_equal(view.restarts, 3);
    assert_int_equal(view.up_ns, 3 * NS_PER_S);
    assert_int_equal(view.interrupts_late_us.median, 12);
    for (unsigned i = 0; i < 2; i++) {
        assert_false(view.streams[i].running);
        assert_int_equal(view.streams[i].frames, 0);
        assert_string_equal(view.streams[i].error, "");
    }
    assert_string_equal(view.streams[0].name, "dac1");
    assert_string_equal(view.streams[1].name, "dac2");
    assert_string_equal(view.streams[2].name, "adc");
    assert_true(view.streams[2].running);
    assert_int_equal(view.streams[2].format.rate, 22050);
    assert_int_equal(view.streams[2].format.channels, 1);
    assert_int_equal(view.streams[2].format.bits, 8);
    assert_int_equal(view.streams[2].gain[0], 0);
    assert_int_equal(view.streams[2].gain[1], VOLUME_0DB);
    assert_int_equal(view.streams[2].level[0], METER_FULL);
    assert_int_equal(view.streams[2].ring_frames, 100);
    assert_int_equal(view.streams[2].interrupts_late, 1);
    assert_int_equal(view.streams[2].interrupts_merged, 2);
    assert_int_equal(view.streams[2].frames, 3);
    assert_int_equal(view.streams[2].silent, 4);
    assert_int_equal(view.streams[2].repeated, 5);
    assert_int_equal(view.streams[2].dropped, 76);
    assert_int_equal(view.streams[2].underruns, 8);
    assert_int_equal(view.streams[2].overruns, 9);
    assert_int_equal(view.streams[2].reopened, 10);
    assert_int_equal(view.streams[2].target_ns, 5 * NS_PER_MS);
    assert_true(view.streams[2].clock_ppm == -1.5);
    assert_true(view.streams[2].drift_ppm == 2.5);
    assert_true(view.streams[2].host_open);
    assert_int_equal(view.streams[2].lost_for_ns, 3 * NS_PER_S);
    assert_string_equal(view.streams[2].error, "it has gone");
    assert_int_equal(view.streams[2].delays_us.last, 4600);
}

/* Whatever the umask; and nobody else may write it. */
static void everybody_may_read_it(void **state)
{
    mode_t mask = umask(077);
    char path[128];
    struct stat st;

    (void)state;
    assert_non_null(status_page_create(8, "dark", "none", &err));
    umask(mask);
    in_folder(path, "8");
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0644);
    assert_int_equal(st.st_size, sizeof(struct status_page));
    assert_int_equal(stat(folder, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0755);
    status_page_remove(8);
    assert_false(exists("8"));
}

static void what_a_terminal_must_not_see_is_not_shown(void **state)
{
    (void)state;
    end(NULL);
    page = status_page_create(7, "a\033[2Jb\nc\377", "p\ta", &err);
    status_text_set(&page->streams[0].error, "bell \a");
    assert_int_equal(read_page("7"), STATUS_LIVE);
    assert_string_equal(view.domain_name, "a?[2Jb?c?");
    assert_string_equal(view.driver, "p?a");
    assert_string_equal(view.streams[0].error, "bell ?");
}

static void long_texts_are_cut(void **state)
{
    char name[2000];

    (void)state;
    end(NULL);
    memset(name, 'x', sizeof(name));
    name[sizeof(name) - 1] = '\0';
    page = status_page_create(7, name, name, &err);
    status_text_set(&page->streams[1].error, name);
    assert_int_equal(read_page("7"), STATUS_LIVE);
    assert_int_equal(strlen(view.domain_name), STATUS_NAME_BYTES - 1);
    assert_int_equal(strlen(view.driver), STATUS_DRIVER_BYTES - 1);
    assert_int_equal(strlen(view.streams[1].error), STATUS_TEXT_BYTES - 1);
}

/* A reader that comes in the midst of a change gets nothing, and does not wait. */
static void half_a_text_is_none(void **state)
{
    (void)state;
    status_text_set(&page->streams[0].error, "first");
    atomic_fetch_add(&page->streams[0].error.changes, 1);
    assert_int_equal(read_page("7"), STATUS_LIVE);
    assert_string_equal(view.streams[0].error, "");
    status_text_set(&page->streams[0].error, "second");
    assert_int_equal(read_page("7"), STATUS_LIVE);
    assert_string_equal(view.streams[0].error, "second");
}

static pid_t ended_process(void)
{
    pid_t pid = fork();

    if (pid == 0) {
        _exit(0);
    }
    assert_int_equal(waitpid(pid, NULL, 0), pid);
    return pid;
}

static void a_page_of_the_dead_is_not_shown(void **state)
{
    (void)state;
    page->head.pid = ended_process();
    assert_int_equal(read_page("7"), STATUS_DEAD);
    page->head.pid = -1;
    assert_int_equal(read_page("7"), STATUS_DEAD);
    page->head.pid = 0;
    assert_int_equal(read_page("7"), STATUS_DEAD);
    page->head.pid = INT32_MIN;
    assert_int_equal(read_page("7"), STATUS_DEAD);
    /* It is alive, but somebody else. */
    page->head.pid = getpid();
    page->head.pid_started++;
    assert_int_equal(read_page("7"), STATUS_DEAD);
    page->head.pid_started = 0;
    assert_int_equal(read_page("7"), STATUS_DEAD);
}

/* Dead, though its parent has not asked how it ended. */
static void nor_is_one_of_a_zombie(void **state)
{
    siginfo_t info;
    pid_t pid = fork();

    (void)state;
    if (pid == 0) {
        _exit(0);
    }
    assert_int_equal(waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT), 0);
    assert_int_equal(status_process_started(pid), 0);
    assert_int_equal(waitpid(pid, NULL, 0), pid);
}

static void another_version_is_refused(void **state)
{
    (void)state;
    page->head.version++;
    assert_unfit("7", "another version");
    page->head.version--;
    page->head.size += 8;
    assert_unfit("7", "another version");
    page->head.size -= 8;
    put_file("8", page, sizeof(*page) - 8);
    assert_unfit("8", "another version");
    put_file("8", page, 8);
    assert_unfit("8", "another version");
    status_page_remove(8);
}

static void what_is_not_a_page_is_refused(void **state)
{
    static uint8_t noise[sizeof(struct status_page)];
    char path[128];

    (void)state;
    for (size_t i = 0; i < sizeof(noise); i++) {
        noise[i] = (uint8_t)(i * 41);
    }
    put_file("8", noise, sizeof(noise));
    assert_unfit("8", "not one of qemu-dm's");
    put_file("8", "", 0);
    assert_unfit("8", "not one of qemu-dm's");
    in_folder(path, "8");
    unlink(path);
    assert_int_equal(mkfifo(path, 0600), 0);
    assert_unfit("8", "not one of qemu-dm's");
    unlink(path);
    assert_int_equal(mkdir(path, 0700), 0);
    assert_unfit("8", "not one of qemu-dm's");
    rmdir(path);
    assert_int_equal(symlink("7", path), 0);
    assert_unfit("8", "8: ");
    unlink(path);
    assert_int_equal(read_page("8"), STATUS_DEAD);
}

/* Not yet complete: the magic comes last. */
static void a_page_that_is_being_made_is_none(void **state)
{
    (void)state;
    page->head.magic = 0;
    assert_unfit("7", "not one of qemu-dm's");
}

static void a_damaged_page_is_refused(void **state)
{
    struct stream_status *s = &page->streams[1];
    struct {
        _Atomic uint32_t *at;
        uint32_t value;
    } damages[] = {
        {(_Atomic uint32_t *)&page->head.domid, 0},
        {(_Atomic uint32_t *)&page->head.domid, 0x7ff0},
        {(_Atomic uint32_t *)&page->card_pid, 0x80000000},
        {&page->paused, 2},
        {&s->running, 2},
        {&s->rate, 1000000},
        {&s->channels, 3},
        {&s->bits, 24},
        {&s->gain[0], VOLUME_MAX + 1},
        {&s->gain[1], UINT32_MAX},
        {&s->level[0], METER_FULL + 1},
        {&s->level[1], UINT32_MAX},
        {&s->host_open, 2},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(damages) / sizeof(damages[0]); i++) {
        uint32_t before = *damages[i].at;

        *damages[i].at = damages[i].value;
        assert_unfit("7", "damaged");
        *damages[i].at = before;
        assert_int_equal(read_page("7"), STATUS_LIVE);
    }
    status_set(&s->lost_ns, UINT64_MAX);
    assert_unfit("7", "damaged");
    status_set(&s->lost_ns, 0);
    status_set(&s->target_ns, UINT64_MAX);
    assert_unfit("7", "damaged");
}

/* Between the stores of a start, or before the first: nothing runs yet. */
static void half_a_start_is_none(void **state)
{
    (void)state;
    status_set(&page->streams[0].running, 1);
    assert_int_equal(read_page("7"), STATUS_LIVE);
    assert_false(view.streams[0].running);
    status_set(&page->streams[0].rate, 44100);
    assert_int_equal(read_page("7"), STATUS_LIVE);
    assert_false(view.streams[0].running);
}

/* Whatever is in it, the reader says something and comes back. */
static void noise_is_survived(void **state)
{
    uint32_t random = 1;

    (void)state;
    for (unsigned round = 0; round < 200; round++) {
        uint8_t *bytes = (uint8_t *)page;

        for (size_t i = offsetof(struct status_page, card_pid); i < sizeof(*page);
             i += 1 + random % 97) {
            random = random * 1103515245 + 12345;
            bytes[i] ^= (uint8_t)(random >> 16);
        }
        read_page("7");
    }
}

static void all_are_read_in_order(void **state)
{
    static const uint16_t domids[] = {12, 9, 100};
    struct status_views views;
    char path[128];

    (void)state;
    for (unsigned i = 0; i < 3; i++) {
        assert_non_null(status_page_create(domids[i], "", "none", &err));
    }
    put_file("13", "x", 1);
    put_file("README", "x", 1);
    complaints = 0;
    assert_true(status_views_read(&views, folder, now, complain, &err));
    assert_int_equal(complaints, 1);
    assert_int_equal(views.count, 4);
    assert_int_equal(views.cards[0].domid, 7);
    assert_int_equal(views.cards[1].domid, 9);
    assert_int_equal(views.cards[2].domid, 12);
    assert_int_equal(views.cards[3].domid, 100);
    status_views_free(&views);
    for (unsigned i = 0; i < 3; i++) {
        status_page_remove(domids[i]);
    }
    status_page_remove(13);
    in_folder(path, "README");
    unlink(path);
}

static void no_folder_is_no_fault(void **state)
{
    struct status_views views;

    (void)state;
    assert_true(status_views_read(&views, "/nonexistent/folder", now, complain, &err));
    assert_int_equal(views.count, 0);
    assert_false(status_views_read(&views, "/proc/self/status", now, complain, &err));
    assert_non_null(strstr(err.text, "/proc/self/status"));
}

/* Of those that were killed, whatever their domains; not of those that live, nor what is not ours.
 */
static void a_start_removes_the_pages_of_the_dead(void **state)
{
    struct status_page *dead = status_page_create(8, "killed", "none", &err);

    (void)state;
    assert_non_null(dead);
    dead->head.pid = ended_process();
    put_file("9", "somebody's", 10);
    assert_true(exists("8"));
    assert_int_equal(live_pages(), 1);
    assert_non_null(status_page_create(10, "next", "none", &err));
    assert_false(exists("8"));
    assert_true(exists("7"));
    assert_true(exists("9"));
    assert_int_equal(live_pages(), 2);
    assert_int_equal(complaints, 1);
    status_page_remove(9);
    status_page_remove(10);
}

/* It takes the place of what was there, and does not write through a link. */
static void the_same_domain_again(void **state)
{
    char path[128], target[128];
    struct stat st;

    (void)state;
    in_folder(path, "8");
    in_folder(target, "target");
    put_file("target", "mine", 4);
    assert_int_equal(symlink(target, path), 0);
    assert_non_null(status_page_create(8, "again", "none", &err));
    assert_int_equal(read_page("8"), STATUS_LIVE);
    assert_int_equal(stat(target, &st), 0);
    assert_int_equal(st.st_size, 4);
    assert_non_null(status_page_create(8, "and again", "none", &err));
    assert_int_equal(read_page("8"), STATUS_LIVE);
    assert_string_equal(view.domain_name, "and again");
    status_page_remove(8);
    unlink(target);
}

static void a_folder_that_cannot_be_made_is_told(void **state)
{
    (void)state;
    setenv("QEMU_DM_RUNDIR", "/proc/nothing/here", 1);
    assert_null(status_page_create(7, "web01", "pa", &err));
    setenv("QEMU_DM_RUNDIR", folder, 1);
    assert_non_null(strstr(err.text, "/proc/nothing/here/7"));
    assert_non_null(strstr(err.text, "Sound is not affected"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_is_written_is_read, begin, end),
        cmocka_unit_test_setup_teardown(everybody_may_read_it, begin, end),
        cmocka_unit_test_setup_teardown(what_a_terminal_must_not_see_is_not_shown, begin, end),
        cmocka_unit_test_setup_teardown(long_texts_are_cut, begin, end),
        cmocka_unit_test_setup_teardown(half_a_text_is_none, begin, end),
        cmocka_unit_test_setup_teardown(a_page_of_the_dead_is_not_shown, begin, end),
        cmocka_unit_test_setup_teardown(nor_is_one_of_a_zombie, begin, end),
        cmocka_unit_test_setup_teardown(another_version_is_refused, begin, end),
        cmocka_unit_test_setup_teardown(what_is_not_a_page_is_refused, begin, end),
        cmocka_unit_test_setup_teardown(a_page_that_is_being_made_is_none, begin, end),
        cmocka_unit_test_setup_teardown(a_damaged_page_is_refused, begin, end),
        cmocka_unit_test_setup_teardown(half_a_start_is_none, begin, end),
        cmocka_unit_test_setup_teardown(noise_is_survived, begin, end),
        cmocka_unit_test_setup_teardown(all_are_read_in_order, begin, end),
        cmocka_unit_test_setup_teardown(no_folder_is_no_fault, begin, end),
        cmocka_unit_test_setup_teardown(a_start_removes_the_pages_of_the_dead, begin, end),
        cmocka_unit_test_setup_teardown(the_same_domain_again, begin, end),
        cmocka_unit_test_setup_teardown(a_folder_that_cannot_be_made_is_told, begin, end),
    };
    int failed;

    if (!mkdtemp(work)) {
        perror(work);
        return 1;
    }
    snprintf(folder, sizeof(folder), "%s/run", work);
    setenv("QEMU_DM_RUNDIR", folder, 1);
    failed = cmocka_run_group_tests(tests, NULL, NULL);
    rmdir(folder);
    rmdir(work);
    return failed;
}
