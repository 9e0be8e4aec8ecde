// SPDX-License-Identifier: GPL-2.0-or-later
//
// Pre-loaded into xl, it lets `xl -N create` read a configuration on a machine without Xen: handles
// are given out for what is not there, and each hypercall succeeds and says nothing. xl's own code
// reads the configuration, from its first byte to its last.

#include <stddef.h>
#include <stdlib.h>

#define PAGE 4096

static char handle;

// libxencall, whose interface is stable
void *xencall_open(void *logger, unsigned flags);
int xencall_close(void *call);
void *xencall_alloc_buffer_pages(void *call, size_t pages);
void xencall_free_buffer_pages(void *call, void *buffer, size_t pages);
int xencall1(void *call, unsigned op);
int xencall2(void *call, unsigned op);
int xencall3(void *call, unsigned op);

void *xencall_open(void *logger, unsigned flags)
{
    (void)logger, (void)flags;
    return &handle;
}

int xencall_close(void *call)
{
    (void)call;
    return 0;
}

void *xencall_alloc_buffer_pages(void *call, size_t pages)
{
    (void)call;
    return calloc(pages, PAGE);
}

void xencall_free_buffer_pages(void *call, void *buffer, size_t pages)
{
    (void)call, (void)pages;
    free(buffer);
}

int xencall1(void *call, unsigned op)
{
    (void)call, (void)op;
    return 0;
}

int xencall2(void *call, unsigned op)
{
    (void)call, (void)op;
    return 0;
}

int xencall3(void *call, unsigned op)
{
    (void)call, (void)op;
    return 0;
}

// libxenforeignmemory, libxendevicemodel and libxenstore
void *xenforeignmemory_open(void *logger, unsigned flags);
int xenforeignmemory_close(void *memory);
void *xendevicemodel_open(void *logger, unsigned flags);
int xendevicemodel_close(void *model);
void *xs_open(unsigned long flags);
void xs_close(void *store);

void *xenforeignmemory_open(void *logger, unsigned flags)
{
    (void)logger, (void)flags;
    return &handle;
}

int xenforeignmemory_close(void *memory)
{
    (void)memory;
    return 0;
}

void *xendevicemodel_open(void *logger, unsigned flags)
{
    (void)logger, (void)flags;
    return &handle;
}

int xendevicemodel_close(void *model)
{
    (void)model;
    return 0;
}

void *xs_open(unsigned long flags)
{
    (void)flags;
    return &handle;
}

void xs_close(void *store)
{
    (void)store;
}
