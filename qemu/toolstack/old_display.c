/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The display: VNC and nothing else.
 *
 * The old -vnc HOST:DISPLAY[,password][,tls][,x509=DIR][,x509verify=DIR], -vncunused and, of Xen
 * 3.0 and 3.1, -vnc DISPLAY with -vnclisten HOST.
 */
#include "toolstack/modern_line.h"

#include <stdlib.h>
#include <string.h>

#include "toolstack/option.h"

#define TLS_ID "qemu-dm-vnc"

/* What a -vnc consists of; each NULL if it isn't there. */
struct vnc {
    char *display, *password, *tls, *x509, *x509verify;
    char *rest; /* options that we know nothing of, as they were */
};

static bool read_vnc(struct vnc *vnc, const char *text)
{
    static const char *const known[] = {"vnc",        "password",  "tls", "x509",
                                        "x509verify", "switchbpp", NULL};

    return option_text_get(text, "vnc", "vnc", &vnc->display) && vnc->display &&
           option_text_get(text, "vnc", "password", &vnc->password) &&
           option_text_get(text, "vnc", "tls", &vnc->tls) &&
           option_text_get(text, "vnc", "x509", &vnc->x509) &&
           option_text_get(text, "vnc", "x509verify", &vnc->x509verify) &&
           (vnc->rest = option_text_without(text, "vnc", known)) != NULL;
}

static void free_vnc(struct vnc *vnc)
{
    free(vnc->display);
    free(vnc->password);
    free(vnc->tls);
    free(vnc->x509);
    free(vnc->x509verify);
    free(vnc->rest);
}

static void add_tls(struct modern_line *a, const struct vnc *vnc)
{
    const char *dir = vnc->x509verify ? vnc->x509verify : vnc->x509;
    char *escaped;

    modern_add(a, "-object");
    if (!dir) {
        modern_add(a, "tls-creds-anon,id=" TLS_ID ",endpoint=server");
        return;
    }
    escaped = modern_escape(a, dir);
    modern_add(a, "tls-creds-x509,id=" TLS_ID ",dir=%s,endpoint=server,verify-peer=%s", escaped,
               vnc->x509verify ? "on" : "off");
    free(escaped);
}

static void add_vnc(struct modern_line *a, const struct old_line *line, const struct vnc *vnc)
{
    bool is_unix = strncmp(vnc->display, "unix:", 5) == 0;
    bool is_number = strchr(vnc->display, ':') == NULL;
    const char *listen = line->vnc_listen ? line->vnc_listen : "127.0.0.1";
    char *display = modern_escape(a, vnc->display);
    char *host = modern_escape(a, listen);

    if (vnc->tls)
        add_tls(a, vnc);
    modern_add(a, "-vnc");
    modern_add(a, "%s%s%s%s%s%s%s%s", is_number ? host : "", is_number ? ":" : "", display,
               vnc->password ? ",password=on" : "", vnc->tls ? ",tls-creds=" TLS_ID : "",
               *vnc->rest ? "," : "", vnc->rest, line->vnc_unused && !is_unix ? ",to=99" : "");
    free(display);
    free(host);
}

void modern_add_display(struct modern_line *a, const struct old_line *line)
{
    const char *text = line->vnc ? line->vnc : line->vnc_unused ? "0" : "none";
    struct vnc vnc = {0};

    if (!read_vnc(&vnc, text))
        a->failed = true;
    else if (strcmp(vnc.display, "none") == 0)
        modern_add_pair(a, "-vnc", "none");
    else
        add_vnc(a, line, &vnc);
    free_vnc(&vnc);
    modern_add_pair(a, "-display", "none");
}
