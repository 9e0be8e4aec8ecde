/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef TOOLSTACK_DEVICE_MODELS_H
#define TOOLSTACK_DEVICE_MODELS_H

#include <stdbool.h>

enum model_bus { MODEL_ON_PCI, MODEL_ELSEWHERE, MODEL_UNKNOWN };

/* Which bus a model of QEMU's -device sits on. */
enum model_bus model_bus(const char *model);

/* Whether this model replaces the display that QEMU would add without -nodefaults. */
bool model_is_display(const char *model);

/* The models of -device that play, and so have a property audiodev; NULL after the last. */
const char *model_that_plays(unsigned number);

/* Whether this is one of those; any case. */
bool model_plays(const char *model);

/* The -device models, ended by NULL, that make the sound card of this name for -soundhw or -audio
 * model=; NULL: there is none. */
const char *const *model_devices(const char *name);

/* Whether this is the ES1370; any case. */
bool model_is_es1370(const char *model);

#endif
