# SPDX-License-Identifier: GPL-2.0-or-later
#
# What report.awk and draw.awk share: the figures of one line that `measure --json` wrote.

function number(key, s)
{
    if (!match($0, "\"" key "\":-?[0-9.e+-]+"))
        return 0
    s = substr($0, RSTART, RLENGTH)
    sub(/^[^:]*:/, "", s)
    return s + 0
}

function text(key, s)
{
    if (!match($0, "\"" key "\":\"[^\"]*\""))
        return ""
    s = substr($0, RSTART, RLENGTH - 1)
    sub(/^[^:]*:"/, "", s)
    return s
}

# A list of numbers, into into[1..]; returns how many.
function list(key, into, s)
{
    if (!match($0, "\"" key "\":\\[[^]]*\\]"))
        return 0
    s = substr($0, RSTART, RLENGTH - 1)
    sub(/^[^[]*\[/, "", s)
    return split(s, into, ",")
}

# A label is KIND:NAME: what it was measured for, and what it is called in the tables.
function kind(label)
{
    sub(/:.*/, "", label)
    return label
}

function name(label)
{
    sub(/^[^:]*:/, "", label)
    return label
}
