/* test_store_damage.c - a store whose file is no longer what was written: one damage at
 * a time, and what exactly it costs.
 *
 * Not here: damage at random (test_store_mutations.c). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "keep/heads.h"
#include "store_image.h"
#include "store_kit.h"

/* Flips a bit of all copies of these bytes: pages that are free hold older ones. */
static void copies_flip(struct image *image, const void *what, size_t size, size_t at, unsigned bit)
{
    uint8_t *next = image->bytes, *end = image->bytes + image->size;
    int found = 0;

    for (; (next = memmem(next, (size_t)(end - next), what, size)) != NULL; next++, found++)
        next[at] ^= (uint8_t)(1u << bit);
    assert_true(found > 0);
}

/* A record of a later version, with a check that is right, in place of all copies. */
static void formats_renew(struct image *image)
{
    uint8_t *next = image->bytes, *end = image->bytes + image->size, payload[HEADS_FORMAT_BYTES];
    const uint8_t key[1] = { HEAD_FORMAT };
    const struct value_place place = { value_database(HEADS_STATE), key, 1 };
    const struct seal plain = { 0 };
    int found = 0;

    for (; (next = memmem(next, (size_t)(end - next), "afferent store", 14)) != NULL; next++, found++) {
        memcpy(payload, next, sizeof payload);
        payload[16] = HEADS_VERSION + 1;
        value_write(&plain, &place, 0, payload, sizeof payload, next - VALUE_HEAD - 1 - 8);
    }
    assert_true(found > 0);
}

/* Both heads of the file are gone: nothing but the values says what they are. */
static void heads_spoil(const struct kit *k)
{
    struct image image;
    char path[KIT_PATH];

    kit_path(k, "store/data.mdb", path);
    image_read(path, &image);
    memset(image.bytes, 0x5a, 2 * PAGE);
    image_write(path, &image);
    free(image.bytes);
}

static void one_bit_costs_one_record_and_brings_none_back(void **state)
{
    uint64_t first, last, lost;
    struct store_figures figures;
    struct kept_queue q;
    struct image image;
    char path[KIT_PATH];
    uint8_t record[16384];
    void *bytes = NULL;
    size_t size;
    struct kit k;

    (void)state;
    kit_begin(&k);
    store_fill(&k);
    kit_path(&k, "store/data.mdb", path);
    image_read(path, &image);
    kit_record("a", 300, record);
    copies_flip(&image, record, kit_record_size(300), 5, 4);
    image_write(path, &image);
    free(image.bytes);
    /* Closed in order: found when it is read, or by who looks at all of it. */
    {
        struct store_health health;

        assert_int_equal(store_examine(k.folder, NULL, &health), STORE_OK);
        assert_true(health.opens == false && health.damaged == 1);
    }
    assert_int_equal(kit_open(&k), STORE_OK);
    q = kit_queue(&k, "a");
    assert_int_equal(kit_read_all(&k, "a", q.queue, &first, &last), GROUPS * PER_GROUP - ACKED - 1);
    assert_int_equal(kit_read_all(&k, "a", q.queue, &first, &last), GROUPS * PER_GROUP - ACKED - 1);
    assert_int_equal(store_figures(k.store, &figures), STORE_OK);
    assert_int_equal(figures.lost, 1);
    kept_group_add(&k.group, KEPT_ACK, q.queue, ACKED + 1, NULL, NULL, 0);
    assert_int_equal(kit_commit(&k), STORE_OK);
    q = kit_queue(&k, "a");
    assert_int_equal(q.records, GROUPS * PER_GROUP - ACKED - 2);
    kit_close(&k);

    /* Damaged state is found at each start; then all values are looked at. */
    image_read(path, &image);
    kit_record("a", 304, record);
    copies_flip(&image, record, kit_record_size(304), 5, 4);
    copies_flip(&image, "position 40", 11, 1, 0);
    image_write(path, &image);
    free(image.bytes);
    assert_int_equal(kit_open(&k), STORE_OK);
    assert_non_null(strstr(store_opened(k.store), "damaged-"));
    assert_int_equal(kit_files(&k, "damaged-"), 1);
    q = kit_queue(&k, "a");
    assert_int_equal(q.first, ACKED + 2);
    assert_int_equal(kit_read_all(&k, "a", q.queue, &first, &last), GROUPS * PER_GROUP - ACKED - 3);
    assert_int_equal(store_state(k.store, STORE_RESCUED, &bytes, &size), STORE_OK);
    assert_int_equal(size, 24);
    assert_int_equal(((uint8_t *)bytes)[4], STORE_MIXED);
    assert_true(position_check(&k, "position") < GROUPS); /* an older one, where a free page held it */
    memcpy(&lost, (uint8_t *)bytes + 8, 8);
    assert_true(lost >= 1);
    free(bytes);
    assert_int_equal(store_figures(k.store, &figures), STORE_OK);
    assert_int_equal(figures.set_aside, 1);
    assert_int_equal(figures.lost, 1 + lost);
    kit_end(&k);
}

static void without_any_tree_the_newest_of_each_counts(void **state)
{
    struct store_figures before, after;
    uint64_t first, last;
    struct kept_queue q;
    struct kit k;

    (void)state;
    kit_begin(&k);
    store_fill(&k);
    assert_int_equal(kit_open(&k), STORE_OK);
    assert_int_equal(store_figures(k.store, &before), STORE_OK);
    kit_close(&k);
    heads_spoil(&k);
    assert_int_equal(kit_open(&k), STORE_OK);
    assert_int_equal(position_check(&k, "position"), GROUPS);
    assert_int_equal(position_check(&k, "other"), GROUPS);
    q = kit_queue(&k, "a");
    assert_int_equal(q.next, GROUPS * PER_GROUP + 1);
    assert_int_equal(kit_read_all(&k, "a", q.queue, &first, &last), GROUPS * PER_GROUP - ACKED);
    assert_int_equal(first, ACKED + 1);
    assert_int_equal(store_figures(k.store, &after), STORE_OK);
    assert_true(after.group > before.group && after.incarnation > before.incarnation);
    assert_int_equal(after.lost, 0);
    kit_end(&k);
}

/* Wherever in the file the newest copy lies: first, last, or between older ones. */
static void without_any_tree_the_newest_state_counts_wherever_it_lies(void **state)
{
    struct kit k;

    (void)state;
    kit_begin(&k);
    assert_int_equal(kit_open(&k), STORE_OK);
    for (uint64_t n = 1, last = 0; n <= 10; n++) {
        char text[64];

        for (uint64_t i = 0; i < 1 + n % 5; i++) {
            snprintf(text, sizeof text, "position %llu", (unsigned long long)++last);
            kept_group_add(&k.group, KEPT_STATE, 0, 0, "position", text, strlen(text));
            kept_group_add(&k.group, KEPT_STATE, 0, 0, "other", text, strlen(text));
            assert_int_equal(kit_commit(&k), STORE_OK);
        }
        kit_close(&k);
        heads_spoil(&k);
        assert_int_equal(kit_open(&k), STORE_OK);
        assert_int_equal(position_check(&k, "position"), last);
        assert_int_equal(position_check(&k, "other"), last);
    }
    kit_end(&k);
}

static uint64_t number_at(const struct image *image, size_t at)
{
    uint64_t number;

    assert_true(at + 8 <= image->size);
    memcpy(&number, image->bytes + at, 8);
    return number;
}

/* LMDB would give that page out to be written over. */
static void a_page_in_use_that_is_called_free_is_noticed(void **state)
{
    enum { FREE_ROOT = 16 + 24 + 40, MAIN_ROOT = 16 + 72 + 40, GROUP = 16 + 128 };
    struct store_health health;
    struct image image;
    char path[KIT_PATH];
    uint64_t root, count, list;
    size_t meta, leaf, at;
    uint16_t node;
    struct kit k;

    (void)state;
    kit_begin(&k);
    store_fill(&k);
    assert_int_equal(store_examine(k.folder, NULL, &health), STORE_OK);
    assert_true(health.opens && health.damaged == 0 && health.whole > 400);
    kit_path(&k, "store/data.mdb", path);
    image_read(path, &image);
    meta = number_at(&image, GROUP) < number_at(&image, PAGE + GROUP) ? PAGE : 0;
    root = number_at(&image, meta + MAIN_ROOT);
    leaf = (size_t)number_at(&image, meta + FREE_ROOT) * PAGE;
    memcpy(&node, image.bytes + leaf + 16, 2);
    list = leaf + node + 8 + 8; /* behind the node's head and key */
    count = number_at(&image, (size_t)list);
    assert_true(count >= 1);
    for (at = (size_t)list + 8 * (size_t)count; at > list + 8 && number_at(&image, at - 8) < root; at -= 8)
        continue;
    memcpy(image.bytes + at, &root, 8);
    image_write(path, &image);
    free(image.bytes);
    assert_int_equal(store_examine(k.folder, NULL, &health), STORE_OK);
    assert_false(health.opens);
    assert_non_null(strstr(health.what, "two places"));
    kit_end(&k);
}

static void a_wrong_key_is_no_damage(void **state)
{
    static const uint8_t other[KIT_KEY] = "not the key";
    struct kit k;

    (void)state;
    kit_begin(&k);
    k.key = key_one;
    store_fill(&k);
    heads_spoil(&k);
    k.key = other;
    assert_int_equal(kit_open(&k), STORE_KEY);
    k.key = NULL;
    assert_int_equal(kit_open(&k), STORE_KEY);
    assert_int_equal(kit_files(&k, "damaged-"), 0);
    k.key = key_one;
    assert_int_equal(kit_open(&k), STORE_OK);
    assert_int_equal(position_check(&k, "position"), GROUPS);
    kit_end(&k);
}

static void a_store_of_a_later_version_is_refused(void **state)
{
    struct image image;
    char path[KIT_PATH];
    struct kit k;

    (void)state;
    kit_begin(&k);
    store_fill(&k);
    kit_path(&k, "store/data.mdb", path);
    image_read(path, &image);
    formats_renew(&image);
    image_write(path, &image);
    assert_int_equal(kit_open(&k), STORE_NEWER);
    assert_non_null(strstr(k.why, "later version"));
    memset(image.bytes, 0x5a, 2 * PAGE); /* also where only a search finds it */
    image_write(path, &image);
    assert_int_equal(kit_open(&k), STORE_NEWER);
    assert_int_equal(kit_files(&k, "damaged-"), 0);
    free(image.bytes);
    kit_end(&k);
}

static void a_bit_anywhere_in_a_sealed_value_is_noticed(void **state)
{
    static const char text[] = "a record that is sealed";
    struct image image;
    struct store_health health;
    char path[KIT_PATH];
    uint64_t noticed = 0, tried = 0;
    struct kit k;

    (void)state;
    kit_begin(&k);
    k.key = key_one;
    assert_int_equal(kit_open(&k), STORE_OK);
    kept_group_add(&k.group, KEPT_STATE, 0, 0, "piece", text, sizeof text);
    assert_int_equal(kit_commit(&k), STORE_OK);
    kit_close(&k);
    kit_path(&k, "store/data.mdb", path);
    image_read(path, &image);
    {
        /* Head, key, nonce, text, tag. What stands before the key is in the head. */
        size_t whole = VALUE_HEAD + 6 + 24 + sizeof text + 16;
        uint8_t *key = memmem(image.bytes, image.size, "\004piece", 6);

        assert_non_null(key);
        key = memmem(key + 6, image.size - (size_t)(key + 6 - image.bytes), "\004piece", 6);
        assert_non_null(key);
        for (size_t bit = 0; bit < whole * 8; bit += 3, tried++) {
            key[-VALUE_HEAD + (ptrdiff_t)(bit / 8)] ^= (uint8_t)(1u << bit % 8);
            image_write(path, &image);
            assert_int_equal(store_examine(k.folder, key_one, &health), STORE_OK);
            noticed += health.damaged > 0 && !health.opens;
            key[-VALUE_HEAD + (ptrdiff_t)(bit / 8)] ^= (uint8_t)(1u << bit % 8);
        }
    }
    assert_int_equal(noticed, tried);
    free(image.bytes);
    kit_end(&k);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_bit_costs_one_record_and_brings_none_back),
        cmocka_unit_test(without_any_tree_the_newest_of_each_counts),
        cmocka_unit_test(without_any_tree_the_newest_state_counts_wherever_it_lies),
        cmocka_unit_test(a_page_in_use_that_is_called_free_is_noticed),
        cmocka_unit_test(a_wrong_key_is_no_damage),
        cmocka_unit_test(a_store_of_a_later_version_is_refused),
        cmocka_unit_test(a_bit_anywhere_in_a_sealed_value_is_noticed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
