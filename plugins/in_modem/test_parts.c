/* SPDX-License-Identifier: Apache-2.0
 *
 * test_parts.c - long texts: cutting them for sending, joining what came. */
#include <afferent/testkit.h>

#include <stdio.h>
#include <string.h>

#include "parts.h"
#include "utf16.h"

/* ---- cutting ---- */

static uint16_t units[40000];

static size_t units_fill(const char *text, size_t times)
{
    size_t used = 0;

    while (times-- > 0)
        used += utf8_to_utf16(text, strlen(text), units + used, 40000 - used);
    return used;
}

/* Each part can be written, and what is read back is the text. */
static void cut_and_read(size_t count, uint16_t wanted_parts, enum sms_coding coding)
{
    static uint16_t back[40000];
    struct sms_cuts cuts;
    size_t from = 0, used = 0, length;
    uint8_t pdu[SMS_PDU_MOST];
    struct sms m;
    uint16_t i;

    sms_cut(units, count, PARTS_MOST, &cuts);
    assert_int_equal(cuts.coding, coding);
    assert_int_equal(cuts.count, wanted_parts);
    for (i = 0; i < cuts.count; i++) {
        struct sms_draft d = { "+391234567", units + from, (uint16_t)(cuts.ends[i] - from), cuts.coding, 77, (uint8_t)cuts.count,
                               (uint8_t)(i + 1), true, 3600 };
        size_t size = sms_write(&d, pdu, &length);

        assert_true(size > 0 && size == length + 1);
        assert_int_equal(sms_read(pdu, size, &m), SMS_OK);
        assert_string_equal(m.peer.text, "+391234567");
        assert_int_equal(m.parts, cuts.count > 1 ? cuts.count : 0);
        assert_int_equal(m.unit_count, d.count);
        assert_false(utf16_cuts_pair(units, count, cuts.ends[i]) && cuts.coding == SMS_UCS2);
        memcpy(back + used, m.units, m.unit_count * sizeof units[0]);
        used += m.unit_count;
        from = cuts.ends[i];
    }
    assert_int_equal(used, count);
    assert_memory_equal(back, units, count * sizeof units[0]);
}

TEST(texts_are_cut_where_the_standard_has_room)
{
    cut_and_read(units_fill("a", 160), 1, SMS_GSM7);
    cut_and_read(units_fill("a", 161), 2, SMS_GSM7);
    cut_and_read(units_fill("a", 306), 2, SMS_GSM7);
    cut_and_read(units_fill("a", 307), 3, SMS_GSM7);
    cut_and_read(units_fill("š", 70), 1, SMS_UCS2);
    cut_and_read(units_fill("š", 71), 2, SMS_UCS2);
    cut_and_read(units_fill("š", 134), 2, SMS_UCS2);
    cut_and_read(0, 1, SMS_GSM7);
    cut_and_read(units_fill("ş", 1), 1, SMS_UCS2); /* which only a national table has */
    cut_and_read(units_fill("a", 255 * 153), 255, SMS_GSM7);
}

TEST(an_escape_or_a_pair_is_never_cut)
{
    cut_and_read(units_fill("€", 80), 1, SMS_GSM7);
    cut_and_read(units_fill("€", 81), 2, SMS_GSM7);   /* 76 a part: 152 of 153 septets */
    cut_and_read(units_fill("€", 153), 3, SMS_GSM7);
    cut_and_read(units_fill("😀", 35), 1, SMS_UCS2);
    cut_and_read(units_fill("😀", 66), 2, SMS_UCS2);  /* 33 a part: 66 of 67 units */
    cut_and_read(units_fill("😀", 67), 3, SMS_UCS2);
}

TEST(a_text_that_is_too_long_ends_with_the_last_part_allowed)
{
    struct sms_cuts cuts;

    sms_cut(units, units_fill("a", 1000), 3, &cuts);
    assert_int_equal(cuts.count, 3);
    assert_int_equal(cuts.ends[2], 459);
    sms_cut(units, units_fill("a", 1000), 1, &cuts);
    assert_int_equal(cuts.ends[0], 160);
    sms_cut(units, units_fill("a", 1000), 2, &cuts);
    assert_int_equal(cuts.count, 2);
    assert_true(cuts.ends[0] == 153 && cuts.ends[1] == 306);
}

/* ---- joining ---- */

enum { POOL = 16 };

static struct part part_make(const char *sender, uint16_t join, uint8_t parts, uint8_t part, const char *text)
{
    struct part p;

    memset(&p, 0, sizeof p);
    (void)snprintf(p.sms.peer.text, sizeof p.sms.peer.text, "%s", sender);
    p.sms.join = join;
    p.sms.parts = parts;
    p.sms.part = part;
    p.sms.unit_count = (uint16_t)utf8_to_utf16(text, strlen(text), p.sms.units, SMS_UNITS_MOST);
    p.digest = (uint64_t)join << 32 | (uint64_t)(unsigned char)sender[0] << 16 | part;
    p.slot = part;
    p.since_ns = part;
    return p;
}

static const char *joined_string(const struct joined *j)
{
    static char text[4096];

    text[joined_text(j, text, sizeof text - 1)] = '\0';
    return text;
}

TEST(parts_come_in_any_order_and_twice)
{
    static const uint8_t orders[6][3] = { { 1, 2, 3 }, { 1, 3, 2 }, { 2, 1, 3 }, { 2, 3, 1 }, { 3, 1, 2 }, { 3, 2, 1 } };
    static const char *const texts[] = { "one ", "two ", "three" };
    struct part pool[POOL];
    struct joined whole;
    size_t i, k;

    for (i = 0; i < 6; i++) {
        struct joiner j = { pool, POOL, 0, 0 };

        memset(pool, 0, sizeof pool);
        for (k = 0; k < 3; k++) {
            struct part p = part_make("+1", 7, 3, orders[i][k], texts[orders[i][k] - 1]);

            assert_false(joiner_whole(&j, &whole));
            assert_int_equal(joiner_add(&j, &p), JOIN_TAKEN);
            assert_int_equal(joiner_add(&j, &p), JOIN_TWICE);
        }
        assert_true(joiner_whole(&j, &whole));
        assert_int_equal(whole.present, 3);
        assert_string_equal(joined_string(&whole), "one two three");
        joiner_drop(&j, &whole);
        assert_int_equal(j.count, 0);
    }
}

TEST(messages_of_others_are_not_mixed_in)
{
    struct part pool[POOL] = { { .used = false } }, p;
    struct joiner j = { pool, POOL, 0, 0 };
    struct joined whole;

    p = part_make("+1", 7, 2, 1, "a");
    (void)joiner_add(&j, &p);
    p = part_make("2", 7, 2, 2, "x");
    (void)joiner_add(&j, &p);
    p = part_make("+1", 8, 2, 2, "y");
    (void)joiner_add(&j, &p);
    assert_false(joiner_whole(&j, &whole));
    p = part_make("+1", 9, 0, 0, "by itself");
    (void)joiner_add(&j, &p);
    assert_true(joiner_whole(&j, &whole));
    assert_string_equal(joined_string(&whole), "by itself");
}

TEST(a_full_pool_gives_up_what_waits_longest)
{
    struct part pool[2] = { { .used = false } }, p = part_make("+1", 7, 3, 3, "end");
    struct joiner j = { pool, 2, 0, 0 };
    struct joined whole;

    (void)joiner_add(&j, &p);
    p = part_make("+1", 7, 3, 1, "begin");
    (void)joiner_add(&j, &p);
    p = part_make("2", 1, 2, 1, "");
    p.since_ns = 100;
    assert_int_equal(joiner_add(&j, &p), JOIN_FULL);
    assert_true(joiner_oldest(&j, &whole));
    assert_int_equal(whole.present, 2);
    assert_true(joined_newest(&whole) == 3);
    assert_string_equal(joined_string(&whole), "begin\xe2\x80\xa6"
                                               "end");
    joiner_drop(&j, &whole);
    assert_int_equal(joiner_add(&j, &p), JOIN_TAKEN);
}

/* A reference that was used anew before the first message was whole. */
TEST(of_two_parts_in_one_place_the_first_stays)
{
    struct part pool[POOL] = { { .used = false } }, p = part_make("+1", 7, 2, 2, "two");
    struct joiner j = { pool, POOL, 0, 0 };
    struct joined whole;

    (void)joiner_add(&j, &p);
    p = part_make("+1", 7, 2, 2, "TWO");
    p.digest++;
    (void)joiner_add(&j, &p);
    p = part_make("+1", 7, 2, 1, "one ");
    (void)joiner_add(&j, &p);
    assert_true(joiner_whole(&j, &whole));
    assert_string_equal(joined_string(&whole), "one two");
    assert_int_equal(joined_first(&whole)->sms.part, 2);
    joiner_drop(&j, &whole);
    assert_false(joiner_whole(&j, &whole));
    p = part_make("+1", 7, 2, 1, "ONE ");
    (void)joiner_add(&j, &p);
    assert_true(joiner_whole(&j, &whole));
    assert_string_equal(joined_string(&whole), "ONE TWO");
}

TEST(a_part_that_came_twice_keeps_the_place_it_can_be_deleted_from)
{
    struct part pool[POOL] = { { .used = false } }, p = part_make("+1", 7, 2, 2, "two");
    struct joiner j = { pool, POOL, 0, 0 };

    p.slot = NO_SLOT;
    assert_int_equal(joiner_add(&j, &p), JOIN_TAKEN);
    p.slot = 5;
    assert_int_equal(joiner_add(&j, &p), JOIN_TWICE);
    assert_int_equal(pool[0].slot, 5);
    p.slot = NO_SLOT;
    assert_int_equal(joiner_add(&j, &p), JOIN_TWICE);
    assert_int_equal(pool[0].slot, 5);
}

TEST(missing_parts_are_one_sign_wherever_they_are)
{
    struct part pool[POOL] = { { .used = false } }, p = part_make("+1", 7, 5, 3, "mid");
    struct joiner j = { pool, POOL, 0, 0 };
    struct joined some;

    assert_false(joiner_oldest(&j, &some));
    p.sms.units[p.sms.unit_count++] = 0xd83d; /* its other half is missing */
    (void)joiner_add(&j, &p);
    assert_true(joiner_oldest(&j, &some));
    assert_string_equal(joined_string(&some), "…mid\xef\xbf\xbd…");
    p = part_make("2", 1, 0, 0, "later");
    p.since_ns = 50;
    (void)joiner_add(&j, &p);
    assert_true(joiner_oldest(&j, &some));
    assert_int_equal(some.count, 5);
    p = part_make("3", 1, 0, 0, "sooner");
    p.since_ns = 1;
    (void)joiner_add(&j, &p);
    assert_true(joiner_oldest(&j, &some));
    assert_string_equal(joined_string(&some), "sooner");
    assert_true(joiner_whole(&j, &some)); /* that one came first */
    assert_string_equal(joined_string(&some), "later");
}

TEST(a_text_that_has_no_room_ends_with_a_whole_character)
{
    struct part pool[POOL] = { { .used = false } }, p = part_make("+1", 7, 1, 1, "ab€€");
    struct joiner j = { pool, POOL, 0, 0 };
    struct joined whole;
    char text[8];

    (void)joiner_add(&j, &p);
    assert_true(joiner_whole(&j, &whole));
    assert_int_equal(joined_text(&whole, text, sizeof text), 8);
    assert_int_equal(joined_text(&whole, text, 7), 5);
    assert_int_equal(joined_text(&whole, text, 0), 0);
}

TEST(a_pair_that_a_sender_cut_is_whole_again)
{
    struct part pool[POOL] = { { .used = false } }, p = part_make("+1", 7, 2, 1, "x");
    struct joiner j = { pool, POOL, 0, 0 };
    struct joined whole;
    char text[6];

    p.sms.units[p.sms.unit_count++] = 0xd83d;
    (void)joiner_add(&j, &p);
    p = part_make("+1", 7, 2, 2, "?y");
    p.sms.units[0] = 0xde00;
    (void)joiner_add(&j, &p);
    assert_true(joiner_whole(&j, &whole));
    assert_string_equal(joined_string(&whole), "x😀y");
    joiner_drop(&j, &whole);
    /* its other half never comes: at the end, and before something else */
    p = part_make("+1", 8, 2, 1, "?");
    p.sms.units[0] = 0xd800;
    (void)joiner_add(&j, &p);
    p = part_make("+1", 8, 2, 2, "y?");
    p.sms.units[1] = 0xdbff;
    (void)joiner_add(&j, &p);
    assert_true(joiner_whole(&j, &whole));
    assert_string_equal(joined_string(&whole), "\xef\xbf\xbdy\xef\xbf\xbd");
    assert_int_equal(joined_text(&whole, text, sizeof text), 4); /* no room for the last */
}

AFF_TEST_MAIN(texts_are_cut_where_the_standard_has_room, an_escape_or_a_pair_is_never_cut,
              a_text_that_is_too_long_ends_with_the_last_part_allowed, parts_come_in_any_order_and_twice,
              messages_of_others_are_not_mixed_in, a_full_pool_gives_up_what_waits_longest,
              of_two_parts_in_one_place_the_first_stays,
              a_part_that_came_twice_keeps_the_place_it_can_be_deleted_from,
              missing_parts_are_one_sign_wherever_they_are, a_text_that_has_no_room_ends_with_a_whole_character,
              a_pair_that_a_sender_cut_is_whole_again)
