/* SPDX-License-Identifier: Apache-2.0
 *
 * values.c - what a record says to the rules: that it is there, that it is
 * doubted, and its values: cells of rows, samples of channels, words of events.
 *
 * Samples are judged one by one at their own times, so that the same data cut into
 * other records gives the same findings.
 *
 * Not here: what follows from it (judge.c). */
#include "watch.h"

#include <math.h>
#include <string.h>

aff_status rule_settle(struct watch *w, const struct telling *t, struct subject *s, uint32_t rule,
                       struct rule_state *rs, int64_t now_ns, bool by_data)
{
    aff_status st = AFF_OK;

    do {
        if (rs->untold)
            st = tell(w, t, s, rule, rs);
    } while (st == AFF_OK && judge_step(&w->plan.rules[rule], rs, now_ns, by_data));
    return st;
}

/* One value of one rule, or that there is none where one should be. */
static aff_status value_judge(struct watch *w, const struct telling *t, struct subject *s, uint32_t rule,
                              struct rule_state *rs, int64_t at_ns, const double *value)
{
    const struct rule *r = &w->plan.rules[rule];
    aff_status st;

    if ((r->kind != KIND_MISSING && !value) || (rs->has_last && at_ns < rs->last_ns))
        return AFF_OK;
    if (r->kind == KIND_FLAT) {
        judge_flat(r, rs, at_ns, *value);
        return rule_settle(w, t, s, rule, rs, at_ns, true);
    }
    st = rule_settle(w, t, s, rule, rs, at_ns, true);
    if (st < 0)
        return st;
    if (r->kind == KIND_MISSING)
        judge_condition(r, rs, at_ns, !value);
    else
        judge_condition(r, rs, at_ns, (r->has_low && *value < r->low) || (r->has_high && *value > r->high));
    return rule_settle(w, t, s, rule, rs, at_ns, true);
}

/* ---- rows ---- */

static bool cell_number(const struct lookup *l, const struct aff_record *r, uint32_t rule, double *ret)
{
    uint32_t column = (uint32_t)l->column[rule];

    if (!aff_row_has(r, column))
        return false;
    if (l->types[rule] == AFF_REAL)
        *ret = aff_row_real(r, l->count, column);
    else
        *ret = l->types[rule] == AFF_TEXT ? 0 : (double)aff_row_int(r, l->count, column);
    return !isnan(*ret);
}

static aff_status row_judge(struct watch *w, const struct telling *t, struct subject *s, uint32_t rule,
                            struct rule_state *rs, const struct lookup *l)
{
    const struct aff_record *r = t->cause;
    double value = 0;
    bool has;

    if (l->beside[rule] >= 0 ? !aff_row_has(r, (uint32_t)l->beside[rule]) : *w->plan.rules[rule].config->beside != '\0')
        return AFF_OK;
    has = cell_number(l, r, rule, &value);
    return value_judge(w, t, s, rule, rs, r->event_ns, has ? &value : NULL);
}

/* ---- samples ---- */

static bool sample_number(const struct lookup *l, const void *plane, uint32_t i, uint32_t rule, double *ret)
{
    int32_t whole;

    if (l->format == AFF_F32) {
        *ret = (double)((const float *)plane)[i];
        if (isnan(*ret))
            return false;
    } else {
        whole = l->format == AFF_I16 ? ((const int16_t *)plane)[i] : ((const int32_t *)plane)[i];
        if (whole == (l->format == AFF_I16 ? INT16_MIN : INT32_MIN))
            return false;
        *ret = (double)whole;
    }
    *ret = (*ret - l->baseline[rule]) / l->gain[rule];
    return true;
}

static int64_t sample_time(const struct lookup *l, int64_t first_ns, uint32_t i)
{
    if (!l->rate_num)
        return first_ns;
    return time_add(first_ns, (int64_t)((double)i * 1e9 * (double)l->rate_den / (double)l->rate_num));
}

static aff_status samples_judge(struct watch *w, const struct telling *t, struct subject *s, uint32_t rule,
                                struct rule_state *rs, const struct lookup *l)
{
    const struct aff_record *r = t->cause;
    const struct aff_samples *head = aff_samples_of(r);
    aff_status st = AFF_OK;
    const void *plane;
    double value;
    uint32_t i;

    if (head->format != l->format || (uint32_t)l->column[rule] >= head->channels)
        return AFF_OK;
    plane = aff_plane(r, (uint16_t)l->column[rule]);
    for (i = 0; i < head->count && st == AFF_OK; i++) {
        bool has = sample_number(l, plane, i, rule, &value);

        st = value_judge(w, t, s, rule, rs, sample_time(l, r->event_ns, i), has ? &value : NULL);
    }
    return st;
}

/* ---- records ---- */

/* Silence begins where a record ends. */
static int64_t record_end(const struct lookup *l, const struct aff_record *r)
{
    if (r->type != AFF_SAMPLES || !l || !aff_samples_ok(r->data, r->size))
        return r->event_ns;
    return sample_time(l, r->event_ns, aff_samples_of(r)->count);
}

static aff_status presence_judge(struct watch *w, const struct telling *t, struct subject *s, uint32_t rule,
                                 struct rule_state *rs, const struct lookup *l)
{
    const struct aff_record *r = t->cause;
    const struct rule *of = &w->plan.rules[rule];
    int64_t end_ns = record_end(l, r);
    aff_status st;

    if (rs->has_last && end_ns < rs->last_ns)
        return AFF_OK;
    st = rule_settle(w, t, s, rule, rs, r->event_ns, true);
    if (st < 0)
        return st;
    if (of->kind == KIND_SILENT)
        judge_activity(of, rs, end_ns);
    else
        judge_condition(of, rs, r->event_ns, (r->flags & AFF_FLAG_SUSPECT) != 0);
    return rule_settle(w, t, s, rule, rs, r->event_ns, true);
}

/* Whether the rule is about this stream. */
static bool stream_meant(struct watch *w, const struct rule *r, uint32_t stream)
{
    const struct aff_stream_info *info;

    if (!*r->config->stream)
        return true;
    info = w->host->stream_info(w->host, stream);
    return info && strcmp(info->name, r->config->stream) == 0;
}

static bool lookup_fits(const struct lookup *l, const struct aff_record *r)
{
    if (!l || l->type != r->type)
        return false;
    return r->type == AFF_FIELDS ? r->size >= aff_row_size(l->count, 0)
                                 : r->type == AFF_SAMPLES && aff_samples_ok(r->data, r->size);
}

aff_status record_judge(struct watch *w, const struct telling *t, struct subject *s, uint32_t slot,
                        const struct aff_record *r)
{
    struct rule_state *states = states_of(w, s, slot);
    const struct lookup *l = lookup_get(w, r->schema);
    bool fits = lookup_fits(l, r);
    aff_status st = AFF_OK;
    uint32_t i;

    for (i = 0; i < w->plan.count && st == AFF_OK; i++) {
        const struct rule *rule = &w->plan.rules[i];

        if (rule_by_events(rule) || !stream_meant(w, rule, r->stream))
            continue;
        if (!rule_has_column(rule->kind))
            st = presence_judge(w, t, s, i, &states[i], fits ? l : NULL);
        else if (fits && l->column[i] >= 0)
            st = r->type == AFF_FIELDS ? row_judge(w, t, s, i, &states[i], l) : samples_judge(w, t, s, i, &states[i], l);
    }
    return st;
}

/* ---- events of devices ---- */

static bool word_is(const char *text, uint32_t length, const char *word)
{
    return text && strlen(word) == length && memcmp(word, text, length) == 0;
}

/* How many bad frames an event tells of; one where it has no number. */
static uint32_t event_count(const struct lookup *l, const struct aff_record *r, uint32_t rule)
{
    double value = 1;

    if (l->column[rule] >= 0 && !cell_number(l, r, rule, &value))
        value = 1;
    return value > 0 ? value < 4e9 ? (uint32_t)value : UINT32_MAX : 0;
}

static aff_status event_rule(struct watch *w, const struct telling *t, struct subject *s, uint32_t rule,
                             struct rule_state *rs, const struct lookup *l)
{
    const struct rule *r = &w->plan.rules[rule];
    const struct aff_record *record = t->cause;
    uint32_t length = 0;
    const char *word = aff_row_text(record, l->count, (uint32_t)l->kind, &length);
    bool begins = word_is(word, length, r->config->event), ends = word_is(word, length, r->config->until);
    aff_status st;

    if ((rs->has_last && record->event_ns < rs->last_ns) ||
        !(r->kind == KIND_RATE ? word_is(word, length, "bad_frames") : begins || ends))
        return AFF_OK;
    st = rule_settle(w, t, s, rule, rs, record->event_ns, true);
    if (st < 0)
        return st;
    if (r->kind == KIND_RATE)
        judge_bad(r, rs, record->event_ns, event_count(l, record, rule));
    else
        judge_condition(r, rs, record->event_ns, begins);
    return rule_settle(w, t, s, rule, rs, record->event_ns, true);
}

aff_status event_judge(struct watch *w, const struct telling *t, struct subject *s, uint32_t slot,
                       const struct aff_record *r)
{
    struct rule_state *states = states_of(w, s, slot);
    const struct lookup *l = lookup_get(w, r->schema);
    aff_status st = AFF_OK;
    uint32_t i;

    if (!lookup_fits(l, r) || r->type != AFF_FIELDS || l->kind < 0 || !aff_row_has(r, (uint32_t)l->kind))
        return AFF_ERR_DATA;
    for (i = 0; i < w->plan.count && st == AFF_OK; i++)
        if (rule_by_events(&w->plan.rules[i]) && stream_meant(w, &w->plan.rules[i], r->stream))
            st = event_rule(w, t, s, i, &states[i], l);
    return st;
}
