/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "fakes/fake_domain.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum domain_state fake_domain_state = DOMAIN_RUNS;

enum domain_state domain_state(uint16_t domid)
{
    const char *path = getenv("FAKE_DOMAIN_STATE");
    FILE *f = path ? fopen(path, "r") : NULL;
    char text[16] = "";

    (void)domid;
    if (!f) {
        return fake_domain_state;
    }
    if (fscanf(f, "%15s", text) != 1) {
        text[0] = '\0';
    }
    fclose(f);
    return strcmp(text, "stopped") == 0   ? DOMAIN_STOPPED
           : strcmp(text, "unknown") == 0 ? DOMAIN_UNKNOWN
                                          : DOMAIN_RUNS;
}

void domain_close(void)
{
}
