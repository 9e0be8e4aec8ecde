# SPDX-License-Identifier: GPL-2.0-or-later
#
# awk -f figures.awk -f report.awk RAW.jsonl: the tables of scripts/bench, from the figures that
# `measure --json` wrote with labels "grid:NAME", "cpu:NAME", "curve:NAME", "soak:NAME", "drift:NAME".

function ms(us)
{
    return sprintf(us < 100000 ? "%.1f" : "%.0f", us / 1000)
}

# A minute: all, without a stall before them, and without a wait of the sound server's either.
function breaks(minutes)
{
    minutes = number("seconds") / 60
    return sprintf("%d / %d / %d", number("breaks") / minutes + 0.5,
        number("unexplained") / minutes + 0.5, number("inexplicable") / minutes + 0.5)
}

function row_of(label, key)
{
    key = label SUBSEP number("period") SUBSEP number("target_us")
    if (!(key in seen)) {
        seen[key] = 1
        rows[kind(label)] = rows[kind(label)] "\n" key
    }
    return key
}

# The rows of a kind, into row[1..].
function rows_of(which, row)
{
    return split(substr(rows[which], 2), row, "\n")
}

{
    label = text("label")
    loaded = number("hogs") > 0 ? "loaded" : "idle"
}

kind(label) == "cpu" {
    if (text("failed"))
        next
    key = "grid:" name(label) SUBSEP number("period") SUBSEP number("target_us")
    cpu[key] = sprintf("%6.1f %6.1f", number("cpu_s_min"), number("server_cpu_s_min"))
    next
}

# A contender that does not play has no figures.
text("failed") {
    key = row_of(label)
    broken[key, loaded] = "-"
    delay[key, loaded] = sprintf("%23s", text("failed"))
    stalled[key, loaded] = sprintf("%12s", "-")
    if (loaded == "idle") {
        step[key] = sprintf("%11s", "-")
        late[key] = sprintf("%31s", "-")
        cpu[key] = sprintf("%13s", "-")
    }
    next
}

{
    key = row_of(label)
    broken[key, loaded] = breaks()
    delay[key, loaded] = sprintf("%7s %7s %7s", ms(number("delay_median_us")),
        ms(number("delay_p99_us")), ms(number("delay_max_us")))
    stalled[key, loaded] = sprintf("%4d %7s", number("stalls"), ms(number("stall_max_us")))
    if (loaded == "idle") {
        step[key] = sprintf("%5d %5d", number("step_median"), number("step_max"))
        late[key] = sprintf("%7.2f %7.2f %7.2f %7.2f", number("late_median_us") / 1000,
            number("late_p99_us") / 1000, number("late_quiet_p99_us") / 1000,
            number("late_max_us") / 1000)
    }
}

kind(label) == "grid" && loaded == "idle" && text("contender") != "qemu" {
    cpu[key] = sprintf("%6.1f %6.1f", number("cpu_s_min"), number("server_cpu_s_min"))
}

kind(label) == "drift" {
    tenths = list("delay_tenths_us", tenth)
    course = ""
    for (i = 1; i <= tenths; i++)
        course = course " " ms(tenth[i])
    drift = drift sprintf("%-24s  sink %+5d ppm, card %+5d ppm; delay median, a tenth of the time each, ms:%s; p99 %s ms; breaks in all / no stall / neither: %d / %d / %d in %d s\n",
        name(label), number("sink_ppm"), number("card_ppm"), course, ms(number("delay_p99_us")),
        number("breaks"), number("unexplained"), number("inexplicable"), number("seconds"))
}

END {
    n = rows_of("grid", row)
    if (n) {
        printf "%-28s %6s  %11s  %23s  %19s  %19s  %31s  %13s\n", "", "", "step",
            "delay, ms", "breaks a minute", "the same with", "interrupts late, ms",
            "CPU s a minute"
        printf "%-28s %6s  %5s %5s  %7s %7s %7s  %19s  %19s  %7s %7s %7s %7s  %6s %6s\n",
            "card", "period", "med.", "max", "median", "p99", "max", "idle (1)", "two busy loops (1)",
            "median", "p99", "p99 (2)", "max", "card", "server"
        for (i = 1; i <= n; i++) {
            split(row[i], k, SUBSEP)
            printf "%-28s %6d  %s  %s  %19s  %19s  %s  %s\n", name(k[1]), k[2], step[row[i]],
                delay[row[i], "idle"], broken[row[i], "idle"], broken[row[i], "loaded"],
                late[row[i]], cpu[row[i]]
        }
        printf "\n"
    }
    n = rows_of("curve", row)
    if (n) {
        printf "%-8s %-8s  %23s  %19s  %23s  %19s\n", "", "", "delay idle, ms",
            "breaks a minute", "delay, two busy loops", "breaks a minute"
        printf "%-8s %-8s  %7s %7s %7s  %19s  %7s %7s %7s  %19s\n", "target", "", "median", "p99",
            "max", "(1)", "median", "p99", "max", "(1)"
        for (i = 1; i <= n; i++) {
            split(row[i], k, SUBSEP)
            printf "%5.1f ms %-8s  %s  %19s  %s  %19s\n", k[3] / 1000, name(k[1]),
                delay[row[i], "idle"], broken[row[i], "idle"], delay[row[i], "loaded"],
                broken[row[i], "loaded"]
        }
        printf "\n"
    }
    n = rows_of("soak", row)
    if (n) {
        printf "%-28s %6s  %23s  %19s  %12s  %23s  %19s  %12s\n", "", "", "delay idle, ms",
            "breaks a minute", "stalls, ms", "delay, two busy loops", "breaks a minute",
            "stalls, ms"
        for (i = 1; i <= n; i++) {
            split(row[i], k, SUBSEP)
            printf "%-28s %6d  %s  %19s  %12s  %s  %19s  %12s\n", name(k[1]), k[2],
                delay[row[i], "idle"], broken[row[i], "idle"], stalled[row[i], "idle"],
                delay[row[i], "loaded"], broken[row[i], "loaded"], stalled[row[i], "loaded"]
        }
        printf "\n"
    }
    printf "%s", drift
    print "(1) all / without a stall of the machine just before / and without the sound server having"
    print "    had to wait for a processor.  (2) without interrupts that a stall held up."
}
