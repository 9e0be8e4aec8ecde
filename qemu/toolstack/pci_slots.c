/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "toolstack/pci_slots.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "toolstack/device_models.h"

#define SLOT_COUNT 32

static bool value_is_off(const char *value)
{
    static const char *const off[] = {"off", "no", "false", "n"};

    for (size_t i = 0; i < sizeof(off) / sizeof(off[0]); i++) {
        if (strcmp(value, off[i]) == 0)
            return true;
    }
    return false;
}

/* --- the machine --- */

static bool set_machine_kind(struct machine *machine, const char *type, struct err *err)
{
    if (strcmp(type, "xenfv") == 0 || strncmp(type, "xenfv-", 6) == 0) {
        machine->kind = MACHINE_XENFV;
    } else if (strcmp(type, "pc") == 0 || strncmp(type, "pc-i440fx-", 10) == 0) {
        machine->kind = MACHINE_PC;
    } else if (strcmp(type, "none") == 0 || strcmp(type, "help") == 0 || strcmp(type, "?") == 0) {
        machine->kind = MACHINE_NONE;
    } else {
        return err_set(err,
                       "-machine %.100s: the sound card fits the machines xenfv and pc, which xl "
                       "uses for type=\"hvm\"; leave es1370 out for any other",
                       type);
    }
    return true;
}

bool machine_read(struct machine *machine, const struct option *options, size_t count,
                  struct err *err)
{
    char *type = NULL; /* of the last one, which is the one that counts */
    bool ok = true;

    *machine = (struct machine){.kind = MACHINE_PC};
    for (size_t i = 0; ok && i < count; i++) {
        const struct option *option = &options[i];
        bool is_machine = option_is(option, "machine") || option_is(option, "M");
        char *this_type = NULL, *igd = NULL;

        if (!is_machine && !option_is(option, "accel"))
            continue;
        if (!option_text_get(option->value, "type", "type", &this_type) ||
            !option_text_get(option->value, "type", "igd-passthru", &igd))
            ok = option_no_memory(err);
        if (igd)
            machine->igd_passthru = !value_is_off(igd);
        if (is_machine && this_type) {
            free(type);
            type = this_type;
            this_type = NULL;
        }
        free(this_type);
        free(igd);
    }
    if (ok && type)
        ok = set_machine_kind(machine, type, err);
    free(type);
    return ok;
}

/* --- addresses --- */

static bool read_hex(const char **text, unsigned limit, unsigned *value)
{
    const char digits[] = "0123456789abcdefABCDEF";
    char *end;
    unsigned long number;

    if (!**text || !strchr(digits, **text))
        return false; /* strtoul would take a sign or a blank */
    number = strtoul(*text, &end, 16);
    if (number >= limit)
        return false;
    *text = end;
    *value = (unsigned)number;
    return true;
}

bool pci_address_parse(const char *text, unsigned *slot, unsigned *function)
{
    *function = 0;
    if (!read_hex(&text, SLOT_COUNT, slot))
        return false;
    if (*text == '.') {
        text++;
        if (!read_hex(&text, 8, function))
            return false;
    }
    return *text == '\0';
}

/* --- who takes which number --- */

/* Returns SLOT_COUNT if all are taken. */
static unsigned take_lowest(uint32_t *taken)
{
    unsigned slot = 0;

    while (slot < SLOT_COUNT && (*taken & UINT32_C(1) << slot))
        slot++;
    if (slot < SLOT_COUNT)
        *taken |= UINT32_C(1) << slot;
    return slot;
}

/* A device with the properties in text (which may be NULL) takes a number. QEMU looks at function 0
 * alone when it searches for a free one. */
static bool take(uint32_t *taken, const char *text, struct err *err)
{
    unsigned slot, function;
    char *addr = NULL;

    if (text && !option_text_get(text, "driver", "addr", &addr))
        return option_no_memory(err);
    if (!addr || !pci_address_parse(addr, &slot, &function))
        take_lowest(taken);
    else if (function == 0)
        *taken |= UINT32_C(1) << slot;
    free(addr);
    return true;
}

/* The display adapter of -vga, or the one that QEMU adds by itself. */
static bool take_display(uint32_t *taken, const struct option *options, size_t count,
                         struct err *err)
{
    const char *vga = NULL;
    bool replaced = false;

    for (size_t i = 0; i < count; i++) {
        const struct option *option = &options[i];

        if (option->name && strcmp(option->name, "nodefaults") == 0)
            replaced = true;
        if (option_is(option, "vga"))
            vga = option->value;
        if (option_is(option, "device")) {
            char *model;

            if (!option_text_get(option->value, "driver", "driver", &model))
                return option_no_memory(err);
            replaced = replaced || (model && model_is_display(model));
            free(model);
        }
    }
    if (vga ? strcmp(vga, "none") != 0 && strcmp(vga, "xenfb") != 0 : !replaced)
        take_lowest(taken);
    return true;
}

/* One -net or -nic. */
static bool take_network_card(uint32_t *taken, const struct option *option, struct err *err)
{
    char *kind, *model = NULL;
    bool ok = option_text_get(option->value, "type", "type", &kind) &&
              option_text_get(option->value, "type", "model", &model);

    if (!ok) {
        option_no_memory(err);
    } else if (kind && strcmp(kind, "none") != 0 &&
               (option_is(option, "nic") || strcmp(kind, "nic") == 0) &&
               !(model && strcmp(model, "ne2k_isa") == 0)) {
        ok = take(taken, option->value, err);
    }
    free(kind);
    free(model);
    return ok;
}

/* The cards of -net and -nic, or the one that QEMU adds by itself. */
static bool take_network(uint32_t *taken, const struct option *options, size_t count,
                         struct err *err)
{
    bool add_default = true;

    for (size_t i = 0; i < count; i++) {
        const struct option *option = &options[i];

        if (option->name && strcmp(option->name, "nodefaults") == 0)
            add_default = false;
        if (option_is(option, "netdev"))
            add_default = false;
        if (option_is(option, "net") || option_is(option, "nic")) {
            add_default = false;
            if (!take_network_card(taken, option, err))
                return false;
        }
    }
    if (add_default)
        take_lowest(taken);
    return true;
}

/* One -device. Sets *unknown to its model, to be freed, if that is not known and *unknown is not
 * set yet. */
static bool take_device(uint32_t *taken, const char *text, char **unknown, struct err *err)
{
    char *model = NULL, *bus = NULL;
    enum model_bus on = MODEL_ELSEWHERE;
    bool ok = true;

    if (*text == '{')
        return true; /* QEMU makes those in JSON after all others */
    if (!option_text_get(text, "driver", "driver", &model) ||
        !option_text_get(text, "driver", "bus", &bus))
        ok = option_no_memory(err);
    if (ok && model && (!bus || strcmp(bus, "pci.0") == 0))
        on = model_bus(model);
    if (on != MODEL_ELSEWHERE)
        ok = take(taken, text, err);
    if (on == MODEL_UNKNOWN && !*unknown) {
        *unknown = model;
        model = NULL;
    }
    free(model);
    free(bus);
    return ok;
}

/* What has been made when the card's turn comes. */
static bool take_before_card(uint32_t *taken, char **unknown, const struct machine *machine,
                             const struct option *options, size_t count, const struct option *card,
                             struct err *err)
{
    *taken = 1u << 0 | 1u << 1; /* host bridge, PIIX3 */
    if (!take_display(taken, options, count, err) || !take_network(taken, options, count, err))
        return false;
    if (machine->kind == MACHINE_XENFV) {
        if (machine->igd_passthru)
            *taken |= 1u << 2; /* kept free for the graphics adapter (hw/xen/xen_pt.c) */
        take_lowest(taken);    /* xen-platform */
    }
    for (const struct option *option = options; card && option < card; option++) {
        if (option_is(option, "device") && !take_device(taken, option->value, unknown, err))
            return false;
        if (option_is(option, "virtfs") && !take(taken, NULL, err))
            return false;
    }
    return true;
}

bool pci_slot_for_card(uint8_t *slot, char **doubt, const struct machine *machine,
                       const struct option *options, size_t count, const struct option *card,
                       struct err *err)
{
    uint32_t taken;
    char *unknown = NULL;
    unsigned lowest;
    int written = 0;

    *doubt = NULL;
    if (!take_before_card(&taken, &unknown, machine, options, count, card, err)) {
        free(unknown);
        return false;
    }
    lowest = take_lowest(&taken);
    if (lowest == SLOT_COUNT) {
        free(unknown);
        return err_set(err, "no free PCI slot for es1370: all 32 of bus 0 are taken by the devices "
                            "before it on the command line; leave one of them out");
    }
    *slot = (uint8_t)lowest;

    if (unknown) {
        written = asprintf(doubt,
                           "device %.100s is not known here and taken for a PCI device, so that "
                           "es1370 has PCI slot %u",
                           unknown, lowest);
    } else if (machine->kind == MACHINE_XENFV && machine->igd_passthru) {
        written = asprintf(doubt,
                           "es1370 has PCI slot %u; QEMU before 8.0, which keeps no slot for the "
                           "graphics adapter of igd-passthru, would have chosen a lower one",
                           lowest);
    }
    free(unknown);
    if (written < 0) {
        *doubt = NULL;
        return option_no_memory(err);
    }
    return true;
}
