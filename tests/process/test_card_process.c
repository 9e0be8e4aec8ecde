/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The card's process as its supervisor has it: started, paused, saved and
 * loaded over its socket, while a guest that is in this process plays. A fake
 * domain stands in for Xen; all else is as it will be.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "audio/settings.h"
#include "base/clock.h"
#include "card/pauses.h"
#include "card/process.h"
#include "fakes/fake_domain.h"
#include "process/playing_guest.h"

/* What is waited for comes within milliseconds; this long means never. */
enum { DEADLINE_MS = 8000 };

static char dir[] = "/tmp/qemu-dm-test-XXXXXX";
static char guest_path[64];
static struct audio_settings settings;
static struct card_process card;
static struct err err;

static void pause_ms(unsigned ms)
{
    struct timespec t = {.tv_sec = ms / 1000, .tv_nsec = (long)(ms % 1000) * 1000000};

    nanosleep(&t, NULL);
}

/* --- the supervisor --- */

static void start_card(bool paused)
{
    static const struct user nobody = {.change = false};

    if (!card_process_start(&card, &settings, &nobody, 7, "dom", 4, paused, &err)) {
        fail_msg("%s", err.text);
    }
    join_guest(guest_path);
}

static int start(void **state)
{
    (void)state;
    start_card(false);
    return 0;
}

static int stop(void **state)
{
    (void)state;
    card_process_stop(&card);
    leave_guest();
    return 0;
}

static bool done(bool ok)
{
    if (!ok) {
        fail_msg("%s", err.text);
    }
    return ok;
}

struct saved {
    size_t size;
    uint8_t bytes[CONTROL_MAX_BYTES];
};

static void save(struct saved *s)
{
    done(card_process_save(&card, s->bytes, sizeof(s->bytes), &s->size, &err));
}

static void assert_same(const struct saved *a, const struct saved *b)
{
    assert_int_equal(a->size, b->size);
    assert_memory_equal(a->bytes, b->bytes, a->size);
}

/* Whether there is something to hear from the card in that time. */
static bool speaks_within(int ms)
{
    struct pollfd fd = {.fd = card_process_fd(&card), .events = POLLIN};

    return poll(&fd, 1, ms) == 1;
}

static void a_paused_card_does_not_change(void **state)
{
    static struct saved first, second;
    uint32_t level;

    (void)state;
    play(4410);
    done(card_process_pause(&card, &err));
    level = ask_guest(FAKE_GUEST_INTX, 0, 0, 0);
    save(&first);
    assert_in_range(first.size, 100, 1023);
    pause_ms(150);
    done(card_process_pause(&card, &err));
    save(&second);
    assert_same(&first, &second);
    assert_int_equal(ask_guest(FAKE_GUEST_INTX, 0, 0, 0), level);
    done(card_process_resume(&card, &err));
    wait_for_interrupt();
    done(card_process_pause(&card, &err));
    save(&second);
    assert_true(memcmp(first.bytes, second.bytes, first.size) != 0);
    assert_int_equal(ask_guest(FAKE_GUEST_INTX, 0, 0, 0), 1);
}

static void a_running_card_is_saved_too(void **state)
{
    static struct saved first, second;

    (void)state;
    play(4410);
    save(&first);
    pause_ms(5);
    save(&second);
    assert_true(first.size != second.size || memcmp(first.bytes, second.bytes, first.size) != 0);
}

/* As the domain is saved in one process, and restored in another. */
static void goes_on_in_another_process(void **state)
{
    static struct saved saved, again;
    uint32_t level;

    play(4410);
    pause_ms(20);
    done(card_process_pause(&card, &err));
    level = ask_guest(FAKE_GUEST_INTX, 0, 0, 0);
    save(&saved);
    stop(state);
    start_card(true);
    done(card_process_load(&card, saved.bytes, saved.size, &err));
    pause_ms(150);
    save(&again);
    assert_same(&saved, &again);
    assert_int_equal(ask_guest(FAKE_GUEST_INTX, 0, 0, 0), level);
    done(card_process_resume(&card, &err));
    wait_for_interrupt();
    assert_int_equal(in(CONTROL), DIV_44100 | DAC2_EN);
    assert_int_equal(in(STATUS)&0x80000002, 0x80000002);
}

static void starts_paused_where_that_is_asked_for(void **state)
{
    static struct saved first, second;

    stop(state);
    start_card(true);
    save(&first);
    pause_ms(5);
    save(&second);
    assert_same(&first, &second); /* its clock stands still, */
    play(441);                    /* until the guest comes */
    wait_for_interrupt();
}

static void what_it_refuses_it_says(void **state)
{
    static struct saved saved;
    static uint8_t large[CONTROL_MAX_BYTES + 1];
    size_t used;

    (void)state;
    assert_false(card_process_load(&card, "nonsense", 8, &err));
    assert_non_null(strstr(err.text, "cannot restore the sound card: "));
    assert_false(card_process_load(&card, large, 0, &err));
    assert_false(card_process_load(&card, large, CONTROL_MAX_BYTES, &err));
    assert_non_null(strstr(err.text, "cannot restore the sound card: "));
    assert_false(card_process_load(&card, large, sizeof(large), &err));
    assert_non_null(strstr(err.text, "too long"));
    assert_false(card_process_save(&card, large, 99, &used, &err));
    assert_non_null(strstr(err.text, "there is room for 99"));
    save(&saved); /* it lives on */
}

/* What a newer supervisor might ask. */
static void an_unknown_request_is_refused(void **state)
{
    struct control_head request = {99, 1234}, answer;
    static uint8_t bytes[CONTROL_MAX_BYTES];

    (void)state;
    assert_int_equal(send(card.control, &request, sizeof(request), 0), sizeof(request));
    assert_true(speaks_within(DEADLINE_MS));
    assert_in_range(control_receive(card.control, &answer, bytes), 1, 100);
    assert_int_equal(answer.kind, CONTROL_FAILED);
    assert_int_equal(answer.number, 1234);
    done(card_process_pause(&card, &err));
}

static void a_late_answer_is_passed_over(void **state)
{
    static struct saved first, second;
    uint64_t begun = clock_now_ns();

    (void)state;
    done(card_process_pause(&card, &err));
    save(&first);
    kill(card.pid, SIGSTOP);
    assert_false(card_process_pause(&card, &err));
    assert_string_equal(err.text, "cannot pause the sound card: it has not answered for 2 seconds");
    assert_in_range(clock_now_ns() - begun, 2 * NS_PER_S, 2 * NS_PER_S + DEADLINE_MS * NS_PER_MS);
    kill(card.pid, SIGCONT);
    save(&second);
    assert_same(&first, &second);
    assert_false(speaks_within(0));

    /* Or when nobody waits for any. */
    assert_int_equal(control_send(card.control, CONTROL_RESUME, card.requests, NULL, 0), 0);
    assert_true(speaks_within(DEADLINE_MS));
    assert_false(card_process_hear(&card));
    assert_false(speaks_within(0));
}

static void a_dead_card_is_told_apart(void **state)
{
    (void)state;
    kill(card.pid, SIGKILL);
    assert_true(speaks_within(DEADLINE_MS));
    assert_false(card_process_hear(&card));
    assert_int_equal(card_process_fd(&card), -1);
    assert_false(card_process_hear(&card));
    assert_false(card_process_pause(&card, &err));
    assert_non_null(strstr(err.text, "cannot pause the sound card: "));
    assert_int_equal(waitpid(card.pid, NULL, 0), card.pid);
    card_process_died(&card);
    assert_int_equal(card_process_fd(&card), -1);
    assert_false(card_process_resume(&card, &err));
    assert_string_equal(err.text, "cannot let the sound card go on: there is none");
}

static void dies_while_it_is_waited_for(void **state)
{
    (void)state;
    kill(card.pid, SIGSTOP);
    if (fork() == 0) {
        pause_ms(50);
        kill(card.pid, SIGKILL);
        _exit(0);
    }
    assert_false(card_process_pause(&card, &err));
    assert_string_equal(err.text, "cannot pause the sound card: its process has died; its last "
                                  "words are above");
    waitpid(-1, NULL, 0);
    waitpid(-1, NULL, 0);
    card_process_died(&card);
}

/* --- one that takes a dead one's place --- */

static void die(void)
{
    kill(card.pid, SIGKILL);
    assert_int_equal(waitpid(card.pid, NULL, 0), card.pid);
    card_process_died(&card);
    assert_int_equal(card_process_fd(&card), -1);
}

static void take_its_place(bool paused)
{
    leave_guest();
    done(card_process_restart(&card, paused, &err));
    join_guest(guest_path);
}

static void goes_on_where_it_was(void **state)
{
    (void)state;
    play(4410);
    for (unsigned i = 0; i < 3; i++) {
        uint32_t left, frames;

        pause_ms(10);
        left = in(WINDOW + 12) >> 16;
        die();
        take_its_place(false);
        frames = in(WINDOW + 12) >> 16; /* as the guest had last been told, and on from there */
        assert_in_range(frames, left, left + 4410);
        assert_int_equal(in(CONTROL), DIV_44100 | DAC2_EN);
        pause_ms(10);
        assert_true(in(WINDOW + 12) >> 16 > frames);
    }
    wait_for_interrupt();
    assert_int_equal(in(STATUS)&0x80000002, 0x80000002);
    out(SCTL, DAC2_S16_STEREO); /* acknowledged */
    assert_int_equal(ask_guest(FAKE_GUEST_INTX, 0, 0, 0), 0);
}

static void an_interrupt_is_still_pending(void **state)
{
    (void)state;
    play(441);
    wait_for_interrupt();
    die();
    take_its_place(false);
    assert_int_equal(ask_guest(FAKE_GUEST_INTX, 0, 0, 0), 1);
}

/* A card that stands still is the same in another process. */
static void assert_passed_on(void)
{
    static struct saved first, second;

    done(card_process_pause(&card, &err));
    save(&first);
    die();
    take_its_place(true);
    save(&second);
    assert_same(&first, &second);
}

static void stands_still_where_it_stood_still(void **state)
{
    (void)state;
    play(4410);
    assert_passed_on();
    done(card_process_resume(&card, &err));
    wait_for_interrupt();
}

static void one_that_was_never_asked_is_as_at_power_on(void **state)
{
    (void)state;
    assert_passed_on();
}

/* The domain's state can be saved before anybody knows that the card has died. */
static void a_dead_card_is_saved_as_it_was(void **state)
{
    static struct saved first, second;

    (void)state;
    play(4410);
    done(card_process_pause(&card, &err));
    save(&first);
    kill(card.pid, SIGKILL);
    assert_true(speaks_within(DEADLINE_MS));
    save(&second);
    assert_same(&first, &second);
    die();
    assert_false(card_process_save(&card, first.bytes, sizeof(first.bytes), &first.size, &err));
}

static void a_failed_attempt_can_be_repeated(void **state)
{
    (void)state;
    play(4410);
    die();
    setenv("FAKE_GUEST_TAKE_OVER", "fail", 1);
    assert_false(card_process_restart(&card, false, &err));
    assert_string_equal(err.text, "the fake guest refuses");
    unsetenv("FAKE_GUEST_TAKE_OVER");
    take_its_place(false);
    assert_int_equal(in(CONTROL), DIV_44100 | DAC2_EN);
}

/* --- its question --- */

static void asks_when_its_interrupt_is_left_alone(void **state)
{
    static uint8_t bytes[CONTROL_MAX_BYTES];
    struct control_head head;

    (void)state;
    play(441);
    assert_true(speaks_within(DEADLINE_MS));
    assert_true(card_process_hear(&card));
    assert_true(speaks_within(DEADLINE_MS)); /* and again */
    pause_ms(300);
    assert_int_equal(control_receive(card.control, &head, bytes), 0);
    assert_int_equal(head.kind, CONTROL_IS_STOPPED);
    assert_int_equal(control_receive(card.control, &head, bytes), -EAGAIN); /* until it is heard */
    assert_int_equal(control_send(card.control, CONTROL_HEARD, 0, NULL, 0), 0);
    assert_true(speaks_within(DEADLINE_MS));

    done(card_process_pause(&card, &err));
    assert_false(speaks_within(300));
    done(card_process_resume(&card, &err));
    assert_true(speaks_within(DEADLINE_MS));
    assert_true(card_process_hear(&card));

    /* The guest acknowledges, and asks for no more interrupts. */
    out(SCTL, DAC2_S16_STEREO);
    card_process_hear(&card);
    assert_false(speaks_within(300));
}

static void a_question_is_in_nobodys_way(void **state)
{
    static struct saved saved;

    (void)state;
    play(441);
    assert_true(speaks_within(DEADLINE_MS));
    save(&saved); /* passes it over, */
    assert_true(speaks_within(DEADLINE_MS));
    done(card_process_pause(&card, &err)); /* and this one */
    assert_false(speaks_within(300));
    in(STATUS); /* sets it going, */
    assert_true(speaks_within(DEADLINE_MS));
    assert_true(card_process_hear(&card)); /* and is asked about anew */
}

static void a_guest_that_is_heard_is_not_asked_about(void **state)
{
    (void)state;
    play(44100);
    for (unsigned i = 0; i < 5; i++) {
        in(STATUS);
        assert_false(speaks_within(20));
    }
}

/* The supervisor's part of that, until the card stands still, or does no more. */
static void follow_the_domain(struct pauses *p, bool until)
{
    bool still = !until;

    for (unsigned ms = 0; still != until; ms += 2) {
        bool look = pauses_wake(p) <= clock_now_ns();

        assert_true(ms < DEADLINE_MS);
        if (card_process_hear(&card) || look) {
            still = pauses_look(p, domain_state(7), clock_now_ns());
            done(still ? card_process_pause(&card, &err) : card_process_resume(&card, &err));
        }
        pause_ms(2);
    }
}

static void stands_still_while_its_domain_does(void **state)
{
    static struct saved first, second;
    struct pauses pauses;
    uint32_t frames;

    (void)state;
    pauses_begin(&pauses, false);
    play(441);
    fake_domain_state = DOMAIN_STOPPED;
    follow_the_domain(&pauses, true);
    save(&first);
    pause_ms(100);
    save(&second);
    assert_same(&first, &second);
    fake_domain_state = DOMAIN_RUNS;
    follow_the_domain(&pauses, false);
    frames = in(WINDOW + 12) >> 16;
    pause_ms(20);
    assert_true(in(WINDOW + 12) >> 16 != frames);
}

static void ends_when_the_socket_is_closed(void **state)
{
    int status;

    (void)state;
    done(card_process_pause(&card, &err));
    close(card.control);
    card.control = -1;
    assert_int_equal(waitpid(card.pid, &status, 0), card.pid);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    card_process_died(&card);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_paused_card_does_not_change, start, stop),
        cmocka_unit_test_setup_teardown(a_running_card_is_saved_too, start, stop),
        cmocka_unit_test_setup_teardown(goes_on_in_another_process, start, stop),
        cmocka_unit_test_setup_teardown(starts_paused_where_that_is_asked_for, start, stop),
        cmocka_unit_test_setup_teardown(what_it_refuses_it_says, start, stop),
        cmocka_unit_test_setup_teardown(an_unknown_request_is_refused, start, stop),
        cmocka_unit_test_setup_teardown(a_late_answer_is_passed_over, start, stop),
        cmocka_unit_test_setup_teardown(a_dead_card_is_told_apart, start, stop),
        cmocka_unit_test_setup_teardown(dies_while_it_is_waited_for, start, stop),
        cmocka_unit_test_setup_teardown(goes_on_where_it_was, start, stop),
        cmocka_unit_test_setup_teardown(an_interrupt_is_still_pending, start, stop),
        cmocka_unit_test_setup_teardown(stands_still_where_it_stood_still, start, stop),
        cmocka_unit_test_setup_teardown(one_that_was_never_asked_is_as_at_power_on, start, stop),
        cmocka_unit_test_setup_teardown(a_dead_card_is_saved_as_it_was, start, stop),
        cmocka_unit_test_setup_teardown(a_failed_attempt_can_be_repeated, start, stop),
        cmocka_unit_test_setup_teardown(asks_when_its_interrupt_is_left_alone, start, stop),
        cmocka_unit_test_setup_teardown(a_question_is_in_nobodys_way, start, stop),
        cmocka_unit_test_setup_teardown(a_guest_that_is_heard_is_not_asked_about, start, stop),
        cmocka_unit_test_setup_teardown(stands_still_while_its_domain_does, start, stop),
        cmocka_unit_test_setup_teardown(ends_when_the_socket_is_closed, start, stop),
    };
    int failed;

    if (!mkdtemp(dir)) {
        perror(dir);
        return 1;
    }
    snprintf(guest_path, sizeof(guest_path), "%s/guest", dir);
    setenv("FAKE_GUEST_SOCKET", guest_path, 1);
    setenv("QEMU_DM_RUNDIR", dir, 1);
    if (!audio_settings_parse(&settings, "none,id=s", &err)) {
        fprintf(stderr, "%s\n", err.text);
        return 1;
    }
    failed = cmocka_run_group_tests(tests, NULL, NULL);
    audio_settings_free(&settings);
    unlink(guest_path);
    rmdir(dir);
    return failed;
}
