/* SPDX-License-Identifier: Apache-2.0
 *
 * outbox.c - messages that are sent: an order's text cut into parts, to each of its
 * numbers, and the reports that come later. See modem.h.
 *
 * A part whose answer was lost is sent again: rather twice than not at all. A report
 * is tied to its message by the reference that the network gave and the number. */
#include "modem.h"

#include <stdio.h>
#include <string.h>

#define SEND_NS (120 * SECOND_NS)
#define AGAIN_LAST_NS (60 * SECOND_NS)
#define NOTE " (not for clinical use)"

/* ---- texts ---- */

struct text {
    uint16_t *units;
    size_t count, room;
};

static void text_add(struct text *t, const char *bytes, uint32_t size)
{
    t->count += utf8_to_utf16(bytes, size, t->units + t->count, t->room - t->count);
}

static void text_say(struct text *t, const char *words)
{
    text_add(t, words, (uint32_t)strlen(words));
}

static void column_say(struct modem *m, const struct order *o, struct text *t, const char *column)
{
    uint32_t size;
    const char *text = order_text(m, o->record, column, &size);

    if (text)
        text_add(t, text, size);
}

static bool state_is(struct modem *m, const struct order *o, const char *state)
{
    uint32_t size;
    const char *text = order_text(m, o->record, "state", &size);

    return text && size == strlen(state) && memcmp(text, state, size) == 0;
}

/* "HIGH bed 3: NEWS2 8: call the team (not for clinical use)". The note is never
 * what is cut off. */
static void alert_say(struct modem *m, const struct order *o, struct text *t)
{
    size_t i, note = strlen(NOTE);

    t->room -= note;
    if (state_is(m, o, "ended"))
        text_say(t, "Ended: ");
    else if (state_is(m, o, "acknowledged"))
        text_say(t, "Acknowledged: ");
    i = t->count;
    column_say(m, o, t, "severity");
    for (; i < t->count; i++)
        if (t->units[i] >= 'a' && t->units[i] <= 'z')
            t->units[i] = (uint16_t)(t->units[i] - 32);
    text_say(t, " ");
    column_say(m, o, t, "place");
    text_say(t, ": ");
    column_say(m, o, t, "text");
    t->room += note;
    text_say(t, NOTE);
}

static size_t text_of(struct modem *m, const struct order *o, uint16_t *units, size_t room)
{
    struct text t = { units, 0, room };

    if (o->kind == ORDER_ALERT)
        alert_say(m, o, &t);
    else
        column_say(m, o, &t, "text");
    return t.count;
}

/* An alert has room for as many units as its parts hold in UCS-2, so that its note
 * stays in any alphabet; only if all of it is GSM it may be longer. */
static size_t order_units(struct modem *m, const struct order *o, uint16_t *units)
{
    size_t most = (size_t)m->config->max_parts, septets, count, room = most > 1 ? most * PART_SEPTETS : SINGLE_SEPTETS;

    count = text_of(m, o, units, o->kind == ORDER_ALERT ? room : room + 1); /* one more shows that it is cut */
    if (o->kind != ORDER_ALERT || (gsm7_fits(units, count, (struct gsm7_shift){ 0, 0 }, &septets) && septets <= most * PART_SEPTETS))
        return count;
    return text_of(m, o, units, most > 1 ? most * PART_UNITS : SINGLE_UNITS);
}

/* ---- numbers ---- */

static uint32_t targets_of(struct modem *m, const struct order *o)
{
    return o->kind == ORDER_ALERT ? m->config->alert_to.count : 1;
}

void outbox_number(struct modem *m, const struct order *o, char to[SMS_NUMBER_MOST + 2])
{
    uint32_t size = 0;
    const char *text;

    if (o->kind == ORDER_ALERT) {
        text = ((const char *const *)m->config->alert_to.items)[o->target];
        size = (uint32_t)strlen(text);
    } else {
        text = order_text(m, o->record, "to", &size);
    }
    size = size < SMS_NUMBER_MOST + 1 ? size : SMS_NUMBER_MOST + 1;
    memcpy(to, text, size);
    to[size] = '\0';
}

/* ---- what is told ---- */

void outbox_told(struct modem *m)
{
    struct outbox *b = &m->outbox;
    struct sent *s = b->told[0].sent ? &b->sent[b->told[0].sent - 1] : NULL;

    if (s && s->used == SENT_ENDED)
        s->used = 0;
    b->told_count--;
    memmove(b->told, b->told + 1, b->told_count * sizeof b->told[0]);
}

/* Never NULL: the oldest makes room. */
static struct told *told_add(struct modem *m, enum order_kind kind, const char *outcome)
{
    struct outbox *b = &m->outbox;
    struct told *t;

    if (b->told_count == REPORTS_MOST) {
        outbox_told(m);
        m->host->count(m->host, METRIC_EVENTS_LOST, 1);
    }
    t = &b->told[b->told_count++];
    *t = (struct told){ .kind = kind, .outcome = outcome, .id = INT64_MIN, .reference = INT64_MIN, .parts = INT64_MIN,
                        .code = INT64_MIN, .tries = INT64_MIN, .took_s = -1 };
    return t;
}

/* ---- reports ---- */

/* Networks write a number with and without its country: the last digits count. */
static bool same_number(const char *one, const char *other)
{
    enum { LAST = 7 };
    size_t a = strlen(one), b = strlen(other), n = a < b ? a : b;

    n = n < LAST ? n : LAST;
    return n > 0 && memcmp(one + a - n, other + b - n, n) == 0;
}

static const char *const outcome_words[] = { [SMS_DELIVERED] = "delivered", [SMS_UNSURE] = "unconfirmed",
                                             [SMS_STILL_TRYING] = "trying", [SMS_FAILED] = "failed" };

void outbox_delivery(struct modem *m, struct sent *s)
{
    enum sms_outcome outcome = sms_outcome_of(s->delivered);
    struct told *t = told_add(m, (enum order_kind)s->kind, outcome_words[outcome]);

    (void)snprintf(t->number, sizeof t->number, "%s", s->number);
    t->id = s->id;
    t->reference = s->references[s->parts - 1];
    t->parts = s->parts;
    t->code = outcome == SMS_DELIVERED ? INT64_MIN : s->delivered;
    t->sent = (uint8_t)(s - m->outbox.sent + 1);
}

/* All parts must have arrived; one that fails fails the message. */
static void report_apply(struct modem *m, struct sent *s, uint8_t part, uint8_t status)
{
    enum sms_outcome outcome = sms_outcome_of(status);

    s->state[part] = 1;
    s->delivered = (uint8_t)(s->delivered + (outcome == SMS_DELIVERED));
    if (outcome == SMS_DELIVERED && s->delivered < s->parts)
        return;
    m->host->count(m->host, outcome == SMS_DELIVERED ? METRIC_DELIVERED : METRIC_UNDELIVERED, 1);
    s->used = SENT_ENDED;
    s->delivered = status;
    outbox_delivery(m, s);
}

/* The first of several parts may have arrived before the last is sent, and some modems
 * hand a report over before they say that the message was sent. */
static void early_add(struct modem *m, const struct sms *report)
{
    struct outbox *b = &m->outbox;
    struct early *e = &b->early[b->early_count++ % EARLY_MOST];

    *e = (struct early){ .at_ns = m->now, .reference = report->reference, .status = report->status };
    (void)snprintf(e->number, sizeof e->number, "%.*s", (int)sizeof e->number - 1, report->peer.text);
}

/* Those that came since it was begun to be sent. */
static void early_find(struct modem *m, struct sent *s, int64_t began_ns)
{
    uint32_t i;
    uint8_t k;

    for (i = 0; i < EARLY_MOST; i++) {
        struct early *e = &m->outbox.early[i];

        for (k = 0; k < s->parts && e->at_ns && s->used == SENT_WAITS; k++)
            if (s->references[k] == e->reference && !s->state[k] && e->at_ns >= began_ns && same_number(s->number, e->number)) {
                e->at_ns = 0;
                report_apply(m, s, k, e->status);
            }
    }
}

/* Of a full table the oldest makes room: its "sent" was told already. */
static void sent_add(struct modem *m, const struct order *o, const char *number, uint8_t parts)
{
    struct sent *s = m->outbox.sent;
    uint32_t i, oldest = 0;
    uint8_t clock;

    for (i = 0; i < REPORTS_MOST && s[i].used; i++)
        if (s[i].sent_ns < s[oldest].sent_ns)
            oldest = i;
    i = i < REPORTS_MOST ? i : oldest;
    s[i] = (struct sent){ .sent_ns = m->host->utc_ns(m->host, &clock), .id = order_id(m, o->record), .parts = parts,
                          .used = SENT_WAITS, .kind = (uint8_t)o->kind };
    (void)snprintf(s[i].number, sizeof s[i].number, "%s", number);
    memcpy(s[i].references, o->references, parts);
    early_find(m, &s[i], o->began_ns);
}

/* One number is through, with or without success. */
static void target_end(struct modem *m, struct order *o, const char *outcome, const char *why, uint8_t parts)
{
    bool is_sent = strcmp(outcome, "sent") == 0;
    struct told *t = told_add(m, o->kind, outcome);

    outbox_number(m, o, t->number);
    t->why = why;
    t->id = order_id(m, o->record);
    t->parts = parts;
    t->code = o->code >= 0 && !is_sent ? o->code : INT64_MIN;
    t->tries = o->tries + 1;
    t->took_s = (double)(m->now - o->queued_ns) / 1e9;
    if (is_sent && parts > 0) {
        t->reference = o->references[parts - 1];
        if (m->config->reports)
            sent_add(m, o, t->number, parts); /* `t` may have gone */
        m->host->count(m->host, METRIC_SENT, 1);
        m->host->cut(m->host); /* who dies before the commit sends it again */
    }
    o->any_sent |= is_sent;
    o->part = o->tries = 0;
    o->code = -1;
    if (++o->target >= targets_of(m, o))
        order_end(m, o, o->any_sent ? VERDICT_SENT : VERDICT_FAILED, why);
}

/* ---- sending ---- */

/* Errors that another try does not mend (TS 24.011, annex E; 27.005, 3.2.5). "Not
 * allowed" is none of them: so say modems that are not ready yet; nor is a SIM that
 * may come back. */
static bool is_final(const struct at_event *e)
{
    static const int codes[] = { 1, 8, 10, 21, 28, 29, 30, 50, 69, 81, 95, 96, 97, 98, 99, 303, 304, 305, 330 };
    size_t i;

    for (i = 0; i < sizeof codes / sizeof codes[0]; i++)
        if (e->result == AT_CMS_ERROR && e->code == codes[i])
            return true;
    return false;
}

void outbox_again(struct modem *m, struct order *o, const char *why)
{
    if (o->tries >= m->config->retries) {
        target_end(m, o, "failed", why, o->part);
        return;
    }
    m->host->count(m->host, METRIC_RETRIES, 1);
    o->next_ns = m->now + earlier(5 * SECOND_NS << (o->tries < 6 ? o->tries : 6), AGAIN_LAST_NS);
    o->tries++;
}

void outbox_refused(struct modem *m, struct order *o, const struct at_event *e)
{
    o->code = e->code;
    if (is_final(e))
        target_end(m, o, "failed", at_error_words(e->result, e->code), o->part);
    else
        outbox_again(m, o, at_error_words(e->result, e->code));
}

static void send_line(struct modem *m, const struct at_event *e)
{
    uint16_t reference;

    if (at_reference_read(e->line, &reference) == AT_FINE)
        m->outbox.reference = reference;
}

static void part_sent(struct modem *m, struct order *o)
{
    uint16_t units[PARTS_SENT_MOST * SINGLE_SEPTETS + 1];
    struct sms_cuts cuts;

    m->host->count(m->host, METRIC_PARTS, 1);
    o->references[o->part++] = (uint8_t)(m->outbox.reference >= 0 ? m->outbox.reference : 0);
    sms_cut(units, order_units(m, o, units), (uint16_t)m->config->max_parts, &cuts);
    if (o->part >= cuts.count)
        target_end(m, o, "sent", cuts.ends[cuts.count - 1] < order_units(m, o, units) ? "the text was cut" : NULL, o->part);
}

static void send_done(struct modem *m, enum ended ended, const struct at_event *e)
{
    struct order *o = order_running(m);

    if (!o)
        return;
    o->running = false;
    if (ended == ENDED_OK) {
        part_sent(m, o);
    } else if (ended == ENDED_ERROR) {
        outbox_refused(m, o, e);
    } else if (ended == ENDED_LOST && !m->engine.prompted) {
        o->next_ns = m->now + SECOND_NS; /* the modem never had the text: no try of it */
    } else {
        outbox_again(m, o, ended == ENDED_LOST ? "the line was lost" : "the modem did not answer");
    }
}

/* The reference of the parts is the same each time they are tried. */
static struct sms_draft draft_of(struct modem *m, const struct order *o, const uint16_t *units, const struct sms_cuts *cuts)
{
    size_t from = o->part ? cuts->ends[o->part - 1] : 0;

    return (struct sms_draft){ .units = units + from, .count = (uint16_t)(cuts->ends[o->part] - from), .coding = cuts->coding,
                               .join = (uint8_t)(o->record->id.seq * 31 + o->record->id.source + o->target),
                               .parts = (uint8_t)cuts->count, .part = (uint8_t)(o->part + 1),
                               .wants_report = m->config->reports, .validity_s = m->config->validity / SECOND_NS };
}

bool outbox_next(struct modem *m, struct order *o)
{
    uint16_t units[PARTS_SENT_MOST * SINGLE_SEPTETS + 1];
    char number[SMS_NUMBER_MOST + 2], hex[2 * SMS_PDU_MOST + 1], text[32];
    uint8_t pdu[SMS_PDU_MOST];
    struct sms_cuts cuts;
    struct sms_draft draft;
    size_t size, length = 0;

    outbox_number(m, o, number);
    o->began_ns = o->part == 0 ? m->now : o->began_ns;
    sms_cut(units, order_units(m, o, units), (uint16_t)m->config->max_parts, &cuts);
    draft = draft_of(m, o, units, &cuts);
    draft.number = number;
    size = sms_write(&draft, pdu, &length);
    if (size == 0) {
        target_end(m, o, "failed", "the number cannot be sent to", 0);
        return false;
    }
    hex_write(pdu, size, hex);
    hex[2 * size] = '\0';
    (void)snprintf(text, sizeof text, "AT+CMGS=%u", (unsigned)length);
    o->running = true;
    m->outbox.reference = -1;
    engine_send(m, &(struct request){ .text = text, .prefix = "+CMGS:", .flags = AT_ASKS, .timeout_ns = SEND_NS,
                                      .payload = hex, .line = send_line, .done = send_done });
    return true;
}

/* `part` of the order is then the number of parts that it takes. */
size_t outbox_utf8(struct modem *m, struct order *o, char *to, size_t room)
{
    uint16_t units[PARTS_SENT_MOST * SINGLE_SEPTETS + 1];
    struct sms_cuts cuts;

    sms_cut(units, order_units(m, o, units), (uint16_t)m->config->max_parts, &cuts);
    o->part = (uint8_t)cuts.count;
    return utf16_to_utf8(units, cuts.ends[cuts.count - 1], to, room);
}

/* references[0] is that of the only part which a report will come of. */
void outbox_sent(struct modem *m, struct order *o)
{
    uint8_t parts = o->part;
    uint32_t i;

    target_end(m, o, "sent", NULL, 1);
    for (i = m->outbox.told_count; i-- > 0 && strcmp(m->outbox.told[i].outcome, "sent") != 0;)
        continue; /* its report may be told already */
    m->outbox.told[i].parts = parts;
}

static void report_event(struct modem *m, const struct sms *report, const char *state)
{
    struct event *e = event_add(m, EVENT_REPORT, state);

    e->number = report->reference;
    e->time_ns = report->discharge.is_set ? report->discharge.utc_ns : INT64_MIN;
    (void)snprintf(e->phi, sizeof e->phi, "%s", report->peer.text);
}

static struct sent *sent_find(struct modem *m, const struct sms *report, uint8_t *ret_part)
{
    struct sent *best = NULL;
    uint32_t i;
    uint8_t k;

    for (i = 0; i < REPORTS_MOST; i++) {
        struct sent *s = &m->outbox.sent[i];

        for (k = 0; s->used == SENT_WAITS && k < s->parts; k++)
            if (s->references[k] == report->reference && !s->state[k] && same_number(s->number, report->peer.text) &&
                (!best || s->sent_ns > best->sent_ns)) {
                best = s;
                *ret_part = k;
            }
    }
    return best;
}

void outbox_report(struct modem *m, const struct sms *report)
{
    enum sms_outcome outcome = sms_outcome_of(report->status);
    struct sent *s;
    uint8_t part = 0;

    report_event(m, report, outcome_words[outcome]);
    if (outcome == SMS_STILL_TRYING)
        return;
    s = sent_find(m, report, &part);
    if (s)
        report_apply(m, s, part, report->status);
    else
        early_add(m, report);
}
