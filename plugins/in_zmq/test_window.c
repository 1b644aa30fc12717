/* SPDX-License-Identifier: Apache-2.0
 *
 * test_window.c - known ids, against a list that is searched from end to end. */
#include <afferent/testkit.h>

#include "window.h"

enum { MODEL = 4096 };

struct model {
    struct known list[MODEL];
    uint32_t count;
};

static bool model_has(const struct model *m, struct aff_id id)
{
    for (uint32_t i = 0; i < m->count; i++)
        if (m->list[i].id.source == id.source && m->list[i].id.seq == id.seq)
            return true;
    return false;
}

static void model_drop(struct model *m, uint32_t count)
{
    for (uint32_t i = count; i < m->count; i++)
        m->list[i - count] = m->list[i];
    m->count -= count;
}

static uint64_t next(uint64_t *state)
{
    *state = *state * 6364136223846793005u + 1442695040888963407u;
    return *state >> 33;
}

/* Few different ids, so that places of the table collide and ids come again. */
TEST(it_knows_what_came_and_was_not_settled_or_pushed_out)
{
    static struct model m;
    struct window w;
    uint64_t chance = 7, number = 1;

    window_open(&w, 1000);
    for (uint32_t turn = 0; turn < 20000; turn++) {
        struct known k = { { next(&chance) % 3000, next(&chance) % 2 }, number, turn };

        if (!window_find(&w, k.id)) {
            assert_false(model_has(&m, k.id));
            assert_true(window_add(&w, &k));
            if (m.count == 1000)
                model_drop(&m, 1);
            m.list[m.count++] = k;
        }
        number += turn % 5 == 0;
        if (turn % 977 == 0) {
            uint32_t gone = 0;
            uint64_t upto = number > 100 ? number - 100 : 0;

            while (gone < m.count && m.list[gone].number <= upto)
                gone++;
            model_drop(&m, gone);
            window_settle(&w, upto);
        }
        assert_int_equal(w.count, m.count);
        k.id.source = next(&chance) % 3000;
        assert_int_equal(window_find(&w, k.id) != NULL, model_has(&m, k.id));
    }
    for (uint32_t i = 0; i < m.count; i++)
        assert_true(window_at(&w, i)->id.source == m.list[i].id.source && window_at(&w, i)->epoch == m.list[i].epoch);
    window_close(&w);
}

TEST(an_empty_one_knows_nothing_and_is_cleared_at_will)
{
    struct window w;
    struct known k = { { 1, 2 }, 3, 4 };

    window_open(&w, 1);
    assert_null(window_find(&w, k.id));
    window_settle(&w, UINT64_MAX);
    assert_true(window_add(&w, &k));
    k.id.seq = 3;
    assert_true(window_add(&w, &k));
    assert_int_equal(w.count, 1);
    window_clear(&w);
    assert_null(window_find(&w, k.id));
    window_close(&w);
}

AFF_TEST_MAIN(it_knows_what_came_and_was_not_settled_or_pushed_out, an_empty_one_knows_nothing_and_is_cleared_at_will)
