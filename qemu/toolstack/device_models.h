/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef TOOLSTACK_DEVICE_MODELS_H
#define TOOLSTACK_DEVICE_MODELS_H

#include <stdbool.h>

enum model_bus { MODEL_ON_PCI, MODEL_ELSEWHERE, MODEL_UNKNOWN };

/* Which bus a model of QEMU's -device sits on. */
enum model_bus model_bus(const char *model);

/* Whether this model replaces the display that QEMU would add without -nodefaults. */
bool model_is_display(const char *model);

/* Whether this is a sound card, by its name for -device, -soundhw or -audio model=; any case. */
bool model_is_sound(const char *model);

/* Whether this is the ES1370; any case. */
bool model_is_es1370(const char *model);

#endif
