/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The defaults of the host, in qemu-dm.conf: which keys there are, and who
 * reads them. What is wrong there is logged and left out: it is the host's, and
 * must not keep all of its guests from starting.
 */
#ifndef HOST_CONF_H
#define HOST_CONF_H

#include <stdbool.h>

#include "base/conf.h"
#include "config.h"

#define HOST_CONF_PATH CONFIG_SYSCONFDIR "/xen/qemu-dm.conf"

/* Reads HOST_CONF_PATH, or the file that QEMU_DM_CONF names, which has to be there. conf is empty
 * where that cannot be read. */
void host_conf_read(struct conf *conf);

/* Whether it says "debug = on". */
bool host_conf_debug(const struct conf *conf);

#endif
