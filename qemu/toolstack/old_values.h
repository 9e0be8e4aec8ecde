/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The values of the old device model's options. For old_line.c and those beside it. */
#ifndef TOOLSTACK_OLD_VALUES_H
#define TOOLSTACK_OLD_VALUES_H

#include "toolstack/old_line.h"

/* Sets *number to text, which is decimal digits alone, from min to max; else false. */
bool old_number(unsigned *number, const char *text, unsigned min, unsigned max);

/* Adds a sentence to a line's or facts' note; what doesn't fit is cut, and it stays one line. */
void old_note(char note[OLD_NOTE_MAX], const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Each reads one value into line; false with err. */
bool old_read_vnc(struct old_line *line, const char *text, struct err *err);
bool old_read_vga(struct old_line *line, const char *text, struct err *err);
bool old_read_boot(struct old_line *line, const char *text, struct err *err);
bool old_read_vcpu_avail(struct old_line *line, const char *text, struct err *err);
bool old_read_memory(struct old_line *line, const char *text, struct err *err);
bool old_read_net(struct old_line *line, const char *text, struct err *err);

/* Never fails: a domain without sound is better than none, and the note says so. */
void old_read_soundhw(struct old_line *line, const char *text);

#endif
