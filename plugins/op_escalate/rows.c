/* rows.c - alerts as they come: raised, told again, ended, and the ends of streams.
 *
 * A row is worked on in a copy of its place's state, which counts only when all that
 * it led to could be sent. An alert for which there is no room is told to everybody at
 * once: it cannot be taken notice of here, so nobody may be left for later.
 *
 * A recording that ends is no silence: with the last stream of a place its alerts are
 * forgotten, since nobody knows whether they ended.
 *
 * Not here: waiting (times.c), answers (answer.c). */
#include "escalate.h"

#include <string.h>

#define TIME_MOST INT64_C(8000000000000000000) /* room for the place's time to go on */

/* ---- reading ---- */

const struct aff_schema *row_schema(const struct escalate *e, const struct aff_record *r)
{
    const struct aff_schema *s = e->host->schema_info(e->host, r->schema);

    return s && s->type == AFF_FIELDS && r->size >= aff_row_size(s->count, 0) ? s : NULL;
}

uint8_t columns_label(const struct aff_schema *s, const char *const *names, uint32_t count)
{
    uint8_t label = AFF_LABEL_NONE;
    uint32_t i, k;

    for (i = 0; i < s->count; i++) {
        const struct aff_column *c = (const void *)((const char *)s->columns + (size_t)i * s->stride);

        for (k = 0; c->name && k < count; k++)
            if (strcmp(c->name, names[k]) == 0 && c->label > label)
                label = c->label;
    }
    return label <= AFF_LABEL_PHI ? label : AFF_LABEL_PHI;
}

/* One line of valid text, cut where it is too long. */
static uint16_t line_fill(char *to, size_t room, const struct part *from)
{
    struct line line = { to, 0, room, false };

    if (from->at)
        line_add(&line, from->at, from->length);
    line_end(&line);
    return (uint16_t)line.length;
}

static void name_fill(char *to, size_t size, const struct part *from)
{
    to[line_fill(to, size - 1, from)] = 0;
}

/* ---- an alert ---- */

struct given {
    const struct aff_schema *schema;
    const struct aff_record *record;
    struct part alert;
    enum tell_state state;
    uint8_t severity;
};

static enum tell_state state_of(const struct part *p)
{
    uint32_t i;

    for (i = 0; i < STATES; i++)
        if (part_is(p, state_names[i]))
            return (enum tell_state)i;
    return STATE_RAISED; /* who says nothing else is heard */
}

static uint8_t severity_read(const struct part *p)
{
    uint8_t i = 0;

    while (i < SEVERITIES && !part_is(p, severity_names[i]))
        i++;
    return i;
}

static bool given_read(const struct escalate *e, const struct aff_record *r, struct given *g)
{
    struct part state, severity;

    g->schema = row_schema(e, r);
    g->record = r;
    if (!g->schema || r->event_ns > TIME_MOST || r->event_ns < -TIME_MOST)
        return false;
    g->alert = column_text(g->schema, r, "alert");
    state = column_text(g->schema, r, "state");
    severity = column_text(g->schema, r, "severity");
    g->state = state_of(&state);
    g->severity = severity_read(&severity);
    return g->alert.at && g->alert.length > 0 && g->alert.length <= ID_MOST &&
           !memchr(g->alert.at, 0, g->alert.length);
}

/* What it says now; a repeat may have newer values. */
static void alert_say(struct alert *a, const struct given *g)
{
    static const char *const told[] = { "severity", "state", "rule", "place", "text", "alert", "since" };
    struct part rule = column_text(g->schema, g->record, "rule");
    struct part place = column_text(g->schema, g->record, "place");
    struct part text = column_text(g->schema, g->record, "text");
    uint8_t label = columns_label(g->schema, told, sizeof told / sizeof told[0]);

    name_fill(a->rule, sizeof a->rule, &rule);
    name_fill(a->place, sizeof a->place, &place);
    a->text_length = line_fill(a->text, sizeof a->text, &text);
    a->has_since = column_number(g->schema, g->record, "since", AFF_TIME, &a->since_ns);
    a->label = label > a->label ? label : a->label;
}

static void alert_open(struct alert *a, const struct given *g, const struct subject *s)
{
    memset(a, 0, sizeof *a);
    memcpy(a->id, g->alert.at, g->alert.length);
    a->code = alert_code(a->id, g->record->event_ns);
    a->severity = g->severity;
    a->raised = (struct moment){ s->now_ns, s->boot_ns };
    a->is_open = 1;
    alert_say(a, g);
}

/* ---- what becomes of it ---- */

/* No room: all are told, of its beginning and of its end. */
static aff_status untracked_tell(struct escalate *e, const struct telling *t, const struct given *g)
{
    struct call c = { 0, 0, 0, g->state };
    struct alert a;
    aff_status st = AFF_OK;

    alert_open(&a, g, t->state);
    for (; st == AFF_OK && ladder_all(&e->plan, g->severity, &c); c.person++)
        st = call_emit(e, t, &a, &c);
    return st;
}

static aff_status raise(struct escalate *e, const struct telling *t, const struct given *g, uint8_t *verdict)
{
    struct alert *a = alert_slot(&e->plan, t->state);

    if (!ladder_has(&e->plan, g->severity)) {
        *verdict = VERDICT_NO_STEP;
        return AFF_OK;
    }
    if (!a) {
        e->tally.untracked++;
        t->state->untracked++;
        return untracked_tell(e, t, g);
    }
    alert_open(a, g, t->state);
    e->tally.open++;
    return due_tell(e, t, t->state->now_ns);
}

static aff_status end_unknown(struct escalate *e, const struct telling *t, const struct given *g, uint8_t *verdict)
{
    if (t->state->untracked > 0 && g->state == STATE_ENDED && ladder_has(&e->plan, g->severity)) {
        t->state->untracked--;
        return untracked_tell(e, t, g);
    }
    *verdict = VERDICT_NOBODY_TOLD;
    return AFF_OK;
}

static aff_status end(struct escalate *e, const struct telling *t, struct alert *a)
{
    aff_status st = told_tell(e, t, a, STATE_ENDED);

    e->tally.unanswered += !a->is_acknowledged;
    e->tally.open -= !a->is_acknowledged;
    a->is_open = 0;
    return st;
}

/* It is worse than what notice was taken of: those who know are told, and the steps go on. */
static aff_status graver(struct escalate *e, const struct telling *t, const struct given *g, struct alert *a)
{
    aff_status st;

    e->tally.open += a->is_acknowledged;
    a->is_acknowledged = 0;
    a->by[0] = 0;
    a->severity = g->severity;
    alert_say(a, g);
    st = told_tell(e, t, a, STATE_REPEATED);
    return st == AFF_OK ? due_tell(e, t, t->state->now_ns) : st;
}

static aff_status known_row(struct escalate *e, const struct telling *t, const struct given *g, struct alert *a,
                            uint8_t *verdict)
{
    if (g->severity < a->severity && (g->state == STATE_RAISED || g->state == STATE_REPEATED))
        return graver(e, t, g, a);
    switch (g->state) {
    case STATE_RAISED:
        *verdict = VERDICT_KNOWN;
        return AFF_OK;
    case STATE_ENDED:
        return end(e, t, a);
    case STATE_REPEATED:
        if (a->is_acknowledged) {
            *verdict = VERDICT_ACKNOWLEDGED;
            return AFF_OK;
        }
        alert_say(a, g);
        return told_tell(e, t, a, STATE_REPEATED);
    default:
        if (a->is_acknowledged) {
            *verdict = VERDICT_KNOWN;
            return AFF_OK;
        }
        a->is_acknowledged = 1;
        e->tally.acknowledged++;
        e->tally.open--;
        return told_tell(e, t, a, STATE_ACKNOWLEDGED);
    }
}

static aff_status alert_process(struct escalate *e, const struct telling *t, const struct given *g, uint8_t *verdict)
{
    struct alert *a = alert_find(&e->plan, t->state, g->alert.at, g->alert.length);

    if (a)
        return known_row(e, t, g, a, verdict);
    if (g->state == STATE_RAISED || g->state == STATE_REPEATED)
        return raise(e, t, g, verdict);
    return end_unknown(e, t, g, verdict);
}

static aff_status row_process(struct escalate *e, const struct aff_batch *batch, uint32_t input)
{
    const struct aff_record *r = &batch->records[input];
    struct telling t = { input, r->subject, e->work, INT64_MIN };
    struct subject *kept;
    struct given g;
    aff_status st;

    if (!given_read(e, r, &g)) {
        batch->verdicts[input] = VERDICT_BAD_ALERT;
        return AFF_OK;
    }
    kept = subject_of(e, r->subject);
    if (!kept)
        return AFF_ERR_MEMORY;
    e->top = r->subject > e->top ? r->subject : e->top;
    memcpy(e->work, kept, e->state_bytes);
    times_note(e, e->work, r);
    st = due_tell(e, &t, e->work->now_ns - 1); /* of a stream whose clock is behind the timers' */
    if (st == AFF_OK)
        st = alert_process(e, &t, &g, &batch->verdicts[input]);
    if (st != AFF_OK) {
        batch->verdicts[input] = 0;
        return st;
    }
    memcpy(kept, e->work, e->state_bytes);
    times_arm(e, r->subject, kept);
    return AFF_OK;
}

aff_status escalate_process(void *self, const struct aff_batch *batch, uint32_t *ret_taken)
{
    struct escalate *e = self;
    aff_status st;

    for (*ret_taken = 0; *ret_taken < batch->count; (*ret_taken)++) {
        memset(&e->tally, 0, sizeof e->tally);
        st = batch->port == PORT_COMMANDS ? answer_process(e, batch, *ret_taken) : row_process(e, batch, *ret_taken);
        if (st != AFF_OK)
            return st;
        tally_count(e);
    }
    return AFF_OK;
}

/* ---- ends ---- */

aff_status escalate_stream_end(void *self, uint32_t port, const struct aff_record *mark)
{
    struct escalate *e = self;
    const struct aff_stream_info *info = e->host->stream_info(e->host, mark->stream);
    struct subject *s = port == PORT_IN ? subject_of(e, mark->subject) : NULL;
    uint64_t hash = info ? name_hash(info->name) : 0;
    aff_status st;

    if (!s || !s->begun || !clocks_has(&s->clocks, hash))
        return AFF_OK;
    if (s->clocks.count > 1) {
        (void)clocks_end(&s->clocks, hash);
        return AFF_OK;
    }
    st = calls_end(e, mark->subject, s);
    if (st < 0)
        return st;
    e->host->timer(e->host, mark->subject, INT64_MAX);
    memset(&e->tally, 0, sizeof e->tally);
    e->tally.open = -open_count(e, s);
    if (e->tally.open)
        e->host->log(e->host, AFF_LOG_WARN, "the data of a place has ended; alerts that end with it, and of which nobody has taken "
                     "notice: %d", (int)-e->tally.open);
    memset(s, 0, e->state_bytes);
    tally_count(e);
    return AFF_OK;
}
