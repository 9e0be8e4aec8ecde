/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A guest for the lab that is nothing but a firmware: xl loads it where it else loads hvmloader
 * (firmware_override), and its orders where it else loads a BIOS (bios_path_override). It says how
 * it goes on the serial line, in the words of lib/guest.sh.
 *
 * Orders, one a line; # begins a comment:
 *     play SECONDS [FIRST]   starts the pattern; after it the card goes on with silence
 *     wait SECONDS           of the card's time, while it plays
 *     finish                 waits for the pattern's end, and says what was seen of the card
 *     reset                  as the button does
 *     hostile SECONDS [SEED] everything to the card that a guest can do, at random (hostile.h)
 *     setup                  of the card and its mixer anew, as a driver does at its start
 * Where there are none it plays 40 seconds. At their end it switches itself off.
 */
#include "card.h"
#include "hostile.h"
#include "machine.h"

/* From Xen's public interface, start_info.h. */
enum { START_INFO_MAGIC = 0x336ec578 };
struct start_info {
    uint32_t magic, version, flags, modules;
    uint64_t module_list, command_line, rsdp;
};
struct module {
    uint64_t address, bytes, command_line, reserved;
};

_Noreturn void firmware(const struct start_info *info);

struct text {
    const char *at, *end;
};

static void skip_blanks(struct text *text)
{
    while (text->at < text->end && (*text->at == ' ' || *text->at == '\t')) {
        text->at++;
    }
}

/* The word, if it is the next of the line. */
static bool take(struct text *text, const char *word)
{
    const char *at = text->at;

    while (*word && at < text->end && *at == *word) {
        at++;
        word++;
    }
    if (*word || (at < text->end && (unsigned char)*at > ' ')) {
        return false;
    }
    text->at = at;
    skip_blanks(text);
    return true;
}

/* The next number of the line; 0 if there is none or it is above the limit. */
static uint32_t take_number(struct text *text, uint32_t limit)
{
    uint32_t number = 0;

    while (text->at < text->end && *text->at >= '0' && *text->at <= '9' && number <= limit) {
        number = number * 10 + (uint32_t)(*text->at++ - '0');
    }
    skip_blanks(text);
    return number <= limit ? number : 0;
}

static void say_what_was_seen(void)
{
    struct card_report seen = card_report();

    say("lab: played pattern xruns=%u interrupts=%u early=%u jumps=%u late_ms=%u", seen.xruns,
        seen.interrupts, seen.early, seen.jumps, seen.late_ms);
}

static void be_hostile(uint32_t seconds, uint32_t seed)
{
    struct hostile_report done;

    say("lab: is hostile %u s, seed %u", seconds, seed);
    done = hostile(seconds, seed);
    say("lab: was hostile accesses=%u strings=%u repeats=%u starts=%u interrupts=%u seed=%u",
        done.accesses, done.strings, done.repeats, done.starts, done.interrupts, seed);
}

/* False: there is no such order. */
static bool obey(struct text *line)
{
    if (take(line, "play")) {
        uint32_t seconds = take_number(line, PATTERN_NUMBERS / PATTERN_RATE);
        uint32_t first = take_number(line, PATTERN_NUMBERS - seconds * PATTERN_RATE);

        say("lab: playing pattern %u s from %u", seconds, first);
        card_play(first, seconds * PATTERN_RATE);
    } else if (take(line, "wait")) {
        card_wait(take_number(line, PATTERN_NUMBERS / PATTERN_RATE));
    } else if (take(line, "finish")) {
        card_finish();
        say_what_was_seen();
    } else if (take(line, "reset")) {
        say("lab: resets itself");
        machine_reset();
    } else if (take(line, "hostile")) {
        uint32_t seconds = take_number(line, 3600);
        uint32_t seed = take_number(line, UINT32_MAX / 10);

        be_hostile(seconds, seed > 0 ? seed : machine_ticks() % (UINT32_MAX / 10));
    } else if (take(line, "setup")) {
        if (!card_init()) {
            say("lab: there is no ES1370 any more");
            machine_off();
        }
    }
    return line->at == line->end || *line->at == '#';
}

/* What libxl has loaded as the BIOS, its only module beside the firmware. For the device model of
 * old it loads none. */
static struct text orders_of(const struct start_info *info)
{
    static const char without[] = "play 40\nfinish\nwait 2\n";
    struct text orders = {without, without + sizeof(without) - 1};

    if (info->magic == START_INFO_MAGIC && info->modules > 0) {
        const struct module *module = (const struct module *)(uint32_t)info->module_list;

        orders.at = (const char *)(uint32_t)module->address;
        orders.end = orders.at + (uint32_t)module->bytes;
    }
    return orders;
}

void firmware(const struct start_info *info)
{
    struct text orders = orders_of(info);

    machine_init();
    say("lab: up");
    if (!card_init()) {
        say("lab: there is no ES1370");
        machine_off();
    }
    while (orders.at < orders.end) {
        struct text line = orders;

        for (line.end = line.at; line.end < orders.end && *line.end != '\n'; line.end++) {
        }
        orders.at = line.end < orders.end ? line.end + 1 : line.end;
        skip_blanks(&line);
        if (!obey(&line)) {
            say("lab: an order that is none");
            machine_off();
        }
    }
    say("lab: done");
    machine_off();
}
