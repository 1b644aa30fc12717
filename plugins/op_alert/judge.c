/* judge.c - see judge.h. */
#include "judge.h"

#include <math.h>
#include <string.h>

size_t view_size(const struct plan *p)
{
    return sizeof(struct subject) + p->rule_count * sizeof(struct rule_state) +
           p->value_count * sizeof(struct value) + p->trend_count * sizeof(struct trend);
}

struct view view_of(const struct plan *p, void *bytes)
{
    struct view v;

    v.subject = bytes;
    v.rules = (void *)(v.subject + 1);
    v.values = (void *)(v.rules + p->rule_count);
    v.trends = (void *)(v.values + p->value_count);
    return v;
}

/* ---- limits ---- */

static bool beyond(enum rule_kind kind, double value, double limit)
{
    switch (kind) {
    case RULE_ABOVE:    return value > limit;
    case RULE_BELOW:    return value < limit;
    case RULE_AT_MOST:  return value <= limit;
    default:            return value >= limit; /* at_least, rise, fall */
    }
}

/* Whether an alert ends: a written `clear` was reached, or the value is back by
 * the default hysteresis, in whole units where the column has such: of a score
 * "above = 4" ends at 4, of a heart rate "above = 130" at 129. */
static bool is_clear(const struct rule *r, double value, bool is_whole)
{
    double band;

    if (r->has_clear && (r->kind == RULE_BELOW || r->kind == RULE_AT_MOST))
        return value >= r->clear;
    if (r->has_clear || r->kind == RULE_RISE || r->kind == RULE_FALL)
        return value <= r->clear;
    band = r->clear - r->limit;
    return !beyond(r->kind, value, r->limit + (is_whole ? trunc(band) : band));
}

/* ---- one rule ---- */

static void condition_begin(struct rule_state *s, int64_t at_ns, struct aff_id id)
{
    s->since_ns = at_ns;
    s->cause = id;
    s->repeats = 0;
    s->tellings = 0;
    s->acknowledged = 0;
}

static void condition_end(struct rule_state *s)
{
    s->phase = PHASE_IDLE;
    s->acknowledged = 0;
}

/* `is_on` beyond the limit, `is_off` back by the hysteresis, or neither. A
 * condition that waits must stay beyond the limit itself. */
static void condition_step(const struct rule *r, struct rule_state *s, bool is_on, bool is_off, const struct given *g)
{
    if (s->phase == PHASE_ACTIVE) {
        if (is_off)
            condition_end(s);
        return;
    }
    if (!is_on) {
        condition_end(s);
        return;
    }
    if (s->phase == PHASE_IDLE)
        condition_begin(s, g->at_ns, g->id);
    s->phase = g->at_ns >= time_add(s->since_ns, r->config->hold) ? PHASE_ACTIVE : PHASE_WAITING;
}

static void judge_trend(const struct rule *r, const struct view *v, struct rule_state *s, const struct given *g)
{
    struct trend *t = &v->trends[r->trend];
    double change;

    trend_add(t, r->part_ns, g->at_ns, g->number);
    if (!trend_change(t, r->part_ns, g->at_ns, &change))
        return; /* too few values: neither began nor ended */
    change = r->kind == RULE_FALL ? -change : change;
    condition_step(r, s, beyond(r->kind, change, r->limit), is_clear(r, change, false), g);
}

bool judge_value(const struct plan *p, const struct view *v, uint32_t rule, const struct given *g)
{
    const struct rule *r = &p->rules[rule];
    struct rule_state *s = &v->rules[rule];

    if (s->seen && g->at_ns < s->last_ns)
        return false;
    s->seen = 1;
    s->last_ns = g->at_ns;
    switch (r->kind) {
    case RULE_ABSENT:
        condition_end(s);
        s->cause = g->id;
        break;
    case RULE_EQUALS:
        condition_step(r, s, g->equal, !g->equal, g);
        break;
    case RULE_RISE:
    case RULE_FALL:
        judge_trend(r, v, s, g);
        break;
    default:
        condition_step(r, s, beyond(r->kind, g->number, r->limit), is_clear(r, g->number, g->is_whole), g);
        break;
    }
    return true;
}

void judge_begin(const struct plan *p, const struct view *v, int64_t at_ns, struct aff_id id)
{
    uint32_t i;

    for (i = 0; i < p->rule_count; i++) {
        if (!p->rules[i].config->expect || v->rules[i].seen)
            continue;
        v->rules[i].seen = 1;
        v->rules[i].last_ns = at_ns;
        v->rules[i].cause = id;
    }
}

/* ---- time ---- */

/* When a rule changes by itself. */
static int64_t rule_due(const struct rule *r, const struct rule_state *s)
{
    if (s->phase == PHASE_WAITING)
        return time_add(s->since_ns, r->config->hold);
    if (r->kind == RULE_ABSENT && s->seen && s->phase == PHASE_IDLE)
        return time_add(s->last_ns, r->config->absent);
    return INT64_MAX;
}

void judge_time(const struct plan *p, const struct view *v, int64_t now_ns)
{
    uint32_t i;

    for (i = 0; i < p->rule_count; i++) {
        struct rule_state *s = &v->rules[i];
        int64_t due = rule_due(&p->rules[i], s);

        if (due == INT64_MAX || due > now_ns)
            continue;
        if (s->phase == PHASE_IDLE)
            condition_begin(s, s->last_ns, s->cause);
        s->phase = PHASE_ACTIVE;
    }
}

int64_t judge_repeat(const struct rule *r, const struct rule_state *s)
{
    if (!s->told || s->acknowledged || s->phase != PHASE_ACTIVE || r->config->repeat_every == 0 ||
        s->repeats >= (uint64_t)r->config->repeat_most)
        return INT64_MAX;
    return time_add(s->told_ns, r->config->repeat_every);
}

int64_t judge_due(const struct plan *p, const struct view *v)
{
    int64_t due = INT64_MAX;
    uint32_t i;

    for (i = 0; i < p->rule_count; i++) {
        int64_t change = rule_due(&p->rules[i], &v->rules[i]);
        int64_t repeat = judge_repeat(&p->rules[i], &v->rules[i]);

        due = change < due ? change : due;
        due = repeat < due ? repeat : due;
    }
    return due;
}
