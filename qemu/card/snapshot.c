/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "card/snapshot.h"

#include <string.h>

#include <zlib.h>

enum {
    VERSION = 1,
    MAGIC_BYTES = 8,
    NAME_BYTES = 4,
    FRONT_BYTES = MAGIC_BYTES + 4 + 4, /* magic, version, size */
    SECTION_BYTES = NAME_BYTES + 4,    /* name, size */
    CRC_BYTES = 4,
};

static const uint8_t magic[MAGIC_BYTES] = {'q', 'e', 'm', 'u', '-', 'd', 'm', '\n'};

static void put_number(uint8_t *to, uint64_t value, unsigned bytes)
{
    for (unsigned i = 0; i < bytes; i++) {
        to[i] = (uint8_t)(value >> (8 * i));
    }
}

static uint64_t get_number(const uint8_t *from, unsigned bytes)
{
    uint64_t value = 0;

    for (unsigned i = 0; i < bytes; i++) {
        value |= (uint64_t)from[i] << (8 * i);
    }
    return value;
}

static uint32_t checksum(const uint8_t *bytes, size_t size)
{
    return (uint32_t)crc32_z(crc32_z(0, NULL, 0), bytes, size);
}

void *snapshot_room(struct snapshot_writer *w, size_t bytes)
{
    size_t at = w->used;

    w->used += bytes;
    return w->used <= w->size ? w->bytes + at : NULL;
}

void snapshot_give_back(struct snapshot_writer *w, size_t bytes)
{
    w->used -= bytes;
}

void snapshot_put(struct snapshot_writer *w, uint64_t value, unsigned bytes)
{
    uint8_t *to = snapshot_room(w, bytes);

    if (to) {
        put_number(to, value, bytes);
    }
}

static void put_bytes(struct snapshot_writer *w, const void *bytes, size_t count)
{
    void *to = snapshot_room(w, count);

    if (to) {
        memcpy(to, bytes, count);
    }
}

static void put_back(struct snapshot_writer *w, size_t at, uint64_t value)
{
    if (w->used <= w->size) {
        put_number(w->bytes + at, value, 4);
    }
}

void snapshot_begin(struct snapshot_writer *w, void *buffer, size_t size)
{
    *w = (struct snapshot_writer){.bytes = buffer, .size = size};
    put_bytes(w, magic, MAGIC_BYTES);
    snapshot_put(w, VERSION, 4);
    snapshot_put(w, 0, 4); /* the size: known at the end */
}

static void close_section(struct snapshot_writer *w)
{
    if (w->section) {
        put_back(w, w->section - 4, w->used - w->section);
    }
}

void snapshot_section(struct snapshot_writer *w, const char *name)
{
    close_section(w);
    put_bytes(w, name, NAME_BYTES);
    snapshot_put(w, 0, 4);
    w->section = w->used;
}

size_t snapshot_end(struct snapshot_writer *w)
{
    close_section(w);
    put_back(w, FRONT_BYTES - 4, w->used + CRC_BYTES);
    snapshot_put(w, w->used <= w->size ? checksum(w->bytes, w->used) : 0, CRC_BYTES);
    return w->used;
}

/* The section that begins at offset at of the sections, and where the next does. */
static bool read_section(const struct snapshot *s, size_t at, struct snapshot_section *section,
                         size_t *next)
{
    if (s->size - at < SECTION_BYTES) {
        return false;
    }
    section->bytes = s->sections + at + SECTION_BYTES;
    section->size = get_number(s->sections + at + NAME_BYTES, 4);
    section->exhausted = false;
    *next = at + SECTION_BYTES + section->size;
    return section->size <= s->size - at - SECTION_BYTES;
}

static bool sections_fit(const struct snapshot *s)
{
    struct snapshot_section section;
    size_t at = 0;

    while (at < s->size) {
        if (!read_section(s, at, &section, &at)) {
            return false;
        }
    }
    return true;
}

bool snapshot_open(struct snapshot *s, const void *bytes, size_t size, struct err *err)
{
    static const char advice[] = "restore from another copy, or boot the guest anew";
    const uint8_t *at = bytes;
    uint32_t version;

    if (size < FRONT_BYTES + CRC_BYTES || memcmp(at, magic, MAGIC_BYTES) != 0) {
        return err_set(err, "this is no saved sound card: %s", advice);
    }
    if (get_number(at + FRONT_BYTES - 4, 4) != size) {
        return err_set(err, "the saved sound card has %zu bytes instead of %u: %s", size,
                       (unsigned)get_number(at + FRONT_BYTES - 4, 4), advice);
    }
    if (get_number(at + size - CRC_BYTES, CRC_BYTES) != checksum(at, size - CRC_BYTES)) {
        return err_set(err, "the saved sound card is damaged, its checksum is wrong: %s", advice);
    }
    version = (uint32_t)get_number(at + MAGIC_BYTES, 4);
    if (version != VERSION) {
        return err_set(err,
                       "the saved sound card is of version %u, this program reads version %d: "
                       "restore it with the qemu-dm that saved it",
                       (unsigned)version, VERSION);
    }
    *s = (struct snapshot){.sections = at + FRONT_BYTES, .size = size - FRONT_BYTES - CRC_BYTES};
    if (!sections_fit(s)) {
        return err_set(err, "the saved sound card has sections that do not fit: %s", advice);
    }
    return true;
}

bool snapshot_find(const struct snapshot *s, const char *name, struct snapshot_section *section)
{
    size_t at = 0, next;

    while (at < s->size && read_section(s, at, section, &next)) {
        if (memcmp(s->sections + at, name, NAME_BYTES) == 0) {
            return true;
        }
        at = next;
    }
    return false;
}

uint64_t snapshot_get(struct snapshot_section *section, unsigned bytes)
{
    uint64_t value;

    if (section->size < bytes) {
        section->exhausted = true;
        return 0;
    }
    value = get_number(section->bytes, bytes);
    section->bytes += bytes;
    section->size -= bytes;
    return value;
}
