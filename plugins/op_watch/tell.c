/* SPDX-License-Identifier: Apache-2.0
 *
 * tell.c - the records of what was found: events, commands, alerts.
 *
 * Privacy. Events are of the device's own subject, and have no other labels than
 * that. Commands and alerts leave the node: their subject is the place, as that of
 * op_alert's is, and what they say is what the options say.
 *
 * Not here: when there is something to tell (judge.c). */
#include "watch.h"

#include <stdio.h>
#include <string.h>

static const struct aff_column event_columns[EVENT_COLUMNS] = {
    [EVENT_KIND] = { .name = "kind", .type = AFF_TEXT, .required = 1 },
    [EVENT_RULE] = { .name = "rule", .type = AFF_TEXT, .required = 1 },
    [EVENT_STATE] = { .name = "state", .type = AFF_TEXT, .required = 1 },
    [EVENT_SINCE] = { .name = "since", .type = AFF_TIME, .required = 1 },
    [EVENT_COMMANDS] = { .name = "commands", .type = AFF_INT, .required = 1 },
};
const struct aff_schema event_schema = {
    .struct_size = sizeof(struct aff_schema), .type = AFF_FIELDS, .name = "device_events",
    .columns = event_columns, .count = EVENT_COLUMNS, .stride = sizeof(struct aff_column),
};

static const struct aff_column command_columns[COMMAND_COLUMNS] = {
    [COMMAND_COMMAND] = { .name = "command", .type = AFF_TEXT, .required = 1 },
    [COMMAND_RULE] = { .name = "rule", .type = AFF_TEXT, .required = 1 },
    [COMMAND_COUNT] = { .name = "count", .type = AFF_INT, .required = 1 },
};
const struct aff_schema command_schema = {
    .struct_size = sizeof(struct aff_schema), .type = AFF_FIELDS, .name = "device_commands",
    .columns = command_columns, .count = COMMAND_COLUMNS, .stride = sizeof(struct aff_column),
};

static const char *const state_words[EVENT_STATES] = { "raised", "cleared", "commanded", "escalated" };

void tally_send(struct watch *w)
{
    uint32_t i;

    for (i = METRIC_RAISED; i < METRICS; i++)
        if (w->tally[i])
            w->host->count(w->host, i, (uint64_t)w->tally[i]);
    if (w->tally[METRIC_ACTIVE]) {
        w->active += w->tally[METRIC_ACTIVE];
        w->host->gauge(w->host, METRIC_ACTIVE, (double)w->active);
    }
    memset(w->tally, 0, sizeof w->tally);
}

/* ---- streams ---- */

/* The subject and the stream of an output: events stay with the device's subject. */
static aff_status stream_of(struct watch *w, uint32_t port, uint32_t subject, struct aff_record *ret)
{
    static const char *const endings[] = { "", "events", "commands", "alerts" };
    const struct aff_host *host = w->host;
    char name[80], place[PLACE_MOST];
    const char *patient;

    ret->subject = subject;
    if (port != OUT_EVENTS) {
        patient = w->plan.place_of_subject ? host->subject_name(host, subject) : NULL;
        place_fill(&w->plan, patient ? patient : "", place);
        ret->subject = host->subject(host, place);
    }
    (void)snprintf(name, sizeof name, "%s/%s", w->plan.config->stream, endings[port]);
    ret->stream = ret->subject ? host->stream(host, ret->subject, name, w->schemas[port]) : 0;
    return ret->stream ? AFF_OK : AFF_ERR_MEMORY;
}

static aff_status stream_end(struct watch *w, uint32_t port, uint32_t subject)
{
    struct aff_record to;
    aff_status st = stream_of(w, port, subject, &to);

    return st < 0 ? st : w->host->stream_end(w->host, port, to.stream);
}

/* Each is forgotten when its end is out, so that a call that failed goes on behind. */
static aff_status begun_end(struct watch *w, uint32_t port, uint32_t subject, uint8_t *begun)
{
    aff_status st = *begun ? stream_end(w, port, subject) : AFF_OK;

    *begun = st < 0 ? *begun : 0;
    return st;
}

aff_status tell_subject_end(struct watch *w, uint32_t subject, struct subject *s)
{
    aff_status st = begun_end(w, OUT_EVENTS, subject, &s->has_events);

    if (st == AFF_OK && w->plan.place_of_subject)
        st = begun_end(w, OUT_COMMANDS, subject, &s->has_commands);
    if (st == AFF_OK && w->plan.place_of_subject)
        st = begun_end(w, OUT_ALERTS, subject, &s->has_alerts);
    return st;
}

aff_status tell_all_end(struct watch *w)
{
    aff_status st = AFF_OK;

    if (w->plan.place_of_subject)
        return AFF_OK;
    st = begun_end(w, OUT_COMMANDS, 0, &w->has_commands);
    return st < 0 ? st : begun_end(w, OUT_ALERTS, 0, &w->has_alerts);
}

/* ---- records ---- */

static struct aff_record *draft_open(struct watch *w, const struct telling *t, const struct subject *s, uint32_t port,
                                     uint32_t size)
{
    struct aff_record to, *draft = w->host->reserve(w->host, port, t->input, size);

    if (!draft || stream_of(w, port, t->subject, &to) < 0)
        return NULL;
    draft->subject = to.subject;
    draft->stream = to.stream;
    draft->type = AFF_FIELDS;
    draft->schema = w->schemas[port];
    draft->flags = 0; /* gaps and doubts of the data are not the finding's */
    if (t->input == AFF_NO_INPUT)
        draft->clock = s->clock;
    return draft;
}

static void text_put(struct aff_row *row, uint32_t column, const char *text)
{
    aff_row_put_text(row, column, text, (uint32_t)strlen(text));
}

static aff_status event_emit(struct watch *w, const struct telling *t, const struct subject *s, const struct rule *r,
                             const struct rule_state *rs)
{
    const char *state = state_words[rs->event], *kind = kind_names[r->kind];
    size_t texts = strlen(r->config->name) + strlen(state) + strlen(kind);
    struct aff_record *draft = draft_open(w, t, s, OUT_EVENTS, aff_row_size(EVENT_COLUMNS, (uint32_t)texts));
    struct aff_row row;

    if (!draft)
        return AFF_ERR_MEMORY;
    /* What follows from being raised stands behind it, also where that is sorted by time. */
    draft->event_ns = time_add(rs->at_ns, rs->event == EVENT_COMMANDED || rs->event == EVENT_ESCALATED);
    row = aff_row_begin(draft, EVENT_COLUMNS);
    text_put(&row, EVENT_KIND, kind);
    text_put(&row, EVENT_RULE, r->config->name);
    text_put(&row, EVENT_STATE, state);
    aff_row_put_int(&row, EVENT_SINCE, rs->began_ns);
    aff_row_put_int(&row, EVENT_COMMANDS, rs->sent);
    return w->host->emit(w->host, draft, aff_row_end(&row));
}

static aff_status command_emit(struct watch *w, const struct telling *t, const struct subject *s, const struct rule *r,
                               const struct rule_state *rs)
{
    size_t texts = strlen(r->config->name) + strlen(r->config->command);
    struct aff_record *draft = draft_open(w, t, s, OUT_COMMANDS, aff_row_size(COMMAND_COLUMNS, (uint32_t)texts));
    struct aff_row row;

    if (!draft)
        return AFF_ERR_MEMORY;
    draft->event_ns = rs->at_ns;
    row = aff_row_begin(draft, COMMAND_COLUMNS);
    text_put(&row, COMMAND_COMMAND, r->config->command);
    text_put(&row, COMMAND_RULE, r->config->name);
    aff_row_put_int(&row, COMMAND_COUNT, rs->sent);
    return w->host->emit(w->host, draft, aff_row_end(&row));
}

/* FNV-1a over the record that it began with, the rule, and when: the same in a replay. */
static uint64_t alert_id(const struct rule *r, const struct rule_state *rs)
{
    const uint64_t parts[] = { rs->cause.source, rs->cause.seq, (uint64_t)rs->began_ns };
    uint64_t hash = UINT64_C(14695981039346656037);
    const char *at;
    size_t i;

    for (at = r->config->name; *at; at++)
        hash = (hash ^ (unsigned char)*at) * UINT64_C(1099511628211);
    for (i = 0; i < sizeof parts / sizeof parts[0]; i++)
        hash = (hash ^ parts[i] ^ parts[i] >> 32) * UINT64_C(1099511628211);
    return hash ^ hash >> 29;
}

static aff_status alert_emit(struct watch *w, const struct telling *t, const struct subject *s, const struct rule *r,
                             const struct rule_state *rs)
{
    const char *text = *r->config->text ? r->config->text : r->config->name;
    const char *patient = w->plan.place_of_subject ? w->host->subject_name(w->host, t->subject) : NULL;
    bool is_new = rs->alert_state == STATE_RAISED;
    struct alert_row row = { (enum severity)(r->config->severity - 1), (enum tell_state)rs->alert_state, r->config->name,
                             NULL, text, (uint32_t)strlen(text), is_new ? alert_id(r, rs) : rs->alert, rs->began_ns,
                             is_new ? 1 : (int64_t)rs->tellings + (rs->alert_state == STATE_REPEATED) };
    struct aff_record *draft;
    char place[PLACE_MOST];

    place_fill(&w->plan, patient ? patient : "", place);
    row.place = place;
    draft = draft_open(w, t, s, OUT_ALERTS, alert_row_room(&row));
    if (!draft)
        return AFF_ERR_MEMORY;
    draft->event_ns = rs->at_ns;
    return w->host->emit(w->host, draft, alert_row_write(draft, &row));
}

/* ---- what is noted once a record is out ---- */

static void event_note(struct watch *w, struct subject *s, const struct rule_state *rs)
{
    s->has_events = 1;
    w->tally[METRIC_RAISED] += rs->event == EVENT_RAISED;
    w->tally[METRIC_CLEARED] += rs->event == EVENT_CLEARED;
    w->tally[METRIC_ESCALATED] += rs->event == EVENT_ESCALATED;
    w->tally[METRIC_ACTIVE] += (rs->event == EVENT_RAISED) - (rs->event == EVENT_CLEARED);
}

static void alert_note(struct watch *w, struct subject *s, const struct rule *r, struct rule_state *rs)
{
    s->has_alerts = 1;
    w->has_alerts = 1;
    if (rs->alert_state == STATE_RAISED) {
        rs->alert = alert_id(r, rs);
        rs->tellings = 0;
    }
    rs->tellings += rs->alert_state != STATE_ENDED;
    rs->is_told = rs->alert_state != STATE_ENDED;
}

aff_status tell(struct watch *w, const struct telling *t, struct subject *s, uint32_t rule, struct rule_state *rs)
{
    const struct rule *r = &w->plan.rules[rule];
    aff_status st;

    if ((rs->untold & TELL_EVENT) && rs->event == EVENT_RAISED && t->cause)
        rs->cause = t->cause->id;
    if (rs->untold & TELL_EVENT) {
        st = event_emit(w, t, s, r, rs);
        if (st < 0)
            return st;
        rs->untold &= (uint8_t)~TELL_EVENT;
        event_note(w, s, rs);
    }
    if (rs->untold & TELL_COMMAND) {
        st = command_emit(w, t, s, r, rs);
        if (st < 0)
            return st;
        rs->untold &= (uint8_t)~TELL_COMMAND;
        s->has_commands = 1;
        w->has_commands = 1;
        w->tally[METRIC_COMMANDS]++;
    }
    if (rs->untold & TELL_ALERT) {
        st = alert_emit(w, t, s, r, rs);
        if (st < 0)
            return st;
        rs->untold &= (uint8_t)~TELL_ALERT;
        alert_note(w, s, r, rs);
    }
    return AFF_OK;
}
