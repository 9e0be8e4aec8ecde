/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "process/playing_guest.h"

#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

enum {
    DEADLINE_MS = 8000,
    PORT = 0xc200,
    MEM_PAGE = 0x0c,
    DAC2_COUNT = 0x28,
    DAC2_INT = 0x200,
};

static int guest = -1; /* our end of its socket */

void join_guest(const char *path)
{
    struct sockaddr_un to = {.sun_family = AF_UNIX}, own = {.sun_family = AF_UNIX};

    snprintf(to.sun_path, sizeof(to.sun_path), "%s", path);
    guest = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    assert_true(guest >= 0);
    /* A name of the kernel's choice, for the answers. */
    assert_int_equal(bind(guest, (struct sockaddr *)&own, sizeof(own.sun_family)), 0);
    assert_int_equal(connect(guest, (struct sockaddr *)&to, sizeof(to)), 0);
}

void leave_guest(void)
{
    if (guest >= 0) {
        close(guest);
    }
    guest = -1;
}

uint32_t ask_guest(enum fake_guest_kind kind, uint32_t where, uint32_t bytes, uint32_t value)
{
    struct fake_guest_access a = {kind, where, bytes, value};
    struct pollfd fd = {.fd = guest, .events = POLLIN};

    assert_int_equal(send(guest, &a, sizeof(a), 0), sizeof(a));
    assert_int_equal(poll(&fd, 1, DEADLINE_MS), 1);
    assert_int_equal(recv(guest, &a, sizeof(a), 0), sizeof(a));
    return a.value;
}

uint32_t in(unsigned reg)
{
    return ask_guest(FAKE_GUEST_PORT_READ, PORT + reg, 4, 0);
}

void out(unsigned reg, uint32_t value)
{
    ask_guest(FAKE_GUEST_PORT_WRITE, PORT + reg, 4, value);
}

void play(unsigned period)
{
    ask_guest(FAKE_GUEST_CONFIG_WRITE, 0x10, 4, PORT);
    ask_guest(FAKE_GUEST_CONFIG_WRITE, 0x04, 2, 0x0005);
    out(MEM_PAGE, 0xc);
    out(WINDOW + 8, 0x10000);
    out(WINDOW + 12, 16383);
    out(SCTL, DAC2_S16_STEREO | DAC2_INT);
    out(DAC2_COUNT, period - 1);
    out(CONTROL, DIV_44100);
    out(CONTROL, DIV_44100 | DAC2_EN);
}

void wait_for_interrupt(void)
{
    for (unsigned ms = 0; !ask_guest(FAKE_GUEST_INTX, 0, 0, 0); ms++) {
        assert_true(ms < DEADLINE_MS);
        poll(NULL, 0, 1);
    }
}
