/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "fakes/fake_guest.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "fakes/told.h"

struct guest {
    struct fake_guest fake;
};

static struct guest *open_guest;

struct fake_guest *fake_guest(void)
{
    return open_guest ? &open_guest->fake : NULL;
}

/* Opened as a guest is, before the card has given up the privilege to do so. */
static FILE *guests_log;

/* Zeros, but where a file says otherwise. */
static uint8_t *map_ram(void)
{
    const char *path = getenv("FAKE_GUEST_MEMORY");
    int fd = path ? open(path, O_RDWR | O_CLOEXEC) : -1;
    uint8_t *ram = mmap(NULL, FAKE_GUEST_RAM, PROT_READ | PROT_WRITE,
                        path ? MAP_SHARED : MAP_PRIVATE | MAP_ANONYMOUS, fd, 0);

    if (ram == MAP_FAILED) {
        abort();
    }
    if (fd >= 0) {
        close(fd);
    }
    return ram;
}

static struct guest *join(uint16_t domid, uint8_t slot, const struct guest_device *device,
                          const char *variable, struct err *err)
{
    struct guest *g = calloc(1, sizeof(*g));

    if (!g) {
        abort();
    }
    if (!told_to_join(variable)) {
        err_set(err, "the fake guest refuses");
        free(g);
        return NULL;
    }
    g->fake.domid = domid;
    g->fake.slot = slot;
    g->fake.device = *device;
    g->fake.ram = map_ram();
    g->fake.fd = told_socket();
    open_guest = g;
    return g;
}

struct guest *guest_open(uint16_t domid, uint8_t slot, const struct guest_device *device,
                         struct err *err)
{
    guests_log = told_log();
    told_note(guests_log, "open domid=%u slot=%u pid=%d\n", domid, slot, (int)getpid());
    return join(domid, slot, device, "FAKE_GUEST_OPEN", err);
}

struct guest *guest_take_over(uint16_t domid, uint8_t slot, uint16_t server_id,
                              const struct guest_device *device, const struct guest_answer *last,
                              struct err *err)
{
    guests_log = told_log();
    told_note(guests_log, "take-over pid=%d domid=%u slot=%u server=%u answered=%d\n",
              (int)getpid(), domid, slot, server_id, (int)last->vcpu);
    return join(domid, slot, device, "FAKE_GUEST_TAKE_OVER", err);
}

void guest_close(struct guest *g)
{
    if (g) {
        told_note(guests_log, "close domid=%u\n", g->fake.domid);
        if (guests_log) {
            fclose(guests_log);
            guests_log = NULL;
        }
        close(g->fake.fd);
        munmap(g->fake.ram, FAKE_GUEST_RAM);
        open_guest = NULL;
        free(g);
    }
}

uint16_t guest_server_id(const struct guest *g)
{
    (void)g;
    return 1;
}

bool guest_retire(uint16_t domid, uint8_t slot, uint16_t server_id, struct err *err)
{
    FILE *log = told_log();

    (void)err;
    told_note(log, "retire domid=%u slot=%u server=%u\n", domid, slot, server_id);
    if (log) {
        fclose(log);
    }
    return true;
}

int guest_fd(const struct guest *g)
{
    return g->fake.fd;
}

static uint32_t serve(const struct fake_guest *g, const struct fake_guest_access *a)
{
    const struct guest_device *d = &g->device;

    switch (a->kind) {
    case FAKE_GUEST_CONFIG_READ:
        return d->config_read(d->opaque, a->where, a->bytes);
    case FAKE_GUEST_CONFIG_WRITE:
        d->config_write(d->opaque, a->where, a->bytes, a->value);
        return 0;
    case FAKE_GUEST_PORT_READ:
        return d->port_read(d->opaque, (uint16_t)a->where, a->bytes);
    case FAKE_GUEST_PORT_WRITE:
        d->port_write(d->opaque, (uint16_t)a->where, a->bytes, a->value);
        return 0;
    default:
        return g->intx;
    }
}

void guest_serve(struct guest *g)
{
    struct fake_guest_access access;
    struct sockaddr_un from;
    socklen_t size = sizeof(from);

    if (recvfrom(g->fake.fd, &access, sizeof(access), 0, (struct sockaddr *)&from, &size) !=
        sizeof(access)) {
        abort();
    }
    g->fake.device.begun(g->fake.device.opaque);
    access.value = serve(&g->fake, &access);
    g->fake.device.done(g->fake.device.opaque, &(struct guest_answer){.value = access.value});
    if (sendto(g->fake.fd, &access, sizeof(access), 0, (struct sockaddr *)&from, size) < 0) {
        abort();
    }
}

bool guest_map_ports(struct guest *g, uint16_t first, uint16_t count)
{
    g->fake.first_port = first;
    g->fake.port_count = count;
    return true;
}

bool guest_unmap_ports(struct guest *g, uint16_t first, uint16_t count)
{
    bool mapped = g->fake.port_count == count && g->fake.first_port == first;

    g->fake.port_count = 0;
    return mapped;
}

static bool in_ram(uint64_t address, size_t len)
{
    return address < FAKE_GUEST_RAM && len <= FAKE_GUEST_RAM - address;
}

bool guest_read(struct guest *g, uint64_t address, void *data, size_t len)
{
    g->fake.dma_calls++;
    if (!in_ram(address, len)) {
        memset(data, 0, len);
        return false;
    }
    memcpy(data, g->fake.ram + address, len);
    return true;
}

bool guest_write(struct guest *g, uint64_t address, const void *data, size_t len)
{
    g->fake.dma_calls++;
    if (!in_ram(address, len)) {
        return false;
    }
    memcpy(g->fake.ram + address, data, len);
    return true;
}

void guest_set_intx(struct guest *g, bool asserted)
{
    g->fake.intx_edges += asserted && !g->fake.intx;
    g->fake.intx = asserted;
}
