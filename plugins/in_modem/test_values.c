/* SPDX-License-Identifier: Apache-2.0
 *
 * test_values.c - values of replies and codes, and what is refused of them: network,
 * SIM and data. Those about messages are in test_messages.c, positions in
 * test_positions.c. */
#include <afferent/testkit.h>

#include <stdio.h>
#include <string.h>

#include "at_values.h"

TEST(registration_is_told_in_each_form)
{
    struct at_registration r;

    assert_int_equal(at_registration_read("+CREG: 2,1,\"5E25\",\"605F\",2", &r), AT_FINE);
    assert_int_equal(r.domain, AT_CS);
    assert_int_equal(r.status, 1);
    assert_int_equal(r.area, 0x5e25);
    assert_int_equal(r.technology, 2);
    assert_int_equal(at_registration_read("+CREG: 2,1,4CA,81DE445", &r), AT_FINE);
    assert_true(r.cell == 0x81de445);
    assert_int_equal(r.technology, -1);
    assert_int_equal(at_registration_read("+CREG: 0,0", &r), AT_FINE);
    assert_int_equal(r.status, 0);
    assert_false(r.has_area);
    assert_int_equal(at_registration_read("+CEREG: 5", &r), AT_FINE);
    assert_int_equal(r.status, 5);
    assert_int_equal(at_registration_read("+CGREG: 1,\"00C3\",\"0001A2B3\",7", &r), AT_FINE);
    assert_int_equal(r.status, 1);
    assert_int_equal(r.technology, 7);
    assert_int_equal(at_registration_read("+C5GREG: 2,1,\"00AB12\",\"00000A1B2C3D4\",11,4,\"01.010203\"", &r), AT_FINE);
    assert_int_equal(r.domain, AT_5GS);
    assert_string_equal(at_technology_name(r.technology), "nr");
    assert_int_equal(at_technology_generation(r.technology), 5);
    assert_int_equal(at_registration_read("+CREG: 12", &r), AT_FAULT_RANGE);
    assert_int_equal(at_registration_read("+CREG:", &r), AT_FAULT_MISSING);
    assert_int_equal(at_registration_read("+CREG: 1,\"XYZW\"", &r), AT_FAULT_SYNTAX);
    assert_int_equal(at_registration_read("+CSQ: 1", &r), AT_FAULT_PREFIX);
    assert_true(at_status_is_roaming(5) && at_status_is_registered(5) && !at_status_is_registered(3));
}

/* 27.007, 7.2, 10.1.20, 10.1.22 and 10.1.47: from one field to all, by what each
 * setting of <n> adds, with and without quotes. */
TEST(registration_has_as_many_fields_as_the_modem_was_asked_for)
{
    static const struct {
        const char *line;
        int status, technology;
        uint64_t area, cell; /* area 0: none */
    } cases[] = { { "+CREG: 0,5", 5, -1, 0, 0 },
                  { "+CREG: 11", 11, -1, 0, 0 },
                  { "+CREG:1,2", 2, -1, 0, 0 },
                  { "+CREG: 2,1,\"00C3\",\"01A2\"", 1, -1, 0xc3, 0x1a2 },
                  { "+CREG: 2,0,,,", 0, -1, 0, 0 },
                  { "+CREG: 3,3,,,,0,15", 3, -1, 0, 0 },
                  { "+CREG: 3,3,\"00C3\",\"01A2B3C4\",7,1,33", 3, 7, 0xc3, 0x1a2b3c4 },
                  { "+CREG: 2,1,\"00C3\"", 1, -1, 0, 0 }, /* an area without a cell is none */
                  { "+CREG: 5,\"00C3\",\"01A2\",0", 5, 0, 0xc3, 0x1a2 },
                  { "+CREG: 1,00C3,01A2", 1, -1, 0xc3, 0x1a2 },
                  { "+CGREG: 2,1,\"5E25\",\"605F\",6,\"10\"", 1, 6, 0x5e25, 0x605f },
                  { "+CEREG: 2,1,\"00aa\",\"01020304\",7", 1, 7, 0xaa, 0x1020304 },
                  { "+CEREG: 4,5,\"00AA\",\"01020304\",9,,,\"00001010\",\"01001101\"", 5, 9, 0xaa, 0x1020304 },
                  { "+CEREG: 1, \"00AA\" , \"01020304\" , 7", 1, 7, 0xaa, 0x1020304 },
                  { "+C5GREG: 2,1,\"FFFFFF\",\"FFFFFFFFF\",11,0,\"\"", 1, 11, 0xffffff, UINT64_C(0xfffffffff) },
                  { "+CEREG: 2,1,\"00AA\",\"01\",17", 1, -1, 0xaa, 1 }, /* of a release to come */
                  { "+CEREG: 2,1,\"00AA\",\"01\",255", 1, -1, 0xaa, 1 } };
    struct at_registration r;
    size_t i;

    for (i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_int_equal(at_registration_read(cases[i].line, &r), AT_FINE);
        assert_int_equal(r.status, cases[i].status);
        assert_int_equal(r.technology, cases[i].technology);
        assert_int_equal(r.has_area, cases[i].area != 0);
        assert_true(r.area == cases[i].area && r.cell == cases[i].cell);
    }
    assert_int_equal(at_registration_read("+CREG: 2,1,\"123456789\",\"1\"", &r), AT_FAULT_RANGE);
    assert_int_equal(at_registration_read("+CREG: 2,1,\"12345678901234567\",\"1\"", &r), AT_FAULT_SYNTAX);
    assert_int_equal(at_registration_read("+CREG: 2,1,\"1\",\"1000000000\"", &r), AT_FAULT_RANGE);
    assert_int_equal(at_registration_read("+CREG: 2,1,\"1\",\"x\"", &r), AT_FAULT_SYNTAX);
    assert_int_equal(at_registration_read("+CREG: 2,1,\"1\",\"1\",x", &r), AT_FAULT_SYNTAX);
    assert_int_equal(at_registration_read("+CREG: x", &r), AT_FAULT_SYNTAX);
}

TEST(states_and_technologies_have_names)
{
    static const int registered[] = { 1, 5, 6, 7, 9, 10 }, roaming[] = { 5, 7, 10 };
    static const int generations[] = { 2, 2, 3, 2, 3, 3, 3, 4, 2, 4, 4, 5, 5, 5, 4, 4, 5 };
    size_t i, counts[2] = { 0, 0 };
    int status;

    for (status = -1; status <= 12; status++) {
        counts[0] += at_status_is_registered(status);
        counts[1] += at_status_is_roaming(status);
        assert_true(*at_status_name(status));
    }
    assert_int_equal(counts[0], 6);
    assert_int_equal(counts[1], 3);
    for (i = 0; i < 6; i++)
        assert_true(at_status_is_registered(registered[i]));
    for (i = 0; i < 3; i++)
        assert_true(at_status_is_roaming(roaming[i]));
    assert_string_equal(at_status_name(0), "not_searching");
    assert_string_equal(at_status_name(3), "denied");
    assert_string_equal(at_status_name(12), "unknown");
    for (i = 0; i < sizeof generations / sizeof generations[0]; i++) {
        assert_true(*at_technology_name((int)i));
        assert_int_equal(at_technology_generation((int)i), generations[i]);
    }
    assert_string_equal(at_technology_name(-1), "");
    assert_string_equal(at_technology_name(17), "");
    assert_int_equal(at_technology_generation(-1), 0);
    assert_int_equal(at_technology_generation(17), 0);
}

TEST(signals_are_decibels)
{
    struct at_signal s;

    assert_int_equal(at_csq_read("+CSQ: 15,99", &s), AT_FINE);
    assert_int_equal(s.rssi_dbm, -83);
    assert_int_equal(s.ber, AT_UNKNOWN);
    assert_int_equal(at_csq_read("+CSQ: 99,99", &s), AT_FINE);
    assert_int_equal(s.rssi_dbm, AT_UNKNOWN);
    assert_int_equal(at_csq_read("+CSQ: 50,0", &s), AT_FAULT_RANGE);
    assert_int_equal(at_cesq_read("+CESQ: 99,99,255,255,20,80", &s), AT_FINE);
    assert_int_equal(s.rsrq_ddb, -100);
    assert_int_equal(s.rsrp_dbm, -61);
    assert_int_equal(s.ss_rsrp_dbm, AT_UNKNOWN);
    assert_int_equal(at_cesq_read("+CESQ: 99,99,255,255,255,255,65,72,61", &s), AT_FINE);
    assert_int_equal(s.ss_rsrq_ddb, -110);
    assert_int_equal(s.ss_rsrp_dbm, -85);
    assert_int_equal(s.ss_sinr_ddb, 70);
    assert_int_equal(at_cesq_read("+CESQ: 99,99,255,255,255,200", &s), AT_FAULT_RANGE);
    assert_int_equal(at_cesq_read("+CESQ: 99,99,255", &s), AT_FAULT_MISSING);
    assert_int_equal(at_cesq_read("+CESQ: 63,0,96,49,34,97", &s), AT_FINE);
    assert_int_equal(s.rssi_dbm, -48);
    assert_int_equal(s.rscp_dbm, -25);
    assert_int_equal(s.ecno_ddb, 0);
    assert_int_equal(s.rsrq_ddb, -30);
    assert_int_equal(s.rsrp_dbm, -44);
    assert_int_equal(s.ber, 0);
    assert_int_equal(at_csq_read("+CSQ: 31,7", &s), AT_FINE);
    assert_true(s.rssi_dbm == -51 && s.ber == 7);
    assert_int_equal(at_csq_read("+CSQ: 0", &s), AT_FINE);
    assert_true(s.rssi_dbm == -113 && s.ber == AT_UNKNOWN);
    assert_int_equal(at_csq_read("+CSQ: 100,0", &s), AT_FINE); /* TD-SCDMA */
    assert_true(s.rssi_dbm == -116 && s.ber == 0);
    assert_int_equal(at_csq_read("+CSQ: 192,99", &s), AT_FAULT_RANGE);
    assert_int_equal(at_csq_read("+CSQ: 10,100", &s), AT_FAULT_RANGE);
    assert_int_equal(at_csq_read("+CSQ: 191,99", &s), AT_FINE);
    assert_int_equal(s.rssi_dbm, -25);
    assert_int_equal(at_csq_read("+CSQ: 199,99", &s), AT_FINE);
    assert_int_equal(s.rssi_dbm, AT_UNKNOWN);
    assert_int_equal(at_csq_read("+CSQ: 195,99", &s), AT_FAULT_RANGE);
    assert_int_equal(at_csq_read("+CSQ: 32,99", &s), AT_FAULT_RANGE);
    assert_int_equal(at_csq_read("+CSQ: ,99", &s), AT_FAULT_MISSING);
    assert_int_equal(at_csq_read("+CSQ: 10,x", &s), AT_FAULT_SYNTAX);
    assert_int_equal(at_csq_read("+CESQ: 10,9", &s), AT_FAULT_PREFIX);
    assert_int_equal(at_cesq_read("+CSQ: 10,9", &s), AT_FAULT_PREFIX);
    assert_int_equal(at_cesq_read("+CESQ: 0,0,0,0,0,0,0,0,0", &s), AT_FINE); /* below what each can say */
    assert_true(s.rssi_dbm == -111 && s.rscp_dbm == -121 && s.ecno_ddb == -245 && s.rsrq_ddb == -200 && s.rsrp_dbm == -141);
    assert_true(s.ss_rsrq_ddb == -435 && s.ss_rsrp_dbm == -157 && s.ss_sinr_ddb == -235);
    assert_int_equal(at_cesq_read("+CESQ: 99,99,255,255,255,255,126,126,127", &s), AT_FINE);
    assert_true(s.ss_rsrq_ddb == 195 && s.ss_rsrp_dbm == -31 && s.ss_sinr_ddb == 400);
    assert_int_equal(at_cesq_read("+CESQ: 99,99,255,255,255,255,255,255,255", &s), AT_FINE);
    assert_true(s.ss_rsrq_ddb == AT_UNKNOWN && s.rssi_dbm == AT_UNKNOWN && s.ber == AT_UNKNOWN);
    assert_int_equal(at_cesq_read("+CESQ: 64,99,255,255,255,255", &s), AT_FAULT_RANGE);
    assert_int_equal(at_cesq_read("+CESQ: 255,99,255,255,255,255", &s), AT_FAULT_RANGE);
    assert_int_equal(at_cesq_read("+CESQ: 99,8,255,255,255,255", &s), AT_FAULT_RANGE);
    assert_int_equal(at_cesq_read("+CESQ: 99,99,255,255,255,255,127,1,1", &s), AT_FAULT_RANGE);
    assert_int_equal(at_cesq_read("+CESQ: 99,99,255,255,256,255", &s), AT_FAULT_RANGE);
}

/* 8.69: one above the last of each is nothing, the last is fine. */
TEST(each_measure_has_an_end)
{
    static const int most[] = { 63, 7, 96, 49, 34, 97, 126, 126, 127 };
    struct at_signal s;
    char line[64];
    size_t i, k, used;
    int more;

    for (i = 0; i < sizeof most / sizeof most[0]; i++)
        for (more = 0; more < 2; more++) {
            used = (size_t)snprintf(line, sizeof line, "+CESQ: ");
            for (k = 0; k < sizeof most / sizeof most[0]; k++)
                used += (size_t)snprintf(line + used, sizeof line - used, "%s%d", k ? "," : "", most[k] + (k == i ? more : 0));
            assert_int_equal(at_cesq_read(line, &s), more ? AT_FAULT_RANGE : AT_FINE);
        }
}

TEST(operators_have_names_and_technologies)
{
    struct at_operator o;
    char line[64];
    int i;

    assert_int_equal(at_operator_read("+COPS: 0,0,\"Tele, Two\",13", &o), AT_FINE);
    assert_string_equal(o.name, "Tele, Two");
    assert_int_equal(o.technology, 13);
    assert_int_equal(at_operator_read("+COPS: 2", &o), AT_FINE);
    assert_string_equal(o.name, "");
    assert_int_equal(at_operator_read("+COPS: 0,9,\"x\"", &o), AT_FAULT_RANGE);
    for (i = 0; i <= 16; i++) {
        (void)snprintf(line, sizeof line, "+COPS: 1,2,\"22201\",%d", i);
        assert_int_equal(at_operator_read(line, &o), AT_FINE);
        assert_int_equal(o.technology, i);
        assert_true(o.mode == 1 && o.format == 2);
    }
    assert_int_equal(at_operator_read("+COPS: 0,0,\"x\",99", &o), AT_FINE); /* of a release to come */
    assert_int_equal(o.technology, -1);
    assert_string_equal(o.name, "x");
    assert_int_equal(at_operator_read("+COPS: 0,0,\"x\"", &o), AT_FINE);
    assert_int_equal(o.technology, -1);
    assert_int_equal(at_operator_read("+COPS: 0,,\"x\"", &o), AT_FINE);
    assert_true(o.format == -1 && !*o.name);
    assert_int_equal(at_operator_read("+COPS: 3", &o), AT_FINE);
    assert_int_equal(at_operator_read("+COPS: 5", &o), AT_FAULT_RANGE);
    assert_int_equal(at_operator_read("+COPS: 0,0,\"x\",y", &o), AT_FAULT_SYNTAX);
    assert_int_equal(at_operator_read("+COPS: (2,\"A\",\"B\",\"22201\",7)", &o), AT_FAULT_SYNTAX); /* of AT+COPS=? */
    assert_int_equal(at_operator_read("+COPN: 0", &o), AT_FAULT_PREFIX);
}

TEST(operators_in_hex_digits_of_units_have_their_letters_and_others_stay)
{
    static const struct {
        const char *field, *name;
    } all[] = {
        { "0056006F006400610066006F006E0065", "Vodafone" },
        { "041C0422042100200052", "МТС R" },
        { "4E2D56FD79FB52A8", "中国移动" },
        { "00112233", "00112233" },
        { "DEADBEEF", "DEADBEEF" },
        { "22201", "22201" },
        { "CAFE", "CAFE" },
        { "E-Plus 0012", "E-Plus 0012" },
        { "0056006F0064006", "0056006F0064006" },
    };
    struct at_operator o;
    char line[96];
    size_t i;

    for (i = 0; i < sizeof all / sizeof all[0]; i++) {
        (void)snprintf(line, sizeof line, "+COPS: 0,0,\"%s\",7", all[i].field);
        assert_int_equal(at_operator_read(line, &o), AT_FINE);
        assert_string_equal(o.name, all[i].name);
        assert_int_equal(o.technology, 7);
    }
}

TEST(network_time_is_utc_with_its_zone)
{
    struct at_time t;

    assert_int_equal(at_time_read("+CCLK: \"24/11/21,17:45:00+04\"", &t), AT_FINE);
    assert_true(t.has_time && t.has_zone);
    assert_true(t.utc_ns == INT64_C(1732207500000000000)); /* 16:45 UTC */
    assert_int_equal(t.zone_min, 60);
    assert_int_equal(at_time_read("+CTZE: \"-20\",1,\"2024/11/21,11:45:00\"", &t), AT_FINE); /* local: 8.41 */
    assert_true(t.has_time && t.utc_ns == INT64_C(1732207500000000000));
    assert_int_equal(t.zone_min, -300);
    assert_int_equal(at_time_read("+CTZEU: +32,0,\"2024/11/21,16:45:00\"", &t), AT_FINE); /* universal */
    assert_true(t.has_time && t.utc_ns == INT64_C(1732207500000000000));
    assert_int_equal(t.zone_min, 480);
    assert_int_equal(at_time_read("+CTZE: \"+22\",0", &t), AT_FINE);
    assert_true(!t.has_time && t.has_zone && t.zone_min == 330);
    assert_int_equal(at_time_read("+CTZE: \"+22\",0,\"\"", &t), AT_FINE);
    assert_false(t.has_time);
    assert_int_equal(at_time_read("+CTZE: \"+57\",0", &t), AT_FAULT_RANGE);
    assert_int_equal(at_time_read("+CTZE: \"+22\",0,\"2024/02/30,00:00:00\"", &t), AT_FAULT_RANGE);
    assert_int_equal(at_time_read("+CTZE: \"+22\",0,\"soon\"", &t), AT_FAULT_SYNTAX);
    assert_int_equal(at_time_read("+CTZV:", &t), AT_FAULT_MISSING);
    assert_int_equal(at_time_read("+CTZX: 1", &t), AT_FAULT_PREFIX);
    assert_int_equal(at_time_read("+CCLK: \"24/02/29,23:59:59\"", &t), AT_FINE);
    assert_true(t.has_time && !t.has_zone && t.zone_min == 0);
    assert_true(t.utc_ns == INT64_C(1709251199000000000));
    assert_int_equal(at_time_read("+CCLK: \"24/02/29,23:59:59-48\"", &t), AT_FINE);
    assert_true(t.utc_ns == INT64_C(1709294399000000000)); /* at noon of the next day */
    assert_int_equal(t.zone_min, -720);
    assert_int_equal(at_time_read("+CCLK: \"80/01/06,00:00:12+00\"", &t), AT_FINE); /* a clock that was never set */
    assert_true(t.utc_ns == INT64_C(315964812000000000));
    assert_int_equal(at_time_read("+CCLK: \"70/01/01,00:00:00\"", &t), AT_FINE);
    assert_true(t.utc_ns == 0);
    assert_int_equal(at_time_read("+CCLK: \"69/01/01,00:00:00\"", &t), AT_FINE);
    assert_true(t.utc_ns == INT64_C(3124224000000000000));
    assert_int_equal(at_time_read("+CCLK: \"1969/12/31,00:00:00\"", &t), AT_FAULT_RANGE);
    assert_int_equal(at_time_read("+CCLK: \"2201/01/01,00:00:00\"", &t), AT_FAULT_RANGE);
    assert_int_equal(at_time_read("+CCLK: \"26/12/31,23:59:60-56\"", &t), AT_FINE); /* a leap second */
    assert_int_equal(t.zone_min, -840);
    assert_int_equal(at_time_read("+CCLK: \"26/12/31,23:59:60+56\"", &t), AT_FINE);
    assert_int_equal(at_time_read("+CCLK: \"26/12/31,23:59:60+57\"", &t), AT_FAULT_SYNTAX);
    assert_int_equal(at_time_read("+CCLK: \"26/12/31,23:59:60-57\"", &t), AT_FAULT_SYNTAX);
    assert_int_equal(at_time_read("+CTZV: -56", &t), AT_FINE);
    assert_int_equal(at_time_read("+CTZV: -57", &t), AT_FAULT_RANGE);
    assert_int_equal(at_time_read("+CCLK: \"24/11/21,17:45:00Z\"", &t), AT_FAULT_SYNTAX);
    assert_int_equal(at_time_read("+CCLK: \"24/11/21,17:45:00+99\"", &t), AT_FAULT_SYNTAX);
    assert_int_equal(at_time_read("+CCLK: \"24/11/21,24:00:00\"", &t), AT_FAULT_RANGE);
    assert_int_equal(at_time_read("+CCLK: \"24/11/21,23:60:00\"", &t), AT_FAULT_RANGE);
    assert_int_equal(at_time_read("+CCLK: \"24/11/21,23:59:61\"", &t), AT_FAULT_RANGE);
    assert_int_equal(at_time_read("+CCLK: \"123456789/11/21,23:59:61\"", &t), AT_FAULT_RANGE);
    assert_int_equal(at_time_read("+CCLK: \"\"", &t), AT_FAULT_SYNTAX);
    assert_int_equal(at_time_read("+CCLK:", &t), AT_FAULT_MISSING);
    assert_int_equal(at_time_read("+CTZV: +08", &t), AT_FINE);
    assert_false(t.has_time);
    assert_int_equal(t.zone_min, 120);
    assert_int_equal(at_time_read("+CCLK: \"24/13/21,17:45:00+04\"", &t), AT_FAULT_RANGE);
    assert_int_equal(at_time_read("+CCLK: \"24/12/21\"", &t), AT_FAULT_SYNTAX);
}

TEST(sim_states_and_identities_are_read)
{
    static const char *const states[] = { "READY", "SIM PIN", "SIM PUK", "SIM PIN2", "SIM PUK2", "NOT READY",
                                          "NOT INSERTED", "SIM REMOVED" };
    enum at_sim sim;
    char text[32];
    int i;

    assert_int_equal(at_sim_read("+CPIN: SIM PUK", &sim), AT_FINE);
    assert_int_equal(sim, AT_SIM_PUK);
    assert_int_equal(at_sim_read("+CPIN: PH-NET PIN", &sim), AT_FINE);
    assert_int_equal(sim, AT_SIM_OTHER);
    assert_int_equal(at_identity_read("+CGSN: \"356938035643809\"", text, sizeof text), AT_FINE);
    assert_true(at_identity_is_number(text));
    assert_int_equal(at_identity_read("+CCID: 8949012345678901234F", text, sizeof text), AT_FINE);
    assert_true(at_identity_is_number(text));
    assert_int_equal(at_identity_read("Quectel EG25-G with a name too long for it", text, sizeof text), AT_FAULT_LONG);
    assert_false(at_identity_is_number("12345"));
    assert_false(at_identity_is_number("123456789012345F6"));
    assert_false(at_identity_is_number("123456789012345678901"));
    for (i = 0; i < 8; i++) {
        (void)snprintf(text, sizeof text, "+CPIN: %s", states[i]);
        assert_int_equal(at_sim_read(text, &sim), AT_FINE);
        assert_int_equal(sim, i < AT_SIM_ABSENT ? i : AT_SIM_ABSENT);
    }
    assert_int_equal(at_sim_read("+CPIN: \"SIM PIN\"", &sim), AT_FINE);
    assert_int_equal(sim, AT_SIM_PIN);
    assert_int_equal(at_sim_read("+CPIN:", &sim), AT_FAULT_MISSING);
    assert_int_equal(at_sim_read("+CPIN: \"\"", &sim), AT_FAULT_MISSING);
    assert_int_equal(at_sim_read("+CPIN: a state that is longer than any there has ever been", &sim), AT_FAULT_LONG);
    assert_int_equal(at_sim_read("+CPUN: 1", &sim), AT_FAULT_PREFIX);
    assert_int_equal(at_identity_read("ICCID:8949012345678901234", text, sizeof text), AT_FINE);
    assert_string_equal(text, "8949012345678901234");
    assert_int_equal(at_identity_read("^SN: 1", text, sizeof text), AT_FINE);
    assert_int_equal(at_identity_read("%CCID: 1", text, sizeof text), AT_FINE);
    assert_string_equal(text, "1");
    assert_int_equal(at_identity_read("A: B", text, sizeof text), AT_FINE);
    assert_string_equal(text, "A: B");
    assert_int_equal(at_identity_read("+1234", text, sizeof text), AT_FINE);
    assert_string_equal(text, "+1234");
    assert_int_equal(at_identity_read("+CGMM:", text, sizeof text), AT_FAULT_MISSING);
    assert_int_equal(at_identity_read("+CGMM: \"\"", text, sizeof text), AT_FAULT_MISSING);
}

TEST(contexts_and_centres_are_read)
{
    struct at_context c;
    struct at_centre centre;
    char text[8];
    bool active;
    int cid;

    assert_int_equal(at_context_read("+CGDCONT: 1,\"IPV4V6\",\"internet\",\"0.0.0.0\",0,0", &c), AT_FINE);
    assert_string_equal(c.apn, "internet");
    assert_int_equal(at_active_read("+CGACT: 1,1", &cid, &active), AT_FINE);
    assert_true(active && cid == 1);
    assert_int_equal(at_context_read("+CGDCONT: 2,\"IP\"", &c), AT_FINE);
    assert_true(c.cid == 2 && !*c.apn);
    assert_int_equal(at_context_read("+CGDCONT: 2", &c), AT_FAULT_MISSING);
    assert_int_equal(at_context_read("+CGDCONT: (1-16),\"IP\",,,(0-2),(0-4)", &c), AT_FAULT_SYNTAX); /* of =? */
    assert_int_equal(at_context_read("+CGDCONT: 300,\"IP\"", &c), AT_FAULT_RANGE);
    assert_int_equal(at_context_read("+CGDCONT: 1,\"A TYPE OF MORE LETTERS\"", &c), AT_FAULT_LONG);
    assert_int_equal(at_context_read("+CGDSCONT: 1", &c), AT_FAULT_PREFIX);
    assert_int_equal(at_active_read("+CGACT: 16,0", &cid, &active), AT_FINE);
    assert_true(!active && cid == 16);
    assert_int_equal(at_active_read("+CGACT: 1,2", &cid, &active), AT_FAULT_RANGE);
    assert_int_equal(at_active_read("+CGACT: 1", &cid, &active), AT_FAULT_MISSING);
    assert_int_equal(at_active_read("+CGATT: 1", &cid, &active), AT_FAULT_PREFIX);
    assert_int_equal(at_centre_read("+CSCA: \"+393492000466\",145", &centre), AT_FINE);
    assert_string_equal(centre.number, "+393492000466");
    assert_int_equal(at_centre_read("+CSCA: \"\",129", &centre), AT_FAULT_MISSING);
    assert_int_equal(at_centre_read("+CSCA: \"abc\",129", &centre), AT_FAULT_SYNTAX);
    assert_int_equal(at_centre_read("+CSCA: \"002B003400340037\"", &centre), AT_FINE); /* in UCS2 */
    assert_string_equal(centre.number, "+447");
    assert_int_equal(centre.type, 129);
    assert_int_equal(at_centre_read("+CSCA: \"00390038\",161", &centre), AT_FINE);
    assert_string_equal(centre.number, "98");
    assert_int_equal(centre.type, 161);
    assert_int_equal(at_centre_read("+CSCA: \"0044123456\"", &centre), AT_FINE); /* not in UCS2 */
    assert_string_equal(centre.number, "0044123456");
    assert_int_equal(at_centre_read("+CSCA:", &centre), AT_FAULT_MISSING);
    assert_int_equal(at_centre_read("+CSCA: \"+1\",256", &centre), AT_FAULT_RANGE);
    assert_int_equal(at_centre_read("+CSCS: \"GSM\"", &centre), AT_FAULT_PREFIX);
    assert_int_equal(at_charset_read("+CSCS: \"UCS2\"", text, sizeof text), AT_FINE);
    assert_string_equal(text, "UCS2");
    assert_int_equal(at_charset_read("+CSCS: \"\"", text, sizeof text), AT_FAULT_MISSING);
    assert_int_equal(at_charset_read("+CSCS:", text, sizeof text), AT_FAULT_MISSING);
    assert_int_equal(at_charset_read("+CSCA: 1", text, sizeof text), AT_FAULT_PREFIX);
}

/* 27.007, 7.11 and 8.12, as in the transcripts. */
TEST(forwardings_and_entries_are_read)
{
    struct at_forward w;
    struct at_entry e;

    assert_int_equal(at_forward_read("+CCFC: 1,1,\"+391234\",145", &w), AT_FINE);
    assert_true(w.active && w.classes == 1);
    assert_string_equal(w.number, "+391234");
    assert_int_equal(at_forward_read("+CCFC:0,7", &w), AT_FINE);
    assert_true(!w.active && !*w.number);
    assert_int_equal(at_forward_read("+CCFC: 2,7", &w), AT_FAULT_RANGE);
    assert_int_equal(at_forward_read("+CCFC: 1,1,\"0123456789012345678901234567890123456789012345678\"", &w), AT_FAULT_LONG);
    assert_int_equal(at_forward_read("+CLCK: 1", &w), AT_FAULT_PREFIX);
    assert_int_equal(at_entry_read("+CPBR: 3,\"+391234\",145,\"Ward, 3\"", &e), AT_FINE);
    assert_true(e.index == 3 && e.type == 145);
    assert_string_equal(e.name, "Ward, 3");
    assert_int_equal(at_entry_read("+CPBR: 3,,\"+391234\",145,\"Ward\"", &e), AT_FINE);
    assert_string_equal(e.number, "+391234");
    assert_int_equal(at_entry_read("+CPBR: 3,\"\",145,\"Ward\"", &e), AT_FINE);
    assert_int_equal(at_entry_read("+CPBR: 3,\"+391234\",145", &e), AT_FAULT_MISSING);
    assert_int_equal(at_entry_read("+CPBR: -3", &e), AT_FAULT_RANGE);
    assert_int_equal(at_entry_read("+CPBF: 1", &e), AT_FAULT_PREFIX);
}

TEST(fields_are_parted_by_commas_outside_of_quotes)
{
    struct at_fields f;
    struct at_field field;
    char text[8];
    int64_t n = 7;
    uint64_t hex;
    double real;

    assert_true(at_fields_open(&f, "+X:  \"a,b\" x , c\t,(1,2),\"open", "+X:"));
    assert_int_equal(at_next_text(&f, text, sizeof text), AT_FINE);
    assert_string_equal(text, "a,b");
    assert_int_equal(at_next_text(&f, text, sizeof text), AT_FINE);
    assert_string_equal(text, "c");
    assert_true(at_fields_next(&f, &field) && field.grouped && field.size == 3);
    assert_int_equal(at_next_text(&f, text, sizeof text), AT_FINE);
    assert_string_equal(text, "open");
    assert_false(at_fields_next(&f, &field));
    assert_int_equal(at_next_text(&f, text, sizeof text), AT_FAULT_MISSING);
    assert_int_equal(at_next_hex(&f, 1, &hex), AT_FAULT_MISSING);
    assert_int_equal(at_next_real(&f, 0, 1, &real), AT_FAULT_MISSING);
    assert_true(at_fields_open(&f, "+X: -,+5,99999999999999999999,1.2.3,-.5,,.,123456789012345678901234567890", "+X:"));
    assert_int_equal(at_next_int(&f, 0, 9, &n), AT_FAULT_SYNTAX);
    assert_int_equal(at_next_int(&f, 0, 9, &n), AT_FINE);
    assert_true(n == 5);
    assert_int_equal(at_next_int(&f, 0, 9, &n), AT_FAULT_SYNTAX);
    assert_int_equal(at_next_real(&f, 0, 9, &real), AT_FAULT_SYNTAX);
    assert_int_equal(at_next_real(&f, -1, 9, &real), AT_FINE);
    assert_true(real == -0.5);
    assert_int_equal(at_next_real(&f, -1, 9, &real), AT_FAULT_MISSING);
    assert_int_equal(at_next_real(&f, -1, 9, &real), AT_FAULT_SYNTAX);
    assert_int_equal(at_next_real(&f, -1, 9, &real), AT_FAULT_SYNTAX);
    assert_true(at_fields_open(&f, "+X: 1234567,12345678,FFFFffffFFFFffff,+9,000000000000000000001.50,999999999999999999,-,/,:", "+X:"));
    assert_int_equal(at_next_text(&f, text, sizeof text), AT_FINE);
    assert_int_equal(at_next_text(&f, text, sizeof text), AT_FAULT_LONG);
    assert_int_equal(at_next_hex(&f, UINT64_MAX, &hex), AT_FINE);
    assert_true(hex == UINT64_MAX);
    assert_int_equal(at_next_real(&f, 0, 9, &real), AT_FINE);
    assert_true(real == 9);
    assert_int_equal(at_next_real(&f, 0, 9, &real), AT_FINE); /* of 24 characters */
    assert_true(real == 1.5);
    assert_int_equal(at_next_int(&f, 0, INT64_MAX, &n), AT_FINE);
    assert_true(n == INT64_C(999999999999999999));
    assert_int_equal(at_next_int(&f, 0, 9, &n), AT_FAULT_SYNTAX);
    assert_int_equal(at_next_real(&f, 0, 9, &real), AT_FAULT_SYNTAX);
    assert_int_equal(at_next_real(&f, 0, 9, &real), AT_FAULT_SYNTAX);
    for (n = AT_FINE; n <= AT_FAULTS; n++)
        assert_true(strlen(at_fault_text((enum at_fault)n)) > 5);
}

AFF_TEST_MAIN(registration_is_told_in_each_form, registration_has_as_many_fields_as_the_modem_was_asked_for,
              states_and_technologies_have_names, signals_are_decibels, each_measure_has_an_end,
              operators_have_names_and_technologies,
              operators_in_hex_digits_of_units_have_their_letters_and_others_stay, network_time_is_utc_with_its_zone,
              sim_states_and_identities_are_read, contexts_and_centres_are_read, forwardings_and_entries_are_read,
              fields_are_parted_by_commas_outside_of_quotes)
