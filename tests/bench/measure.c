/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One measurement of one contender against the sound server that the environment
 * names (tests/bench/with-server starts one): SERVER_KIND (pa or pipewire; pa),
 * SERVER_PIDS, its processes, and SERVER_MAIN, that whose main thread sound goes
 * through.
 *
 *     measure ours|qemu --audiodev AUDIODEV [OPTION...]
 *     measure floor --target US [OPTION...]
 *
 *     --period FRAMES   of the guest's interrupts (1024)
 *     --seconds N       measured (10)
 *     --warm-up N       seconds before (2)
 *     --hogs N          busy loops beside it (0)
 *     --poll US         looks at the position, 0: only at interrupts (ours 0, qemu 500)
 *     --latency-factor N   ours: with the latency asked for made so many times longer (1)
 *     --sink NAME       what is listened to (out)
 *     --label TEXT      shown in the figures
 *     --json FILE       add the figures there too, as one line of JSON
 *
 * Prints one line "key=value ...", of a contender that does not play only failed=WHAT:
 *   step_median, step_max     frames that the position moves at once, when it is looked at as fast
 *                             as can be (for a second after the measurement)
 *   delay_{median,p99,max}_us from the position passing a frame to that frame at the monitor
 *   delay_quiet_p99_us        the same without frames that had a stall before them
 *   delay_tenths_{min,max}_us of the medians of the tenths of the measurement; in the JSON
 *                             all ten as delay_tenths_us
 *   card_ppm, sink_ppm        by how much the position and the sound at the monitor ran faster than
 *                             CLOCK_MONOTONIC
 *   breaks, unexplained, inexplicable   in the whole measurement; those of them with no stall of
 *                             the machine before them; and of these, those before which the sound
 *                             server's main thread did not have to wait for a processor either
 *   breaks_min, unexplained_min   the same a minute
 *   lost, silence             frames lost, and of silence, at the breaks
 *   late_{median,p99,max}_us, late_quiet_p99_us   how late interrupts reach the driver; quiet:
 *                             those that no stall held up
 *   cpu_s_min                 seconds of processor time a minute, of the device model's process.
 *                             Ours includes the guest's driver, QEMU's the answering of qtest's
 *                             commands.
 *   server_cpu_s_min          of the sound server (SERVER_PIDS), less what it uses while it has
 *                             nobody but the listener
 *   stalls, stall_max_us      of the machine: a millisecond and longer
 *   server_waits, server_wait_max_us   of the sound server's main thread (SERVER_MAIN), likewise
 *   window_us                 a break is explained by a stall this long before it
 */
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <math.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "bench/floor_writer.h"
#include "bench/guest_driver.h"
#include "bench/listener.h"
#include "bench/machine.h"
#include "bench/record.h"
#include "bench/stall_watch.h"
#include "config.h"

/* A break is explained by a stall at most so long, and the median delay, before it: what was late
 * to be written then is heard (or not) a delay later, and the server takes some of its own periods
 * to find its pace again. */
#define EXPLAIN_MARGIN_NS (20 * NS_PER_MS)

/* For how long the position is looked at densely, and the server's own need is watched. */
#define DENSE_NS NS_PER_S
#define ALONE_NS NS_PER_S

enum { MAX_HOGS = 64, MAX_BREAKS = 100000, DELAY_POINTS = 100 };

struct options {
    const char *contender, *audiodev, *sink, *json, *label;
    unsigned target_us, period, seconds, warm_up, hogs, poll_us, latency_factor;
};

static _Noreturn void die(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
static _Noreturn void die(const char *fmt, ...)
{
    va_list ap;

    fprintf(stderr, "measure: ");
    va_start(ap, fmt);
    vfprintf(stderr, fmt, ap);
    va_end(ap);
    fprintf(stderr, "\n");
    exit(1);
}

static void sleep_until(uint64_t at)
{
    const struct timespec t = {(time_t)(at / NS_PER_S), (long)(at % NS_PER_S)};

    while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, NULL) != 0) {
    }
}

/* --- the processes beside this one --- */

static pid_t fork_child(void)
{
    pid_t parent = getpid(), pid = fork();

    if (pid < 0) {
        die("cannot fork: %s", strerror(errno));
    }
    if (pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (getppid() != parent) {
            _exit(1);
        }
    }
    return pid;
}

static _Noreturn void contend(const struct options *o, struct record *r, int go)
{
    char c;

    if (read(go, &c, 1) != 1) {
        _exit(1);
    }
    if (strcmp(o->contender, "floor") == 0) {
        floor_writer_run(o->target_us, r);
    } else {
        struct machine *m = strcmp(o->contender, "ours") == 0
                                ? machine_ours(o->audiodev, o->latency_factor)
                                : machine_qemu(o->audiodev);

        guest_driver_run(m, o->period, o->poll_us * NS_PER_US, r);
        m->close(m);
    }
    _exit(0);
}

static pid_t start_hog(void)
{
    pid_t pid = fork_child();

    if (pid == 0) {
        for (volatile unsigned i = 0;; i++) {
        }
    }
    return pid;
}

static struct record *make_record(const struct options *o)
{
    unsigned seconds = o->warm_up + o->seconds + 10;
    size_t interrupts = (size_t)seconds * (BENCH_RATE / o->period + 1);
    size_t passings = interrupts + (o->poll_us ? (size_t)seconds * 1000000 / o->poll_us : 0) +
                      (size_t)seconds * BENCH_RATE / 64;
    size_t size =
        sizeof(struct record) + passings * sizeof(struct passing) + interrupts * sizeof(uint64_t);
    struct record *r = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

    if (r == MAP_FAILED) {
        die("no memory for %u seconds of records", seconds);
    }
    r->passings = (struct passing *)(r + 1);
    r->passing_room = passings;
    r->interrupts = (uint64_t *)(r->passings + passings);
    r->interrupt_room = interrupts;
    return r;
}

/* The sound server's processor time; 0 if its processes are not known. */
static uint64_t server_cpu(void)
{
    const char *pids = getenv("SERVER_PIDS");
    uint64_t sum = 0;
    char *end;

    for (long pid; pids && (pid = strtol(pids, &end, 10)) > 0; pids = end) {
        struct timespec t;
        clockid_t clock;

        if (clock_getcpuclockid((pid_t)pid, &clock) != 0 || clock_gettime(clock, &t) < 0) {
            die("SERVER_PIDS: no process %ld", pid);
        }
        sum += (uint64_t)t.tv_sec * NS_PER_S + (uint64_t)t.tv_nsec;
    }
    return sum;
}

/* --- the figures' lines --- */

struct output {
    FILE *json; /* or NULL */
    const char *comma;
};

static void put_text(struct output *out, const char *key, const char *value)
{
    printf("%s=%s ", key, value);
    if (out->json) {
        fprintf(out->json, "%s\"%s\":\"%s\"", out->comma, key, value);
        out->comma = ",";
    }
}

static void put(struct output *out, const char *key, double value)
{
    printf("%s=%.10g ", key, value);
    if (out->json) {
        fprintf(out->json, "%s\"%s\":%.10g", out->comma, key, value);
        out->comma = ",";
    }
}

/* What was measured, and how. */
static struct output begin_output(const struct options *o)
{
    struct output out = {.json = o->json ? fopen(o->json, "a") : NULL, .comma = "{"};

    if (o->json && !out.json) {
        die("cannot write %s: %s", o->json, strerror(errno));
    }
    put_text(&out, "label", o->label);
    put_text(&out, "contender", o->contender);
    put_text(&out, "audiodev", o->audiodev ? o->audiodev : "-");
    put(&out, "target_us", o->target_us);
    put(&out, "period", o->period);
    put(&out, "seconds", o->seconds);
    put(&out, "hogs", o->hogs);
    put(&out, "poll_us", o->poll_us);
    return out;
}

static void end_output(struct output *out)
{
    printf("\n");
    if (out->json) {
        fprintf(out->json, "}\n");
        if (fclose(out->json) != 0) {
            die("cannot write the figures: %s", strerror(errno));
        }
    }
}

/* There are no figures of a contender that does not play: that is what is to be said of it. */
static _Noreturn void give_up(const struct options *o, const char *what)
{
    struct output out = begin_output(o);

    put_text(&out, "failed", what);
    end_output(&out);
    die("the contender: %s", what);
}

/* --- the measurement --- */

struct result {
    const struct record *record;
    const struct heard *runs;
    size_t run_count;
    struct stalls stalls, server_waits;
    double server_load; /* seconds a second */
};

static struct listener *listen_to(const char *sink, unsigned seconds)
{
    const char *kind = getenv("SERVER_KIND");

    if (!kind || strcmp(kind, "pa") == 0) {
        return listener_pa(sink, seconds);
    }
#ifdef CONFIG_AUDIO_PIPEWIRE
    if (strcmp(kind, "pipewire") == 0) {
        return listener_pipewire(sink, seconds);
    }
#endif
    die("SERVER_KIND=%s: this build cannot listen to it: configure with that driver", kind);
}

/* In the time measured, and not only silence. */
static bool was_heard(const struct result *result, const struct record *r)
{
    for (size_t i = 0; i < result->run_count; i++) {
        const struct heard *run = &result->runs[i];

        if (run->first != 0 && run->time >= r->begin && run->time < r->end) {
            return true;
        }
    }
    return false;
}

static struct listener *listen_and_run(const struct options *o, struct record *r, pid_t contender,
                                       int go, struct result *result)
{
    struct listener *listener =
        listen_to(o->sink, o->warm_up + o->seconds + 2 * (unsigned)(DENSE_NS / NS_PER_S));
    const char *server_main = getenv("SERVER_MAIN");
    struct stall_watch *watch;
    uint64_t alone, busy, now;
    pid_t hogs[MAX_HOGS];
    int status = 0;

    if (!listener) {
        exit(1);
    }
    for (unsigned i = 0; i < o->hogs; i++) {
        hogs[i] = start_hog();
    }
    alone = server_cpu();
    sleep_until(clock_now_ns() + ALONE_NS);
    alone = server_cpu() - alone;
    watch = stall_watch_start(server_main ? atoi(server_main) : 0);
    if (!watch) {
        exit(1);
    }
    now = clock_now_ns();
    r->begin = now + o->warm_up * NS_PER_S;
    r->end = r->begin + o->seconds * NS_PER_S;
    r->dense_end = r->end + DENSE_NS;
    if (write(go, "", 1) != 1) {
        die("the contender has died");
    }

    close(go);
    sleep_until(r->begin);
    busy = server_cpu();
    sleep_until(r->end);
    busy = server_cpu() - busy;
    /* Now, for PulseAudio 16 may die of a client that goes while its sound is still on its way
     * ("n_imported) > 0"). */
    if (!listener_end(listener, &result->runs, &result->run_count)) {
        die("the sound server has failed during the measurement");
    }
    for (unsigned i = 0; i < o->hogs; i++) {
        kill(hogs[i], SIGKILL);
        waitpid(hogs[i], NULL, 0);
    }
    stall_watch_end(watch, &result->stalls, &result->server_waits);
    if (waitpid(contender, &status, 0) < 0 || status != 0) {
        give_up(o, "failed");
    }
    if (!was_heard(result, r)) {
        give_up(o, "not heard");
    }
    result->record = r;
    result->server_load =
        (double)busy / (double)(r->end - r->begin) - (double)alone / (double)ALONE_NS;
    return listener;
}

static void put_steps(struct output *out, const struct record *r)
{
    uint64_t all = 0, seen = 0;
    unsigned median = 0, most = 0;

    for (unsigned i = 0; i < RECORD_STEPS; i++) {
        all += r->steps[i];
        most = r->steps[i] ? i : most;
    }
    while (median < most && (seen += r->steps[median]) * 2 < all) {
        median++;
    }
    put(out, "step_median", median);
    put(out, "step_max", most);
}

static void put_interrupts(struct output *out, const struct result *result)
{
    const struct record *r = result->record;
    struct histogram all, quiet;

    if (!histogram_init(&all) || !histogram_init(&quiet)) {
        die("no memory");
    }
    lateness_measure(r->interrupts, r->interrupt_count, r->begin, r->end, NULL, &all);
    lateness_measure(r->interrupts, r->interrupt_count, r->begin, r->end, &result->stalls, &quiet);
    put(out, "interrupts", (double)all.count);
    put(out, "late_median_us", histogram_quantile(&all, 0.5));
    put(out, "late_p99_us", histogram_quantile(&all, 0.99));
    put(out, "late_max_us", (double)(all.max / NS_PER_US));
    put(out, "late_quiet_p99_us", histogram_quantile(&quiet, 0.99));
    histogram_free(&all);
    histogram_free(&quiet);
}

static void put_breaks(struct output *out, const struct options *o, const struct result *result,
                       uint64_t window)
{
    static struct break_heard breaks[MAX_BREAKS];
    const struct record *r = result->record;
    size_t count =
        breaks_find(result->runs, result->run_count, r->begin, r->end, breaks, MAX_BREAKS);
    size_t kept = count < MAX_BREAKS ? count : MAX_BREAKS;
    size_t unexplained =
        count - kept + breaks_explain(breaks, kept, &result->stalls, window, BY_STALL);
    size_t inexplicable =
        count - kept + breaks_explain(breaks, kept, &result->server_waits, window, BY_SERVER);
    double minutes = o->seconds / 60.0, lost = 0, silence = 0;

    for (size_t i = 0; i < kept; i++) {
        lost += (double)breaks[i].lost;
        silence += breaks[i].silence;
    }
    put(out, "breaks", (double)count);
    put(out, "unexplained", (double)unexplained);
    put(out, "inexplicable", (double)inexplicable);
    put(out, "breaks_min", (double)count / minutes);
    put(out, "unexplained_min", (double)unexplained / minutes);
    put(out, "lost", lost);
    put(out, "silence", silence);
    if (out->json) {
        fprintf(out->json, ",\"break_list\":[");
        for (size_t i = 0; i < kept && i < 1000; i++) {
            fprintf(out->json, "%s[%.3f,%" PRId64 ",%u,%d]", i ? "," : "",
                    (double)(breaks[i].time - r->begin) / 1e6, breaks[i].lost, breaks[i].silence,
                    (int)breaks[i].reason);
        }
        fprintf(out->json, "]");
    }
}

static double ppm(double frames, uint64_t ns)
{
    return ns ? (frames / ((double)ns / 1e9) / BENCH_RATE - 1) * 1e6 : 0;
}

/* What changes in the course of a measurement, and the clocks that make it change. */
static void put_course(struct output *out, const struct options *o, const struct result *result)
{
    const struct record *r = result->record;
    uint64_t tenth = (r->end - r->begin) / 10;
    struct rate card = passings_rate(r->passings, r->passing_count, r->begin, r->end);
    struct rate sink = heard_rate(result->runs, result->run_count, r->begin, r->end);
    double tenths[10], least = 0, most = 0;

    for (int i = 0; i < 10; i++) {
        uint64_t from = r->begin + (uint64_t)i * tenth;
        struct histogram h;

        if (!histogram_init(&h)) {
            die("no memory");
        }
        delays_measure(result->runs, result->run_count, from, from + tenth, r->passings,
                       r->passing_count, r->smooth, NULL, 0, &h);
        tenths[i] = histogram_quantile(&h, 0.5);
        least = i == 0 || tenths[i] < least ? tenths[i] : least;
        most = tenths[i] > most ? tenths[i] : most;
        histogram_free(&h);
    }
    put(out, "delay_tenths_min_us", least);
    put(out, "delay_tenths_max_us", most);
    if (out->json) {
        fprintf(out->json, ",\"delay_tenths_us\":[");
        for (int i = 0; i < 10; i++) {
            fprintf(out->json, "%s%.0f", i ? "," : "", tenths[i]);
        }
        fprintf(out->json, "]");
    }
    if (strcmp(o->contender, "floor") != 0) {
        put(out, "card_ppm", round(ppm((double)card.frames, card.ns)));
    }
    put(out, "sink_ppm", round(ppm((double)sink.frames, sink.ns)));
}

static void put_stalls(struct output *out, const char *count_key, const char *longest_key,
                       const struct record *r, const struct stalls *stalls)
{
    uint64_t longest = 0;
    size_t count = 0;

    for (size_t i = 0; i < stalls->count; i++) {
        const struct stall *s = &stalls->list[i];

        if (s->to >= r->begin && s->from < r->end) {
            count++;
            longest = s->to - s->from > longest ? s->to - s->from : longest;
        }
    }
    put(out, count_key, (double)count);
    put(out, longest_key, (double)(longest / NS_PER_US));
}

static void report(const struct options *o, const struct result *result)
{
    const struct record *r = result->record;
    struct output out = begin_output(o);
    struct histogram all, quiet;
    uint64_t window;

    if (!histogram_init(&all) || !histogram_init(&quiet)) {
        die("no memory");
    }
    delays_measure(result->runs, result->run_count, r->begin, r->end, r->passings, r->passing_count,
                   r->smooth, NULL, 0, &all);
    window = (uint64_t)histogram_quantile(&all, 0.5) * NS_PER_US + EXPLAIN_MARGIN_NS;
    delays_measure(result->runs, result->run_count, r->begin, r->end, r->passings, r->passing_count,
                   r->smooth, &result->stalls, window, &quiet);

    put_steps(&out, r);
    put(&out, "delay_median_us", histogram_quantile(&all, 0.5));
    put(&out, "delay_p99_us", histogram_quantile(&all, 0.99));
    put(&out, "delay_max_us", (double)(all.max / NS_PER_US));
    put(&out, "delay_quiet_p99_us", histogram_quantile(&quiet, 0.99));
    put(&out, "heard_share", (double)all.count / ((double)o->seconds * BENCH_RATE));
    put_course(&out, o, result);
    put_breaks(&out, o, result, window);
    put_interrupts(&out, result);
    put(&out, "cpu_s_min", r->cpu_time ? 60.0 * (double)r->cpu / (double)r->cpu_time : 0);
    put(&out, "server_cpu_s_min", 60.0 * result->server_load);
    put_stalls(&out, "stalls", "stall_max_us", r, &result->stalls);
    put_stalls(&out, "server_waits", "server_wait_max_us", r, &result->server_waits);
    put(&out, "window_us", (double)(window / NS_PER_US));
    if (out.json) {
        /* Quantiles by hundredths, for the drawing. */
        fprintf(out.json, ",\"delays_us\":[");
        for (int i = 0; i <= DELAY_POINTS; i++) {
            fprintf(out.json, "%s%.0f", i ? "," : "",
                    histogram_quantile(&all, (double)i / DELAY_POINTS));
        }
        fprintf(out.json, "]");
    }
    end_output(&out);
    histogram_free(&all);
    histogram_free(&quiet);
}

/* --- the command line --- */

static unsigned number(const char *option, const char *text, unsigned least, unsigned most)
{
    char *end;
    unsigned long n = strtoul(text, &end, 10);

    if (*text < '0' || *text > '9' || *end || n < least || n > most) {
        die("%s takes a number from %u to %u, not '%s'", option, least, most, text);
    }
    return (unsigned)n;
}

static struct options parse(int argc, char **argv)
{
    static const struct option known[] = {
        {"audiodev", required_argument, NULL, 'a'},
        {"target", required_argument, NULL, 't'},
        {"period", required_argument, NULL, 'p'},
        {"seconds", required_argument, NULL, 's'},
        {"warm-up", required_argument, NULL, 'w'},
        {"hogs", required_argument, NULL, 'h'},
        {"poll", required_argument, NULL, 'l'},
        {"sink", required_argument, NULL, 'o'},
        {"json", required_argument, NULL, 'j'},
        {"label", required_argument, NULL, 'n'},
        {"latency-factor", required_argument, NULL, 'f'},
        {"listen", required_argument, NULL, 'i'},
        {NULL, 0, NULL, 0},
    };
    struct options o = {.contender = argc > 1 ? argv[1] : "",
                        .sink = "out",
                        .label = "-",
                        .latency_factor = 1,
                        .period = 1024,
                        .seconds = 10,
                        .warm_up = 2};
    bool qemu = strcmp(o.contender, "qemu") == 0, floor = strcmp(o.contender, "floor") == 0;
    int c;

    if (!qemu && !floor && strcmp(o.contender, "ours") != 0) {
        die("say what to measure: ours, qemu or floor");
    }
    o.poll_us = qemu ? 500 : 0;
    argv[1] = argv[0];
    while ((c = getopt_long(argc - 1, argv + 1, "", known, NULL)) != -1) {
        switch (c) {
        case 'a':
            o.audiodev = optarg;
            break;
        case 't':
            o.target_us = number("--target", optarg, 500, 1000000);
            break;
        case 'p':
            o.period = number("--period", optarg, 16, 8192);
            break;
        case 's':
            o.seconds = number("--seconds", optarg, 1, 36000);
            break;
        case 'w':
            o.warm_up = number("--warm-up", optarg, 1, 3600);
            break;
        case 'h':
            o.hogs = number("--hogs", optarg, 0, MAX_HOGS);
            break;
        case 'l':
            o.poll_us = number("--poll", optarg, 0, 100000);
            break;
        case 'o':
            o.sink = optarg;
            break;
        case 'j':
            o.json = optarg;
            break;
        case 'n':
            o.label = optarg;
            break;
        case 'f':
            o.latency_factor = number("--latency-factor", optarg, 1, 100);
            break;
        default:
            exit(2);
        }
    }
    if (floor ? !o.target_us : !o.audiodev) {
        die("%s needs %s", o.contender, floor ? "--target US" : "--audiodev AUDIODEV");
    }
    return o;
}

int main(int argc, char **argv)
{
    struct options o = parse(argc, argv);
    struct record *r = make_record(&o);
    struct result result = {0};
    struct listener *listener;
    pid_t contender;
    int go[2];

    if (pipe(go) < 0) {
        die("cannot make a pipe: %s", strerror(errno));
    }
    signal(SIGPIPE, SIG_IGN);
    /* Before any thread starts; it waits for its word. */
    contender = fork_child();
    if (contender == 0) {
        close(go[1]);
        contend(&o, r, go[0]);
    }
    close(go[0]);
    listener = listen_and_run(&o, r, contender, go[1], &result);
    report(&o, &result);
    listener_free(listener);
    free(result.stalls.list);
    free(result.server_waits.list);
    return 0;
}
