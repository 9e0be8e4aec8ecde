/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "toolstack/old_values.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "toolstack/option.h"

enum {
    VNC_DISPLAY_MAX = 65535 - 5900,
    MEMORY_MIB_MAX = 16 << 20, /* 16 TiB, the most that Xen manages */
};

bool old_number(unsigned *number, const char *text, unsigned min, unsigned max)
{
    unsigned value = 0;

    if (*text == '\0')
        return false;
    for (; *text; text++) {
        if (!isdigit((unsigned char)*text))
            return false;
        value = value * 10 + (unsigned)(*text - '0');
        if (value > max)
            return false;
    }
    *number = value;
    return value >= min;
}

void old_note(char note[OLD_NOTE_MAX], const char *fmt, ...)
{
    size_t used = strlen(note);
    va_list ap;

    if (used > 0 && used < OLD_NOTE_MAX - 2)
        used = (size_t)(stpcpy(note + used, "; ") - note);
    va_start(ap, fmt);
    vsnprintf(note + used, OLD_NOTE_MAX - used, fmt, ap);
    va_end(ap);
    for (char *p = note + used; *p; p++) {
        if (iscntrl((unsigned char)*p))
            *p = '?';
    }
}

bool old_read_vnc(struct old_line *line, const char *text, struct err *err)
{
    char *display;
    const char *colon;
    unsigned number;
    bool ok;

    if (!option_text_get(text, "vnc", "vnc", &display))
        return option_no_memory(err);
    if (!display)
        return err_set(err, "-vnc %.100s: write HOST:DISPLAY, as in 127.0.0.1:0", text);
    colon = strrchr(display, ':');
    ok = strcmp(display, "none") == 0 || strncmp(display, "unix:", 5) == 0 ||
         old_number(&number, colon ? colon + 1 : display, 0, VNC_DISPLAY_MAX);
    free(display);
    if (!ok)
        return err_set(err,
                       "-vnc %.100s: DISPLAY in HOST:DISPLAY must be a number from 0 to %d, as in "
                       "127.0.0.1:0",
                       text, VNC_DISPLAY_MAX);
    line->vnc = text;
    return true;
}

bool old_read_vga(struct old_line *line, const char *text, struct err *err)
{
    static const struct {
        const char *name;
        enum old_vga vga;
        bool passthru;
    } cards[] = {
        {"std", OLD_VGA_STD_CARD, false},       {"cirrus", OLD_VGA_CIRRUS, false},
        {"vmware", OLD_VGA_VMWARE, false},      {"none", OLD_VGA_NO_CARD, false},
        {"passthrough", OLD_VGA_NO_CARD, true},
    };
    size_t length = strcspn(text, ","); /* the old one's ",retrace=" has no successor */

    for (size_t i = 0; i < sizeof(cards) / sizeof(cards[0]); i++) {
        if (strlen(cards[i].name) == length && strncmp(text, cards[i].name, length) == 0) {
            line->vga = cards[i].vga;
            line->gfx_passthru = line->gfx_passthru || cards[i].passthru;
            return true;
        }
    }
    return err_set(err, "-vga %.100s: must be std, cirrus, vmware, passthrough or none", text);
}

bool old_read_boot(struct old_line *line, const char *text, struct err *err)
{
    unsigned seen = 0;

    for (const char *p = text; *p; p++) {
        if (*p < 'a' || *p > 'p')
            return err_set(err,
                           "-boot %.100s: must be letters, a for floppy, c for disk, d for CD-ROM, "
                           "n for network, as in cda",
                           text);
        if (seen & 1u << (*p - 'a'))
            return err_set(err, "-boot %.100s: has %c twice; leave one out", text, *p);
        seen |= 1u << (*p - 'a');
    }
    line->boot = *text ? text : NULL;
    return true;
}

bool old_read_vcpu_avail(struct old_line *line, const char *text, struct err *err)
{
    const char *digits = strncasecmp(text, "0x", 2) == 0 ? text + 2 : text;
    size_t length = strspn(digits, "0123456789abcdefABCDEF");
    bool ended = digits[length] == '\0' ||
                 strcmp(digits + length, "L") == 0; /* Python's way to write a large number */
    uint64_t avail[2] = {0, 0};

    for (size_t i = 0; i < length && ended; i++) {
        unsigned digit = (unsigned)strtoul((char[]){digits[i], '\0'}, NULL, 16);

        ended = avail[1] >> 60 == 0;
        avail[1] = avail[1] << 4 | avail[0] >> 60;
        avail[0] = avail[0] << 4 | digit;
    }
    if (length == 0 || !ended)
        return err_set(err,
                       "-vcpu_avail %.100s: must be a hexadecimal number with a bit for each of up "
                       "to %d vCPUs, as in 0x3",
                       text, OLD_VCPUS_MAX);
    memcpy(line->vcpu_avail, avail, sizeof(avail));
    line->has_vcpu_avail = true;
    return true;
}

bool old_read_memory(struct old_line *line, const char *text, struct err *err)
{
    size_t length = strspn(text, "0123456789");
    unsigned scale = 1, number;
    char digits[10] = "";

    if (length < sizeof(digits))
        memcpy(digits, text, length);
    if (strcasecmp(text + length, "g") == 0)
        scale = 1024;
    else if (*(text + length) != '\0' && strcasecmp(text + length, "m") != 0)
        digits[0] = '\0';
    if (!old_number(&number, digits, 1, MEMORY_MIB_MAX / scale))
        return err_set(err, "-m %.100s: must be a number of megabytes, as in 1024, or 1G", text);
    line->memory_mib = number * scale;
    return true;
}

/* Whether a name has only what the names of cards and of kinds of networks have. */
static bool is_plain(const char *text)
{
    for (; *text; text++) {
        if (!isalnum((unsigned char)*text) && !strchr("._-", *text))
            return false;
    }
    return true;
}

static bool is_mac(const char *text)
{
    for (size_t i = 0; i < 17; i++) {
        if (i % 3 == 2 ? text[i] != ':' : !isxdigit((unsigned char)text[i]))
            return false;
    }
    return text[17] == '\0';
}

static bool check_nic(const char *text, const char *model, const char *mac, struct err *err)
{
    if (model && (*model == '\0' || !is_plain(model)))
        return err_set(err, "-net %.100s: model= must be the name of a card, as in rtl8139", text);
    if (mac && !is_mac(mac))
        return err_set(err, "-net %.100s: macaddr= must be like 00:16:3e:12:34:56", text);
    return true;
}

static bool add_net(struct old_line *line, const char *text, const char *type, const char *vlan,
                    struct err *err)
{
    struct old_net net = {.is_nic = strcmp(type, "nic") == 0, .text = text};

    if (strcmp(type, "none") == 0)
        return true;
    if (*type == '\0' || !is_plain(type))
        return err_set(err, "-net %.100s: must begin with nic, tap or none", text);
    if (vlan && !old_number(&net.vlan, vlan, 0, 65535))
        return err_set(err, "-net %.100s: vlan= must be a number, as in vlan=0", text);
    if (line->net_count == OLD_LIST_MAX)
        return err_set(err, "more than %d -net options; leave some out", OLD_LIST_MAX);
    for (unsigned i = 0; i < line->net_count; i++) {
        if (line->nets[i].is_nic == net.is_nic && line->nets[i].vlan == net.vlan)
            return err_set(err,
                           "-net %.100s: a second one of vlan %u; give each network card a vlan= "
                           "of its own",
                           text, net.vlan);
    }
    line->nets[line->net_count++] = net;
    return true;
}

bool old_read_net(struct old_line *line, const char *text, struct err *err)
{
    char *type = NULL, *vlan = NULL, *model = NULL, *mac = NULL;
    bool ok = false;

    if (!option_text_get(text, "type", "type", &type) ||
        !option_text_get(text, "type", "vlan", &vlan) ||
        !option_text_get(text, "type", "model", &model) ||
        !option_text_get(text, "type", "macaddr", &mac))
        option_no_memory(err);
    else if (!type)
        err_set(err, "-net %.100s: must begin with nic, tap or none", text);
    else
        ok = check_nic(text, model, mac, err) && add_net(line, text, type, vlan, err);
    free(type);
    free(vlan);
    free(model);
    free(mac);
    return ok;
}

/* The cards of libxl's soundhw= that the engine can have, ours first. */
static const char *find_sound(const char *name, size_t length)
{
    static const char *const cards[] = {"es1370", "ac97", "hda", "sb16", "gus", "adlib", "cs4231a"};

    for (size_t i = 0; i < sizeof(cards) / sizeof(cards[0]); i++) {
        if (strlen(cards[i]) == length && strncasecmp(cards[i], name, length) == 0)
            return cards[i];
    }
    return NULL;
}

void old_read_soundhw(struct old_line *line, const char *text)
{
    bool is_list = strchr(text, ',') != NULL;
    const char *chosen = NULL;

    for (const char *p = text; chosen == NULL || strcmp(chosen, "es1370") != 0;) {
        size_t length = strcspn(p, ",");
        const char *card = find_sound(p, length);

        if (length == 3 && strncasecmp(p, "all", 3) == 0) {
            card = "es1370";
            is_list = true;
        }
        if (card && (!chosen || strcmp(card, "es1370") == 0))
            chosen = card;
        if (p[length] == '\0')
            break;
        p += length + 1;
    }
    line->sound = chosen;
    if (!chosen)
        old_note(line->note,
                 "-soundhw %.100s: there is no such card, so the domain has none; the card that "
                 "sounds is es1370",
                 text);
    else if (is_list)
        old_note(line->note, "-soundhw %.100s: a domain has one sound card, and this is %s", text,
                 chosen);
}
