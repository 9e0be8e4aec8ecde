/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "toolstack/es1370_option.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "toolstack/audiodevs.h"
#include "toolstack/device_models.h"

/* --- looking for the card --- */

/* Whether this option makes an es1370. */
static bool makes_es1370(bool *makes, const struct option *option)
{
    char *model = NULL;

    *makes = false;
    if (option_is(option, "device") && !option_text_get(option->value, "driver", "driver", &model))
        return false;
    if (option_is(option, "audio") && !option_text_get(option->value, "driver", "model", &model))
        return false;
    if (model)
        *makes = model_is_es1370(model);
    else if (option_is(option, "soundhw"))
        *makes = model_is_es1370(option->value);
    free(model);
    return true;
}

/* Sees to the forms of an es1370 that the rest of this file can't read. */
static bool check_form(const struct option *option, struct err *err)
{
    if (option_is(option, "device") && *option->value == '{' &&
        strcasestr(option->value, "\"es1370\""))
        return err_set(err,
                       "-device %.100s: write it as -device es1370,KEY=VALUE,... instead of JSON",
                       option->value);
    if (option_is(option, "soundhw") && strcasestr(option->value, "es1370") &&
        !model_is_es1370(option->value))
        return err_set(err, "-soundhw %.100s: one sound card at a time; write -soundhw es1370",
                       option->value);
    return true;
}

bool es1370_find(struct option **card, struct option *options, size_t count, struct err *err)
{
    *card = NULL;
    for (size_t i = 0; i < count; i++) {
        struct option *option = &options[i];
        bool makes;

        if (!check_form(option, err))
            return false;
        if (!makes_es1370(&makes, option))
            return option_no_memory(err);
        if (makes && *card)
            return err_set(err,
                           "-%s %.100s: a second es1370; xl's soundhw=\"es1370\" already "
                           "makes one, so leave the other out",
                           option->name, option->value);
        if (makes)
            *card = option;
    }
    return true;
}

/* --- the card's place --- */

/* The card's own addr= and bus=; *has_address says whether there is an address. */
static bool read_own_address(uint8_t *slot, bool *has_address, const char *text, struct err *err)
{
    char *addr = NULL, *bus = NULL;
    unsigned number, function;
    bool ok = true;

    *has_address = false;
    if (!option_text_get(text, "driver", "addr", &addr) ||
        !option_text_get(text, "driver", "bus", &bus)) {
        ok = option_no_memory(err);
    } else if (bus && strcmp(bus, "pci.0") != 0) {
        ok = err_set(err, "-device %.100s: the sound card sits on bus pci.0 only; leave bus= out",
                     text);
    } else if (addr && (!pci_address_parse(addr, &number, &function) || number < 2 || function)) {
        ok = err_set(err,
                     "-device %.100s: addr= must be a free PCI device number from 0x2 to 0x1f, "
                     "without a function",
                     text);
    } else if (addr) {
        *has_address = true;
        *slot = (uint8_t)number;
    }
    free(addr);
    free(bus);
    return ok;
}

bool es1370_place(uint8_t *slot, char **doubt, const struct machine *machine,
                  const struct option *options, size_t count, const struct option *card,
                  struct err *err)
{
    bool is_device = option_is(card, "device");
    bool has_address = false;

    *doubt = NULL;
    if (is_device && !read_own_address(slot, &has_address, card->value, err))
        return false;
    return has_address ||
           pci_slot_for_card(slot, doubt, machine, options, count, is_device ? card : NULL, err);
}

/* --- what the engine sees of it --- */

/* The card's own id; NULL: none. */
static bool read_own_id(char **id, const struct option *card)
{
    *id = NULL;
    return !option_is(card, "device") || option_text_get(card->value, "driver", "id", id);
}

bool es1370_id(char **id, const struct option *card)
{
    return read_own_id(id, card) && (*id || (*id = strdup(CARD_ID)));
}

/* The engine's own ES1370: it keeps the slot, so that what is plugged in later goes elsewhere and
 * a saved domain is the same with and without us. It plays nothing; the guest never sees it, but
 * where our card is given up. */
static bool add_slot_holder(struct arguments *arguments, const struct option *card, uint8_t slot)
{
    static const char *const ours[] = {"driver", "addr", "audiodev", NULL};
    char *properties =
        option_is(card, "device") ? option_text_without(card->value, "driver", ours) : strdup("");
    char *id = NULL;
    bool ok = properties && read_own_id(&id, card) && arguments_add(arguments, "-audiodev") &&
              arguments_add(arguments, "none,id=" SILENT_AUDIODEV_ID) &&
              arguments_add(arguments, "-device") &&
              arguments_add_made(arguments, "es1370%s%s%s,addr=0x%02x,audiodev=%s",
                                 id ? "" : ",id=" CARD_ID, *properties ? "," : "", properties, slot,
                                 SILENT_AUDIODEV_ID);

    free(id);
    free(properties);
    return ok;
}

bool es1370_replace(struct arguments *head, struct option *card, uint8_t slot,
                    const char *shared_audiodev, struct err *err)
{
    struct arguments *place = option_is(card, "device") ? &card->instead : head;
    bool ok = add_slot_holder(place, card, slot);

    card->changed = true;
    if (ok && option_is(card, "audio") && shared_audiodev)
        ok = arguments_add(&card->instead, "-audiodev") &&
             arguments_add(&card->instead, shared_audiodev);
    return ok || option_no_memory(err);
}
