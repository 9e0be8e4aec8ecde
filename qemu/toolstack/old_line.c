/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "toolstack/old_line.h"

#include <ctype.h>
#include <string.h>

#include "toolstack/old_options.h"
#include "toolstack/old_values.h"
#include "toolstack/option.h"

#define DOMID_MAX        32751 /* Xen's DOMID_FIRST_RESERVED - 1 */
#define TEXT_MAX         4096
#define VIDEORAM_MIB_MAX 512 /* QEMU's VGA */
#define PASSTHRU_INTEL                                                                             \
    "-gfx_passthru: it makes Intel's graphics of the host the domain's first; for another card "   \
    "leave it out and give the card by pci= alone"

/* --- the words of the command line --- */

struct word {
    const char *name;                /* of an option, without its dashes; NULL: a bare word */
    const struct old_option *option; /* NULL: none of the old program's */
    const char *value;               /* NULL: has none */
    int count;                       /* of arguments: 1 or 2 */
};

static bool is_number(const char *text)
{
    unsigned number;

    return old_number(&number, text, 0, 1000000);
}

static struct word read_word(int argc, const char *const argv[], int at)
{
    struct word word = {.count = 1};
    const char *arg = argv[at];
    const struct known_option *known;
    bool takes;

    if (arg[0] != '-')
        return word;
    word.name = arg + (arg[1] == '-' ? 2 : 1);
    word.option = old_option_find(word.name);
    known = option_find(word.name);
    takes = word.option ? word.option->arity != OLD_ALONE : known && known->takes_value;
    if (!takes || at + 1 == argc)
        return word;
    if (word.option && word.option->arity == OLD_NUMBER_MAYBE && !is_number(argv[at + 1]))
        return word;
    word.value = argv[at + 1];
    word.count = 2;
    return word;
}

bool old_line_is(int argc, const char *const argv[])
{
    bool is_old = false;

    for (int i = 1; i < argc;) {
        struct word word = read_word(argc, argv, i);

        i += word.count;
        if (!word.name)
            continue;
        if (strcmp(word.name, "xen-domid") == 0)
            return false;
        if (strcmp(word.name, "domain-name") == 0)
            is_old = true;
        if (word.option && word.option->fate == OLD_DOMID && word.value && is_number(word.value))
            is_old = true;
    }
    return is_old;
}

/* --- options --- */

static bool add_item(struct old_list *list, const char *name, const char *value, struct err *err)
{
    if (list->count == OLD_LIST_MAX)
        return err_set(err, "more than %d -%s options; leave some out", OLD_LIST_MAX, name);
    list->items[list->count++] = value;
    return true;
}

static bool read_domid(struct old_line *line, const char *text, struct err *err)
{
    unsigned number;

    if (!old_number(&number, text, 1, DOMID_MAX))
        return err_set(err, "-d %.100s: not the number of a domain, which is from 1 to %d", text,
                       DOMID_MAX);
    line->domid = (uint16_t)number;
    return true;
}

static bool read_vcpus(struct old_line *line, const char *text, struct err *err)
{
    return old_number(&line->vcpus, text, 1, OLD_VCPUS_MAX) ||
           err_set(err, "-vcpus %.100s: must be a number from 1 to %d", text, OLD_VCPUS_MAX);
}

static bool read_videoram(struct old_line *line, const char *text, struct err *err)
{
    return old_number(&line->videoram_mib, text, 0, VIDEORAM_MIB_MAX) ||
           err_set(err, "-videoram %.100s: must be a number of megabytes up to %d, as in 8", text,
                   VIDEORAM_MIB_MAX);
}

static bool read_machine(struct old_line *line, const char *text, struct err *err)
{
    for (const char *p = text; *p; p++) {
        if (!isalnum((unsigned char)*p) && !strchr("-._", *p))
            return err_set(err, "-M %.100s: must be xenfv, or xenpv for a domain that is not HVM",
                           text);
    }
    if (*text == '\0')
        return err_set(err, "-M is empty: must be xenfv, or xenpv for a domain that is not HVM");
    line->machine = text;
    return true;
}

/* xend gave hvmloader as the kernel in its first years; it is the firmware. */
static void read_kernel(struct old_line *line, const char *text)
{
    const char *slash = strrchr(text, '/');

    line->kernel = strcmp(slash ? slash + 1 : text, "hvmloader") == 0 ? NULL : text;
}

static void read_gfx_passthru(struct old_line *line, const char *value)
{
    line->gfx_passthru = !value || strspn(value, "0") != strlen(value);
    if (line->gfx_passthru)
        line->vga = OLD_VGA_NO_CARD; /* the old one then had none of its own either */
}

/* An option that is translated. value is there unless it takes none. */
static bool read_option(struct old_line *line, const struct word *word, struct err *err)
{
    const char *value = word->value;

    switch (word->option->fate) {
    case OLD_DOMID:
        return read_domid(line, value, err);
    case OLD_NAME:
        line->name = value;
        return true;
    case OLD_VNC:
        return old_read_vnc(line, value, err);
    case OLD_VNCLISTEN:
        line->vnc_listen = value;
        return true;
    case OLD_VNCUNUSED:
        line->vnc_unused = true;
        return true;
    case OLD_KEYMAP:
        line->keymap = value;
        return true;
    case OLD_KERNEL:
        read_kernel(line, value);
        return true;
    case OLD_INITRD:
        line->initrd = value;
        return true;
    case OLD_APPEND:
        line->append = value;
        return true;
    case OLD_SERIAL:
        return add_item(&line->serials, word->name, value, err);
    case OLD_VIDEORAM:
        return read_videoram(line, value, err);
    case OLD_STD_VGA:
        return old_read_vga(line, "std", err);
    case OLD_VGA:
        return old_read_vga(line, value, err);
    case OLD_GFX_PASSTHRU:
        read_gfx_passthru(line, value);
        return true;
    case OLD_BOOT:
        return old_read_boot(line, value, err);
    case OLD_USB:
        line->usb = true;
        return true;
    case OLD_USBDEVICE:
        line->usb = true;
        return add_item(&line->usb_devices, word->name, value, err);
    case OLD_SOUNDHW:
        old_read_soundhw(line, value);
        return true;
    case OLD_ACPI:
        line->acpi = true;
        return true;
    case OLD_NO_ACPI:
        line->acpi = false;
        return true;
    case OLD_VCPUS:
        return read_vcpus(line, value, err);
    case OLD_VCPU_AVAIL:
        return old_read_vcpu_avail(line, value, err);
    case OLD_NET:
        return old_read_net(line, value, err);
    case OLD_LOADVM:
        line->loadvm = value;
        return true;
    case OLD_MACHINE:
        return read_machine(line, value, err);
    case OLD_MEMORY:
        return old_read_memory(line, value, err);
    case OLD_LOCALTIME:
        line->clock = "localtime";
        return true;
    case OLD_STARTDATE:
        line->clock = value;
        return true;
    case OLD_FDA:
        line->floppies[0] = value;
        return true;
    case OLD_FDB:
        line->floppies[1] = value;
        return true;
    case OLD_PASSED:
    case OLD_CONSUMED:
        break;
    }
    return true;
}

/* What stands behind -M is for HVM machines alone, as libxl has it, and comes last. */
static void pass_on(struct old_line *line, bool behind_machine, const char *const args[], int count)
{
    for (int i = 0; i < count; i++) {
        if (behind_machine)
            line->passed_last[line->passed_last_count++] = args[i];
        else
            line->passed[line->passed_count++] = args[i];
    }
}

static bool check_value(const struct word *word, struct err *err)
{
    if (!word->value && word->option->arity == OLD_VALUE)
        return err_set(err, "-%s is the last word and needs a value", word->name);
    if (word->value && strlen(word->value) > TEXT_MAX)
        return err_set(err, "-%s %.60s...: longer than the %d bytes that make sense", word->name,
                       word->value, TEXT_MAX);
    return true;
}

bool old_line_read(struct old_line *line, int argc, const char *const argv[], struct err *err)
{
    bool behind_machine = false;

    *line = (struct old_line){.vcpus = 1, .machine = "xenfv"};
    if (argc > OLD_WORDS_MAX)
        return err_set(err, "a command line of %d words; at most %d make sense", argc,
                       OLD_WORDS_MAX);
    for (int i = 1; i < argc;) {
        struct word word = read_word(argc, argv, i);

        if (!word.option || word.option->fate == OLD_PASSED) {
            pass_on(line, behind_machine, &argv[i], word.count);
        } else if (word.option->fate == OLD_CONSUMED) {
            if (word.option->note)
                old_note(line->note, "-%s: %s", word.name, word.option->note);
        } else if (!check_value(&word, err) || !read_option(line, &word, err)) {
            return false;
        }
        behind_machine = behind_machine || (word.option && word.option->fate == OLD_MACHINE);
        i += word.count;
    }
    if (line->gfx_passthru)
        old_note(line->note, PASSTHRU_INTEL);
    return line->domid != 0 || err_set(err, "no -d: say the number of the domain, as in -d 5");
}
