/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The form of a saved card: sections, each with a name of four letters, in a
 * frame that shows damage.
 *
 *   magic "qemu-dm\n", version, size of all of it; then for each section its
 *   name, the size of its content, the content; then a CRC-32 of all before it
 *
 * Numbers are little-endian, 32 bits where nothing else is said. Sections may
 * come in any order; one that nobody asks for is passed over.
 *
 * Any thread; nothing is allocated.
 */
#ifndef CARD_SNAPSHOT_H
#define CARD_SNAPSHOT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

/* Writes one. Where the buffer is too small the writer only counts. */
struct snapshot_writer {
    uint8_t *bytes;
    size_t size;
    size_t used;    /* may exceed size */
    size_t section; /* where the content of the open section begins; 0: none is open */
};

void snapshot_begin(struct snapshot_writer *w, void *buffer, size_t size);

/* What follows is the content of the section name (four letters). */
void snapshot_section(struct snapshot_writer *w, const char *name);

/* The lowest bytes (1..8) of value. */
void snapshot_put(struct snapshot_writer *w, uint64_t value, unsigned bytes);

/* Room for bytes of content that somebody else writes; NULL where there is none. */
void *snapshot_room(struct snapshot_writer *w, size_t bytes);

/* The last of that room was not needed. */
void snapshot_give_back(struct snapshot_writer *w, size_t bytes);

/* Returns the size of the whole. If that is above the buffer's, there is nothing to be kept. */
size_t snapshot_end(struct snapshot_writer *w);

/* Reads one. */
struct snapshot {
    const uint8_t *sections;
    size_t size;
};

struct snapshot_section {
    const uint8_t *bytes;
    size_t size;
    bool exhausted; /* more was asked for than there is */
};

/* Whether it is whole, undamaged and of a version that this program reads; if not, err says what to
 * do. The bytes must stay while the snapshot is read. */
bool snapshot_open(struct snapshot *s, const void *bytes, size_t size, struct err *err);

bool snapshot_find(const struct snapshot *s, const char *name, struct snapshot_section *section);

/* The next number of so many bytes (1..8); 0 past the end. */
uint64_t snapshot_get(struct snapshot_section *section, unsigned bytes);

#endif
