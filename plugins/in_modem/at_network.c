/* SPDX-License-Identifier: Apache-2.0
 *
 * at_network.c - registration, operator, signal and time; see at_values.h. Numbers
 * in comments are sections of 3GPP TS 27.007, release 17. */
#include "at_values.h"

#include <calendar/calendar.h>

#include <string.h>

#include "utf16.h"

/* ---- registration ---- */

/* <AcT>, which the standard goes on adding to: one that is not known is not said. */
static enum at_fault technology_take(struct at_fields *f, int *ret)
{
    int64_t number;
    enum at_fault fault = at_next_int(f, 0, 16, &number);

    *ret = fault == AT_FINE ? (int)number : -1;
    return fault == AT_FAULT_MISSING || fault == AT_FAULT_RANGE ? AT_FINE : fault;
}

static const char *const registrations[AT_DOMAINS] = { "+CREG:", "+CGREG:", "+CEREG:", "+C5GREG:" };

/* An answer has <n> in front, an unsolicited code has not: the second field of an
 * answer is a small number without quotes, of a code it is an area, of four digits
 * or in quotes. */
static bool is_answer(struct at_fields f)
{
    struct at_field second;
    int64_t status;

    at_fields_skip(&f, 1);
    return at_fields_next(&f, &second) && !second.quoted && second.size < 3 && at_field_int(&second, 0, 11, &status) == AT_FINE;
}

static enum at_fault registration_fields(struct at_fields *f, struct at_registration *r)
{
    int64_t number;
    uint64_t area, cell;
    enum at_fault fault;

    if (is_answer(*f))
        at_fields_skip(f, 1);
    fault = at_next_int(f, 0, 11, &number);
    if (fault != AT_FINE)
        return fault;
    r->status = (int)number;
    fault = at_next_hex(f, UINT32_MAX, &area);
    if (fault != AT_FINE && fault != AT_FAULT_MISSING)
        return fault;
    r->has_area = fault == AT_FINE;
    fault = at_next_hex(f, UINT64_MAX >> 28, &cell);
    if (fault != AT_FINE && fault != AT_FAULT_MISSING)
        return fault;
    r->has_area = r->has_area && fault == AT_FINE;
    r->area = r->has_area ? (uint32_t)area : 0;
    r->cell = r->has_area ? cell : 0;
    return technology_take(f, &r->technology);
}

enum at_fault at_registration_read(const char *line, struct at_registration *ret)
{
    struct at_registration r = { .technology = -1 };
    struct at_fields f;
    enum at_fault fault;
    int domain = 0;

    while (domain < AT_DOMAINS && !at_fields_open(&f, line, registrations[domain]))
        domain++;
    if (domain == AT_DOMAINS)
        return AT_FAULT_PREFIX;
    r.domain = (enum at_domain)domain;
    fault = registration_fields(&f, &r);
    if (fault == AT_FINE)
        *ret = r;
    return fault;
}

bool at_status_is_registered(int status)
{
    return status == 1 || (status >= 5 && status <= 7) || status == 9 || status == 10;
}

bool at_status_is_roaming(int status)
{
    return status == 5 || status == 7 || status == 10;
}

const char *at_status_name(int status)
{
    static const char *const names[] = {
        "not_searching", "registered", "searching", "denied", "unknown", "roaming", "registered_sms_only",
        "roaming_sms_only", "emergency_only", "registered", "roaming", "emergency_only",
    };

    return status >= 0 && status < (int)(sizeof names / sizeof names[0]) ? names[status] : "unknown";
}

/* <AcT>, 7.2. */
static const struct {
    const char *name;
    int generation;
} technologies[] = {
    { "gsm", 2 },  { "gsm_compact", 2 }, { "umts", 3 },       { "edge", 2 },         { "hsdpa", 3 }, { "hsupa", 3 },
    { "hspa", 3 }, { "lte", 4 },         { "ec_gsm_iot", 2 }, { "nb_iot", 4 },       { "lte_5gc", 4 }, { "nr", 5 },
    { "ng_ran", 5 }, { "en_dc", 5 },     { "lte_satellite", 4 }, { "nb_iot_satellite", 4 }, { "nr_satellite", 5 },
};

const char *at_technology_name(int technology)
{
    return technology >= 0 && technology < (int)(sizeof technologies / sizeof technologies[0])
               ? technologies[technology].name : "";
}

int at_technology_generation(int technology)
{
    return technology >= 0 && technology < (int)(sizeof technologies / sizeof technologies[0])
               ? technologies[technology].generation : 0;
}

/* ---- operator ---- */

/* Four hex digits a character where the modem's character set is UCS2. No operator calls
 * itself by eight and more of these digits that would make letters. */
static enum at_fault name_take(struct at_fields *f, char *to, size_t room)
{
    uint16_t units[32];
    struct at_field field;
    size_t i, letters = 0, count;

    if (!at_fields_next(f, &field))
        return AT_FAULT_MISSING;
    count = field.size / 4;
    if (count < 2 || 3 * count >= room || !hex_read_units(field.at, field.size, units, sizeof units / sizeof units[0]))
        return at_field_text(&field, to, room);
    for (i = 0; i < count; i++) /* no control codes, surrogates, private ones */
        letters += (units[i] >= 0x20 && units[i] < 0xd800) || units[i] >= 0xf900;
    if (letters < count)
        return at_field_text(&field, to, room);
    to[utf16_to_utf8(units, count, to, room - 1)] = '\0';
    return AT_FINE;
}

enum at_fault at_operator_read(const char *line, struct at_operator *ret)
{
    struct at_operator o = { .format = -1, .technology = -1 };
    struct at_fields f;
    int64_t number;
    enum at_fault fault;

    if (!at_fields_open(&f, line, "+COPS:"))
        return AT_FAULT_PREFIX;
    fault = at_next_int(&f, 0, 4, &number);
    if (fault != AT_FINE)
        return fault;
    o.mode = (int)number;
    fault = at_next_int(&f, 0, 2, &number);
    o.format = fault == AT_FINE ? (int)number : -1;
    if (fault == AT_FINE)
        fault = name_take(&f, o.name, sizeof o.name);
    if (fault == AT_FINE)
        fault = technology_take(&f, &o.technology);
    if (fault != AT_FINE && fault != AT_FAULT_MISSING)
        return fault;
    *ret = o;
    return AT_FINE;
}

/* ---- signal ---- */

static const struct at_signal nothing = { AT_UNKNOWN, AT_UNKNOWN, AT_UNKNOWN, AT_UNKNOWN, AT_UNKNOWN,
                                          AT_UNKNOWN, AT_UNKNOWN, AT_UNKNOWN, AT_UNKNOWN };

/* 8.5; above 99 the same for TD-SCDMA, as 27.007 does not say but modems do. */
enum at_fault at_csq_read(const char *line, struct at_signal *ret)
{
    struct at_signal s = nothing;
    struct at_fields f;
    int64_t rssi, ber;
    enum at_fault fault;

    if (!at_fields_open(&f, line, "+CSQ:"))
        return AT_FAULT_PREFIX;
    fault = at_next_int(&f, 0, 199, &rssi);
    if (fault != AT_FINE)
        return fault;
    if ((rssi > 31 && rssi < 99) || (rssi > 191 && rssi < 199))
        return AT_FAULT_RANGE;
    if (rssi <= 31)
        s.rssi_dbm = (int16_t)(-113 + 2 * rssi);
    else if (rssi >= 100 && rssi <= 191)
        s.rssi_dbm = (int16_t)(-116 + (rssi - 100));
    fault = at_next_int(&f, 0, 99, &ber);
    if (fault != AT_FINE && fault != AT_FAULT_MISSING)
        return fault;
    if (fault == AT_FINE && ber <= 7)
        s.ber = (int16_t)ber;
    *ret = s;
    return AT_FINE;
}

/* A measure of +CESQ (8.69): from its number 1 on, `low` and steps of `step`, up to
 * number `most`; `none` is the number for "not known". 0 is anything below. */
struct measure {
    size_t offset; /* in struct at_signal */
    int16_t low, step;
    uint8_t most, none;
};

static const struct measure measures[] = {
    { offsetof(struct at_signal, rssi_dbm), -110, 1, 63, 99 },
    { offsetof(struct at_signal, ber), 1, 1, 7, 99 },
    { offsetof(struct at_signal, rscp_dbm), -120, 1, 96, 255 },
    { offsetof(struct at_signal, ecno_ddb), -240, 5, 49, 255 },
    { offsetof(struct at_signal, rsrq_ddb), -195, 5, 34, 255 },
    { offsetof(struct at_signal, rsrp_dbm), -140, 1, 97, 255 },
    { offsetof(struct at_signal, ss_rsrq_ddb), -430, 5, 126, 255 },
    { offsetof(struct at_signal, ss_rsrp_dbm), -156, 1, 126, 255 },
    { offsetof(struct at_signal, ss_sinr_ddb), -230, 5, 127, 255 },
};

enum at_fault at_cesq_read(const char *line, struct at_signal *ret)
{
    enum { ALWAYS = 6, ALL = sizeof measures / sizeof measures[0] }; /* the last three are of release 15 */
    struct at_signal s = nothing;
    struct at_fields f;
    int64_t n;
    size_t i;

    if (!at_fields_open(&f, line, "+CESQ:"))
        return AT_FAULT_PREFIX;
    for (i = 0; i < ALL; i++) {
        const struct measure *m = &measures[i];
        enum at_fault fault = at_next_int(&f, 0, 255, &n);

        if (fault == AT_FAULT_MISSING && i >= ALWAYS)
            break;
        if (fault != AT_FINE)
            return fault;
        if (n > m->most && n != m->none)
            return AT_FAULT_RANGE;
        if (n <= m->most)
            *(int16_t *)(void *)((char *)&s + m->offset) = (int16_t)(m->low + m->step * (n - 1));
    }
    *ret = s;
    return AT_FINE;
}

/* ---- time ---- */

bool at_days_of(int64_t year, int64_t month, int64_t day, int64_t *ret)
{
    if (year < 1970 || year > 2200 || day < 1 || day > calendar_month_days(year, month))
        return false;
    *ret = calendar_days(year, month, day);
    return true;
}

/* Numbers parted by one character each; how many there are, at most `room`. */
static size_t numbers_take(const char *at, int64_t *to, size_t room, const char **ret_rest)
{
    size_t count = 0;

    while (count < room && *at >= '0' && *at <= '9') {
        int64_t value = 0;

        while (*at >= '0' && *at <= '9' && value < 100000)
            value = value * 10 + (*at++ - '0');
        to[count++] = value;
        if (count < room && *at && strchr("/,:.", *at))
            at++;
    }
    *ret_rest = at;
    return count;
}

/* "24/11/21,17:45:00+04" or "2024/11/21,17:45:00", local; the zone in quarters. */
static enum at_fault clock_read(const char *text, struct at_time *t)
{
    int64_t n[6], days;
    const char *rest;
    struct at_field zone;
    int64_t quarters;

    if (numbers_take(text, n, 6, &rest) != 6)
        return AT_FAULT_SYNTAX;
    if (n[0] < 100)
        n[0] += n[0] < 70 ? 2000 : 1900;
    if (!at_days_of(n[0], n[1], n[2], &days) || n[3] > 23 || n[4] > 59 || n[5] > 60)
        return AT_FAULT_RANGE;
    if (*rest == '+' || *rest == '-') {
        zone = (struct at_field){ rest, strlen(rest), false, false };
        if (at_field_int(&zone, -56, 56, &quarters) != AT_FINE)
            return AT_FAULT_SYNTAX;
        t->zone_min = (int16_t)(quarters * 15);
        t->has_zone = true;
    } else if (*rest) {
        return AT_FAULT_SYNTAX;
    }
    t->utc_ns = ((days * 24 + n[3]) * 3600 + n[4] * 60 + n[5] - (int64_t)t->zone_min * 60) * 1000000000;
    t->has_time = true;
    return AT_FINE;
}

/* +CTZE: <tz>,<dst>[,<time>], where the time is local; +CTZEU: the same with UTC
 * (8.41). +CTZV: <tz>. */
static enum at_fault zone_read(struct at_fields *f, bool has_time, bool is_local, struct at_time *t)
{
    char text[32];
    int64_t quarters;
    enum at_fault fault = at_next_int(f, -56, 56, &quarters);

    if (fault != AT_FINE)
        return fault;
    at_fields_skip(f, has_time);
    if (has_time && at_next_text(f, text, sizeof text) == AT_FINE && *text) {
        fault = clock_read(text, t);
        if (fault != AT_FINE)
            return fault;
        t->utc_ns -= is_local ? quarters * 15 * 60 * 1000000000 : 0;
    }
    t->zone_min = (int16_t)(quarters * 15);
    t->has_zone = true;
    return AT_FINE;
}

enum at_fault at_time_read(const char *line, struct at_time *ret)
{
    struct at_time t = { 0 };
    struct at_fields f;
    char text[32];
    enum at_fault fault;

    if (at_fields_open(&f, line, "+CTZE:")) {
        fault = zone_read(&f, true, true, &t);
    } else if (at_fields_open(&f, line, "+CTZEU:")) {
        fault = zone_read(&f, true, false, &t);
    } else if (at_fields_open(&f, line, "+CTZV:")) {
        fault = zone_read(&f, false, false, &t);
    } else if (at_fields_open(&f, line, "+CCLK:")) {
        fault = at_next_text(&f, text, sizeof text);
        fault = fault == AT_FINE ? clock_read(text, &t) : fault;
    } else {
        return AT_FAULT_PREFIX;
    }
    if (fault == AT_FINE)
        *ret = t;
    return fault;
}
