/* SPDX-License-Identifier: Apache-2.0
 *
 * pdu_write.c - SMS-SUBMIT, 3GPP TS 23.040, 9.2.2.2; see pdu.h. */
#include "pdu.h"

#include <string.h>

enum { SUBMIT = 1, VALIDITY_RELATIVE = 0x10, REPORT = 0x20, HEADER = 0x40 };
enum { INTERNATIONAL = 0x91, UNKNOWN_NUMBER = 0x81, DCS_UCS2 = 8, HEADER_SIZE = 6 };

static int digit_of(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    return c == '*' ? 10 : c == '#' ? 11 : -1;
}

bool sms_number_ok(const char *number)
{
    size_t i, length;

    number += *number == '+';
    length = strlen(number);
    for (i = 0; i < length; i++)
        if (digit_of(number[i]) < 0)
            return false;
    return length > 0 && length <= SMS_NUMBER_MOST;
}

static size_t number_write(const char *number, uint8_t *to)
{
    size_t i, length;

    to[1] = *number == '+' ? INTERNATIONAL : UNKNOWN_NUMBER;
    number += *number == '+';
    length = strlen(number);
    to[0] = (uint8_t)length;
    for (i = 0; i < length; i++)
        if (i % 2 == 0)
            to[2 + i / 2] = (uint8_t)(0xf0 | digit_of(number[i]));
        else
            to[2 + i / 2] = (uint8_t)((to[2 + i / 2] & 15) | digit_of(number[i]) << 4);
    return 2 + (length + 1) / 2;
}

/* The shortest validity in one octet that is at least this long (9.2.3.12.1). */
static uint8_t relative_octet(int64_t seconds)
{
    if (seconds <= 12 * 3600)
        return (uint8_t)((seconds + 299) / 300 - 1);
    if (seconds <= 24 * 3600)
        return (uint8_t)(143 + (seconds - 12 * 3600 + 1799) / 1800);
    if (seconds <= 30 * 86400)
        return (uint8_t)(166 + (seconds + 86399) / 86400);
    if (seconds >= 63 * 7 * 86400)
        return UINT8_MAX;
    return (uint8_t)(192 + (seconds + 7 * 86400 - 1) / (7 * 86400));
}

/* The text behind the length octet at to[0]; 0: it does not fit. */
static size_t text7_write(const struct sms_draft *d, size_t header, uint8_t *to)
{
    size_t skipped = (header * 8 + 6) / 7, used = 0, i, n;
    uint8_t septets[SMS_UNITS_MOST + 2];

    for (i = 0; i < d->count; i++) {
        n = used + skipped < SMS_UNITS_MOST
                ? gsm7_encode_unit(d->units[i], (struct gsm7_shift){ 0, 0 }, septets + used) : 0;
        if (n == 0 || used + n + skipped > SMS_UNITS_MOST)
            return 0;
        used += n;
    }
    to[0] = (uint8_t)(skipped + used);
    return 1 + gsm7_pack(septets, used, skipped * 7, to + 1);
}

static size_t ucs2_write(const struct sms_draft *d, size_t header, uint8_t *to)
{
    size_t i;

    if (header + 2u * d->count > SMS_DATA_MOST)
        return 0;
    to[0] = (uint8_t)(header + 2u * d->count);
    for (i = 0; i < d->count; i++) {
        to[1 + header + 2 * i] = (uint8_t)(d->units[i] >> 8);
        to[2 + header + 2 * i] = (uint8_t)d->units[i];
    }
    return 1 + header + 2u * d->count;
}

static size_t data_write(const struct sms_draft *d, uint8_t *to)
{
    size_t header = d->parts > 1 ? HEADER_SIZE : 0;
    const uint8_t elements[HEADER_SIZE] = { 5, 0, 3, d->join, d->parts, d->part };

    memset(to, 0, 1 + SMS_DATA_MOST);
    memcpy(to + 1, elements, header);
    return d->coding == SMS_UCS2 ? ucs2_write(d, header, to) : text7_write(d, header, to);
}

size_t sms_write(const struct sms_draft *draft, uint8_t *pdu, size_t *ret_length)
{
    size_t used = 0, n;

    if (!sms_number_ok(draft->number) || draft->coding == SMS_DATA)
        return 0;
    pdu[used++] = 0; /* the service centre that the SIM knows */
    pdu[used++] = (uint8_t)(SUBMIT | (draft->validity_s > 0 ? VALIDITY_RELATIVE : 0) | (draft->wants_report ? REPORT : 0) |
                            (draft->parts > 1 ? HEADER : 0));
    pdu[used++] = 0; /* the modem gives the reference */
    used += number_write(draft->number, pdu + used);
    pdu[used++] = 0;
    pdu[used++] = draft->coding == SMS_UCS2 ? DCS_UCS2 : 0;
    if (draft->validity_s > 0)
        pdu[used++] = relative_octet(draft->validity_s);
    n = data_write(draft, pdu + used);
    if (n == 0)
        return 0;
    *ret_length = used + n - 1;
    return used + n;
}
