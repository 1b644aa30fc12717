/* rules.c - see rules.h. */
#include "rules.h"

#include <math.h>
#include <string.h>

const char *const kind_names[RULE_KINDS] = { "above", "at_least", "below",  "at_most",
                                             "rise",  "fall",     "equals", "absent" };

const struct rule_config *rule_at(const struct config *c, uint32_t i)
{
    return (const void *)((const char *)c->rules.items + (size_t)i * c->rules.stride);
}

static double number_of(const struct aff_list *list)
{
    return list->count ? *(const double *)list->items : 0.0;
}

static const struct aff_list *number_list(const struct rule_config *r, enum rule_kind kind)
{
    const struct aff_list *lists[] = { &r->above, &r->at_least, &r->below, &r->at_most, &r->rise, &r->fall };

    return kind <= RULE_FALL ? lists[kind] : NULL;
}

uint32_t rule_kinds(const struct rule_config *r, enum rule_kind *ret_kind)
{
    uint32_t kind, found = 0;

    for (kind = 0; kind < RULE_KINDS; kind++) {
        const struct aff_list *list = number_list(r, (enum rule_kind)kind);
        bool is_there = list ? list->count > 0 : kind == RULE_EQUALS ? r->equals.count > 0 : r->absent > 0;

        if (is_there && found++ == 0)
            *ret_kind = (enum rule_kind)kind;
    }
    return found;
}

/* Hysteresis where none is written: a hundredth of the limit. ANSI/ISA-18.2
 * gives deadbands of 1 % to 5 % of the range by kind of signal; vital signs are
 * slow and filtered by their monitors, so the least of them. A trend is over
 * when half of it is left. */
static double clear_of(enum rule_kind kind, double limit)
{
    double band = fabs(limit) * 0.01;

    if (kind == RULE_RISE || kind == RULE_FALL)
        return limit * 0.5;
    return kind == RULE_ABOVE || kind == RULE_AT_LEAST ? limit - band : limit + band;
}

enum word word_of(const struct piece *piece)
{
    static const char *const words[] = { "", "subject", "rule", "place", "severity" };
    uint32_t i;

    for (i = 1; i < sizeof words / sizeof words[0]; i++)
        if (strlen(words[i]) == piece->length && memcmp(words[i], piece->at, piece->length) == 0)
            return (enum word)i;
    return WORD_COLUMN;
}

int32_t plan_column(const struct plan *p, const char *name, size_t length)
{
    uint32_t i;

    for (i = 0; i < p->column_count; i++)
        if (strlen(p->columns[i].name) == length && memcmp(p->columns[i].name, name, length) == 0)
            return (int32_t)i;
    return -1;
}

/* The number of a column, added when it is new; -1: there is no room. */
static int32_t column_add(struct plan *p, const char *name, size_t length)
{
    int32_t found = plan_column(p, name, length);
    struct column *c = &p->columns[p->column_count];

    if (found >= 0 || p->column_count == COLUMNS_MOST || length >= sizeof c->name)
        return found;
    memcpy(c->name, name, length);
    c->name[length] = 0;
    c->value = -1;
    return (int32_t)p->column_count++;
}

static void text_columns(struct plan *p, const struct template *text)
{
    uint32_t i;

    for (i = 0; i < text->count; i++) {
        int32_t column;

        if (!text->pieces[i].name || word_of(&text->pieces[i]) != WORD_COLUMN)
            continue;
        column = column_add(p, text->pieces[i].at, text->pieces[i].length);
        if (column >= 0 && p->columns[column].value < 0)
            p->columns[column].value = (int32_t)p->value_count++;
    }
}

/* Rules without a group are each a group of their own. */
static uint32_t group_of(const struct plan *p, const struct rule_config *r, uint32_t own)
{
    uint32_t i;

    for (i = 0; r->group && *r->group && i < own; i++)
        if (p->rules[i].config->group && strcmp(p->rules[i].config->group, r->group) == 0)
            return p->rules[i].group;
    return own;
}

static void rule_open(struct plan *p, const struct rule_config *r, uint32_t own)
{
    struct rule *to = &p->rules[own];

    to->config = r;
    (void)rule_kinds(r, &to->kind);
    to->limit = to->kind <= RULE_FALL ? number_of(number_list(r, to->kind)) : 0.0;
    to->has_clear = r->clear.count > 0;
    to->clear = to->has_clear ? number_of(&r->clear) : clear_of(to->kind, to->limit);
    to->column = r->column && *r->column ? column_add(p, r->column, strlen(r->column)) : -1;
    to->trend = to->kind == RULE_RISE || to->kind == RULE_FALL ? (int32_t)p->trend_count++ : -1;
    to->group = group_of(p, r, own);
    to->part_ns = r->within / 16;
    (void)template_read(r->text, &to->text);
    text_columns(p, &to->text);
}

void plan_open(struct plan *p, const struct config *c)
{
    uint32_t i;

    memset(p, 0, sizeof *p);
    for (i = 0; i < c->rules.count; i++)
        rule_open(p, rule_at(c, i), i);
    p->rule_count = c->rules.count;
    (void)template_read(c->place, &p->place);
    for (i = 0; i < p->place.count; i++)
        p->place_of_subject |= p->place.pieces[i].name;
}
