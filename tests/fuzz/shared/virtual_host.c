/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "fuzz/shared/virtual_host.h"

#include <stdarg.h>
#include <stdbool.h>
#include <string.h>
#include <ucontext.h>

#include "audio/driver.h"
#include "audio/midi.h"
#include "audio/worker.h"
#include "base/clock.h"
#include "base/fds.h"
#include "base/log.h"
#include "card/status_page.h"
#include "fakes/fake_guest.h"
#include "fuzz/shared/expect.h"

enum {
    WORKERS = 3, /* of a card: two streams and a capture */
    STACK_BYTES = 256 << 10,
    CLOCK_READS_MAX = 100000, /* of a thread, before it waits */
};

uint64_t virtual_now;

/* --- threads that take turns --- */

static struct turn {
    struct worker *worker; /* NULL: there is none */
    ucontext_t context;
    bool ended;
    char stack[STACK_BYTES];
} turns[WORKERS];

static ucontext_t ours;
static struct turn *running; /* NULL: we are */
static unsigned clock_reads;

static void begin(void)
{
    running->worker->run(running->worker->opaque);
    running->ended = true;
}

static void give_turn(struct turn *t)
{
    running = t;
    clock_reads = 0;
    swapcontext(&ours, &t->context);
    running = NULL;
}

static void end_turn(void)
{
    swapcontext(&running->context, &ours);
}

bool worker_start(struct worker *w, const char *kind, const char *name, void (*run)(void *opaque),
                  void *opaque, int wake_fd, struct err *err)
{
    struct turn *t = turns;

    (void)kind;
    (void)name;
    (void)err;
    while (t->worker) {
        t++;
    }
    w->run = run;
    w->opaque = opaque;
    w->wake_fd = wake_fd;
    atomic_init(&w->quit, false);
    t->worker = w;
    t->ended = false;
    getcontext(&t->context);
    t->context.uc_stack.ss_sp = t->stack;
    t->context.uc_stack.ss_size = sizeof(t->stack);
    t->context.uc_link = &ours;
    makecontext(&t->context, begin, 0);
    return true;
}

bool worker_stop(struct worker *w, int timeout_ms)
{
    struct turn *t = turns;

    (void)timeout_ms;
    while (t->worker != w) {
        t++;
    }
    atomic_store(&w->quit, true);
    give_turn(t);
    expect(t->ended, "a thread that is told to ends");
    t->worker = NULL;
    return true;
}

void wait_for_fd(int fd, uint64_t ns)
{
    (void)fd;
    (void)ns;
    end_turn();
}

void signal_fd(int fd)
{
    (void)fd;
}

void clear_fd(int fd)
{
    (void)fd;
}

uint64_t clock_now_ns(void)
{
    expect(!running || clock_reads++ < CLOCK_READS_MAX, "a thread with nothing to do waits");
    return virtual_now;
}

/* --- a sound server --- */

static uint32_t frames_now; /* that each sink takes, or each source has, in this turn */
static bool server_is_away;
static unsigned answers;

static void *sound_open(const struct audio_settings *settings, const char *name,
                        const struct pcm_format *format, struct err *err)
{
    static char sound;

    (void)settings;
    (void)name;
    (void)format;
    if (server_is_away) {
        err_set(err, "the virtual server is away");
        return NULL;
    }
    return &sound;
}

static long some_frames(size_t frames, struct err *err)
{
    if (server_is_away) {
        err_set(err, "the virtual server has gone");
        return -1;
    }
    frames = frames < frames_now ? frames : frames_now;
    frames_now -= (uint32_t)frames;
    return (long)frames;
}

/* All of it is looked at. */
static long sound_write(void *sound, const void *data, size_t frames, struct err *err)
{
    long taken = some_frames(frames, err);
    const volatile uint8_t *bytes = data;

    (void)sound;
    for (long i = 0; i < 4 * taken; i++) {
        (void)bytes[i];
    }
    return taken;
}

static bool sound_state(void *sound, struct audio_sink_state *state)
{
    (void)sound;
    *state = (struct audio_sink_state){
        .heard_ns = virtual_now + 10 * NS_PER_MS,
        .answers = ++answers,
        .block_ns = 5 * NS_PER_MS,
    };
    return true;
}

static long sound_read(void *sound, void *data, size_t frames, struct err *err)
{
    long given = some_frames(frames, err);

    (void)sound;
    if (given > 0) {
        memset(data, 0x12, 4 * (size_t)given);
    }
    return given;
}

static bool sound_wait(void *sound, int fd, uint64_t until_ns, struct err *err)
{
    (void)sound;
    (void)fd;
    (void)until_ns;
    end_turn();
    return !server_is_away || err_set(err, "the virtual server has gone");
}

static void sound_close(void *sound)
{
    (void)sound;
}

static const struct audio_recorder recorder = {sound_open, sound_read, sound_wait, sound_close};
static const struct audio_driver driver = {
    .name = "virtual",
    .default_latency_us = 10000,
    .open = sound_open,
    .write = sound_write,
    .state = sound_state,
    .close = sound_close,
    .recorder = &recorder,
};

void virtual_host_works(uint32_t frames)
{
    server_is_away = frames == 0;
    for (unsigned i = 0; i < WORKERS; i++) {
        if (turns[i].worker) {
            frames_now = frames;
            give_turn(&turns[i]);
            expect(!turns[i].ended, "a thread goes on until it is told to end");
        }
    }
}

/* --- MIDI, and the log --- */

struct midi_port {
    unsigned waiting;
};

static struct midi_port midi;
static const struct midi_driver no_driver;
const struct midi_driver *const midi_driver = &no_driver;

void virtual_host_sends_midi(unsigned bytes)
{
    midi.waiting = bytes;
}

struct midi_port *midi_port_open(const struct midi_driver *of, const char *name, struct err *err)
{
    (void)of;
    (void)name;
    (void)err;
    midi.waiting = 0;
    return &midi;
}

void midi_port_close(struct midi_port *p)
{
    (void)p;
}

int midi_port_fd(const struct midi_port *p)
{
    (void)p;
    return -1;
}

void rt_midi_listen(struct midi_port *p, bool on)
{
    (void)p;
    (void)on;
}

void rt_midi_write(struct midi_port *p, uint8_t byte)
{
    (void)p;
    (void)byte;
}

bool rt_midi_read(struct midi_port *p, uint8_t *byte)
{
    if (p->waiting == 0) {
        return false;
    }
    *byte = (uint8_t)p->waiting--;
    return true;
}

void log_at(enum log_level level, const char *fmt, ...)
{
    char line[1024];
    va_list ap;

    (void)level;
    va_start(ap, fmt);
    vsnprintf(line, sizeof(line), fmt, ap);
    va_end(ap);
}

/* --- the card --- */

struct card *virtual_host_card(void)
{
    static char id[] = "audio0";
    static const struct audio_settings settings = {
        .driver = &driver,
        .id = id,
        .out_latency_us = 10000,
        .in_latency_us = 10000,
    };
    static struct status_page page;
    struct err err = {""};
    struct card *card;

    server_is_away = false;
    frames_now = 0;
    answers = 0;
    card = card_create(&settings, &page, virtual_now, &err);

    expect(card && card_plug(card, 5, 4, &err), "there is a card");
    return card;
}

void virtual_host_play(void)
{
    static const uint32_t writes[][2] = {
        {0x0c, 0xc}, {0x30, 0x10000}, {0x34, 16383}, {0x38, 0x20000}, {0x3c, 16383},
        {0x0c, 0xd}, {0x30, 0x40000}, {0x34, 16383}, {0x20, 0x73f},   {0x24, 440},
        {0x28, 440}, {0x2c, 440},     {0x00, 0x70},  {0x00, 0x1e2072}};
    const struct guest_device *d = &fake_guest()->device;

    d->config_write(d->opaque, 0x10, 4, VIRTUAL_PORT);
    d->config_write(d->opaque, 0x04, 2, 0x0005);
    for (size_t i = 0; i < sizeof(writes) / sizeof(writes[0]); i++) {
        d->port_write(d->opaque, (uint16_t)(VIRTUAL_PORT + writes[i][0]), 4, writes[i][1]);
    }
}
