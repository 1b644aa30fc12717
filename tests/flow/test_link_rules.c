/* test_link_rules.c - what may go, by which link: the rules as a table; days and months.
 *
 * Needs: nothing. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "flow/link_rules.h"
#include "flow/spent.h"

enum { NO = LINK_NOTHING, AL = AFF_PRIO_ALARM, VI = AFF_PRIO_VITALS, WA = AFF_PRIO_WAVEFORM, BU = AFF_PRIO_BULK };
enum { UNKNOWN = 1, DOWN = 2, METERED = 4, ROAMING = 8, G2 = 16, HELD = 32, HELD_LONGER = 64 };
enum { DAY = 1, MONTH = 2 };
#define NOW INT64_C(1000)

/* Two links; 0: up, free, not metered, technology other. */
struct row {
    int wifi, cell;      /* how they are */
    int metered, roaming, g2, when_spent; /* rules */
    int spent;
    uint32_t link;       /* expected */
    int limit;
    enum link_wait why;
};

static const struct row table[] = {
    /* wifi      cell               metered roaming 2g  when_spent spent  -> link, limit, why */
    { 0,         METERED,           AL, NO, BU, AL, DAY, 0, BU, LINK_WAIT_NONE },
    { DOWN,      METERED,           AL, NO, BU, AL, 0, 1, AL, LINK_WAIT_METERED },
    { UNKNOWN,   METERED,           VI, NO, BU, AL, 0, 1, VI, LINK_WAIT_METERED },
    { DOWN,      METERED,           BU, NO, BU, AL, 0, 1, BU, LINK_WAIT_NONE },
    { DOWN,      METERED | ROAMING, VI, AL, BU, AL, 0, 1, AL, LINK_WAIT_ROAMING },
    { DOWN,      METERED | ROAMING, VI, NO, BU, AL, 0, 2, NO, LINK_WAIT_ROAMING },
    { UNKNOWN,   METERED | ROAMING, VI, NO, BU, AL, 0, 2, NO, LINK_WAIT_ROAMING },
    { DOWN,      METERED | G2,      WA, BU, AL, AL, 0, 1, AL, LINK_WAIT_TECHNOLOGY },
    { DOWN,      METERED | G2,      AL, BU, AL, AL, 0, 1, AL, LINK_WAIT_TECHNOLOGY },
    { DOWN,      METERED,           WA, BU, BU, AL, DAY, 1, AL, LINK_WAIT_DAY },
    { DOWN,      METERED,           WA, BU, BU, VI, MONTH, 1, VI, LINK_WAIT_MONTH },
    { DOWN,      METERED,           WA, BU, BU, NO, MONTH, 2, NO, LINK_WAIT_MONTH },
    { DOWN,      METERED,           AL, BU, BU, VI, DAY, 1, AL, LINK_WAIT_METERED },
    { DOWN,      0,                 AL, BU, BU, NO, DAY | MONTH, 1, BU, LINK_WAIT_NONE },
    { DOWN,      DOWN,              BU, BU, BU, AL, 0, 2, NO, LINK_WAIT_DOWN },
    { DOWN,      UNKNOWN,           BU, BU, BU, AL, 0, 2, NO, LINK_WAIT_DOWN },
    { UNKNOWN,   UNKNOWN,           BU, BU, BU, AL, 0, 2, NO, LINK_WAIT_UNKNOWN },
    { METERED,   0,                 NO, BU, BU, AL, 0, 1, BU, LINK_WAIT_NONE },
    { METERED,   METERED,           NO, BU, BU, AL, 0, 2, NO, LINK_WAIT_METERED },
    { HELD,      METERED,           VI, BU, BU, AL, 0, 1, VI, LINK_WAIT_METERED },
    { HELD,      DOWN,              VI, BU, BU, AL, 0, 0, BU, LINK_WAIT_NONE },
    { HELD,      HELD_LONGER,       VI, BU, BU, AL, 0, 0, BU, LINK_WAIT_NONE },
    { HELD_LONGER, HELD,            VI, BU, BU, AL, 0, 1, BU, LINK_WAIT_NONE },
    { HELD,      HELD,              VI, BU, BU, AL, 0, 0, BU, LINK_WAIT_NONE },
    { HELD,      METERED,           NO, BU, BU, AL, 0, 0, BU, LINK_WAIT_NONE },
};

static struct link_view view(int how)
{
    return (struct link_view){
        .is_known = !(how & UNKNOWN), .is_up = !(how & (UNKNOWN | DOWN)), .is_metered = (how & METERED) != 0,
        .is_roaming = (how & ROAMING) != 0, .technology = how & G2 ? AFF_LINK_2G : AFF_LINK_OTHER,
        .free_ns = how & HELD_LONGER ? NOW + 20 : how & HELD ? NOW + 10 : 0,
    };
}

static struct link_rules rules_of(const struct row *row)
{
    struct link_rules rules = { .links = { 0, 1 }, .link_count = 2, .metered = (int8_t)row->metered,
                                .roaming = (int8_t)row->roaming, .when_spent = (int8_t)row->when_spent };
    uint32_t i;

    for (i = 0; i < LINK_TECHNOLOGIES; i++)
        rules.technology[i] = i == AFF_LINK_2G ? (int8_t)row->g2 : BU;
    return rules;
}

static void the_rules_are_this_table(void **state)
{
    size_t i;

    (void)state;
    for (i = 0; i < sizeof table / sizeof *table; i++) {
        const struct row *row = &table[i];
        const struct link_rules rules = rules_of(row);
        const struct link_view views[] = { view(row->wifi), view(row->cell) };
        const struct link_spent spent = { .day = (row->spent & DAY) != 0, .month = (row->spent & MONTH) != 0 };
        struct link_choice c = link_choose(&rules, views, spent, NOW);

        if (c.link != (row->link < 2 ? row->link : LINK_NO_LINK) || c.limit != row->limit || c.why != row->why)
            fail_msg("row %zu: link %u, limit %d, %s", i, c.link, c.limit, link_wait_word(c.why));
    }
}

static void time_alone_brings_back_what_is_preferred(void **state)
{
    const struct row row = { .metered = BU, .roaming = BU, .g2 = BU };
    const struct link_rules rules = rules_of(&row);
    struct link_view views[] = { view(HELD), view(METERED) };
    struct link_choice c = link_choose(&rules, views, (struct link_spent){ 0 }, NOW);

    (void)state;
    assert_int_equal(c.link, 1);
    assert_int_equal(c.again_ns, NOW + 10);
    c = link_choose(&rules, views, (struct link_spent){ 0 }, NOW + 10);
    assert_int_equal(c.link, 0);
    assert_int_equal(c.again_ns, INT64_MAX);
    views[0] = view(0);
    views[1] = view(HELD); /* of no interest: it is behind the one in use */
    c = link_choose(&rules, views, (struct link_spent){ 0 }, NOW);
    assert_int_equal(c.again_ns, INT64_MAX);
}

static void without_a_link_every_byte_counts(void **state)
{
    const struct link_rules rules = { .when_spent = AL, .metered = BU, .roaming = BU, .per_day = 1 };
    struct link_choice c = link_choose(&rules, NULL, (struct link_spent){ 0 }, NOW);

    (void)state;
    assert_int_equal(c.limit, BU);
    assert_int_equal(c.link, LINK_NO_LINK);
    c = link_choose(&rules, NULL, (struct link_spent){ .day = true }, NOW);
    assert_int_equal(c.limit, AL);
    assert_int_equal(c.why, LINK_WAIT_DAY);
}

/* ---- days ---- */

#define DAY_NS INT64_C(86400000000000)
#define HOUR_NS INT64_C(3600000000000)

static void a_day_and_a_month_begin_by_utc(void **state)
{
    /* 2024-02-28, 29, 03-01; 2023-12-31 and 2024-01-01 */
    static const struct {
        int64_t day, month;
    } known[] = { { 19781, 649 }, { 19782, 649 }, { 19783, 650 }, { 19722, 647 }, { 19723, 648 }, { 0, 0 }, { 30, 0 }, { 31, 1 },
                  { -1, -1 } };
    struct spent s;
    size_t i;

    (void)state;
    for (i = 0; i < sizeof known / sizeof *known; i++) {
        s = spent_none();
        s.day = -1000;
        spent_turn(&s, known[i].day * DAY_NS + 23 * HOUR_NS, true);
        assert_int_equal(s.day, known[i].day);
        assert_int_equal(s.month, known[i].month);
    }
    assert_int_equal(spent_next_day(5 * DAY_NS), 6 * DAY_NS);
    assert_int_equal(spent_next_day(6 * DAY_NS - 1), 6 * DAY_NS);
}

static void what_was_spent_goes_with_its_day_and_its_month(void **state)
{
    struct spent s = spent_none();

    (void)state;
    spent_turn(&s, 19782 * DAY_NS, true);
    spent_add(&s, 100, 10, true);
    spent_add(&s, 1000, 0, false); /* by a link that costs nothing */
    assert_int_equal(s.day_bytes, 110);
    assert_int_equal(s.month_bytes, 110);
    assert_int_equal(s.sent, 1100);
    assert_int_equal(s.received, 10);
    spent_turn(&s, 19782 * DAY_NS + 20 * HOUR_NS, true);
    assert_int_equal(s.day_bytes, 110);
    spent_turn(&s, 19783 * DAY_NS, true);
    assert_int_equal(s.day_bytes, 0);
    assert_int_equal(s.month_bytes, 0);
    spent_add(&s, 5, 0, true);
    spent_turn(&s, 19784 * DAY_NS, true);
    assert_int_equal(s.day_bytes, 0);
    assert_int_equal(s.month_bytes, 5);
    assert_int_equal(s.sent, 1105);
    spent_add(&s, UINT64_MAX, UINT64_MAX, true); /* never round */
    assert_int_equal(s.day_bytes, UINT64_MAX);
}

static void a_wrong_clock_forgets_nothing(void **state)
{
    struct spent s = spent_none();

    (void)state;
    spent_turn(&s, 19782 * DAY_NS, true);
    spent_add(&s, 100, 0, true);
    spent_turn(&s, 0, false); /* a board that begins in 1970 */
    spent_add(&s, 1, 0, true);
    assert_int_equal(s.day, 19782);
    assert_int_equal(s.day_bytes, 101);
    spent_turn(&s, 19781 * DAY_NS, true); /* it was set back, and that is right */
    assert_int_equal(s.day, 19781);
    assert_int_equal(s.day_bytes, 101);
    spent_turn(&s, 19782 * DAY_NS, true);
    assert_int_equal(s.day_bytes, 0);
    assert_int_equal(s.month_bytes, 101);
}

static void what_is_stored_is_read_back_and_cut_bytes_are_refused(void **state)
{
    struct spent s = { .day = 5, .month = -1, .day_bytes = 1, .month_bytes = 2, .sent = 3, .received = UINT64_MAX }, back;
    struct wire wire = { 0 };
    const char *sink;
    size_t cut;

    (void)state;
    spent_write(&wire, "cloud", &s);
    for (cut = 0; cut <= wire.size; cut++) {
        uint8_t *bytes = malloc(cut + 1u);
        struct wire_in in = { bytes, bytes + cut, false };

        memcpy(bytes, wire.bytes, cut);
        if (cut < wire.size) {
            assert_false(spent_read(&in, &sink, &back));
        } else {
            assert_true(spent_read(&in, &sink, &back));
            assert_string_equal(sink, "cloud");
            assert_memory_equal(&back, &s, sizeof s);
        }
        free(bytes);
    }
    wire_free(&wire);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_rules_are_this_table),
        cmocka_unit_test(time_alone_brings_back_what_is_preferred),
        cmocka_unit_test(without_a_link_every_byte_counts),
        cmocka_unit_test(a_day_and_a_month_begin_by_utc),
        cmocka_unit_test(what_was_spent_goes_with_its_day_and_its_month),
        cmocka_unit_test(a_wrong_clock_forgets_nothing),
        cmocka_unit_test(what_is_stored_is_read_back_and_cut_bytes_are_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
