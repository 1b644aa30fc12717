/* SPDX-License-Identifier: Apache-2.0
 *
 * test_pdu.c - fields of messages, damaged ones, cutting of texts and joining of
 * parts. The recorded messages are in test_transcripts.c. */
#include <afferent/testkit.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "parts.h"
#include "pdu.h"
#include "utf16.h"

static enum sms_error read_hex(const char *hex, struct sms *m)
{
    return sms_read_hex(hex, strlen(hex), m);
}

static const char *text_of(const struct sms *m)
{
    static char text[UTF8_SIZE(SMS_UNITS_MOST) + 1];

    text[utf16_to_utf8(m->units, m->unit_count, text, sizeof text - 1)] = '\0';
    return text;
}

TEST(a_status_report_has_its_reference_times_and_status)
{
    struct sms m;

    assert_int_equal(read_hex("07912658050000F006010D91265817373754F501010161705382010101617083820000", &m), SMS_OK);
    assert_int_equal(m.kind, SMS_STATUS_REPORT);
    assert_int_equal(m.reference, 1);
    assert_string_equal(m.peer.text, "+6285717373455");
    assert_true(m.time.is_set && m.discharge.is_set);
    assert_int_equal(m.time.zone_min, 28 * 15);
    assert_true(m.discharge.utc_ns - m.time.utc_ns == INT64_C(3000000000));
    assert_int_equal(sms_outcome_of(m.status), SMS_DELIVERED);
}

TEST(statuses_are_ends_or_not)
{
    assert_int_equal(sms_outcome_of(0x00), SMS_DELIVERED);
    assert_int_equal(sms_outcome_of(0x01), SMS_UNSURE);
    assert_int_equal(sms_outcome_of(0x20), SMS_STILL_TRYING);
    assert_int_equal(sms_outcome_of(0x46), SMS_FAILED);
    assert_int_equal(sms_outcome_of(0x60), SMS_FAILED);
}

TEST(alphanumeric_senders_are_text)
{
    struct sms m;

    assert_int_equal(read_hex("07914487200030230406D04F59040000601191806243009F4F990E947DD741EEF71D840EDBCBA0FCBB2E0751CB783A28E8"
                              "CED3D3ED3268068381AA4B10BD8CA7CF412650AC2904BDCD2072981E06D1DFA0FABC0CA2A3D373509B8E7681A4E576B92D"
                              "2ECB41F43788FE86B7EA7010280603BDE5A0F65B5E0689CBE6B7BC0C8ADD6232980D447F83CE653A28FFAECB416679B90C"
                              "0AB3D9EF7BD83D2E83DC653C1DD4A6A301", &m), SMS_OK);
    assert_string_equal(m.peer.text, "O2_");
}

/* TS 23.038, section 4: alphabet and class of each group. */
TEST(data_coding_groups_are_read)
{
    static const struct {
        uint8_t dcs;
        int coding, class;
    } cases[] = { { 0x00, SMS_GSM7, -1 }, { 0x04, SMS_DATA, -1 }, { 0x08, SMS_UCS2, -1 },  { 0x0c, SMS_GSM7, -1 },
                  { 0x10, SMS_GSM7, 0 },  { 0x19, SMS_UCS2, 1 },  { 0x48, SMS_UCS2, -1 },  { 0x58, SMS_UCS2, 0 },
                  { 0x80, SMS_GSM7, -1 }, { 0xc8, SMS_GSM7, -1 }, { 0xd0, SMS_GSM7, -1 },  { 0xe0, SMS_UCS2, -1 },
                  { 0xf1, SMS_GSM7, 1 },  { 0xf6, SMS_DATA, 2 } };
    char hex[128];
    struct sms m;
    size_t i;

    for (i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        (void)snprintf(hex, sizeof hex, "00040481214300%02X7060503165030004%s", cases[i].dcs, "00410042");
        assert_int_equal(read_hex(hex, &m), SMS_OK);
        assert_int_equal(m.coding, cases[i].coding);
        assert_int_equal(m.class, cases[i].class);
    }
    assert_int_equal(read_hex("000404812143002070605031650300040041", &m), SMS_ERR_COMPRESSED);
}

TEST(zones_go_both_ways_and_centuries_change_at_ninety)
{
    struct sms m;

    assert_int_equal(read_hex("00040481214300007060503165034A00", &m), SMS_OK);
    assert_int_equal(m.time.zone_min, -(2 * 10 + 4) * 15);
    assert_int_equal(read_hex("00040481214300009930925161958000", &m), SMS_OK);
    assert_true(m.time.utc_ns == INT64_C(922713419000000000)); /* 1999-03-29 15:16:59 at UTC+2 */
    assert_int_equal(read_hex("0004048121430000FFFFFFFFFFFFFF00", &m), SMS_OK);
    assert_false(m.time.is_set);
    assert_int_equal(read_hex("00040481214300007020309999990000", &m), SMS_OK);
    assert_false(m.time.is_set);
}

TEST(validities_are_seconds)
{
    static const struct {
        const char *hex;
        int64_t seconds;
    } cases[] = { { "001100048121430000FF00", 63 * 7 * 86400 }, { "0011000481214300000000", 300 },
                  { "0011000481214300008F00", 43200 },          { "001100048121430000A700", 86400 },
                  { "001100048121430000A800", 2 * 86400 },      { "0001000481214300" "0000", 0 },
                  { "000900048121430000022D000000000000", 0x2d }, { "00090004812143000003103254000000" "00", 1 * 3600 + 23 * 60 + 45 } };
    struct sms m;
    size_t i;

    for (i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_int_equal(read_hex(cases[i].hex, &m), SMS_OK);
        assert_true(m.validity_s == cases[i].seconds);
    }
}

TEST(what_is_damaged_is_refused_by_kind)
{
    static const struct {
        const char *hex;
        enum sms_error error;
    } cases[] = { { "", SMS_ERR_CUT },
                  { "0G", SMS_ERR_HEX },
                  { "000", SMS_ERR_HEX },
                  { "00FF", SMS_ERR_KIND },
                  { "0CD0AABBCCDDEEFF00112233440000", SMS_ERR_ADDRESS },
                  { "000481812143", SMS_ERR_ADDRESS },
                  { "00040481F143000070605031650300" "00", SMS_ERR_ADDRESS },
                  { "0004048121430000706050316503", SMS_ERR_CUT },
                  { "00040481214300007060503165030006" "31D98C56B3", SMS_ERR_CUT },
                  { "000404812143000070605031650300A1" "00", SMS_ERR_LENGTH },
                  { "00040481214300087060503165030003" "410042", SMS_ERR_LENGTH },
                  { "00440481214300007060503165030003" "050003", SMS_ERR_HEADER },
                  { "00440481214300047060503165030004" "03000902", SMS_ERR_HEADER } };
    struct sms m;
    size_t i;

    for (i = 0; i < sizeof cases / sizeof cases[0]; i++)
        assert_int_equal(read_hex(cases[i].hex, &m), cases[i].error);
}

TEST(headers_name_parts_ports_and_tables)
{
    struct sms m;

    assert_int_equal(read_hex("004404812143000870605031650300" "08" "0500030A0302" "0041", &m), SMS_OK);
    assert_int_equal(m.join, 10);
    assert_int_equal(m.parts, 3);
    assert_int_equal(m.part, 2);
    assert_string_equal(text_of(&m), "A");
    assert_int_equal(read_hex("004404812143000870605031650300" "09" "0608040102FF03" "0041", &m), SMS_OK);
    assert_true(m.join_is_wide);
    assert_int_equal(m.join, 0x102);
    /* a part behind the last, and an element of another length: passed over */
    assert_int_equal(read_hex("004404812143000870605031650300" "0B" "080003010203" "240100" "0041", &m), SMS_OK);
    assert_int_equal(m.parts, 0);
    assert_int_equal(read_hex("004404812143000470605031650300" "08" "0605040B8423F0" "41", &m), SMS_OK);
    assert_true(m.has_ports);
    assert_int_equal(m.port_to, 0x0b84);
    assert_int_equal(m.data_size, 1);
    /* a Turkish letter: 4 octets of header are 5 septets with 3 bits of fill */
    assert_int_equal(read_hex("004404812143000070605031650300" "07" "03240101" "D8CC01", &m), SMS_OK);
    assert_int_equal(m.shift.single, 1);
    assert_string_equal(text_of(&m), "\xc5\x9f");
}

TEST(numbers_are_checked_before_they_are_sent)
{
    assert_true(sms_number_ok("+391234567"));
    assert_true(sms_number_ok("*100#"));
    assert_false(sms_number_ok("+"));
    assert_false(sms_number_ok("12 34"));
    assert_false(sms_number_ok("+123456789012345678901"));
}

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

TEST(a_pair_that_a_sender_cut_is_whole_again)
{
    struct part pool[POOL] = { { .used = false } }, p = part_make("+1", 7, 2, 1, "x");
    struct joiner j = { pool, POOL, 0, 0 };
    struct joined whole;

    p.sms.units[p.sms.unit_count++] = 0xd83d;
    (void)joiner_add(&j, &p);
    p = part_make("+1", 7, 2, 2, "?y");
    p.sms.units[0] = 0xde00;
    (void)joiner_add(&j, &p);
    assert_true(joiner_whole(&j, &whole));
    assert_string_equal(joined_string(&whole), "x😀y");
}

AFF_TEST_MAIN(a_status_report_has_its_reference_times_and_status, statuses_are_ends_or_not,
              alphanumeric_senders_are_text, data_coding_groups_are_read,
              zones_go_both_ways_and_centuries_change_at_ninety, validities_are_seconds,
              what_is_damaged_is_refused_by_kind, headers_name_parts_ports_and_tables,
              numbers_are_checked_before_they_are_sent, texts_are_cut_where_the_standard_has_room,
              an_escape_or_a_pair_is_never_cut, a_text_that_is_too_long_ends_with_the_last_part_allowed,
              parts_come_in_any_order_and_twice, messages_of_others_are_not_mixed_in,
              a_full_pool_gives_up_what_waits_longest, a_pair_that_a_sender_cut_is_whole_again)
