# SPDX-License-Identifier: GPL-2.0-or-later
#
# awk -f figures.awk -f draw.awk -v driver=NAME RAW.jsonl > SVG: above, how the delays of the idle
# runs ("grid:") are distributed; below, breaks against delay ("curve:"), idle and beside two busy
# loops.

function esc(s)
{
    gsub(/&/, "\\&amp;", s)
    gsub(/</, "\\&lt;", s)
    return s
}

function put(x, y, anchor, class, s)
{
    out = out sprintf("<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"%s\" class=\"%s\">%s</text>\n", x,
        y, anchor, class, esc(s))
}

function line(x1, y1, x2, y2, style)
{
    out = out sprintf("<path d=\"M%.1f %.1fL%.1f %.1f\" style=\"%s\"/>\n", x1, y1, x2, y2, style)
}

# Milliseconds to the logarithmic axis, from least to most.
function at_ms(v)
{
    v = v < least ? least : v > most ? most : v
    return left + (right - left) * log(v / least) / log(most / least)
}

# Breaks a minute: 0 at the bottom, then logarithmic from 1 to 10000.
function at_breaks(v)
{
    if (v < 1)
        return bottom - 30 * v
    return bottom - 30 - (bottom - 30 - top) * log(v > 10000 ? 10000 : v) / log(10000)
}

function axis(y0, y1, label, n, marks, i)
{
    n = split("0.5 1 2 5 10 20 50 100 200 500", marks, " ")
    for (i = 1; i <= n; i++) {
        if (marks[i] < least || marks[i] > most)
            continue
        line(at_ms(marks[i]), y0, at_ms(marks[i]), y1, "stroke:#ddd")
        put(at_ms(marks[i]), y1 + 16, "middle", "small", marks[i])
    }
    put((left + right) / 2, y1 + 34, "middle", "small", label)
}

function colour(contender)
{
    return contender == "ours" ? "#0072b2" : contender == "qemu" ? "#d55e00" : "#777"
}

BEGIN {
    left = 250
    right = 880
    y = 70
}

kind(text("label")) == "grid" && number("hogs") == 0 && list("delays_us", q) == 101 {
    strips++
    what[strips] = name(text("label")) ", period " number("period")
    strip_colour[strips] = colour(text("contender"))
    for (i = 0; i <= 100; i++)
        quantile[strips, i] = q[i + 1] / 1000
    minutes = number("seconds") / 60
    note[strips] = sprintf("%d", number("breaks") / minutes + 0.5)
}

kind(text("label")) == "curve" && !text("failed") {
    series = text("contender") SUBSEP (number("hogs") > 0)
    n = ++points[series]
    point_x[series, n] = number("delay_median_us") / 1000
    point_y[series, n] = number("breaks") * 60 / number("seconds")
    point_target[series, n] = number("target_us") / 1000
    curves++
}

END {
    put(30, 30, "start", "title", "From the guest's position to the sink's monitor: " driver)
    put(30, 48, "start", "small", "idle; the line is all of it, the box 1 to 99 %, the mark the median")
    put(985, 48, "end", "small", "breaks a minute")
    start = y
    least = 0.5
    most = 500
    for (s = 1; s <= strips; s++) {
        if (s > 1 && strip_colour[s] what[s] != "" && group(what[s]) != group(what[s - 1]))
            y += 8
        row_y[s] = y + 9
        y += 18
    }
    axis(start, y, "delay, ms")
    for (s = 1; s <= strips; s++) {
        c = strip_colour[s]
        put(left - 10, row_y[s] + 4, "end", "small", what[s])
        line(at_ms(quantile[s, 0]), row_y[s], at_ms(quantile[s, 100]), row_y[s], "stroke:" c)
        out = out sprintf("<rect x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"10\" fill=\"%s\" fill-opacity=\"0.45\"/>\n",
            at_ms(quantile[s, 1]), row_y[s] - 5, at_ms(quantile[s, 99]) - at_ms(quantile[s, 1]) + 1, c)
        line(at_ms(quantile[s, 50]), row_y[s] - 7, at_ms(quantile[s, 50]), row_y[s] + 7,
            "stroke:" c ";stroke-width:3")
        put(975, row_y[s] + 4, "end", "small", note[s])
    }
    height = y + 50
    if (curves) {
        least = 1
        most = 50
        top = height + 60
        bottom = top + 360
        put(30, top - 38, "start", "title", "Breaks against delay")
        put(30, top - 20, "start", "small", "each point is labelled with the latency asked for, in ms; lower and further left is better")
        axis(top, bottom, "delay, median, ms")
        for (v = 0; v <= 10000; v = v ? v * 10 : 1) {
            line(left, at_breaks(v), right, at_breaks(v), "stroke:#ddd")
            put(left - 10, at_breaks(v) + 4, "end", "small", v)
        }
        put(left - 60, (top + bottom) / 2 - 8, "end", "small", "breaks")
        put(left - 60, (top + bottom) / 2 + 8, "end", "small", "a minute")
        legend = top + 20
        for (i = 1; i <= split("ours 0,ours 1,qemu 0,qemu 1,floor 0,floor 1", order, ","); i++) {
            split(order[i], o, " ")
            series = o[1] SUBSEP o[2]
            c = colour(o[1])
            dash = o[2] ? ";stroke-dasharray:5 4" : ""
            title = (o[1] == "ours" ? "this card" : o[1] == "qemu" ? "QEMU's ES1370" : \
                "minimal realtime writer") (o[2] ? ", two busy loops" : ", idle")
            line(right - 270, legend - 4, right - 240, legend - 4, "stroke-width:2;stroke:" c dash)
            put(right - 232, legend, "start", "small", title)
            legend += 18
            path = ""
            for (n = 1; n <= points[series]; n++) {
                px = at_ms(point_x[series, n])
                py = at_breaks(point_y[series, n])
                path = path sprintf("%s%.1f %.1f", n == 1 ? "M" : "L", px, py)
                out = out sprintf("<circle cx=\"%.1f\" cy=\"%.1f\" r=\"3.5\" fill=\"%s\"/>\n", px, py, c)
                # Where points of several lie together, one label above the other.
                put(px + 5, py - (o[1] == "ours" ? 28 : o[1] == "qemu" ? 17 : 6), "start",
                    "tiny\" style=\"fill:" c, point_target[series, n])
            }
            if (path)
                out = out sprintf("<path d=\"%s\" style=\"fill:none;stroke-width:2;stroke:%s%s\"/>\n",
                    path, c, dash)
        }
        height = bottom + 60
    }
    printf "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"1000\" height=\"%d\" viewBox=\"0 0 1000 %d\">\n", height, height
    print "<style>text{font-family:sans-serif;fill:#222}.title{font-size:17px;font-weight:bold}"
    print ".small{font-size:12px}.tiny{font-size:10px}</style>"
    print "<rect width=\"100%\" height=\"100%\" fill=\"#fff\"/>"
    printf "%s</svg>\n", out
}

function group(s)
{
    sub(/, period.*/, "", s)
    return s
}
