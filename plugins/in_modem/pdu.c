/* SPDX-License-Identifier: Apache-2.0
 *
 * pdu.c - reading of messages; see pdu.h. Numbers in comments are sections of
 * 3GPP TS 23.040. Writing is in pdu_write.c. */
#include "pdu.h"

#include <calendar/calendar.h>

#include <string.h>

#include "utf16.h"

/* What is left to read; `ok` turns false at the first byte that is not there. */
struct reader {
    const uint8_t *at;
    size_t left;
    bool ok;
};

static const uint8_t *take(struct reader *r, size_t size)
{
    const uint8_t *at = r->at;

    if (!r->ok || size > r->left) {
        r->ok = false;
        return NULL;
    }
    r->at += size;
    r->left -= size;
    return at;
}

static uint8_t take_octet(struct reader *r)
{
    const uint8_t *at = take(r, 1);

    return at ? *at : 0;
}

const char *sms_error_text(enum sms_error error)
{
    static const char *const texts[SMS_ERRORS] = {
        "is fine", "is not written in hex digits", "ends too early", "is of a reserved type", "has an impossible address",
        "has an impossible length", "has a damaged header", "is compressed",
    };

    return error < SMS_ERRORS ? texts[error] : "is damaged";
}

/* ---- addresses (9.1.2.5) ---- */

enum { TYPE_ALPHANUMERIC = 5, TYPE_INTERNATIONAL = 1 };

static unsigned type_of_number(uint8_t type)
{
    return type >> 4 & 7u;
}

/* Two digits an octet, the lower half first; 15 ends them. What stands behind the
 * last of `count` is a filler, also where it is another than 15. */
static bool digits_read(struct sms_address *to, const uint8_t *octets, size_t count)
{
    static const char digits[] = "0123456789*#abc";
    size_t i, used = 0;
    bool ended = false;

    if (type_of_number(to->type) == TYPE_INTERNATIONAL && count > 0)
        to->text[used++] = '+';
    for (i = 0; i < count; i++) {
        unsigned digit = (unsigned)octets[i / 2] >> 4 * (i % 2) & 15u;

        if (digit == 15) {
            ended = true;
            continue;
        }
        if (ended)
            return false;
        to->text[used++] = digits[digit];
    }
    to->text[used] = '\0';
    return true;
}

static void letters_read(struct sms_address *to, const uint8_t *octets, size_t half_octets)
{
    uint8_t septets[SMS_NUMBER_MOST];
    uint16_t units[SMS_NUMBER_MOST];
    size_t count = half_octets * 4 / 7;

    (void)gsm7_unpack(octets, (half_octets + 1) / 2, 0, septets, count); /* that many are there */
    count = gsm7_decode(septets, count, (struct gsm7_shift){ 0, 0 }, units, count);
    to->text[utf16_to_utf8(units, count, to->text, sizeof to->text - 1)] = '\0';
}

static enum sms_error peer_read(struct reader *r, struct sms_address *to)
{
    size_t half_octets = take_octet(r);
    const uint8_t *octets;

    to->type = take_octet(r);
    if (!r->ok)
        return SMS_ERR_CUT;
    if (half_octets > SMS_NUMBER_MOST)
        return SMS_ERR_ADDRESS;
    octets = take(r, (half_octets + 1) / 2);
    if (!octets)
        return SMS_ERR_CUT;
    if (type_of_number(to->type) != TYPE_ALPHANUMERIC)
        return digits_read(to, octets, half_octets) ? SMS_OK : SMS_ERR_ADDRESS;
    letters_read(to, octets, half_octets);
    return SMS_OK;
}

/* The service centre's address counts octets, its type among them. */
static enum sms_error smsc_read(struct reader *r, struct sms_address *to)
{
    size_t octets = take_octet(r);
    const uint8_t *at;

    if (!r->ok)
        return SMS_ERR_CUT;
    if (octets == 0)
        return SMS_OK;
    if (octets > 1 + SMS_NUMBER_MOST / 2)
        return SMS_ERR_ADDRESS;
    to->type = take_octet(r);
    at = take(r, octets - 1);
    if (!at)
        return SMS_ERR_CUT;
    return digits_read(to, at, 2 * (octets - 1)) ? SMS_OK : SMS_ERR_ADDRESS;
}

/* ---- times (9.2.3.11) ---- */

static int swapped(uint8_t octet)
{
    int ones = octet >> 4, tens = octet & 15;

    return ones > 9 || tens > 9 ? -1 : tens * 10 + ones;
}

/* Years of two digits: the service is of 1992, so 90 and above are of that
 * century. The zone is in quarters of an hour, its sign in bit 3 of the octet. */
static void time_read(const uint8_t *octets, struct sms_time *ret)
{
    int part[6], i, quarters = swapped(octets[6] & 0xf7);
    int64_t days;

    for (i = 0; i < 6; i++)
        part[i] = swapped(octets[i]);
    if (part[0] < 0 || part[3] < 0 || part[3] > 23 || part[4] < 0 || part[4] > 59 || part[5] < 0 || part[5] > 59 ||
        quarters < 0 || quarters > 4 * 14)
        return;
    part[0] += part[0] < 90 ? 2000 : 1900;
    if (part[2] < 1 || part[2] > calendar_month_days(part[0], part[1]))
        return;
    days = calendar_days(part[0], part[1], part[2]);
    ret->zone_min = (int16_t)(octets[6] & 8 ? -15 * quarters : 15 * quarters);
    ret->utc_ns = ((days * 24 + part[3]) * 3600 + part[4] * 60 + part[5] - ret->zone_min * 60) * 1000000000;
    ret->is_set = true;
}

static bool time_take(struct reader *r, struct sms_time *ret)
{
    const uint8_t *at = take(r, 7);

    if (at)
        time_read(at, ret);
    return at != NULL;
}

/* A validity in one octet (9.2.3.12.1), in seconds. */
static int64_t relative_s(uint8_t v)
{
    if (v <= 143)
        return (v + 1) * 300;
    if (v <= 167)
        return 12 * 3600 + (v - 143) * 1800;
    return v <= 196 ? (v - 166) * 86400 : (v - 192) * 7 * 86400;
}

/* 9.2.3.12.3: seven octets; bit 7 of an indicator says that another one follows. A
 * form that is reserved counts as none. */
static int64_t enhanced_s(const uint8_t *at)
{
    enum { MORE = 0x80 };
    const uint8_t *last = at + 3;
    int hours, minutes, seconds, form = *at & 7;

    while (*at & MORE && at < last)
        at++;
    if (*at & MORE)
        return 0;
    hours = swapped(at[1]);
    minutes = swapped(at[2]);
    seconds = swapped(at[3]);
    switch (form) {
    case 1:
        return relative_s(at[1]);
    case 2:
        return at[1];
    case 3:
        return hours < 0 || minutes < 0 || seconds < 0 ? 0 : hours * 3600 + minutes * 60 + seconds;
    default:
        return 0;
    }
}

static void validity_take(struct reader *r, unsigned format, struct sms *m)
{
    const uint8_t *at;

    if (format == 2) {
        m->validity_s = relative_s(take_octet(r));
    } else if (format == 3) {
        (void)time_take(r, &m->time);
    } else if (format == 1) {
        at = take(r, 7);
        m->validity_s = at ? enhanced_s(at) : 0;
    }
}

/* ---- data coding (TS 23.038, section 4) ---- */

static bool coding_read(struct sms *m)
{
    unsigned group = m->dcs >> 4;

    m->class = -1;
    m->coding = SMS_GSM7; /* what is reserved counts as this */
    if (group < 8) {
        if (m->dcs & 0x10)
            m->class = (int8_t)(m->dcs & 3);
        if ((m->dcs >> 2 & 3) < 3)
            m->coding = (enum sms_coding)(m->dcs >> 2 & 3);
        return !(m->dcs & 0x20);
    }
    if (group == 14)
        m->coding = SMS_UCS2;
    if (group == 15) {
        m->class = (int8_t)(m->dcs & 3);
        m->coding = m->dcs & 4 ? SMS_DATA : SMS_GSM7;
    }
    return true;
}

/* Some phones say UCS-2 by bit 3 in the last group, where that is reserved. The
 * length tells: it counts octets then, and septets otherwise. */
static void coding_guess(struct sms *m, size_t length, size_t octets)
{
    if (m->dcs >> 4 == 15 && (m->dcs & 12) == 8 && length == octets && length % 2 == 0 && octets != (7 * length + 7) / 8)
        m->coding = SMS_UCS2;
}

/* ---- user data (9.2.3.24) ---- */

static void element_read(struct sms *m, unsigned id, const uint8_t *at, unsigned size)
{
    if ((id == 0 && size == 3 && at[1] >= at[2] && at[2] > 0) || (id == 8 && size == 4 && at[2] >= at[3] && at[3] > 0)) {
        m->join_is_wide = id == 8;
        m->join = (uint16_t)(id == 8 ? at[0] << 8 | at[1] : at[0]);
        m->parts = at[size - 2];
        m->part = at[size - 1];
    } else if (id == 4 && size == 2) {
        m->has_ports = true;
        m->port_to = at[0];
        m->port_from = at[1];
    } else if (id == 5 && size == 4) {
        m->has_ports = true;
        m->port_to = (uint16_t)(at[0] << 8 | at[1]);
        m->port_from = (uint16_t)(at[2] << 8 | at[3]);
    } else if (id == 0x24 && size == 1) {
        m->shift.single = at[0];
    } else if (id == 0x25 && size == 1) {
        m->shift.lock = at[0];
    }
}

/* Whether the last element ends where the header does. */
static bool header_adds_up(const uint8_t *at, size_t size)
{
    size_t i = 0;

    while (size - i >= 2 && at[i + 1] <= size - i - 2)
        i += 2u + at[i + 1];
    return i == size;
}

/* An element of an unknown kind, or of another length than it should have, is
 * passed over; of a header that does not add up all are (9.2.3.24). */
static void header_read(struct sms *m, const uint8_t *at, size_t size)
{
    size_t i;

    if (!header_adds_up(at, size))
        return;
    for (i = 0; i < size; i += 2u + at[i + 1])
        element_read(m, at[i], at + i + 2, at[i + 1]);
}

static enum sms_error text7_read(struct sms *m, const struct reader *r, size_t septets, size_t header)
{
    size_t skipped = (header * 8 + 6) / 7;
    uint8_t all[SMS_UNITS_MOST];

    if (skipped > septets)
        return SMS_ERR_HEADER;
    if (!gsm7_unpack(r->at, r->left, skipped * 7, all, septets - skipped))
        return SMS_ERR_CUT;
    m->unit_count = (uint16_t)gsm7_decode(all, septets - skipped, m->shift, m->units, SMS_UNITS_MOST);
    return SMS_OK;
}

static enum sms_error octets_read(struct sms *m, const struct reader *r, size_t size, size_t header)
{
    const uint8_t *at = r->at + header;
    size_t i;

    size -= header; /* which is no longer */
    if (m->coding == SMS_DATA) {
        m->data_size = (uint8_t)size;
        memcpy(m->data, at, size);
        return SMS_OK;
    }
    if (size % 2 != 0)
        return SMS_ERR_LENGTH;
    for (i = 0; i < size; i += 2)
        m->units[i / 2] = (uint16_t)(at[i] << 8 | at[i + 1]);
    m->unit_count = (uint16_t)(size / 2);
    return SMS_OK;
}

static enum sms_error user_data_read(struct reader *r, struct sms *m, bool has_header)
{
    size_t length, octets, header = 0;

    if (!coding_read(m))
        return SMS_ERR_COMPRESSED;
    length = take_octet(r);
    coding_guess(m, length, r->left);
    if (length > (m->coding == SMS_GSM7 ? SMS_UNITS_MOST : SMS_DATA_MOST))
        return SMS_ERR_LENGTH;
    octets = m->coding == SMS_GSM7 ? (7 * length + 7) / 8 : length;
    if (!r->ok || octets > r->left)
        return SMS_ERR_CUT;
    if (has_header) {
        if (octets == 0 || r->at[0] >= octets)
            return SMS_ERR_HEADER;
        header_read(m, r->at + 1, r->at[0]);
        header = 1u + r->at[0];
    }
    return m->coding == SMS_GSM7 ? text7_read(m, r, length, header) : octets_read(m, r, length, header);
}

/* ---- kinds (9.2.2) ---- */

static enum sms_error deliver_read(struct reader *r, struct sms *m, uint8_t first)
{
    enum sms_error error = peer_read(r, &m->peer);

    if (error != SMS_OK)
        return error;
    m->wants_report = first >> 5 & 1;
    m->pid = take_octet(r);
    m->dcs = take_octet(r);
    if (!time_take(r, &m->time))
        return SMS_ERR_CUT;
    return user_data_read(r, m, first >> 6 & 1);
}

static enum sms_error submit_read(struct reader *r, struct sms *m, uint8_t first)
{
    enum sms_error error;

    m->wants_report = first >> 5 & 1;
    m->reference = take_octet(r);
    error = peer_read(r, &m->peer);
    if (error != SMS_OK)
        return error;
    m->pid = take_octet(r);
    m->dcs = take_octet(r);
    validity_take(r, first >> 3 & 3u, m);
    if (!r->ok)
        return SMS_ERR_CUT;
    return user_data_read(r, m, first >> 6 & 1);
}

/* The text that a report may carry (TP-PI and what it announces) says nothing that
 * its status does not: it is read only as far as it is there and whole. */
static enum sms_error report_read(struct reader *r, struct sms *m)
{
    enum sms_error error;

    m->reference = take_octet(r);
    error = peer_read(r, &m->peer);
    if (error != SMS_OK)
        return error;
    if (!time_take(r, &m->time) || !time_take(r, &m->discharge))
        return SMS_ERR_CUT;
    m->status = take_octet(r);
    m->class = -1;
    return r->ok ? SMS_OK : SMS_ERR_CUT;
}

enum sms_error sms_read(const uint8_t *pdu, size_t size, struct sms *ret)
{
    struct reader r = { pdu, size, true };
    enum sms_error error;
    struct sms m;
    uint8_t first;

    memset(&m, 0, sizeof m);
    error = smsc_read(&r, &m.smsc);
    if (error != SMS_OK)
        return error;
    first = take_octet(&r);
    if (!r.ok)
        return SMS_ERR_CUT;
    if ((first & 3) == 3)
        return SMS_ERR_KIND;
    m.kind = (enum sms_kind)(first & 3);
    error = m.kind == SMS_DELIVER ? deliver_read(&r, &m, first)
            : m.kind == SMS_SUBMIT ? submit_read(&r, &m, first)
                                   : report_read(&r, &m);
    if (error == SMS_OK)
        *ret = m;
    return error;
}

static bool is_around(char c)
{
    return c == '"' || c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* Modems pad a message in a store (TS 27.005 gives them no reason to): 255 octets
 * is more than any has. */
enum sms_error sms_read_hex(const char *text, size_t size, struct sms *ret)
{
    uint8_t pdu[255];

    while (size > 0 && is_around(text[size - 1]))
        size--;
    while (size > 0 && is_around(*text)) {
        text++;
        size--;
    }
    if (size > 2 * sizeof pdu)
        return SMS_ERR_LENGTH;
    if (!hex_read(text, size, pdu, sizeof pdu))
        return SMS_ERR_HEX;
    return sms_read(pdu, size / 2, ret);
}

/* The second half of the first two groups is the service centre's own. 0x60 and
 * above name errors that may pass, after which it no longer tries all the same. */
enum sms_outcome sms_outcome_of(uint8_t status)
{
    enum { REPLACED = 0x02, OWN = 0x10, TRYING = 0x20, NO_LONGER_TRYING = 0x25, TRYING_OWN = 0x30, ENDS = 0x40 };

    if (status == 0)
        return SMS_DELIVERED;
    if (status <= REPLACED || (status >= OWN && status < TRYING))
        return SMS_UNSURE;
    return (status >= TRYING && status <= NO_LONGER_TRYING) || (status >= TRYING_OWN && status < ENDS) ? SMS_STILL_TRYING
                                                                                                     : SMS_FAILED;
}
