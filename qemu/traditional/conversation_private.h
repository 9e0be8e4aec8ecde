/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the files of the conversation share. */
#ifndef TRADITIONAL_CONVERSATION_PRIVATE_H
#define TRADITIONAL_CONVERSATION_PRIVATE_H

#include <stdbool.h>
#include <stdint.h>

#include <jansson.h>

#include "base/log_budget.h"
#include "engine/qmp_client.h"
#include "traditional/conversation.h"
#include "xen/store.h"

/* Any path of xenstore that is made here, its longest: a backend's node. */
enum { PATH_SIZE = 160 };

/* A CD drive of the guest: IDE has four places. */
enum { CD_DRIVES_MAX = 4 };

struct cd_drive {
    char number[12];         /* of the virtual device: it is "ide-NUMBER" in the engine */
    char backend[PATH_SIZE]; /* dom0's side of it in xenstore */
    char *params;            /* the medium that the engine knows of; "": none */
};

/* Xen's limit for a guest with a device model is 128. */
enum { VCPUS_MAX = 512 };

/* A device that the guest, or the engine, has been asked to let go. */
struct removal {
    /* Whether it is gone; NULL: nothing is being removed. */
    bool (*is_gone)(struct conversation *c, struct qmp_client *client);
    const char *word;  /* for the toolstack, then */
    uint64_t next_ns;  /* when to look again */
    uint64_t until_ns; /* when to give up */
    unsigned slot;     /* of the PCI device */
    char node[32];     /* block node of the USB disk */
};

struct conversation {
    struct conversation_settings settings;
    char *save_path;
    struct store *store;
    int ready;   /* an epoll descriptor over store, timer and engine */
    int timer;   /* when to look after a removal */
    int engine;  /* connected, the engine's greeting is awaited; -1: it has been heard */
    bool paused; /* by "save" */
    struct log_budget budget;
    unsigned left_out; /* lines of the log, since the last */
    struct cd_drive cd_drives[CD_DRIVES_MAX];
    unsigned cd_drive_count;
    bool vcpu_online[VCPUS_MAX]; /* those that the engine is known to have */
    struct removal removal;
};

/* --- conversation.c --- */

/* The text of D/node, to be freed; NULL: none. */
char *conversation_read(struct conversation *c, const char *node);

/* Writes D/node. */
void conversation_say(struct conversation *c, const char *node, const char *text);

/* Log what somebody else can bring about without end, and therefore not every time. */
void conversation_note(struct conversation *c, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
void conversation_complain(struct conversation *c, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* The engine, ready for commands, to be closed; NULL with err set. */
struct qmp_client *conversation_engine(struct conversation *c, struct err *err);

/* Asks it; the arguments are described by a format of json_pack (NULL: there are none). The value
 * it returns, a new reference; NULL with err set. */
json_t *engine_ask(struct qmp_client *client, struct err *err, const char *command,
                   const char *format, ...);

/* The same, if it returns nothing of interest. */
bool engine_do(struct qmp_client *client, struct err *err, const char *command, const char *format,
               ...);

/* Looks after the device that removal describes until it is gone, and says so then. A removal that
 * is still under way is given up. */
void conversation_await_removal(struct conversation *c, const struct removal *removal);

/* --- the others --- */

/* consoles.c: writes where the display and the serial ports are, and gives the display its
 * password. */
void consoles_publish(struct conversation *c, struct qmp_client *client);

/* save.c. machine_continue: the card goes on, then the engine; false with err set. */
bool machine_continue(struct conversation *c, struct qmp_client *client, struct err *err);
void save_state(struct conversation *c);
void continue_after_save(struct conversation *c);
void log_dirty(struct conversation *c);

/* pci_hotplug.c; parameter is D/parameter's text, or NULL. */
void pci_insert(struct conversation *c, const char *parameter);
void pci_remove(struct conversation *c, const char *parameter);

/* usb_hotplug.c; likewise. */
void usb_add(struct conversation *c, const char *parameter);
void usb_delete(struct conversation *c, const char *parameter);

/* cd_change.c: finds and watches the drives; sees to it that the engine has the media that the
 * toolstack has named. */
void cd_drives_find(struct conversation *c);
void cd_drives_update(struct conversation *c);
void cd_drives_forget(struct conversation *c);

/* vcpu_hotplug.c: something has changed at path, at or below the domain's cpu. */
void vcpu_changed(struct conversation *c, const char *path);

#endif
