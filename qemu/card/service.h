/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the card's process does all its life: serve the guest, and its supervisor. */
#ifndef CARD_SERVICE_H
#define CARD_SERVICE_H

#include <stdbool.h>

#include "base/err.h"
#include "card/card.h"

/* Until the supervisor closes its end of the socket control (see card/control.h). The card is
 * plugged in. False with err set where that cannot go on. */
bool service_run(struct card *card, int control, struct err *err);

#endif
