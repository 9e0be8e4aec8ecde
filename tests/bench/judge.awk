# SPDX-License-Identifier: GPL-2.0-or-later
#
# awk -f figures.awk -f judge.awk RAW.jsonl: holds the runs of test_latency.sh to their limits, for
# each driver and period, as TAP.
#
# Of several runs the second best is judged: a busy machine makes some of them worse, never better,
# and one lucky run is not enough. Of breaks the median is: they come by chance. A break, a late
# interrupt or a late frame does not count when the machine stalled just before, and a break not
# either when the sound server was kept waiting for a processor.

# What they are held to: the goals, with a margin for the machine. Interrupts do not depend on the
# driver; but a clock that works off an excess is slow by a hundredth, which is taken for lateness of
# a millisecond.
BEGIN {
    median["pa"] = 6
    late["pa"] = 0.5
    median["alsa"] = median["pipewire"] = 7
    late["alsa"] = late["pipewire"] = 1.5
}

{
    driver = text("audiodev")
    sub(/,.*/, "", driver)
    key = driver ", period " number("period")
    if (!(key in runs)) {
        keys[++key_count] = key
        driver_of[key] = driver
    }
    n = ++runs[key]
    value[key, "delay median, ms", n] = number("delay_median_us") / 1000
    value[key, "delay p99, ms", n] = number("delay_quiet_p99_us") / 1000
    value[key, "step, frames", n] = number("step_max")
    value[key, "interrupt lateness p99, ms", n] = number("late_quiet_p99_us") / 1000
    value[key, "breaks", n] = number("inexplicable")
    value[key, "share of the sound that is heard", n] = number("heard_share")
}

# The rank-th least of the runs with a driver and a period.
function ranked(key, what, rank, n, v, i, j, t)
{
    n = runs[key]
    for (i = 1; i <= n; i++) {
        v[i] = value[key, what, i]
        for (j = i; j > 1 && v[j - 1] > v[j]; j--) {
            t = v[j]
            v[j] = v[j - 1]
            v[j - 1] = t
        }
    }
    return v[rank]
}

function judge(key, what, rank, limit, found)
{
    found = ranked(key, what, rank)
    printf "%s %d - %s: %s: %.2f, at most %g\n", (found <= limit ? "ok" : "not ok"), ++tests, key,
        what, found, limit
}

END {
    for (k = 1; k <= key_count; k++) {
        key = keys[k]
        middle = int((runs[key] + 1) / 2)
        judge(key, "delay median, ms", 2, median[driver_of[key]])
        judge(key, "delay p99, ms", 2, median[driver_of[key]] + 4)
        judge(key, "step, frames", 2, 8)
        judge(key, "interrupt lateness p99, ms", 2, late[driver_of[key]])
        judge(key, "breaks", middle, 0)
        found = ranked(key, "share of the sound that is heard", middle)
        printf "%s %d - %s: %.3f of the sound is heard, at least 0.98\n",
            (found >= 0.98 ? "ok" : "not ok"), ++tests, key, found
    }
    printf "1..%d\n", tests
}
