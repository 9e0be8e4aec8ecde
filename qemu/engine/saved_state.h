/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What is ours in the engine's save file: behind QEMU's end marker, where QEMU
 * never looks, and found from the end.
 *
 *     QEMU's state | our bytes | their number (8 bytes, little endian) | magic (8 bytes)
 *
 * libxl copies the whole file to the restored domain, whatever is in it.
 * Functions of no state; any thread.
 */
#ifndef ENGINE_SAVED_STATE_H
#define ENGINE_SAVED_STATE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

/* More cannot be appended, and a file that claims more is damaged. */
enum { SAVED_STATE_MAX = 16 << 20 };

/* Writes size bytes (at most SAVED_STATE_MAX) at fd's offset, which stays; libxl opens the file
 * without emptying it, so what an older, longer one left behind is cut off. False with err set: the
 * file is then QEMU's alone again. Under dm_restrict libxl limits files to 256 KiB
 * (RLIMIT_FSIZE): whoever calls this ignores SIGXFSZ, or is killed by it. */
bool saved_state_append(int fd, const void *bytes, size_t size, struct err *err);

/* The file ends at fd's offset: where nothing is appended, an older, longer file's end is not to be
 * taken for this one's. False with err set. */
bool saved_state_cut(int fd, struct err *err);

/* With pread only: fd's offset stays where the engine will begin. Returns a block to be freed, of
 * *size bytes. NULL with *size 0 and err->text empty: there is none (a stock device model's file,
 * or a stream that has no end to look from). NULL with err set: there is one but it cannot be read.
 */
void *saved_state_read(int fd, size_t *size, struct err *err);

#endif
