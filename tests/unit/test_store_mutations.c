/* test_store_mutations.c - a store whose file was damaged in any way.
 *
 * Whatever happened to the file: the start succeeds, and soon; every record, letter
 * and piece of state that comes out is byte for byte one that was put; the store can
 * be used; the next start finds it in order. AFFERENT_MUTATIONS sets how many are tried.
 *
 * Not here: what exactly one damage costs (test_store_damage.c). */
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

#include "store_image.h"
#include "store_kit.h"

enum { HANG_SECONDS = 120 };

static bool letter_check(void *arg, uint64_t number, const void *bytes, size_t size)
{
    assert_true(number >= 1 && size == 6 && !memcmp(bytes, "letter", 6));
    ++*(uint64_t *)arg;
    return true;
}

/* All that is there was put; it can be written; the next start is in order. The
 * records of queue a. */
static uint64_t store_check(struct kit *k)
{
    uint64_t letters = 0, first, last, records;
    struct kept_queue a = kit_queue(k, "a"), b = kit_queue(k, "b");

    records = kit_read_all(k, "a", a.queue, &first, &last);
    assert_true(records == 0 || last <= GROUPS * PER_GROUP);
    assert_true(a.next > last);
    kit_read_all(k, "b", b.queue, &first, &last);
    position_check(k, "position");
    position_check(k, "other");
    assert_int_equal(store_letters(k->store, letter_check, &letters), STORE_OK);
    assert_true(letters <= GROUPS / 8);
    kit_put(k, "a", a.queue, a.next);
    kept_group_add(&k->group, KEPT_DEAD, 0, 0, NULL, "letter", 6);
    kept_group_add(&k->group, KEPT_STATE, 0, 0, "position", "position 1", 10);
    assert_int_equal(kit_commit(k), STORE_OK);
    kit_close(k);
    assert_int_equal(kit_open(k), STORE_OK);
    assert_string_equal(store_opened(k->store), "");
    assert_true(kit_read_all(k, "a", kit_queue(k, "a").queue, &first, &last) >= 1);
    assert_int_equal(last, a.next);
    kit_close(k);
    return records;
}

/* ---- mutations ---- */

static void bits_flip(struct image *m, uint64_t *random, size_t from, size_t below)
{
    int count = 1 << kit_random(random) % 6;

    for (int i = 0; i < count && below > from; i++)
        m->bytes[from + kit_random(random) % (below - from)] ^= (uint8_t)(1u << kit_random(random) % 8);
}

static void heads_flip(struct image *m, uint64_t *random)
{
    for (int i = 0; i < 4; i++) {
        size_t at = kit_random(random) % (m->size / PAGE) * PAGE + kit_random(random) % 40;

        m->bytes[at] = (uint8_t)kit_random(random);
    }
}

static void page_mix(struct image *m, uint64_t *random)
{
    size_t pages = m->size / PAGE, to = kit_random(random) % pages, from = kit_random(random) % pages;
    uint8_t page[PAGE];

    switch (kit_random(random) % 4) {
    case 0:
        memset(m->bytes + to * PAGE, 0, PAGE);
        break;
    case 1: /* the one in the other's place */
        memcpy(page, m->bytes + to * PAGE, PAGE);
        memcpy(m->bytes + to * PAGE, m->bytes + from * PAGE, PAGE);
        memcpy(m->bytes + from * PAGE, page, PAGE);
        break;
    case 2: /* both say that they are the one */
        memmove(m->bytes + to * PAGE, m->bytes + from * PAGE, PAGE);
        break;
    default: /* torn at a sector */
        memset(m->bytes + to * PAGE + 512 * (kit_random(random) % 8), (int)(kit_random(random) & 0xff), 512);
        break;
    }
}

static void noise_put(struct image *m, uint64_t *random)
{
    size_t at = kit_random(random) % m->size, length = kit_random(random) % 20000;

    for (size_t i = at; i < at + length && i < m->size; i++)
        m->bytes[i] = (uint8_t)kit_random(random);
}

static void mutate(struct image *m, uint64_t *random)
{
    switch (kit_random(random) % 8) {
    case 0:
        m->size = kit_random(random) % m->size;
        break;
    case 1:
        m->size = kit_random(random) % (m->size / PAGE) * PAGE;
        break;
    case 2:
        bits_flip(m, random, 0, 2 * (size_t)PAGE);
        break;
    case 3:
        bits_flip(m, random, 0, m->size);
        break;
    case 4:
        heads_flip(m, random);
        break;
    case 5:
        noise_put(m, random);
        break;
    default:
        page_mix(m, random);
        break;
    }
}

static void mutations_survive(const uint8_t *key, uint64_t seed, int most)
{
    struct image image, m = { 0 };
    char path[KIT_PATH];
    uint64_t random = seed, records = 0, mended = 0;
    struct kit k;

    kit_begin(&k);
    k.key = key;
    store_fill(&k);
    kit_path(&k, "store/data.mdb", path);
    image_read(path, &image);
    m.bytes = malloc(image.size);
    assert_non_null(m.bytes);
    for (int i = 0; i < most; i++) {
        enum store_status status;

        memcpy(m.bytes, image.bytes, image.size);
        m.size = image.size;
        mutate(&m, &random);
        image_write(path, &m);
        alarm(HANG_SECONDS);
        k.read_only = true; /* a look is safe too */
        status = kit_open(&k);
        assert_true(status == STORE_OK || status == STORE_BAD);
        kit_close(&k);
        k.read_only = false;
        assert_int_equal(kit_open(&k), STORE_OK);
        mended += *store_opened(k.store) != '\0';
        assert_int_equal(kit_files(&k, "damaged-"), *store_opened(k.store) != '\0');
        records += store_check(&k);
        alarm(0);
        kit_files_remove(&k, "damaged-");
    }
    kit_end(&k);
    print_message("%d mutations, %llu mended, %.1f %% of the records came out\n", most, (unsigned long long)mended,
                  100. * (double)records / (most * (GROUPS * PER_GROUP - ACKED)));
    assert_true(mended > (uint64_t)most / 3);
    assert_true(records > (uint64_t)most * (GROUPS * PER_GROUP - ACKED) / 2);
    free(image.bytes);
    free(m.bytes);
}

static void any_damage_is_survived(void **state)
{
    const char *count = getenv("AFFERENT_MUTATIONS");

    (void)state;
    mutations_survive(NULL, 4711, count ? atoi(count) : 200);
}

static void any_damage_is_survived_by_a_sealed_store(void **state)
{
    const char *count = getenv("AFFERENT_MUTATIONS");

    (void)state;
    mutations_survive(key_one, 815, count ? atoi(count) : 150);
}

static void what_is_no_store_at_all_is_set_aside(void **state)
{
    static const char *const shapes[] = { "empty", "short", "text", "missing", "zeros" };
    static uint8_t zeros[100000];

    (void)state;
    for (size_t i = 0; i < sizeof shapes / sizeof shapes[0]; i++) {
        struct image image = { zeros, 0 };
        struct store_figures figures;
        char path[KIT_PATH];
        struct kit k;

        kit_begin(&k);
        assert_int_equal(kit_open(&k), STORE_OK);
        kit_close(&k);
        kit_path(&k, "store/data.mdb", path);
        image.size = i == 1 ? 100 : i == 4 ? sizeof zeros : 0;
        if (i == 2)
            image = (struct image){ (uint8_t *)(uintptr_t)"this is no store", 16 };
        if (i == 3)
            assert_int_equal(unlink(path), 0);
        else
            image_write(path, &image);
        assert_int_equal(kit_open(&k), STORE_OK);
        assert_string_not_equal(store_opened(k.store), "");
        assert_int_equal(kit_files(&k, "damaged-"), i != 3);
        assert_int_equal(store_figures(k.store, &figures), STORE_OK);
        assert_true(figures.incarnation > 1000000); /* never one that was given out */
        store_check(&k);
        kit_end(&k);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(any_damage_is_survived),
        cmocka_unit_test(any_damage_is_survived_by_a_sealed_store),
        cmocka_unit_test(what_is_no_store_at_all_is_set_aside),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
