/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * qemu-dm --status: what is heard, for a person or a program to see. Needs
 * neither Xen nor a sound server, and asks nothing of the cards.
 */
#ifndef CARD_STATUS_H
#define CARD_STATUS_H

#include <stdbool.h>
#include <stdio.h>
#include <time.h>

#include "card/status_view.h"

/* The program from here on, as main: the command line is --status [--watch] [--json] [DOMAIN], in
 * any order. Returns the exit status: 0; 1 there is nothing to show; 2 the command line is wrong.
 */
int status_main(int argc, char *argv[]);

/* The card in lines of at most 80 columns (a long name may need more), in the local time. */
void status_print_text(FILE *to, const struct card_view *card);

/* One object of JSON with all cards, at the time given (seconds since 1970), and a line feed; on
 * one line, or with a line for each value. False: no memory. qemu-dm(8) says what it holds. */
bool status_print_json(FILE *to, const struct status_views *views, time_t now, bool one_line);

#endif
