/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Where the messages are in a stream of QMP: JSON values with nothing certain
 * between them, found by counting brackets outside strings.
 *
 * Nothing is judged here but where a message ends. What cannot be JSON ends
 * where QEMU 7.2 gives up on it (checked against its answers): at a byte that
 * JSON has no use for, a control character in a string, or more than 1024
 * brackets deep. QEMU also takes strings in single quotes.
 *
 * Pure: no system call, no allocation; the text of one message is kept.
 */
#ifndef ENGINE_QMP_STREAM_H
#define ENGINE_QMP_STREAM_H

#include <stdbool.h>
#include <stddef.h>

/* A longer message is found, but not kept. Bytes. */
enum { QMP_MESSAGE_MAX = 64 << 10 };

enum qmp_stream_found {
    QMP_STREAM_NOTHING,  /* this byte ends nothing */
    QMP_STREAM_MESSAGE,  /* it ends a message: the stream's text, size bytes of it */
    QMP_STREAM_ILLEGIBLE /* it ends a message that is too long, or is no object or array */
};

/* All zeros: before the first byte. */
struct qmp_stream {
    char quote; /* that ends the string we are in; 0: in none */
    bool escaped;
    bool stray; /* outside of any message, in something that is none */
    int braces, brackets;
    size_t size; /* of the message so far; above QMP_MESSAGE_MAX, the text is not whole */
    char text[QMP_MESSAGE_MAX];
};

/* The next byte. After an answer other than QMP_STREAM_NOTHING, text and size stay until the next
 * call. */
enum qmp_stream_found qmp_stream_next(struct qmp_stream *s, char byte);

/* Whether the last byte belongs to a message that has not ended, and may still be one to keep. */
bool qmp_stream_within(const struct qmp_stream *s);

#endif
