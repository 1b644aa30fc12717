/* SPDX-License-Identifier: Apache-2.0
 *
 * at_message.c - replies and codes about messages and USSD; see at_values.h. Numbers
 * in comments are sections of 3GPP TS 27.005, unless another is named. */
#include "at_values.h"

#include <string.h>

#include "utf16.h"

/* ---- stores (3.2.2) ---- */

static enum at_fault store_read(struct at_fields *f, struct at_stores *s)
{
    struct at_field field;
    int64_t used, total;
    enum at_fault fault;

    if (!at_fields_next(f, &field))
        return AT_FAULT_MISSING;
    if (field.grouped)
        return AT_FAULT_SYNTAX;
    if (field.quoted) {
        fault = at_field_text(&field, s->name[s->count], sizeof s->name[0]);
        if (fault != AT_FINE)
            return fault;
        fault = at_next_int(f, 0, INT32_MAX, &used);
    } else {
        fault = at_field_int(&field, 0, INT32_MAX, &used);
    }
    if (fault == AT_FINE)
        fault = at_next_int(f, 0, INT32_MAX, &total);
    if (fault == AT_FINE) {
        s->used[s->count] = (int32_t)used;
        s->total[s->count++] = (int32_t)total;
    }
    return fault;
}

enum at_fault at_stores_read(const char *line, struct at_stores *ret)
{
    struct at_stores s = { .count = 0 };
    struct at_fields f;
    enum at_fault fault;

    if (!at_fields_open(&f, line, "+CPMS:"))
        return AT_FAULT_PREFIX;
    do {
        fault = store_read(&f, &s);
        if (fault != AT_FINE)
            return fault;
    } while (f.at && s.count < 3);
    *ret = s;
    return AT_FINE;
}

enum at_fault at_stores_has(const char *line, unsigned which, const char *name, bool *ret)
{
    struct at_fields f;
    struct at_field field;
    size_t size = strlen(name), i;

    if (!at_fields_open(&f, line, "+CPMS:"))
        return AT_FAULT_PREFIX;
    at_fields_skip(&f, which);
    if (!at_fields_next(&f, &field))
        return AT_FAULT_MISSING;
    *ret = false;
    /* ("SM","ME"); some modems forget a quote */
    for (i = 0; i + size <= field.size; i++)
        *ret |= memcmp(field.at + i, name, size) == 0 && (i == 0 || strchr("\", ", field.at[i - 1])) &&
                (i + size == field.size || strchr("\", ", field.at[i + size]));
    return AT_FINE;
}

/* ---- messages (3.4) ---- */

static const char *const status_names[] = { "REC UNREAD", "REC READ", "STO UNSENT", "STO SENT" };

/* 0 to 3, or in words, as text mode has it: *ret_words. */
static enum at_fault status_take(struct at_fields *f, struct at_message *m, bool *ret_words)
{
    struct at_field field;
    int64_t number;
    enum at_fault fault;
    int i;

    if (!at_fields_next(f, &field))
        return AT_FAULT_MISSING;
    *ret_words = field.quoted;
    if (field.quoted) {
        for (i = 0; i < 4; i++)
            if (strlen(status_names[i]) == field.size && memcmp(status_names[i], field.at, field.size) == 0)
                m->status = i;
        return m->status < 0 ? AT_FAULT_SYNTAX : AT_FINE;
    }
    fault = at_field_int(&field, 0, 4, &number);
    if (fault == AT_FINE)
        m->status = (int32_t)number;
    return fault;
}

/* Text mode: "number",["name"],"time", or without a name; of a message that was
 * not received there is no time. */
static enum at_fault words_take(struct at_fields *f, struct at_message *m)
{
    struct at_field field;
    enum at_fault fault = at_next_text(f, m->number, sizeof m->number);
    int i;

    for (i = 0; i < 2 && fault == AT_FINE && at_fields_next(f, &field); i++)
        if (field.quoted && field.size >= 8 && memchr(field.at, '/', field.size) && !m->time[0])
            fault = at_field_text(&field, m->time, sizeof m->time);
    m->in_text_mode = true;
    return fault;
}

static enum at_fault head_read(const char *line, struct at_message *m)
{
    struct at_fields f;
    struct at_field first;
    struct at_fields again;
    bool words = false;
    int64_t number;
    enum at_fault fault;

    if (at_fields_open(&f, line, "+CMT:") || at_fields_open(&f, line, "+CDS:")) {
        again = f;
        words = at_fields_next(&again, &first) && first.quoted && first.size > 0 && again.at && strchr(again.at, '/');
        return words ? words_take(&f, m) : AT_FINE;
    }
    if (at_fields_open(&f, line, "+CMGL:")) {
        fault = at_next_int(&f, 0, UINT16_MAX - 1, &number);
        if (fault != AT_FINE)
            return fault;
        m->index = (int32_t)number;
    } else if (!at_fields_open(&f, line, "+CMGR:")) {
        return AT_FAULT_PREFIX;
    }
    fault = status_take(&f, m, &words);
    return fault == AT_FINE && words ? words_take(&f, m) : fault;
}

enum at_fault at_message_read(const char *line, const char *body, struct at_message *ret)
{
    enum at_fault fault;

    memset(ret, 0, sizeof *ret);
    ret->index = ret->status = -1;
    fault = head_read(line, ret);
    if (fault != AT_FINE)
        return fault;
    if (!body)
        return AT_FAULT_MISSING;
    if (ret->in_text_mode)
        return AT_FINE;
    ret->error = sms_read_hex(body, strlen(body), &ret->sms);
    return ret->error == SMS_OK ? AT_FINE : AT_FAULT_MESSAGE;
}

enum at_fault at_arrival_read(const char *line, struct at_arrival *ret)
{
    struct at_arrival a = { .is_report = false };
    struct at_fields f;
    int64_t index;
    enum at_fault fault;

    if (at_fields_open(&f, line, "+CDSI:"))
        a.is_report = true;
    else if (!at_fields_open(&f, line, "+CMTI:") && !at_fields_open(&f, line, "+CBMI:"))
        return AT_FAULT_PREFIX;
    fault = at_next_text(&f, a.store, sizeof a.store);
    if (fault == AT_FINE)
        fault = at_next_int(&f, 0, UINT16_MAX - 1, &index);
    if (fault != AT_FINE)
        return fault;
    a.index = (uint16_t)index;
    *ret = a;
    return AT_FINE;
}

enum at_fault at_reference_read(const char *line, uint16_t *ret)
{
    struct at_fields f;
    int64_t number;
    enum at_fault fault;

    if (!at_fields_open(&f, line, "+CMGS:") && !at_fields_open(&f, line, "+CMGW:") && !at_fields_open(&f, line, "+CMSS:"))
        return AT_FAULT_PREFIX;
    fault = at_next_int(&f, 0, UINT16_MAX, &number);
    if (fault == AT_FINE)
        *ret = (uint16_t)number;
    return fault;
}

enum at_fault at_notices_read(const char *line, struct at_notices *ret)
{
    struct at_notices n = { .can = { { false } } };
    struct at_fields f;
    struct at_field field;
    int i, k;

    if (!at_fields_open(&f, line, "+CNMI:"))
        return AT_FAULT_PREFIX;
    for (i = 0; i < 5; i++) {
        if (!at_fields_next(&f, &field))
            return i < 2 ? AT_FAULT_MISSING : (*ret = n, AT_FINE);
        for (k = 0; k < 5; k++)
            n.can[i][k] = at_field_has(&field, k);
    }
    *ret = n;
    return AT_FINE;
}

/* ---- USSD (27.007, 7.15) ---- */

/* TS 23.038, section 5: a text of these begins with its language, two letters packed
 * into one unit, or a septet each with a carriage return behind them. */
enum { DCS_LANGUAGE_GSM7 = 0x10, DCS_LANGUAGE_UCS2 = 0x11 };

/* The coding of cell broadcast and USSD: UCS-2? */
static bool dcs_is_ucs2(int dcs)
{
    return dcs == DCS_LANGUAGE_UCS2 || ((dcs & 0xc0) == 0x40 && (dcs & 0x0c) == 8) || ((dcs & 0xf0) == 0x90 && (dcs & 0x0c) == 8);
}

/* A number: an account's, a telephone's, which is all digits of hex as well. */
static bool looks_like_number(const struct at_field *field)
{
    size_t i;

    for (i = 0; i < field->size; i++)
        if (field->at[i] < '0' || field->at[i] > '9')
            return false;
    return true;
}

/* Hex digits may be units or packed septets, and a modem does not say which: units
 * of a living script lie in few rows of 256, so their upper bytes repeat. A number,
 * or a short word, is units only where those are Latin letters. */
static bool looks_like_units(const struct at_field *field, const uint16_t *units, size_t count)
{
    bool only_latin = count < 3 || looks_like_number(field);
    size_t i, same = 0;

    for (i = 0; i < count; i++)
        same += units[i] >> 8 == 0 || (!only_latin && units[i] >> 8 == units[0] >> 8);
    return count > 0 && 4 * same >= 3 * count;
}

static size_t septets_to_text(const char *hex, size_t size, int dcs, char *to, size_t room)
{
    enum { MOST = 182 };
    uint8_t packed[MOST * 7 / 8 + 1], septets[MOST];
    uint16_t units[MOST];
    size_t count, from = 0;

    if (!hex_read(hex, size, packed, sizeof packed))
        return 0;
    count = size / 2 * 8 / 7;
    count = count < MOST ? count : MOST;
    if (!gsm7_unpack(packed, size / 2, 0, septets, count))
        return 0;
    /* a carriage return fills the last octet (TS 23.038, 6.1.2.3.1) */
    if (count % 8 == 0 && count > 0 && septets[count - 1] == '\r')
        count--;
    if (dcs == DCS_LANGUAGE_GSM7 && count >= 3 && septets[2] == '\r')
        from = 3;
    count = gsm7_decode(septets + from, count - from, (struct gsm7_shift){ 0, 0 }, units, MOST);
    return utf16_to_utf8(units, count, to, room);
}

static size_t ussd_text(const struct at_field *field, int dcs, char *to, size_t room)
{
    uint16_t units[400];
    bool are_units = hex_read_units(field->at, field->size, units, sizeof units / sizeof units[0]);
    size_t count = field->size / 4, from = count > 0 && dcs == DCS_LANGUAGE_UCS2, used = 0;

    if (are_units && (dcs_is_ucs2(dcs) || looks_like_units(field, units, count)))
        return utf16_to_utf8(units + from, count - from, to, room);
    if (field->size >= 8 && !looks_like_number(field))
        used = septets_to_text(field->at, field->size, dcs, to, room);
    if (used > 0)
        return used;
    /* through units, so that what is no UTF-8 does not stay */
    return utf16_to_utf8(units, utf8_to_utf16(field->at, field->size, units, sizeof units / sizeof units[0]), to, room);
}

/* The text may have quotes in it, which nothing marks: it goes to the last one. */
static bool ussd_field(struct at_fields *f, struct at_field *ret)
{
    const char *at = f->at, *last = at && *at == '"' ? strrchr(at + 1, '"') : NULL;

    if (!at_fields_next(f, ret))
        return false;
    if (!last)
        return true;
    ret->size = (size_t)(last - ret->at);
    f->at = last + 1; /* where nothing stands in front of the next comma */
    at_fields_skip(f, 1);
    return true;
}

enum at_fault at_ussd_read(const char *line, struct at_ussd *ret)
{
    struct at_fields f;
    struct at_field text = { "", 0, false, false };
    int64_t number, dcs = -1;
    enum at_fault fault;

    if (!at_fields_open(&f, line, "+CUSD:"))
        return AT_FAULT_PREFIX;
    fault = at_next_int(&f, 0, 5, &number);
    if (fault != AT_FINE)
        return fault;
    if (ussd_field(&f, &text)) {
        fault = at_next_int(&f, 0, 255, &dcs);
        if (fault != AT_FINE && fault != AT_FAULT_MISSING)
            return fault;
    }
    if (text.size > 4 * 400)
        return AT_FAULT_LONG;
    ret->status = (int)number;
    ret->dcs = (int)dcs;
    ret->text[ussd_text(&text, (int)dcs, ret->text, sizeof ret->text - 1)] = '\0';
    return AT_FINE;
}
