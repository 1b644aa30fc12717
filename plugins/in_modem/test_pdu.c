/* SPDX-License-Identifier: Apache-2.0
 *
 * test_pdu.c - fields of messages, and damaged ones. Long ones are in test_parts.c,
 * the recorded ones in test_transcripts.c. */
#include <afferent/testkit.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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
    assert_int_equal(m.class, -1);
    assert_int_equal(sms_outcome_of(m.status), SMS_DELIVERED);
}

/* 9.2.3.15, all of them: a reserved one counts as "service rejected". */
TEST(statuses_are_ends_or_not)
{
    static const struct {
        int last;
        enum sms_outcome outcome;
    } spans[] = { { 0x00, SMS_DELIVERED }, { 0x02, SMS_UNSURE }, { 0x0f, SMS_FAILED },       { 0x1f, SMS_UNSURE },
                  { 0x25, SMS_STILL_TRYING }, { 0x2f, SMS_FAILED }, { 0x3f, SMS_STILL_TRYING }, { 0xff, SMS_FAILED } };
    int status = 0;
    size_t i;

    for (i = 0; i < sizeof spans / sizeof spans[0]; i++)
        for (; status <= spans[i].last; status++)
            assert_int_equal(sms_outcome_of((uint8_t)status), spans[i].outcome);
    assert_int_equal(status, 256);
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

/* 9.1.2.5: the length counts half octets, whatever fills the last one. */
TEST(addresses_end_where_their_length_says)
{
    static const struct {
        const char *hex, *text;
    } cases[] = { { "0391" "21F3", "+123" },
                  { "0381" "2103", "123" }, /* not filled as it should be */
                  { "0481" "21F3", "123" }, /* the filler is counted */
                  { "0081", "" },
                  { "0091", "" },
                  { "0581" "A1CBFD", "1*#ab" },
                  { "1481" "21436587092143658709", "12345678901234567890" },
                  { "14D0" "61F1985C369FD169F51A", "abcdefghijk" },
                  { "13D0" "61F1985C369FD169F51A", "abcdefghij" },
                  { "0191" "F1", "+1" },
                  { "02D0" "41", "A" },
                  { "06D0" "844D19", "è€" } };
    char hex[128];
    struct sms m;
    size_t i;

    for (i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        (void)snprintf(hex, sizeof hex, "0004%s" "0000" "70605031650300" "00", cases[i].hex);
        assert_int_equal(read_hex(hex, &m), SMS_OK);
        assert_string_equal(m.peer.text, cases[i].text);
    }
    /* of a service centre in octets, its type among them: 20 digits, and one more */
    assert_int_equal(read_hex("0B9121436587092143658709" "0404812143" "0000" "70605031650300" "00", &m), SMS_OK);
    assert_string_equal(m.smsc.text, "+12345678901234567890");
    assert_int_equal(read_hex("0C912143658709214365870921" "0404812143" "0000" "70605031650300" "00", &m), SMS_ERR_ADDRESS);
    assert_int_equal(read_hex("0181" "0404812143" "0000" "70605031650300" "00", &m), SMS_OK);
    assert_string_equal(m.smsc.text, "");
}

/* Bit 5 of the first octet in each kind, and no other. */
TEST(a_report_is_wanted_where_its_bit_says_so)
{
    static const char deliver[] = "00%02X04812143000070605031650300" "02" "0000", submit[] = "00%02X00048121430000" "02" "0000";
    char hex[64];
    struct sms m;
    unsigned bit;

    for (bit = 2; bit < 8; bit++) { /* a header of no octets, where that is the bit */
        (void)snprintf(hex, sizeof hex, deliver, 1u << bit);
        assert_int_equal(read_hex(hex, &m), SMS_OK);
        assert_int_equal(m.wants_report, bit == 5);
        if (bit == 3 || bit == 4)
            continue; /* a validity */
        (void)snprintf(hex, sizeof hex, submit, 1u << bit | 1);
        assert_int_equal(read_hex(hex, &m), SMS_OK);
        assert_int_equal(m.wants_report, bit == 5);
    }
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
                  { 0xf1, SMS_GSM7, 1 },  { 0xf6, SMS_DATA, 2 },   { 0x13, SMS_GSM7, 3 },  { 0x17, SMS_DATA, 3 },
                  { 0x44, SMS_DATA, -1 }, { 0x1c, SMS_GSM7, 0 },   { 0xb8, SMS_GSM7, -1 }, { 0xd8, SMS_GSM7, -1 },
                  { 0xe8, SMS_UCS2, -1 }, { 0xf8, SMS_GSM7, 0 },   { 0x01, SMS_GSM7, -1 }, { 0x88, SMS_GSM7, -1 },
                  { 0x84, SMS_GSM7, -1 } };
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
    assert_int_equal(read_hex("000404812143006070605031650300040041", &m), SMS_ERR_COMPRESSED);
    /* bit 3 of the last group says UCS-2 to some: only where the octets are as many */
    assert_int_equal(read_hex("00040481214300F870605031650300" "08" "0041004200430044", &m), SMS_OK);
    assert_string_equal(text_of(&m), "ABCD");
    assert_int_equal(read_hex("00040481214300F870605031650300" "08" "31D98C56B3DD70", &m), SMS_OK);
    assert_string_equal(text_of(&m), "12345678");
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

/* Digits that are none, and numbers that no clock shows: the message stays. */
TEST(a_time_that_is_none_is_not_set)
{
    static const struct {
        const char *hex;
        bool is_set;
    } cases[] = { { "42200300000000", false }, { "42209200000000", true },  { "32209200000000", false },
                  { "42101300000000", true },  { "42401300000000", false }, { "42311000000000", false },
                  { "42001000000000", false }, { "42100000000000", false }, { "A2101000000000", false },
                  { "42A11000000000", false }, { "4210A100000000", false }, { "42101032000000", true },
                  { "42101042000000", false }, { "421010A0000000", false }, { "42101000950000", true },
                  { "42101000060000", false }, { "421010000A0000", false }, { "42101000009500", true },
                  { "42101000000600", false }, { "42101000000A00", false }, { "42101000000065", true },
                  { "42101000000075", false }, { "4210100000006D", true },  { "421010000000A0", false },
                  { "421010000000FF", false } };
    char hex[128];
    struct sms m;
    size_t i;

    for (i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        (void)snprintf(hex, sizeof hex, "00" "0404812143" "0000" "%s" "0131", cases[i].hex);
        assert_int_equal(read_hex(hex, &m), SMS_OK);
        assert_string_equal(text_of(&m), "1");
        assert_int_equal(m.time.is_set, cases[i].is_set);
    }
    assert_int_equal(read_hex("00" "0404812143" "0000" "4210100000006D" "00", &m), SMS_OK);
    assert_int_equal(m.time.zone_min, -(5 * 10 + 6) * 15);
    assert_int_equal(read_hex("00" "0404812143" "0000" "00101000000001" "00", &m), SMS_OK);
    assert_int_equal(m.time.zone_min, 150);
    assert_true(m.time.utc_ns == (INT64_C(946684800) - 150 * 60) * 1000000000); /* 2000-01-01 there */
    assert_int_equal(read_hex("00" "0404812143" "0000" "98101000000000" "00", &m), SMS_OK);
    assert_true(m.time.utc_ns == INT64_C(3755376000000000000)); /* 2089-01-01 */
    assert_int_equal(read_hex("00" "0404812143" "0000" "09101000000000" "00", &m), SMS_OK);
    assert_true(m.time.utc_ns == INT64_C(631152000000000000)); /* 1990-01-01 */
}

TEST(validities_are_seconds)
{
    static const struct {
        const char *hex;
        int64_t seconds;
    } cases[] = { { "001100048121430000FF00", 63 * 7 * 86400 }, { "0011000481214300000000", 300 },
                  { "0011000481214300008F00", 43200 },          { "001100048121430000A700", 86400 },
                  { "001100048121430000A800", 2 * 86400 },      { "0001000481214300" "0000", 0 },
                  { "000900048121430000022D000000000000", 0x2d }, { "00090004812143000003103254000000" "00", 1 * 3600 + 23 * 60 + 45 },
                  { "00090004812143000001A80000000000" "00", 2 * 86400 }, { "00090004812143000000FF0000000000" "00", 0 },
                  { "00090004812143000004FF0000000000" "00", 0 }, { "0009000481214300000310A254000000" "00", 0 },
                  { "00090004812143000003A03254000000" "00", 0 }, { "00090004812143000003103A5400000000", 0 },
                  { "000900048121430000031032A5000000" "00", 0 },
                  /* more octets of indicators in front of it */
                  { "00090004812143000082002D00000000" "00", 0x2d }, { "0009000481214300008280002D000000" "00", 0x2d },
                  { "000900048121430000828080002D0000" "00", 0x2d }, { "00090004812143000082808080002D00" "00", 0 },
                  { "00090004812143000082FFFFFFFFFFFF" "00", 0 },
                  { "00090004812143000003000010000000" "00", 1 }, { "00090004812143000003001000000000" "00", 60 } };
    struct sms m;
    size_t i;

    for (i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_int_equal(read_hex(cases[i].hex, &m), SMS_OK);
        assert_true(m.validity_s == cases[i].seconds);
    }
    assert_int_equal(read_hex("0019000481214300007060503165034000", &m), SMS_OK); /* absolute */
    assert_true(m.time.is_set && m.validity_s == 0);
    assert_true(m.time.utc_ns == INT64_C(1181048190000000000)); /* 2007-06-05 13:56:30 at UTC+1 */
}

/* Each octet is written for what it means, and any time by the shortest that covers it. */
TEST(a_validity_that_is_written_is_never_shorter)
{
    static const int64_t steps[] = { 300, 1800, 86400, 7 * 86400 };
    const uint16_t letter = 'a';
    uint8_t pdu[SMS_PDU_MOST];
    struct sms m;
    int64_t s, step;
    size_t length, i = 0;

    for (s = 1; s < 64 * 7 * 86400; s += s < 2 * 86400 ? 299 : 21601) {
        struct sms_draft d = { "1", &letter, 1, SMS_GSM7, 0, 1, 1, false, s };
        size_t size = sms_write(&d, pdu, &length);

        i = s <= 43200 ? 0 : s <= 86400 ? 1 : s <= 30 * 86400 ? 2 : 3;
        step = steps[i];
        assert_int_equal(sms_read(pdu, size, &m), SMS_OK);
        assert_true(m.validity_s >= s || s > 63 * 7 * 86400);
        assert_true(m.validity_s < s + step);
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
                  { "0391F2", SMS_ERR_CUT },
                  { "0391F143", SMS_ERR_ADDRESS },
                  { "004404812143000070605031650300" "00", SMS_ERR_HEADER },
                  { "004404812143000470605031650300" "0404010203", SMS_ERR_HEADER },
                  /* 13 octets of header are 15 septets, and there are 14 */
                  { "004404812143000070605031650300" "0E" "0C" "700A00000000000000000000", SMS_ERR_HEADER },
                  { "0004FF812143", SMS_ERR_ADDRESS },
                  { "0001000481F143000000", SMS_ERR_ADDRESS },
                  { "0006010481F143" "70605031650300" "70605031650300" "00", SMS_ERR_ADDRESS },
                  { "000404812143000470605031650300" "8D", SMS_ERR_LENGTH } };
    struct sms m;
    char text[514];
    size_t i;

    for (i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_int_equal(read_hex(cases[i].hex, &m), cases[i].error);
        assert_true(strlen(sms_error_text(cases[i].error)) > 5);
    }
    assert_string_equal(sms_error_text(SMS_ERRORS), "is damaged");
    memset(text, '0', sizeof text);
    assert_int_equal(sms_read_hex(text, 512, &m), SMS_ERR_LENGTH);
    assert_int_equal(sms_read_hex(text, 510, &m), SMS_OK); /* a message of nothing, padded */
    assert_int_equal(read_hex(" \r\n", &m), SMS_ERR_CUT);
    assert_int_equal(read_hex("\r\n \"0004048121430000706050316503000131\"\t", &m), SMS_OK);
    assert_string_equal(text_of(&m), "1");
}

/* Each field of each kind, cut at each octet: refused, and nothing is written. */
TEST(a_message_that_is_cut_is_refused_at_each_octet)
{
    static const char *const whole[] = {
        "07911326040000F0" "4404812143000870605031650300" "0A" "0500030A0302" "00410042",
        "00" "4404812143000070605031650300" "07" "03240101" "D8CC01",
        "00" "0404812143000470605031650300" "03" "010203",
        "00" "0406D04F5904" "000070605031650300" "00",
        "00" "11000B919321436587F90000A7" "05" "C8329BFD06",
        "00" "19000481214300007060503165034000",
        "00" "09000481214300000310325400000000",
        "07912658050000F006010D91265817373754F5010101617053820101016170838200",
    };
    uint8_t pdu[SMS_PDU_MOST];
    struct sms m;
    size_t i, n;

    for (i = 0; i < sizeof whole / sizeof whole[0]; i++) {
        size_t size = strlen(whole[i]) / 2;

        assert_true(hex_read(whole[i], 2 * size, pdu, sizeof pdu));
        assert_int_equal(sms_read(pdu, size, &m), SMS_OK);
        for (n = 0; n < size; n++) {
            uint8_t *exact = malloc(n + 1); /* so that reading on is seen */

            memcpy(exact, pdu, n);
            memset(&m, 0x5a, sizeof m);
            assert_int_equal(sms_read(exact, n, &m), SMS_ERR_CUT);
            assert_int_equal(m.unit_count, 0x5a5a);
            free(exact);
        }
    }
}

/* 9.2.3.24: of a header whose last element does not end where it does nothing
 * counts; the text behind it does. */
TEST(a_header_that_does_not_add_up_is_passed_over)
{
    static const char *const headers[] = { "00030A0302" "04", "00030A03", "00", "00040A0302", "00030A0302" "0502", "05040B84" };
    char hex[128];
    struct sms m;
    size_t i;

    for (i = 0; i < sizeof headers / sizeof headers[0]; i++) {
        unsigned size = (unsigned)strlen(headers[i]) / 2;

        (void)snprintf(hex, sizeof hex, "004404812143000870605031650300%02X%02X%s00410042", size + 5, size, headers[i]);
        assert_int_equal(read_hex(hex, &m), SMS_OK);
        assert_string_equal(text_of(&m), "AB");
        assert_int_equal(m.parts, 0);
        assert_false(m.has_ports);
    }
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
    assert_int_equal(read_hex("004404812143000470605031650300" "06" "040402E2F0" "41", &m), SMS_OK);
    assert_true(m.has_ports);
    assert_int_equal(m.port_to, 0xe2);
    assert_int_equal(m.port_from, 0xf0);
    assert_int_equal(m.parts, 0);
    /* both kinds of joining: the last counts (9.2.3.24); no part 0, and no parts of 0 */
    assert_int_equal(read_hex("004404812143000870605031650300" "0E" "0B" "00030A0302" "080401020301" "0041", &m), SMS_OK);
    assert_int_equal(m.join, 0x102);
    assert_int_equal(read_hex("004404812143000870605031650300" "0E" "0B" "080401020301" "00030A0302" "0041", &m), SMS_OK);
    assert_true(!m.join_is_wide && m.join == 10 && m.parts == 3 && m.part == 2);
    assert_int_equal(read_hex("004404812143000870605031650300" "08" "0500030A0300" "0041", &m), SMS_OK);
    assert_int_equal(m.parts, 0);
    assert_int_equal(read_hex("004404812143000870605031650300" "09" "060804010A0300" "0041", &m), SMS_OK);
    assert_int_equal(m.parts, 0);
    assert_int_equal(read_hex("004404812143000870605031650300" "08" "0500030A0000" "0041", &m), SMS_OK);
    assert_int_equal(m.parts, 0);
    /* an element of no octets at the end */
    assert_int_equal(read_hex("004404812143000870605031650300" "0A" "07" "00030A0302" "7000" "0041", &m), SMS_OK);
    assert_int_equal(m.parts, 3);
    /* each element that is known, of another length */
    assert_int_equal(read_hex("004404812143000870605031650300" "19" "16" "0002AABB" "080101" "0401E2" "05020B84" "24020101"
                              "25020101" "0041", &m), SMS_OK);
    assert_true(m.parts == 0 && !m.has_ports && m.shift.single == 0 && m.shift.lock == 0);
    assert_string_equal(text_of(&m), "A");
    /* a part without text: 7 octets of header are 8 septets */
    assert_int_equal(read_hex("004404812143000070605031650300" "08" "06080401020302", &m), SMS_OK);
    assert_int_equal(m.unit_count, 0);
    assert_int_equal(m.part, 2);
    /* the Portuguese locking table */
    assert_int_equal(read_hex("004404812143000070605031650300" "06" "03250103" "A800", &m), SMS_OK);
    assert_string_equal(text_of(&m), "∞");
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

TEST(numbers_that_are_sent_are_read_again)
{
    static const char *const numbers[] = { "1", "12", "+391", "*100#", "+12345678901234567890", "#*0987654321" };
    const uint16_t letter = 'a';
    uint8_t pdu[SMS_PDU_MOST];
    struct sms m;
    size_t i, length, size;

    for (i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
        struct sms_draft d = { numbers[i], &letter, 1, SMS_GSM7, 0, 1, 1, false, 0 };

        assert_true(sms_number_ok(numbers[i]));
        size = sms_write(&d, pdu, &length);
        assert_int_equal(sms_read(pdu, size, &m), SMS_OK);
        assert_string_equal(m.peer.text, numbers[i]);
        assert_int_equal(size, length + 1);
    }
    assert_false(sms_number_ok("") || sms_number_ok("1+2") || sms_number_ok("/") || sms_number_ok(":"));
}

TEST(what_cannot_be_sent_is_not_written)
{
    const uint16_t caron = 0x161;
    uint16_t euro[81];
    struct sms_draft good = { "+391", euro, 80, SMS_GSM7, 0, 1, 1, false, 0 }, d;
    uint8_t pdu[SMS_PDU_MOST];
    size_t length, i;

    for (i = 0; i < 81; i++)
        euro[i] = 0x20ac;
    assert_true(sms_write(&good, pdu, &length) > 0);
    d = good;
    d.count = 81; /* 162 septets */
    assert_int_equal(sms_write(&d, pdu, &length), 0);
    d.coding = SMS_UCS2;
    assert_int_equal(sms_write(&d, pdu, &length), 0);
    d.coding = SMS_DATA;
    assert_int_equal(sms_write(&d, pdu, &length), 0);
    d = good;
    d.units = &caron;
    d.count = 1;
    assert_int_equal(sms_write(&d, pdu, &length), 0);
    d = good;
    d.number = "12a";
    assert_int_equal(sms_write(&d, pdu, &length), 0);
}

AFF_TEST_MAIN(a_status_report_has_its_reference_times_and_status, statuses_are_ends_or_not,
              alphanumeric_senders_are_text, addresses_end_where_their_length_says,
              a_report_is_wanted_where_its_bit_says_so, data_coding_groups_are_read,
              zones_go_both_ways_and_centuries_change_at_ninety, a_time_that_is_none_is_not_set,
              validities_are_seconds, a_validity_that_is_written_is_never_shorter, what_is_damaged_is_refused_by_kind,
              a_message_that_is_cut_is_refused_at_each_octet, a_header_that_does_not_add_up_is_passed_over,
              headers_name_parts_ports_and_tables, numbers_are_checked_before_they_are_sent,
              numbers_that_are_sent_are_read_again, what_cannot_be_sent_is_not_written)
