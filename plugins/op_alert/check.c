/* check.c - what is wrong with rules, each mistake in a sentence.
 *
 * Wording after IEC 62366-1: who reads it is at a bedside, not at a desk; each
 * sentence names the rule, what was expected and what to write. */
#include "rules.h"

#include <stdio.h>
#include <string.h>

/* Says a problem of rule `i`; evaluates to false. */
#define WRONG(c, i, option, ...) \
    (problem_at((c), (i), (option)), (c)->report->problem((c)->report, (c)->path, __VA_ARGS__), false)

#define SECOND_NS INT64_C(1000000000)

struct check {
    const struct config *config;
    const struct aff_report *report;
    char path[64];
};

static void problem_at(struct check *c, uint32_t i, const char *option)
{
    (void)snprintf(c->path, sizeof c->path, "rules[%u].%s", (unsigned)i, option);
}

static bool names_check(struct check *c, uint32_t i)
{
    const char *name = rule_at(c->config, i)->name;
    uint32_t k;

    if (strlen(name) >= NAME_MOST || !*name || strpbrk(name, "\n\r\t{}\""))
        return WRONG(c, i, "name", "rule %u: its name is empty, too long or has signs that a log cannot show; "
                     "expected at most 63 letters, such as \"spo2_low\"", (unsigned)i + 1);
    for (k = 0; k < i; k++)
        if (strcmp(rule_at(c->config, k)->name, name) == 0)
            return WRONG(c, i, "name", "two rules have the name \"%s\"; expected a name of its own for each; "
                         "rename one", name);
    return true;
}

/* Exactly one condition, and what belongs to it. */
static bool kind_check(struct check *c, uint32_t i, const struct rule_config *r, enum rule_kind *ret_kind)
{
    uint32_t found = rule_kinds(r, ret_kind);

    if (found == 0)
        return WRONG(c, i, "name", "rule \"%s\" has no condition; expected one of above, at_least, below, at_most, "
                     "equals, rise, fall, absent; write one", r->name);
    if (found > 1)
        return WRONG(c, i, kind_names[*ret_kind], "rule \"%s\" has %u conditions; expected one; make a rule of each, "
                     "with the same group if one alert is enough", r->name, (unsigned)found);
    if (*ret_kind != RULE_ABSENT && (!r->column || !*r->column))
        return WRONG(c, i, "column", "rule \"%s\" judges no column; expected column = \"NAME\" beside %s; add it",
                     r->name, kind_names[*ret_kind]);
    if (r->column && strlen(r->column) > 255)
        return WRONG(c, i, "column", "rule \"%s\": the column's name is too long; expected at most 255 bytes; "
                     "shorten it", r->name);
    return true;
}

static bool limit_check(struct check *c, uint32_t i, const struct rule_config *r, enum rule_kind kind)
{
    const struct aff_list *lists[] = { &r->above, &r->at_least, &r->below, &r->at_most, &r->rise, &r->fall };
    bool upward = kind == RULE_ABOVE || kind == RULE_AT_LEAST, trend = kind == RULE_RISE || kind == RULE_FALL;
    bool bare = kind == RULE_EQUALS || kind == RULE_ABSENT;
    double limit, clear;

    if (bare && r->clear.count)
        return WRONG(c, i, "clear", "rule \"%s\": clear does not go with %s; expected it beside a limit or a trend; "
                     "take it out", r->name, kind_names[kind]);
    if (bare)
        return true;
    limit = *(const double *)lists[kind]->items;
    if (trend && !(limit > 0.0))
        return WRONG(c, i, kind_names[kind], "rule \"%s\": %s is an amount; expected a number above 0; write how much "
                     "in the whole of \"within\"", r->name, kind_names[kind]);
    if (!r->clear.count)
        return true;
    clear = *(const double *)r->clear.items;
    if (trend && !(clear >= 0.0 && clear < limit))
        return WRONG(c, i, "clear", "rule \"%s\": clear = %g would end the alert while it is true; expected 0 to "
                     "less than %g, the %s at which it is over", r->name, clear, limit, kind_names[kind]);
    if (!trend && (upward ? clear > limit : clear < limit))
        return WRONG(c, i, "clear", "rule \"%s\": clear = %g would end the alert while the value is still %s %g; "
                     "expected %g or %s", r->name, clear, upward ? "over" : "under", limit, limit,
                     upward ? "less" : "more");
    return true;
}

static bool times_check(struct check *c, uint32_t i, const struct rule_config *r, enum rule_kind kind)
{
    bool trend = kind == RULE_RISE || kind == RULE_FALL;

    if (trend && r->within == 0)
        return WRONG(c, i, "within", "rule \"%s\" does not say in what time; expected within = \"10min\" beside %s; "
                     "add it", r->name, kind_names[kind]);
    if (trend && r->within < SECOND_NS)
        return WRONG(c, i, "within", "rule \"%s\": within is less than a second; expected 1s to 7d, long enough for "
                     "several values; write it longer", r->name);
    if (!trend && r->within != 0)
        return WRONG(c, i, "within", "rule \"%s\": within goes with rise and fall only; expected hold for how long a "
                     "condition must last; take within out", r->name);
    if (kind == RULE_ABSENT && r->hold != 0)
        return WRONG(c, i, "hold", "rule \"%s\": hold does not go with absent, which is a time itself; expected "
                     "absent alone; add both times up", r->name);
    if (r->expect && (kind != RULE_ABSENT || !r->column || !*r->column))
        return WRONG(c, i, "expect", "rule \"%s\": expect says that a column must come at all; expected it beside "
                     "absent and column; take it out", r->name);
    return true;
}

/* Technical conditions are no degree of the patient's: told instead of each
 * other, one of both would hide. */
static bool group_check(struct check *c, uint32_t i, const struct rule_config *r)
{
    uint32_t k;

    if (!r->group || !*r->group)
        return true;
    for (k = 0; k < i; k++) {
        const struct rule_config *other = rule_at(c->config, k);

        if (other->group && strcmp(other->group, r->group) == 0 &&
            (other->severity == SEVERITY_TECHNICAL) != (r->severity == SEVERITY_TECHNICAL))
            return WRONG(c, i, "group", "rules \"%s\" and \"%s\" share a group, but only one is technical; expected "
                         "groups of their own: a sensor that stopped must not hide a patient's alarm; rename one "
                         "group", other->name, r->name);
    }
    return true;
}

static bool text_check(struct check *c, uint32_t i, const struct rule_config *r)
{
    struct template text;
    const char *problem = template_read(r->text, &text);

    if (problem)
        return WRONG(c, i, "text", "rule \"%s\": its text %s", r->name, problem);
    if (text.count == 0)
        return WRONG(c, i, "text", "rule \"%s\": its text is empty; expected what is wrong and what to do; write it, "
                     "or leave it out", r->name);
    return true;
}

static bool rule_check(struct check *c, uint32_t i)
{
    const struct rule_config *r = rule_at(c->config, i);
    enum rule_kind kind = RULE_ABSENT;

    if (!names_check(c, i) || !kind_check(c, i, r, &kind))
        return false;
    return (int)limit_check(c, i, r, kind) & (int)times_check(c, i, r, kind) & (int)group_check(c, i, r) &
           (int)text_check(c, i, r);
}

static bool place_check(const struct config *c, const struct aff_report *report)
{
    struct template place;
    const char *problem = template_read(c->place, &place);
    uint32_t i;

    if (!problem && place.count == 0)
        problem = "is empty; expected where to go, such as \"bed 3\"";
    for (i = 0; !problem && i < place.count; i++)
        if (place.pieces[i].name && word_of(&place.pieces[i]) != WORD_SUBJECT)
            problem = "has a name in braces that is not {subject}; expected plain words, or {subject}; write the "
                      "place itself, which does not change with the values";
    if (problem)
        report->problem(report, "place", "place %s", problem);
    return !problem;
}

/* Columns that all rules and texts name together. */
static bool columns_check(struct check *c)
{
    struct plan plan;
    uint32_t i, k, missing = 0;

    plan_open(&plan, c->config);
    for (i = 0; i < plan.rule_count; i++) {
        const struct rule *r = &plan.rules[i];

        missing += r->config->column && *r->config->column && r->column < 0;
        for (k = 0; k < r->text.count; k++)
            missing += r->text.pieces[k].name && word_of(&r->text.pieces[k]) == WORD_COLUMN &&
                       plan_column(&plan, r->text.pieces[k].at, r->text.pieces[k].length) < 0;
    }
    if (missing)
        c->report->problem(c->report, "rules", "the rules name more than %d columns; expected fewer; share them out "
                           "over two nodes", (int)COLUMNS_MOST);
    return missing == 0;
}

bool rules_check(const struct config *config, const struct aff_report *report)
{
    struct check c = { config, report, "" };
    bool ok = place_check(config, report);
    uint32_t i;

    for (i = 0; i < config->rules.count; i++)
        ok &= rule_check(&c, i);
    return ok && columns_check(&c);
}
