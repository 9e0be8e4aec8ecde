# SPDX-License-Identifier: GPL-2.0-or-later
#
# awk -f figures.awk -f judge.awk RAW.jsonl: holds the runs of test_latency.sh to their limits, for
# each period, as TAP.
#
# Of several runs the second best is judged: a busy machine makes some of them worse, never better,
# and one lucky run is not enough. Of breaks the median is: they come by chance. A break, a late
# interrupt or a late frame does not count when the machine stalled just before, and a break not
# either when the sound server was kept waiting for a processor.

{
    period = number("period")
    if (!(period in runs))
        periods[++period_count] = period
    n = ++runs[period]
    value[period, "delay median, ms", n] = number("delay_median_us") / 1000
    value[period, "delay p99, ms", n] = number("delay_quiet_p99_us") / 1000
    value[period, "step, frames", n] = number("step_max")
    value[period, "interrupt lateness p99, ms", n] = number("late_quiet_p99_us") / 1000
    value[period, "breaks", n] = number("inexplicable")
    value[period, "share of the sound that is heard", n] = number("heard_share")
}

# The rank-th least of a period's runs.
function ranked(period, what, rank, n, v, i, j, t)
{
    n = runs[period]
    for (i = 1; i <= n; i++) {
        v[i] = value[period, what, i]
        for (j = i; j > 1 && v[j - 1] > v[j]; j--) {
            t = v[j]
            v[j] = v[j - 1]
            v[j - 1] = t
        }
    }
    return v[rank]
}

function judge(period, what, rank, limit, found)
{
    found = ranked(period, what, rank)
    printf "%s %d - period %d: %s: %.2f, at most %g\n", (found <= limit ? "ok" : "not ok"), ++tests,
        period, what, found, limit
}

END {
    for (p = 1; p <= period_count; p++) {
        period = periods[p]
        middle = int((runs[period] + 1) / 2)
        judge(period, "delay median, ms", 2, 6)
        judge(period, "delay p99, ms", 2, 10)
        judge(period, "step, frames", 2, 8)
        judge(period, "interrupt lateness p99, ms", 2, 0.5)
        judge(period, "breaks", middle, 0)
        found = ranked(period, "share of the sound that is heard", middle)
        printf "%s %d - period %d: %.3f of the sound is heard, at least 0.98\n",
            (found >= 0.98 ? "ok" : "not ok"), ++tests, period, found
    }
    printf "1..%d\n", tests
}
