/* SPDX-License-Identifier: Apache-2.0
 *
 * check.c - rules across options: whether what was written makes sense by
 * itself, before any input is known.
 *
 * Not here: whether columns are there, and what the outputs carry (shape.c). */
#include "check.h"

#include <string.h>

#include "dates.h"

void option_path(char *out, size_t room, const char *table, const char *name)
{
    size_t used = strlen(table), size = strlen(name);

    memcpy(out, table, used);
    out[used++] = '.';
    if (size > room - used - 1)
        size = room - used - 1;
    memcpy(out + used, name, size);
    out[used + size] = 0;
}

static int action_check(const struct config *c, const struct rule *rule, const struct aff_report *report)
{
    if (rule->action == ACTION_GENERALISE && !rule->how) {
        RULE_SAY(report, rule,
                 "columns.%s = \"generalise\" does not say how; expected a table; take it out here and write "
                 "generalise = { %s = { width = 5, top = 90 } }, or { digits = 2 }, or { floor = \"year\" }",
                 rule->name, rule->name);
        return 0;
    }
    if (rule->action == ACTION_SHIFT && c->times == TIMES_KEEP) {
        RULE_SAY(report, rule,
                 "columns.%s = \"shift\" beside times = \"keep\" would tell the shift; expected both alike; set "
                 "times = \"shift\", or make the column coarser: generalise = { %s = { floor = \"month\" } }",
                 rule->name, rule->name);
        return 0;
    }
    return 1;
}

static int how_check(const struct rule *rule, const struct aff_report *report)
{
    const struct generalise_config *how = rule->how;
    int ways = (how->width > 0) + (how->digits > 0) + (how->floor != FLOOR_NONE);

    if (ways == 1 && (how->top == 0 || how->width > 0))
        return 1;
    if (ways == 1)
        RULE_SAY(report, rule,
                 "generalise.%s has top without width; expected { width = 5, top = 90 }; take top out", rule->name);
    else
        RULE_SAY(report, rule,
                 "generalise.%s has %s of width, digits and floor; expected one: width = 5 for numbers, digits = 2 "
                 "for the first characters of a text, floor = \"month\" for times; write one",
                 rule->name, ways ? "more than one" : "none");
    return 0;
}

static int rules_check(const struct config *c, const struct aff_report *report)
{
    int ok = 1;

    for (uint32_t i = 0; i < rules_count(c); i++) {
        struct rule rule = rule_at(c, i);

        if (strlen(rule.name) >= KIND_MOST || !*rule.name) {
            report->problem(report, rule_table(&rule), "a column's name is empty or longer than %d bytes; expected the "
                                                     "name of a column; correct it", KIND_MOST - 1);
            ok = 0;
        } else if (rule_find(c, rule.name) != (int)i) {
            RULE_SAY(report, &rule,
                     "%s is in columns and in generalise; expected it in one of both; take it out of one", rule.name);
            ok = 0;
        } else if (!(rule.action == ACTION_GENERALISE && rule.how ? how_check(&rule, report)
                                                                  : action_check(c, &rule, report))) {
            ok = 0;
        }
    }
    return ok;
}

static int kinds_check(const struct config *c, const struct aff_report *report)
{
    int ok = 1;

    for (uint32_t i = 0; i < c->kinds.count; i++) {
        const struct text_config *kind = list_at(&c->kinds, i);
        int found = rule_find(c, kind->key);
        char path[KIND_MOST + 16];

        if (found >= 0 && rule_at(c, (uint32_t)found).action == ACTION_PSEUDONYM && *kind->text &&
            strlen(kind->text) < KIND_MOST)
            continue;
        option_path(path, sizeof path, "kinds", kind->key);
        report->problem(report, path, "kinds.%s is of no column that has a pseudonym, or is empty or too long; "
                                      "expected columns = { %s = \"pseudonym\" }; correct one of both",
                        kind->key, kind->key);
        ok = 0;
    }
    return ok;
}

static int quasi_check(const struct config *c, const struct aff_report *report)
{
    int ok = 1;

    for (uint32_t i = 0; i < c->quasi.count; i++) {
        const struct quasi_config *q = list_at(&c->quasi, i);
        int found = rule_find(c, q->name);

        if (found >= 0 && rule_at(c, (uint32_t)found).action != ACTION_DROP)
            continue;
        report->problem(report, "quasi", "%s does not pass this node; expected columns that do; name it in columns or "
                                         "generalise, or take it out", q->name);
        ok = 0;
    }
    return ok;
}

/* Two signals of a patient under one name would be woven into one. */
static int streams_check(const struct config *c, const struct aff_report *report)
{
    for (uint32_t i = 0; i < c->streams.count; i++) {
        const struct text_config *a = list_at(&c->streams, i);

        if (!*a->text || strlen(a->text) >= KIND_MOST) {
            report->problem(report, "streams", "a new name is empty or longer than %d bytes; expected a short name; "
                                               "correct it", KIND_MOST - 1);
            return 0;
        }
        for (uint32_t k = 0; k < i; k++) {
            const struct text_config *b = list_at(&c->streams, k);

            if (strcmp(a->text, b->text) != 0)
                continue;
            report->problem(report, "streams", "%s and %s would both be called %s; expected a name for each; change "
                                               "one", b->key, a->key, a->text);
            return 0;
        }
    }
    return 1;
}

static int scalars_check(const struct config *c, const struct aff_report *report)
{
    int64_t step = c->shift_step == STEP_WEEK ? 7 * DAY_NS : DAY_NS;

    if (!*c->project || strlen(c->project) >= KIND_MOST) {
        report->problem(report, "project", "the project's name is empty or longer than %d bytes; expected a name such "
                                           "as \"sepsis-2026\"; pseudonyms of two projects cannot be joined",
                        KIND_MOST - 1);
        return 0;
    }
    if (c->report && strcmp(c->report, c->key) == 0) {
        report->problem(report, "report", "report is the key file, which it would replace; expected a path of its own; "
                                          "change it");
        return 0;
    }
    if (c->shift_most % step != 0) {
        report->problem(report, "shift_most", "times are shifted by whole %s; expected a multiple of \"%s\"; write "
                                              "\"%lldd\"", step == DAY_NS ? "days" : "weeks",
                        step == DAY_NS ? "1d" : "7d", (long long)(c->shift_most / step * step / DAY_NS));
        return 0;
    }
    return 1;
}

aff_status anonymize_validate(const void *config, const struct aff_report *report)
{
    const struct config *c = config;
    int ok = scalars_check(c, report);

    ok &= rules_check(c, report);
    ok &= kinds_check(c, report);
    ok &= quasi_check(c, report);
    ok &= streams_check(c, report);
    return ok ? AFF_OK : AFF_ERR_CONFIG;
}
