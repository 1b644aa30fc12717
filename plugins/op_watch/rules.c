/* SPDX-License-Identifier: Apache-2.0
 *
 * rules.c - rules as the options have them: what is refused, and what is made of
 * the others.
 *
 * Not here: whether columns are there (shape.c), when a rule is true (judge.c). */
#include "rules.h"

#include <stdio.h>
#include <string.h>

enum { BUCKETS = 8 };

const char *const kind_names[KINDS + 1] = { "silent", "flat", "out_of_range", "missing", "suspect", "bad_rate", "event",
                                            NULL };

static const char subject_word[] = "{subject}";

const struct rule_config *rule_at(const struct config *c, uint32_t i)
{
    return (const void *)((const char *)c->rules.items + (size_t)i * c->rules.stride);
}

bool rule_has_column(enum kind kind)
{
    return kind == KIND_FLAT || kind == KIND_RANGE || kind == KIND_MISSING;
}

bool rule_by_events(const struct rule *r)
{
    return r->kind == KIND_RATE || r->kind == KIND_EVENT;
}

/* ---- what is refused ---- */

struct check {
    const struct aff_report *report;
    const struct config *config;
    bool ok;
};

static void wrong(struct check *c, uint32_t i, const char *option, const char *what)
{
    char path[48];

    (void)snprintf(path, sizeof path, "rules[%u].%s", (unsigned)i, option);
    c->report->problem(c->report, path, "%s", what);
    c->ok = false;
}

static void name_check(struct check *c, uint32_t i)
{
    const char *name = rule_at(c->config, i)->name;
    uint32_t k;

    if (!*name || strlen(name) > 64)
        wrong(c, i, "name", "is empty or longer than 64 bytes; expected a short one; write what people call it");
    for (k = 0; k < i; k++)
        if (strcmp(rule_at(c->config, k)->name, name) == 0)
            wrong(c, i, "name", "is that of an earlier rule; expected each name once; rename one");
}

static void kind_check(struct check *c, uint32_t i)
{
    const struct rule_config *r = rule_at(c->config, i);
    bool has_column = rule_has_column((enum kind)r->kind);

    if (has_column && !*r->column)
        wrong(c, i, "column", "is not given; expected the column or channel that the rule judges; name it");
    if (!has_column && *r->column && r->kind != KIND_RATE)
        wrong(c, i, "column", "is not for rules of this kind; expected it without; leave it out");
    if (r->kind == KIND_RANGE && !r->low.count && !r->high.count)
        wrong(c, i, "low", "and high are both missing; expected one of them at least; write it");
    if (r->kind != KIND_RANGE && (r->low.count || r->high.count))
        wrong(c, i, r->low.count ? "low" : "high", "is for rules of kind out_of_range; expected it without; leave it out");
    if (r->low.count && r->high.count && *(const double *)r->low.items > *(const double *)r->high.items)
        wrong(c, i, "low", "is greater than high; expected the least value first; exchange the two");
    if ((r->kind == KIND_SILENT || r->kind == KIND_FLAT) && r->hold <= 0)
        wrong(c, i, "for", "is 0s; expected how long nothing may come, or change; write it like \"5s\"");
    if (r->kind == KIND_EVENT && (!*r->event || !*r->until))
        wrong(c, i, *r->event ? "until" : "event", "is not given; expected the device's words for the beginning (event) and "
                                                   "the end (until); write them like \"line_lost\" and \"line_back\"");
    if (r->kind != KIND_EVENT && (*r->event || *r->until))
        wrong(c, i, *r->event ? "event" : "until", "is for rules of kind event; expected it without; leave it out");
    if (*r->beside && !has_column)
        wrong(c, i, "beside", "is for rules that judge a column; expected it without; leave it out");
}

static void telling_check(struct check *c, uint32_t i)
{
    const struct rule_config *r = rule_at(c->config, i);

    if (strlen(r->command) > TEXT_MOST)
        wrong(c, i, "command", "is longer than 200 bytes; expected a short word for the device; shorten it");
    if (strlen(r->text) > TEXT_MOST)
        wrong(c, i, "text", "is longer than 200 bytes; expected a short sentence; shorten it");
    if (r->severity == SEVERITY_NONE && *r->text)
        wrong(c, i, "text", "is told with alerts, and this rule has none; expected severity beside it; write it, or leave "
                            "text out");
    if (r->alert == ALERT_ESCALATED && (!*r->command || r->severity == SEVERITY_NONE))
        wrong(c, i, "alert", "is \"escalated\", which is when commands did not help; expected command and severity beside "
                             "it; write both, or alert = \"raised\"");
    if (r->severity != SEVERITY_NONE && !*c->config->place && c->ok) {
        c->report->problem(c->report, "place", "is empty, and rules tell alerts; expected where to go; write it like \"bed 3\"");
        c->ok = false;
    }
}

static void place_check(struct check *c)
{
    const char *brace = strchr(c->config->place, '{');

    if (strlen(c->config->place) >= PLACE_MOST) {
        c->report->problem(c->report, "place", "is longer than 95 bytes; expected a short one; shorten it");
        c->ok = false;
    }
    if (brace && (strncmp(brace, subject_word, sizeof subject_word - 1) != 0 || strchr(brace + 1, '{'))) {
        c->report->problem(c->report, "place", "has a word in braces that is unknown; expected {subject} at most, once; "
                                               "correct it");
        c->ok = false;
    }
    if (!*c->config->stream || strlen(c->config->stream) > 64) {
        c->report->problem(c->report, "stream", "is empty or longer than 64 bytes; expected a short name; write it like "
                                                "\"device\"");
        c->ok = false;
    }
}

bool rules_check(const struct config *config, const struct aff_report *report)
{
    struct check c = { report, config, true };
    uint32_t i;

    place_check(&c);
    for (i = 0; i < config->rules.count; i++) {
        name_check(&c, i);
        kind_check(&c, i);
        telling_check(&c, i);
    }
    return c.ok;
}

/* ---- what is made of the others ---- */

static void rule_open(struct rule *to, const struct rule_config *c)
{
    to->config = c;
    to->kind = (enum kind)c->kind;
    to->has_low = c->low.count > 0;
    to->has_high = c->high.count > 0;
    to->low = to->has_low ? *(const double *)c->low.items : 0;
    to->high = to->has_high ? *(const double *)c->high.items : 0;
    to->commands = *c->command != '\0';
    to->alerts = c->severity != SEVERITY_NONE;
    to->bucket_ns = c->within / BUCKETS > 0 ? c->within / BUCKETS : 1;
}

void plan_open(struct plan *p, const struct config *c)
{
    uint32_t i;

    memset(p, 0, sizeof *p);
    p->config = c;
    p->count = c->rules.count < RULES_MOST ? c->rules.count : RULES_MOST;
    p->place_of_subject = strstr(c->place, subject_word) != NULL;
    for (i = 0; i < p->count; i++)
        rule_open(&p->rules[i], rule_at(c, i));
}

void place_fill(const struct plan *p, const char *subject, char place[PLACE_MOST])
{
    const char *text = p->config->place, *word = strstr(text, subject_word);

    if (!*text)
        text = "device";
    if (!word)
        (void)snprintf(place, PLACE_MOST, "%s", text);
    else
        (void)snprintf(place, PLACE_MOST, "%.*s%s%s", (int)(word - text), text, subject, word + sizeof subject_word - 1);
}
