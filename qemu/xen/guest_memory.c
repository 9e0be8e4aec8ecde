/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Guest memory, mapped in regions of 64 KiB that stay until Xen says that the
 * guest's memory map has changed (IOREQ_TYPE_INVALIDATE) or until their place
 * is needed. Sound buffers are few and reused for hours, so after the first
 * touch an access is a memcpy.
 */
#include "xen/guest_private.h"

#include <string.h>
#include <sys/mman.h>

#include "base/clock.h"
#include "base/realtime.h"

/* How soon a page that had no RAM behind it is looked for again: often enough for a guest that
 * balloons up, rarely enough that pointing DMA at a hole costs next to nothing. */
#define ABSENT_RETRY_NS (100 * NS_PER_MS)

static void region_unmap(struct guest *g, struct guest_region *r)
{
    if (r->pages) {
        xenforeignmemory_unmap(g->fmem, r->pages, REGION_PAGES);
        r->pages = NULL;
    }
}

void guest_memory_drop(struct guest *g)
{
    for (unsigned i = 0; i < REGION_COUNT; i++) {
        region_unmap(g, &g->memory.regions[i]);
    }
}

static bool region_map(struct guest *g, struct guest_region *r, uint64_t first_gfn, bool writable)
{
    xen_pfn_t gfns[REGION_PAGES];
    int errors[REGION_PAGES];
    RT_EXEMPT("a buffer's first touch: Xen's library may wait for pages that have been paged out");

    for (unsigned i = 0; i < REGION_PAGES; i++) {
        gfns[i] = first_gfn + i;
        errors[i] = 0;
    }
    r->first_gfn = first_gfn;
    r->writable = writable;
    r->tried_ns = clock_now_ns();
    r->absent = 0;
    r->pages =
        xenforeignmemory_map(g->fmem, g->domid, writable ? PROT_READ | PROT_WRITE : PROT_READ,
                             REGION_PAGES, gfns, errors);
    for (unsigned i = 0; i < REGION_PAGES; i++) {
        r->absent |= (uint32_t)(errors[i] != 0) << i;
    }
    return r->pages != NULL;
}

/* The region around gfn, mapped; NULL if it cannot be. */
static struct guest_region *region_for(struct guest *g, uint64_t gfn, bool writable)
{
    struct guest_memory *m = &g->memory;
    uint64_t first = gfn - gfn % REGION_PAGES;
    uint32_t page_bit = UINT32_C(1) << (gfn - first);
    struct guest_region *r = NULL;

    for (unsigned i = 0; i < REGION_COUNT; i++) {
        if (m->regions[i].pages && m->regions[i].first_gfn == first) {
            r = &m->regions[i];
            break;
        }
    }
    if (r) {
        bool stale = (r->absent & page_bit) && clock_now_ns() - r->tried_ns >= ABSENT_RETRY_NS;

        if (!stale && (r->writable || !writable)) {
            return r;
        }
        writable |= r->writable;
    } else {
        r = &m->regions[m->next_victim];
        m->next_victim = (m->next_victim + 1) % REGION_COUNT;
    }
    region_unmap(g, r);
    return region_map(g, r, first, writable) ? r : NULL;
}

/* Where the byte at address is mapped, with *len cut to what follows it in its page; NULL where
 * there is no RAM. */
static uint8_t *locate(struct guest *g, uint64_t address, size_t *len, bool writable)
{
    uint64_t gfn = address / GUEST_PAGE_BYTES;
    size_t in_page = address % GUEST_PAGE_BYTES;
    struct guest_region *r = region_for(g, gfn, writable);
    uint64_t page;

    if (*len > GUEST_PAGE_BYTES - in_page) {
        *len = GUEST_PAGE_BYTES - in_page;
    }
    if (!r) {
        return NULL;
    }
    page = gfn - r->first_gfn;
    if (r->absent & (UINT32_C(1) << page)) {
        return NULL;
    }
    return r->pages + page * GUEST_PAGE_BYTES + in_page;
}

bool guest_read(struct guest *g, uint64_t address, void *data, size_t len)
{
    uint8_t *to = data;
    bool all = true;

    while (len) {
        size_t n = len;
        const uint8_t *from = locate(g, address, &n, false);

        if (from) {
            memcpy(to, from, n);
        } else {
            memset(to, 0, n);
            all = false;
        }
        to += n;
        address += n;
        len -= n;
    }
    return all;
}

/* A no-op unless the domain is being migrated; then the page must be sent again. */
static void report_dirty(struct guest *g, uint64_t gfn)
{
    RT_EXEMPT(DEVICE_MODEL_CALL);

    (void)xendevicemodel_modified_memory(g->dm, g->domid, gfn, 1);
}

bool guest_write(struct guest *g, uint64_t address, const void *data, size_t len)
{
    const uint8_t *from = data;
    bool all = true;

    while (len) {
        size_t n = len;
        uint8_t *to = locate(g, address, &n, true);

        if (to) {
            memcpy(to, from, n);
            report_dirty(g, address / GUEST_PAGE_BYTES);
        } else {
            all = false;
        }
        from += n;
        address += n;
        len -= n;
    }
    return all;
}
