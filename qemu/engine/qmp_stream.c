/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "engine/qmp_stream.h"

enum { DEEPEST = 1024 };

static bool outside(const struct qmp_stream *s)
{
    return s->braces == 0 && s->brackets == 0;
}

static void keep(struct qmp_stream *s, char byte)
{
    if (s->size < QMP_MESSAGE_MAX) {
        s->text[s->size] = byte;
    }
    if (s->size <= QMP_MESSAGE_MAX) {
        s->size++;
    }
}

/* The text stays for the caller. */
static enum qmp_stream_found end(struct qmp_stream *s, enum qmp_stream_found found)
{
    s->braces = 0;
    s->brackets = 0;
    s->quote = 0;
    s->escaped = false;
    return s->size > QMP_MESSAGE_MAX ? QMP_STREAM_ILLEGIBLE : found;
}

static enum qmp_stream_found in_string(struct qmp_stream *s, char byte)
{
    unsigned char value = (unsigned char)byte;

    if (value < 0x20 || value > 0xfd) {
        return end(s, QMP_STREAM_ILLEGIBLE);
    }
    if (s->escaped) {
        s->escaped = false;
    } else if (byte == '\\') {
        s->escaped = true;
    } else if (byte == s->quote) {
        s->quote = 0;
        if (outside(s)) {
            return end(s, QMP_STREAM_ILLEGIBLE);
        }
    }
    return QMP_STREAM_NOTHING;
}

static enum qmp_stream_found bracket(struct qmp_stream *s, int *count, int step)
{
    *count += step;
    if (*count < 0 || s->braces + s->brackets > DEEPEST) {
        return end(s, QMP_STREAM_ILLEGIBLE);
    }
    return outside(s) ? end(s, QMP_STREAM_MESSAGE) : QMP_STREAM_NOTHING;
}

/* In numbers, true, false and null, and between them. */
static bool belongs_in_json(char byte)
{
    return (byte >= 'a' && byte <= 'z') || (byte >= '0' && byte <= '9') || byte == 'E' ||
           byte == '+' || byte == '-' || byte == '.' || byte == ',' || byte == ':';
}

enum qmp_stream_found qmp_stream_next(struct qmp_stream *s, char byte)
{
    bool was_stray = s->stray;

    if (outside(s) && !s->quote) {
        s->size = 0;
    }
    keep(s, byte);
    if (s->quote) {
        return in_string(s, byte);
    }
    s->stray = false;
    switch (byte) {
    case ' ':
    case '\t':
    case '\r':
    case '\n':
        return QMP_STREAM_NOTHING;
    case '"':
    case '\'':
        s->quote = byte;
        return QMP_STREAM_NOTHING;
    case '{':
        return bracket(s, &s->braces, 1);
    case '}':
        return bracket(s, &s->braces, -1);
    case '[':
        return bracket(s, &s->brackets, 1);
    case ']':
        return bracket(s, &s->brackets, -1);
    default:
        if (!outside(s)) {
            return belongs_in_json(byte) ? QMP_STREAM_NOTHING : end(s, QMP_STREAM_ILLEGIBLE);
        }
        /* A run of such bytes is told once. */
        s->stray = true;
        return was_stray ? QMP_STREAM_NOTHING : QMP_STREAM_ILLEGIBLE;
    }
}

bool qmp_stream_within(const struct qmp_stream *s)
{
    return (!outside(s) || s->quote) && s->size <= QMP_MESSAGE_MAX;
}
