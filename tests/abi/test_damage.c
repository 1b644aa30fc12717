/* test_damage.c - damaged shared objects: listing and finding survive each.
 *
 * Damage is seeded, so a failure can be made again. A file whose damage lies
 * where nobody looks is loaded, and that is right.
 *
 * Not here: plugins that are whole but wrong (test_load.c). */
#include <elf.h>
#include <link.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "kit.h"
#include "load/probe.h"

#define MUTATIONS 100

/* Splitmix64 (Steele, Lea and Flood 2014, OOPSLA, figure 15). */
static uint64_t chance(uint64_t *seed)
{
    uint64_t z = (*seed += 0x9e3779b97f4a7c15u);

    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

/* One file in four is cut, one has a damaged header, the others are damaged in
 * up to sixteen places; some bytes become 0 or 0xff, which lengths like. */
static size_t damage(unsigned char *bytes, size_t size, uint64_t seed)
{
    uint64_t kind = chance(&seed) % 4, places = 1 + chance(&seed) % 16;
    size_t reach = kind == 1 ? 1024 : size;

    if (kind == 0)
        return (size_t)(chance(&seed) % size);
    while (places--) {
        size_t at = (size_t)(chance(&seed) % reach);
        uint64_t value = chance(&seed);

        bytes[at] = value % 4 == 0 ? 0 : value % 4 == 1 ? 0xff : (unsigned char)(value >> 8);
    }
    return size;
}

static void listing_and_finding_survive_damaged_files(void **state)
{
    struct kit *kit = *state;
    size_t size, loaded = 0, killed = 0, refused = 0;
    unsigned char *good, *bad;

    kit_build(kit, "op_good.so", "");
    good = kit_read(kit, "op_good.so", &size);
    bad = malloc(size);
    assert_non_null(bad);
    for (uint64_t seed = 1; seed <= MUTATIONS; seed++) {
        size_t count;

        memcpy(bad, good, size);
        kit_write(kit, "op_good.so", bad, damage(bad, size, seed));
        kit_open(kit);
        assert_non_null(plugins_list(kit->plugins, &count));
        assert_int_equal(count, 1);
        if (kit_find(kit, "op_good"))
            loaded++;
        else if (strstr(kit->why, "kills its loader"))
            killed++;
        else
            refused++;
        assert_null(strchr(kit->why, '\n'));
    }
    printf("%d damaged files: %zu refused, %zu killed the probe, %zu loaded\n", MUTATIONS, refused, killed, loaded);
    assert_true(killed > 0); /* else the damage is too mild to show anything */
    free(good);
    free(bad);
}

static void a_file_cut_anywhere_is_refused(void **state)
{
    struct kit *kit = *state;
    unsigned char *good;
    size_t size, end = 0;
    ElfW(Ehdr) header;

    kit_build(kit, "op_good.so", "");
    good = kit_read(kit, "op_good.so", &size);
    memcpy(&header, good, sizeof header);
    for (unsigned i = 0; i < header.e_phnum; i++) {
        ElfW(Phdr) segment;

        memcpy(&segment, good + header.e_phoff + i * sizeof segment, sizeof segment);
        if (segment.p_type == PT_LOAD && segment.p_offset + segment.p_filesz > end)
            end = segment.p_offset + segment.p_filesz;
    }
    assert_true(end > 0 && end <= size);
    for (size_t length = 0; length < end; length += 1 + length / 8) {
        kit_write(kit, "op_good.so", good, length);
        kit_open(kit);
        expect_refused(kit, "op_good", "op_good.so: ");
    }
    kit_write(kit, "op_good.so", good, end - 1);
    kit_open(kit);
    expect_refused(kit, "op_good", "is cut off");
    free(good);
}

static void machine_set(unsigned char *bytes, size_t at, unsigned value)
{
    bytes[at] = (unsigned char)value;
}

static void a_file_of_another_machine_is_named_as_such(void **state)
{
    struct kit *kit = *state;
    unsigned char *good;
    size_t size;

    kit_build(kit, "op_good.so", "");
    good = kit_read(kit, "op_good.so", &size);
    machine_set(good, EI_CLASS, good[EI_CLASS] == ELFCLASS64 ? ELFCLASS32 : ELFCLASS64);
    kit_write(kit, "op_good.so", good, size);
    expect_refused(kit, "op_good", "-bit");
    machine_set(good, EI_CLASS, good[EI_CLASS] == ELFCLASS64 ? ELFCLASS32 : ELFCLASS64);
    machine_set(good, offsetof(ElfW(Ehdr), e_machine), EM_S390);
    kit_write(kit, "op_good.so", good, size);
    kit_open(kit);
    expect_refused(kit, "op_good", "is built for another machine (ELF machine 22)");
    free(good);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, kit_setup, kit_teardown)
        TEST(listing_and_finding_survive_damaged_files),
        TEST(a_file_cut_anywhere_is_refused),
        TEST(a_file_of_another_machine_is_named_as_such),
    };

    if (plugin_probe_asked(argc, argv))
        return plugin_probe_main(PLUGIN_PROBE_FD);
    return cmocka_run_group_tests_name("damage", tests, NULL, NULL);
}
