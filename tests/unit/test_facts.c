/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What is read of a domain in xenstore (a fake one), with the guest's part of it telling lies.
 * Whole machines are in test_old_golden.c.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "fakes/fake_store.h"
#include "traditional/facts.h"

#define ROUNDS 3000

static struct store *store;

static int set_up(void **state)
{
    struct err err;

    (void)state;
    fake_store_reset();
    store = store_open(&err);
    return store ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    store_close(store);
    fake_store_reset();
    return 0;
}

static void set(const char *path, const char *text)
{
    fake_store_set(path, text);
}

static void set_disk(const char *number, const char *kind, const char *dev, const char *type,
                     const char *params)
{
    char frontend[100], backend[100], path[200];

    snprintf(frontend, sizeof(frontend), "/local/domain/5/device/vbd/%s", number);
    snprintf(backend, sizeof(backend), "/local/domain/0/backend/%s/5/%s", kind, number);
    snprintf(path, sizeof(path), "%s/backend", frontend);
    set(path, backend);
    snprintf(path, sizeof(path), "%s/frontend", backend);
    set(path, frontend);
    snprintf(path, sizeof(path), "%s/dev", backend);
    set(path, dev);
    snprintf(path, sizeof(path), "%s/type", backend);
    set(path, type);
    snprintf(path, sizeof(path), "%s/params", backend);
    set(path, params);
    snprintf(path, sizeof(path), "%s/mode", backend);
    set(path, "w");
}

static struct old_facts facts;

static void read_facts(void)
{
    struct err err;

    if (!facts_read(&facts, store, 5, &err))
        fail_msg("%s", err.text);
}

static void test_nothing(void **state)
{
    static const struct old_facts none;

    (void)state;
    read_facts();
    assert_memory_equal(&facts, &none, sizeof(none));
}

static void test_machine(void **state)
{
    (void)state;
    set("/local/domain/5/memory/static-max", "1048576");
    set("/local/domain/5/memory/target", "524288");
    set("/local/domain/5/memory/videoram", "8192");
    set("/local/domain/5/cpu/0/availability", "online");
    set("/local/domain/5/cpu/1/availability", "offline");
    set("/local/domain/5/cpu/2/availability", "online");
    set("/local/domain/5/vm", "/vm/0d9f2a5e-0000-4bd0-9d6c-000000000001");
    set("/local/domain/0/device-model/5/disable_pf", "1");
    set("/local/domain/5/platform/mmio_hole_size", "1073741824");
    read_facts();
    assert_int_equal(facts.memory_kib, 1048576);
    assert_int_equal(facts.videoram_kib, 8192);
    assert_int_equal(facts.vcpus_online, 2);
    assert_true(facts.no_platform_device);
    assert_int_equal(facts.mmio_hole_bytes, 1073741824);
    assert_string_equal(facts.vnc_password_path,
                        "/vm/0d9f2a5e-0000-4bd0-9d6c-000000000001/vncpasswd");

    /* xend says the target alone, which is without the video memory. */
    set("/local/domain/5/memory/static-max", NULL);
    read_facts();
    assert_int_equal(facts.memory_kib, 524288);
    assert_int_equal(facts.videoram_kib, 0);
}

static void test_nonsense(void **state)
{
    (void)state;
    set("/local/domain/5/memory/static-max", "-1");
    set("/local/domain/5/memory/target", "99999999999999999999999");
    set("/local/domain/5/vm", "/vm/../local/domain/0");
    set("/local/domain/5/platform/mmio_hole_size", "4294967296");
    set("/local/domain/5/cpu/0/availability", "");
    read_facts();
    assert_int_equal(facts.memory_kib, 0);
    assert_string_equal(facts.vnc_password_path, "");
    assert_int_equal(facts.mmio_hole_bytes, 0);
    assert_int_equal(facts.vcpus_online, 0);

    set("/local/domain/5/vm", "/local/domain/0");
    set("/local/domain/5/platform/mmio_hole_size", "4096");
    read_facts();
    assert_string_equal(facts.vnc_password_path, "");
    assert_int_equal(facts.mmio_hole_bytes, 0);
}

static void expect_disk(unsigned number, const char *path, const char *format)
{
    assert_true(number < facts.disk_count);
    assert_string_equal(facts.disks[number].path, path);
    assert_string_equal(facts.disks[number].format, format);
}

static void test_media(void **state)
{
    (void)state;
    set_disk("768", "vbd", "hda", "phy", "vg/a");
    set_disk("832", "vbd", "hdb", "file", "/srv/b.img");
    set_disk("5632", "tap", "hdc", "tap", "tapdisk:aio:/srv/c:d.img");
    set_disk("5696", "qdisk", "hdd", "qdisk", "qcow2:/srv/d.qcow2");
    set_disk("2048", "qdisk", "sda", "qdisk", "vhd:/srv/a.vhd");
    read_facts();
    assert_string_equal(facts.note, "");
    assert_int_equal(facts.disk_count, 5);
    expect_disk(0, "/dev/vg/a", "raw");
    expect_disk(1, "/srv/b.img", "raw");
    expect_disk(2, "/srv/a.vhd", "vpc"); /* in the order of their numbers */
    assert_true(facts.disks[2].is_scsi);
    assert_int_equal(facts.disks[2].vbd, 2048);
    expect_disk(3, "/srv/c:d.img", "raw");
    assert_int_equal(facts.disks[3].unit, 2);
    expect_disk(4, "/srv/d.qcow2", "qcow2");
}

static void expect_left_out(const char *type, const char *params, const char *note)
{
    fake_store_reset();
    set_disk("768", "qdisk", "hda", type, params);
    read_facts();
    assert_int_equal(facts.disk_count, 0);
    if (!strstr(facts.note, note))
        fail_msg("%s %s: %s", type, params, facts.note);
}

static void test_left_out(void **state)
{
    char *path = malloc(OLD_PATH_MAX + 10);

    (void)state;
    assert_non_null(path);
    memset(path, '/', OLD_PATH_MAX);
    path[OLD_PATH_MAX] = '\0';
    expect_left_out("phy", path, "longer than the 1024 bytes");
    free(path);
    expect_left_out("phy", "", "it has no image");
    expect_left_out("qdisk", "aio:", "it has no image");
    expect_left_out("qdisk", "aio", "no format that the engine has");
    expect_left_out("qdisk", "aio:nbd:10.0.0.1:10809", "not an absolute path");
    expect_left_out("qdisk", "ram:/x", "no format that the engine has");
    expect_left_out("nonsense", "/x", "no format that the engine has");
    expect_left_out("file", "x", "not an absolute path");

    set("/local/domain/0/backend/qdisk/5/768/type", NULL);
    read_facts();
    assert_non_null(strstr(facts.note, "has no type or no params"));
}

static void test_places(void **state)
{
    (void)state;
    set_disk("51712", "vbd", "xvda", "phy", "a");
    read_facts();
    expect_disk(0, "/dev/a", "raw");

    set_disk("832", "vbd", "hdb", "phy", "b"); /* now xvda is for Xen drivers */
    set_disk("768", "vbd", "hda1", "phy", "c");
    set_disk("8448", "vbd", "hde", "phy", "d");
    set_disk("2160", "vbd", "sdh", "phy", "e");
    set_disk("2144", "vbd", "sdg", "phy", "f");
    set_disk("833", "vbd", "hdb", "phy", "g");
    set_disk("834", "vbd", "", "phy", "h");
    read_facts();
    assert_int_equal(facts.disk_count, 2);
    expect_disk(0, "/dev/b", "raw");
    expect_disk(1, "/dev/f", "raw");
    assert_non_null(strstr(facts.note, "disk xvda is for the guest's Xen drivers only"));
    assert_non_null(strstr(facts.note, "disk hda1 is"));
    assert_non_null(strstr(facts.note, "disk hde is"));
    assert_non_null(strstr(facts.note, "disk hdb is")); /* the second one */
}

static void test_read_only(void **state)
{
    (void)state;
    set_disk("768", "vbd", "hda", "phy", "a");
    set("/local/domain/0/backend/vbd/5/768/mode", "r");
    set_disk("2048", "vbd", "sda", "phy", "b");
    set("/local/domain/0/backend/vbd/5/2048/mode", "r");
    set_disk("5632", "vbd", "hdc", "phy", "");
    set("/local/domain/0/backend/vbd/5/5632/mode", "r");
    set("/local/domain/0/backend/vbd/5/5632/device-type", "cdrom");
    read_facts();
    assert_int_equal(facts.disk_count, 2);
    assert_true(facts.disks[0].is_scsi && facts.disks[0].is_read_only);
    assert_true(facts.disks[1].is_cdrom);
    assert_string_equal(facts.disks[1].path, "");
    assert_non_null(strstr(facts.note, "call it sda, or give it mode w"));
}

/* The backend's word counts before that of the guest. */
static void test_cdrom(void **state)
{
    (void)state;
    set_disk("768", "vbd", "hda", "phy", "a");
    set("/local/domain/5/device/vbd/768/device-type", "cdrom");
    read_facts();
    assert_true(facts.disks[0].is_cdrom);
    set("/local/domain/0/backend/vbd/5/768/device-type", "disk");
    read_facts();
    assert_false(facts.disks[0].is_cdrom);
}

/* Backends that the guest may not have, and names that are none. */
static void test_lies(void **state)
{
    char *backend;

    (void)state;
    set_disk("768", "vbd", "hda", "phy", "a");
    backend = facts_disk_backend(store, 5, "768");
    assert_string_equal(backend, "/local/domain/0/backend/vbd/5/768");
    free(backend);

    set("/local/domain/0/backend/vbd/6/768/frontend", "/local/domain/6/device/vbd/768");
    set("/local/domain/5/device/vbd/768/backend", "/local/domain/0/backend/vbd/6/768");
    assert_null(facts_disk_backend(store, 5, "768"));
    set("/local/domain/5/device/vbd/768/backend", "/local/domain/5/data");
    set("/local/domain/5/data/frontend", "/local/domain/5/device/vbd/768");
    assert_null(facts_disk_backend(store, 5, "768"));
    set("/local/domain/5/device/vbd/768/backend", "/local/domain/0/backend/qdisk/5/768");
    set("/local/domain/0/backend/qdisk/5/768/frontend", "/local/domain/6/device/vbd/768");
    assert_null(facts_disk_backend(store, 5, "768"));
    read_facts();
    assert_int_equal(facts.disk_count, 0);

    set("/local/domain/5/device/vbd/../backend", "/local/domain/0/backend/vbd/5/..");
    set("/local/domain/0/backend/vbd/5/../frontend", "/local/domain/5/device/vbd/..");
    assert_null(facts_disk_backend(store, 5, ".."));
    assert_null(facts_disk_backend(store, 5, ""));
    assert_null(facts_disk_backend(store, 5, "768 "));
}

static void test_many_disks(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 150; i++) {
        char number[20];

        snprintf(number, sizeof(number), "%u", 1000 + i);
        set_disk(number, "vbd", "hde", "phy", "x");
    }
    set_disk("768", "vbd", "hda", "phy", "a");
    read_facts();
    assert_int_equal(facts.disk_count, 1);
    assert_in_range(strlen(facts.note), 1, OLD_NOTE_MAX - 1);
}

static void test_announce(void **state)
{
    struct err err;

    (void)state;
    set("/local/domain/5/platform/device-model", "qemu_xen_traditional");
    assert_true(facts_announce_engine(store, 5, &err));
    assert_string_equal(fake_store_get("/local/domain/5/platform/device-model"), "qemu_xen");
    fake_store_refuse("/local/domain/5/platform/device-model");
    assert_false(facts_announce_engine(store, 5, &err));
}

/* --- at random --- */

/* Numerical Recipes' generator: the same numbers on every machine. */
static uint32_t seed;

static uint32_t draw(uint32_t limit)
{
    seed = seed * 1664525u + 1013904223u;
    return (seed >> 8) % limit;
}

static const char *pick(const char *const *texts, size_t count)
{
    return texts[draw((uint32_t)count)];
}

#define PICK(texts) pick(texts, sizeof(texts) / sizeof((texts)[0]))

static void set_at_random(void)
{
    static const char *const nodes[] = {
        "memory/static-max",
        "memory/videoram",
        "memory/target",
        "cpu/0/availability",
        "vm",
        "platform/mmio_hole_size",
        "device/vbd",
        "device/vbd/768/backend",
        "device/vbd/768/device-type",
        "device/vbd/a b/backend",
        "device/vbd/5632/backend",
    };
    static const char *const texts[] = {
        "",
        "0",
        "1",
        "17179869184",
        "4294967295",
        "online",
        "/vm/1",
        "/vm/1/2",
        "cdrom",
        "%s%n",
        "/local/domain/0/backend/vbd/5/768",
        "/local/domain/0/backend/qdisk/5/5632",
        "\xff\n",
    };
    static const char *const numbers[] = {"768", "832", "5632", "51712", "2048", "2064"};
    static const char *const kinds[] = {"vbd", "tap", "qdisk"};
    static const char *const devs[] = {"hda", "hdd", "xvda", "sda", "sdg", "hd", "", "\xff", "sd "};
    static const char *const types[] = {"phy", "file", "tap", "qdisk", "", "vmdk"};
    static const char *const params[] = {
        "", ":", "aio:/x", "aio:", "tapdisk:", "/", "qcow:/a,b", "x", "::::", "tapdisk:aio:/x"};
    char path[100];

    if (draw(2)) {
        set_disk(PICK(numbers), PICK(kinds), PICK(devs), PICK(types), PICK(params));
        return;
    }
    snprintf(path, sizeof(path), "/local/domain/5/%s", PICK(nodes));
    set(path, draw(5) ? PICK(texts) : NULL);
}

static void test_random(void **state)
{
    unsigned disks = 0;

    (void)state;
    seed = 1;
    for (int i = 0; i < ROUNDS; i++) {
        set_at_random();
        read_facts();
        assert_in_range(facts.disk_count, 0, OLD_DISKS_MAX);
        for (unsigned j = 0; j < facts.disk_count; j++) {
            const struct old_disk *disk = &facts.disks[j];

            assert_non_null(disk->format);
            assert_true(disk->path[0] == '/' || (disk->path[0] == '\0' && disk->is_cdrom));
            assert_true(disk->unit < (disk->is_scsi ? 7 : 4));
        }
        disks += facts.disk_count;
        if (draw(50) == 0)
            fake_store_reset();
    }
    assert_in_range(disks, ROUNDS / 10, ROUNDS * 20);
}

/* The fake does as xenstore does, which others' tests rely on. */
static void test_fake(void **state)
{
    char *path, *token, **names;
    unsigned count;
    struct err err;

    (void)state;
    set("/a/b/c", "1");
    set("/a/b/d", "2");
    set("/a/bb", "3");
    names = store_list(store, "/a", &count);
    assert_int_equal(count, 2);
    assert_string_equal(names[0], "b");
    assert_string_equal(names[1], "bb");
    free(names);
    assert_null(store_list(store, "/x", &count));

    assert_true(store_watch(store, "/a/b", "t", &err));
    assert_true(store_next(store, &path, &token)); /* at once */
    assert_string_equal(path, "/a/b");
    assert_string_equal(token, "t");
    free(path);
    free(token);
    set("/a/bb", "4");
    assert_false(store_next(store, &path, &token));
    set("/a/b/c", "5");
    assert_true(store_next(store, &path, &token));
    assert_string_equal(path, "/a/b/c");
    free(path);
    free(token);
    assert_true(store_remove(store, "/a"));
    assert_true(store_next(store, &path, &token));
    assert_string_equal(path, "/a/b");
    free(path);
    free(token);
    assert_null(store_read(store, "/a/bb"));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(test_nothing),  TEST(test_machine),    TEST(test_nonsense),  TEST(test_media),
        TEST(test_left_out), TEST(test_places),     TEST(test_read_only), TEST(test_cdrom),
        TEST(test_lies),     TEST(test_many_disks), TEST(test_announce),  TEST(test_random),
        TEST(test_fake),
    };

    return cmocka_run_group_tests_name("facts", tests, NULL, NULL);
}
