/* SPDX-License-Identifier: Apache-2.0
 *
 * test_values.c - values of replies and codes, and what is refused of them. */
#include <afferent/testkit.h>

#include <math.h>
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
}

TEST(operators_have_names_and_technologies)
{
    struct at_operator o;

    assert_int_equal(at_operator_read("+COPS: 0,0,\"Tele, Two\",13", &o), AT_FINE);
    assert_string_equal(o.name, "Tele, Two");
    assert_int_equal(o.technology, 13);
    assert_int_equal(at_operator_read("+COPS: 2", &o), AT_FINE);
    assert_string_equal(o.name, "");
    assert_int_equal(at_operator_read("+COPS: 0,9,\"x\"", &o), AT_FAULT_RANGE);
}

TEST(network_time_is_utc_with_its_zone)
{
    struct at_time t;

    assert_int_equal(at_time_read("+CCLK: \"24/11/21,17:45:00+04\"", &t), AT_FINE);
    assert_true(t.has_time && t.has_zone);
    assert_true(t.utc_ns == INT64_C(1732207500000000000)); /* 16:45 UTC */
    assert_int_equal(t.zone_min, 60);
    assert_int_equal(at_time_read("+CTZE: \"-20\",1,\"2024/11/21,16:45:00\"", &t), AT_FINE);
    assert_true(t.utc_ns == INT64_C(1732207500000000000));
    assert_int_equal(t.zone_min, -300);
    assert_int_equal(at_time_read("+CTZV: +08", &t), AT_FINE);
    assert_false(t.has_time);
    assert_int_equal(t.zone_min, 120);
    assert_int_equal(at_time_read("+CCLK: \"24/13/21,17:45:00+04\"", &t), AT_FAULT_RANGE);
    assert_int_equal(at_time_read("+CCLK: \"24/12/21\"", &t), AT_FAULT_SYNTAX);
}

TEST(stores_say_how_full_they_are)
{
    struct at_stores s;
    bool has;

    assert_int_equal(at_stores_read("+CPMS: \"SM\",3,20,\"ME\",1,255,\"MT\",4,275", &s), AT_FINE);
    assert_int_equal(s.count, 3);
    assert_int_equal(s.total[1], 255);
    assert_int_equal(at_stores_read("+CPMS: 20,20,20,20,0,10", &s), AT_FINE);
    assert_int_equal(s.used[0], 20);
    assert_int_equal(at_stores_read("+CPMS: (\"SM\")", &s), AT_FAULT_SYNTAX);
    assert_int_equal(at_stores_has("+CPMS: (\"SM\",\"ME\"),(\"SM\"),(\"SM\",\"MT\")", 2, "MT", &has), AT_FINE);
    assert_true(has);
    assert_int_equal(at_stores_has("+CPMS: (\"SM\",\"ME\"),(\"SM\"),(\"SM\",\"MT\")", 1, "ME", &has), AT_FINE);
    assert_false(has);
}

TEST(arrivals_and_references_are_numbers)
{
    struct at_arrival a;
    uint16_t reference;

    assert_int_equal(at_arrival_read("+CMTI: \"SM\",3", &a), AT_FINE);
    assert_string_equal(a.store, "SM");
    assert_int_equal(a.index, 3);
    assert_false(a.is_report);
    assert_int_equal(at_arrival_read("+CDSI: \"SR\",0", &a), AT_FINE);
    assert_true(a.is_report);
    assert_int_equal(at_arrival_read("+CMTI: \"A_LONG_STORE\",3", &a), AT_FAULT_LONG);
    assert_int_equal(at_arrival_read("+CMTI: \"SM\"", &a), AT_FAULT_MISSING);
    assert_int_equal(at_reference_read("+CMGS: 255,\"x\"", &reference), AT_FINE);
    assert_int_equal(reference, 255);
    assert_int_equal(at_reference_read("+CMGS: -1", &reference), AT_FAULT_RANGE);
}

TEST(ussd_is_text_whatever_it_came_as)
{
    struct at_ussd u;

    assert_int_equal(at_ussd_read("+CUSD: 0,\"Credit: 5 EUR\",15", &u), AT_FINE);
    assert_string_equal(u.text, "Credit: 5 EUR");
    assert_int_equal(at_ussd_read("+CUSD: 2,\"00480065006C006C006F\",72", &u), AT_FINE);
    assert_string_equal(u.text, "Hello");
    assert_int_equal(at_ussd_read("+CUSD: 1,\"C8329BFD06\",15", &u), AT_FINE);
    assert_string_equal(u.text, "Hello");
    assert_int_equal(at_ussd_read("+CUSD: 4", &u), AT_FINE);
    assert_string_equal(u.text, "");
    assert_int_equal(at_ussd_read("+CUSD: 9", &u), AT_FAULT_RANGE);
    assert_int_equal(at_ussd_read("+CUSD: 0,\"\xff\",15", &u), AT_FINE);
    assert_string_equal(u.text, "\xef\xbf\xbd");
}

TEST(sim_states_and_identities_are_read)
{
    enum at_sim sim;
    char text[32];

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
}

TEST(contexts_addresses_and_centres_are_read)
{
    struct at_context c;
    struct at_centre centre;
    bool active;
    int cid;

    assert_int_equal(at_context_read("+CGDCONT: 1,\"IPV4V6\",\"internet\",\"0.0.0.0\",0,0", &c), AT_FINE);
    assert_string_equal(c.apn, "internet");
    assert_int_equal(at_active_read("+CGACT: 1,1", &cid, &active), AT_FINE);
    assert_true(active && cid == 1);
    assert_int_equal(at_address_read("+CGPADDR: 1,\"10.0.0.2\"", &c), AT_FINE);
    assert_string_equal(c.address, "10.0.0.2");
    assert_int_equal(at_centre_read("+CSCA: \"+393492000466\",145", &centre), AT_FINE);
    assert_string_equal(centre.number, "+393492000466");
    assert_int_equal(at_centre_read("+CSCA: \"\",129", &centre), AT_FAULT_MISSING);
    assert_int_equal(at_centre_read("+CSCA: \"abc\",129", &centre), AT_FAULT_SYNTAX);
}

static void near(double one, double other)
{
    assert_true(fabs(one - other) < 1e-6);
}

TEST(positions_are_degrees)
{
    struct at_position p;

    assert_int_equal(at_position_read("+CGNSINF: 1,1,20241121164500.000,45.123456,-7.654321,250.5,36.0,90.0,1,,1.1,1.4,0.9,,12,8,,,35,,", &p), AT_FINE);
    assert_true(p.has_fix && p.has_time && p.satellites == 8);
    near(p.longitude, -7.654321);
    near(p.speed_mps, 10);
    assert_true(p.utc_ns == INT64_C(1732207500000000000));
    assert_int_equal(at_position_read("+CGNSINF: 1,0,,,,,", &p), AT_FINE);
    assert_false(p.has_fix);
    assert_int_equal(at_position_read("+CGPSINFO: 4530.0000,N,00739.0000,W,211124,164500.0,250.5,0.0,", &p), AT_FINE);
    near(p.latitude, 45.5);
    near(p.longitude, -7.65);
    assert_int_equal(at_position_read("+CGPSINFO: ,,,,,,,,", &p), AT_FINE);
    assert_false(p.has_fix);
    assert_int_equal(at_position_read("$GPRMC,123519,A,4807.038,N,01131.000,E,022.4,084.4,230394,003.1,W*6A", &p), AT_FINE);
    assert_true(p.has_fix);
    near(p.latitude, 48 + 7.038 / 60);
    assert_int_equal(at_position_read("$GPGGA,123519,4807.038,N,01131.000,E,1,08,0.9,545.4,M,46.9,M,,*47", &p), AT_FINE);
    near(p.altitude_m, 545.4);
    assert_int_equal(at_position_read("$GPGGA,123519,4807.038,N,01131.000,E,1,08,0.9,545.4,M,46.9,M,,*48", &p), AT_FAULT_SYNTAX);
    assert_int_equal(at_position_read("+CGPSINFO: 9930.0000,N,00739.0000,W,211124,164500.0,250.5,0.0,", &p), AT_FAULT_RANGE);
}

TEST(notices_and_lists_have_ranges)
{
    struct at_notices n;
    struct at_field list = { "0-2,5", 5, false, true };

    assert_int_equal(at_notices_read("+CNMI: (0-2),(0,1,3),(0),(0,1),(0,1)", &n), AT_FINE);
    assert_true(n.can[0][2] && n.can[1][3] && !n.can[1][2] && n.can[3][1]);
    assert_int_equal(at_notices_read("+CNMI: (0-2)", &n), AT_FAULT_MISSING);
    assert_true(at_field_has(&list, 1) && at_field_has(&list, 5) && !at_field_has(&list, 3));
}

AFF_TEST_MAIN(registration_is_told_in_each_form, signals_are_decibels, operators_have_names_and_technologies,
              network_time_is_utc_with_its_zone, stores_say_how_full_they_are, arrivals_and_references_are_numbers,
              ussd_is_text_whatever_it_came_as, sim_states_and_identities_are_read,
              contexts_addresses_and_centres_are_read, positions_are_degrees, notices_and_lists_have_ranges)
