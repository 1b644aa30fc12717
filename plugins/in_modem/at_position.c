/* SPDX-License-Identifier: Apache-2.0
 *
 * at_position.c - where the modem is: replies of makers, and sentences of NMEA 0183;
 * see at_values.h. 27.007 has no command for it that modems have taken up. */
#include "at_values.h"

#include <math.h>
#include <string.h>

#define KNOT_MPS (1852.0 / 3600.0)
#define KMH_MPS (1.0 / 3.6)

/* A real that may be empty: *ret_has says whether it was there. */
static enum at_fault maybe_real(struct at_fields *f, double low, double high, double *ret, bool *ret_has)
{
    enum at_fault fault = at_next_real(f, low, high, ret);

    *ret_has = fault == AT_FINE;
    return fault == AT_FAULT_MISSING ? AT_FINE : fault;
}

/* "4807.038" of degrees and minutes, then one of `sides`: "NS", "EW". */
static enum at_fault angle_take(struct at_fields *f, const char sides[2], double most, double *ret, bool *ret_has)
{
    struct at_field side;
    double value, degrees;
    enum at_fault fault = maybe_real(f, 0, most * 100 + 60, &value, ret_has);

    if (fault != AT_FINE || !at_fields_next(f, &side) || !*ret_has)
        return fault;
    degrees = floor(value / 100);
    if (side.size != 1 || (side.at[0] != sides[0] && side.at[0] != sides[1]) || value - degrees * 100 >= 60)
        return AT_FAULT_SYNTAX;
    *ret = degrees + (value - degrees * 100) / 60;
    if (*ret > most)
        return AT_FAULT_RANGE;
    *ret = side.at[0] == sides[1] ? -*ret : *ret;
    return AT_FINE;
}

static enum at_fault place_take(struct at_fields *f, struct at_position *p)
{
    bool has_latitude, has_longitude = false;
    enum at_fault fault = angle_take(f, "NS", 90, &p->latitude, &has_latitude);

    if (fault == AT_FINE)
        fault = angle_take(f, "EW", 180, &p->longitude, &has_longitude);
    p->has_fix = has_latitude && has_longitude;
    return fault;
}

static int digits_at(const char *text, size_t count)
{
    int value = 0;

    for (; count > 0; count--, text++) {
        if (*text < '0' || *text > '9')
            return -1;
        value = value * 10 + (*text - '0');
    }
    return value;
}

/* A date of "ddmmyy" or "yyyymmdd", and a time of "hhmmss" with what follows. */
static bool moment(const char *date, bool year_first, const char *time, int64_t *ret)
{
    int year = year_first ? digits_at(date, 4) : digits_at(date + 4, 2) + 2000;
    int month = digits_at(date + (year_first ? 4 : 2), 2), day = digits_at(date + (year_first ? 6 : 0), 2);
    int hour = digits_at(time, 2), minute = digits_at(time + 2, 2), second = digits_at(time + 4, 2);
    int64_t days;

    if (hour < 0 || hour > 23 || minute < 0 || minute > 59 || second < 0 || second > 60 || !at_days_of(year, month, day, &days))
        return false;
    *ret = ((days * 24 + hour) * 3600 + minute * 60 + second) * 1000000000;
    return true;
}

/* SIMCom: run, fix, utc, latitude, longitude, altitude, km/h, course, mode, -, HDOP,
 * PDOP, VDOP, -, satellites in view, used. */
static enum at_fault cgnsinf_read(struct at_fields *f, struct at_position *p)
{
    int64_t fix = 0, used;
    struct at_field utc;
    bool has_latitude, has_longitude;
    enum at_fault fault;

    at_fields_skip(f, 1);
    if (at_next_int(f, 0, 1, &fix) != AT_FINE || !fix)
        return AT_FINE;
    if (!at_fields_next(f, &utc))
        return AT_FAULT_MISSING;
    p->has_time = utc.size >= 14 && moment(utc.at, true, utc.at + 8, &p->utc_ns);
    fault = maybe_real(f, -90, 90, &p->latitude, &has_latitude);
    if (fault == AT_FINE)
        fault = maybe_real(f, -180, 180, &p->longitude, &has_longitude);
    if (fault == AT_FINE)
        p->has_fix = has_latitude && has_longitude;
    if (fault == AT_FINE)
        fault = maybe_real(f, -1000, 100000, &p->altitude_m, &p->has_altitude);
    if (fault == AT_FINE)
        fault = maybe_real(f, 0, 10000, &p->speed_mps, &p->has_speed);
    if (fault == AT_FINE)
        fault = maybe_real(f, 0, 360, &p->course_deg, &p->has_course);
    p->speed_mps *= KMH_MPS;
    at_fields_skip(f, 7);
    if (at_next_int(f, 0, 200, &used) == AT_FINE)
        p->satellites = (int)used;
    return fault;
}

/* SIMCom: latitude, N, longitude, E, ddmmyy, hhmmss.s, altitude, knots, course. */
static enum at_fault cgpsinfo_read(struct at_fields *f, struct at_position *p)
{
    struct at_field date, time;
    enum at_fault fault = place_take(f, p);

    if (fault != AT_FINE || !p->has_fix)
        return fault;
    if (!at_fields_next(f, &date) || !at_fields_next(f, &time))
        return AT_FAULT_MISSING;
    p->has_time = date.size == 6 && time.size >= 6 && moment(date.at, false, time.at, &p->utc_ns);
    fault = maybe_real(f, -1000, 100000, &p->altitude_m, &p->has_altitude);
    if (fault == AT_FINE)
        fault = maybe_real(f, 0, 10000, &p->speed_mps, &p->has_speed);
    if (fault == AT_FINE)
        fault = maybe_real(f, 0, 360, &p->course_deg, &p->has_course);
    p->speed_mps *= KNOT_MPS;
    return fault;
}

static enum at_fault rmc_read(struct at_fields *f, struct at_position *p)
{
    struct at_field time, valid, date;
    enum at_fault fault;

    if (!at_fields_next(f, &time) || !at_fields_next(f, &valid))
        return AT_FAULT_MISSING;
    fault = place_take(f, p);
    if (fault == AT_FINE)
        fault = maybe_real(f, 0, 10000, &p->speed_mps, &p->has_speed);
    if (fault == AT_FINE)
        fault = maybe_real(f, 0, 360, &p->course_deg, &p->has_course);
    p->speed_mps *= KNOT_MPS;
    if (fault != AT_FINE || !at_fields_next(f, &date))
        return fault == AT_FINE ? AT_FAULT_MISSING : fault;
    p->has_fix = p->has_fix && valid.size == 1 && valid.at[0] == 'A';
    p->has_time = date.size == 6 && time.size >= 6 && moment(date.at, false, time.at, &p->utc_ns);
    return AT_FINE;
}

/* Qualities from 7 on are of a place that was typed in, and of a simulator. */
static enum at_fault gga_read(struct at_fields *f, struct at_position *p)
{
    enum { TYPED_IN = 7 };
    int64_t quality = 0, used;
    enum at_fault fault;

    at_fields_skip(f, 1);
    fault = place_take(f, p);
    if (fault != AT_FINE)
        return fault;
    (void)at_next_int(f, 0, 9, &quality);
    p->has_fix = p->has_fix && quality > 0 && quality < TYPED_IN;
    if (at_next_int(f, 0, 200, &used) == AT_FINE)
        p->satellites = (int)used;
    at_fields_skip(f, 1);
    return maybe_real(f, -1000, 100000, &p->altitude_m, &p->has_altitude);
}

/* $GPRMC,...*hh: the sum is over what stands between, NMEA 0183, 5.2.3. */
static enum at_fault nmea_read(const char *line, struct at_position *p)
{
    char text[96];
    const char *star = strchr(line, '*');
    unsigned sum = 0, said = 0;
    size_t size = star ? (size_t)(star - line) : 0, i;
    struct at_fields f;

    if (size < 6 || strlen(star) < 3)
        return AT_FAULT_SYNTAX;
    if (size >= sizeof text)
        return AT_FAULT_LONG;
    for (i = 1; i < size; i++)
        sum ^= (unsigned char)line[i];
    for (i = 1; i < 3; i++) {
        const char *digit = strchr("0123456789ABCDEF", star[i]);

        if (!digit)
            return AT_FAULT_SYNTAX;
        said = said * 16 + (unsigned)(digit - "0123456789ABCDEF");
    }
    if (said != sum)
        return AT_FAULT_SYNTAX;
    memcpy(text, line, size);
    text[size] = '\0';
    f.at = text + 7;
    if (size > 7 && strncmp(text + 3, "RMC,", 4) == 0)
        return rmc_read(&f, p);
    return size > 7 && strncmp(text + 3, "GGA,", 4) == 0 ? gga_read(&f, p) : AT_FAULT_PREFIX;
}

enum at_fault at_position_read(const char *line, struct at_position *ret)
{
    struct at_position p = { .satellites = -1 };
    struct at_fields f;
    enum at_fault fault;

    if (at_fields_open(&f, line, "+CGNSINF:"))
        fault = cgnsinf_read(&f, &p);
    else if (at_fields_open(&f, line, "+CGPSINFO:"))
        fault = cgpsinfo_read(&f, &p);
    else if (line[0] == '$')
        fault = nmea_read(line, &p);
    else
        return AT_FAULT_PREFIX;
    if (fault == AT_FINE)
        *ret = p;
    return fault;
}
