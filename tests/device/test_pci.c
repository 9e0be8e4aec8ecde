/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The PCI configuration space: the ES1370's own, and what any function's does. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "fakes/es1370_machine.h"

static struct machine machine;
static struct pci_function *const pci = &machine.card.pci;

static struct {
    unsigned times;
    unsigned index;
    struct pci_bar bar;
} told;

static void bar_changed(void *opaque, unsigned index, const struct pci_bar *bar)
{
    assert_ptr_equal(opaque, &told);
    told.times++;
    told.index = index;
    told.bar = *bar;
}

static int set_up(void **state)
{
    (void)state;
    machine_power_on(&machine);
    es1370_reset(&machine.card);
    told.times = 0;
    pci->opaque = &told;
    pci->bar_changed = bar_changed;
    return 0;
}

static void identity(void **state)
{
    (void)state;
    assert_int_equal(pci_config_read(pci, 0x00, 4), 0x50001274);
    assert_int_equal(pci_config_read(pci, 0x04, 4), 0x04000000);
    assert_int_equal(pci_config_read(pci, 0x08, 4), 0x04010000);
    assert_int_equal(pci_config_read(pci, 0x0c, 4), 0x00000000);
    assert_int_equal(pci_config_read(pci, 0x2c, 4), 0x4c4c4942);
    assert_int_equal(pci_config_read(pci, 0x34, 4), 0x00000000);
    assert_int_equal(pci_config_read(pci, 0x3c, 4), 0x800c0100);
    for (unsigned offset = 0x40; offset < 0x100; offset += 4) {
        assert_int_equal(pci_config_read(pci, offset, 4), 0);
    }
}

static void narrow_reads(void **state)
{
    (void)state;
    assert_int_equal(pci_config_read(pci, PCI_VENDOR_ID, 2), 0x1274);
    assert_int_equal(pci_config_read(pci, PCI_DEVICE_ID, 2), 0x5000);
    assert_int_equal(pci_config_read(pci, PCI_DEVICE_ID + 1, 1), 0x50);
    assert_int_equal(pci_config_read(pci, PCI_CLASS + 2, 1), 0x04);
    assert_int_equal(pci_config_read(pci, PCI_MAX_LAT, 1), 0x80);
}

/* Which bits of the header a guest can set, by trying to set and to clear all of them. */
static void writable_bits(void **state)
{
    (void)state;
    for (unsigned offset = 0; offset < 0x100; offset += 4) {
        uint32_t before = pci_config_read(pci, offset, 4);
        uint32_t may = 0;

        switch (offset) {
        case PCI_COMMAND:
            may = PCI_COMMAND_IO | PCI_COMMAND_MASTER |
                  PCI_COMMAND_SERR; /* a PCI 2.1 chip: no more */
            break;
        case 0x0c:
            may = 0x0000ff00; /* latency timer */
            break;
        case PCI_BAR0:
            may = 0xffffffc0;
            break;
        case 0x3c:
            may = 0x000000ff; /* interrupt line */
            break;
        }
        pci_config_write(pci, offset, 4, 0xffffffff);
        assert_int_equal(pci_config_read(pci, offset, 4), before | may);
        pci_config_write(pci, offset, 4, 0);
        assert_int_equal(pci_config_read(pci, offset, 4), before & ~may);
    }
}

static void sizing(void **state)
{
    (void)state;
    pci_config_write(pci, PCI_BAR0, 4, 0xffffffff);
    assert_int_equal(pci_config_read(pci, PCI_BAR0, 4), 0xffffffc1); /* I/O, 64 bytes */
    pci_config_write(pci, PCI_BAR0, 4, 0xc040);
    assert_int_equal(pci_config_read(pci, PCI_BAR0, 4), 0xc041);
    for (unsigned bar = 1; bar < 6; bar++) {
        pci_config_write(pci, PCI_BAR0 + 4 * bar, 4, 0xffffffff);
        assert_int_equal(pci_config_read(pci, PCI_BAR0 + 4 * bar, 4), 0);
    }
    pci_config_write(pci, 0x30, 4, 0xffffffff); /* expansion ROM */
    assert_int_equal(pci_config_read(pci, 0x30, 4), 0);
    assert_int_equal(told.times, 0);
}

static void bar_is_told_when_it_moves(void **state)
{
    (void)state;
    pci_config_write(pci, PCI_BAR0, 4, 0xc100);
    assert_int_equal(told.times, 0); /* not decoded yet */
    pci_config_write(pci, PCI_COMMAND, 2, PCI_COMMAND_IO);
    assert_int_equal(told.times, 1);
    assert_int_equal(told.index, 0);
    assert_true(told.bar.mapped && told.bar.io);
    assert_int_equal(told.bar.base, 0xc100);
    assert_int_equal(told.bar.bytes, 64);

    pci_config_write(pci, PCI_COMMAND, 2, PCI_COMMAND_IO | PCI_COMMAND_MASTER);
    pci_config_write(pci, PCI_BAR0, 4, 0xc13f); /* low bits are not address */
    assert_int_equal(told.times, 1);            /* neither moves it */

    pci_config_write(pci, PCI_BAR0 + 1, 1, 0xc2);
    assert_int_equal(told.times, 2);
    assert_int_equal(told.bar.base, 0xc200);
    pci_config_write(pci, PCI_BAR0, 2, 0x0300);
    assert_int_equal(told.times, 3);
    assert_int_equal(told.bar.base, 0x0300);

    pci_config_write(pci, PCI_COMMAND, 1, PCI_COMMAND_MASTER);
    assert_int_equal(told.times, 4);
    assert_false(told.bar.mapped);
    assert_int_equal(told.bar.base, 0);
}

/* Sizing with decoding left on, as some firmware does: all ones, zero and addresses above the
 * last port are nowhere. */
static void nowhere(void **state)
{
    (void)state;
    pci_config_write(pci, PCI_COMMAND, 2, PCI_COMMAND_IO);
    pci_config_write(pci, PCI_BAR0, 4, 0xc000);
    assert_true(told.bar.mapped);
    pci_config_write(pci, PCI_BAR0, 4, 0xffffffff);
    assert_int_equal(told.times, 2);
    assert_false(told.bar.mapped);
    pci_config_write(pci, PCI_BAR0, 4, 0x10000);
    pci_config_write(pci, PCI_BAR0, 4, 0);
    assert_int_equal(told.times, 2);
    pci_config_write(pci, PCI_BAR0, 4, 0xffc0); /* the last 64 ports */
    assert_int_equal(told.times, 3);
    assert_true(told.bar.mapped);
    assert_int_equal(told.bar.base, 0xffc0);
}

static void reset(void **state)
{
    (void)state;
    pci_config_write(pci, PCI_BAR0, 4, 0xc000);
    pci_config_write(pci, PCI_COMMAND, 2, PCI_COMMAND_IO | PCI_COMMAND_SERR);
    pci_config_write(pci, PCI_INTERRUPT_LINE, 1, 11);
    pci_reset(pci);
    assert_int_equal(told.times, 2);
    assert_false(told.bar.mapped);
    assert_int_equal(pci_command(pci), 0);
    assert_int_equal(pci_config_read(pci, PCI_BAR0, 4), 1);
    assert_int_equal(pci_config_read(pci, PCI_INTERRUPT_LINE, 1), 0);
    identity(state);
}

static void illegal_accesses(void **state)
{
    static const struct {
        unsigned offset, bytes;
    } illegal[] = {{0x03, 2}, {0x01, 4}, {0x02, 4},       {0x00, 3},       {0x00, 0},
                   {0x00, 8}, {0xfe, 4}, {0x100, 1},      {0x100, 4},      {0x10d, 1},
                   {~0u, 1},  {~0u, 4},  {0x80000004, 2}, {0x04, 0xffffff}};

    (void)state;
    for (size_t i = 0; i < sizeof(illegal) / sizeof(illegal[0]); i++) {
        struct pci_function before = *pci;

        assert_int_equal(pci_config_read(pci, illegal[i].offset, illegal[i].bytes), UINT32_MAX);
        pci_config_write(pci, illegal[i].offset, illegal[i].bytes, 0xffffffff);
        assert_memory_equal(before.config, pci->config, sizeof(before.config));
    }
}

static void memory_bar(void **state)
{
    static struct pci_function f;

    (void)state;
    f.opaque = &told;
    f.bar_changed = bar_changed;
    pci_set_writable(&f, PCI_COMMAND, 2, PCI_COMMAND_IO | PCI_COMMAND_MEMORY);
    pci_add_bar(&f, 1, false, 4096);
    pci_config_write(&f, PCI_BAR0 + 4, 4, 0xffffffff);
    assert_int_equal(pci_config_read(&f, PCI_BAR0 + 4, 4), 0xfffff000);
    pci_config_write(&f, PCI_COMMAND, 2, PCI_COMMAND_MEMORY);
    assert_int_equal(told.times, 0); /* sizing is no address */
    pci_config_write(&f, PCI_BAR0 + 4, 4, 0xf2000000);
    assert_int_equal(told.times, 1);
    assert_int_equal(told.index, 1);
    assert_true(told.bar.mapped && !told.bar.io);
    assert_int_equal(told.bar.base, 0xf2000000);
    pci_config_write(&f, PCI_COMMAND, 2, PCI_COMMAND_IO);
    assert_int_equal(told.times, 2);
    assert_false(told.bar.mapped);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(identity, set_up),
        cmocka_unit_test_setup(narrow_reads, set_up),
        cmocka_unit_test_setup(writable_bits, set_up),
        cmocka_unit_test_setup(sizing, set_up),
        cmocka_unit_test_setup(bar_is_told_when_it_moves, set_up),
        cmocka_unit_test_setup(nowhere, set_up),
        cmocka_unit_test_setup(reset, set_up),
        cmocka_unit_test_setup(illegal_accesses, set_up),
        cmocka_unit_test_setup(memory_bar, set_up),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
