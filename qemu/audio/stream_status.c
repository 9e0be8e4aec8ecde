/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "audio/stream_status.h"

#include <string.h>

/* A reader that comes at a bad time looks again so often. */
enum { READ_ATTEMPTS = 16 };

/*
 * Each word is stored with release and loaded with acquire: so whoever sees one
 * of a change also sees that the change has begun, by the odd number before it
 * or by what that has become since.
 */
void status_text_set(struct status_text *t, const char *text)
{
    uint32_t changes = status_get(&t->changes);
    char padded[STATUS_TEXT_BYTES] = "";

    memcpy(padded, text, strnlen(text, sizeof(padded) - 1));
    status_set(&t->changes, changes | 1);
    for (unsigned i = 0; i < STATUS_TEXT_WORDS; i++) {
        uint64_t word;

        memcpy(&word, padded + sizeof(word) * i, sizeof(word));
        atomic_store_explicit(&t->words[i], word, memory_order_release);
    }
    atomic_store_explicit(&t->changes, (changes | 1) + 1, memory_order_release);
}

bool status_text_get(const struct status_text *t, char text[STATUS_TEXT_BYTES])
{
    for (unsigned attempt = 0; attempt < READ_ATTEMPTS; attempt++) {
        uint32_t before = atomic_load_explicit(&t->changes, memory_order_acquire);

        for (unsigned i = 0; i < STATUS_TEXT_WORDS; i++) {
            uint64_t word = atomic_load_explicit(&t->words[i], memory_order_acquire);

            memcpy(text + sizeof(word) * i, &word, sizeof(word));
        }
        if (before % 2 == 0 && status_get(&t->changes) == before) {
            text[STATUS_TEXT_BYTES - 1] = '\0';
            return true;
        }
    }
    text[0] = '\0';
    return false;
}
