/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "card/checkpoint.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>

struct checkpoint *checkpoint_create(struct err *err)
{
    struct checkpoint *c =
        mmap(NULL, sizeof(*c), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

    if (c == MAP_FAILED) {
        err_set(err, "no memory to keep the sound card's state in: %s", strerror(errno));
        return NULL;
    }
    atomic_store(&c->copies[0].answered_vcpu, -1);
    return c;
}

static uint32_t latest(const struct checkpoint *c)
{
    return atomic_load_explicit(&c->latest, memory_order_acquire) & 1;
}

void rt_checkpoint_begin(struct checkpoint *c)
{
    atomic_store_explicit(&c->copies[latest(c)].answered_vcpu, -1, memory_order_release);
}

uint8_t *rt_checkpoint_room(struct checkpoint *c)
{
    return c->copies[!latest(c)].state;
}

void rt_checkpoint_commit(struct checkpoint *c, size_t size, const struct guest_answer *answer)
{
    uint32_t next = !latest(c);
    struct checkpoint_copy *copy = &c->copies[next];

    copy->size = size <= CHECKPOINT_BYTES ? (uint32_t)size : 0;
    copy->answer = answer ? answer->value : 0;
    atomic_store_explicit(&copy->answered_vcpu, answer ? answer->vcpu : -1, memory_order_relaxed);
    atomic_store_explicit(&c->latest, next, memory_order_release);
}

size_t checkpoint_read(const struct checkpoint *c, uint8_t bytes[CHECKPOINT_BYTES],
                       struct guest_answer *answer)
{
    const struct checkpoint_copy *copy = &c->copies[latest(c)];
    size_t size = copy->size;

    if (answer) {
        answer->vcpu = atomic_load_explicit(&copy->answered_vcpu, memory_order_relaxed);
        answer->value = copy->answer;
    }
    if (size > CHECKPOINT_BYTES) {
        return 0;
    }
    memcpy(bytes, copy->state, size);
    return size;
}
