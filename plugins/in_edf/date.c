/* SPDX-License-Identifier: Apache-2.0
 *
 * date.c - when a recording began, by its header. See header.h.
 *
 * EDF writes dd.mm.yy with 1985 as clipping date (years 1985 to 2084); EDF+ adds
 * "Startdate dd-MMM-yyyy" to the recording field, which wins. EDF+ writes X where
 * a date is unknown or was taken out: then the header's own date is doubtful. Who
 * anonymises a file writes 01.01.85: that is no date. */
#include "header.h"

#include "calendar/calendar.h"
#include "recording/when.h"

#include <stdbool.h>
#include <string.h>

enum { AT_RECORDING = 88, AT_DATE = 168, AT_TIME = 176 };

/* "dd?dd?dd": three numbers of two digits, the first of which may be a blank. */
static bool pairs_read(const uint8_t *at, int64_t part[3])
{
    int i;

    for (i = 0; i < 3; i++, at += 3) {
        int tens = at[0] == ' ' ? 0 : at[0] - '0', ones = at[1] - '0';

        if (tens < 0 || tens > 9 || ones < 0 || ones > 9)
            return false;
        if (i < 2 && (at[2] < ' ' || at[2] > '~' || (at[2] >= '0' && at[2] <= '9')))
            return false;
        part[i] = tens * 10 + ones;
    }
    return true;
}

static bool is_number(const uint8_t *at, int count, int64_t *ret)
{
    for (*ret = 0; count; count--, at++) {
        if (*at < '0' || *at > '9')
            return false;
        *ret = *ret * 10 + (*at - '0');
    }
    return true;
}

/* The recording field: 1 with a date, 0 where there is none, -1 for X. */
static int startdate_read(const uint8_t *at, int64_t *ret_days)
{
    static const char months[] = "JANFEBMARAPRMAYJUNJULAUGSEPOCTNOVDEC", word[] = "Startdate ";
    int64_t day, year, month;

    if (memcmp(at, word, sizeof word - 1) != 0)
        return 0;
    at += sizeof word - 1;
    if (at[0] == 'X' && at[1] == ' ')
        return -1;
    if (!is_number(at, 2, &day) || at[2] != '-' || at[6] != '-' || !is_number(at + 7, 4, &year) || year < 1678)
        return 0;
    for (month = 1; month <= 12; month++) {
        const char *name = months + (month - 1) * 3;

        if ((at[3] & 0xdf) == name[0] && (at[4] & 0xdf) == name[1] && (at[5] & 0xdf) == name[2])
            break;
    }
    if (!date_is_real(year, month, day))
        return 0;
    *ret_days = calendar_days(year, month, day);
    return 1;
}

void header_date(struct edf_header *h, const uint8_t *bytes)
{
    int64_t part[3];
    int plus = h->is_plus ? startdate_read(bytes + AT_RECORDING, &h->days) : 0;

    h->day_ns = 0;
    h->date = plus > 0 ? DATE_SURE : DATE_NONE;
    if (pairs_read(bytes + AT_TIME, part) && part[0] < 24 && part[1] < 60 && part[2] < 60)
        h->day_ns = ((part[0] * 60 + part[1]) * 60 + part[2]) * INT64_C(1000000000);
    if (h->date == DATE_SURE || !pairs_read(bytes + AT_DATE, part))
        return;
    part[2] += part[2] >= 85 ? 1900 : 2000;
    if (!date_is_real(part[2], part[1], part[0]) || (part[2] == 1985 && part[1] == 1 && part[0] == 1))
        return;
    h->days = calendar_days(part[2], part[1], part[0]);
    h->date = plus < 0 ? DATE_DOUBTFUL : DATE_SURE;
}
