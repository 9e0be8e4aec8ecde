/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Disks, CD-ROM drives and floppies. */
#include "toolstack/modern_line.h"

#include <stdlib.h>

static bool is_scsi_disk(const struct old_disk *disk)
{
    return disk->is_scsi && !disk->is_cdrom;
}

/* It comes early so that it has the PCI slot that libxl gives it. */
void modern_add_scsi_controller(struct modern_line *a, const struct old_facts *facts)
{
    for (unsigned i = 0; i < facts->disk_count; i++) {
        if (is_scsi_disk(&facts->disks[i])) {
            modern_add_pair(a, "-device", "lsi53c895a");
            return;
        }
    }
}

static void add_cdrom(struct modern_line *a, const struct old_disk *disk, const char *path)
{
    modern_add(a, "-drive");
    if (disk->path[0] != '\0')
        modern_add(a, "if=none,readonly=on,id=ide-%u,file=%s,format=%s", disk->vbd, path,
                   disk->format);
    else
        modern_add(a, "if=none,readonly=on,id=ide-%u", disk->vbd);
    modern_add(a, "-device");
    modern_add(a, "ide-cd,id=ide-%u,drive=ide-%u,bus=ide.%u,unit=%u", disk->vbd, disk->vbd,
               disk->unit / 2, disk->unit % 2);
}

static void add_disk(struct modern_line *a, const struct old_disk *disk)
{
    char *path = modern_escape(a, disk->path);

    if (disk->is_cdrom) {
        add_cdrom(a, disk, path);
    } else if (disk->is_scsi) {
        modern_add(a, "-drive");
        modern_add(a, "file=%s,id=scsi0-hd%u,format=%s,if=none,readonly=%s,cache=writeback", path,
                   disk->unit, disk->format, disk->is_read_only ? "on" : "off");
        modern_add(a, "-device");
        modern_add(a, "scsi-hd,drive=scsi0-hd%u,scsi-id=%u", disk->unit, disk->unit);
    } else {
        modern_add(a, "-drive");
        modern_add(a, "file=%s,if=ide,index=%u,media=disk,format=%s,cache=writeback", path,
                   disk->unit, disk->format);
    }
    free(path);
}

void modern_add_disks(struct modern_line *a, const struct old_line *line,
                      const struct old_facts *facts)
{
    for (unsigned i = 0; i < facts->disk_count; i++)
        add_disk(a, &facts->disks[i]);
    for (unsigned i = 0; i < 2; i++) {
        char *path;

        if (!line->floppies[i] || !*line->floppies[i])
            continue;
        path = modern_escape(a, line->floppies[i]);
        modern_add(a, "-drive");
        modern_add(a, "file=%s,if=floppy,index=%u,format=raw", path, i);
        free(path);
    }
}
