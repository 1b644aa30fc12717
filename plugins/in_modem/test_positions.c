/* SPDX-License-Identifier: Apache-2.0
 *
 * test_positions.c - where a modem is, in each form, and what is refused of it. */
#include <afferent/testkit.h>

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "at_values.h"

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

/* What is no place, and what is none yet. */
TEST(positions_that_are_none_are_told_or_refused)
{
    static const struct {
        const char *line;
        enum at_fault fault;
    } cases[] = {
        { "+CGNSINF: 1,1", AT_FAULT_MISSING },
        { "+CGNSINF: 1,1,2024,91.0,1.0", AT_FAULT_RANGE },
        { "+CGNSINF: 1,1,2024,1.0,1e3", AT_FAULT_SYNTAX },
        { "+CGNSINF: 1,1,2024,1.0,1.0,1,-1", AT_FAULT_RANGE },
        { "+CGPSINFO: 4530.0000,N,00739.0000,W", AT_FAULT_MISSING },
        { "+CGPSINFO: 4530.0000,N,00739.0000,Q,211124,164500.0,250.5,0.0,", AT_FAULT_SYNTAX },
        { "+CGPSINFO: 4530.0000,NN,00739.0000,W,211124,164500.0,250.5,0.0,", AT_FAULT_SYNTAX },
        { "+CGPSINFO: 4530.0000,,00739.0000,W,211124,164500.0,250.5,0.0,", AT_FAULT_SYNTAX },
        { "+CGPSINFO: 4560.0000,N,00739.0000,W,211124,164500.0,250.5,0.0,", AT_FAULT_SYNTAX },
        { "+CGPSINFO: 9000.0001,N,00739.0000,W,211124,164500.0,250.5,0.0,", AT_FAULT_RANGE },
        { "+CGPSINFO: 4530.0.0,N,00739.0000,W,211124,164500.0,250.5,0.0,", AT_FAULT_SYNTAX },
        { "$GPRMC,1*00", AT_FAULT_SYNTAX },
        { "$GPR*4", AT_FAULT_SYNTAX },
        { "$GPRMC,123519", AT_FAULT_SYNTAX },
        { "$GPRMC,*4g", AT_FAULT_SYNTAX },
        { "$GPVTG,,T*06", AT_FAULT_PREFIX },
        { "$GPRMC,123519*6A", AT_FAULT_MISSING },
        { "$GPRMC,123519,A,4807.038,N,01131.000,E,022.4*38", AT_FAULT_MISSING },
        { "$GPRMC,123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890*00", AT_FAULT_LONG },
        { "$GPGGA,123519,4807.038,M,01131.000,E,1,08*74", AT_FAULT_SYNTAX },
        { "GPRMC,1", AT_FAULT_PREFIX },
    };
    struct at_position p;
    size_t i;

    for (i = 0; i < sizeof cases / sizeof cases[0]; i++)
        assert_int_equal(at_position_read(cases[i].line, &p), cases[i].fault);
    assert_int_equal(at_position_read("$GPRMC,123519,V,4807.038,N,01131.000,E,022.4,084.4,230394,003.1,W*7D", &p), AT_FINE);
    assert_true(!p.has_fix && p.has_time); /* V: void */
    assert_int_equal(at_position_read("$GPGGA,123519,4807.038,N,01131.000,E,0,08,0.9,545.4,M,46.9,M,,*46", &p), AT_FINE);
    assert_false(p.has_fix);
    assert_int_equal(at_position_read("$GPGGA,123519,4807.038,N,01131.000,E,8,08,0.9,545.4,M,46.9,M,,*4E", &p), AT_FINE);
    assert_false(p.has_fix); /* a simulator's */
    assert_int_equal(at_position_read("$GPGGA,123519,4807.038,N,01131.000,E,2,,0.9,,M,46.9,M,,*62", &p), AT_FINE);
    assert_true(p.has_fix && !p.has_altitude && p.satellites == -1);
    assert_int_equal(at_position_read("+CGNSINF: 1,1,20241321164500.000,1.0,2.0", &p), AT_FINE);
    assert_true(p.has_fix && !p.has_time && p.satellites == -1 && !p.has_altitude);
    assert_int_equal(at_position_read("+CGNSINF: 1,1,2024112x164500.000,1.0,2.0", &p), AT_FINE);
    assert_false(p.has_time);
    assert_int_equal(at_position_read("+CGNSINF: 1,1,20241121246000.000,,2.0", &p), AT_FINE);
    assert_true(!p.has_fix && !p.has_time);
}

/* A line with its field `which` replaced; cut behind that field where `is_last`. */
static void line_change(const char *line, size_t which, const char *with, bool is_last, char to[160])
{
    size_t from = strcspn(line, " ") + (line[0] == '+'), size, used;
    unsigned sum = 0;

    from = line[0] == '$' ? 7 : from;
    for (; which > 0; which--)
        from += strcspn(line + from, ",") + 1;
    size = with ? strcspn(line + from, ",") : 0;
    used = (size_t)snprintf(to, 160, "%.*s%s%s", (int)(is_last ? from + strcspn(line + from, ",") : from), line, with ? with : "",
                            is_last ? "" : line + from + size);
    if (line[0] != '$')
        return;
    for (size = 1; to[size]; size++)
        sum ^= (unsigned char)to[size];
    (void)snprintf(to + used, 160 - used, "*%02X", sum);
}

/* Each field unreadable, and each the last: e refused, n no fix, t no time, f a fix
 * with a time; . what has no time anyhow. */
TEST(positions_need_the_fields_they_are_made_of)
{
    static const struct {
        const char *line, *unreadable;
    } cases[] = {
        { "+CGNSINF: 1,1,20241121164500.000,45.1,-7.6,250.5,36.0,90.0,1,,1.1,1.4,0.9,,12,8", "fnteeeeeffffffff" },
        { "+CGPSINFO: 4530.0000,N,00739.0000,W,211124,164500.0,250.5,0.0,1.0", "eeeetteee" },
        { "$GPRMC,123519,A,4807.038,N,01131.000,E,022.4,084.4,230394,003.1,W", "tneeeeeetff" },
        { "$GPGGA,123519,4807.038,N,01131.000,E,1,08,0.9,545.4,M,46.9", ".eeeen..e.." },
    };
    struct at_position p;
    char line[160];
    size_t i, k;

    for (i = 0; i < sizeof cases / sizeof cases[0]; i++)
        for (k = 0; cases[i].unreadable[k]; k++) {
            char wanted = cases[i].unreadable[k];
            enum at_fault fault;

            line_change(cases[i].line, k, "x", false, line);
            fault = at_position_read(line, &p);
            assert_int_equal(fault, wanted == 'e' ? AT_FAULT_SYNTAX : AT_FINE);
            if (fault == AT_FINE) {
                assert_int_equal(p.has_fix, wanted != 'n');
                assert_true(wanted == '.' || wanted == 'n' || p.has_time == (wanted == 'f'));
            }
            line_change(cases[i].line, k, NULL, true, line);
            fault = at_position_read(line, &p);
            assert_true(fault == AT_FINE || fault == AT_FAULT_MISSING);
            memset(&p, 0, sizeof p);
            line_change(cases[i].line, k, "", false, line);
            fault = at_position_read(line, &p);
            assert_true(fault == AT_FINE || fault == AT_FAULT_SYNTAX); /* a number without its side */
            assert_true(!p.has_fix || wanted != 'e' || k > 3);
        }
}

/* In each form, at the ends of a day; and those that no clock shows. */
TEST(positions_have_their_time)
{
    static const struct {
        const char *time;
        int64_t second; /* of 2024-11-21; -1: none */
    } cases[] = { { "000000", 0 },  { "164500", 60300 }, { "235959", 86399 }, { "235960", 86400 }, { "240000", -1 },
                  { "236000", -1 }, { "235961", -1 },    { "23595", -1 },     { "2x5959", -1 },    { "23x959", -1 },
                  { "2359x9", -1 }, { "23595/", -1 },    { "23595:", -1 } };
    struct at_position p;
    char line[160];
    size_t i;
    int form;

    for (i = 0; i < sizeof cases / sizeof cases[0]; i++)
        for (form = 0; form < 3; form++) {
            if (form == 0)
                (void)snprintf(line, sizeof line, "+CGNSINF: 1,1,20241121%s,45.5,-180,0,0,0", cases[i].time);
            else if (form == 1)
                (void)snprintf(line, sizeof line, "+CGPSINFO: 9000.0000,S,18000.0000,W,211124,%s,0,0,0", cases[i].time);
            else
                line_change("$GPRMC,x,A,0000.000,N,00000.000,E,0,360,211124,,", 0, cases[i].time, false, line);
            assert_int_equal(at_position_read(line, &p), AT_FINE);
            assert_true(p.has_fix && p.has_speed && p.has_course);
            assert_int_equal(p.has_time, cases[i].second >= 0);
            assert_true(cases[i].second < 0 || p.utc_ns == (1732147200 + cases[i].second) * 1000000000);
        }
}

/* The last of what is one, and the first of what is none. */
TEST(positions_are_on_the_globe)
{
    static const struct {
        const char *latitude, *longitude;
        enum at_fault fault;
    } cases[] = { { "90", "180", AT_FINE },           { "-90", "-180", AT_FINE },         { "90.1", "0", AT_FAULT_RANGE },
                  { "-90.1", "0", AT_FAULT_RANGE },   { "0", "180.1", AT_FAULT_RANGE },   { "0", "-180.1", AT_FAULT_RANGE } };
    struct at_position p;
    char line[96];
    size_t i;

    for (i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        (void)snprintf(line, sizeof line, "+CGNSINF: 1,1,,%s,%s,-1000,0,360,,,,,,,,0", cases[i].latitude, cases[i].longitude);
        assert_int_equal(at_position_read(line, &p), cases[i].fault);
    }
    assert_int_equal(at_position_read("+CGNSINF: 1,1,,90,180,100000,10000,0,,,,,,,,0", &p), AT_FINE);
    assert_true(p.satellites == 0 && p.has_altitude && p.has_course);
    assert_int_equal(at_position_read("+CGPSINFO: 0000.0000,N,18000.0001,E,211124,000000,0,0,0", &p), AT_FAULT_RANGE);
    assert_int_equal(at_position_read("+CGPSINFO: 0000.5000,S,17959.0000,E,211124,000000,0,1,0", &p), AT_FINE);
    near(p.latitude, -0.5 / 60);
    near(p.speed_mps, 1852.0 / 3600);
}

AFF_TEST_MAIN(positions_are_degrees, positions_that_are_none_are_told_or_refused,
              positions_need_the_fields_they_are_made_of, positions_have_their_time, positions_are_on_the_globe)
