/* tell.c - the rows: whom is told of what, and by whom notice was taken.
 *
 * Privacy. A row has the highest label of what the alert was made of, and of the name
 * of who took notice where that came by a command. Whose alert it is stays with the
 * place, which is the subject. Names, numbers and addresses of those who are told are
 * the pipeline's own, and no patient's.
 *
 * Not here: who is told, and when (ladder.c, times.c). */
#include "escalate.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum {
    CODE_ROOM = 12,
    LINE_MOST = 480,
    TEXTS_MOST = 16 + 16 + RULE_MOST + PLACE_MOST + LINE_MOST + ID_MOST + CODE_ROOM + 2 * PERSON_MOST
};

static const struct aff_column call_columns[CALL_COLUMNS] = {
    [OUT_SEVERITY] = { .name = "severity", .type = AFF_TEXT },
    [OUT_STATE] = { .name = "state", .type = AFF_TEXT },
    [OUT_RULE] = { .name = "rule", .type = AFF_TEXT },
    [OUT_PLACE] = { .name = "place", .type = AFF_TEXT },
    [OUT_TEXT] = { .name = "text", .type = AFF_TEXT },
    [OUT_ALERT] = { .name = "alert", .type = AFF_TEXT },
    [OUT_SINCE] = { .name = "since", .type = AFF_TIME },
    [OUT_COUNT] = { .name = "count", .type = AFF_INT },
    [OUT_TO] = { .name = "to", .type = AFF_TEXT },
    [OUT_STEP] = { .name = "step", .type = AFF_INT },
    [OUT_CODE] = { .name = "code", .type = AFF_TEXT },
    [OUT_BY] = { .name = "by", .type = AFF_TEXT },
    [OUT_NUMBER] = { .name = "number", .type = AFF_TEXT },
    [OUT_MAIL] = { .name = "mail", .type = AFF_TEXT },
    [OUT_CALL] = { .name = "call", .type = AFF_INT },
};
const struct aff_schema call_schema = { .struct_size = sizeof(struct aff_schema), .type = AFF_FIELDS, .name = "alerts",
                                        .columns = call_columns, .count = CALL_COLUMNS,
                                        .stride = sizeof(struct aff_column) };

static const struct aff_column ack_columns[ACK_COLUMNS] = {
    [ACK_ACTION] = { .name = "action", .type = AFF_TEXT },
    [ACK_ALERT] = { .name = "alert", .type = AFF_TEXT },
    [ACK_BY] = { .name = "by", .type = AFF_TEXT },
};
const struct aff_schema ack_schema = { .struct_size = sizeof(struct aff_schema), .type = AFF_FIELDS, .name = "acks",
                                       .columns = ack_columns, .count = ACK_COLUMNS,
                                       .stride = sizeof(struct aff_column) };

/* ---- the text ---- */

static const char *severity_of(const struct alert *a)
{
    return a->severity < SEVERITIES ? severity_names[a->severity] : "unknown";
}

static void word_say(struct line *l, enum word word, const struct escalate *e, const struct alert *a,
                     const struct call *c)
{
    char code[CODE_ROOM];

    switch (word) {
    case WORD_TEXT:     line_add(l, a->text, a->text_length); break;
    case WORD_SEVERITY: line_say(l, severity_of(a)); break;
    case WORD_STATE:    line_say(l, state_names[c->state]); break;
    case WORD_RULE:     line_say(l, a->rule); break;
    case WORD_PLACE:    line_say(l, a->place); break;
    case WORD_TO:       line_say(l, e->plan.people[c->person].name); break;
    case WORD_STEP:     line_integer(l, c->step + 1); break;
    case WORD_BY:       line_say(l, a->by[0] ? a->by : "nobody"); break;
    case WORD_SINCE:
        if (a->has_since)
            line_time(l, a->since_ns);
        line_say(l, a->has_since ? "Z" : "-");
        break;
    default:
        (void)snprintf(code, sizeof code, "%06" PRIu32, a->code);
        line_say(l, code);
        break;
    }
}

static uint32_t text_fill(const struct escalate *e, const struct alert *a, const struct call *c, char text[LINE_MOST])
{
    const struct template *t = c->state == STATE_ENDED || c->state == STATE_ACKNOWLEDGED ? &e->plan.over : &e->plan.text;
    struct line line = { text, 0, LINE_MOST, false };
    uint32_t i;

    for (i = 0; i < t->count; i++) {
        if (t->pieces[i].name)
            word_say(&line, word_of(&t->pieces[i]), e, a, c);
        else
            line_add(&line, t->pieces[i].at, t->pieces[i].length);
    }
    line_end(&line);
    return (uint32_t)line.length;
}

/* ---- the row ---- */

static void put(struct aff_row *row, uint32_t column, const char *text)
{
    if (text && *text)
        aff_row_put_text(row, column, text, (uint32_t)strlen(text));
}

static uint32_t row_write(const struct escalate *e, struct aff_record *draft, const struct alert *a,
                          const struct call *c)
{
    const struct person *person = &e->plan.people[c->person];
    struct aff_row row = aff_row_begin(draft, CALL_COLUMNS);
    char text[LINE_MOST], code[CODE_ROOM];
    uint32_t length = text_fill(e, a, c, text);

    (void)snprintf(code, sizeof code, "%06" PRIu32, a->code);
    put(&row, OUT_SEVERITY, severity_of(a));
    put(&row, OUT_STATE, state_names[c->state]);
    put(&row, OUT_RULE, a->rule);
    put(&row, OUT_PLACE, a->place);
    aff_row_put_text(&row, OUT_TEXT, text, length);
    put(&row, OUT_ALERT, a->id);
    if (a->has_since)
        aff_row_put_int(&row, OUT_SINCE, a->since_ns);
    aff_row_put_int(&row, OUT_COUNT, c->count);
    put(&row, OUT_TO, person->name);
    aff_row_put_int(&row, OUT_STEP, c->step + 1);
    put(&row, OUT_CODE, code);
    put(&row, OUT_BY, a->by);
    put(&row, OUT_NUMBER, person->number);
    put(&row, OUT_MAIL, person->mail);
    aff_row_put_int(&row, OUT_CALL, call_number(a, c->step, c->person));
    return aff_row_end(&row);
}

static uint32_t row_room(const struct escalate *e, const struct call *c)
{
    const struct person *person = &e->plan.people[c->person];
    size_t more = strlen(person->number) + (person->mail ? strlen(person->mail) : 0);

    return aff_row_size(CALL_COLUMNS, TEXTS_MOST + (uint32_t)more);
}

/* A draft of the place's; NULL: there is no room now. */
static struct aff_record *draft_open(struct escalate *e, const struct telling *t, uint32_t port, uint32_t schema,
                                     uint32_t size)
{
    const struct aff_host *host = e->host;
    struct aff_record *draft = host->reserve(host, port, t->input, size);

    if (!draft)
        return NULL;
    draft->type = AFF_FIELDS;
    draft->schema = schema;
    draft->subject = t->subject;
    draft->stream = host->stream(host, t->subject, port == OUT_ALERTS ? "escalation" : "acks",
                                 port == OUT_ALERTS ? e->calls[0] : e->acks[0]);
    if (t->input == AFF_NO_INPUT || draft->event_ns < t->event_ns) {
        draft->event_ns = t->event_ns;
        draft->clock = t->state->clock;
    }
    draft->flags &= (uint16_t)(AFF_FLAG_SUSPECT | AFF_FLAG_RESENT);
    return draft->stream ? draft : NULL;
}

void alert_log(const struct escalate *e, int level, const struct alert *a, const char *what, const char *who)
{
    e->host->log(e->host, level, "%s alert, code %06" PRIu32 ": %s%s", severity_of(a), a->code, what, who);
}

/* That somebody is to be told: whether they are, their sink or modem knows. */
static void call_log(const struct escalate *e, const struct alert *a, const struct call *c)
{
    e->host->log(e->host, AFF_LOG_INFO, "%s alert, code %06" PRIu32 ": %s, step %" PRIu32 " goes to %s", severity_of(a), a->code,
                 state_names[c->state], c->step + 1, e->plan.people[c->person].name);
}

aff_status call_emit(struct escalate *e, const struct telling *t, const struct alert *a, const struct call *c)
{
    struct aff_record *draft = draft_open(e, t, OUT_ALERTS, e->calls[a->label], row_room(e, c));
    aff_status st;

    if (!draft)
        return AFF_ERR_MEMORY;
    st = e->host->emit(e->host, draft, row_write(e, draft, a, c));
    if (st == AFF_OK)
        call_log(e, a, c);
    e->tally.told += st == AFF_OK;
    t->state->has_calls |= st == AFF_OK;
    return st;
}

aff_status ack_emit(struct escalate *e, const struct telling *t, const struct alert *a)
{
    uint32_t texts = (uint32_t)(strlen("acknowledge") + strlen(a->id) + strlen(a->by));
    struct aff_record *draft = draft_open(e, t, OUT_ACKS, e->acks[a->label], aff_row_size(ACK_COLUMNS, texts));
    struct aff_row row;
    aff_status st;

    if (!draft)
        return AFF_ERR_MEMORY;
    row = aff_row_begin(draft, ACK_COLUMNS);
    put(&row, ACK_ACTION, "acknowledge");
    put(&row, ACK_ALERT, a->id);
    put(&row, ACK_BY, a->by);
    st = e->host->emit(e->host, draft, aff_row_end(&row));
    t->state->has_acks |= st == AFF_OK;
    return st;
}

/* ---- several ---- */

aff_status due_tell(struct escalate *e, const struct telling *t, int64_t now_ns)
{
    const struct moment now = { now_ns, t->state->boot_ns };
    struct call c = { 0, 0, 0, STATE_RAISED };
    aff_status st = AFF_OK;
    uint32_t i;

    for (i = 0; i < e->plan.most && st == AFF_OK; i++) {
        struct alert *a = &t->state->alerts[i];

        c.person = PEOPLE_MOST;
        while (st == AFF_OK && ladder_next(&e->plan, a, now_ns, &c)) {
            st = call_emit(e, t, a, &c);
            if (st == AFF_OK)
                ladder_done(&e->plan, a, &now, &c);
        }
        if (st == AFF_OK && c.person < PEOPLE_MOST && ladder_due(&e->plan, a).own_ns == INT64_MAX)
            alert_log(e, AFF_LOG_INFO, a, "nobody else will be told, for that was the last step", "");
    }
    return st;
}

aff_status told_tell(struct escalate *e, const struct telling *t, const struct alert *a, enum tell_state state)
{
    struct call c = { 0, 0, 0, state };
    aff_status st = AFF_OK;

    for (; st == AFF_OK && ladder_told(&e->plan, a, &c); c.person++)
        st = call_emit(e, t, a, &c);
    return st;
}

static aff_status stream_end(struct escalate *e, uint32_t subject, uint32_t port)
{
    uint32_t stream = e->host->stream(e->host, subject, port == OUT_ALERTS ? "escalation" : "acks",
                                      port == OUT_ALERTS ? e->calls[0] : e->acks[0]);

    return stream ? e->host->stream_end(e->host, port, stream) : AFF_ERR_MEMORY;
}

aff_status calls_end(struct escalate *e, uint32_t subject, const struct subject *s)
{
    aff_status st = s->has_calls ? stream_end(e, subject, OUT_ALERTS) : AFF_OK;

    return st == AFF_OK && s->has_acks ? stream_end(e, subject, OUT_ACKS) : st;
}
