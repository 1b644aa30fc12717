/* row.c - rows, time and ends of streams, as the host brings them.
 *
 * A row is judged on a copy of its subject's state, which counts only when all
 * that it led to could be sent. A recording that ends is no silence: with the
 * last stream of a subject its timers go and all is forgotten. An alert that was
 * active then is not told as ended: nobody knows that it did.
 *
 * Not here: judging (judge.c), telling (tell.c), commands (command.c). */
#include "op_alert.h"

#include <string.h>

#define TIME_MOST INT64_C(8000000000000000000) /* room for the subject's time to go on */

static aff_status lookup_get(struct alerts *a, uint32_t schema, const struct lookup **ret)
{
    const struct aff_host *host = a->host;
    const struct aff_schema *info;
    struct lookup *l;
    uint32_t i;
    int32_t rule;

    for (i = 0; i < LOOKUPS; i++)
        if (a->lookups[i].schema == schema && schema) {
            *ret = &a->lookups[i];
            return AFF_OK;
        }
    info = host->schema_info(host, schema);
    if (!info || info->type != AFF_FIELDS)
        return host->explain(host, AFF_ERR_DATA, "a record is no row with a schema; repair its source");
    l = &a->lookups[a->next_lookup++ % LOOKUPS];
    rule = lookup_open(l, &a->plan, schema, info);
    *ret = l;
    if (rule < 0)
        return AFF_OK;
    return host->explain(host, AFF_ERR_DATA, "rule \"%s\" judges column \"%s\", which is %s in this row; expected %s",
                         a->plan.rules[rule].config->name, a->plan.columns[a->plan.rules[rule].column].name,
                         type_name(l->type[a->plan.rules[rule].column]), kind_needs(a->plan.rules[rule].kind));
}

static uint64_t stream_hash(const struct alerts *a, uint32_t stream)
{
    const struct aff_stream_info *info = a->host->stream_info(a->host, stream);

    return info ? text_hash(info->name) : 0;
}

/* The time of the row becomes the subject's own; beyond CLOCK_STREAMS_MOST its end
 * is not waited for. */
static void subject_note(struct alerts *a, const struct view *v, struct aff_record *r)
{
    struct subject *s = v->subject;

    (void)clocks_note(&s->clocks, stream_hash(a, r->stream), r->event_ns, &s->offset_ns);
    r->event_ns = clocks_add(r->event_ns, s->offset_ns);
    if (!s->begun)
        judge_begin(&a->plan, v, r->event_ns, r->id);
    if (!s->begun || r->event_ns >= s->last_ns) {
        s->last_ns = r->event_ns;
        s->clock = r->clock;
    }
    s->begun = 1;
}

/* How many rules the row said something to, and how many could use it. */
static bool row_judge(const struct alerts *a, const struct lookup *l, const struct view *v, const struct aff_record *r)
{
    uint32_t i, said = 0, used = 0;
    struct given given;

    for (i = 0; i < a->plan.rule_count; i++) {
        if (!row_given(&a->plan, l, r, i, &given))
            continue;
        said++;
        used += judge_value(&a->plan, v, i, &given);
    }
    row_keep(&a->plan, l, r, v);
    return said == 0 || used > 0;
}

/* All that is to be told at this time, each noted when it is out. */
static aff_status alerts_tell(struct alerts *a, uint32_t input, uint32_t subject, const struct view *v, int64_t at_ns)
{
    struct naming naming = { NULL, AFF_LABEL_PHI, NULL };
    char place[PLACE_MOST];
    struct telling t;
    aff_status st = AFF_OK;

    while (st == AFF_OK && tell_find(&a->plan, v, at_ns, &t)) {
        if (!naming.place) {
            naming.subject = a->host->subject_name(a->host, subject);
            naming.subject = naming.subject ? naming.subject : "";
            place_name(&a->plan, naming.subject, place);
            naming.place = place;
        }
        tell_fill(&a->plan, v, at_ns, &naming, &t);
        st = alert_emit(a, input, subject, v, &t, at_ns);
        if (st < 0)
            break;
        tell_done(&a->plan, v, at_ns, &t);
        v->subject->told = 1;
    }
    return st;
}

/* For a stream whose clock is further behind than others' the host's timers come too
 * late: what was due before its row is told at the row. */
static aff_status due_tell(struct alerts *a, uint32_t input, const struct view *v, const struct aff_record *r)
{
    if (v->subject->offset_ns <= v->subject->clocks.shift_ns || judge_due(&a->plan, v) >= r->event_ns)
        return AFF_OK;
    judge_time(&a->plan, v, r->event_ns - 1);
    return alerts_tell(a, input, r->subject, v, r->event_ns - 1);
}

static aff_status row_process(struct alerts *a, const struct aff_batch *batch, uint32_t input)
{
    struct aff_record own = batch->records[input], *r = &own; /* at the subject's time */
    const struct lookup *l = NULL;
    struct view kept, work = view_of(&a->plan, a->work);
    aff_status st = lookup_get(a, r->schema, &l);
    bool fits;

    if (st < 0)
        return st;
    if (r->size < aff_row_size(l->count, 0))
        return a->host->explain(a->host, AFF_ERR_DATA, "a row is shorter than its schema says; repair its source");
    if (r->event_ns > TIME_MOST || r->event_ns < -TIME_MOST)
        return a->host->explain(a->host, AFF_ERR_DATA,
                                "the time of a row is more than 250 years from 1970; repair its source");
    if (!alert_view(a, r->subject, &kept))
        return AFF_ERR_MEMORY;
    if (r->subject > a->top)
        a->top = r->subject;
    memcpy(a->work, kept.subject, a->state_bytes);
    subject_note(a, &work, r);
    st = due_tell(a, input, &work, r);
    if (st < 0)
        return st;
    fits = row_judge(a, l, &work, r);
    st = alerts_tell(a, input, r->subject, &work, r->event_ns);
    if (st < 0)
        return st;
    memcpy(kept.subject, a->work, a->state_bytes);
    if (!fits)
        batch->verdicts[input] = VERDICT_LATE;
    alert_arm(a, r->subject, &kept);
    return AFF_OK;
}

aff_status alerts_process(void *self, const struct aff_batch *batch, uint32_t *ret_taken)
{
    struct alerts *a = self;
    aff_status st;

    for (*ret_taken = 0; *ret_taken < batch->count; (*ret_taken)++) {
        memset(&a->tally, 0, sizeof a->tally);
        if (batch->port == PORT_COMMANDS)
            st = command_process(a, batch, *ret_taken);
        else
            st = row_process(a, batch, *ret_taken);
        if (st != AFF_OK)
            return st;
        alert_count(a);
    }
    return AFF_OK;
}

/* ---- time and ends ---- */

/* What is out here stays out when a later record cannot be made: each is noted
 * at once, and the next call goes on behind it. */
aff_status alerts_timer(void *self, uint32_t subject, int64_t due_ns)
{
    struct alerts *a = self;
    struct view v;
    aff_status st;

    if (!alert_view(a, subject, &v))
        return AFF_OK;
    memset(&a->tally, 0, sizeof a->tally);
    due_ns = clocks_add(due_ns, v.subject->offset_ns);
    judge_time(&a->plan, &v, due_ns);
    st = alerts_tell(a, AFF_NO_INPUT, subject, &v, due_ns);
    alert_count(a);
    if (st == AFF_OK) {
        v.subject->is_armed = 0;
        alert_arm(a, subject, &v);
    }
    return st;
}

static aff_status subject_end(struct alerts *a, uint32_t subject, const struct view *v)
{
    int32_t active = alert_active(a, v);
    aff_status st = AFF_OK;

    if (a->plan.place_of_subject && v->subject->told)
        st = alert_stream_end(a, subject);
    if (st < 0)
        return st;
    a->host->timer(a->host, subject, INT64_MAX);
    memset(v->subject, 0, a->state_bytes);
    a->tally = (struct tally){ 0, 0, 0, -active };
    alert_count(a);
    return AFF_OK;
}

aff_status alerts_stream_end(void *self, uint32_t port, const struct aff_record *mark)
{
    struct alerts *a = self;
    uint64_t hash = stream_hash(a, mark->stream);
    struct view v;

    if (port != PORT_IN || !alert_view(a, mark->subject, &v) || !v.subject->begun)
        return AFF_OK;
    if (!clocks_has(&v.subject->clocks, hash))
        return AFF_OK;
    if (v.subject->clocks.count == 1)
        return subject_end(a, mark->subject, &v);
    (void)clocks_end(&v.subject->clocks, hash);
    return AFF_OK;
}

/* A place without {subject} has one stream for all; it ends with the last input. */
aff_status alerts_drain(void *self)
{
    struct alerts *a = self;
    aff_status st = AFF_OK;

    if (a->has_told && !a->plan.place_of_subject)
        st = alert_stream_end(a, 0);
    a->has_told = st == AFF_OK ? 0 : a->has_told;
    return st;
}
