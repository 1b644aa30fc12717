/* tell.c - see tell.h. */
#include "tell.h"

#include <string.h>

#include "values.h"


enum { NONE = RULES_MOST };

static int32_t severity_of(const struct plan *p, uint32_t rule)
{
    return p->rules[rule].config->severity;
}

/* The rule that should stand for a group: of the most severe the one that does
 * already, else the first. */
static uint32_t best_of(const struct plan *p, const struct view *v, uint32_t group)
{
    uint32_t i, best = NONE;

    for (i = 0; i < p->rule_count; i++) {
        if (p->rules[i].group != group || v->rules[i].phase != PHASE_ACTIVE)
            continue;
        if (best == NONE || severity_of(p, i) < severity_of(p, best) ||
            (severity_of(p, i) == severity_of(p, best) && v->rules[i].told))
            best = i;
    }
    return best;
}

static uint32_t told_of(const struct plan *p, const struct view *v, uint32_t group)
{
    uint32_t i;

    for (i = 0; i < p->rule_count; i++)
        if (p->rules[i].group == group && v->rules[i].told)
            return i;
    return NONE;
}

/* Name and id of an alert. The id is the same in every replay, and leads to the
 * record that began it only for who has that record; it holds no name of the
 * patient. Each word goes through the finalizer of splitmix64 (Steele, Lea and
 * Flood 2014, OOPSLA). */
static uint64_t mix(uint64_t hash, uint64_t word)
{
    hash = (hash ^ word) + UINT64_C(0x9e3779b97f4a7c15);
    hash = (hash ^ (hash >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    hash = (hash ^ (hash >> 27)) * UINT64_C(0x94d049bb133111eb);
    return hash ^ (hash >> 31);
}

static uint64_t alert_id(const struct rule *r, const struct rule_state *s, const char *place)
{
    uint64_t hash = mix(mix(s->cause.source, s->cause.seq), s->tellings);

    hash = mix(hash, text_hash(r->config->name));
    return mix(hash, text_hash(place));
}

static void telling_fill(struct telling *t, const struct rule_state *s, uint32_t rule, enum tell_state state)
{
    t->rule = rule;
    t->state = state;
    t->is_new = false;
    t->alert = s->alert;
    t->count = s->repeats;
    t->label = s->label;
    t->length = s->length;
    memcpy(t->text, s->text, s->length);
}

static void text_fill(const struct plan *p, const struct view *v, int64_t now_ns, const struct naming *n,
                      struct telling *t)
{
    const struct rule *r = &p->rules[t->rule];
    struct line line = { t->text, 0, TEXT_MOST, false };
    uint32_t i;

    t->label = AFF_LABEL_NONE;
    for (i = 0; i < r->text.count; i++) {
        const struct piece *piece = &r->text.pieces[i];
        uint8_t label = AFF_LABEL_NONE;

        if (!piece->name) {
            line_add(&line, piece->at, piece->length);
            continue;
        }
        switch (word_of(piece)) {
        case WORD_SUBJECT:
            line_say(&line, n->subject);
            label = n->subject_label;
            break;
        case WORD_RULE:     line_say(&line, r->config->name); break;
        case WORD_PLACE:
            line_say(&line, n->place);
            label = p->place_of_subject ? n->subject_label : label;
            break;
        case WORD_SEVERITY: line_say(&line, severity_names[r->config->severity]); break;
        default:            label = value_tell(p, v, piece, now_ns, &line); break;
        }
        t->label = label > t->label ? label : t->label;
    }
    line_end(&line);
    t->length = (uint16_t)line.length;
}

/* A rule that is to stand for its group now; NONE when the right one does. */
static uint32_t newcomer(const struct plan *p, const struct view *v, uint32_t group)
{
    uint32_t best = best_of(p, v, group);

    return best != NONE && v->rules[best].told ? NONE : best;
}

bool tell_find(const struct plan *p, const struct view *v, int64_t now_ns, struct telling *ret)
{
    uint32_t i, found;

    for (i = 0; i < p->rule_count; i++) {
        found = p->rules[i].group == i ? newcomer(p, v, i) : NONE;
        if (found == NONE)
            continue;
        telling_fill(ret, &v->rules[found], found, v->rules[found].acknowledged ? STATE_ACKNOWLEDGED : STATE_RAISED);
        ret->is_new = true;
        ret->count = 0;
        return true;
    }
    for (i = 0; i < p->rule_count; i++) {
        const struct rule_state *s = &v->rules[i];

        if (!s->leaving && !(s->told && s->phase != PHASE_ACTIVE))
            continue;
        telling_fill(ret, s, i, STATE_ENDED);
        return true;
    }
    for (i = 0; i < p->rule_count; i++) {
        int64_t due = judge_repeat(&p->rules[i], &v->rules[i]);

        if (due == INT64_MAX || due > now_ns)
            continue;
        telling_fill(ret, &v->rules[i], i, STATE_REPEATED);
        ret->count++;
        return true;
    }
    return false;
}

void tell_fill(const struct plan *p, const struct view *v, int64_t now_ns, const struct naming *n, struct telling *t)
{
    if (t->is_new)
        t->alert = alert_id(&p->rules[t->rule], &v->rules[t->rule], n->place);
    if (t->is_new || t->state == STATE_REPEATED)
        text_fill(p, v, now_ns, n, t);
}

void tell_done(const struct plan *p, const struct view *v, int64_t now_ns, const struct telling *t)
{
    struct rule_state *s = &v->rules[t->rule];
    uint32_t before;

    if (t->state == STATE_ENDED) {
        s->told = 0;
        s->leaving = 0;
        return;
    }
    if (t->is_new) {
        before = told_of(p, v, p->rules[t->rule].group);
        if (before != NONE) {
            v->rules[before].told = 0;
            v->rules[before].leaving = 1;
        }
        s->told = 1;
        s->tellings++;
        s->alert = t->alert;
    }
    s->repeats = t->count;
    s->told_ns = now_ns;
    s->label = t->label;
    s->length = t->length;
    memcpy(s->text, t->text, t->length);
}

void tell_acknowledge(const struct view *v, uint32_t rule, struct telling *ret)
{
    telling_fill(ret, &v->rules[rule], rule, STATE_ACKNOWLEDGED);
}

void tell_acknowledged(const struct plan *p, const struct view *v, uint32_t rule)
{
    uint32_t i;

    for (i = 0; i < p->rule_count; i++) /* none that is active is more severe than the one that is told */
        if (p->rules[i].group == p->rules[rule].group && v->rules[i].phase == PHASE_ACTIVE)
            v->rules[i].acknowledged = 1;
}

void place_name(const struct plan *p, const char *subject, char name[PLACE_MOST])
{
    struct line line = { name, 0, PLACE_MOST - 1, false };
    uint32_t i;

    for (i = 0; i < p->place.count; i++) {
        if (p->place.pieces[i].name)
            line_say(&line, subject);
        else
            line_add(&line, p->place.pieces[i].at, p->place.pieces[i].length);
    }
    line_end(&line);
    if (line.length == 0)
        name[line.length++] = '-';
    name[line.length] = 0;
}
