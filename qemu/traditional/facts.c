/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "traditional/facts.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "toolstack/old_values.h"

enum {
    STORE_PATH_MAX = 256,
    VBDS_MAX = 256, /* in the guest's part of xenstore */
    IDE_UNITS = 4,
    SCSI_UNITS = 7, /* of an LSI 53C895A, without itself */
};

#define MEMORY_KIB_MAX (UINT64_C(16) << 30)  /* 16 TiB, the most that Xen manages */
#define MMIO_HOLE_MIN  (UINT64_C(256) << 20) /* libxl's, HVM_BELOW_4G_MMIO_START */
#define MMIO_HOLE_MAX  (UINT64_C(4) << 30)

/* --- nodes --- */

__attribute__((format(printf, 2, 3))) static char *read_node(struct store *s, const char *fmt, ...)
{
    char path[STORE_PATH_MAX];
    va_list ap;
    int length;

    va_start(ap, fmt);
    length = vsnprintf(path, sizeof(path), fmt, ap);
    va_end(ap);
    return length > 0 && length < STORE_PATH_MAX ? store_read(s, path) : NULL;
}

static bool parse_number(uint64_t *number, const char *text, uint64_t max)
{
    char *end;

    if (!text || !isdigit((unsigned char)*text))
        return false;
    *number = strtoull(text, &end, 10);
    return *end == '\0' && *number <= max;
}

/* The number in /local/domain/DOMID/NAME; 0 if there is none up to max. */
static uint64_t read_number(struct store *s, uint16_t domid, const char *name, uint64_t max)
{
    char *text = read_node(s, "/local/domain/%u/%s", domid, name);
    uint64_t number;
    bool ok = parse_number(&number, text, max);

    free(text);
    return ok ? number : 0;
}

static bool no_memory(struct err *err)
{
    return err_set(err, "no memory to read about the domain in xenstore");
}

/* --- the machine --- */

static unsigned count_vcpus_online(struct store *s, uint16_t domid)
{
    unsigned online = 0;

    for (unsigned i = 0; i < OLD_VCPUS_MAX; i++) {
        char *text = read_node(s, "/local/domain/%u/cpu/%u/availability", domid, i);

        if (!text)
            break;
        online += strcmp(text, "online") == 0;
        free(text);
    }
    return online;
}

static void read_machine(struct old_facts *facts, struct store *s, uint16_t domid)
{
    char *disable_pf = read_node(s, "/local/domain/0/device-model/%u/disable_pf", domid);
    uint64_t hole = read_number(s, domid, "platform/mmio_hole_size", MMIO_HOLE_MAX - 1);

    /* libxl says both, xend the target alone. */
    facts->memory_kib = read_number(s, domid, "memory/static-max", MEMORY_KIB_MAX);
    if (facts->memory_kib != 0)
        facts->videoram_kib = read_number(s, domid, "memory/videoram", MEMORY_KIB_MAX);
    else
        facts->memory_kib = read_number(s, domid, "memory/target", MEMORY_KIB_MAX);
    facts->vcpus_online = count_vcpus_online(s, domid);
    facts->no_platform_device = disable_pf && strcmp(disable_pf, "1") == 0;
    facts->mmio_hole_bytes = hole >= MMIO_HOLE_MIN ? hole : 0;
    free(disable_pf);
}

/* xend let the guest write its vm node: so nothing but the shape of a domain's own is taken. */
static void find_vnc_password(struct old_facts *facts, struct store *s, uint16_t domid)
{
    char *vm = read_node(s, "/local/domain/%u/vm", domid);
    const char *uuid = vm && strncmp(vm, "/vm/", 4) == 0 ? vm + 4 : "";
    size_t length = strspn(uuid, "0123456789abcdefABCDEF-_");

    if (length > 0 && length <= 60 && uuid[length] == '\0')
        snprintf(facts->vnc_password_path, sizeof(facts->vnc_password_path), "%s/vncpasswd", vm);
    free(vm);
}

bool facts_announce_engine(struct store *s, uint16_t domid, struct err *err)
{
    char path[STORE_PATH_MAX];

    snprintf(path, sizeof(path), "/local/domain/%u/platform/device-model", domid);
    return store_write(s, path, "qemu_xen", err);
}

/* --- disks --- */

char *facts_disk_backend(struct store *s, uint16_t domid, const char *name)
{
    static const char *const kinds[] = {"vbd", "tap", "qdisk"};
    char *found = NULL, *backend;
    uint64_t number;

    if (!parse_number(&number, name, UINT32_MAX))
        return NULL;
    backend = read_node(s, "/local/domain/%u/device/vbd/%s/backend", domid, name);
    for (size_t i = 0; backend && !found && i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        char expected[STORE_PATH_MAX], frontend[STORE_PATH_MAX];
        char *text;

        snprintf(expected, sizeof(expected), "/local/domain/0/backend/%s/%u/%s", kinds[i], domid,
                 name);
        if (strcmp(backend, expected) != 0)
            continue;
        snprintf(frontend, sizeof(frontend), "/local/domain/%u/device/vbd/%s", domid, name);
        text = read_node(s, "%s/frontend", expected);
        if (text && strcmp(text, frontend) == 0)
            found = strdup(expected);
        free(text);
    }
    free(backend);
    return found;
}

/* QEMU's name for the format that type and params are in; *path becomes where the path begins.
 * NULL: none of QEMU's. */
static const char *find_format(const char **path, const char *type, const char *params)
{
    static const struct {
        const char *name, *format;
    } formats[] = {
        {"phy", "raw"},  {"file", "raw"},  {"aio", "raw"},     {"raw", "raw"},
        {"sync", "raw"}, {"qcow", "qcow"}, {"qcow2", "qcow2"}, {"vhd", "vpc"},
        {"vpc", "vpc"},  {"vmdk", "vmdk"}, {"qed", "qed"},     {"vdi", "vdi"},
    };
    size_t length = strlen(type);

    *path = params;
    if (strcmp(type, "tap") == 0 || strcmp(type, "qdisk") == 0) {
        static const char tapdisk[] = "tapdisk:";

        if (*params == '\0')
            return "raw";
        if (strncmp(params, tapdisk, strlen(tapdisk)) == 0)
            params += strlen(tapdisk);
        length = strcspn(params, ":");
        if (params[length] == '\0')
            return NULL;
        type = params;
        *path = params + length + 1;
    }
    for (size_t i = 0; i < sizeof(formats) / sizeof(formats[0]); i++) {
        if (strlen(formats[i].name) == length && strncmp(formats[i].name, type, length) == 0)
            return formats[i].format;
    }
    return NULL;
}

static bool read_medium(char path[OLD_PATH_MAX], const char **format, const char *type,
                        const char *params, struct err *err)
{
    const char *from;
    const char *before;

    *format = find_format(&from, type, params);
    if (!*format)
        return err_set(err, "type %.20s with %.100s: no format that the engine has", type, params);
    before = strcmp(type, "phy") == 0 && *from != '\0' && *from != '/' ? "/dev/" : "";
    if (*from != '\0' && *from != '/' && *before == '\0')
        return err_set(err, "%.100s: not an absolute path", from);
    if (strlen(before) + strlen(from) >= OLD_PATH_MAX)
        return err_set(err, "%.100s...: longer than the %d bytes a path may have", from,
                       OLD_PATH_MAX);
    stpcpy(stpcpy(path, before), from);
    return true;
}

bool facts_disk_medium(struct store *s, const char *backend, char path[OLD_PATH_MAX],
                       const char **format, struct err *err)
{
    char *type = read_node(s, "%s/type", backend);
    char *params = read_node(s, "%s/params", backend);
    bool ok;

    *path = '\0';
    *format = "raw";
    if (!type || !params)
        ok = err_set(err, "%.150s: has no type or no params", backend);
    else
        ok = read_medium(path, format, type, params, err);
    free(type);
    free(params);
    return ok;
}

/* The disk's place by its name, which is like hda, sda or xvda. False: none that is emulated. */
static bool read_place(struct old_disk *disk, const char *dev, bool has_hd)
{
    size_t length = strlen(dev);
    bool is_xvd = strncmp(dev, "xvd", 3) == 0 && length == 4;
    bool is_hd = strncmp(dev, "hd", 2) == 0 && length == 3;
    bool is_sd = strncmp(dev, "sd", 2) == 0 && length == 3;
    unsigned unit;

    if (!(is_xvd && !has_hd) && !is_hd && !is_sd)
        return false;
    unit = (unsigned)(unsigned char)dev[length - 1] - 'a';
    disk->is_scsi = is_sd;
    disk->unit = unit;
    return unit < (is_sd && !disk->is_cdrom ? SCSI_UNITS : IDE_UNITS);
}

/* The backend says it in libxl's words, xend said it in the frontend alone. */
static bool is_cdrom(struct store *s, uint16_t domid, const char *name, const char *backend)
{
    char *type = read_node(s, "%s/device-type", backend);
    bool answer;

    if (!type)
        type = read_node(s, "/local/domain/%u/device/vbd/%s/device-type", domid, name);
    answer = type && strcmp(type, "cdrom") == 0;
    free(type);
    return answer;
}

static bool is_writable(struct store *s, const char *backend)
{
    char *mode = read_node(s, "%s/mode", backend);
    bool answer = !mode || strchr(mode, 'w') != NULL;

    free(mode);
    return answer;
}

static bool is_taken(const struct old_facts *facts, const struct old_disk *disk)
{
    for (unsigned i = 0; i < facts->disk_count; i++) {
        const struct old_disk *other = &facts->disks[i];

        if (other->unit == disk->unit &&
            (other->is_scsi && !other->is_cdrom) == (disk->is_scsi && !disk->is_cdrom))
            return true;
    }
    return false;
}

static void add_disk(struct old_facts *facts, struct store *s, uint16_t domid, const char *name,
                     const char *backend, const char *dev, bool has_hd)
{
    struct old_disk disk = {.vbd = (unsigned)strtoul(name, NULL, 10)};
    bool writable = is_writable(s, backend);
    struct err why;

    disk.is_cdrom = is_cdrom(s, domid, name, backend);
    disk.is_read_only = !writable;
    if (!read_place(&disk, dev, has_hd) || is_taken(facts, &disk))
        old_note(facts->note,
                 "disk %.20s is for the guest's Xen drivers only: those emulated are hda to hdd "
                 "(xvda to xvdd if there is no hd) and sda to sdg",
                 dev);
    else if (!facts_disk_medium(s, backend, disk.path, &disk.format, &why))
        old_note(facts->note, "disk %.20s is left out: %.300s", dev, why.text);
    else if (disk.path[0] == '\0' && !disk.is_cdrom)
        old_note(facts->note, "disk %.20s is left out: it has no image", dev);
    else if (!writable && !disk.is_cdrom && !disk.is_scsi)
        old_note(facts->note,
                 "disk %.20s is for the guest's Xen drivers only: an IDE disk cannot be read-only; "
                 "call it sd%c, or give it mode w",
                 dev, 'a' + (char)disk.unit);
    else if (facts->disk_count < OLD_DISKS_MAX)
        facts->disks[facts->disk_count++] = disk;
}

static int compare_numbers(const void *a, const void *b)
{
    unsigned long left = strtoul(*(char *const *)a, NULL, 10);
    unsigned long right = strtoul(*(char *const *)b, NULL, 10);

    return left < right ? -1 : left > right;
}

/* A disk of the guest's part of xenstore that has a backend. */
struct vbd {
    const char *name;
    char *backend, *dev;
};

static unsigned read_vbds(struct vbd *vbds, struct store *s, uint16_t domid, char **names,
                          unsigned count)
{
    unsigned found = 0;

    for (unsigned i = 0; i < count && i < VBDS_MAX; i++) {
        struct vbd vbd = {.name = names[i], .backend = facts_disk_backend(s, domid, names[i])};

        if (vbd.backend)
            vbd.dev = read_node(s, "%s/dev", vbd.backend);
        if (vbd.dev)
            vbds[found++] = vbd;
        else
            free(vbd.backend);
    }
    return found;
}

static bool read_disks(struct old_facts *facts, struct store *s, uint16_t domid, struct err *err)
{
    char path[STORE_PATH_MAX];
    unsigned count, found;
    bool has_hd = false;
    struct vbd *vbds;
    char **names;

    snprintf(path, sizeof(path), "/local/domain/%u/device/vbd", domid);
    names = store_list(s, path, &count);
    if (!names)
        return true;
    vbds = calloc(VBDS_MAX, sizeof(*vbds));
    if (!vbds) {
        free(names);
        return no_memory(err);
    }
    qsort(names, count, sizeof(*names), compare_numbers);
    found = read_vbds(vbds, s, domid, names, count);
    for (unsigned i = 0; i < found; i++)
        has_hd = has_hd || strncmp(vbds[i].dev, "hd", 2) == 0;
    for (unsigned i = 0; i < found; i++) {
        add_disk(facts, s, domid, vbds[i].name, vbds[i].backend, vbds[i].dev, has_hd);
        free(vbds[i].backend);
        free(vbds[i].dev);
    }
    free(vbds);
    free(names);
    return true;
}

bool facts_read(struct old_facts *facts, struct store *s, uint16_t domid, struct err *err)
{
    *facts = (struct old_facts){0};
    read_machine(facts, s, domid);
    find_vnc_password(facts, s, domid);
    return read_disks(facts, s, domid, err);
}
