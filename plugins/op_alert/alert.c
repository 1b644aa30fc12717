/* alert.c - the record of an alert, its place, its stream and its accounts.
 *
 * Privacy. An alert has columns of its own, and its subject is its place, not
 * the patient: severity, state, rule, times and id carry no label. `text` has
 * the highest label of the columns that it names, {subject} that of a subject.
 * So an alert whose text names no labelled column may leave by SMS, while the
 * rows that it was made of may not. Where `place` holds {subject}, the place,
 * and with it the stream, is labelled as the subject is.
 *
 * Not here: when there is one (judge.c), which (tell.c), its columns (alert_rows/columns.c). */
#include "op_alert.h"

#include <string.h>

static const char stream_name[] = "alerts";

bool alert_view(struct alerts *a, uint32_t subject, struct view *ret)
{
    void *bytes = a->host->state(a->host, subject);

    if (!bytes)
        return false;
    *ret = view_of(&a->plan, bytes);
    return true;
}

void alert_arm(struct alerts *a, uint32_t subject, const struct view *v)
{
    int64_t due = judge_due(&a->plan, v);

    v->subject->offset_ns = v->subject->clocks.shift_ns;
    if (due != INT64_MAX)
        due = clocks_sub(due, v->subject->offset_ns);
    if (v->subject->is_armed && v->subject->armed_ns == due)
        return;
    v->subject->is_armed = 1;
    v->subject->armed_ns = due;
    a->host->timer(a->host, subject, due);
}

int32_t alert_active(const struct alerts *a, const struct view *v)
{
    int32_t active = 0;
    uint32_t i;

    for (i = 0; i < a->plan.rule_count; i++)
        active += v->rules[i].told + v->rules[i].leaving;
    return active;
}

void alert_count(struct alerts *a)
{
    const struct tally *t = &a->tally;

    if (t->raised)
        a->host->count(a->host, METRIC_RAISED, t->raised);
    if (t->repeated)
        a->host->count(a->host, METRIC_REPEATED, t->repeated);
    if (t->acknowledged)
        a->host->count(a->host, METRIC_ACKNOWLEDGED, t->acknowledged);
    a->active += t->active;
    if (t->active)
        a->host->gauge(a->host, METRIC_ACTIVE, (double)a->active);
    memset(&a->tally, 0, sizeof a->tally);
}

static void tally_add(struct tally *tally, const struct telling *t)
{
    tally->raised += t->state == STATE_RAISED;
    tally->repeated += t->state == STATE_REPEATED;
    tally->active += t->is_new ? 1 : t->state == STATE_ENDED ? -1 : 0;
}

/* The place is who an alert is about: 0 when the host cannot name it now. */
static uint32_t stream_of(struct alerts *a, const char *place, uint32_t schema, uint32_t *ret_subject)
{
    *ret_subject = a->host->subject(a->host, place);
    return *ret_subject ? a->host->stream(a->host, *ret_subject, stream_name, schema) : 0;
}

static const char *patient_name(struct alerts *a, uint32_t subject)
{
    const char *name = a->plan.place_of_subject ? a->host->subject_name(a->host, subject) : NULL;

    return name ? name : "";
}

aff_status alert_emit(struct alerts *a, uint32_t input, uint32_t subject, const struct view *v,
                      const struct telling *t, int64_t at_ns)
{
    const struct rule_config *rule = a->plan.rules[t->rule].config;
    int64_t offset_ns = v->subject->offset_ns;
    char place[PLACE_MOST];
    const struct alert_row row = { (enum severity)rule->severity, t->state, rule->name, place, t->text, t->length,
                                   t->alert, clocks_sub(v->rules[t->rule].since_ns, offset_ns), t->count };
    const struct aff_host *host = a->host;
    struct aff_record *draft;
    aff_status st;

    place_name(&a->plan, patient_name(a, subject), place);
    draft = host->reserve(host, 0, input, alert_row_room(&row));
    if (!draft)
        return AFF_ERR_MEMORY;
    draft->type = AFF_FIELDS;
    draft->schema = a->schemas[t->label];
    draft->stream = stream_of(a, place, a->schemas[0], &draft->subject);
    if (!draft->stream)
        return AFF_ERR_MEMORY;
    draft->event_ns = clocks_sub(at_ns, offset_ns);
    draft->flags &= AFF_FLAG_SUSPECT; /* gaps and labels of the row are not the alert's */
    if (input == AFF_NO_INPUT)
        draft->clock = v->subject->clock;
    st = host->emit(host, draft, alert_row_write(draft, &row));
    if (st == AFF_OK) {
        tally_add(&a->tally, t);
        a->has_told = 1;
    }
    return st;
}

aff_status alert_stream_end(struct alerts *a, uint32_t subject)
{
    char place[PLACE_MOST];
    uint32_t stream, whose;

    place_name(&a->plan, patient_name(a, subject), place);
    stream = stream_of(a, place, a->schemas[0], &whose);
    return stream ? a->host->stream_end(a->host, 0, stream) : AFF_ERR_MEMORY;
}
