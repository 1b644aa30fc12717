/* SPDX-License-Identifier: Apache-2.0
 *
 * report.c - records of all outputs, and the events that wait to be one.
 *
 * A message's record has its id from the message itself, so that one that is read
 * again after a crash is the same record; all others are of this run. */
#include "report.h"

#include <stdio.h>
#include <string.h>

#include "utf16.h"

/* ---- common ---- */

static struct aff_record *draft_new(struct modem *m, uint32_t port, uint32_t input, uint32_t texts)
{
    uint32_t size = aff_row_size(modem_schemas[port].count, texts);
    struct aff_record *draft;
    uint8_t clock;

    draft = m->host->reserve(m->host, port, input, size);
    if (!draft)
        return NULL;
    draft->subject = m->subject;
    draft->stream = m->streams[port];
    draft->schema = m->schemas[port];
    draft->type = AFF_FIELDS;
    draft->flags = 0;
    draft->event_ns = m->host->utc_ns(m->host, &clock);
    draft->clock = clock;
    return draft;
}

/* Ids of records that are of this run: the run's random number, and a count. */
static void run_id(struct modem *m)
{
    uint64_t id[2] = { m->run, m->made++ };

    m->host->incarnation(m->host, id, sizeof id);
}

static void text_put(struct aff_row *row, uint32_t column, const char *text)
{
    if (text && *text)
        aff_row_put_text(row, column, text, (uint32_t)strlen(text));
}

static void int_put(struct aff_row *row, uint32_t column, int64_t value)
{
    if (value != INT64_MIN)
        aff_row_put_int(row, column, value);
}

static uint32_t size_of(const char *text)
{
    return text ? (uint32_t)strlen(text) : 0;
}

/* Text that came from outside is UTF-8 in a record, whatever it was. `to` has three
 * bytes for each of `size`. */
static size_t clean(const char *text, size_t size, char *to, size_t room)
{
    uint16_t units[AT_LINE_MOST];

    return utf16_to_utf8(units, utf8_to_utf16(text, size, units, AT_LINE_MOST), to, room);
}

/* ---- events ---- */

static const char *const kinds[EVENT_KINDS] = {
    [EVENT_LINE_LOST] = "line_lost",   [EVENT_LINE_BACK] = "line_back",   [EVENT_READY] = "ready",
    [EVENT_RESET] = "reset",           [EVENT_SILENT] = "silent",         [EVENT_IDENTITY] = "identity",
    [EVENT_SIM] = "sim",               [EVENT_REGISTRATION] = "registration", [EVENT_TIME] = "network_time",
    [EVENT_CALL] = "call",             [EVENT_CALL_ENDED] = "call_ended", [EVENT_USSD] = "ussd",
    [EVENT_REPORT] = "report",         [EVENT_LINK_UP] = "link_up",       [EVENT_LINK_DOWN] = "link_down",
    [EVENT_STORE_FULL] = "store_full", [EVENT_STORE_FREE] = "store_free", [EVENT_STORE_REFUSED] = "store_refused",
    [EVENT_TEXT_MODE] = "text_mode",
};

/* Never NULL: the oldest makes room. */
struct event *event_add(struct modem *m, enum event_kind kind, const char *state)
{
    struct event *e;

    if (m->event_count == EVENTS_MOST) {
        m->event_count--;
        memmove(m->events, m->events + 1, m->event_count * sizeof m->events[0]);
        m->host->count(m->host, METRIC_EVENTS_LOST, 1);
    }
    e = &m->events[m->event_count++];
    memset(e, 0, sizeof *e);
    e->kind = kind;
    e->number = e->time_ns = INT64_MIN;
    e->at_ns = m->host->utc_ns(m->host, &e->clock);
    (void)snprintf(e->state, sizeof e->state, "%s", state ? state : "");
    return e;
}

static aff_status event_emit(struct modem *m, const struct event *e)
{
    char who[3 * sizeof e->phi];
    size_t who_size = clean(e->phi, strlen(e->phi), who, sizeof who);
    uint32_t texts = size_of(kinds[e->kind]) + size_of(e->state) + size_of(e->technology) + size_of(e->why) + (uint32_t)who_size +
                     size_of(e->text);
    struct aff_record *draft;
    struct aff_row row;

    run_id(m);
    draft = draft_new(m, PORT_EVENTS, AFF_NO_INPUT, texts);
    if (!draft)
        return AFF_ERR_MEMORY;
    draft->event_ns = e->at_ns;
    draft->clock = e->clock;
    row = aff_row_begin(draft, EVENT_COLUMNS);
    text_put(&row, EVENT_KIND, kinds[e->kind]);
    aff_row_put_int(&row, EVENT_AT, e->at_ns);
    text_put(&row, EVENT_STATE, e->state);
    text_put(&row, EVENT_TECHNOLOGY, e->technology);
    text_put(&row, EVENT_WHY, e->why);
    int_put(&row, EVENT_NUMBER, e->number);
    int_put(&row, EVENT_TIME_COLUMN, e->time_ns);
    if (who_size)
        aff_row_put_text(&row, EVENT_WHO, who, (uint32_t)who_size);
    text_put(&row, EVENT_TEXT, e->text);
    return m->host->emit(m->host, draft, aff_row_end(&row));
}

/* The first of them open the epoch that what was restored waits for. */
aff_status events_emit(struct modem *m, uint32_t *want)
{
    uint32_t before = *want;
    aff_status st = AFF_OK;

    while (m->event_count > 0 && *want > 0 && st == AFF_OK) {
        st = event_emit(m, &m->events[0]);
        if (st != AFF_OK)
            break;
        --*want;
        m->event_count--;
        memmove(m->events, m->events + 1, m->event_count * sizeof m->events[0]);
    }
    if (*want < before && m->inbox.is_restored)
        m->host->cut(m->host);
    return st;
}

/* ---- status and position ---- */

static void decibels_put(struct aff_row *row, uint32_t column, int16_t value, double scale)
{
    if (value != AT_UNKNOWN)
        aff_row_put_real(row, column, value * scale);
}

static void signal_put(struct aff_row *row, const struct at_signal *s)
{
    bool nr = s->ss_rsrp_dbm != AT_UNKNOWN; /* where 5G is measured, it is what is used */

    decibels_put(row, STATUS_RSSI, s->rssi_dbm, 1);
    decibels_put(row, STATUS_RSCP, s->rscp_dbm, 1);
    decibels_put(row, STATUS_ECNO, s->ecno_ddb, 0.1);
    decibels_put(row, STATUS_RSRP, nr ? s->ss_rsrp_dbm : s->rsrp_dbm, 1);
    decibels_put(row, STATUS_RSRQ, nr ? s->ss_rsrq_ddb : s->rsrq_ddb, 0.1);
    decibels_put(row, STATUS_SINR, s->ss_sinr_ddb, 0.1);
}

/* Of the registration that counts: the newest network's that has us, else any. */
static const struct at_registration *shown_registration(const struct modem *m)
{
    const struct at_registration *any = NULL;
    int i;

    for (i = AT_DOMAINS - 1; i >= 0; i--) {
        if (!m->has_registration[i])
            continue;
        if (at_status_is_registered(m->registration[i].status))
            return &m->registration[i];
        any = any ? any : &m->registration[i];
    }
    return any;
}

static void network_put(struct modem *m, struct aff_row *row, const char *operator)
{
    const struct at_registration *r = shown_registration(m);
    int technology = session_technology(m);

    if (r) {
        text_put(row, STATUS_REGISTRATION, at_status_name(r->status));
        aff_row_put_int(row, STATUS_ROAMING, at_status_is_roaming(r->status));
        if (r->has_area) {
            aff_row_put_int(row, STATUS_AREA, r->area);
            aff_row_put_int(row, STATUS_CELL, (int64_t)r->cell);
        }
    }
    text_put(row, STATUS_OPERATOR, operator);
    text_put(row, STATUS_TECHNOLOGY, at_technology_name(technology));
    if (technology >= 0)
        aff_row_put_int(row, STATUS_GENERATION, at_technology_generation(technology));
}

aff_status status_emit(struct modem *m, uint32_t *want)
{
    char operator[3 * sizeof m->operator.name];
    struct aff_record *draft;
    struct aff_row row;
    uint32_t last = m->stores.count ? m->stores.count - 1 : 0;

    if (!m->status_due || *want == 0)
        return AFF_OK;
    operator[clean(m->operator.name, strlen(m->operator.name), operator, sizeof operator - 1)] = '\0';
    run_id(m);
    draft = draft_new(m, PORT_STATUS, AFF_NO_INPUT, size_of(operator) + 128);
    if (!draft)
        return AFF_ERR_MEMORY;
    row = aff_row_begin(draft, STATUS_COLUMNS);
    network_put(m, &row, operator);
    signal_put(&row, &m->signal);
    text_put(&row, STATUS_SIM, m->sim_state);
    if (m->stores.count) {
        aff_row_put_int(&row, STATUS_STORED, m->stores.used[last]);
        aff_row_put_int(&row, STATUS_CAPACITY, m->stores.total[last]);
    }
    aff_row_put_int(&row, STATUS_LINK, m->net.said.up);
    if (m->net.has_said && m->net.said.sent_bytes != UINT64_MAX) {
        aff_row_put_int(&row, STATUS_SENT, (int64_t)m->net.said.sent_bytes);
        aff_row_put_int(&row, STATUS_RECEIVED, (int64_t)m->net.said.received_bytes);
    }
    if (m->host->emit(m->host, draft, aff_row_end(&row)) != AFF_OK)
        return AFF_ERR_MEMORY;
    m->status_due = false;
    --*want;
    return AFF_OK;
}

aff_status position_emit(struct modem *m, uint32_t *want)
{
    const struct at_position *p = &m->position;
    struct aff_record *draft;
    struct aff_row row;

    if (!m->position_due || *want == 0)
        return AFF_OK;
    run_id(m);
    draft = draft_new(m, PORT_POSITION, AFF_NO_INPUT, 0);
    if (!draft)
        return AFF_ERR_MEMORY;
    row = aff_row_begin(draft, POSITION_COLUMNS);
    aff_row_put_real(&row, POSITION_LATITUDE, p->latitude);
    aff_row_put_real(&row, POSITION_LONGITUDE, p->longitude);
    if (p->has_altitude)
        aff_row_put_real(&row, POSITION_ALTITUDE, p->altitude_m);
    if (p->has_speed)
        aff_row_put_real(&row, POSITION_SPEED, p->speed_mps);
    if (p->has_course)
        aff_row_put_real(&row, POSITION_COURSE, p->course_deg);
    if (p->has_time)
        aff_row_put_int(&row, POSITION_TIME, p->utc_ns);
    if (p->satellites >= 0)
        aff_row_put_int(&row, POSITION_SATELLITES, p->satellites);
    if (m->host->emit(m->host, draft, aff_row_end(&row)) != AFF_OK)
        return AFF_ERR_MEMORY;
    m->position_due = false;
    --*want;
    return AFF_OK;
}

/* ---- messages ---- */

/* Room for the text of all parts, or for their octets in hex. */
static uint32_t content_room(const struct joined *joined)
{
    uint32_t room = 3 * joined->count; /* an ellipsis for each that is missing */
    uint16_t i;

    for (i = 0; i < joined->count; i++)
        if (joined->parts[i])
            room += (uint32_t)UTF8_SIZE(joined->parts[i]->sms.unit_count) + 2u * joined->parts[i]->sms.data_size;
    return room;
}

/* Texts are made in place, behind those that the row has; a text goes in there by
 * its size alone. */
static void content_put(struct aff_row *row, const struct joined *joined, const struct sms *first, uint32_t room)
{
    char *to = (char *)row->cells + row->used;
    uint32_t size = 0;
    uint16_t i;

    if (first->coding != SMS_DATA) {
        size = (uint32_t)joined_text(joined, to, room);
        aff_row_put_text(row, MESSAGE_TEXT, to, size);
        return;
    }
    for (i = 0; i < joined->count; i++)
        if (joined->parts[i]) {
            hex_write(joined->parts[i]->sms.data, joined->parts[i]->sms.data_size, to + size);
            size += 2u * joined->parts[i]->sms.data_size;
        }
    aff_row_put_text(row, MESSAGE_DATA, to, size);
}

static void message_put(struct aff_row *row, const struct joined *joined, const struct sms *first)
{
    static const char *const codings[] = { "gsm7", "data", "ucs2" };

    text_put(row, MESSAGE_FROM, first->peer.text);
    text_put(row, MESSAGE_CENTRE, first->smsc.text);
    text_put(row, MESSAGE_CODING, codings[first->coding]);
    if (first->time.is_set) {
        aff_row_put_int(row, MESSAGE_TIME, first->time.utc_ns);
        aff_row_put_int(row, MESSAGE_ZONE, first->time.zone_min);
    }
    if (first->class >= 0)
        aff_row_put_int(row, MESSAGE_CLASS, first->class);
    if (first->has_ports)
        aff_row_put_int(row, MESSAGE_PORT, first->port_to);
    aff_row_put_int(row, MESSAGE_PARTS, joined->count);
    aff_row_put_int(row, MESSAGE_MISSING, joined->count - joined->present);
}

aff_status message_emit(struct modem *m, uint64_t digest, const struct joined *joined)
{
    const struct sms *first = &joined_first(joined)->sms;
    uint32_t room = content_room(joined);
    struct aff_record *draft;
    struct aff_row row;

    m->host->incarnation(m->host, &digest, sizeof digest);
    draft = draft_new(m, PORT_DATA, AFF_NO_INPUT, room + size_of(first->peer.text) + size_of(first->smsc.text) + 8);
    if (!draft)
        return AFF_ERR_MEMORY;
    draft->event_ns = first->time.is_set ? first->time.utc_ns : joined_first(joined)->seen_ns;
    draft->clock = first->time.is_set ? AFF_CLOCK_DEVICE : joined_first(joined)->clock;
    row = aff_row_begin(draft, MESSAGE_COLUMNS);
    message_put(&row, joined, first);
    content_put(&row, joined, first, room);
    return m->host->emit(m->host, draft, aff_row_end(&row));
}

/* ---- results ---- */

aff_status result_emit(struct modem *m, uint32_t input, const struct result_row *r)
{
    char reply[3 * AT_LINE_MOST];
    size_t reply_size = r->reply ? clean(r->reply, strlen(r->reply), reply, sizeof reply) : 0;
    uint32_t texts = size_of(r->command) + size_of(r->outcome) + size_of(r->why) + size_of(r->to) + (uint32_t)reply_size;
    struct aff_record *draft;
    struct aff_row row;

    run_id(m);
    draft = draft_new(m, PORT_RESULTS, input, texts);
    if (!draft)
        return AFF_ERR_MEMORY;
    row = aff_row_begin(draft, RESULT_COLUMNS);
    text_put(&row, RESULT_COMMAND, r->command);
    text_put(&row, RESULT_OUTCOME, r->outcome);
    int_put(&row, RESULT_ID, r->id);
    text_put(&row, RESULT_TO, r->to);
    int_put(&row, RESULT_REFERENCE, r->reference);
    int_put(&row, RESULT_PARTS, r->parts);
    int_put(&row, RESULT_CODE, r->code);
    text_put(&row, RESULT_WHY, r->why);
    int_put(&row, RESULT_TRIES, r->tries);
    if (r->took_s >= 0)
        aff_row_put_real(&row, RESULT_TOOK, r->took_s);
    if (reply_size)
        aff_row_put_text(&row, RESULT_REPLY, reply, (uint32_t)reply_size);
    return m->host->emit(m->host, draft, aff_row_end(&row));
}
