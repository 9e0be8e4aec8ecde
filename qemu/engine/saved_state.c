/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "engine/saved_state.h"

#include <endian.h>
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct footer {
    uint64_t size; /* little endian */
    char magic[8];
};
_Static_assert(sizeof(struct footer) == 16, "as it is in the file");

static const char magic[8] = {'q', 'e', 'm', 'u', '-', 'd', 'm', '1'};

static bool write_all(int fd, const void *bytes, size_t size, off_t at)
{
    const char *from = bytes;

    while (size > 0) {
        ssize_t n = pwrite(fd, from, size, at);

        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n <= 0) {
            errno = n == 0 ? EIO : errno;
            return false;
        }
        from += n;
        at += n;
        size -= (size_t)n;
    }
    return true;
}

static bool read_all(int fd, void *bytes, size_t size, off_t at)
{
    char *to = bytes;

    while (size > 0) {
        ssize_t n = pread(fd, to, size, at);

        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n <= 0) {
            errno = n == 0 ? EIO : errno;
            return false;
        }
        to += n;
        at += n;
        size -= (size_t)n;
    }
    return true;
}

bool saved_state_append(int fd, const void *bytes, size_t size, struct err *err)
{
    struct footer footer = {.size = htole64(size)};
    off_t end = lseek(fd, 0, SEEK_CUR);
    int why;

    memcpy(footer.magic, magic, sizeof(magic));
    if (size > SAVED_STATE_MAX) {
        return err_set(err,
                       "%zu bytes are too many to be put behind the engine's saved state (at "
                       "most %d)",
                       size, SAVED_STATE_MAX);
    }
    /* Cut first: should we be killed on the way, no old footer is taken for ours. */
    if (end >= 0 && ftruncate(fd, end) == 0) {
        if (write_all(fd, bytes, size, end) &&
            write_all(fd, &footer, sizeof(footer), end + (off_t)size)) {
            return true;
        }
        why = errno;
        if (ftruncate(fd, end) < 0) {
            return err_set(err,
                           "cannot write behind the engine's saved state (%s), nor cut it to what "
                           "it was (%s): it may be damaged",
                           strerror(why), strerror(errno));
        }
        errno = why;
    }
    return err_set(err, "cannot write %zu bytes behind the engine's saved state: %s%s", size,
                   strerror(errno),
                   errno == EFBIG    ? " (dm_restrict limits its size)"
                   : errno == ENOSPC ? ". Make room in /var/lib/xen"
                                     : "");
}

bool saved_state_cut(int fd, struct err *err)
{
    off_t end = lseek(fd, 0, SEEK_CUR);

    return (end >= 0 && ftruncate(fd, end) == 0) ||
           err_set(err,
                   "cannot cut off what an older file left behind the engine's saved state: %s",
                   strerror(errno));
}

void *saved_state_read(int fd, size_t *size, struct err *err)
{
    struct footer footer;
    struct stat st;
    uint64_t bytes;
    void *block;
    off_t body;

    *size = 0;
    err->text[0] = '\0';
    if (fstat(fd, &st) < 0) {
        err_set(err, "cannot look into the saved state: %s", strerror(errno));
        return NULL;
    }
    if (!S_ISREG(st.st_mode) || st.st_size < (off_t)sizeof(footer)) {
        return NULL;
    }
    body = st.st_size - (off_t)sizeof(footer);
    if (!read_all(fd, &footer, sizeof(footer), body)) {
        err_set(err, "cannot read the end of the saved state: %s", strerror(errno));
        return NULL;
    }
    if (memcmp(footer.magic, magic, sizeof(magic)) != 0) {
        return NULL;
    }
    bytes = le64toh(footer.size);
    if (bytes > SAVED_STATE_MAX || bytes > (uint64_t)body) {
        err_set(err,
                "the saved state is damaged: it says that %llu of its %lld bytes are the sound "
                "card's. The guest has to start its sound anew",
                (unsigned long long)bytes, (long long)st.st_size);
        return NULL;
    }
    block = malloc(bytes ? bytes : 1);
    if (!block) {
        err_set(err, "no memory for the %llu bytes of the saved sound card",
                (unsigned long long)bytes);
        return NULL;
    }
    if (!read_all(fd, block, bytes, body - (off_t)bytes)) {
        err_set(err, "cannot read the saved sound card: %s", strerror(errno));
        free(block);
        return NULL;
    }
    *size = bytes;
    return block;
}
